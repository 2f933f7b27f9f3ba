//! One process goes on where another one is: a restart that nobody notices.
//!
//! ```text
//! successor                                   predecessor
//!   hello ─────────────────────────────────▶
//!         ◀──── listeners, begin, kept …, whole    what the logs keep, as of one moment
//!         ◀──────────────────── events, events …   all that is sequenced after it
//!   mark ──────────────────────────────────▶
//!         ◀──────────────────────────── mark       with the events: what came before was heard
//!   (listens, serves)
//!   ready ─────────────────────────────────▶       drains: its clients come back, to the successor
//!         ◀───────────────────────────── end       the last event was sent; where the feeds are
//!   (feeds go on)
//! ```
//!
//! Sequences, cursors and the epoch are the same in both, so a client that was told to come back is served by the
//! successor as it would have been by its predecessor. The two talk over a Unix socket of the same user, in lines
//! of JSON; the listening sockets themselves change hands, so that no connection is refused in between.

mod descriptors;
mod give;
mod take;
mod told;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use fanout::SymbolTaken;
use serde_json::Value;

pub use give::{Office, Predecessor};
pub(crate) use take::Inheritance;
pub use take::Successor;
pub(crate) use told::Teller;

/// Where each feed is, by its name, in words of its own.
pub type Places = BTreeMap<String, Value>;

/// The words of this hand-over. Another number is another language.
const VERSION: u32 = 1;
/// Events of a stream that a successor is given at most, and as many closed bars.
const KEPT_MAX: usize = 1_024;
/// Events that a successor is given in all, about: many streams give fewer each.
const KEPT_ALL_MAX: usize = 1_000_000;
/// Events on their way to a successor; one that is slower is none.
const EVENTS_MAX: usize = 1 << 19;
/// How long each side waits for a word or for room.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a hand-over did not come about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandoverError {
    /// The other side is gone, or cannot be talked to.
    #[error("the other process: {0}")]
    Io(#[from] io::Error),
    /// The other side said something else than it should.
    #[error("the other process does not speak as we do: {0}")]
    Words(String),
    /// It does not want to.
    #[error("the other process refuses: {0}")]
    Refused(String),
    /// It says nothing.
    #[error("the other process does not answer: perhaps it is handing over to a third one")]
    Silent,
    /// It ended before it had said all: what it sent to its clients last is not known.
    #[error("the other process ended before its time")]
    CutOff,
    /// Two of its instruments have one symbol.
    #[error(transparent)]
    Taken(#[from] SymbolTaken),
}
