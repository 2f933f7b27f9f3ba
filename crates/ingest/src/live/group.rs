//! Connections that carry the same: one, or two beside each other, and for a moment one more that takes over.

use std::time::Instant;

use super::backoff::Backoff;
use super::dialect::{Route, Twins, Want};
use super::line::Line;
use super::merge::Merge;

/// What one route needs.
pub(super) struct Group {
    pub(super) route: Route,
    pub(super) legs: Vec<Leg>,
    pub(super) merge: Merge,
    /// The connection that is followed where only one can be.
    pub(super) leader: Option<u64>,
    /// Its name in captures, and to the normaliser.
    name: String,
}

/// A place for a connection.
pub(super) struct Leg {
    pub(super) name: String,
    pub(super) backoff: Backoff,
    /// When to connect; `None` while there is a connection.
    pub(super) retry: Option<Instant>,
    pub(super) line: Option<Line>,
    /// The one that takes over.
    pub(super) next: Option<Line>,
    /// When one is to take over.
    pub(super) renew_at: Option<Instant>,
}

impl Group {
    pub(super) fn new(index: usize, route: Route, legs: u8, now: Instant) -> Self {
        let leg = |leg: u8| Leg {
            name: format!("{index}{}", char::from(b'a' + leg)),
            backoff: Backoff::default(),
            retry: Some(now),
            line: None,
            next: None,
            renew_at: None,
        };
        let legs = (0..legs).map(leg).collect();
        Self { route, legs, merge: Merge::default(), leader: None, name: index.to_string() }
    }

    /// All its connections.
    pub(super) fn lines(&mut self) -> impl Iterator<Item = &mut Line> {
        self.legs.iter_mut().flat_map(|leg| leg.line.iter_mut().chain(leg.next.iter_mut()))
    }

    pub(super) fn line(&mut self, id: u64) -> Option<&mut Line> {
        self.lines().find(|line| line.id == id)
    }

    /// The place of a connection.
    pub(super) fn leg_of(&self, id: u64) -> Option<usize> {
        let has = |leg: &Leg| leg.line.iter().chain(&leg.next).any(|line| line.id == id);
        self.legs.iter().position(has)
    }

    pub(super) fn open(&self) -> usize {
        self.legs.iter().flat_map(|leg| leg.line.iter().chain(&leg.next)).filter(|line| line.open).count()
    }

    /// The connection that should lead where none does: the one that was heard of last.
    pub(super) fn candidate(&self, now: Instant) -> Option<u64> {
        let lines = self.legs.iter().flat_map(|leg| leg.line.iter().chain(&leg.next));
        lines.filter(|line| line.open).min_by_key(|line| line.silent_for(now)).map(|line| line.id)
    }

    /// What its connections are called: one name where they are one stream, else each has its own.
    pub(super) fn conn(&self, id: u64) -> String {
        match self.route.twins {
            Twins::Merge => self.name.clone(),
            Twins::Lead | Twins::Mix => format!("{}-{id}", self.name),
        }
    }

    /// What a connection subscribes to: of what only one can be followed, only the leader has it.
    pub(super) fn wants(&self, leads: bool) -> Vec<Want> {
        let all = self.route.wants.iter();
        let is_its = |want: &&Want| leads || self.route.twins != Twins::Lead || !want.book;
        all.filter(is_its).cloned().collect()
    }

    /// The books that it brings.
    pub(super) fn books(&self) -> impl Iterator<Item = &str> {
        let wanted = self.route.wants.iter().filter(|want| want.book).map(|want| want.symbol.as_str());
        wanted.chain(self.route.books.iter().map(String::as_str))
    }
}
