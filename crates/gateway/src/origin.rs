//! What browsers name the pages by that connect.

use axum::http::Uri;

/// An origin as browsers send it (RFC 6454, section 6.2): a scheme and a host, a port where it is not the scheme's own.
///
/// # Errors
/// It is none: with a path, a slash at its end or capital letters, no page is ever of it.
pub fn parse_origin(text: &str) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("{text:?} is no origin: {why}, as in \"https://desk.example:8443\""));
    let Some((scheme, host)) =
        text.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))
    else {
        return wrong("it begins with http:// or https://");
    };
    if host.contains(['/', '?', '#', '@']) {
        return wrong("it has a scheme, a host and a port, and nothing else");
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'*') {
        return wrong("its host is in small letters, and no pattern");
    }
    let Ok(uri) = text.parse::<Uri>() else { return wrong("its host or its port cannot be read") };
    let own = if scheme == "https" { 443 } else { 80 };
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    if uri.host().is_none_or(str::is_empty) || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return wrong("its host or its port cannot be read");
    }
    if uri.port_u16() == Some(own) {
        return wrong("browsers leave the scheme's own port out");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_browsers_send_is_an_origin() {
        for text in ["http://127.0.0.1:8000", "https://desk.example", "http://[::1]:3000", "http://localhost"]
        {
            assert_eq!(parse_origin(text).as_deref(), Ok(text));
        }
        for (text, why) in [
            ("desk.example", "begins with"),
            ("ftp://desk.example", "begins with"),
            ("null", "begins with"),
            ("https://desk.example/", "nothing else"),
            ("https://desk.example/page", "nothing else"),
            ("https://me@desk.example", "nothing else"),
            ("https://Desk.example", "small letters"),
            ("https://*.example", "no pattern"),
            ("https://desk.example:443", "own port"),
            ("http://desk.example:80", "own port"),
            ("https://desk.example:", "cannot be read"),
            ("https://desk.example:99999", "cannot be read"),
            ("https://", "cannot be read"),
        ] {
            let error = parse_origin(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
