//! A reader that believes nothing: what it makes of one stream, and what it holds the server to.

use std::sync::Arc;
use std::time::Duration;

use ::model::{Body, Book, Filter, Levels, Seq};

use super::source::Source;
use crate::{Depth, Event, GapCause, Item, Kind, Options, Overflow, Resumed, Snapshot, Stream, TopicId};

/// What must come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// Nothing more: it has begun.
    Begun,
    /// A snapshot.
    Snapshot,
    /// A gap where anything is missing, with its range where that can be known; then a snapshot.
    Gap { ranged: bool },
}

/// What a client makes of one stream, and what it holds the server to.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Reader {
    pub(super) topic: TopicId,
    pub(super) options: Options,
    pub(super) base: Seq,
    pub(super) place: Seq,
    pub(super) book: Option<Book>,
    pub(super) delivered: u64,
    pub(super) coalesced: u64,
    pub(super) skipped: u64,
    pub(super) last_sent: Seq,
    pub(super) snapshot_due: bool,
    pub(super) begin: Begin,
    /// Anything was sent.
    pub(super) begun: bool,
    pub(super) flushed: Option<Duration>,
    /// It was conflated, lossless or paused once, or came back: such streams may fall behind the others
    /// of their symbol.
    pub(super) held_back: bool,
    /// Something was merged, or may have been, that is not the session's slowness.
    pub(super) merges: bool,
    pub(super) paused: bool,
    /// Its filter was changed.
    pub(super) moved: bool,
    /// The filter that is to hold once nothing waits, and whether a snapshot is due then.
    pub(super) next: Option<(Option<Arc<Filter>>, bool)>,
    /// What lies before was hidden by a filter, and stays so.
    pub(super) passed: Seq,
    /// Its filter was changed, and nothing has come since.
    pub(super) changed: bool,
    /// A quote may be sent at any time, because of a trade.
    pub(super) hurried: bool,
    /// The client's own place: what it has seen before is no news to it.
    pub(super) seen: Seq,
    /// Up to here everything is sent event by event.
    pub(super) replay: u64,
    pub(super) position: u64,
}

impl Reader {
    pub(super) fn new(topic: TopicId, options: Options, head: Seq) -> Self {
        Self {
            topic,
            base: head,
            place: head,
            book: None,
            delivered: 0,
            coalesced: 0,
            skipped: 0,
            last_sent: Seq::START,
            snapshot_due: options.snapshot,
            begin: if options.snapshot { Begin::Snapshot } else { Begin::Begun },
            begun: false,
            flushed: None,
            held_back: holds_back(&options),
            merges: merges(&options),
            options,
            paused: false,
            moved: false,
            next: None,
            passed: Seq::START,
            changed: false,
            hurried: false,
            seen: head,
            replay: 0,
            position: 0,
        }
    }

    /// The same client on another connection: the server goes on from `place`, and where it was at
    /// `now_at` when it came back.
    pub(super) fn resumed(self, resumed: Resumed, place: Seq, ranged: bool, now_at: u64) -> Self {
        let filled = resumed == Resumed::Filled;
        assert!(!(filled || ranged) || place <= self.seen, "coming back leaves nothing out");
        Self {
            begin: if filled { Begin::Begun } else { Begin::Gap { ranged } },
            begun: true,
            book: self.book,
            held_back: true,
            seen: self.seen,
            replay: if filled { now_at } else { 0 },
            snapshot_due: !filled,
            merges: self.merges,
            hurried: self.hurried,
            ..Self::new(self.topic, Options { snapshot: false, ..self.options }, place)
        }
    }

    /// What the client has of it is worth going on from.
    pub(super) fn is_worth_keeping(&self) -> bool {
        self.begin == Begin::Begun && !self.snapshot_due && self.begun && !self.changed
    }

    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// What it is to be sent.
    pub(super) fn missing<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = &'a Arc<Event>> {
        source.missing(self.topic, self.place.max(self.passed), &self.options)
    }

    pub(super) const fn place(&self) -> Seq {
        self.place
    }

    pub(super) fn is_replaying(&self, position: u64) -> bool {
        position <= self.replay
    }

    /// Something that it is to be sent again is still missing.
    pub(super) fn still_replays(&self, source: &Source) -> bool {
        self.missing(source).next().is_some_and(|event| event.position <= self.replay)
    }

    pub(super) const fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
        (self.held_back, self.merges) = (true, true);
    }

    /// All that waited for its filter has come: the next one holds.
    pub(super) fn settle(&mut self, source: &Source) {
        if self.next.is_some() && self.missing(source).next().is_none() {
            let (filter, snapshot) = self.next.take().unwrap();
            self.change(source, Options { snapshot, filter, ..self.options.clone() });
        }
    }

    pub(super) fn change(&mut self, source: &Source, options: Options) {
        let head = source.head(self.topic);
        let mut options = options;
        self.next = None;
        if self.options.filter != options.filter {
            if self.begin == Begin::Begun && self.missing(source).next().is_some() {
                let wanted = std::mem::replace(&mut options.filter, self.options.filter.clone());
                self.next = Some((wanted, options.snapshot));
                options.snapshot = false;
            } else {
                // What the old filter hid stays hidden.
                self.passed = head;
            }
        }
        let book = self.topic.stream == Stream::Book;
        let moved = book && self.options.depth != options.depth;
        let lacks = book && self.options.checksum != options.checksum && self.place < head;
        self.snapshot_due |= options.snapshot || moved || lacks;
        if moved {
            self.book = None;
        }
        self.changed |= self.options.filter != options.filter;
        self.moved |= self.options.filter != options.filter;
        self.held_back |= holds_back(&options) || self.moved;
        self.merges |= merges(&options);
        self.options = options;
    }

    /// Takes one item, or says which law it breaks.
    pub(super) fn take(&mut self, source: &Source, item: &Item, now: Duration) {
        assert!(item.position >= self.position, "the order of the source");
        assert!(!self.paused, "nothing is sent while paused");
        self.position = item.position;
        self.changed &= matches!(item.kind, Kind::Snapshot { .. });
        let first = self.begin != Begin::Begun || self.topic.stream == Stream::Book;
        self.begins_well(source, &item.kind);
        let replayed = item.position <= self.replay;
        match &item.kind {
            Kind::Event { event, prev } => {
                assert!(Arc::ptr_eq(event, source.event(self.topic, event.seq)));
                assert_eq!(item.position, event.position);
                self.may_fold(source, *prev, event, replayed);
                self.tile(*prev, event.seq);
                let exempt = replayed
                    || matches!(&event.body, Body::Candle(c) if c.closed)
                    || matches!(&event.body, Body::Correction(_))
                    || self.is_status();
                self.conflation(exempt, now);
                self.freshness(source, event.position, replayed, now);
            }
            Kind::Summary { record, prev } => {
                assert!(!replayed, "what is sent again is sent trade by trade");
                self.summary(source, &record.summary, *prev, &record.last);
                self.tile(*prev, record.last.seq);
                // A status change splits one flush into several records.
                let split = source.has_barrier(self.topic, |barrier| barrier == prev);
                self.conflation(split, now);
            }
            Kind::Book { record, prev } => {
                self.book_record(source, record, *prev);
                self.tile(*prev, record.seq);
                self.conflation(replayed, now);
                self.freshness(source, record.position, replayed, now);
            }
            Kind::Gap { range, cause } => self.gap(source, *range, *cause),
            Kind::Snapshot { state, .. } => {
                // One that is asked for again stands before what waits, and passes only what is behind it.
                if !self.begun {
                    self.passed = if first { source.head(self.topic) } else { self.passed.max(self.place) };
                }
                self.snapshot(source, state);
            }
        }
        self.begun = true;
    }

    fn begins_well(&mut self, source: &Source, kind: &Kind) {
        let is_snapshot = matches!(kind, Kind::Snapshot { .. });
        match (self.begin, kind) {
            (Begin::Begun, _) => {}
            (Begin::Snapshot, _) => assert!(is_snapshot, "the snapshot comes first"),
            (Begin::Gap { ranged }, Kind::Gap { range, cause: GapCause::CursorExpired }) => {
                assert_eq!(range.is_some(), ranged);
                self.begin = Begin::Snapshot;
                return;
            }
            (Begin::Gap { ranged }, _) => {
                let missing = self.missing(source).next();
                assert!(ranged && missing.is_none() && is_snapshot, "what is missing must be told");
            }
        }
        self.begin = Begin::Begun;
    }

    fn gap(&mut self, source: &Source, range: Option<(Seq, Seq)>, cause: GapCause) {
        let Some((from, to)) = range else { return };
        let merges = matches!(self.topic.stream, Stream::Trades | Stream::Book | Stream::Quotes);
        let must_merge = merges && source.ample && self.options.overflow == Overflow::Coalesce;
        assert!(!must_merge || cause != GapCause::SlowConsumer, "what can be merged is not dropped");
        assert_eq!(from, self.place.next(), "a gap begins where the reader stands");
        assert!(to >= from);
        self.skipped += to.since(self.place);
        self.place = to;
        self.seen = self.seen.max(to);
        self.book = None;
    }

    /// What is too old is not sent; what is sent again, because of a trade or before another filter
    /// holds is exempt.
    fn freshness(&self, source: &Source, position: u64, replayed: bool, now: Duration) {
        let Some(age) = self.options.max_age else { return };
        if !replayed && !self.hurried && self.next.is_none() && ages(self.topic.stream) {
            assert!(source.is_fresh(position, age, now), "too old to be sent");
        }
    }

    fn is_status(&self) -> bool {
        self.topic.stream == Stream::Status
    }

    fn tile(&mut self, prev: Seq, seq: Seq) {
        assert_eq!(prev, self.place, "ranges tile");
        assert!(seq > prev);
        self.delivered += 1;
        self.coalesced += seq.since(prev) - 1;
        self.place = seq;
        self.last_sent = seq;
        self.seen = self.seen.max(seq);
    }

    /// Whether an event may stand for those before it.
    fn may_fold(&self, source: &Source, prev: Seq, event: &Event, replayed: bool) {
        let lets = |event: &Event| self.options.filter.as_ref().is_none_or(|f| f.lets(&event.body));
        assert!(lets(event), "not asked for");
        let prev = prev.max(self.passed).min(event.seq.prev());
        let mut folded =
            source.between(self.topic, prev, event.seq.prev()).iter().filter(|event| lets(event));
        match self.topic.stream {
            Stream::Quotes | Stream::Ticker if !replayed => {}
            Stream::Candles(_) if !replayed => {
                let lost = folded.any(|event| matches!(&event.body, Body::Candle(candle) if candle.closed));
                assert!(!lost, "a closed bar is never folded away");
            }
            other => assert!(folded.next().is_none(), "{other:?} are not folded away here"),
        }
    }

    fn conflation(&mut self, exempt: bool, now: Duration) {
        if self.options.conflate.is_zero() || exempt || self.hurried {
            return;
        }
        if let Some(flushed) = self.flushed.filter(|&flushed| flushed != now) {
            assert!(now >= flushed + self.options.conflate, "one update an interval");
        }
        self.flushed = Some(now);
    }

    fn snapshot(&mut self, source: &Source, snapshot: &Snapshot) {
        self.snapshot_due = false;
        let seq = match snapshot {
            &Snapshot::Empty(seq) => {
                if self.topic.stream == Stream::Book {
                    let head = source.head(self.topic);
                    assert!(source.books.get(&self.topic).is_none_or(|books| books.last() == Some(&None)));
                    self.replace(head);
                    self.book = None;
                }
                if !self.begun {
                    // All there was before, a filter hid, or it is not asked for.
                    assert!(seq <= source.head(self.topic));
                    (self.base, self.place) = (seq, seq);
                }
                self.seen = self.place;
                return;
            }
            Snapshot::Book(book) => {
                let real = source.book(self.topic, book.seq).expect("a snapshot of a book that is not known");
                let levels = Book::from_levels(&book.levels);
                assert_eq!(levels, seen(real, self.options.depth), "the book is exact");
                assert!(book.seq >= self.place);
                self.notes(source, book.seq, (book.crossed, book.locked), book.checksum);
                self.book = Some(levels);
                book.seq
            }
            Snapshot::Events(events) => {
                let limit = self.options.snapshot_limit.unwrap_or(500);
                assert!(!events.is_empty() && events.len() <= limit);
                if self.topic.stream == Stream::Trades {
                    let first = events[0].seq;
                    let wanted = source.missing(self.topic, first.prev(), &self.options).take(events.len());
                    assert!(
                        events.iter().map(|e| e.seq).eq(wanted.map(|e| e.seq)),
                        "the newest that were asked for, without holes"
                    );
                }
                events[events.len() - 1].seq
            }
        };
        self.replace(seq);
        self.seen = self.place;
        self.last_sent = self.last_sent.max(seq);
    }

    /// A snapshot stands for everything up to `seq`: skipped, unless it is the beginning.
    fn replace(&mut self, seq: Seq) {
        if !self.begun {
            (self.base, self.place) = (seq, seq);
            return;
        }
        let place = self.place.max(seq);
        self.skipped += place.since(self.place);
        self.place = place;
    }
}

/// Whether freshness counts for a stream.
pub(super) const fn ages(stream: Stream) -> bool {
    matches!(stream, Stream::Quotes | Stream::Ticker | Stream::Book)
}

fn merges(options: &Options) -> bool {
    !options.conflate.is_zero() || options.max_age.is_some() || options.filter.is_some() || options.trade_safe
}

fn holds_back(options: &Options) -> bool {
    options.overflow == Overflow::Disconnect || !options.conflate.is_zero() || options.max_age.is_some()
}

pub(super) fn seen(book: &Book, depth: Depth) -> Book {
    let levels: Levels = match depth {
        Depth::Top(levels) => book.top(levels),
        Depth::All => book.top(usize::MAX),
    };
    Book::from_levels(&levels)
}
