//! What one fan-out leaves to another, so that cursors and sequences go on in a second process.
//!
//! Of a stream that is its newest events, of a book its levels as they stand and which depths are read. Whoever
//! has a place from before that is told a gap, as where a log has forgotten.

use std::sync::Arc;
use std::time::Duration;

use model::{Body, BookChange, FeedGap, GapReason, Placed, Seq};

use crate::book::Books;
use crate::event::{Encoded, Event};
use crate::fanout::Fanout;
use crate::options::Depth;
use crate::sequencer::{Sequencer, SymbolTaken};
use crate::topic::Topic;

/// What is kept of one stream; `E` is an [`Arc<Event>`], or a [`Placed`] that is yet to become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<E> {
    /// The newest events, oldest first, without holes; of a book one that says how it stands. Never empty.
    pub events: Vec<E>,
    /// Of candles, the closed bars before those.
    pub closed: Vec<E>,
    /// The newest closed bar that is gone: its place in the stream, and in the total order.
    pub lost: (Seq, u64),
    /// Where the stream stood in the past: positions in the total order, and places.
    pub trail: Vec<(u64, Seq)>,
    /// Of a book, the views in use.
    pub views: Vec<KeptView>,
}

/// What is kept of a view of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptView {
    /// How deep it is.
    pub depth: Depth,
    /// Its records carry checksums.
    pub checksum: bool,
    /// The place of its newest record.
    pub seen: Seq,
}

impl Fanout {
    /// What a successor needs: of each stream at most `most` events, and as many closed bars. Cost: O(what is
    /// given), no copy of an event.
    #[must_use]
    pub fn kept(&self, most: usize) -> Vec<Kept<Arc<Event>>> {
        self.topics.iter().flatten().filter_map(|topic| topic.kept(most.max(1))).collect()
    }

    /// How many streams there are.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.topics.iter().flatten().count()
    }

    /// Where this fan-out stands in the total order.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Input: what a predecessor has left of a stream, before anything else of that stream. Symbols come in the
    /// order in which they are numbered.
    pub fn restore(&mut self, kept: &Kept<Arc<Event>>, now: Duration) {
        let Some(newest) = kept.events.last() else { return };
        self.list(newest);
        (self.position, self.now) = (self.position.max(newest.position), now);
        self.open_topic(newest.topic);
        if let Some(topic) = &mut self.topics[newest.topic.index()] {
            topic.restore(kept, &mut self.sessions, now);
        }
    }
}

/// Nothing is gone.
const NONE: (Seq, u64) = (Seq::START, 0);

impl Sequencer {
    /// Goes on where another one was: the events of what it has left, and its numbers.
    ///
    /// # Errors
    /// Two of the instruments have one symbol.
    pub fn adopt(&mut self, estate: Vec<Kept<Placed>>) -> Result<Vec<Kept<Arc<Event>>>, SymbolTaken> {
        let (mut adopted, mut all) = (Vec::with_capacity(estate.len()), Vec::new());
        for (at, kept) in estate.into_iter().enumerate() {
            let Kept { events, closed, lost, trail, views } = kept;
            // Symbols are numbered as they come, not as old as their events are.
            if let Some(first) = events.first() {
                self.list(&first.instrument)?;
            }
            adopted.push(Kept { events: Vec::new(), closed: Vec::new(), lost, trail, views });
            all.extend(closed.into_iter().map(|placed| (placed, at, true)));
            all.extend(events.into_iter().map(|placed| (placed, at, false)));
        }
        // In the total order, so that each trade finds the quote before it.
        all.sort_by_key(|(placed, ..)| placed.position);
        for (placed, at, is_closed_bar) in all {
            let event = self.follow(placed)?;
            let kept = &mut adopted[at];
            if is_closed_bar { kept.closed.push(event) } else { kept.events.push(event) }
        }
        Ok(adopted)
    }
}

impl Topic {
    fn kept(&self, most: usize) -> Option<Kept<Arc<Event>>> {
        let newest = |count: usize| {
            let whole = self.whole()?;
            let from = Seq(self.head.0.saturating_sub(count as u64)).max(whole.start()?);
            Some(whole.between(from, self.head).cloned().collect::<Vec<_>>())
        };
        let (events, closed, lost, views) = match (self.bars(), self.book()) {
            (Some(bars), _) => {
                let events = newest(most)?;
                let (closed, lost) = bars.before(events.first()?.seq, most);
                (events, closed, lost, Vec::new())
            }
            (_, Some(books)) => (vec![stands(books)?], Vec::new(), NONE, books.in_use()),
            _ => (newest(most)?, Vec::new(), NONE, Vec::new()),
        };
        (!events.is_empty()).then_some(Kept { events, closed, lost, trail: self.trail(), views })
    }
}

/// An event that says how a book stands, in the place of the newest one.
fn stands(books: &Books) -> Option<Arc<Event>> {
    let (newest, levels) = books.newest()?;
    let body = match (levels, &newest.body) {
        (Some(levels), _) => Body::Book(BookChange::Snapshot(levels)),
        (None, gap @ Body::Book(BookChange::Gap(_))) => gap.clone(),
        (None, _) => {
            let unknown = FeedGap { reason: GapReason::Reconnect, venue_from: None, venue_to: None };
            Body::Book(BookChange::Gap(unknown))
        }
    };
    Some(Arc::new(Event {
        topic: newest.topic,
        record: Placed { instrument: Arc::clone(&newest.instrument), body, ..newest.record },
        quote: None,
        sequenced: newest.sequenced,
        encoded: Encoded::default(),
    }))
}
