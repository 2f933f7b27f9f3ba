//! Ticks: any event of a symbol, as a feed handler hands it on.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::book::{Level, Levels};
use crate::candle::Candle;
use crate::channel::Channel;
use crate::correction::Correction;
use crate::decimal;
use crate::gap::FeedGap;
use crate::instrument::Instrument;
use crate::numbers::{Price, Seq, Size};
use crate::status::StatusChange;
use crate::symbol::Symbol;
use crate::time::UnixNanos;

/// Decimals of a change in per cent: it is a ratio, so it cannot be exact and is rounded.
const PERCENT_DECIMALS: u32 = 4;

/// An event of one instrument, normalised but not yet sequenced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// What it is about.
    pub instrument: Arc<Instrument>,
    /// The venue's time of the event; absent where the venue gives none.
    pub ts_event: Option<UnixNanos>,
    /// When the venue sent it, where it says that besides the time of the event.
    pub ts_source: Option<UnixNanos>,
    /// When we received it; absent where the recording does not say.
    pub ts_recv: Option<UnixNanos>,
    /// What happened.
    pub body: Body,
}

/// A tick in its place: sequenced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What it is about.
    pub instrument: Arc<Instrument>,
    /// Its place in its stream, without holes.
    pub seq: Seq,
    /// Its place in the node's total order.
    pub position: u64,
    /// The venue's time; where it gives none, the time of receipt.
    pub ts_event: UnixNanos,
    /// When the venue sent it, where it says that besides the time of the event.
    pub ts_source: Option<UnixNanos>,
    /// When it was received; never before the one before it in the stream.
    pub ts_recv: UnixNanos,
    /// What happened.
    pub body: Body,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// An execution, as it happened.
    Trade(Trade),
    /// An execution from before the subscription, repeated by the venue at its start. Never counted.
    OldTrade(Trade),
    /// An execution is taken back, or said anew.
    Correction(Box<Correction>),
    /// The best bid and offer after a change.
    Quote(Quote),
    /// The totals of 24 hours.
    Ticker(Box<Ticker>),
    /// The book changes.
    Book(BookChange),
    /// A bar changes or closes.
    Candle(Box<Candle>),
    /// The symbol enters a state.
    Status(Box<StatusChange>),
}

impl Body {
    /// The channel this belongs to.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Trade(_) | Self::OldTrade(_) | Self::Correction(_) => Channel::Trades,
            Self::Quote(_) => Channel::Quotes,
            Self::Ticker(_) => Channel::Ticker,
            Self::Book(_) => Channel::Book,
            Self::Candle(_) => Channel::Candles,
            Self::Status(_) => Channel::Status,
        }
    }
}

/// Who took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The taker bought.
    Buy,
    /// The taker sold.
    Sell,
    /// The venue does not say.
    Unknown,
}

impl Side {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::Unknown => "unknown",
        }
    }

    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// Price of one unit.
    pub price: Price,
    /// How much changed hands.
    pub size: Size,
    /// Who took.
    pub side: Side,
    /// The venue's own id, as it writes it; absent where it gives none.
    pub id: Option<Box<str>>,
}

/// Best bid and offer. A newer quote replaces an older one: conflatable. An empty side is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The best bid.
    pub bid: Option<Level>,
    /// The best offer.
    pub ask: Option<Level>,
    /// Whether it was computed from the book because the venue sends no quotes.
    pub derived: bool,
    /// Of several venues' best: the symbol at whose venue the bid stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_source: Option<Symbol>,
    /// The same of the offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_source: Option<Symbol>,
}

impl Quote {
    /// A quote of one venue.
    #[must_use]
    pub const fn of(bid: Option<Level>, ask: Option<Level>, derived: bool) -> Self {
        Self { bid, ask, derived, bid_source: None, ask_source: None }
    }

    /// Whether the bid is at or above the ask.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.bid.zip(self.ask).is_some_and(|(bid, ask)| bid.price >= ask.price)
    }

    /// Whether bid and ask are one price.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.bid.zip(self.ask).is_some_and(|(bid, ask)| bid.price == ask.price)
    }
}

/// Last price, best bid and offer, and the totals of 24 hours. What a venue does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticker {
    /// Price of the last trade.
    pub last_price: Option<Price>,
    /// Size of the last trade.
    pub last_size: Option<Size>,
    /// The best bid.
    pub bid: Option<Level>,
    /// The best offer.
    pub ask: Option<Level>,
    /// Price 24 hours ago: the first of the window.
    pub open: Option<Price>,
    /// Highest price of the window.
    pub high: Option<Price>,
    /// Lowest price of the window.
    pub low: Option<Price>,
    /// Sum of the sizes in the window.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub volume: Option<Decimal>,
    /// Last price minus open.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub change: Option<Decimal>,
    /// Change in per cent of open, rounded to four decimals.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub change_percent: Option<Decimal>,
}

impl Ticker {
    /// Fills in `change` and `change_percent` from `open` and `last_price`, where both are known.
    #[must_use]
    pub fn with_change(mut self) -> Self {
        let (Some(open), Some(last)) = (self.open, self.last_price) else { return self };
        self.change = decimal::sub(last.value(), open.value());
        self.change_percent = self
            .change
            .and_then(|change| change.checked_mul(Decimal::ONE_HUNDRED))
            .and_then(|hundredfold| hundredfold.checked_div(open.value()))
            .map(|percent| percent.round_dp(PERCENT_DECIMALS));
        self
    }
}

/// A change of the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BookChange {
    /// The whole book: replaces what was known.
    Snapshot(Levels),
    /// Levels that changed, in the venue's order; size zero removes.
    Delta(Levels),
    /// The venue's updates were lost or contradict themselves: the book is void until a snapshot.
    Gap(FeedGap),
}
