//! Globs over symbols: `*`, `BTC-*`, `*-USD`.

use std::fmt;

use crate::limits::PATTERN_BYTES_MAX;
use crate::symbol::Symbol;

/// A symbol or a glob over symbols, in which `*` stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(Box<str>);

/// Why a text is not a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// No text at all.
    #[error("symbol is empty")]
    Empty,
    /// Longer than [`PATTERN_BYTES_MAX`].
    #[error("symbol pattern is {len} bytes, at most {PATTERN_BYTES_MAX} fit")]
    TooLong {
        /// Length of the text, in bytes.
        len: usize,
    },
}

impl Pattern {
    /// A pattern from its text. Any characters are possible: what no symbol can match matches nothing.
    ///
    /// # Errors
    /// Empty or longer than [`PATTERN_BYTES_MAX`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        match text.len() {
            0 => Err(PatternError::Empty),
            len if len > PATTERN_BYTES_MAX => Err(PatternError::TooLong { len }),
            _ => Ok(Self(text.into())),
        }
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this stands for several symbols, also for such as are listed later.
    #[must_use]
    pub fn is_glob(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether `symbol` is meant. Cost: at most one pass over the symbol for each `*`.
    #[must_use]
    pub fn matches(&self, symbol: &Symbol) -> bool {
        self.matches_text(symbol.as_str())
    }

    /// Whether every symbol that `other` stands for is meant.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        // No letter of a pattern is met by a `*` of the other, so those have to fall to our own.
        self.matches_text(&other.0)
    }

    fn matches_text(&self, text: &str) -> bool {
        let mut rest = text;
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(after) = rest.strip_prefix(first) else { return false };
        if !self.is_glob() {
            return after.is_empty();
        }
        rest = after;
        let mut last = "";
        // Leftmost matches for all inner parts leave the most room for the last one.
        for part in parts {
            let Some(found) = rest.find(last) else { return false };
            rest = &rest[found + last.len()..];
            last = part;
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, symbol: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(&Symbol::parse(symbol).unwrap())
    }

    #[test]
    fn globs() {
        for (pattern, yes, no) in [
            ("*", "BTC-USD", ""),
            ("BTC-*", "BTC-USD", "ETH-BTC-"),
            ("*-USD", "BTC-USD", "BTC-USDT"),
            ("BTC-USD", "BTC-USD", "BTC-USDT"),
            ("B*-*D", "BTC-USD", "BTC-EUR"),
            ("A*A", "ABA", "A"),
            ("**", "A", ""),
        ] {
            assert!(matches(pattern, yes), "{pattern} {yes}");
            assert!(no.is_empty() || !matches(pattern, no), "{pattern} {no}");
        }
        assert!(!matches("A*A", "A"));
    }

    #[test]
    fn bounds() {
        assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
        let long = "*".repeat(PATTERN_BYTES_MAX + 1);
        assert_eq!(Pattern::parse(&long), Err(PatternError::TooLong { len: PATTERN_BYTES_MAX + 1 }));
    }

    /// The textbook definition, exponential and obvious.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), None) => naive(rest, text),
            (Some((b'*', rest)), Some((_, tail))) => naive(rest, text) || naive(pattern, tail),
            (Some((p, rest)), Some((t, tail))) => p == t && naive(rest, tail),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[AB*]{1,7}", symbol in "[AB]{1,8}") {
            prop_assert_eq!(matches(&pattern, &symbol), naive(pattern.as_bytes(), symbol.as_bytes()));
        }
    }
}
