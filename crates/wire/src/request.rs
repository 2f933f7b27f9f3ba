//! Requests: what a client may ask, and how a wrong one is answered.

use std::fmt;

use model::{Channel, Interval, Pattern};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::code::ErrorCode;
use crate::fields::Fields;
use crate::suggest::hint;

/// A request's id: chosen by the client, echoed in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
}

/// How a subscription is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        }
    }
}

/// What happens when the client is slower than the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// What waits is merged.
    Coalesce,
    /// What waits is dropped, and a gap says exactly what.
    Gap,
    /// Nothing is dropped; when the log no longer holds what the client lacks, the session ends.
    Disconnect,
}

/// The end of subscriptions.
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
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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

/// Depths a book can be asked for.
const DEPTHS: [usize; 6] = [0, 1, 5, 10, 20, 50];
const ID_TEXT_BYTES_MAX: usize = 64;
const ID_NUMBER_MAX: u64 = 1 << 53;
/// An hour: above it a snapshot now and then serves better.
const CONFLATE_MS_MAX: u64 = 3_600_000;
const SNAPSHOT_LIMIT_MAX: usize = 500;
/// Channels or patterns in one request.
const LIST_MAX: usize = 1_000;

const OPS: [&str; 7] = ["auth", "subscribe", "unsubscribe", "list", "ledger", "ping", "echo"];

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
    match op {
        "auth" => {
            fields.permit(&["op", "id", "token"])?;
            Ok(Op::Auth(Auth { token: fields.required("token", "a text")? }))
        }
        "subscribe" => subscribe(fields),
        "unsubscribe" => {
            fields.permit(&["op", "id", "channels", "symbols", "interval"])?;
            let (channels, symbols) = (channels(fields)?, symbols(fields)?);
            Ok(Op::Unsubscribe(Unsubscribe { channels, symbols, interval: interval(fields)? }))
        }
        "list" => fields.permit(&["op", "id"]).map(|()| Op::List),
        "ledger" => fields.permit(&["op", "id"]).map(|()| Op::Ledger),
        "ping" => {
            fields.permit(&["op", "id", "ts"])?;
            Ok(Op::Ping { ts: fields.optional("ts", "a text")? })
        }
        "echo" => {
            fields.permit(&["op", "id", "payload"])?;
            // `null` is a payload too, so this does not go through `optional`.
            let payload = fields.raw("payload").map_or_else(|| RawValue::NULL.to_owned(), ToOwned::to_owned);
            Ok(Op::Echo { payload })
        }
        _ => {
            let message = format!("Unknown op \"{op}\".{}", hint(op, OPS));
            Err(RequestError::new(ErrorCode::UnknownOp, message))
        }
    }
}

fn subscribe(fields: &Fields) -> Result<Op, RequestError> {
    fields.permit(&[
        "op",
        "id",
        "channels",
        "symbols",
        "snapshot",
        "snapshot_limit",
        "depth",
        "interval",
        "conflate_ms",
        "overflow",
        "checksum",
        "stamp",
    ])?;
    let (channels, symbols) = (channels(fields)?, symbols(fields)?);
    let default = Options::default();
    let options = Options {
        snapshot: fields.optional("snapshot", "true or false")?.unwrap_or(default.snapshot),
        snapshot_limit: bounded(fields, "snapshot_limit", 1..=SNAPSHOT_LIMIT_MAX as u64)?
            .map(|limit| usize::try_from(limit).unwrap_or(SNAPSHOT_LIMIT_MAX)),
        depth: depth(fields)?.unwrap_or(default.depth),
        interval: interval(fields)?.unwrap_or(default.interval),
        conflate_ms: bounded(fields, "conflate_ms", 0..=CONFLATE_MS_MAX)?.unwrap_or(default.conflate_ms),
        overflow: fields
            .optional("overflow", "\"coalesce\", \"gap\" or \"disconnect\"")?
            .unwrap_or(default.overflow),
        checksum: fields.optional("checksum", "true or false")?.unwrap_or(default.checksum),
        stamp: fields.optional("stamp", "true or false")?.unwrap_or(default.stamp),
    };
    Ok(Op::Subscribe(Box::new(Subscribe { channels, symbols, options })))
}

fn channels(fields: &Fields) -> Result<Vec<Channel>, RequestError> {
    let mut channels = Vec::new();
    for name in list(fields, "channels")? {
        let channel = name.parse().map_err(|_| {
            let names = Channel::ALL.map(Channel::as_str);
            let message = format!("Unknown channel \"{name}\".{}", hint(&name, names));
            RequestError {
                details: Some(json!({ "channel": name })),
                ..RequestError::new(ErrorCode::UnknownChannel, message)
            }
        })?;
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

fn symbols(fields: &Fields) -> Result<Vec<Pattern>, RequestError> {
    let mut symbols = Vec::new();
    for text in list(fields, "symbols")? {
        let pattern = Pattern::parse(&text)
            .map_err(|error| RequestError::field("symbols", format!("Field \"symbols\": {error}.")))?;
        if !symbols.contains(&pattern) {
            symbols.push(pattern);
        }
    }
    Ok(symbols)
}

fn list(fields: &Fields, name: &'static str) -> Result<Vec<String>, RequestError> {
    let list: Vec<String> = fields.required(name, "a list of texts")?;
    if list.is_empty() || list.len() > LIST_MAX {
        let message = format!("Field \"{name}\" must have 1 to {LIST_MAX} entries, not {}.", list.len());
        return Err(RequestError::field(name, message));
    }
    Ok(list)
}

fn depth(fields: &Fields) -> Result<Option<usize>, RequestError> {
    const WANTED: &str = "1, 5, 10, 20, 50 or 0 for all";
    match fields.optional("depth", WANTED)? {
        Some(depth) if !DEPTHS.contains(&depth) => {
            Err(RequestError::field("depth", format!("Field \"depth\" must be {WANTED}.")))
        }
        depth => Ok(depth),
    }
}

fn interval(fields: &Fields) -> Result<Option<Interval>, RequestError> {
    const WANTED: &str = "one of 1s, 1m, 5m, 15m, 1h, 1d";
    let Some(text) = fields.optional::<String>("interval", WANTED)? else { return Ok(None) };
    let refused = |()| RequestError::field("interval", format!("Field \"interval\" must be {WANTED}."));
    text.parse().map(Some).map_err(refused)
}

fn bounded(
    fields: &Fields,
    name: &'static str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Option<u64>, RequestError> {
    let wanted = format!("a whole number from {} to {}", range.start(), range.end());
    match fields.optional::<u64>(name, &wanted)? {
        Some(value) if !range.contains(&value) => {
            Err(RequestError::field(name, format!("Field \"{name}\" must be {wanted}.")))
        }
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests;
