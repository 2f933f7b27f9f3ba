//! A bounded log of one stream: the newest entries, and folds of older ones for those who still
//! wait for them.
//!
//! Entries leave at the front. Where nobody waits they are gone; where somebody does, they are
//! folded into *parts*. A new part begins at every *mark*, the place of a reader, so that each
//! reader can be given exactly what it lacks: the parts behind its mark, and then the log.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use model::Seq;

use crate::fold::{Entry, Fate, Fold};
use crate::item::GapCause;

pub(crate) struct Ring<F: Fold> {
    slots: VecDeque<Slot<F::Entry>>,
    /// Sum of all weights that ever came in.
    weighed: u64,
    parts: VecDeque<Part<F>>,
    units: usize,
    /// Places of readers among the entries, in order.
    marks: VecDeque<Seq>,
    /// Entries that may leave before the marks must be taken anew.
    fresh_for: usize,
    /// Where the newest entry that has left stands in the total order.
    evicted: u64,
    /// Whoever is before this lacks something that nobody can give any more.
    floor: Seq,
    floor_cause: GapCause,
    bounds: Bounds,
}

/// How much a ring keeps.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    pub(crate) units: usize,
}

struct Slot<E> {
    entry: E,
    /// When it came in.
    arrived: Duration,
    /// Sum of the weights up to and with this entry.
    weighed: u64,
    /// No fold goes beyond this entry.
    sealed: bool,
}

struct Part<F> {
    fold: F,
    sealed: bool,
}

/// What a reader at some place lacks.
pub(crate) struct Lack {
    /// Up to here nobody can give it any more.
    pub(crate) lost: Option<(Seq, GapCause)>,
    /// Up to here it was void before it was lost.
    pub(crate) void: Option<(Seq, GapCause)>,
    /// Parts that it lacks.
    parts: Range<usize>,
    /// Entries that it lacks.
    entries: Range<usize>,
    /// About how many bytes these entries have.
    pub(crate) weight: usize,
    /// Something it lacks has left the log.
    pub(crate) overrun: bool,
}

impl<F: Fold> Ring<F> {
    pub(crate) const fn new(bounds: Bounds) -> Self {
        Self {
            slots: VecDeque::new(),
            weighed: 0,
            parts: VecDeque::new(),
            units: 0,
            marks: VecDeque::new(),
            fresh_for: 0,
            evicted: 0,
            floor: Seq::START,
            floor_cause: GapCause::SlowConsumer,
            bounds,
        }
    }

    /// An empty log that lacks what this one lacks.
    pub(crate) fn emptied(&self, bounds: Bounds) -> Self {
        Self { evicted: self.evicted, floor: self.begins(), ..Self::new(bounds) }
    }

    /// The log, which is empty, begins after `floor`; what came before it is gone, the newest of it at `evicted`
    /// in the total order at the latest.
    pub(crate) const fn begin_after(&mut self, floor: Seq, evicted: u64) {
        (self.floor, self.evicted) = (floor, evicted);
    }

    /// Begins anew after `floor`, where nobody lacks what is in it.
    pub(crate) fn restart(&mut self, floor: Seq, evicted: u64) {
        self.slots.clear();
        self.parts.clear();
        self.marks.clear();
        (self.units, self.fresh_for) = (0, 0);
        self.begin_after(floor, evicted);
    }

    /// The place before the oldest entry.
    pub(crate) fn start(&self) -> Option<Seq> {
        self.slots.front().map(|slot| slot.entry.prev())
    }

    /// Whoever is before this lacks something that nobody can give any more.
    pub(crate) const fn floor(&self) -> Seq {
        self.floor
    }

    /// Whether an entry at or before `position` in the total order is in the log.
    pub(crate) fn has_until(&self, position: u64) -> bool {
        self.slots.front().is_some_and(|slot| slot.entry.position() <= position)
    }

    /// All entries, oldest first, when each came in, and whether it is sealed.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&F::Entry, Duration, bool)> {
        self.slots.iter().map(|slot| (&slot.entry, slot.arrived, slot.sealed))
    }

    /// Adds the newest entry, which came in at `arrived`. Where old ones leave and the marks are no longer fresh, `readers`
    /// must give the places of all who lack something, in any order.
    pub(crate) fn push(&mut self, entry: F::Entry, arrived: Duration, readers: impl Fn(&mut Vec<Seq>)) {
        self.weighed += entry.weight() as u64;
        self.slots.push_back(Slot { entry, arrived, weighed: self.weighed, sealed: false });
        while self.is_over() {
            if self.fresh_for == 0 {
                let mut places = Vec::new();
                readers(&mut places);
                places.sort_unstable();
                places.dedup();
                self.forget_until(places.first().copied().unwrap_or(Seq(u64::MAX)));
                self.marks = places.into();
                // Who has everything now is ahead of as many entries as there are; half of that is
                // safe, however long the next ones are.
                self.fresh_for = (self.slots.len() / 2).max(1);
            }
            self.fresh_for -= 1;
            self.evict();
        }
    }

    /// A reader stopped here, between two of the entries.
    pub(crate) fn mark(&mut self, place: Seq) {
        if let Err(at) = self.marks.binary_search(&place) {
            self.marks.insert(at, place);
        }
    }

    /// No fold goes beyond the newest entry.
    pub(crate) fn seal(&mut self) {
        match (self.slots.back_mut(), self.parts.back_mut()) {
            (Some(slot), _) => slot.sealed = true,
            (None, Some(part)) => part.sealed = true,
            (None, None) => {}
        }
    }

    pub(crate) fn newest(&self) -> Option<&F::Entry> {
        self.slots.back().map(|slot| &slot.entry)
    }

    /// When the newest entry came in.
    pub(crate) fn newest_arrived(&self) -> Option<Duration> {
        self.slots.back().map(|slot| slot.arrived)
    }

    /// Whether every entry after `position` in the total order is still in the log.
    pub(crate) const fn holds_since(&self, position: u64) -> bool {
        self.evicted <= position
    }

    /// The place of the newest entry at or before `position` in the total order, as far as the log
    /// tells.
    pub(crate) fn place_at(&self, position: u64) -> Seq {
        let after = self.slots.partition_point(|slot| slot.entry.position() <= position);
        match after.checked_sub(1) {
            Some(at) => self.slots[at].entry.seq(),
            None => self.begins(),
        }
    }

    /// The place of the oldest entry.
    pub(crate) fn oldest(&self) -> Seq {
        self.slots.front().map_or(Seq(u64::MAX), |slot| slot.entry.seq())
    }

    /// The place before the oldest entry.
    pub(crate) fn begins(&self) -> Seq {
        self.slots.front().map_or(Seq::START, |slot| slot.entry.prev())
    }

    /// The newest entries up to `place`, at most `count`, oldest first.
    pub(crate) fn last_until(&self, place: Seq, count: usize) -> impl DoubleEndedIterator<Item = &F::Entry> {
        let end = self.index_after(place);
        self.slots.range(end.saturating_sub(count)..end).map(|slot| &slot.entry)
    }

    pub(crate) fn lack(&self, place: Seq) -> Lack {
        let start = self.index_after(place);
        let before = self.weighed_until(start);
        let first_part = self.parts.partition_point(|part| part.fold.to() <= place);
        let evicted = self.slots.front().is_some_and(|slot| slot.entry.prev() > place);
        let reach = self.parts.get(first_part).map(|part| part.fold.prev());
        let reach = reach.or(self.slots.front().map(|slot| slot.entry.prev())).unwrap_or(Seq::START);
        let given_from = self.floor.max(reach);
        Lack {
            void: (place < self.floor && matches!(self.floor_cause, GapCause::FeedGap(_)))
                .then_some((self.floor, self.floor_cause)),
            lost: (place < given_from).then_some((given_from, self.floor_cause)),
            parts: first_part..self.parts.len(),
            entries: start..self.slots.len(),
            weight: usize::try_from(self.weighed - before).unwrap_or(usize::MAX),
            overrun: evicted || first_part < self.parts.len() || place < self.floor,
        }
    }

    pub(crate) fn entries(&self, lack: &Lack) -> impl DoubleEndedIterator<Item = &F::Entry> {
        self.slots.range(lack.entries.clone()).map(|slot| &slot.entry)
    }

    /// The entries lacked, and when each came in.
    pub(crate) fn arrivals(&self, lack: &Lack) -> impl Iterator<Item = (&F::Entry, Duration)> {
        self.slots.range(lack.entries.clone()).map(|slot| (&slot.entry, slot.arrived))
    }

    /// When the first entry lacked came in.
    pub(crate) fn first_arrived(&self, lack: &Lack) -> Option<Duration> {
        self.slots.range(lack.entries.clone()).next().map(|slot| slot.arrived)
    }

    /// How many of the newest entries lacked fit into `bytes`.
    pub(crate) fn newest_within(&self, lack: &Lack, bytes: usize) -> usize {
        let from = self.weighed.saturating_sub(bytes as u64);
        let first = if self.weighed_until(0) >= from {
            0
        } else {
            self.slots.partition_point(|slot| slot.weighed < from) + 1
        };
        lack.entries.end.saturating_sub(first.max(lack.entries.start))
    }

    /// How many of the entries lacked stand at or before a place in the total order.
    pub(crate) fn count_until(&self, lack: &Lack, until: u64) -> usize {
        let end = self.slots.partition_point(|slot| slot.entry.position() <= until);
        end.saturating_sub(lack.entries.start).min(lack.entries.len())
    }

    /// Where the first entry that a reader at `place` lacks stands in the total order.
    pub(crate) fn next_position(&self, place: Seq) -> Option<u64> {
        self.slots.get(self.index_after(place)).map(|slot| slot.entry.position())
    }

    /// About how many bytes a reader at `place` lacks, up to a place in the total order.
    pub(crate) fn weight(&self, place: Seq, until: u64) -> usize {
        let start = self.index_after(place);
        let end = match until {
            u64::MAX => self.slots.len(),
            until => self.slots.partition_point(|slot| slot.entry.position() <= until).max(start),
        };
        usize::try_from(self.weighed_until(end) - self.weighed_until(start)).unwrap_or(usize::MAX)
    }

    /// About how many bytes a reader at `place` lacks; `None` where something has left the log.
    pub(crate) fn whole_weight(&self, place: Seq) -> Option<usize> {
        let is_kept = self.slots.front().is_none_or(|slot| slot.entry.prev() <= place) && place >= self.floor;
        is_kept.then(|| self.weight(place, u64::MAX))
    }

    /// The entries after `prev`, up to `to`.
    pub(crate) fn between(
        &self,
        prev: Seq,
        to: Seq,
    ) -> impl DoubleEndedIterator<Item = &F::Entry> + ExactSizeIterator {
        self.slots.range(self.index_after(prev)..self.index_after(to)).map(|slot| &slot.entry)
    }

    /// The sum of the weights before the entry at `index`.
    fn weighed_until(&self, index: usize) -> u64 {
        match index.checked_sub(1) {
            Some(before) => self.slots[before].weighed,
            None => self.slots.front().map_or(self.weighed, |slot| slot.weighed - slot.entry.weight() as u64),
        }
    }

    /// Folds all that is lacked but its newest `keep` entries, into as few as can be.
    pub(crate) fn folded(&self, lack: &Lack, keep: usize) -> Vec<F> {
        let mut folds = Vec::<F>::new();
        let mut may_join = false;
        let mut take = |fold: &F, sealed: bool| {
            let joined = may_join && folds.last_mut().is_some_and(|last| last.join(fold));
            if !joined {
                folds.push(fold.clone());
            }
            may_join = !sealed;
        };
        for part in self.parts.range(lack.parts.clone()) {
            take(&part.fold, part.sealed);
        }
        for slot in self.slots.range(lack.entries.start..lack.entries.end - keep) {
            if let Fate::Folded(fold) = F::fate(&slot.entry) {
                take(&fold, slot.sealed);
            }
        }
        folds
    }

    fn index_after(&self, place: Seq) -> usize {
        let Some(newest) = self.slots.back() else { return 0 };
        let lacks = newest.entry.seq().0.saturating_sub(place.0);
        // Where nothing is hidden the places have no holes, and most readers are near the end.
        let guess = self.slots.len().saturating_sub(usize::try_from(lacks).unwrap_or(usize::MAX));
        let fits = |at: usize| self.slots[at].entry.seq() > place;
        let is_first = |at: usize| at == 0 || self.slots[at - 1].entry.seq() <= place;
        if lacks == 0 || (guess < self.slots.len() && fits(guess) && is_first(guess)) {
            return if lacks == 0 { self.slots.len() } else { guess };
        }
        self.slots.partition_point(|slot| slot.entry.seq() <= place)
    }

    fn is_over(&self) -> bool {
        let bytes = self.weighed - self.weighed_until(0);
        self.slots.len() > self.bounds.events || (bytes > self.bounds.bytes as u64 && self.slots.len() > 1)
    }

    fn evict(&mut self) {
        let Some(slot) = self.slots.pop_front() else { return };
        let (seq, prev) = (slot.entry.seq(), slot.entry.prev());
        self.evicted = slot.entry.position();
        while self.marks.front().is_some_and(|&mark| mark < prev) {
            self.marks.pop_front();
        }
        // A reader may stand between two entries where its view hid what came between.
        let marked = self.marks.front().is_some_and(|&mark| mark < seq);
        match F::fate(&slot.entry) {
            Fate::Forgotten => {}
            Fate::Void(cause) => {
                self.parts.clear();
                self.units = 0;
                (self.floor, self.floor_cause) = (seq, cause);
            }
            Fate::Folded(fold) => self.keep(fold, slot.sealed, marked),
        }
    }

    fn keep(&mut self, fold: F, sealed: bool, marked: bool) {
        if self.parts.is_empty() && !marked {
            return;
        }
        let before = self.parts.back().map_or(0, |part| part.fold.units());
        let last = self.parts.back_mut().filter(|last| !marked && !last.sealed);
        if let Some(last) = last
            && last.fold.join(&fold)
        {
            last.sealed = sealed;
            self.units = self.units - before + last.fold.units();
        } else {
            self.units += fold.units();
            self.parts.push_back(Part { fold, sealed });
        }
        while self.units > self.bounds.units {
            let Some(oldest) = self.parts.pop_front() else { break };
            self.units -= oldest.fold.units();
            (self.floor, self.floor_cause) = (oldest.fold.to(), GapCause::SlowConsumer);
        }
    }

    /// Drops the parts that nobody lacks: all readers are at `place` or beyond.
    fn forget_until(&mut self, place: Seq) {
        while self.parts.front().is_some_and(|part| part.fold.to() <= place) {
            if let Some(part) = self.parts.pop_front() {
                self.units -= part.fold.units();
            }
        }
    }
}
