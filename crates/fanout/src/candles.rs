//! Bars: the newest of each, and every closed one.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use model::{Body, Seq, UnixNanos};

use crate::event::Event;
use crate::fold::Newest;
use crate::lane::Lane;
use crate::ring::Bounds;

pub(crate) struct Bars {
    pub(crate) lane: Lane<Newest>,
    /// Closed bars, oldest first.
    closed: VecDeque<Arc<Event>>,
    closed_max: usize,
    /// The newest state of the open bar.
    open: Option<Arc<Event>>,
    /// The place of the newest closed bar that is no longer kept, and where that was in the total order.
    lost: (Seq, u64),
}

impl Bars {
    pub(crate) fn new(bounds: Bounds, closed_max: usize) -> Self {
        Self {
            lane: Lane::new(bounds),
            closed: VecDeque::new(),
            closed_max,
            open: None,
            lost: (Seq::START, 0),
        }
    }

    /// Keeps the event, as the state of the open bar or as a closed one; tells whether it closes one.
    pub(crate) fn note(&mut self, event: &Arc<Event>) -> bool {
        let closed = is_closed(event);
        if closed {
            // A late correction of an earlier bar leaves the open one open.
            self.open.take_if(|open| start(open) <= start(event));
            self.closed.push_back(Arc::clone(event));
            if self.closed.len() > self.closed_max
                && let Some(oldest) = self.closed.pop_front()
            {
                self.lost = (oldest.seq, oldest.position);
            }
        } else {
            self.open = Some(Arc::clone(event));
        }
        closed
    }

    /// At most `most` of the closed bars before `place`, oldest first, and the place of the newest that is not
    /// among them.
    pub(crate) fn before(&self, place: Seq, most: usize) -> (Vec<Arc<Event>>, (Seq, u64)) {
        let end = self.closed.partition_point(|event| event.seq < place);
        let start = end.saturating_sub(most);
        let lost = start
            .checked_sub(1)
            .map_or(self.lost, |last| (self.closed[last].seq, self.closed[last].position));
        (self.closed.range(start..end).cloned().collect(), lost)
    }

    /// Begins with closed bars that were kept elsewhere.
    pub(crate) fn restore(&mut self, closed: &[Arc<Event>], lost: (Seq, u64)) {
        self.lost = lost;
        for event in closed {
            self.note(event);
        }
    }

    /// Who is before this has missed a closed bar that is gone.
    pub(crate) const fn lost(&self) -> Seq {
        self.lost.0
    }

    /// The newest place known at or before `position` in the total order, of bars that are or were kept.
    pub(crate) fn place_before(&self, position: u64) -> Seq {
        let all = self.since(Seq::START);
        let known = all.iter().rfind(|event| event.position <= position).map(|event| event.seq);
        known.max(Some(self.lost).filter(|(_, at)| *at <= position).map(|(seq, _)| seq)).unwrap_or(Seq::START)
    }

    /// What a reader at `place` lacks at least, in order: the closed bars, and the newest state of the
    /// open one.
    pub(crate) fn since(&self, place: Seq) -> Vec<Arc<Event>> {
        let start = self.closed.partition_point(|event| event.seq <= place);
        let mut lacks: Vec<_> = self.closed.range(start..).cloned().collect();
        lacks.extend(self.open.clone().filter(|open| open.seq > place));
        lacks.sort_unstable_by_key(|event| event.seq);
        lacks
    }

    /// The newest bars as of `place`, in order: closed ones as they were told last, and the open one where it is known.
    pub(crate) fn last_until(&self, place: Seq, count: usize) -> Vec<Arc<Event>> {
        let end = self.closed.partition_point(|event| event.seq <= place);
        let open = self.open_at(place);
        let count = count - usize::from(open.is_some()).min(count);
        let mut told = BTreeSet::new();
        let newest = self.closed.range(..end).rev().filter(|event| told.insert(start(event)));
        let mut bars: Vec<_> = newest.take(count).cloned().collect();
        bars.extend(open);
        bars.sort_unstable_by_key(|event| event.seq);
        bars
    }

    /// The bar that was open as of `place`.
    fn open_at(&self, place: Seq) -> Option<Arc<Event>> {
        if let Some(open) = self.open.as_ref().filter(|open| open.seq <= place) {
            return Some(Arc::clone(open));
        }
        let recent = self.lane.ring.last_until(place, CORRECTIONS_MAX + 1);
        let recent: Vec<_> = recent.map(|seen| &seen.event).collect();
        let at = recent.iter().rposition(|event| !is_closed(event))?;
        let (open, later) = (recent[at], &recent[at + 1..]);
        later.iter().all(|closed| start(closed) < start(open)).then(|| Arc::clone(open))
    }
}

/// Corrections of earlier bars that may follow each other before an open bar is out of sight.
const CORRECTIONS_MAX: usize = 8;

fn start(event: &Event) -> UnixNanos {
    if let Body::Candle(candle) = &event.body { candle.start } else { UnixNanos(0) }
}

pub(crate) fn is_closed(event: &Event) -> bool {
    matches!(&event.body, Body::Candle(candle) if candle.closed)
}
