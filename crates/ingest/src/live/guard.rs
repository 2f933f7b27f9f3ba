//! The last look at what the normaliser says: only what was asked for, and no book that cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Body, Book, BookChange, FeedGap, GapReason, Instrument, State, StatusChange, Tick, UnixNanos};

/// Times that a book may cross of late before that is taken for the venue's own doing.
const CROSSINGS_MAX: u32 = 3;

/// The instruments of a feed, by the venue's name.
pub(super) struct Guard {
    feed: Box<str>,
    entries: BTreeMap<Box<str>, Entry>,
}

struct Entry {
    instrument: Arc<Instrument>,
    book: Book,
    /// The book was refused here; nothing of it goes on before a snapshot.
    refused: bool,
    mark: Mark,
    /// What of its source is gone; it is back when there is nothing left here.
    gone: BTreeSet<Part>,
    /// Why, where it is.
    reason: Box<str>,
}

/// A part of an instrument's source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// A group of connections.
    Route(usize),
    /// A subscription, which the venue refuses.
    Topic(Box<str>),
    /// The book.
    Book,
}

/// What was said of an instrument's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// Nothing yet.
    None,
    Up,
    Down,
}

/// What the guard saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A whole book.
    Whole,
    /// The normaliser gave the book up.
    Void,
    /// Bid and offer cross, which no update of the venue's can have made: given up here.
    Crossed,
    /// Nobody asked for it.
    Unasked,
    /// Nothing of note.
    Nothing,
}

impl Guard {
    pub(super) fn new(feed: &str, instruments: &[Arc<Instrument>]) -> Self {
        let entry = |instrument: &Arc<Instrument>| {
            let entry = Entry {
                instrument: Arc::clone(instrument),
                book: Book::default(),
                refused: false,
                mark: Mark::None,
                gone: BTreeSet::new(),
                reason: Box::default(),
            };
            (instrument.venue_symbol.clone(), entry)
        };
        Self { feed: feed.into(), entries: instruments.iter().map(entry).collect() }
    }

    /// Looks at a tick; what may go on is appended to `out`. `strikes`: how often its book went wrong of late.
    pub(super) fn look(&mut self, tick: Tick, whole: bool, strikes: u32, out: &mut Vec<Tick>) -> Seen {
        let Some(entry) = self.entries.get_mut(&tick.instrument.venue_symbol) else { return Seen::Unasked };
        let mut seen = Seen::Nothing;
        match &tick.body {
            Body::Book(BookChange::Snapshot(levels)) => {
                entry.book = Book::from_levels(levels);
                entry.gone.remove(&Part::Book);
                seen = Seen::Whole;
            }
            Body::Book(BookChange::Delta(levels)) => {
                if entry.refused {
                    return Seen::Nothing;
                }
                let before = entry.book.is_crossed();
                entry.book.apply(levels);
                if entry.book.is_crossed() && !before && strikes < CROSSINGS_MAX {
                    entry.refused = true;
                    if entry.gone.is_empty() {
                        entry.mark = Mark::Up;
                    }
                    let gap = FeedGap { reason: GapReason::Checksum, venue_from: None, venue_to: None };
                    let reason = "the best bid is not below the best offer, waiting for a snapshot";
                    let times = (tick.ts_event, tick.ts_recv);
                    out.push(entry.tick(times, Body::Book(BookChange::Gap(gap))));
                    out.push(entry.status(&self.feed, times, State::Suspect, reason));
                    return Seen::Crossed;
                }
            }
            Body::Book(BookChange::Gap(_)) => {
                entry.book = Book::default();
                seen = Seen::Void;
            }
            Body::Quote(quote) if quote.derived && entry.refused => return Seen::Nothing,
            // The book may be whole again, but there is more to the instrument.
            Body::Status(change) if !entry.gone.is_empty() => match change.state {
                State::Open => return Seen::Nothing,
                State::Suspect => {}
                _ => entry.mark = Mark::Up,
            },
            Body::Status(_) => entry.mark = Mark::Up,
            _ => {}
        }
        let is_there = entry.gone.is_empty();
        let back =
            entry.mark == Mark::Down && is_there && !matches!(tick.body, Body::Book(BookChange::Gap(_)));
        if back && (whole || seen == Seen::Whole) {
            entry.mark = Mark::Up;
            out.push(entry.status(
                &self.feed,
                (tick.ts_event, tick.ts_recv),
                State::Open,
                "the source is back",
            ));
        } else if entry.mark == Mark::None {
            entry.mark = Mark::Up;
        }
        let times = (tick.ts_event, tick.ts_recv);
        out.push(tick);
        // To the normaliser it was whole all the time.
        if seen == Seen::Whole && std::mem::take(&mut entry.refused) && is_there {
            out.push(entry.status(&self.feed, times, State::Open, "the book is whole again"));
        }
        seen
    }

    /// A part of an instrument's source is gone; each reason is said once.
    pub(super) fn down(
        &mut self,
        symbol: &str,
        part: Part,
        reason: &str,
        at: UnixNanos,
        out: &mut Vec<Tick>,
    ) {
        let Some(entry) = self.entries.get_mut(symbol) else { return };
        entry.gone.insert(part);
        if entry.mark != Mark::Down || *entry.reason != *reason {
            entry.mark = Mark::Down;
            entry.reason = reason.into();
            let tick = entry.status(&self.feed, (Some(at), Some(at)), State::SourceDown, reason);
            out.push(tick);
        }
    }

    /// A part of an instrument's source is there again. Where that was the last of them and its book is `whole`,
    /// nothing more need come for it to be open: a market may be quiet.
    pub(super) fn up(&mut self, symbol: &str, part: &Part, whole: bool, at: UnixNanos, out: &mut Vec<Tick>) {
        let Some(entry) = self.entries.get_mut(symbol) else { return };
        let was_last = entry.gone.remove(part) && entry.gone.is_empty();
        if was_last && whole && entry.mark == Mark::Down && !entry.refused {
            entry.mark = Mark::Up;
            out.push(entry.status(&self.feed, (Some(at), Some(at)), State::Open, "the source is back"));
        }
    }

    /// Whether somebody asked for it.
    pub(super) fn is_asked(&self, symbol: &str) -> bool {
        self.entries.contains_key(symbol)
    }

    /// All books are given up: the venue began anew.
    pub(super) fn void_all(&mut self, at: UnixNanos, out: &mut Vec<Tick>) {
        for entry in self.entries.values_mut().filter(|entry| !entry.book.is_empty()) {
            entry.book = Book::default();
            let gap = FeedGap { reason: GapReason::Sequence, venue_from: None, venue_to: None };
            let times = (Some(at), Some(at));
            out.push(entry.tick(times, Body::Book(BookChange::Gap(gap))));
            let reason = "the venue's numbering begins anew, waiting for a snapshot";
            out.push(entry.status(&self.feed, times, State::Suspect, reason));
        }
    }
}

impl Entry {
    fn tick(&self, (ts_event, ts_recv): (Option<UnixNanos>, Option<UnixNanos>), body: Body) -> Tick {
        Tick { instrument: Arc::clone(&self.instrument), ts_event, ts_source: None, ts_recv, body }
    }

    fn status(
        &self,
        feed: &str,
        times: (Option<UnixNanos>, Option<UnixNanos>),
        state: State,
        reason: &str,
    ) -> Tick {
        let change = StatusChange { state, reason: reason.into(), feed: feed.into(), since: None };
        self.tick(times, Body::Status(Box::new(change)))
    }
}
