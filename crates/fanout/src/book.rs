//! Order books as their readers see them: one *view* per depth in use, each with a log of its own.
//!
//! A view holds the best levels of both sides. What a source event does to them is one record of
//! the view; an event outside of them is no record at all, and is folded into the next one.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use model::{Book, BookChange, BookSide, FeedGap, Level, Levels, Price, Seq};

use crate::estate::KeptView;
use crate::event::{Encoded, Event, book_weight};
use crate::fold::{Entry, Fate, Fold};
use crate::item::{GapCause, Snapshot};
use crate::lane::{Lane, News};
use crate::limits::VIEW_KEPT;
use crate::options::Depth;
use crate::ring::Bounds;
use crate::session::Sessions;

mod record;

pub(crate) use record::BookNews;
pub use record::{BookRecord, BookSnapshot};

impl Entry for Arc<BookRecord> {
    fn seq(&self) -> Seq {
        self.seq
    }

    fn prev(&self) -> Seq {
        self.prev
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn weight(&self) -> usize {
        book_weight(self.levels.len())
    }
}

/// Changes merged: of each level touched, the newest size.
#[derive(Clone)]
pub(crate) struct Merged {
    last: Arc<BookRecord>,
    prev: Seq,
    levels: BTreeMap<(BookSide, Price), Level>,
}

impl Merged {
    fn levels(&self) -> Levels {
        let side = |side| self.levels.iter().filter(move |((s, _), _)| *s == side).map(|(_, level)| *level);
        Levels { bids: side(BookSide::Bid).rev().collect(), asks: side(BookSide::Ask).collect() }
    }
}

impl Fold for Merged {
    type Entry = Arc<BookRecord>;

    fn fate(record: &Arc<BookRecord>) -> Fate<Self> {
        match record.news {
            BookNews::Delta => {}
            BookNews::Void(gap) => return Fate::Void(GapCause::FeedGap(Some(gap))),
            BookNews::Known(gap) => return Fate::Void(GapCause::FeedGap(gap)),
        }
        let mut levels = BTreeMap::new();
        for side in BookSide::BOTH {
            levels.extend(record.levels.side(side).iter().map(|&level| ((side, level.price), level)));
        }
        Fate::Folded(Self { last: Arc::clone(record), prev: record.prev, levels })
    }

    fn join(&mut self, later: &Self) -> bool {
        self.levels.extend(later.levels.iter().map(|(&key, &level)| (key, level)));
        self.last = Arc::clone(&later.last);
        true
    }

    fn units(&self) -> usize {
        self.levels.len() + 1
    }

    fn prev(&self) -> Seq {
        self.prev
    }

    fn to(&self) -> Seq {
        self.last.seq
    }
}

/// The book of a symbol and all its views.
pub(crate) struct Books {
    book: Book,
    is_known: bool,
    /// What made it void the last time.
    void: Option<FeedGap>,
    pub(crate) views: Vec<View>,
    bounds: Bounds,
    stamp: Option<Arc<Event>>,
}

pub(crate) struct View {
    depth: Depth,
    checksum: bool,
    /// What its readers see; not kept where they see all.
    window: Levels,
    /// The place of its newest record.
    seen: Seq,
    pub(crate) lane: Lane<Merged>,
    /// Places of the records in the log that are no changes.
    specials: VecDeque<(Seq, BookNews)>,
    /// The snapshot made last.
    snapshot: Option<Arc<BookSnapshot>>,
    /// The merged record made last.
    merged: Option<Arc<BookRecord>>,
    /// Its log has all records since this position in the total order.
    since: u64,
    /// Since when nobody reads it.
    idle: Option<Duration>,
}

impl Books {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { book: Book::default(), is_known: false, void: None, views: Vec::new(), bounds, stamp: None }
    }

    pub(crate) const fn is_known(&self) -> bool {
        self.is_known
    }

    pub(crate) fn view(&self, depth: Depth, checksum: bool) -> Option<usize> {
        self.views.iter().position(|view| view.depth == depth && view.checksum == checksum)
    }

    /// The view for these wishes, made where it is new.
    pub(crate) fn open_view(&mut self, depth: Depth, checksum: bool, head: Seq) -> usize {
        if let Some(index) = self.view(depth, checksum) {
            self.views[index].idle = None;
            return index;
        }
        let window = match depth {
            Depth::Top(levels) => self.book.top(levels),
            Depth::All => Levels::default(),
        };
        self.views.push(View {
            depth,
            checksum,
            window,
            seen: head,
            lane: Lane::new(self.bounds),
            specials: VecDeque::new(),
            snapshot: None,
            merged: None,
            since: self.stamp.as_ref().map_or(0, |event| event.position),
            idle: None,
        });
        self.views.len() - 1
    }

    /// Begins anew after `floor`: the book is not known before it is told whole.
    pub(crate) fn restart(&mut self, floor: Seq, position: u64) {
        (self.book, self.is_known, self.void) = (Book::default(), false, None);
        for view in &mut self.views {
            view.lane.ring.restart(floor, position);
            view.specials.clear();
            (view.snapshot, view.merged) = (None, None);
            (view.window, view.seen) = (Levels::default(), floor);
        }
    }

    /// Forgets the views that nobody has read for long.
    pub(crate) fn prune(&mut self, now: Duration) {
        self.views.retain_mut(|view| {
            if !view.lane.readers.is_empty() {
                view.idle = None;
                return true;
            }
            now.saturating_sub(*view.idle.get_or_insert(now)) < VIEW_KEPT
        });
    }

    pub(crate) fn push(
        &mut self,
        event: &Arc<Event>,
        change: &BookChange,
        sessions: &mut Sessions,
        now: Duration,
    ) {
        self.stamp = Some(Arc::clone(event));
        if self.views.iter().any(|view| view.idle.is_some()) {
            self.prune(now);
        }
        let (news, delta) = match change {
            BookChange::Delta(_) if !self.is_known => return,
            BookChange::Delta(levels) => {
                self.book.apply(levels);
                (BookNews::Delta, levels.clone())
            }
            // A whole book where one is known already: what differs is the change.
            BookChange::Snapshot(levels) if self.is_known => {
                let target = Book::from_levels(levels);
                let delta = self.book.diff(&target);
                self.book = target;
                (BookNews::Delta, delta)
            }
            BookChange::Snapshot(levels) => {
                self.book = Book::from_levels(levels);
                self.is_known = true;
                (BookNews::Known(self.void.take()), levels.clone())
            }
            BookChange::Gap(gap) => {
                self.book = Book::default();
                (self.is_known, self.void) = (false, Some(*gap));
                (BookNews::Void(*gap), Levels::default())
            }
        };
        let (crossed, locked) = (self.book.is_crossed(), self.book.is_locked());
        for view in &mut self.views {
            let Some(levels) = view.change(&self.book, news, &delta) else { continue };
            let record = Arc::new(BookRecord {
                topic: event.topic,
                seq: event.seq,
                prev: mem::replace(&mut view.seen, event.seq),
                position: event.position,
                first: event.position,
                ts_event: event.ts_event,
                ts_source: event.ts_source,
                ts_seq: event.sequenced,
                ts_recv: event.ts_recv,
                levels,
                crossed,
                locked,
                checksum: view.checksum.then(|| self.book.checksum(view.depth.levels())),
                encoded: Encoded::default(),
                news,
            });
            view.push(record, sessions, now);
        }
    }

    /// The newest event, and the levels after it where they are known.
    pub(crate) fn newest(&self) -> Option<(&Arc<Event>, Option<Levels>)> {
        Some((self.stamp.as_ref()?, self.is_known.then(|| self.book.top(usize::MAX))))
    }

    /// The views that are read, or were a moment ago.
    pub(crate) fn in_use(&self) -> Vec<KeptView> {
        let kept = |view: &View| KeptView { depth: view.depth, checksum: view.checksum, seen: view.seen };
        self.views.iter().map(kept).collect()
    }

    /// The state of a view, or nothing while the book is not known.
    pub(crate) fn snapshot(&mut self, index: usize, head: Seq) -> Snapshot {
        let Some(event) = self.stamp.as_ref().filter(|_| self.is_known) else { return Snapshot::Empty(head) };
        let view = &mut self.views[index];
        if let Some(made) = view.snapshot.as_ref().filter(|made| made.seq == head) {
            return Snapshot::Book(Arc::clone(made));
        }
        let made = Arc::new(BookSnapshot {
            seq: head,
            depth: view.depth.shown(),
            ts_event: event.ts_event,
            ts_source: event.ts_source,
            ts_seq: event.sequenced,
            ts_recv: event.ts_recv,
            levels: self.book.top(view.depth.levels()),
            crossed: self.book.is_crossed(),
            locked: self.book.is_locked(),
            checksum: view.checksum.then(|| self.book.checksum(view.depth.levels())),
            encoded: Encoded::default(),
        });
        view.snapshot = Some(Arc::clone(&made));
        Snapshot::Book(made)
    }
}

impl View {
    /// Whether its log has every record after `position` in the total order.
    pub(crate) const fn holds_since(&self, position: u64) -> bool {
        self.since <= position
    }

    /// The place of its newest record, or where it was opened.
    pub(crate) const fn seen(&self) -> Seq {
        self.seen
    }

    /// The state as of a record that makes the book known.
    pub(crate) fn known(&mut self, record: &BookRecord) -> Arc<BookSnapshot> {
        if let Some(made) = self.snapshot.as_ref().filter(|made| made.seq == record.seq) {
            return Arc::clone(made);
        }
        let made = Arc::new(record.as_snapshot(self.depth));
        self.snapshot = Some(Arc::clone(&made));
        made
    }

    /// What an event does to this view; `None` where that is nothing.
    fn change(&mut self, book: &Book, news: BookNews, delta: &Levels) -> Option<Levels> {
        let Depth::Top(depth) = self.depth else {
            let whole = matches!(news, BookNews::Known(_));
            return Some(if whole { book.top(usize::MAX) } else { delta.clone() });
        };
        if news != BookNews::Delta {
            self.window = book.top(depth);
            return Some(self.window.clone());
        }
        let mut seen = Levels::default();
        for side in BookSide::BOTH {
            let (window, touched) = (self.window.side(side), delta.side(side));
            if touched.iter().any(|level| reaches(side, level.price, window, depth)) {
                let after: Vec<_> = book.iter(side).take(depth).collect();
                *seen.side_mut(side) = differing(window, &after, touched);
                *self.window.side_mut(side) = after;
            }
        }
        (!seen.is_empty()).then_some(seen)
    }

    fn push(&mut self, record: Arc<BookRecord>, sessions: &mut Sessions, now: Duration) {
        let urgent = record.news != BookNews::Delta;
        let news = News { position: record.position, now, urgent };
        if urgent {
            self.specials.push_back((record.seq, record.news));
        }
        let readers = &self.lane.readers;
        self.lane.ring.push(record, now, |places| readers.places(sessions, places));
        let oldest = self.lane.ring.oldest();
        while self.specials.front().is_some_and(|&(seq, _)| seq < oldest) {
            self.specials.pop_front();
        }
        self.lane.readers.wake(sessions, news);
    }

    /// The place and the kind of the newest record after `place` that is no change, and the place of
    /// the newest that voids the book, and why.
    pub(crate) fn special_after(&self, place: Seq) -> Option<(BookNews, Option<(Seq, FeedGap)>)> {
        let (seq, news) = *self.specials.back()?;
        let mut voids = self.specials.iter().rev().filter_map(|&(seq, news)| match news {
            BookNews::Void(gap) => Some((seq, gap)),
            BookNews::Delta | BookNews::Known(_) => None,
        });
        let void = voids.next().filter(|&(seq, _)| seq > place);
        (seq > place).then_some((news, void))
    }

    /// All changes after `place` as one record. Readers at the same place share it.
    pub(crate) fn merged(&mut self, place: Seq) -> Option<Arc<BookRecord>> {
        let newest = self.lane.ring.newest()?.seq;
        if let Some(made) = self.merged.as_ref().filter(|made| made.prev == place && made.seq == newest) {
            return Some(Arc::clone(made));
        }
        let lack = self.lane.ring.lack(place);
        let fold = self.lane.ring.folded(&lack, 0).into_iter().reduce(|mut fold, later| {
            fold.join(&later);
            fold
        })?;
        let last = &fold.last;
        let made = Arc::new(BookRecord {
            topic: last.topic,
            seq: last.seq,
            prev: place,
            position: last.position,
            first: if lack.overrun { 0 } else { self.lane.ring.next_position(place).unwrap_or(0) },
            ts_event: last.ts_event,
            ts_source: last.ts_source,
            ts_seq: last.ts_seq,
            ts_recv: last.ts_recv,
            levels: fold.levels(),
            crossed: last.crossed,
            locked: last.locked,
            checksum: last.checksum,
            encoded: Encoded::default(),
            news: BookNews::Delta,
        });
        self.merged = Some(Arc::clone(&made));
        Some(made)
    }
}

/// Whether a change at `price` can be seen among the best `depth` levels.
fn reaches(side: BookSide, price: Price, window: &[Level], depth: usize) -> bool {
    window.len() < depth
        || window.last().is_none_or(|worst| match side {
            BookSide::Bid => price >= worst.price,
            BookSide::Ask => price <= worst.price,
        })
}

/// What turns one window into another: what left, what entered, what changed or was touched.
fn differing(before: &[Level], after: &[Level], touched: &[Level]) -> Vec<Level> {
    let gone = before.iter().filter(|old| !after.iter().any(|new| new.price == old.price));
    let new = after.iter().filter(|new| {
        let old = before.iter().find(|old| old.price == new.price);
        old.is_none_or(|old| old.size != new.size) || touched.iter().any(|level| level.price == new.price)
    });
    gone.map(|old| Level::removal(old.price)).chain(new.copied()).collect()
}
