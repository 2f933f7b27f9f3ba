//! What goes in and out of a session: all that its shell hears and does.

use std::time::Duration;

use model::{Tick, UnixNanos};

/// Something happened outside.
#[derive(Debug)]
pub(super) enum Input<'a> {
    /// A connection stands.
    Opened { line: u64 },
    /// A connection could not be made, or broke.
    Lost { line: u64, why: Loss },
    /// A text message came.
    Text { line: u64, text: &'a str, bytes: usize },
    /// A message came that is none of this venue's: it is binary.
    Binary { line: u64, bytes: usize },
    /// The answer to a ping of the protocol.
    Pong { line: u64 },
    /// An HTTP answer came.
    Answer { ask: u64, answer: Result<Answer, &'static str> },
}

/// Why a connection is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// A word of a closed set, for metrics.
    pub(super) reason: &'static str,
    /// For a person.
    pub(super) detail: String,
    /// The venue wants to be left alone for so long.
    pub(super) retry_after: Option<Duration>,
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

/// Something to be done outside, in this order.
#[derive(Debug)]
pub(super) enum Effect {
    /// Connect.
    Open { line: u64, url: String },
    /// Send a message.
    Send { line: u64, text: String },
    /// Send a ping of the protocol.
    Ping { line: u64 },
    /// Cut the connection.
    Close { line: u64 },
    /// Ask over HTTP.
    Get { ask: u64, url: String },
    /// Hand on.
    Tick(Tick),
    /// The feed is alive.
    Heard(UnixNanos),
    /// Count.
    Count(Count),
    /// Keep in the raw capture.
    Keep(Raw),
    /// Tell the operator.
    Note { worse: bool, text: String },
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// A message of so many bytes.
    Message(usize),
    /// A fault.
    Fault(&'static str),
    /// A connection was lost.
    Reconnect(&'static str),
    /// An update that was had already.
    Duplicate,
    /// A book is asked for anew.
    Resync,
    /// So many connections stand.
    Connected(usize),
}

/// A line of the raw capture.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Raw {
    /// What follows is another session: the normaliser begins anew.
    Anew,
    Connect {
        conn: String,
        addr: String,
        at: UnixNanos,
    },
    Send {
        conn: String,
        addr: String,
        text: String,
        at: UnixNanos,
    },
    Recv {
        conn: String,
        text: String,
        at: UnixNanos,
    },
    Http {
        url: String,
        body: String,
        at: UnixNanos,
    },
}
