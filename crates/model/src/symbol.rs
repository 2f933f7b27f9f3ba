//! The name of an instrument, in our form.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::SYMBOL_BYTES_MAX;

/// An instrument's name in our form: `BTC-USD`, `BTC-USDT-PERP`, `AAPL`.
///
/// Upper-case ASCII letters, digits and `- . _ : /`, a letter or digit first, at most
/// [`SYMBOL_BYTES_MAX`] bytes. ASCII only, so that no look-alike letter makes a second `BTC-USD`.
/// Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Box<str>")]
pub struct Symbol(Arc<str>);

/// Why a text is not a [`Symbol`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SymbolError {
    /// No text at all.
    #[error("symbol is empty")]
    Empty,
    /// Longer than [`SYMBOL_BYTES_MAX`].
    #[error("symbol is {len} bytes, at most {SYMBOL_BYTES_MAX} fit")]
    TooLong {
        /// Length of the text, in bytes.
        len: usize,
    },
    /// A character outside the grammar.
    #[error("symbol has {found:?} at byte {at}; letters A-Z, digits and - . _ : / are possible")]
    Character {
        /// The character that does not fit.
        found: char,
        /// Its offset in bytes.
        at: usize,
    },
}

impl Symbol {
    /// The only door: a `Symbol` that exists is valid everywhere.
    ///
    /// # Errors
    /// Says what in the text is outside the grammar.
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        if text.is_empty() {
            return Err(SymbolError::Empty);
        }
        if text.len() > SYMBOL_BYTES_MAX {
            return Err(SymbolError::TooLong { len: text.len() });
        }
        let fits = |at: usize, c: char| {
            c.is_ascii_uppercase()
                || c.is_ascii_digit()
                || (at > 0 && matches!(c, '-' | '.' | '_' | ':' | '/'))
        };
        match text.char_indices().find(|&(at, c)| !fits(at, c)) {
            Some((at, found)) => Err(SymbolError::Character { found, at }),
            None => Ok(Self(text.into())),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<Box<str>> for Symbol {
    type Error = SymbolError;

    fn try_from(text: Box<str>) -> Result<Self, SymbolError> {
        Self::parse(&text)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Symbol {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_our_form_only() {
        for text in ["BTC-USD", "BTC-USDT-PERP", "BRK.B", "1INCH-USD", "BTC-USD-220527"] {
            assert_eq!(Symbol::parse(text).map(|s| s.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Symbol::parse(""), Err(SymbolError::Empty));
        assert_eq!(Symbol::parse("btc"), Err(SymbolError::Character { found: 'b', at: 0 }));
        assert_eq!(Symbol::parse("-A"), Err(SymbolError::Character { found: '-', at: 0 }));
        assert_eq!(Symbol::parse("BTC-*"), Err(SymbolError::Character { found: '*', at: 4 }));
        // Cyrillic letters that look like "BTC".
        assert_eq!(Symbol::parse("ВТС-USD"), Err(SymbolError::Character { found: 'В', at: 0 }));
        let long = "A".repeat(SYMBOL_BYTES_MAX + 1);
        assert_eq!(Symbol::parse(&long), Err(SymbolError::TooLong { len: SYMBOL_BYTES_MAX + 1 }));
    }
}
