//! What a live feed is to be.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::{Instrument, Symbol, Venue};

use super::dialect::{self, Dialect};
use crate::error::FeedError;
use crate::venue::naming;

/// A venue's own streams, over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSpec {
    /// Whose streams: one of [`LIVE_FEEDS`].
    pub feed: String,
    /// Which of the venue's markets, where one normaliser speaks for several.
    pub market: Option<String>,
    /// The instruments, as the venue writes them.
    pub symbols: Vec<String>,
    /// What of them.
    pub channels: Vec<LiveChannel>,
    /// Levels a side of a book; without it what the venue's dialect takes.
    pub depth: Option<u32>,
    /// Another address than the venue's own for WebSockets: scheme, host and port.
    pub ws_url: Option<String>,
    /// The same for REST.
    pub rest_url: Option<String>,
    /// A certificate to trust beside the system's, in PEM form.
    pub ca: Option<PathBuf>,
    /// Connections that carry the same: 1, or 2 of which the first to bring an update wins.
    pub arbitration: u8,
    /// The folder in which the venue's messages are kept as they came.
    pub raw: Option<PathBuf>,
    /// How long anything may take.
    pub timing: Timing,
}

/// What can be subscribed to at a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LiveChannel {
    /// Executions.
    Trades,
    /// Best bid and offer.
    Quotes,
    /// Totals of 24 hours.
    Ticker,
    /// The order book.
    Book,
}

/// How long anything may take. All of it is measured by a clock that never jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Until a connection is made, a subscription answered, a snapshot there.
    pub answer_after: Duration,
    /// A connection from which nothing at all came for so long is cut.
    pub silence_after: Duration,
    /// A connection over which neither data nor a heartbeat of the venue came for so long is cut: its
    /// subscriptions may have died unnoticed.
    pub idle_after: Duration,
    /// The longest first wait before connecting again; it doubles with every failure.
    pub backoff_min: Duration,
    /// The longest wait of all.
    pub backoff_max: Duration,
    /// A connection that has lasted so long is good: the next failure is a first one.
    pub stable_after: Duration,
    /// A second connection takes over from one that has lasted so long; `None`: as the venue has it.
    pub renew_after: Option<Duration>,
    /// The other connection takes over from one that was silent for so long.
    pub takeover_after: Duration,
    /// How long an update that came too early waits for those before it.
    pub hold: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            answer_after: Duration::from_secs(10),
            silence_after: Duration::from_secs(15),
            idle_after: Duration::from_secs(300),
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            stable_after: Duration::from_secs(60),
            renew_after: None,
            takeover_after: Duration::from_millis(2_500),
            hold: Duration::from_millis(100),
        }
    }
}

/// The venues that can be had live.
pub const LIVE_FEEDS: [&str; 7] =
    ["binance-spot", "binance-usdm", "binance-coinm", "bybit", "coinbase", "kraken-v2", "okx"];

/// Most instruments of one live feed.
pub const LIVE_SYMBOLS_MAX: usize = 2_000;

/// Why a live feed cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// No such venue.
    #[error("{0:?} cannot be had live; {known} can", known = LIVE_FEEDS.join(", "))]
    Feed(String),
    /// The market is missing, unknown, or the venue has only one.
    #[error("feed {feed:?} needs a market: {known}")]
    Market {
        /// The feed.
        feed: String,
        /// What it may be.
        known: &'static str,
    },
    /// It subscribes to nothing.
    #[error("a live feed needs 1 to {LIVE_SYMBOLS_MAX} symbols")]
    Symbols,
    /// An instrument is named twice, or two have one symbol of ours.
    #[error("{0:?} is there twice")]
    Twice(String),
    /// A name outside our grammar.
    #[error(transparent)]
    Symbol(FeedError),
    /// A name that this venue writes in capitals.
    #[error("{0:?}: this venue writes its symbols in capitals")]
    Case(String),
    /// It asks for nothing.
    #[error("a live feed needs a channel: trades, quotes, ticker or book")]
    Channels,
    /// A depth that the venue does not offer.
    #[error("{feed:?} has no book of {depth} levels; it has {known}")]
    Depth {
        /// The feed.
        feed: String,
        /// The depth.
        depth: u32,
        /// What there is.
        known: &'static str,
    },
    /// An address that is none.
    #[error("{url:?} is no address like {example}")]
    Url {
        /// The address.
        url: String,
        /// What one looks like.
        example: &'static str,
    },
    /// An address for what it does not do.
    #[error("{0:?} asks nothing over REST: take rest_url away")]
    Rest(String),
    /// A number of connections that is not offered.
    #[error("arbitration = {0}: 1 connection, or 2 of which the first wins")]
    Arbitration(u8),
}

impl LiveSpec {
    /// Whether it can be had, as far as that is known before connecting.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), LiveError> {
        let dialect = self.dialect()?;
        if self.symbols.is_empty() || self.symbols.len() > LIVE_SYMBOLS_MAX {
            return Err(LiveError::Symbols);
        }
        if self.channels.is_empty() {
            return Err(LiveError::Channels);
        }
        if !matches!(self.arbitration, 1 | 2) {
            return Err(LiveError::Arbitration(self.arbitration));
        }
        for (url, schemes, example) in [
            (&self.ws_url, ["ws", "wss"], "wss://host:port"),
            (&self.rest_url, ["http", "https"], "https://host:port"),
        ] {
            let Some(url) = url else { continue };
            let is_one = url
                .split_once("://")
                .is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty());
            if !is_one {
                return Err(LiveError::Url { url: url.clone(), example });
            }
        }
        if self.rest_url.is_some() && dialect.snapshot(self, "").is_none() {
            return Err(LiveError::Rest(self.feed.clone()));
        }
        dialect.check(self)?;
        // Kraken has names with small letters in them.
        let is_wrong = |symbol: &&String| symbol.bytes().any(|byte| byte.is_ascii_lowercase());
        if let Some(symbol) = self.symbols.iter().find(is_wrong).filter(|_| self.feed != "kraken-v2") {
            return Err(LiveError::Case(symbol.clone()));
        }
        let mut known = Vec::new();
        for instrument in self.instruments()? {
            if known.contains(&instrument.symbol) {
                return Err(LiveError::Twice(instrument.venue_symbol.to_string()));
            }
            known.push(instrument.symbol.clone());
        }
        Ok(())
    }

    /// The instruments, with our names.
    ///
    /// # Errors
    /// A name is outside our grammar, or the feed is none.
    pub fn instruments(&self) -> Result<Vec<Arc<Instrument>>, LiveError> {
        let naming = naming(&self.feed, self.market.as_deref());
        let (venue, rename) = naming.ok_or_else(|| LiveError::Feed(self.feed.clone()))?;
        let named = |text: &String| {
            let symbol = Symbol::parse(&rename(text))
                .map_err(|source| LiveError::Symbol(FeedError::Symbol { text: text.clone(), source }))?;
            Ok(Arc::new(Instrument::named(symbol, Venue::new(venue), text)))
        };
        self.symbols.iter().map(named).collect()
    }

    /// How this venue is spoken to.
    pub(super) fn dialect(&self) -> Result<Box<dyn Dialect>, LiveError> {
        dialect::of(&self.feed, self.market.as_deref())
    }
}
