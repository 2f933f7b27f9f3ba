//! Control messages: everything the server sends that is not market data.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::code::ErrorCode;
use crate::request::{Overflow, Priority, RequestId};

/// A control message. `data` messages are apart: see [`crate::ServerMessage`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Control {
    /// First message of a session.
    Welcome(Box<Welcome>),
    /// The answer to a request that was accepted, wholly or in part.
    Ack {
        /// The request's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// What was done.
        #[serde(flatten)]
        ack: Ack,
    },
    /// The answer to a request that was refused, or news of a fault.
    Error(Box<ErrorMessage>),
    /// The answer to a ping.
    Pong(Pong),
    /// The answer to an echo.
    Echo(Echo),
    /// Proof of life.
    Heartbeat(Heartbeat),
    /// Events that this session does not get.
    Gap(Box<Gap>),
    /// In credit mode: a flush is complete.
    Flushed(Flushed),
    /// News of the session's state.
    Notice(Box<Notice>),
    /// The token runs out soon.
    TokenExpiring(TokenExpiring),
    /// The server goes away soon.
    Draining(Box<Draining>),
}

impl Control {
    /// The message as JSON text.
    ///
    /// # Panics
    /// Never: these types have text keys and no part that fails to serialize.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("control messages have text keys and no failing parts")
    }
}

/// Who speaks, and what the rules are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// `tickwire.v1`.
    pub protocol: String,
    /// Name and version of the server.
    pub server: String,
    /// This session, for logs and support.
    pub session: String,
    /// The life of the total order that cursors belong to.
    pub epoch: String,
    /// Whether the handshake brought a valid token.
    pub authenticated: bool,
    /// How long the session waits for a token; absent once authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_timeout_ms: Option<u64>,
    /// At most this long (and a tenth) passes between two messages.
    pub heartbeat_ms: u64,
    /// The bounds of this session.
    pub limits: Limits,
    /// When this was sent.
    pub ts_sent: String,
}

/// The bounds of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Symbols that a session may be subscribed to.
    pub max_symbols: usize,
    /// Requests a second, on average.
    pub max_requests_per_second: u32,
    /// Longest message a client may send.
    pub max_message_bytes: usize,
}

/// What a request did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[serde(rename_all = "snake_case")]
pub enum Resumption {
    /// All that happened since is sent.
    Filled,
    /// What happened since is no longer kept: a `gap` says what is missing, and a snapshot follows.
    Missing,
}

/// A condition on trades and quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The account of one stream: `published = delivered + coalesced + skipped + pending`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// How far a session is behind, and whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// Age of the oldest event that waits for this client: its own slowness.
    pub oldest_pending_ms: u64,
    /// Age of the newest event when it was received: the feed's lateness.
    pub source_lag_ms: u64,
    /// `keeping_up` or `coalescing`.
    pub mode: String,
}

/// A refused request, or a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// The request's id, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The request's operation, where it was a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// What is wrong, for a program.
    pub code: ErrorCode,
    /// What is wrong and what to do, for a person.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// More for a program: the field, the time to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// The answer to a ping: round trip and clock offset follow from the three times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The request's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The request's own time, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
    /// When the request arrived.
    pub ts_recv: String,
    /// When this was sent.
    pub ts_sent: String,
}

/// What the client sent, back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// The request's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The payload, unchanged.
    pub payload: Value,
}

impl Echo {
    /// The answer to an echo, its payload digit for digit as it came.
    #[must_use]
    pub fn to_json(id: Option<&RequestId>, payload: &RawValue) -> String {
        let id = id.map(|id| match id {
            RequestId::Number(number) => format!("\"id\":{number},"),
            RequestId::Text(text) => format!("\"id\":{},", Value::from(text.as_str())),
        });
        format!("{{\"type\":\"echo\",{}\"payload\":{payload}}}", id.unwrap_or_default())
    }
}

/// Nothing else was sent for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Where the session stands.
    pub cursor: String,
    /// When this was sent.
    pub ts_sent: String,
}

/// Events that this session does not get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The channel.
    pub channel: String,
    /// The symbol.
    pub symbol: String,
    /// Candles: the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// First sequence missing; absent where the client's place is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_sequence: Option<u64>,
    /// Last sequence missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_sequence: Option<u64>,
    /// How many are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// `slow_consumer`, `feed_gap` or `cursor_expired`.
    pub reason: String,
    /// Where the session stands.
    pub cursor: String,
    /// When this was sent.
    pub ts_sent: String,
}

/// A flush is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flushed {
    /// Flushes that are still allowed.
    pub credit: u32,
    /// Where the session stands.
    pub cursor: String,
}

/// Coalescing for slowness begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// `slow_consumer`.
    pub code: ErrorCode,
    /// Begins or ends.
    pub state: NoticeState,
    /// In words, at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// At the start: about how much waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_bytes: Option<u64>,
    /// At the start: when the oldest waiting event was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesced_since: Option<String>,
    /// At the end: events folded into others meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesced: Option<u64>,
    /// At the end: events named in gaps meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
    /// At the end: how long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// Whether something begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It begins.
    Started,
    /// It is over.
    Ended,
}

/// The token runs out soon: send `auth` with a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenExpiring {
    /// When it ends.
    pub expires_at: String,
    /// How long that is from now.
    pub expires_in_ms: u64,
}

/// The server goes away soon: connect again elsewhere, then close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draining {
    /// Why.
    pub reason: String,
    /// When this client should connect again, so that not all come at once.
    pub reconnect_after_ms: u64,
    /// When the server closes the session.
    pub deadline: String,
    /// Where the session stands.
    pub cursor: String,
    /// The account of every stream.
    pub ledger: Vec<LedgerEntry>,
}
