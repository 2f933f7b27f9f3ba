//! Bars.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::numbers::Price;
use crate::time::UnixNanos;

/// Length of a bar. Bars start at whole multiples of it since the Unix epoch (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Interval {
    /// One second.
    S1,
    /// One minute.
    M1,
    /// Five minutes.
    M5,
    /// A quarter of an hour.
    M15,
    /// One hour.
    H1,
    /// One day.
    D1,
}

impl Interval {
    /// All intervals, shortest first.
    pub const ALL: [Self; 6] = [Self::S1, Self::M1, Self::M5, Self::M15, Self::H1, Self::D1];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S1 => "1s",
            Self::M1 => "1m",
            Self::M5 => "5m",
            Self::M15 => "15m",
            Self::H1 => "1h",
            Self::D1 => "1d",
        }
    }

    /// Its length in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        let seconds = match self {
            Self::S1 => 1,
            Self::M1 => 60,
            Self::M5 => 300,
            Self::M15 => 900,
            Self::H1 => 3_600,
            Self::D1 => 86_400,
        };
        seconds * 1_000_000_000
    }

    /// The start of the bar that `at` falls into.
    #[must_use]
    pub const fn start_of(self, at: UnixNanos) -> UnixNanos {
        UnixNanos(at.0 - at.0 % self.nanos())
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Interval {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|interval| interval.as_str() == text).ok_or(())
    }
}

/// One bar, as of its last trade. A bar without a trade does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    /// Length of the bar.
    pub interval: Interval,
    /// Its first instant.
    pub start: UnixNanos,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Sum of the sizes.
    #[serde(with = "rust_decimal::serde::str")]
    pub volume: Decimal,
    /// How many trades.
    pub trades: u64,
    /// Whether the bar is over.
    pub closed: bool,
    /// Whether it was told as closed before, and is told anew because a trade came late, was taken back or corrected.
    pub corrected: bool,
}
