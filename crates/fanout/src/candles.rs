//! Bars: the newest of each, and every closed one.

use std::collections::VecDeque;
use std::sync::Arc;

use model::{Body, Seq};

use crate::event::Event;
use crate::fold::Newest;
use crate::lane::Lane;
use crate::ring::Bounds;

pub(crate) struct Bars {
    pub(crate) lane: Lane<Newest>,
    /// Closed bars, oldest first.
    closed: VecDeque<Arc<Event>>,
    closed_max: usize,
    /// The place of the newest closed bar that is no longer kept.
    lost: Seq,
}

impl Bars {
    pub(crate) fn new(bounds: Bounds, closed_max: usize) -> Self {
        Self { lane: Lane::new(bounds), closed: VecDeque::new(), closed_max, lost: Seq::START }
    }

    /// Keeps the event where it closes a bar; tells whether it does.
    pub(crate) fn note(&mut self, event: &Arc<Event>) -> bool {
        let closed = is_closed(event);
        if closed {
            self.closed.push_back(Arc::clone(event));
            if self.closed.len() > self.closed_max
                && let Some(oldest) = self.closed.pop_front()
            {
                self.lost = oldest.seq;
            }
        }
        closed
    }

    /// Who is before this has missed a closed bar that is gone.
    pub(crate) const fn lost(&self) -> Seq {
        self.lost
    }

    /// What a reader at `place` lacks at least: the closed bars, and the newest state of the open one.
    pub(crate) fn since(&self, place: Seq) -> impl Iterator<Item = Arc<Event>> {
        let start = self.closed.partition_point(|event| event.seq <= place);
        let open = self.lane.ring.newest().filter(|event| event.seq > place && !is_closed(event));
        self.closed.range(start..).chain(open).cloned()
    }

    /// The newest bars as of `place`: closed ones, and the open one where it is known.
    pub(crate) fn last_until(&self, place: Seq, count: usize) -> Vec<Arc<Event>> {
        let end = self.closed.partition_point(|event| event.seq <= place);
        let open = self.lane.ring.last_until(place, 1).next().filter(|event| !is_closed(event));
        let count = count - usize::from(open.is_some()).min(count);
        self.closed.range(end.saturating_sub(count)..end).chain(open).cloned().collect()
    }
}

pub(crate) fn is_closed(event: &Event) -> bool {
    matches!(&event.body, Body::Candle(candle) if candle.closed)
}
