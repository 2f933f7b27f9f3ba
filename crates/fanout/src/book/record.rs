//! What readers of a book are sent.

use model::{FeedGap, Levels, Seq, UnixNanos};

use crate::event::Encoded;
use crate::ids::TopicId;
use crate::options::Depth;

/// What changed in a view of a book.
#[derive(Debug)]
pub struct BookRecord {
    /// The stream.
    pub topic: TopicId,
    /// The place of its newest part.
    pub seq: Seq,
    /// The place of the record before it in this view.
    pub prev: Seq,
    /// The place of its newest part in the total order.
    pub position: u64,
    /// Where its first part stands there, or before that where it is not known any more.
    pub first: u64,
    /// The venue's time of its newest part.
    pub ts_event: UnixNanos,
    /// When the venue sent that, where it says so, and when that got its place.
    pub ts_source: Option<UnixNanos>,
    /// See [`Self::ts_source`].
    pub ts_seq: Option<UnixNanos>,
    /// When its newest part was received.
    pub ts_recv: UnixNanos,
    /// The levels; removals have size zero. All of them, where the book is known again.
    pub levels: Levels,
    /// The best bid is at or above the best ask.
    pub crossed: bool,
    /// The best bid is the best ask.
    pub locked: bool,
    /// Checksum of the view after it, where that was asked for.
    pub checksum: Option<u32>,
    /// Its bytes, made once.
    pub encoded: Encoded,
    pub(crate) news: BookNews,
}

/// What a record of a view is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BookNews {
    Delta,
    /// The feed lost updates, or the venue begins anew: the book is void.
    Void(FeedGap),
    /// The book is known again, after what made it void.
    Known(Option<FeedGap>),
}

/// A view of a book as it stands.
#[derive(Debug)]
pub struct BookSnapshot {
    /// As of this place in the stream.
    pub seq: Seq,
    /// Levels a side that were asked for; 0 = all.
    pub depth: usize,
    /// The venue's time of the last change.
    pub ts_event: UnixNanos,
    /// When the venue sent the last change, where it says so, and when that got its place.
    pub ts_source: Option<UnixNanos>,
    /// See [`Self::ts_source`].
    pub ts_seq: Option<UnixNanos>,
    /// When the last change was received.
    pub ts_recv: UnixNanos,
    /// The levels, best first.
    pub levels: Levels,
    /// The best bid is at or above the best ask.
    pub crossed: bool,
    /// The best bid is the best ask.
    pub locked: bool,
    /// Checksum, where that was asked for.
    pub checksum: Option<u32>,
    /// Its bytes, made once.
    pub encoded: Encoded,
}

impl BookRecord {
    /// The state that a record which makes the book known has.
    pub(super) fn as_snapshot(&self, depth: Depth) -> BookSnapshot {
        BookSnapshot {
            seq: self.seq,
            depth: depth.shown(),
            ts_event: self.ts_event,
            ts_source: self.ts_source,
            ts_seq: self.ts_seq,
            ts_recv: self.ts_recv,
            levels: self.levels.clone(),
            crossed: self.crossed,
            locked: self.locked,
            checksum: self.checksum,
            encoded: Encoded::default(),
        }
    }
}
