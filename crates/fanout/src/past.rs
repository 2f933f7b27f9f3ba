//! A stream's past, as far as its log keeps it, piece by piece: for those who read it once.

use std::sync::Arc;

use model::Seq;

use crate::candles::Bars;
use crate::event::Event;
use crate::fanout::Fanout;
use crate::fold::{Fold, Seen};
use crate::ids::{Stream, TopicId};
use crate::ring::Ring;
use crate::topic::{Log, Topic, Whole};

/// Which part of a stream's past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The first place wanted, as far as it came after `after`.
    pub from: Seq,
    /// The last place wanted.
    pub to: Seq,
    /// Only what came after this place in the total order; 0 = anything.
    pub after: u64,
    /// The newest of it first.
    pub backwards: bool,
    /// So many events at most.
    pub most: usize,
}

/// A piece of a stream's past.
#[derive(Debug)]
pub struct Past {
    /// In the order asked for. Of candles: closed bars, and the newest state of the open one.
    pub events: Vec<Arc<Event>>,
    /// The first place wanted; not beyond it where the log does not tell any more.
    pub from: Seq,
    /// From here on nothing is missing.
    pub oldest: Seq,
    /// The place of the newest event.
    pub newest: Seq,
    /// More of what was asked for is kept.
    pub more: bool,
    /// Everything of the stream up to here in the total order came before the piece's upper end, or is in it.
    pub position: u64,
}

impl Default for Excerpt {
    fn default() -> Self {
        Self { from: Seq::START.next(), to: Seq(u64::MAX), after: 0, backwards: false, most: usize::MAX }
    }
}

impl Fanout {
    /// What is kept of a stream's past; `None` of a book, which has a state and no events of its own. Cost: O(what
    /// is returned), and for candles O(bars that are kept).
    #[must_use]
    pub fn past(&self, id: TopicId, wanted: &Excerpt) -> Option<Past> {
        let now = self.position.max(wanted.after);
        match self.topics[id.index()].as_deref() {
            _ if id.stream == Stream::Book => None,
            Some(topic) => topic.past(wanted, now),
            None => Some(Past {
                events: Vec::new(),
                from: wanted.from,
                oldest: Seq::START.next(),
                newest: Seq::START,
                more: false,
                position: now,
            }),
        }
    }
}

impl Topic {
    fn past(&self, wanted: &Excerpt, now: u64) -> Option<Past> {
        // What has left the log is told by the trail, never beyond the true place.
        let trail = self.place_before(wanted.after);
        let kept = match (&self.log, self.whole()) {
            (Log::Bars(bars), _) => of_bars(bars, wanted, trail),
            (_, Some(Whole::Trades(ring))) => of_ring(ring, wanted, trail),
            (_, Some(Whole::Newest(ring))) => of_ring(ring, wanted, trail),
            (_, Some(Whole::Each(ring))) => of_ring(ring, wanted, trail),
            (_, None) => return None,
        };
        let Kept { events, from, oldest, more } = kept;
        // Nothing is left out above the piece where it reaches the newest event.
        let is_whole = wanted.to >= self.head && (wanted.backwards || !more);
        let upper = if wanted.backwards { events.first() } else { events.last() };
        let position = if is_whole { now } else { upper.map_or(wanted.after, |event| event.position) };
        Some(Past { events, from, oldest, newest: self.head, more, position })
    }
}

/// What a log has of an excerpt.
struct Kept {
    events: Vec<Arc<Event>>,
    from: Seq,
    oldest: Seq,
    more: bool,
}

fn of_ring<F: Fold<Entry = Seen>>(ring: &Ring<F>, wanted: &Excerpt, trail: Seq) -> Kept {
    let place = if ring.holds_since(wanted.after) { ring.place_at(wanted.after) } else { trail };
    let from = if wanted.after == 0 { wanted.from } else { wanted.from.max(place.next()) };
    let (prev, to) = (from.prev(), wanted.to.max(from.prev()));
    let kept = ring.between(prev, to);
    let more = kept.len() > wanted.most;
    Kept { events: piece(kept.map(|seen| &seen.event), wanted), from, oldest: ring.begins().next(), more }
}

fn of_bars(bars: &Bars, wanted: &Excerpt, trail: Seq) -> Kept {
    let all = bars.since(Seq::START);
    let from = if wanted.after == 0 {
        wanted.from
    } else {
        wanted.from.max(bars.place_before(wanted.after).max(trail).next())
    };
    let kept: Vec<_> = all.iter().filter(|event| (from..=wanted.to).contains(&event.seq)).collect();
    let more = kept.len() > wanted.most;
    Kept { events: piece(kept.into_iter(), wanted), from, oldest: bars.lost().next(), more }
}

fn piece<'a>(kept: impl DoubleEndedIterator<Item = &'a Arc<Event>>, wanted: &Excerpt) -> Vec<Arc<Event>> {
    if wanted.backwards {
        kept.rev().take(wanted.most).cloned().collect()
    } else {
        kept.take(wanted.most).cloned().collect()
    }
}
