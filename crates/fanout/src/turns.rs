//! Whose turn it is in a session: the symbols of which something may be sent now, each with its
//! subscriptions that may.
//!
//! The lists run through the entries themselves. A turn allocates nothing, and a session that wants
//! little is little memory.

use std::hint::black_box;

use slab::Slab;

use crate::ids::SymbolId;
use crate::index::{self, Index};
use crate::session::{Sub, SubId};

/// A session's symbols, and the queue of those of which something may be sent.
#[derive(Default)]
pub(crate) struct Turns {
    groups: Slab<Group>,
    by_symbol: Index<SymbolId, u32>,
    queue: List,
    queued: u32,
}

/// The subscriptions of one symbol. They take their turn together.
#[derive(Default)]
struct Group {
    /// How many there are.
    subs: u32,
    /// It stands in the queue.
    queued: bool,
    /// Who is behind it there.
    next: Link,
    /// Those that may send now.
    ready: List,
}

/// Where a subscription stands.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    group: u32,
    /// It may send, and stands in its group's list.
    queued: bool,
    /// Who is behind it there.
    next: Link,
}

impl Place {
    pub(crate) const fn is_queued(&self) -> bool {
        self.queued
    }
}

/// The number of an entry, or none.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Link(u32);

impl Link {
    const NONE: Self = Self(u32::MAX);

    fn get(self) -> Option<u32> {
        (self != Self::NONE).then_some(self.0)
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::NONE
    }
}

#[derive(Clone, Copy, Default)]
struct List {
    first: Link,
    last: Link,
}

impl List {
    /// `next_of` is where an entry keeps who is behind it.
    fn push(&mut self, id: u32, mut next_of: impl FnMut(u32, Link)) {
        next_of(id, Link::NONE);
        match self.last.get() {
            Some(last) => next_of(last, Link(id)),
            None => self.first = Link(id),
        }
        self.last = Link(id);
    }

    fn iter(self, next_of: impl Fn(u32) -> Link) -> impl Iterator<Item = u32> {
        std::iter::successors(self.first.get(), move |&id| next_of(id).get())
    }
}

impl Turns {
    /// A subscription to a symbol begins.
    pub(crate) fn join(&mut self, symbol: SymbolId) -> Place {
        let group = self.by_symbol.find(symbol).unwrap_or_else(|| {
            let group = index::insert(&mut self.groups, Group::default());
            self.by_symbol.insert(symbol, group);
            group
        });
        self.groups[group as usize].subs += 1;
        Place { group, queued: false, next: Link::NONE }
    }

    /// A subscription ends; it is not queued any more.
    pub(crate) fn leave(&mut self, place: Place, symbol: SymbolId) {
        let group = &mut self.groups[place.group as usize];
        group.subs -= 1;
        if group.subs > 0 {
            return;
        }
        if group.queued {
            let left: Vec<u32> = self.groups().filter(|&queued| queued != place.group).collect();
            (self.queue, self.queued) = (List::default(), 0);
            for group in left {
                self.enqueue(group);
            }
        }
        self.groups.remove(place.group as usize);
        self.by_symbol.remove(symbol);
    }

    /// Reads what a turn will need, to have it near by then.
    pub(crate) fn warm(&self, place: Place) {
        black_box(self.groups[place.group as usize].queued);
    }

    /// The subscription that is first to send, where any may.
    pub(crate) fn first(&self) -> Option<SubId> {
        let group = self.queue.first.get()?;
        self.groups[group as usize].ready.first.get().map(SubId)
    }

    /// How many symbols wait for their turn.
    pub(crate) const fn len(&self) -> usize {
        self.queued as usize
    }

    /// A subscription may send; its symbol has its turn after the others.
    pub(crate) fn push(&mut self, subs: &mut Slab<Sub>, id: SubId) {
        let place = &mut subs[id.index()].turn;
        if place.queued {
            return;
        }
        place.queued = true;
        let group = place.group;
        let state = &mut self.groups[group as usize];
        state.ready.push(id.0, |sub, next| subs[sub as usize].turn.next = next);
        if !state.queued {
            self.enqueue(group);
        }
    }

    fn enqueue(&mut self, group: u32) {
        self.queue.push(group, |group, next| self.groups[group as usize].next = next);
        self.groups[group as usize].queued = true;
        self.queued += 1;
    }

    /// A subscription may not send any more, if it did. Its symbol keeps its turn.
    pub(crate) fn remove(&mut self, subs: &mut Slab<Sub>, id: SubId) -> bool {
        let place = &mut subs[id.index()].turn;
        if !std::mem::take(&mut place.queued) {
            return false;
        }
        let group = place.group;
        let left: Vec<SubId> = self.ready(subs, group).filter(|&ready| ready != id).collect();
        let state = &mut self.groups[group as usize];
        state.ready = List::default();
        for id in left {
            state.ready.push(id.0, |sub, next| subs[sub as usize].turn.next = next);
        }
        true
    }

    /// Appends the subscriptions of the symbol whose turn it is.
    pub(crate) fn pop(&mut self, subs: &mut Slab<Sub>, turn: &mut Vec<SubId>) {
        let Some(group) = self.queue.first.get() else { return };
        let begin = turn.len();
        turn.extend(self.ready(subs, group));
        let state = &mut self.groups[group as usize];
        (state.queued, state.ready) = (false, List::default());
        self.queue.first = state.next;
        if self.queue.first == Link::NONE {
            self.queue.last = Link::NONE;
        }
        self.queued -= 1;
        for id in &turn[begin..] {
            subs[id.index()].turn.queued = false;
        }
    }

    /// The subscriptions that may send now, symbol by symbol.
    pub(crate) fn iter<'a>(
        &'a self,
        subs: &'a Slab<Sub>,
    ) -> impl Iterator<Item = impl Iterator<Item = SubId> + 'a> + 'a {
        self.groups().map(move |group| self.ready(subs, group))
    }

    fn groups(&self) -> impl Iterator<Item = u32> {
        self.queue.iter(|group| self.groups[group as usize].next)
    }

    fn ready<'a>(&self, subs: &'a Slab<Sub>, group: u32) -> impl Iterator<Item = SubId> + 'a {
        self.groups[group as usize].ready.iter(|sub| subs[sub as usize].turn.next).map(SubId)
    }
}
