//! UTF-8 that comes in pieces: refused at its first bad byte.

use std::str::from_utf8;

/// The part of a character that the next piece goes on with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Utf8 {
    part: [u8; 4],
    len: u8,
}

/// Not UTF-8, however it may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotUtf8;

impl Utf8 {
    /// Appends the characters of the next piece to `text`; the last may stay under way.
    pub(crate) fn push(&mut self, mut piece: &[u8], text: &mut String) -> Result<(), NotUtf8> {
        while let (1.., [byte, rest @ ..]) = (self.len, piece) {
            let part = usize::from(self.len);
            self.part[part] = *byte;
            piece = rest;
            match from_utf8(&self.part[..=part]) {
                Ok(character) => {
                    text.push_str(character);
                    self.len = 0;
                }
                // `None`: only the end is missing, so that there is always room for one byte more.
                Err(error) if error.error_len().is_none() => self.len += 1,
                Err(_) => return Err(NotUtf8),
            }
        }
        match from_utf8(piece) {
            Ok(piece) => text.push_str(piece),
            Err(error) if error.error_len().is_some() => return Err(NotUtf8),
            Err(error) => {
                let (valid, part) = piece.split_at(error.valid_up_to());
                text.push_str(from_utf8(valid).map_err(|_| NotUtf8)?);
                self.part[..part.len()].copy_from_slice(part);
                self.len = part.len().to_le_bytes()[0];
            }
        }
        Ok(())
    }

    /// Bytes of the character under way.
    pub(crate) const fn pending(self) -> usize {
        self.len as usize
    }

    /// That no character is left under way.
    pub(crate) const fn finish(self) -> Result<(), NotUtf8> {
        if self.len == 0 { Ok(()) } else { Err(NotUtf8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes are taken, one at a time, before it is refused; `None` where it is UTF-8.
    fn refused_at(bytes: &[u8]) -> Option<usize> {
        let (mut utf8, mut text) = (Utf8::default(), String::new());
        for (at, byte) in bytes.iter().enumerate() {
            if utf8.push(&[*byte], &mut text).is_err() {
                return Some(at);
            }
        }
        if utf8.finish().is_err() {
            return Some(bytes.len());
        }
        assert_eq!(text.as_bytes(), bytes);
        None
    }

    #[test]
    fn the_first_bad_byte_is_the_last() {
        for (bytes, at) in [
            (&b""[..], None),
            ("κόσμε ∀ \u{10ffff}".as_bytes(), None),
            (b"\xff", Some(0)),
            (b"\xc0\xaf", Some(0)),
            (b"\x80", Some(0)),
            (b"\xc3", Some(1)),
            (b"\xc3\x28", Some(1)),
            (b"\xe2\x82", Some(2)),
            (b"\xe0\x80", Some(1)),
            (b"\xed\xa0\x80", Some(1)),
            (b"\xf0\x80", Some(1)),
            (b"\xf4\x90\x80\x80", Some(1)),
            (b"\xf4\x8f\xbf", Some(3)),
            (b"\xf4\x8f\xbfx", Some(3)),
            (b"\xf5", Some(0)),
            (b"ok \xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80", Some(15)),
        ] {
            assert_eq!(refused_at(bytes), at, "{bytes:x?}");
        }
    }

    #[test]
    fn any_cut_is_as_good_as_none() {
        for bytes in ["aß∀\u{10ffff}z".as_bytes(), b"\xe2\x82\xac\xed\xa0\x80", b"ab\xf0\x9f\x98"] {
            let whole = std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| NotUtf8);
            for first in 0..=bytes.len() {
                for second in first..=bytes.len() {
                    let (mut utf8, mut text) = (Utf8::default(), String::new());
                    let cut = utf8
                        .push(&bytes[..first], &mut text)
                        .and_then(|()| utf8.push(&bytes[first..second], &mut text))
                        .and_then(|()| utf8.push(&bytes[second..], &mut text))
                        .and_then(|()| utf8.finish())
                        .map(|()| text);
                    assert_eq!(cut, whole, "{bytes:x?} at {first}, {second}");
                }
            }
        }
    }
}
