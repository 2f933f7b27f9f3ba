//! Acknowledgements: what a request did, and the tables in them.

use serde::{Deserialize, Serialize};

use crate::alert::AlertEntry;
use crate::code::ErrorCode;
use crate::request::{Overflow, Priority};

/// What a request did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Ack {
    /// The token holds.
    Auth {
        /// Whose token it is.
        subject: String,
        /// What it allows.
        scopes: Vec<String>,
        /// When it ends.
        expires_at: String,
    },
    /// Subscribed; also sent without `id` when a listed symbol joins a pattern.
    Subscribe {
        /// The channels.
        channels: Vec<String>,
        /// The symbols, patterns expanded.
        symbols: Vec<String>,
        /// Symbols that were not accepted, each with the reason.
        rejected: Vec<Rejected>,
        /// Whether every stream goes on where the cursor was.
        resumed: bool,
        /// How each stream goes on, where that was asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        streams: Vec<StreamEntry>,
        /// What is served more narrowly than was asked for, because the token gives no more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        narrowed: Vec<NarrowedEntry>,
        /// What was recorded comes first, as this replay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replay: Option<String>,
        /// Where the session stands.
        cursor: String,
    },
    /// Unsubscribed: no record of these comes after this message.
    Unsubscribe {
        /// The channels.
        channels: Vec<String>,
        /// The symbols, patterns expanded.
        symbols: Vec<String>,
        /// Symbols that were not subscribed, each with the reason.
        rejected: Vec<Rejected>,
        /// The final account of each stream.
        ledger: Vec<LedgerEntry>,
    },
    /// Nothing of these streams is sent until `unpause`.
    Pause {
        /// The channels.
        channels: Vec<String>,
        /// The symbols, patterns expanded.
        symbols: Vec<String>,
        /// Symbols that were not subscribed, each with the reason.
        rejected: Vec<Rejected>,
    },
    /// These streams go on.
    Unpause {
        /// The channels.
        channels: Vec<String>,
        /// The symbols, patterns expanded.
        symbols: Vec<String>,
        /// Symbols that were not subscribed, each with the reason.
        rejected: Vec<Rejected>,
    },
    /// How the session is paced from now on.
    Pace {
        /// Bytes of messages a second; 0 = as much as the client reads.
        bytes_per_second: u64,
        /// The server looks for the interval between flushes.
        adaptive: bool,
        /// Nothing is flushed without credit.
        credit: bool,
    },
    /// Flushes are allowed.
    Credit {
        /// How many, with those that were left.
        flushes: u32,
    },
    /// What the session is subscribed to.
    List {
        /// One entry per channel, interval and set of options.
        subscriptions: Vec<SubscriptionEntry>,
    },
    /// A replay begins: its state follows.
    ReplayOpen {
        /// What it is called from now on.
        replay: String,
        /// The recording.
        recording: String,
        /// Where it begins.
        from: String,
        /// Where it ends, as far as that is known.
        to: String,
        /// Records in between, of whatever symbol.
        records: u64,
        /// The channels.
        channels: Vec<String>,
        /// The symbols that the recording has, patterns expanded.
        symbols: Vec<String>,
        /// Symbols that were not accepted, each with the reason.
        rejected: Vec<Rejected>,
        /// What others say to play by its clock.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        share: Option<String>,
    },
    /// It waits: no record of it comes before it goes on.
    ReplayPause {
        /// Which.
        replay: String,
    },
    /// It goes on.
    ReplayResume {
        /// Which.
        replay: String,
    },
    /// So many records more.
    ReplayStep {
        /// Which.
        replay: String,
        /// How many.
        records: u64,
    },
    /// Its place is looked for: what comes after this message is of there.
    ReplaySeek {
        /// Which.
        replay: String,
    },
    /// It goes on at this speed.
    ReplaySpeed {
        /// Which.
        replay: String,
        /// How many times as fast as it was; or `max`.
        #[cfg_attr(test, schemars(with = "f64"))]
        speed: serde_json::Value,
    },
    /// It is over: no record of it comes after this message.
    ReplayClose {
        /// Which.
        replay: String,
        /// The account of each of its streams, since its last seek.
        ledger: Vec<LedgerEntry>,
    },
    /// The alert is watched for, in the place of any of that name.
    AlertSet {
        /// Which.
        alert: String,
        /// The value is beyond already: it has to come back before it can cross.
        beyond: bool,
        /// The place of the newest record in its stream: what comes after it counts.
        sequence: u64,
    },
    /// The alert is no more.
    AlertClear {
        /// Which.
        alert: String,
        /// How often it has happened.
        fired: u64,
    },
    /// The alerts of the subject, as far as the token covers what they watch.
    AlertList {
        /// By name.
        alerts: Vec<AlertEntry>,
    },
    /// The account of every stream.
    Ledger {
        /// One entry per stream.
        subscriptions: Vec<LedgerEntry>,
        /// How far the session is behind.
        lag: Lag,
    },
}

/// How streams that share a channel go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StreamEntry {
    /// The channel.
    pub channel: String,
    /// Candles: the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Whether nothing is missing, or a gap says what is and the state follows.
    pub state: Resumption,
    /// The symbols.
    pub symbols: Vec<String>,
}

/// How a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Resumption {
    /// All that happened since is sent.
    Filled,
    /// The session has the stream already, and it goes on where it is.
    Kept,
    /// What happened since is no longer kept: a `gap` says what is missing, and a snapshot follows.
    Missing,
}

/// A condition on trades and quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FilterEntry {
    /// At least this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_size: Option<String>,
    /// `buy` or `sell`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// At least this price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_price: Option<String>,
    /// At most this price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<String>,
}

/// A symbol that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rejected {
    /// As the request wrote it.
    pub symbol: String,
    /// Why, for a program.
    pub code: ErrorCode,
    /// Why, for a person.
    pub message: String,
}

/// Subscriptions that share channel and options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubscriptionEntry {
    /// The channel.
    pub channel: String,
    /// The symbols.
    pub symbols: Vec<String>,
    /// Candles: the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Book: levels a side, 0 = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Book: whether records carry the checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<bool>,
    /// Milliseconds between two updates of one stream; 0 = every event.
    pub conflate_ms: u64,
    /// Milliseconds by which all of it is late, as the token says; absent = it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// What happens when the client is slower than the market.
    pub overflow: Overflow,
    /// Whether messages carry `ts_sent`.
    pub stamp: bool,
    /// Milliseconds after which quotes, tickers and books are not sent; absent = never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_ms: Option<u64>,
    /// Trades: whether quotes go before them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub trade_safe: bool,
    /// Who is merged last; absent = as most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Which fields; absent = all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Which trades and quotes; absent = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<FilterEntry>,
    /// Whether nothing is sent of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
pub(crate) const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The account of one stream: `published = delivered + coalesced + skipped + pending`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LedgerEntry {
    /// The channel.
    pub channel: String,
    /// The symbol.
    pub symbol: String,
    /// Candles: the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Events of the stream since the subscription began.
    pub published: u64,
    /// Records sent.
    pub delivered: u64,
    /// Events folded into a record that was sent.
    pub coalesced: u64,
    /// Events named in a gap or replaced by a snapshot.
    pub skipped: u64,
    /// Events not yet sent.
    pub pending: u64,
    /// Highest sequence sent.
    pub last_sequence: u64,
}

/// How a stream is served where the token gives less of it than was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NarrowedEntry {
    /// The channel.
    pub channel: String,
    /// Candles: the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Books: levels a side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Milliseconds between two updates, at least.
    pub conflate_ms: u64,
    /// Milliseconds by which all of it is late; absent = it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The symbols.
    pub symbols: Vec<String>,
}

/// How far a session is behind, and whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lag {
    /// Age of the oldest event that waits for this client: its own slowness.
    pub oldest_pending_ms: u64,
    /// Age of the newest event when it was received: the feed's lateness.
    pub source_lag_ms: u64,
    /// `keeping_up` or `coalescing`.
    pub mode: String,
}
