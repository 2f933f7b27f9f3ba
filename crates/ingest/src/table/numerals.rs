//! How a file writes its numbers, where that is not how we do: `1.234,50`, `+7`, `.5`, `5.`.

use model::{DecimalError, decimal};
use rust_decimal::Decimal;
use serde::Deserialize;

/// The marks in the numbers of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numerals {
    /// Before the decimals.
    pub(super) point: u8,
    /// Between groups of three digits, where there are such.
    pub(super) group: Option<u8>,
}

/// A mark in numbers, as a mapping writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Box<str>")]
pub(super) struct Mark(u8);

impl TryFrom<Box<str>> for Mark {
    type Error = &'static str;

    fn try_from(text: Box<str>) -> Result<Self, Self::Error> {
        match text.as_bytes() {
            [byte @ (b'.' | b',' | b'\'' | b' ' | b'_')] => Ok(Self(*byte)),
            _ => Err("a mark in numbers is \".\", \",\", \"'\", \" \" or \"_\""),
        }
    }
}

impl Default for Numerals {
    fn default() -> Self {
        Self { point: b'.', group: None }
    }
}

impl Numerals {
    /// What a mapping says; or why that cannot be.
    pub(super) fn new(point: Option<Mark>, group: Option<Mark>) -> Result<Self, &'static str> {
        let (point, group) = (point.map_or(b'.', |mark| mark.0), group.map(|mark| mark.0));
        if !matches!(point, b'.' | b',') {
            return Err("point is \".\" or \",\"");
        }
        if group == Some(point) {
            return Err("point and group cannot be the same");
        }
        Ok(Self { point, group })
    }

    /// The value of a number that is written so.
    pub(super) fn read(self, cell: &[u8]) -> Result<Decimal, DecimalError> {
        if self == Self::default() {
            return decimal::parse_bytes(cell).or_else(|error| self.rewritten(cell).ok_or(error));
        }
        self.rewritten(cell)
            .ok_or_else(|| decimal::parse_bytes(cell).err().unwrap_or(DecimalError::Malformed { at: 0 }))
    }

    /// The value of a number as we would write it; `None` where it is none.
    fn rewritten(self, cell: &[u8]) -> Option<Decimal> {
        let (sign, digits) = match cell {
            [b'-', digits @ ..] => (&b"-"[..], digits),
            [b'+', digits @ ..] | digits => (&b""[..], digits),
        };
        let end = digits.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(digits.len());
        let (digits, exponent) = digits.split_at(end);
        let (whole, part) = match digits.iter().position(|&byte| byte == self.point) {
            Some(at) => (&digits[..at], &digits[at + 1..]),
            None => (digits, &b""[..]),
        };
        if whole.is_empty() && part.is_empty() {
            return None;
        }
        let mut text = sign.to_vec();
        self.join(whole, &mut text)?;
        if !part.is_empty() {
            text.push(b'.');
            text.extend_from_slice(part);
        }
        text.extend_from_slice(exponent);
        decimal::parse_bytes(&text).ok()
    }

    /// Appends whole digits without the marks between their groups.
    fn join(self, whole: &[u8], text: &mut Vec<u8>) -> Option<()> {
        let groups: Vec<_> = whole.split(|&byte| Some(byte) == self.group).collect();
        if !groups.iter().all(|group| group.iter().all(u8::is_ascii_digit)) {
            return None;
        }
        let grouped = groups.len() > 1;
        if grouped && (groups[0].is_empty() || groups[1..].iter().any(|group| group.len() != 3)) {
            return None;
        }
        if whole.is_empty() {
            text.push(b'0');
        }
        text.extend(groups.concat());
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(point: u8, group: Option<u8>, cell: &str) -> Option<String> {
        Numerals { point, group }.read(cell.as_bytes()).ok().map(|value| value.to_string())
    }

    #[test]
    fn numbers_as_others_write_them() {
        for (point, group, cell, wanted) in [
            (b'.', None, "1.50", Some("1.50")),
            (b'.', None, "+1.50", Some("1.50")),
            (b'.', None, ".5", Some("0.5")),
            (b'.', None, "-.5", Some("-0.5")),
            (b'.', None, "5.", Some("5")),
            (b'.', None, "1.5e-3", Some("0.0015")),
            (b'.', None, "5.E2", Some("500")),
            (b'.', None, ".", None),
            (b'.', None, "", None),
            (b'.', None, "1,5", None),
            (b'.', None, "1.5.0", None),
            (b',', None, "1,50", Some("1.50")),
            (b',', None, "7", Some("7")),
            (b',', None, "1.50", None),
            (b',', Some(b'.'), "1.234.567,8", Some("1234567.8")),
            (b',', Some(b'.'), "1.234", Some("1234")),
            (b',', Some(b'.'), "1.23", None),
            (b'.', Some(b','), "-1,234.5", Some("-1234.5")),
            (b'.', Some(b','), "1234.5", Some("1234.5")),
            (b'.', Some(b','), "1,2345", None),
            (b'.', Some(b','), ",234", None),
            (b'.', Some(b'\''), "1'234.50", Some("1234.50")),
        ] {
            assert_eq!(read(point, group, cell).as_deref(), wanted, "{cell}");
        }
    }

    #[test]
    fn marks_are_held_apart() {
        let mark = |text: &str| Mark::try_from(Box::<str>::from(text)).ok();
        assert!(Numerals::new(mark(","), mark(",")).is_err());
        assert!(Numerals::new(mark("'"), None).is_err());
        assert!(mark("ab").is_none() && mark("1").is_none());
    }
}
