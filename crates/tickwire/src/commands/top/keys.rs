//! What is typed.

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    /// Ctrl-C, or nobody types any more.
    Quit,
}

/// The keys in what a terminal has sent; what is no key is passed over. What is left is the beginning of one.
pub(super) fn keys(bytes: &[u8]) -> (Vec<Key>, Vec<u8>) {
    let mut keys = Vec::new();
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let taken = match first {
            3 => Some((Key::Quit, 1)),
            b'\r' | b'\n' => Some((Key::Enter, 1)),
            b'\t' => Some((Key::Tab, 1)),
            8 | 127 => Some((Key::Backspace, 1)),
            27 => match sequence(after) {
                Sequence::None => Some((Key::Escape, 1)),
                Sequence::Part => return (keys, rest.to_vec()),
                Sequence::Known(key, length) => Some((key, length + 1)),
                Sequence::Unknown(length) => {
                    rest = &rest[length + 1..];
                    continue;
                }
            },
            0..32 => None,
            _ => match letter(rest) {
                Ok(letter) => Some((Key::Char(letter), letter.len_utf8())),
                Err(true) => return (keys, rest.to_vec()),
                Err(false) => None,
            },
        };
        keys.extend(taken.map(|(key, _)| key));
        rest = &rest[taken.map_or(1, |(_, length)| length)..];
    }
    (keys, Vec::new())
}

/// The letter at the front; otherwise whether there may be one once more has come.
fn letter(bytes: &[u8]) -> Result<char, bool> {
    let front = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(front) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            std::str::from_utf8(&front[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(error) => return Err(error.error_len().is_none()),
    };
    valid.chars().next().ok_or(false)
}

enum Sequence {
    /// It was the key itself.
    None,
    Part,
    Known(Key, usize),
    Unknown(usize),
}

/// What stands behind an escape: `[` or `O`, parameters, a letter or a tilde.
fn sequence(bytes: &[u8]) -> Sequence {
    let Some(b'[' | b'O') = bytes.first() else { return Sequence::None };
    let Some(end) = bytes.iter().skip(1).position(|byte| (0x40..=0x7e).contains(byte)) else {
        return if bytes.len() < 16 { Sequence::Part } else { Sequence::Unknown(bytes.len()) };
    };
    let length = end + 2;
    let key = match &bytes[1..length] {
        b"A" => Key::Up,
        b"B" => Key::Down,
        b"C" => Key::Right,
        b"D" => Key::Left,
        b"Z" => Key::BackTab,
        b"H" | b"1~" | b"7~" => Key::Home,
        b"F" | b"4~" | b"8~" => Key::End,
        b"5~" => Key::PageUp,
        b"6~" => Key::PageDown,
        _ => return Sequence::Unknown(length),
    };
    Sequence::Known(key, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart() {
        let (found, rest) = keys(b"q\x1b[A\x1bOB\x1b[1;5C\x1b[5~/\xc3\xa9\r\x7f\x03\x1b");
        let expected = [
            Key::Char('q'),
            Key::Up,
            Key::Down,
            Key::PageUp,
            Key::Char('/'),
            Key::Char('é'),
            Key::Enter,
            Key::Backspace,
            Key::Quit,
            Key::Escape,
        ];
        assert_eq!((found.as_slice(), rest.as_slice()), (expected.as_slice(), &b""[..]));
    }

    #[test]
    fn what_is_cut_waits_for_the_rest() {
        for (part, rest, key) in [("\x1b[", "6~", Key::PageDown), ("\x1b[1", "~", Key::Home)] {
            let (none, kept) = keys(part.as_bytes());
            assert_eq!(none, []);
            assert_eq!(keys(&[kept, rest.into()].concat()).0, [key]);
        }
        assert_eq!(keys(b"\xc3"), (Vec::new(), b"\xc3".to_vec()));
        assert_eq!(keys(b"\xff\x01x"), (vec![Key::Char('x')], Vec::new()));
    }
}
