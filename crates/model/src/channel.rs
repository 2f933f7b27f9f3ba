//! The kinds of streams a client can ask for.

use std::fmt;
use std::str::FromStr;

/// A kind of stream; with a symbol (and for candles an interval) it names one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Every execution.
    Trades,
    /// Best bid and offer.
    Quotes,
    /// Last price, best bid and offer, and the totals of 24 hours.
    Ticker,
    /// Price levels (L2).
    Book,
    /// Bars of open, high, low, close and volume.
    Candles,
    /// Whether the symbol trades and whether its data can be trusted.
    Status,
}

/// A text that names no channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown channel; known are trades, quotes, ticker, book, candles and status")]
pub struct UnknownChannel;

impl Channel {
    /// All channels, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Trades, Self::Quotes, Self::Ticker, Self::Book, Self::Candles, Self::Status];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::Quotes => "quotes",
            Self::Ticker => "ticker",
            Self::Book => "book",
            Self::Candles => "candles",
            Self::Status => "status",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text).ok_or(UnknownChannel)
    }
}
