//! Requests: what a client may ask, and how a wrong one is answered.

use std::fmt;

use model::{Channel, Filter, Interval, Pattern};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::code::ErrorCode;
use crate::cursor::Cursor;
use crate::fields::Fields;
use crate::suggest::hint;
use crate::view::View;

mod alert;
#[cfg(test)]
pub(crate) mod described;
mod replay;
mod subscribe;
mod values;

pub use alert::{AlertSet, Bound};
pub use replay::{Change, Place, ReplayOpen, Source};
pub use subscribe::{CONFLATE_MS_MAX, DEPTHS};
use values::{bounded, channels, interval, list, symbols};

/// A request's id: chosen by the client, echoed in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum RequestId {
    /// A whole number up to 2^53, so that every language reads it back exactly.
    Number(u64),
    /// A text of at most 64 bytes.
    Text(String),
}

/// A request that could be read.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its id, if it has one.
    pub id: Option<RequestId>,
    /// What is asked.
    pub op: Op,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Op {
    /// Show a token.
    Auth(Auth),
    /// Subscribe every channel × every symbol.
    Subscribe(Box<Subscribe>),
    /// End subscriptions.
    Unsubscribe(Unsubscribe),
    /// Tell what is subscribed.
    List,
    /// Tell the account of every stream.
    Ledger,
    /// Send nothing of some streams until further notice.
    Pause(Unsubscribe),
    /// Go on with them.
    Unpause(Unsubscribe),
    /// Set how much and how often the session may be sent.
    Pace(Pace),
    /// Allow so many flushes more.
    Credit {
        /// How many.
        flushes: u32,
    },
    /// Begin a replay.
    ReplayOpen(Box<ReplayOpen>),
    /// Change a replay.
    Replay {
        /// Which.
        replay: String,
        /// What is to become of it.
        change: Change,
    },
    /// Watch for an alert.
    AlertSet(Box<AlertSet>),
    /// Watch for it no more.
    AlertClear {
        /// Which.
        alert: String,
    },
    /// Tell the alerts.
    AlertList,
    /// Measure the round trip.
    Ping {
        /// The client's time, as it likes to write it.
        ts: Option<String>,
    },
    /// Send something back.
    Echo {
        /// Anything, as the client wrote it.
        payload: Box<RawValue>,
    },
}

/// A token; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Auth {
    /// The token's text.
    pub token: String,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth { token: *** }")
    }
}

/// A subscription request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// The channels.
    pub channels: Vec<Channel>,
    /// Symbols and globs.
    pub symbols: Vec<Pattern>,
    /// How they are to be served.
    pub options: Options,
    /// Everything up to here was handled: go on from there.
    pub resume: Option<Cursor>,
    /// Begin so many milliseconds ago, with what was recorded since.
    pub rewind_ms: Option<u64>,
}

/// How a subscription is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    /// Send the current state first.
    pub snapshot: bool,
    /// How many trades or candles a snapshot has at most; `None` = the channel's default.
    pub snapshot_limit: Option<usize>,
    /// Book levels a side; 0 = all.
    pub depth: usize,
    /// Interval of candles.
    pub interval: Interval,
    /// Milliseconds between two updates of one stream; 0 = every event.
    pub conflate_ms: u64,
    /// What happens when the client is slower than the market.
    pub overflow: Overflow,
    /// Book records carry the checksum of the resulting book.
    pub checksum: bool,
    /// Data messages carry `ts_sent`.
    pub stamp: bool,
    /// Quotes, tickers and books that have waited for more milliseconds are not sent; 0 = all are.
    pub max_age_ms: u64,
    /// The quote that was current before a trade is sent before that trade.
    pub trade_safe: bool,
    /// Who is merged last.
    pub priority: Priority,
    /// Which fields of the records.
    pub view: View,
    /// Which trades and quotes.
    pub filter: Option<Filter>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            snapshot: true,
            snapshot_limit: None,
            depth: 20,
            interval: Interval::M1,
            conflate_ms: 0,
            overflow: Overflow::Coalesce,
            checksum: false,
            stamp: false,
            max_age_ms: 0,
            trade_safe: false,
            priority: Priority::Normal,
            view: View::ALL,
            filter: None,
        }
    }
}

/// What happens when the client is slower than the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// What waits is merged.
    Coalesce,
    /// What waits is dropped, and a gap says exactly what.
    Gap,
    /// Nothing is dropped; when the log no longer holds what the client lacks, the session ends.
    Disconnect,
}

/// How much and how often a session may be sent; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Bytes of messages a second; 0 = as much as the client reads.
    pub bytes_per_second: Option<u64>,
    /// The server looks for the interval between flushes that the client keeps up with.
    pub adaptive: Option<bool>,
    /// Nothing is flushed without credit.
    pub credit: Option<bool>,
}

/// Who is merged last where there is not room for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before the others.
    High,
    /// As most.
    #[default]
    Normal,
    /// After the others.
    Low,
}

/// The end of subscriptions, or another thing that is to happen to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The channels.
    pub channels: Vec<Channel>,
    /// Symbols and globs.
    pub symbols: Vec<Pattern>,
    /// Only candles of this interval; `None` = all.
    pub interval: Option<Interval>,
}

/// Why a message is not a [`Request`], with all that its answer needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// For a program.
    pub code: ErrorCode,
    /// For a person.
    pub message: String,
    /// The field at fault, where it is one.
    pub details: Option<Value>,
    /// The request's id, where it could be read.
    pub id: Option<RequestId>,
    /// The request's operation, where it was a text.
    pub op: Option<String>,
}

impl RequestError {
    fn new(code: ErrorCode, message: String) -> Self {
        Self { code, message, details: None, id: None, op: None }
    }

    pub(crate) fn field(name: &str, message: String) -> Self {
        Self { details: Some(json!({ "field": name })), ..Self::new(ErrorCode::InvalidRequest, message) }
    }
}

const ID_TEXT_BYTES_MAX: usize = 64;
const ID_NUMBER_MAX: u64 = 1 << 53;
/// Slower than this, and a snapshot of a book takes minutes.
const RATE_MIN: u64 = 500;
/// No line is faster.
const RATE_MAX: u64 = 100_000_000_000;
/// Flushes that may be allowed at once.
const CREDIT_MAX: u64 = 1_000_000;
/// Records of one step of a replay.
const STEP_RECORDS_MAX: u64 = 1_000_000;
/// What a client that a replay imagines may take in a second.
const CLIENT_RATE_MIN: u64 = 1_000;
/// See [`CLIENT_RATE_MIN`].
const CLIENT_RATE_MAX: u64 = 100_000_000_000;
/// Channels or patterns in one request.
const LIST_MAX: usize = 1_000;

/// Every operation, with the fields that it has.
const OPS: [(&str, &[&str]); 21] = [
    ("auth", &["op", "id", "token"]),
    ("subscribe", &subscribe::FIELDS),
    ("unsubscribe", &STREAMS),
    ("pause", &STREAMS),
    ("unpause", &STREAMS),
    ("pace", &["op", "id", "bytes_per_second", "adaptive", "credit"]),
    ("credit", &["op", "id", "flushes"]),
    ("list", &["op", "id"]),
    ("ledger", &["op", "id"]),
    ("replay_open", &replay::OPEN_FIELDS),
    ("replay_pause", &["op", "id", "replay"]),
    ("replay_resume", &["op", "id", "replay"]),
    ("replay_step", &["op", "id", "replay", "records"]),
    ("replay_seek", &["op", "id", "replay", "to", "cursor"]),
    ("replay_speed", &["op", "id", "replay", "speed"]),
    ("replay_close", &["op", "id", "replay"]),
    ("alert_set", &alert::SET_FIELDS),
    ("alert_clear", &["op", "id", "alert"]),
    ("alert_list", &["op", "id"]),
    ("ping", &["op", "id", "ts"]),
    ("echo", &["op", "id", "payload"]),
];
/// Fields of what happens to streams that are subscribed.
const STREAMS: [&str; 5] = ["op", "id", "channels", "symbols", "interval"];

impl Request {
    /// The request of a text message.
    ///
    /// # Errors
    /// Everything the protocol calls `invalid_json`, `invalid_request`, `unknown_op` and
    /// `unknown_channel`, ready to be answered.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let fields: Fields = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let id = match id_of(&fields) {
            Ok(id) => id,
            Err(error) => {
                return Err(RequestError { op: fields.optional("op", "a text").unwrap_or(None), ..error });
            }
        };
        let op = match fields.required::<String>("op", "a text") {
            Ok(op) => op,
            Err(error) => return Err(RequestError { id, ..error }),
        };
        match op_of(&op, &fields) {
            Ok(parsed) => Ok(Self { id, op: parsed }),
            Err(error) => Err(RequestError { id, op: Some(op), ..error }),
        }
    }
}

fn unreadable(error: &serde_json::Error) -> RequestError {
    if error.is_data() {
        let message = format!("A message must be one JSON object, each field once: {error}.");
        return RequestError::new(ErrorCode::InvalidRequest, message);
    }
    RequestError::new(ErrorCode::InvalidJson, format!("The message is not JSON: {error}."))
}

fn id_of(fields: &Fields) -> Result<Option<RequestId>, RequestError> {
    const WANTED: &str = "a whole number up to 2^53 or a text of at most 64 bytes";
    let id = fields.optional("id", WANTED)?;
    let fits = match &id {
        None => true,
        Some(RequestId::Number(number)) => *number <= ID_NUMBER_MAX,
        Some(RequestId::Text(text)) => text.len() <= ID_TEXT_BYTES_MAX,
    };
    if fits { Ok(id) } else { Err(RequestError::field("id", format!("Field \"id\" must be {WANTED}."))) }
}

fn op_of(op: &str, fields: &Fields) -> Result<Op, RequestError> {
    if let Some((_, known)) = OPS.iter().find(|(name, _)| *name == op) {
        fields.permit(known)?;
    }
    match op {
        "auth" => Ok(Op::Auth(Auth { token: fields.required("token", "a text")? })),
        "subscribe" => subscribe::parse(fields).map(|subscribe| Op::Subscribe(Box::new(subscribe))),
        "unsubscribe" => streams(fields).map(Op::Unsubscribe),
        "pause" => streams(fields).map(Op::Pause),
        "unpause" => streams(fields).map(Op::Unpause),
        "pace" => pace(fields).map(Op::Pace),
        "credit" => {
            let flushes = bounded(fields, "flushes", 1..=CREDIT_MAX)?.unwrap_or(1);
            Ok(Op::Credit { flushes: u32::try_from(flushes).unwrap_or(u32::MAX) })
        }
        "replay_open" => replay::open(fields).map(|open| Op::ReplayOpen(Box::new(open))),
        "alert_set" => alert::set(fields).map(|set| Op::AlertSet(Box::new(set))),
        "alert_clear" => Ok(Op::AlertClear { alert: alert::name(fields)? }),
        "alert_list" => Ok(Op::AlertList),
        "list" => Ok(Op::List),
        "ledger" => Ok(Op::Ledger),
        "ping" => Ok(Op::Ping { ts: fields.optional("ts", "a text")? }),
        "echo" => {
            // `null` is a payload too, so this does not go through `optional`.
            let payload = fields.raw("payload").map_or_else(|| RawValue::NULL.to_owned(), ToOwned::to_owned);
            Ok(Op::Echo { payload })
        }
        _ => {
            if let Some(change) = replay::change(op, fields)? {
                return Ok(Op::Replay { replay: replay::name(fields)?, change });
            }
            let message = format!("Unknown op \"{op}\".{}", hint(op, OPS.map(|(name, _)| name)));
            Err(RequestError::new(ErrorCode::UnknownOp, message))
        }
    }
}

/// Streams that are subscribed, and to which something is to happen.
fn streams(fields: &Fields) -> Result<Unsubscribe, RequestError> {
    let (channels, symbols) = (channels(fields)?, symbols(fields)?);
    Ok(Unsubscribe { channels, symbols, interval: interval(fields)? })
}

fn pace(fields: &Fields) -> Result<Pace, RequestError> {
    let bytes_per_second = match bounded(fields, "bytes_per_second", 0..=RATE_MAX)? {
        Some(rate @ 1..RATE_MIN) => {
            let message = format!("Field \"bytes_per_second\" must be 0 or at least {RATE_MIN}, not {rate}.");
            return Err(RequestError::field("bytes_per_second", message));
        }
        rate => rate,
    };
    let adaptive = fields.optional("adaptive", "true or false")?;
    Ok(Pace { bytes_per_second, adaptive, credit: fields.optional("credit", "true or false")? })
}

#[cfg(test)]
mod tests;
