//! A stream as its readers see it: all of it, or what a filter lets through.
//!
//! Each filter in use has a log of its own, so what is merged for its readers is merged of what they
//! asked for. What it hides is no entry, and lies in the range of the next one.

use std::sync::Arc;
use std::time::Duration;

use model::{Filter, Seq};

use crate::event::Event;
use crate::fold::{Entry, Fold, Seen};
use crate::lane::{Lane, News};
use crate::ring::Bounds;
use crate::session::Sessions;

pub(crate) struct Views<F: Fold<Entry = Seen>> {
    bounds: Bounds,
    all: Lane<F>,
    filtered: Vec<Filtered<F>>,
}

struct Filtered<F: Fold<Entry = Seen>> {
    filter: Arc<Filter>,
    /// The place of the newest event that it let through.
    seen: Seq,
    /// How many will read it once they have what waits for them.
    reserved: usize,
    lane: Lane<F>,
}

impl<F: Fold<Entry = Seen>> Views<F> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, all: Lane::new(bounds), filtered: Vec::new() }
    }

    /// The log begins after what is not known here.
    pub(crate) fn begin_after(&mut self, floor: Seq, evicted: u64) {
        self.all.ring.begin_after(floor, evicted);
    }

    /// Begins anew after `floor`, where nobody lacks what is in it.
    pub(crate) fn restart(&mut self, floor: Seq, evicted: u64) {
        self.all.ring.restart(floor, evicted);
        for view in &mut self.filtered {
            view.lane.ring.restart(floor, evicted);
            view.seen = floor;
        }
    }

    /// How many filters are in use.
    pub(crate) const fn filters(&self) -> usize {
        self.filtered.len()
    }

    pub(crate) fn has(&self, filter: &Filter) -> bool {
        self.filtered.iter().any(|view| *view.filter == *filter)
    }

    /// The log for a filter; nobody's where it is not in use.
    pub(crate) fn get(&self, filter: Option<&Arc<Filter>>) -> Option<&Lane<F>> {
        let Some(filter) = filter else { return Some(&self.all) };
        self.filtered.iter().find(|view| view.filter == *filter).map(|view| &view.lane)
    }

    /// The log for a filter, made of what is kept where it is new.
    pub(crate) fn open(&mut self, filter: Option<&Arc<Filter>>) -> &mut Lane<F> {
        let Some(filter) = filter else { return &mut self.all };
        let known = self.filtered.iter().position(|view| view.filter == *filter);
        let index = known.unwrap_or_else(|| {
            // What happened before the log begins cannot be told any more.
            let ring = self.all.ring.emptied(self.bounds);
            let mut view = Filtered {
                filter: Arc::clone(filter),
                seen: ring.floor(),
                reserved: 0,
                lane: Lane { ring, ..Lane::new(self.bounds) },
            };
            for (seen, arrived, sealed) in self.all.ring.all() {
                view.offer(&seen.event, arrived, None);
                if sealed {
                    view.lane.ring.seal();
                }
            }
            self.filtered.push(view);
            self.filtered.len() - 1
        });
        &mut self.filtered[index].lane
    }

    /// Where a reader that begins now stands: at the newest event it can see.
    pub(crate) fn head(&self, filter: Option<&Arc<Filter>>, head: Seq) -> Seq {
        let Some(filter) = filter else { return head };
        let view = self.filtered.iter().find(|view| view.filter == *filter);
        view.map_or(head, |view| view.seen)
    }

    /// Where a reader stands that has everything up to `position` in the total order, and about how
    /// many bytes it lacks; `None` where something it lacks, or where it stands, is not known any more.
    pub(crate) fn backlog(&mut self, filter: Option<&Arc<Filter>>, position: u64) -> Option<(Seq, usize)> {
        let from_the_start = self.all.ring.holds_since(0);
        let ring = &self.open(filter).ring;
        // Of what a filter lets through, only the log tells which came last.
        let known = filter.is_none() || from_the_start || ring.has_until(position);
        (known && ring.holds_since(position)).then(|| {
            let place = ring.place_at(position);
            (place, ring.weight(place, u64::MAX))
        })
    }

    pub(crate) fn push(&mut self, event: &Arc<Event>, sessions: &mut Sessions, news: News) {
        let readers = &self.all.readers;
        let seen = Seen { event: Arc::clone(event), prev: event.seq.prev() };
        self.all.ring.push(seen, news.now, |places| readers.places(sessions, places));
        self.all.readers.wake(sessions, news);
        for view in &mut self.filtered {
            if view.offer(event, news.now, Some(sessions)) {
                view.lane.readers.wake(sessions, news);
            }
        }
    }

    /// No fold goes beyond the newest entry.
    pub(crate) fn seal(&mut self) {
        self.all.ring.seal();
        self.filtered.iter_mut().for_each(|view| view.lane.ring.seal());
    }

    /// Somebody will read the log for a filter.
    pub(crate) fn reserve(&mut self, filter: &Arc<Filter>) {
        self.open(Some(filter));
        self.filtered.iter_mut().filter(|view| view.filter == *filter).for_each(|view| view.reserved += 1);
    }

    /// Somebody reads it now, or will not.
    pub(crate) fn release(&mut self, filter: &Arc<Filter>) {
        self.filtered.iter_mut().filter(|view| view.filter == *filter).for_each(|view| view.reserved -= 1);
        self.prune();
    }

    /// Forgets what nobody reads.
    pub(crate) fn prune(&mut self) {
        self.filtered.retain(|view| view.reserved > 0 || !view.lane.readers.is_empty());
    }
}

impl<F: Fold<Entry = Seen>> Filtered<F> {
    /// Takes an event in where the filter lets it through.
    fn offer(&mut self, event: &Arc<Event>, arrived: Duration, sessions: Option<&Sessions>) -> bool {
        let lets = self.filter.lets(&event.body);
        if lets {
            let entry = Seen { event: Arc::clone(event), prev: self.seen };
            self.seen = entry.seq();
            let readers = &self.lane.readers;
            self.lane.ring.push(entry, arrived, |places| {
                if let Some(sessions) = sessions {
                    readers.places(sessions, places);
                }
            });
        }
        lets
    }
}
