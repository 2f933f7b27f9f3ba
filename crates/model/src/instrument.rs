//! What is traded, and where.

use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::symbol::Symbol;

/// A market that lists instruments; several markets of one exchange are several venues
/// (`binance`, `binance-usdm`, `binance-coinm`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Venue(Arc<str>);

impl Venue {
    /// A venue by its name: lower case, dashes.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One tradable thing at one venue. (`venue`, `venue_symbol`) is unique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// The name in our form.
    pub symbol: Symbol,
    /// Where it trades.
    pub venue: Venue,
    /// The name exactly as the venue writes it.
    pub venue_symbol: Box<str>,
    /// Smallest step of a price, where known.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub tick_size: Option<Decimal>,
    /// Smallest step of a size, where known.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub lot_size: Option<Decimal>,
}

impl Instrument {
    /// An instrument of which only the names are known.
    #[must_use]
    pub fn named(symbol: Symbol, venue: Venue, venue_symbol: &str) -> Self {
        Self { symbol, venue, venue_symbol: venue_symbol.into(), tick_size: None, lot_size: None }
    }
}
