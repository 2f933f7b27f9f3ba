//! How a subscription is to be served.

use std::sync::Arc;
use std::time::Duration;

use model::Filter;

/// How a subscription is to be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Send the state first.
    pub snapshot: bool,
    /// Trades or bars in a snapshot at most; `None` = the channel's default.
    pub snapshot_limit: Option<usize>,
    /// How deep a book.
    pub depth: Depth,
    /// Book records carry their checksum.
    pub checksum: bool,
    /// The least time between two updates of one stream; zero = every event.
    pub conflate: Duration,
    /// What happens when the reader is slower than the stream.
    pub overflow: Overflow,
    /// Quotes, tickers and books that have waited longer are not sent; the next one stands for them.
    pub max_age: Option<Duration>,
    /// The quote that was current before a trade is sent before that trade, also where quotes are
    /// merged or wait. Counts where it is set for the trades.
    pub trade_safe: bool,
    /// Who is merged last where there is not room for all.
    pub priority: Priority,
    /// Only trades and quotes that meet it; the others lie in the range of the next one.
    pub filter: Option<Arc<Filter>>,
    /// Passed on with every item.
    pub look: Look,
}

/// How records are to be written; the fan-out only passes it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Look {
    /// With the time of sending.
    pub stamp: bool,
    /// Which fields, as the encoder counts them; zero = all.
    pub fields: u64,
}

/// Who is merged last where there is not room for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Before the others.
    High,
    /// As most.
    #[default]
    Normal,
    /// After the others.
    Low,
}

/// How deep a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// So many levels of each side.
    Top(usize),
    /// All levels.
    All,
}

impl Depth {
    pub(crate) const fn levels(self) -> usize {
        match self {
            Self::Top(levels) => levels,
            Self::All => usize::MAX,
        }
    }

    /// As the protocol writes it: 0 = all.
    pub(crate) const fn shown(self) -> usize {
        match self {
            Self::Top(levels) => levels,
            Self::All => 0,
        }
    }
}

/// What happens when a reader is slower than its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// What waits is merged.
    Coalesce,
    /// What waits is dropped, and a gap says what.
    Gap,
    /// Nothing is dropped; when the log no longer holds what is lacked, the session ends.
    Disconnect,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            snapshot: true,
            snapshot_limit: None,
            depth: Depth::Top(20),
            checksum: false,
            conflate: Duration::ZERO,
            overflow: Overflow::Coalesce,
            max_age: None,
            trade_safe: false,
            priority: Priority::Normal,
            filter: None,
            look: Look::default(),
        }
    }
}
