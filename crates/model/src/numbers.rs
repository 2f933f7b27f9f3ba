//! Prices, sizes and sequence numbers as types, so that none is passed for another.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::decimal::{self, DecimalError};

/// Price of one unit, in the instrument's quote currency. Exact; may be negative (spreads).
///
/// Equal prices of different scale (`1.0`, `1.00`) compare equal; each keeps its own digits.
#[derive(Clone, Copy, Debug, Eq, Serialize, Deserialize)]
pub struct Price(#[serde(with = "rust_decimal::serde::str")] Decimal);

/// Amount of the base currency, contracts or shares. Exact, zero or more.
#[derive(Clone, Copy, Debug, Eq, Serialize, Deserialize)]
#[serde(try_from = "Price")]
pub struct Size(#[serde(with = "rust_decimal::serde::str")] Decimal);

impl Price {
    /// The price a venue wrote, digit for digit.
    ///
    /// # Errors
    /// See [`decimal::parse`].
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        decimal::parse(text).map(Self)
    }

    /// A price from its value.
    #[must_use]
    pub const fn new(value: Decimal) -> Self {
        Self(value)
    }

    /// The exact value, with its scale.
    #[must_use]
    pub const fn value(self) -> Decimal {
        self.0
    }
}

impl Size {
    /// No size at all: as the size of a level, its removal.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The size a venue wrote, digit for digit.
    ///
    /// # Errors
    /// [`DecimalError::Negative`] below zero, else see [`decimal::parse`].
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        decimal::parse(text).and_then(Self::new)
    }

    /// A size from its value.
    ///
    /// # Errors
    /// [`DecimalError::Negative`] below zero.
    pub fn new(value: Decimal) -> Result<Self, DecimalError> {
        if value.is_sign_negative() && !value.is_zero() {
            return Err(DecimalError::Negative);
        }
        Ok(Self(value))
    }

    /// The exact value, with its scale.
    #[must_use]
    pub const fn value(self) -> Decimal {
        self.0
    }

    /// Whether this is nothing: in a book change, whether the level goes away.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

/// By value: books compare prices all the time.
macro_rules! compared {
    ($($number:ty),+) => { $(
        impl Ord for $number {
            #[inline]
            fn cmp(&self, other: &Self) -> Ordering {
                decimal::order(self.0, other.0)
            }
        }

        impl PartialOrd for $number {
            #[inline]
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl PartialEq for $number {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other) == Ordering::Equal
            }
        }

        impl Hash for $number {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }
    )+ };
}

compared!(Price, Size);

/// So many whole units.
impl From<u64> for Size {
    fn from(units: u64) -> Self {
        Self(Decimal::from(units))
    }
}

/// A stored size is held to the same rule as one that is made.
impl TryFrom<Price> for Size {
    type Error = DecimalError;

    fn try_from(stored: Price) -> Result<Self, DecimalError> {
        Self::new(stored.0)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Position in one stream: the first event is 1, the next is +1, with no holes; 0 is "before the first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first event of a stream.
    pub const START: Self = Self(0);

    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The position before this one (the start has none before it and stays).
    #[must_use]
    pub const fn prev(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// How many events lie after `earlier`, up to and with this one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_never_negative() {
        assert_eq!(Size::parse("-0.1"), Err(DecimalError::Negative));
        assert_eq!(Size::parse("0.000").map(Size::is_zero), Ok(true));
        assert_eq!(Price::parse("-0.1").map(|p| p.to_string()), Ok("-0.1".to_owned()));
    }

    #[test]
    fn scale_is_shown_but_not_compared() {
        let (short, long) = (Price::parse("1.0").unwrap(), Price::parse("1.00").unwrap());
        assert_eq!(short, long);
        assert_ne!(short.to_string(), long.to_string());
    }
}
