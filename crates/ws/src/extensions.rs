//! The offers of extensions (RFC 6455, 9.1) and the answer to them (RFC 7692, 7.1).

use std::fmt;

use crate::WindowBits;

/// Compression as it was negotiated; displayed, the value of `Sec-WebSocket-Extensions`.
///
/// Neither side keeps its window from message to message, so that a frame is good for every receiver
/// and an idle connection keeps nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// The largest window that the client reads, where it said so.
    asked: Option<WindowBits>,
}

impl Deflate {
    /// The window to compress with.
    #[must_use]
    pub fn window(self) -> WindowBits {
        self.asked.unwrap_or(WindowBits::MAX)
    }
}

impl fmt::Display for Deflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("permessage-deflate; server_no_context_takeover; client_no_context_takeover")?;
        // Nothing is said of the client's window: whatever it is, the largest one reads it.
        self.asked.map_or(Ok(()), |window| write!(f, "; server_max_window_bits={}", window.bits()))
    }
}

/// A header that is not what RFC 6455, 9.1 says it is: the handshake fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Sec-WebSocket-Extensions is malformed")]
pub struct Malformed;

/// Picks the first acceptable offer of compression out of the lines of `Sec-WebSocket-Extensions`.
///
/// # Errors
/// A line that breaks the grammar. An offer that is only unknown or unacceptable is passed over.
pub fn negotiate<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Option<Deflate>, Malformed> {
    let mut chosen = None;
    for line in lines {
        let mut rest = Cursor(line);
        loop {
            rest.skip_spaces();
            // RFC 9110, 5.6.1: empty elements of a list are no elements.
            if rest.0.is_empty() {
                break;
            }
            if rest.eat(',') {
                continue;
            }
            let offer = rest.offer()?;
            chosen = chosen.or(offer);
            rest.skip_spaces();
            if !rest.0.is_empty() && !rest.eat(',') {
                return Err(Malformed);
            }
        }
    }
    Ok(chosen)
}

/// What is left of a line.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    /// An extension with its parameters; `None` where it is not one that can be accepted.
    fn offer(&mut self) -> Result<Option<Deflate>, Malformed> {
        let name = self.token()?;
        let mut offer = Offer::default();
        let mut good = name.eq_ignore_ascii_case("permessage-deflate");
        loop {
            self.skip_spaces();
            if !self.eat(';') {
                break;
            }
            self.skip_spaces();
            let name = self.token()?;
            self.skip_spaces();
            let value = if self.eat('=') { Some(self.value()?) } else { None };
            good = good && offer.take(name, value.as_deref());
        }
        Ok(good.then_some(Deflate { asked: offer.server_window }))
    }

    fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        let end = self.0.bytes().position(|byte| !is_token(byte)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        if token.is_empty() { Err(Malformed) } else { Ok(token) }
    }

    /// A token, or a quoted string that is one once its escapes are resolved.
    fn value(&mut self) -> Result<String, Malformed> {
        self.skip_spaces();
        if !self.eat('"') {
            return self.token().map(str::to_owned);
        }
        let (mut value, mut letters) = (String::new(), self.0.char_indices());
        while let Some((at, letter)) = letters.next() {
            let letter = match letter {
                '"' if value.is_empty() => return Err(Malformed),
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Ok(value);
                }
                '\\' => letters.next().ok_or(Malformed)?.1,
                letter => letter,
            };
            if !u8::try_from(letter).is_ok_and(is_token) {
                return Err(Malformed);
            }
            value.push(letter);
        }
        Err(Malformed)
    }
}

/// RFC 9110, 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// The parameters of one offer, each at most once.
#[derive(Default)]
struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    client_max_window_bits: bool,
    server_window: Option<WindowBits>,
}

impl Offer {
    /// Whether the offer is still acceptable with this parameter.
    fn take(&mut self, name: &str, value: Option<&str>) -> bool {
        match (name, value) {
            ("server_no_context_takeover", None) => {
                !std::mem::replace(&mut self.server_no_context_takeover, true)
            }
            ("client_no_context_takeover", None) => {
                !std::mem::replace(&mut self.client_no_context_takeover, true)
            }
            // A hint, with or without a value: the largest window reads what any has made.
            ("client_max_window_bits", value) => {
                value.is_none_or(|value| bits(value).is_some())
                    && !std::mem::replace(&mut self.client_max_window_bits, true)
            }
            ("server_max_window_bits", Some(value)) => {
                let window = bits(value).and_then(WindowBits::new);
                window.is_some() && self.server_window.replace(window.unwrap_or(WindowBits::MAX)).is_none()
            }
            _ => false,
        }
    }
}

/// 8 to 15, in decimal without leading zeros.
fn bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits| matches!(bits, 8..=15))?;
    (bits.to_string() == value).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer to one line: parameters beside the two that always stand, or why there is none.
    fn check(line: &str, expected: &str) {
        let answer = match negotiate([line]) {
            Err(Malformed) => "malformed".to_owned(),
            Ok(None) => "none".to_owned(),
            Ok(Some(deflate)) => {
                let answer = deflate.to_string();
                let always = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
                answer.strip_prefix(always).unwrap().to_owned()
            }
        };
        assert_eq!(answer, expected, "{line}");
    }

    #[test]
    fn offers() {
        check("permessage-deflate", "");
        check("Permessage-Deflate", "");
        check("permessage-deflate; client_max_window_bits", "");
        check("permessage-deflate;client_max_window_bits=8;server_no_context_takeover", "");
        check("permessage-deflate; server_max_window_bits=10", "; server_max_window_bits=10");
        check("permessage-deflate; server_max_window_bits=\"1\\0\"", "; server_max_window_bits=10");
        check("permessage-deflate ;\tserver_max_window_bits = 15 ", "; server_max_window_bits=15");
        check("x-webkit-deflate-frame, permessage-deflate; client_no_context_takeover", "");
        check("foo; a=1; b=\"c\", , permessage-deflate,", "");
        check("", "none");
        check("foo", "none");
    }

    #[test]
    fn an_unacceptable_offer_makes_way_for_the_next() {
        for parameters in [
            "unknown",
            "server_max_window_bits",
            "server_max_window_bits=8",
            "server_max_window_bits=16",
            "server_max_window_bits=010",
            "server_max_window_bits=+9",
            "server_max_window_bits=9; server_max_window_bits=9",
            "client_max_window_bits=7",
            "client_max_window_bits; client_max_window_bits",
            "server_no_context_takeover=1",
            "server_no_context_takeover; server_no_context_takeover",
            "client_no_context_takeover; client_no_context_takeover",
            "client_no_context_takeover=true",
        ] {
            check(&format!("permessage-deflate; {parameters}"), "none");
            let two =
                format!("permessage-deflate; {parameters}, permessage-deflate; server_max_window_bits=12");
            check(&two, "; server_max_window_bits=12");
        }
        let first = "permessage-deflate; server_max_window_bits=9, permessage-deflate";
        check(first, "; server_max_window_bits=9");
        assert_eq!(negotiate(["foo", "permessage-deflate"]), negotiate(["permessage-deflate"]));
    }

    #[test]
    fn what_breaks_the_grammar() {
        for line in [
            ";",
            "permessage-deflate;",
            "permessage-deflate; =9",
            "permessage-deflate; server_max_window_bits=",
            "permessage-deflate; server_max_window_bits=\"",
            "permessage-deflate; server_max_window_bits=\"\"",
            "permessage-deflate; server_max_window_bits=\"1 0\"",
            "permessage-deflate; server_max_window_bits=\"10\\",
            "permessage-deflate foo",
            "permessage-deflate; a=\"b\"c",
            "permessage-deflate, \"foo\"",
            "permessage(deflate)",
            "größe",
            "permessage-deflate; x=\"ä\"",
        ] {
            check(line, "malformed");
        }
    }
}
