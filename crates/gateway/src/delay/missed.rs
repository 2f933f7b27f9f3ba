//! What the delay line had no room for: told, and made good where that can be.
//!
//! Of quotes, tickers and bars the newest says it all, and changes of a book can be merged: both go into the line
//! again when it has room. Trades are missing for good. The status of the symbol says so, before and after.

use std::collections::BTreeMap;
use std::sync::Arc;

use fanout::{Event, Stream, SymbolId};
use model::{
    Body, Book, BookChange, BookSide, FeedGap, Instrument, Level, Levels, Price, State, StatusChange, Tick,
    UnixNanos,
};

use super::line::Held;

#[derive(Default)]
pub(super) struct Missed {
    /// What was said last of each symbol.
    states: BTreeMap<SymbolId, StatusChange>,
    /// By symbol: what is missed at present.
    symbols: BTreeMap<SymbolId, Lost>,
}

struct Lost {
    count: u64,
    last: Stamp,
    /// By stream of which the newest says it all.
    newest: BTreeMap<Stream, Held>,
    book: Option<(Fold, Stamp)>,
}

/// What a tick has beside its body.
#[derive(Clone)]
struct Stamp {
    instrument: Arc<Instrument>,
    ts_event: UnixNanos,
    ts_source: Option<UnixNanos>,
    ts_recv: UnixNanos,
}

/// Changes of a book, as one.
enum Fold {
    /// Levels that changed.
    Delta(BTreeMap<(BookSide, Price), Level>),
    /// The whole book.
    Whole(Book),
    /// The feed lost it.
    Void(FeedGap),
}

const BEGINS: &str = "what follows is missing: more is delayed than this server keeps";

impl Missed {
    /// Whether something was missed and not made good since.
    pub(super) fn is_going_on(&self) -> bool {
        !self.symbols.is_empty()
    }

    /// What a symbol's status is.
    pub(super) fn note_state(&mut self, event: &Event) {
        if let Body::Status(change) = &event.body {
            self.states.insert(event.topic.symbol, StatusChange::clone(change));
        }
    }

    /// An event is missed. The first of a symbol makes a status.
    pub(super) fn note(&mut self, event: &Event) -> Option<Held> {
        let (symbol, stamp) = (event.topic.symbol, Stamp::of(event));
        let is_first = !self.symbols.contains_key(&symbol);
        let first = || Lost { count: 0, last: stamp.clone(), newest: BTreeMap::new(), book: None };
        let lost = self.symbols.entry(symbol).or_insert_with(first);
        lost.count += 1;
        lost.last = stamp.clone();
        match &event.body {
            Body::Quote(_) | Body::Ticker(_) | Body::Candle(_) => {
                lost.newest.insert(event.topic.stream, Held::of(event));
            }
            Body::Book(change) => {
                let before = lost.book.take().map(|(fold, _)| fold);
                lost.book = Some((Fold::of(before, change), stamp.clone()));
            }
            // What cannot be made good, or is said by the status in any case.
            Body::Trade(_) | Body::OldTrade(_) | Body::Correction(_) | Body::Status(_) => {}
        }
        is_first.then(|| self.status(symbol, stamp, Some(State::Stale), BEGINS.into()))
    }

    /// There is room again: what makes good what was missed, as far as that goes, and says that the rest was.
    pub(super) fn end(&mut self) -> Vec<Held> {
        let mut rest = Vec::new();
        for (symbol, lost) in std::mem::take(&mut self.symbols) {
            let book =
                lost.book.map(|(fold, stamp)| Held { symbol, tick: stamp.tick(Body::Book(fold.change())) });
            rest.extend(book.into_iter().chain(lost.newest.into_values()));
            let reason = format!("{} updates before this were too many to be delayed", lost.count);
            rest.push(self.status(symbol, lost.last, None, reason.into()));
        }
        rest
    }

    /// A status of a symbol; `None`: the state that it has.
    fn status(&self, symbol: SymbolId, stamp: Stamp, state: Option<State>, reason: Box<str>) -> Held {
        let known = self.states.get(&symbol);
        let state = state.or(known.map(|known| known.state)).unwrap_or(State::Open);
        let feed = known.map_or_else(Box::default, |known| known.feed.clone());
        let change = StatusChange { state, reason, feed, since: None };
        Held { symbol, tick: stamp.tick(Body::Status(Box::new(change))) }
    }
}

impl Stamp {
    fn of(event: &Event) -> Self {
        let instrument = Arc::clone(&event.instrument);
        Self { instrument, ts_event: event.ts_event, ts_source: event.ts_source, ts_recv: event.ts_recv }
    }

    fn tick(self, body: Body) -> Tick {
        let Self { instrument, ts_event, ts_source, ts_recv } = self;
        Tick { instrument, ts_event: Some(ts_event), ts_source, ts_recv: Some(ts_recv), body }
    }
}

impl Fold {
    /// A change after those before it.
    fn of(before: Option<Self>, change: &BookChange) -> Self {
        match (before, change) {
            (_, BookChange::Snapshot(levels)) => Self::Whole(Book::from_levels(levels)),
            (_, BookChange::Gap(gap)) => Self::Void(*gap),
            (Some(Self::Whole(mut book)), BookChange::Delta(levels)) => {
                book.apply(levels);
                Self::Whole(book)
            }
            // A void book waits for a whole one.
            (Some(Self::Void(gap)), BookChange::Delta(_)) => Self::Void(gap),
            (Some(Self::Delta(mut merged)), BookChange::Delta(levels)) => {
                merge(&mut merged, levels);
                Self::Delta(merged)
            }
            (None, BookChange::Delta(levels)) => {
                let mut merged = BTreeMap::new();
                merge(&mut merged, levels);
                Self::Delta(merged)
            }
        }
    }

    fn change(self) -> BookChange {
        match self {
            Self::Delta(merged) => {
                let mut levels = Levels::default();
                for ((side, _), level) in merged {
                    levels.side_mut(side).push(level);
                }
                BookChange::Delta(levels)
            }
            Self::Whole(book) => BookChange::Snapshot(book.top(usize::MAX)),
            Self::Void(gap) => BookChange::Gap(gap),
        }
    }
}

/// Of a price named twice the last size counts, in the scale it is written in.
fn merge(merged: &mut BTreeMap<(BookSide, Price), Level>, levels: &Levels) {
    for side in BookSide::BOTH {
        merged.extend(levels.side(side).iter().map(|&level| ((side, level.price), level)));
    }
}
