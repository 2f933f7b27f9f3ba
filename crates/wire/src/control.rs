//! Control messages: everything the server sends that is not market data.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::ack::{Ack, LedgerEntry, is_false};
use crate::alert::Alert;
use crate::code::ErrorCode;
use crate::request::RequestId;

/// A control message. `data` messages are apart: see [`crate::ServerMessage`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// How a replay stands. Keeps its place among the replay's records.
    Replay(Box<Replay>),
    /// An alert has happened.
    Alert(Box<Alert>),
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limits {
    /// Sessions that a subject may have at a time, where that is bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<usize>,
    /// Sessions that all subjects of a tenant may have at a time, where that is bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tenant_connections: Option<usize>,
    /// Streams that all sessions of a tenant may be subscribed to, where that is bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tenant_subscriptions: Option<usize>,
    /// Bytes of data a second for all sessions of a subject, in equal shares, where that is bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes_per_second: Option<u64>,
    /// Bytes of data a second for all sessions of a tenant, in equal shares, where that is bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tenant_bytes_per_second: Option<u64>,
    /// Symbols that a session may be subscribed to.
    pub max_symbols: usize,
    /// Requests a second, on average.
    pub max_requests_per_second: u32,
    /// Longest message a client may send.
    pub max_message_bytes: usize,
}

/// A refused request, or a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Heartbeat {
    /// Where the session stands.
    pub cursor: String,
    /// When this was sent.
    pub ts_sent: String,
}

/// Events that this session does not get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// Of a `feed_gap`: what made the book void, one of `sequence`, `checksum`, `reconnect`, `restart`, `delisted`,
    /// `auction`, `tick_size` and `maintenance`; absent where that is not known any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// First update that the feed lost, in the venue's own numbering, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue_from_sequence: Option<u64>,
    /// Last update that the feed lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue_to_sequence: Option<u64>,
    /// The replay that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
    /// Where the session stands.
    pub cursor: String,
    /// When this was sent.
    pub ts_sent: String,
}

/// A flush is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Flushed {
    /// Flushes that are still allowed.
    pub credit: u32,
    /// Something did not fit, and waits for the next one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
    /// Where the session stands.
    pub cursor: String,
}

/// Coalescing for slowness begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Notice {
    /// `slow_consumer`.
    pub code: ErrorCode,
    /// Begins or ends.
    pub state: NoticeState,
    /// The replay that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It begins.
    Started,
    /// It is over.
    Ended,
}

/// The token runs out soon: send `auth` with a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TokenExpiring {
    /// When it ends.
    pub expires_at: String,
    /// How long that is from now.
    pub expires_in_ms: u64,
}

/// The server goes away soon: connect again elsewhere, then close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

/// How a replay stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Replay {
    /// Which.
    pub replay: String,
    /// What it does.
    pub state: ReplayState,
    /// The time in the recording.
    pub position: String,
    /// Where it stands: everything up to here was sent. `live`: where the session does.
    pub cursor: String,
    /// How many times as fast as it was; or `max`.
    #[cfg_attr(test, schemars(with = "f64"))]
    pub speed: Value,
    /// Which part of its time is over, from 0 to 1.
    pub progress: f64,
    /// Records since it began, or since its last seek, whatever became of them.
    pub records: u64,
    /// The digest of these, at the end of the last full page and at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ReplayDigest>,
    /// By how much a record was late since the last message, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_ms: Option<u64>,
    /// Parts of the recording that do not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damages: Vec<String>,
    /// `failed`: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When this was sent.
    pub ts_sent: String,
}

/// What a replay does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplayState {
    /// Its place is being looked for.
    Seeking,
    /// It waits.
    Paused,
    /// It plays.
    Playing,
    /// Its last record was sent.
    Finished,
    /// It has caught up: its streams are subscriptions now, and it is over.
    Live,
    /// The recording does not read; it is over.
    Failed,
}

/// What the records of a replay come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayDigest {
    /// Of how many records.
    pub records: u64,
    /// SHA-256, in hexadecimal, as `tickwire replay --digest` has it.
    pub sha256: String,
}
