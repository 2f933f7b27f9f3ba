//! The protocol `tickwire.v1` as bytes: requests, messages, records, close codes.
//!
//! Pure: text in, values out and back. What each message means is told in `PROTOCOL.md`, whose
//! examples are this crate's tests. Not here: sockets, sessions, and who may ask for what.

mod ack;
mod alert;
mod close;
mod code;
mod control;
mod cursor;
mod decode;
#[cfg(test)]
mod describe;
mod fields;
mod json;
mod line;
mod msgpack;
mod record;
mod request;
mod suggest;
mod view;

pub use ack::{
    Ack, FilterEntry, Lag, LedgerEntry, NarrowedEntry, Rejected, Resumption, StreamEntry, SubscriptionEntry,
};
pub use alert::{Alert, AlertCrossing, AlertEntry, AlertField, AlertState};
pub use close::CloseCode;
pub use code::ErrorCode;
pub use control::{
    Control, Draining, Echo, ErrorMessage, Flushed, Gap, Heartbeat, Limits, Notice, NoticeState, Pong,
    Replay, ReplayDigest, ReplayState, TokenExpiring, Welcome,
};
pub use cursor::{Cursor, CursorError, Epoch};
pub use decode::{Data, DecodeError, Record, RecordBody, ServerMessage};
pub use json::{Envelope, close_data, open_data};
pub use line::{LineError, Lines, placed_line};
pub use msgpack::{UnpackError, pack, unpack};
pub use record::{BookNotes, Origin, Stamp, Writer, line};
pub use request::{
    AlertSet, Auth, Bound, CONFLATE_MS_MAX, Change, DEPTHS, Op, Options, Overflow, Pace, Place, Priority,
    ReplayOpen, Request, RequestError, RequestId, Source, Subscribe, Unsubscribe,
};
pub use suggest::closest;
pub use view::View;

/// The name of the protocol, version included.
pub const PROTOCOL: &str = "tickwire.v1";
/// The WebSocket subprotocol of the JSON encoding.
pub const SUBPROTOCOL_JSON: &str = "tickwire.v1.json";
/// The WebSocket subprotocol of the MessagePack encoding.
pub const SUBPROTOCOL_MSGPACK: &str = "tickwire.v1.msgpack";

/// The protocol as an AsyncAPI 3.0 document: every request and every message over a WebSocket.
pub const ASYNCAPI: &str = include_str!("../asyncapi.json");
/// The doors for plain HTTP as an OpenAPI 3.1 document.
pub const OPENAPI: &str = include_str!("../openapi.json");
