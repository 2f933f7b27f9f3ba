//! What a session is sent.

use std::sync::Arc;

use model::{FeedGap, Seq};

use crate::book::{BookRecord, BookSnapshot};
use crate::event::Event;
use crate::fold::SummaryRecord;
use crate::ids::TopicId;
use crate::options::Look;

/// What a session should be sent now.
#[derive(Debug, Default)]
pub struct Batch {
    /// To be sent before the items.
    pub started: Option<Notice>,
    /// Events of one channel as they are, where that is all there is: then there are no items.
    pub runs: Vec<Run>,
    /// In the order of the source.
    pub items: Vec<Item>,
    /// To be sent after the items.
    pub ended: Option<Notice>,
    /// Where the session stands after the items: everything up to here it has or was told about.
    pub cursor: u64,
    /// More waits, and would fit into another budget.
    pub more: bool,
    /// A stream with [`crate::Overflow::Disconnect`] fell behind its log: the session must end.
    pub overrun: bool,
}

/// Events of one stream that follow each other, as they are: see [`crate::Fanout::run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The stream.
    pub topic: TopicId,
    /// The place before the first of them.
    pub prev: Seq,
    /// The place of the last of them.
    pub to: Seq,
    /// How the client wants them written.
    pub look: Look,
}

impl Batch {
    /// Makes it empty, and keeps its memory.
    pub(crate) fn clear(&mut self, cursor: u64) {
        self.runs.clear();
        self.items.clear();
        (self.started, self.ended) = (None, None);
        (self.cursor, self.more, self.overrun) = (cursor, false, false);
    }

    /// Nothing is to be sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.items.is_empty()
    }
}

/// One record, or one message about a stream.
#[derive(Debug)]
pub struct Item {
    /// The stream.
    pub topic: TopicId,
    /// Where it stands in the total order: that of its newest part.
    pub position: u64,
    /// How the client wants it written.
    pub look: Look,
    /// What it is.
    pub kind: Kind,
}

/// What an item is.
#[derive(Debug)]
pub enum Kind {
    /// An event, as it is. `prev` is the place the reader had before it.
    Event {
        /// The event.
        event: Arc<Event>,
        /// The place before it.
        prev: Seq,
    },
    /// Many trades as one record.
    Summary {
        /// The record.
        record: Arc<SummaryRecord>,
        /// The place before it.
        prev: Seq,
    },
    /// A change of the book, as deep as the reader sees.
    Book {
        /// The record.
        record: Arc<BookRecord>,
        /// The place before it.
        prev: Seq,
    },
    /// Events that the reader does not get.
    Gap {
        /// The first and the last of them, where that is known.
        range: Option<(Seq, Seq)>,
        /// Why.
        cause: GapCause,
    },
    /// The state of the stream.
    Snapshot {
        /// What it is.
        state: Snapshot,
        /// The place in the total order as of which it is, where that is the newest.
        as_of: Option<u64>,
    },
}

/// Why events are not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapCause {
    /// The reader was too slow, and asked for this or fell behind all that is kept.
    SlowConsumer,
    /// The feed lost them, with what it knows of that.
    FeedGap(Option<FeedGap>),
    /// The reader comes back and they are no longer kept.
    CursorExpired,
}

/// The state of a stream.
#[derive(Debug)]
pub enum Snapshot {
    /// Nothing is known, or nothing that the reader may see; it stands there.
    Empty(Seq),
    /// The newest events, oldest first.
    Events(Vec<Arc<Event>>),
    /// The book.
    Book(Arc<BookSnapshot>),
}

/// Coalescing because of slowness began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// At the start: about how many bytes wait.
    pub queued_bytes: usize,
    /// At the start: how long the oldest event has waited, in milliseconds. At the end: how long it
    /// took.
    pub millis: u64,
    /// At the end: events folded into others meanwhile.
    pub coalesced: u64,
    /// At the end: events named in gaps meanwhile.
    pub skipped: u64,
}
