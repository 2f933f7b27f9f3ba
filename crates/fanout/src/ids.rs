//! Names of things as small numbers.

use model::{Body, Channel, Interval};

/// A session of this shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) usize);

impl SessionId {
    /// A small number, unique among the sessions that are open.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// A symbol, numbered in the order of listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolId(pub(crate) u32);

impl SymbolId {
    /// Its number, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One of a symbol's streams: a channel, for candles with an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Executions.
    Trades,
    /// Best bid and offer.
    Quotes,
    /// 24-hour totals.
    Ticker,
    /// Price levels.
    Book,
    /// States.
    Status,
    /// Bars.
    Candles(Interval),
}

impl Stream {
    /// How many a symbol has.
    pub(crate) const COUNT: u32 = Self::Candles(Interval::D1).slot() + 1;

    /// The stream of a channel; `interval` counts for candles only.
    #[must_use]
    pub const fn new(channel: Channel, interval: Interval) -> Self {
        match channel {
            Channel::Trades => Self::Trades,
            Channel::Quotes => Self::Quotes,
            Channel::Ticker => Self::Ticker,
            Channel::Book => Self::Book,
            Channel::Status => Self::Status,
            Channel::Candles => Self::Candles(interval),
        }
    }

    pub(crate) const fn of(body: &Body) -> Self {
        match body {
            Body::Candle(candle) => Self::Candles(candle.interval),
            other => Self::new(other.channel(), Interval::M1),
        }
    }

    /// Its channel.
    #[must_use]
    pub const fn channel(self) -> Channel {
        match self {
            Self::Trades => Channel::Trades,
            Self::Quotes => Channel::Quotes,
            Self::Ticker => Channel::Ticker,
            Self::Book => Channel::Book,
            Self::Status => Channel::Status,
            Self::Candles(_) => Channel::Candles,
        }
    }

    /// Its interval, for candles.
    #[must_use]
    pub const fn interval(self) -> Option<Interval> {
        match self {
            Self::Candles(interval) => Some(interval),
            _ => None,
        }
    }

    const fn slot(self) -> u32 {
        match self {
            Self::Trades => 0,
            Self::Quotes => 1,
            Self::Ticker => 2,
            Self::Book => 3,
            Self::Status => 4,
            Self::Candles(interval) => 5 + interval as u32,
        }
    }
}

/// One stream of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId {
    /// The symbol.
    pub symbol: SymbolId,
    /// Which of its streams.
    pub stream: Stream,
}

impl TopicId {
    pub(crate) const fn index(self) -> usize {
        (self.symbol.0 * Stream::COUNT + self.stream.slot()) as usize
    }
}
