//! Close codes and the payload of close frames (RFC 6455, 7.4).

use crate::Fault;

/// Whether a peer may put this code into a close frame.
///
/// What is reserved (1004), stands for the absence of a frame (1005, 1006, 1015) or is assigned to
/// nobody may not be on the wire. 3000 and above belong to libraries and applications.
const fn is_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The code in a close frame's payload; `None` where there is no payload.
pub(crate) fn parse(payload: &[u8]) -> Result<Option<u16>, Fault> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(Fault::CloseTooShort),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !is_close_code(code) {
        return Err(Fault::CloseCode(code));
    }
    std::str::from_utf8(reason).map_err(|_| Fault::NotUtf8)?;
    Ok(Some(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        for (codes, good) in [
            (0..=999, false),
            (1000..=1003, true),
            (1004..=1006, false),
            (1007..=1014, true),
            (1015..=2999, false),
            (3000..=4999, true),
            (5000..=u16::MAX, false),
        ] {
            for code in codes {
                assert_eq!(is_close_code(code), good, "{code}");
                let expected = if good { Ok(Some(code)) } else { Err(Fault::CloseCode(code)) };
                assert_eq!(parse(&code.to_be_bytes()), expected, "{code}");
            }
        }
    }

    #[test]
    fn payloads() {
        assert_eq!(parse(b""), Ok(None));
        assert_eq!(parse(b"\x03"), Err(Fault::CloseTooShort));
        assert_eq!(parse("\u{3}\u{e8}gut, tschüß".as_bytes()), Err(Fault::CloseCode(0x03c3)));
        assert_eq!(parse(&[b"\x03\xe8", "gut, tschüß".as_bytes()].concat()), Ok(Some(1000)));
        assert_eq!(parse(b"\x03\xe8\xff"), Err(Fault::NotUtf8));
        assert_eq!(parse(b"\x03\xe8\xe2\x82"), Err(Fault::NotUtf8), "half a character");
    }
}
