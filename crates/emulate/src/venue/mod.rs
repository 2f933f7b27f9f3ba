//! How each venue answers: subscriptions, snapshots, signs of life.

mod binance;
mod bybit;
mod coinbase;
mod kraken_v2;
mod okx;

use std::collections::BTreeSet;

use model::{Book, BookSide, Level};
use serde_json::Value;

/// A subscription: what a message belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sub {
    pub(crate) market: String,
    pub(crate) topic: String,
    pub(crate) symbol: String,
}

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Subscribe {
        number: String,
        subs: Vec<Sub>,
    },
    Unsubscribe {
        number: String,
        subs: Vec<Sub>,
    },
    /// A sign of life, and its answer.
    Ping(String),
    Unknown,
}

/// One venue's way of answering.
pub(crate) trait Venue: Send + Sync {
    /// What a message belongs to; the market is filled in by who knows the connection.
    fn sub_of(&self, text: &str) -> Option<Sub>;

    /// The market behind an address.
    fn market_of(&self, _addr: &str) -> String {
        String::new()
    }

    /// The market by the name of a normalised instrument's venue.
    fn market_named(&self, _venue: &str) -> String {
        String::new()
    }

    /// Whether a path is one of its streams, and what it subscribes to.
    fn open(&self, path: &str) -> Option<Vec<Sub>>;

    /// What is said first.
    fn hello(&self) -> Option<String> {
        None
    }

    /// What is said every second where nothing else is; `millis`: the venue's time, since the epoch.
    fn beat(&self, _count: u64, _millis: u64) -> Option<String> {
        None
    }

    /// What a client says.
    fn request(&self, text: &str) -> Request;

    /// Whether two are the same to this venue, although they are written differently.
    fn same(&self, asked: &Sub, held: &Sub) -> bool {
        asked == held
    }

    /// Whether it is a book.
    fn is_book(&self, sub: &Sub) -> bool;

    /// Whether it is known at all, given what the capture holds.
    fn knows(&self, sub: &Sub, held: &BTreeSet<Sub>) -> bool;

    /// Levels that the books of a capture must be subscribed with, told by a snapshot.
    fn depth_of(&self, _text: &str) -> Option<usize> {
        None
    }

    /// The answers to a subscription. `held`: all that the connection has by now.
    fn accepted(&self, number: &str, subs: &[Sub], held: &[Sub], millis: u64) -> Vec<String>;

    /// The answer to a subscription that cannot be.
    fn refused(&self, number: &str, sub: &Sub) -> String;

    /// The number of a book update, where there are numbers.
    fn position(&self, text: &str) -> Option<i64>;

    /// The whole book in the stream.
    fn snapshot(&self, sub: &Sub, state: &State<'_>) -> Option<String>;

    /// The instrument and depth that a REST request asks for.
    fn depth_asked(&self, _path: &str) -> Option<(String, usize)> {
        None
    }

    /// The whole book over REST.
    fn depth_answer(&self, _symbol: &str, _state: &State<'_>, _depth: usize) -> String {
        String::new()
    }

    /// Keys of numbers that a book update carries.
    fn number_keys(&self) -> &'static [&'static str];

    /// What it says before it ends, where it says anything.
    fn leaving(&self) -> Option<&'static str> {
        None
    }

    /// A message with its place among all of a connection, where there is such a thing.
    fn numbered(&self, text: String, _number: u64) -> String {
        text
    }
}

/// A book as it stands.
pub(crate) struct State<'a> {
    pub(crate) book: &'a Book,
    pub(crate) position: i64,
    /// Milliseconds since the epoch.
    pub(crate) millis: u64,
}

pub(crate) fn of(feed: &str) -> Option<Box<dyn Venue>> {
    Some(match feed {
        "binance-spot" => Box::new(binance::Binance { market: binance::Market::Spot }),
        "binance-usdm" => Box::new(binance::Binance { market: binance::Market::UsdM }),
        "binance-coinm" => Box::new(binance::Binance { market: binance::Market::CoinM }),
        "bybit" => Box::new(bybit::Bybit),
        "coinbase" => Box::new(coinbase::Coinbase),
        "kraken-v2" => Box::new(kraken_v2::KrakenV2),
        "okx" => Box::new(okx::Okx),
        _ => return None,
    })
}

/// `["price","size"]`, best first.
fn pairs(book: &Book, side: BookSide, depth: usize, more: &str) -> String {
    let pair = |level: Level| format!("[\"{}\",\"{}\"{more}]", level.price, level.size);
    book.iter(side).take(depth).map(pair).collect::<Vec<_>>().join(",")
}

/// A text member of a value.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// A number or text that names a request.
fn number(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An instant in RFC 3339.
fn instant(millis: u64) -> String {
    model::UnixNanos(millis.saturating_mul(1_000_000)).to_string()
}
