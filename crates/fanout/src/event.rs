//! Sequenced events: immutable, shared by everybody who reads them.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use model::{Body, BookChange, Placed, UnixNanos};

use crate::ids::TopicId;

/// A record, and what readers share of it.
#[derive(Debug)]
pub struct Event {
    /// The stream it belongs to.
    pub topic: TopicId,
    /// The record.
    pub record: Placed,
    /// Trades: the quote that was current before it.
    pub quote: Option<Arc<Event>>,
    /// When it got its place here; another process may have given it that.
    pub sequenced: Option<UnixNanos>,
    /// Its bytes, made once.
    pub encoded: Encoded,
}

/// Whoever has an event asks for its record.
impl Deref for Event {
    type Target = Placed;

    fn deref(&self) -> &Placed {
        &self.record
    }
}

/// The bytes of a record, made when the first reader needs them and shared by all.
#[derive(Debug, Default)]
pub struct Encoded([OnceLock<Box<[u8]>>; Self::SLOTS]);

impl Encoded {
    /// How many encodings there can be.
    pub const SLOTS: usize = 2;

    /// The bytes in encoding number `slot`; `encode` makes them the first time.
    pub fn get_or_encode(&self, slot: usize, encode: impl FnOnce() -> Box<[u8]>) -> &[u8] {
        self.0[slot].get_or_init(encode)
    }
}

impl Event {
    /// About how many bytes its record has as JSON: what budgets are counted in.
    #[must_use]
    pub fn weight(&self) -> usize {
        match &self.body {
            Body::Trade(_) | Body::OldTrade(_) => 210,
            Body::Quote(_) => 230,
            Body::Ticker(_) | Body::Correction(_) => 420,
            Body::Candle(_) => 330,
            Body::Status(change) => 200 + change.reason.len(),
            Body::Book(BookChange::Snapshot(levels) | BookChange::Delta(levels)) => book_weight(levels.len()),
            Body::Book(BookChange::Gap(_)) => 200,
        }
    }
}

/// About how many bytes a book record of that many levels has as JSON.
pub(crate) const fn book_weight(levels: usize) -> usize {
    170 + 28 * levels
}
