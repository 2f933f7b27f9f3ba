//! How each venue is spoken to: what to subscribe, how to stay alive, what an answer means. Pure.

mod binance;
mod bybit;
mod coinbase;
mod kraken_v2;
mod okx;

use std::borrow::Cow;
use std::time::Duration;

use super::{LiveChannel, LiveError, LiveSpec};

/// One venue's way of speaking.
pub(super) trait Dialect: Send {
    /// Whether the venue offers what is asked for.
    fn check(&self, spec: &LiveSpec) -> Result<(), LiveError>;

    /// The connections that are needed, and what each carries.
    fn routes(&self, spec: &LiveSpec) -> Vec<Route>;

    /// These, as many as one message may name at a time. A venue whose addresses say what it sends has no messages.
    fn parts<'w>(&self, _wants: &'w [Want]) -> Vec<&'w [Want]> {
        Vec::new()
    }

    /// The message that does `op` (`subscribe`, `unsubscribe`) with one of [`Self::parts`].
    fn message(&self, _op: &str, _wants: &[Want], _number: u64) -> String {
        String::new()
    }

    /// The messages that subscribe to these, within the venue's limits; each with what it asks for.
    fn subscribe(&self, wants: &[Want], number: &mut u64) -> Vec<Ask> {
        let ask = |wants: &[Want]| {
            *number += 1;
            Ask { number: *number, text: self.message("subscribe", wants, *number), wants: wants.to_vec() }
        };
        self.parts(wants).into_iter().map(ask).collect()
    }

    /// The messages that end these subscriptions. Nobody waits for their answers.
    fn unsubscribe(&self, wants: &[Want], number: &mut u64) -> Vec<String> {
        let text = |wants: &[Want]| {
            *number += 1;
            self.message("unsubscribe", wants, *number)
        };
        self.parts(wants).into_iter().map(text).collect()
    }

    /// What a message is.
    fn hear<'a>(&self, text: &'a str) -> Heard<'a>;

    /// What keeps a connection alive; `None`: a ping of the WebSocket protocol.
    fn ping(&self, number: u64) -> Option<String>;

    /// The whole book of an instrument, where the venue has it over REST only.
    fn snapshot(&self, _spec: &LiveSpec, _symbol: &str) -> Option<Snapshot> {
        None
    }

    /// What the venue bears.
    fn bounds(&self) -> Bounds;
}

/// What one connection carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) url: String,
    /// What is subscribed to by messages.
    pub(super) wants: Vec<Want>,
    /// Books that the address itself subscribes to.
    pub(super) books: Vec<String>,
    /// The instruments that it is about.
    pub(super) symbols: Vec<String>,
    /// Whether two connections bring the same numbers, or only one of them can be followed.
    pub(super) twins: Twins,
}

/// How two connections that carry the same go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twins {
    /// The venue numbers what it sends: the first to bring an update wins.
    Merge,
    /// A numbering or checksum of each connection's own: one leads, the other takes over.
    Lead,
    /// Executions as in `Merge`, all else from the one that leads; each has a numbering of its own.
    Mix,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Want {
    /// The venue's name of the channel.
    pub(super) topic: Cow<'static, str>,
    /// The venue's name of the instrument; empty for what has none.
    pub(super) symbol: String,
    /// It brings a book: the venue's snapshot must follow.
    pub(super) book: bool,
}

/// A message that subscribes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) number: u64,
    pub(super) text: String,
    pub(super) wants: Vec<Want>,
}

/// A REST request for a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) url: String,
    /// What it costs of [`Bounds::weight`].
    pub(super) weight: u32,
}

/// Parts of one topic each, with so many instruments at most.
fn by_topic(wants: &[Want], most: usize) -> Vec<&[Want]> {
    wants.chunk_by(|a, b| a.topic == b.topic).flat_map(|same| same.chunks(most)).collect()
}

/// What a venue bears.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Time between two messages of ours on one connection.
    pub(super) send_every: Duration,
    /// Connections: so many in so long.
    pub(super) connects: (u32, Duration),
    /// REST: so much weight in so long.
    pub(super) weight: (u32, Duration),
    /// How often a connection is pinged.
    pub(super) ping_every: Duration,
    /// A connection is cut by the venue after this.
    pub(super) lifetime: Option<Duration>,
}

/// What a message is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// Market data, with its place among the venue's numbers.
    Data(Tag<'a>),
    /// The venue's own sign of life.
    Beat,
    /// The answer to our ping.
    Pong,
    /// Subscriptions stand.
    Accepted(Vec<Subject<'a>>),
    /// A subscription is refused.
    Refused(Subject<'a>, Cow<'a, str>),
    /// The venue is about to end the connection, or the service.
    Leaving(Cow<'a, str>),
    /// Something else that belongs to the stream.
    Other,
    /// Nothing that this venue sends.
    Foreign,
}

/// What an answer is about; what it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject<'a> {
    pub(super) number: Option<u64>,
    pub(super) topic: Option<Cow<'a, str>>,
    pub(super) symbol: Option<Cow<'a, str>>,
}

impl Subject<'_> {
    /// Whether it is about this subscription.
    pub(super) fn covers(&self, number: u64, want: &Want) -> bool {
        self.number.is_none_or(|told| told == number)
            && self.topic.as_ref().is_none_or(|topic| **topic == *want.topic)
            && self.symbol.as_ref().is_none_or(|symbol| **symbol == *want.symbol)
    }
}

/// The place of a message among the venue's numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// One of a chain: it follows the one that ended with `previous` (or any later one before `last`).
    Chain { symbol: Cow<'a, str>, topic: &'a str, previous: i64, last: i64 },
    /// The beginning of a chain: the whole book as of `last`.
    Start { symbol: Cow<'a, str>, topic: &'a str, last: i64 },
    /// Of two, the one with the higher key is newer.
    Newest { symbol: Cow<'a, str>, topic: &'a str, key: i64 },
    /// Executions, each to be had once.
    Trades { symbol: Cow<'a, str>, ids: Vec<Cow<'a, str>> },
    /// Not numbered.
    Bare { book: Option<Cow<'a, str>> },
}

impl Tag<'_> {
    /// The instrument, where the message names one.
    pub(super) fn symbol(&self) -> Option<&str> {
        match self {
            Self::Chain { symbol, .. }
            | Self::Start { symbol, .. }
            | Self::Newest { symbol, .. }
            | Self::Trades { symbol, .. }
            | Self::Bare { book: Some(symbol) } => Some(&**symbol).filter(|symbol| !symbol.is_empty()),
            Self::Bare { book: None } => None,
        }
    }
}

/// The dialect of a feed.
pub(super) fn of(feed: &str, market: Option<&str>) -> Result<Box<dyn Dialect>, LiveError> {
    const NONE: &str = "it has only one, take the key away";
    let only = |known| match market {
        None => Ok(()),
        Some(_) => Err(LiveError::Market { feed: feed.to_owned(), known }),
    };
    Ok(match feed {
        "binance-spot" | "binance-usdm" | "binance-coinm" => {
            only(NONE)?;
            Box::new(binance::Binance::new(feed))
        }
        "bybit" => Box::new(bybit::Bybit::new(market)?),
        "coinbase" => {
            only(NONE)?;
            Box::new(coinbase::Coinbase)
        }
        "kraken-v2" => {
            only(NONE)?;
            Box::new(kraken_v2::KrakenV2)
        }
        "okx" => {
            only(NONE)?;
            Box::new(okx::Okx)
        }
        _ => return Err(LiveError::Feed(feed.to_owned())),
    })
}

/// The address to connect to: another host where one is configured, the venue's path.
fn address(host: Option<&String>, own: &str, path: &str) -> String {
    let host = host.map_or(own, |url| url.trim_end_matches('/'));
    format!("{host}{path}")
}

/// A list of texts in JSON.
fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(|text| serde_json::Value::from(text).to_string()).collect::<Vec<_>>().join(",")
}

impl Want {
    fn new(topic: impl Into<Cow<'static, str>>, symbol: &str) -> Self {
        Self { topic: topic.into(), symbol: symbol.to_owned(), book: false }
    }

    fn book(topic: impl Into<Cow<'static, str>>, symbol: &str) -> Self {
        Self { book: true, ..Self::new(topic, symbol) }
    }
}

/// Whether it wants a channel.
fn wants(spec: &LiveSpec, channel: LiveChannel) -> bool {
    spec.channels.contains(&channel)
}

fn no_depth(feed: &str, depth: u32, known: &'static str) -> LiveError {
    LiveError::Depth { feed: feed.to_owned(), depth, known }
}
