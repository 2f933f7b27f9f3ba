//! The opening handshake, checked by the book (RFC 6455, 4.2.1).

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Version, header};
use wire::ErrorCode;
use ws::Deflate;

use crate::problem::{HttpCode, Problem};
use crate::settings::Settings;
use crate::socket::Encoding;

/// What a good handshake asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The subprotocol to answer with.
    pub(crate) subprotocol: Option<&'static str>,
    /// The token it brought, from `Authorization` or a subprotocol.
    pub(crate) token: Option<String>,
    /// What proves that the handshake was understood: the value of `Sec-WebSocket-Accept`.
    pub(crate) accept: String,
    /// The compression that can be agreed on.
    pub(crate) deflate: Option<Deflate>,
}

impl Request {
    /// What the messages of the connection will be.
    pub(crate) fn encoding(&self) -> Encoding {
        match self.subprotocol {
            Some(wire::SUBPROTOCOL_MSGPACK) => Encoding::MessagePack,
            _ => Encoding::Json,
        }
    }
}

/// What the server speaks.
const SUBPROTOCOLS: [&str; 2] = [wire::SUBPROTOCOL_JSON, wire::SUBPROTOCOL_MSGPACK];
/// Prefix of a subprotocol that carries a token, for browsers, which cannot set headers.
const BEARER: &str = "bearer.";

/// Checks a handshake.
pub(crate) fn check(parts: &Parts, origins: &Origins) -> Result<Request, Problem> {
    let bad = |detail: &str| Problem::http(HttpCode::BadHandshake, detail);
    if parts.method != Method::GET {
        let problem = Problem::http(HttpCode::MethodNotAllowed, "Connect with GET.");
        return Err(problem.header(header::ALLOW, "GET"));
    }
    if parts.version != Version::HTTP_11 {
        return Err(bad("A WebSocket handshake is an HTTP/1.1 request."));
    }
    let headers = &parts.headers;
    if !has_token(headers, &header::UPGRADE, "websocket")
        || !has_token(headers, &header::CONNECTION, "upgrade")
    {
        let detail = "This is a WebSocket endpoint. Connect with a WebSocket client.";
        let problem = Problem::http(HttpCode::UpgradeRequired, detail);
        return Err(upgradable(problem));
    }
    if headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(bad("A WebSocket handshake has no body.").header(header::CONNECTION, "close"));
    }
    match single(headers, &header::HOST) {
        Some(host) if !host.is_empty() => {}
        _ => return Err(bad("The Host header must stand exactly once.")),
    }
    if single(headers, &header::SEC_WEBSOCKET_VERSION) != Some("13") {
        let detail = "Sec-WebSocket-Version must be 13.";
        return Err(upgradable(Problem::http(HttpCode::UnsupportedVersion, detail)));
    }
    let Some(key) = single(headers, &header::SEC_WEBSOCKET_KEY).filter(|key| ws::is_key(key)) else {
        return Err(bad("Sec-WebSocket-Key must stand once, with 16 bytes in base64."));
    };
    let extensions = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter();
    // What is no text is no token either, and malformed like any other.
    let extensions = extensions.map(|line| line.to_str().unwrap_or("\0"));
    let deflate = ws::negotiate(extensions).map_err(|_| bad("Sec-WebSocket-Extensions is malformed."))?;
    origins.check(headers)?;
    let (subprotocol, token) = offered(headers)?;
    Ok(Request { subprotocol, token, accept: ws::accept_key(key), deflate })
}

fn upgradable(problem: Problem) -> Problem {
    problem
        .header(header::UPGRADE, "websocket")
        .header(header::CONNECTION, "Upgrade")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
}

/// The subprotocol that the client offers, and the token it brings.
fn offered(headers: &HeaderMap) -> Result<(Option<&'static str>, Option<String>), Problem> {
    let token = bearer(headers)?;
    let (mut any, mut subprotocol, mut by_subprotocol) = (false, None, None);
    for name in tokens(headers, &header::SEC_WEBSOCKET_PROTOCOL) {
        any = true;
        if let Some(known) = SUBPROTOCOLS.into_iter().find(|known| *known == name) {
            // The client's first choice counts.
            subprotocol = subprotocol.or(Some(known));
        } else if let Some(token) = name.strip_prefix(BEARER) {
            by_subprotocol = Some(token.to_owned());
        }
    }
    if any && subprotocol.is_none() {
        // Without an answer a browser would drop the connection and say nothing of the reason.
        let detail = "Offer the subprotocol tickwire.v1.json or tickwire.v1.msgpack, beside bearer.<token> where that is used.";
        return Err(Problem::http(HttpCode::UnknownSubprotocol, detail));
    }
    Ok((subprotocol, token.or(by_subprotocol)))
}

/// The token of a cookie (RFC 6265, 4.2.1), which counts where nothing else brings one. Which of two with one
/// name is meant nobody can tell: neither.
///
/// A browser sends it by itself, also where another site had it ask: the request must say that it comes from a page
/// that may connect (an `Origin` was checked), or from one of the server's own.
pub(crate) fn cookie(headers: &HeaderMap, name: Option<&str>) -> Option<String> {
    let name = name?;
    let own = single(headers, &SEC_FETCH_SITE).is_some_and(|site| site == "same-origin");
    if !own && !headers.contains_key(header::ORIGIN) {
        return None;
    }
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value.trim_matches('"'));
    let value = values.next().filter(|value| !value.is_empty())?;
    values.next().is_none().then(|| value.to_owned())
}

/// Whose page made a browser ask ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/)).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The token of the `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let value = single(headers, &header::AUTHORIZATION).unwrap_or_default();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        return Ok(Some(token.to_owned()));
    }
    Err(Problem::of(ErrorCode::TokenInvalid, "The Authorization header must be \"Bearer <token>\"."))
}

/// The one value of a header that may stand only once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok().map(str::trim)
}

/// The members of a comma-separated header, over all its lines.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

/// The pages that may connect.
pub(crate) struct Origins {
    /// Beside the server's own.
    pub(crate) allowed: Arc<Vec<String>>,
    /// Whether the server's own is an `https` one.
    pub(crate) secure: bool,
}

impl Origins {
    /// Those of a server.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self { allowed: settings.allowed_origins.now(), secure: settings.tls.is_some() }
    }

    /// Browsers send an origin where it matters, and cannot forge it; other clients send none.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if !headers.contains_key(header::ORIGIN)
            || single(headers, &header::ORIGIN).is_some_and(|origin| self.allow(origin, headers))
        {
            return Ok(());
        }
        let detail = "Pages of this origin may not connect. The operator can add it to allowed_origins.";
        Err(Problem::http(HttpCode::ForbiddenOrigin, detail))
    }

    /// Whether pages of an origin may connect to the host of these headers.
    pub(crate) fn allow(&self, origin: &str, headers: &HeaderMap) -> bool {
        let scheme = if self.secure { "https" } else { "http" };
        let own = single(headers, &header::HOST).map(|host| format!("{scheme}://{host}"));
        own.as_deref() == Some(origin) || self.allowed.iter().any(|allowed| allowed == origin)
    }
}

#[cfg(test)]
mod tests {
    use axum::http;

    use super::*;

    const GOOD: [(&str, &str); 5] = [
        ("host", "example.org"),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn try_with(
        change: impl FnOnce(&mut Vec<(&'static str, &'static str)>),
    ) -> Result<Request, (u16, &'static str)> {
        let mut headers = GOOD.to_vec();
        change(&mut headers);
        let mut request = http::Request::builder().method("GET").uri("/v1/stream");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let allowed = Arc::new(vec!["https://good.example".to_owned()]);
        let result = check(&parts, &Origins { allowed, secure: false });
        result.map_err(|problem| (problem.status.as_u16(), problem.code))
    }

    fn replace(name: &'static str, value: &'static str) -> Result<Request, (u16, &'static str)> {
        try_with(|headers| headers.iter_mut().filter(|(n, _)| *n == name).for_each(|(_, v)| *v = value))
    }

    fn add(name: &'static str, value: &'static str) -> Result<Request, (u16, &'static str)> {
        try_with(|headers| headers.push((name, value)))
    }

    #[test]
    fn good_ones() {
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned();
        let none = Request { subprotocol: None, token: None, accept, deflate: None };
        assert_eq!(try_with(|_| ()), Ok(none));
        assert!(replace("connection", "keep-alive, UPGRADE").is_ok());
        assert!(
            try_with(|h| {
                h[2].1 = "keep-alive";
                h.push(("connection", "upgrade"));
            })
            .is_ok()
        );
        assert!(add("origin", "http://example.org").is_ok());
        assert!(add("origin", "https://good.example").is_ok());
    }

    #[test]
    fn bad_ones() {
        for name in ["host", "sec-websocket-key"] {
            assert_eq!(try_with(|h| h.retain(|(n, _)| *n != name)), Err((400, "bad_handshake")), "{name}");
        }
        for name in ["upgrade", "connection"] {
            assert_eq!(try_with(|h| h.retain(|(n, _)| *n != name)), Err((426, "upgrade_required")), "{name}");
        }
        assert_eq!(replace("connection", "not-upgrade"), Err((426, "upgrade_required")));
        assert_eq!(replace("upgrade", "websocket2"), Err((426, "upgrade_required")));
        for version in ["", "8", "013", "13, 8"] {
            assert_eq!(
                replace("sec-websocket-version", version),
                Err((426, "unsupported_version")),
                "{version}"
            );
        }
        for key in [
            "",
            "short==",
            "dGhlIHNhbXBsZSBub25jZR==",
            "dGhlIHNhbXBsZSBub25jZ!==",
            "dGhlIHNhbXBsZSBub25jZQAA",
        ] {
            assert_eq!(replace("sec-websocket-key", key), Err((400, "bad_handshake")), "{key}");
        }
        for name in ["host", "sec-websocket-key"] {
            let twice = try_with(|h| h.push((name, "dGhlIHNhbXBsZSBub25jZQ==")));
            assert_eq!(twice, Err((400, "bad_handshake")), "{name}");
        }
        assert_eq!(add("content-length", "0"), Err((400, "bad_handshake")));
        assert_eq!(add("transfer-encoding", "chunked"), Err((400, "bad_handshake")));
    }

    #[test]
    fn origins() {
        for origin in [
            "null",
            "https://example.org",
            "http://example.org:8080",
            "http://example.org.evil.example",
            "http://evil-example.org",
            "https://good.example/path",
            "https://good.example:443",
            "HTTPS://GOOD.EXAMPLE",
        ] {
            assert_eq!(add("origin", origin), Err((403, "forbidden_origin")), "{origin}");
        }
    }

    #[test]
    fn tokens_and_subprotocols() {
        let offer = |value| add("sec-websocket-protocol", value);
        let good = offer("tickwire.v1.json, bearer.a.b.c").unwrap();
        assert_eq!((good.subprotocol, good.token.as_deref()), (Some("tickwire.v1.json"), Some("a.b.c")));
        let packed = |value| offer(value).unwrap().encoding() == Encoding::MessagePack;
        assert!(
            packed("tickwire.v1.msgpack, tickwire.v1.json")
                && !packed("tickwire.v1.json, tickwire.v1.msgpack")
        );
        assert_eq!(offer("bearer.a.b.c"), Err((400, "unknown_subprotocol")));
        assert_eq!(offer("mqtt"), Err((400, "unknown_subprotocol")));
        assert_eq!(add("authorization", "bearer x").unwrap().token.as_deref(), Some("x"));
        for value in ["Basic x", "Bearer", "Bearer ", "x"] {
            assert_eq!(add("authorization", value), Err((401, "token_invalid")), "{value}");
        }
        // The header counts, not a second one smuggled in beside it.
        let both = try_with(|h| h.extend([("authorization", "Bearer a"), ("authorization", "Bearer b")]));
        assert_eq!(both, Err((401, "token_invalid")));
    }

    #[test]
    fn cookies() {
        let brought = |headers: &[(&'static str, &str)]| {
            let headers =
                headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            cookie(&headers.collect(), Some("tw"))
        };
        let of_own_page = |value| brought(&[("cookie", value), ("sec-fetch-site", "same-origin")]);
        assert_eq!(of_own_page("a=b; tw=x.y.z; tw2=no").as_deref(), Some("x.y.z"));
        assert_eq!(of_own_page("tw=\"x\"").as_deref(), Some("x"));
        for none in ["tw=a; tw=b", "tw", "tw=", "TW=x", "other=tw=x"] {
            assert_eq!(of_own_page(none), None, "{none}");
        }
        // What another site makes a browser ask counts for nothing.
        let asked_by = |site| brought(&[("cookie", "tw=x"), ("sec-fetch-site", site)]);
        assert!(["cross-site", "same-site", "none"].map(asked_by).iter().all(Option::is_none));
        assert_eq!(brought(&[("cookie", "tw=x")]), None);
        assert!(brought(&[("cookie", "tw=x"), ("origin", "https://checked.example")]).is_some());
        assert_eq!(cookie(&HeaderMap::new(), None), None);
    }

    #[test]
    fn extensions() {
        let offer = |value| add("sec-websocket-extensions", value).map(|good| good.deflate.is_some());
        assert_eq!(offer("permessage-deflate; client_max_window_bits"), Ok(true));
        assert_eq!(offer("permessage-deflate; server_max_window_bits=8"), Ok(false));
        assert_eq!(offer("x-unknown"), Ok(false));
        for malformed in ["permessage-deflate;", "gr\u{f6}\u{df}e"] {
            assert_eq!(offer(malformed), Err((400, "bad_handshake")), "{malformed}");
        }
    }
}
