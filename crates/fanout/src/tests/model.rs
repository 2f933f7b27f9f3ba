//! The naive model: every event ever published, kept for ever; a client that believes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::model::{Body, Book, BookChange, BookSide, Levels, Seq, TradeSummary};

use crate::book::BookRecord;
use crate::{
    Batch, Depth, Event, GapCause, Item, Kind, Ledger, Options, Overflow, Snapshot, Stream, TopicId,
};

/// All that was published, and the book of each symbol after each of its events.
#[derive(Default)]
pub(super) struct Source {
    /// No log can run out of room for those who have fallen off it.
    pub(super) ample: bool,
    streams: BTreeMap<TopicId, Vec<Arc<Event>>>,
    /// `None` while the book is not known.
    books: BTreeMap<TopicId, Vec<Option<Book>>>,
    /// By trades stream: places that no summary may span.
    barriers: BTreeMap<TopicId, Vec<Seq>>,
}

impl Source {
    pub(super) fn publish(&mut self, event: &Arc<Event>) {
        let events = self.streams.entry(event.topic).or_default();
        events.push(Arc::clone(event));
        assert_eq!(event.seq, Seq(events.len() as u64));
        match &event.body {
            Body::Book(change) => {
                let books = self.books.entry(event.topic).or_default();
                let before = books.last().cloned().flatten();
                books.push(match (change, before) {
                    (BookChange::Snapshot(levels), _) => Some(Book::from_levels(levels)),
                    (BookChange::Delta(levels), Some(mut book)) => {
                        book.apply(levels);
                        Some(book)
                    }
                    (BookChange::Delta(_), None) | (BookChange::Gap(_), _) => None,
                });
            }
            Body::Status(_) => {
                let trades = TopicId { stream: Stream::Trades, ..event.topic };
                let at = self.head(trades);
                self.barriers.entry(trades).or_default().push(at);
            }
            _ => {}
        }
    }

    pub(super) fn head(&self, topic: TopicId) -> Seq {
        Seq(self.streams.get(&topic).map_or(0, |events| events.len() as u64))
    }

    fn event(&self, topic: TopicId, seq: Seq) -> &Arc<Event> {
        &self.streams[&topic][usize::try_from(seq.0).unwrap() - 1]
    }

    fn between(&self, topic: TopicId, prev: Seq, seq: Seq) -> &[Arc<Event>] {
        &self.streams[&topic][usize::try_from(prev.0).unwrap()..usize::try_from(seq.0).unwrap()]
    }

    fn book(&self, topic: TopicId, seq: Seq) -> Option<&Book> {
        self.books[&topic][usize::try_from(seq.0).unwrap() - 1].as_ref()
    }
}

/// What a client makes of one stream, and what it holds the server to.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Reader {
    topic: TopicId,
    options: Options,
    base: Seq,
    place: Seq,
    book: Option<Book>,
    delivered: u64,
    coalesced: u64,
    skipped: u64,
    last_sent: Seq,
    snapshot_due: bool,
    /// Nothing was sent yet of what begins with a snapshot.
    fresh: bool,
    /// Anything was sent.
    begun: bool,
    flushed: Option<Duration>,
    /// It was conflated or lossless once: such streams may fall behind the others of their symbol.
    held_back: bool,
    position: u64,
}

impl Reader {
    pub(super) fn new(topic: TopicId, options: Options, head: Seq) -> Self {
        Self {
            topic,
            options,
            base: head,
            place: head,
            book: None,
            delivered: 0,
            coalesced: 0,
            skipped: 0,
            last_sent: Seq::START,
            snapshot_due: options.snapshot,
            fresh: options.snapshot,
            begun: false,
            flushed: None,
            held_back: holds_back(&options),
            position: 0,
        }
    }

    pub(super) const fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn change(&mut self, options: Options, head: Seq) {
        let book = self.topic.stream == Stream::Book;
        let moved = book && self.options.depth != options.depth;
        let lacks = book && self.options.checksum != options.checksum && self.place < head;
        self.snapshot_due |= options.snapshot || moved || lacks;
        if moved {
            self.book = None;
        }
        self.held_back |= holds_back(&options);
        self.options = options;
    }

    /// Takes one item, or says which law it breaks.
    pub(super) fn take(&mut self, source: &Source, item: &Item, now: Duration) {
        assert!(item.position >= self.position, "the order of the source");
        self.position = item.position;
        let is_snapshot = matches!(item.kind, Kind::Snapshot(_));
        assert!(!self.fresh || is_snapshot, "the snapshot comes first");
        self.fresh = false;
        match &item.kind {
            Kind::Event { event, prev } => {
                assert!(Arc::ptr_eq(event, source.event(self.topic, event.seq)));
                assert_eq!(item.position, event.position);
                self.may_fold(source, *prev, event.seq);
                self.tile(*prev, event.seq);
                self.conflation(matches!(&event.body, Body::Candle(c) if c.closed) || self.is_status(), now);
            }
            Kind::Summary { record, prev } => {
                self.summary(source, &record.summary, *prev, &record.last);
                self.tile(*prev, record.last.seq);
                // A status change splits one flush into several records.
                let split = source.barriers.get(&self.topic).is_some_and(|b| b.contains(prev));
                self.conflation(split, now);
            }
            Kind::Book { record, prev } => {
                self.book_record(source, record, *prev);
                self.tile(*prev, record.seq);
                self.conflation(false, now);
            }
            Kind::Gap { from, to, cause } => {
                let merges = matches!(self.topic.stream, Stream::Trades | Stream::Book | Stream::Quotes);
                let must_merge = merges && source.ample && self.options.overflow == Overflow::Coalesce;
                assert!(!must_merge || *cause == GapCause::FeedGap, "what can be merged is not dropped");
                assert_eq!(*from, self.place.next(), "a gap begins where the reader stands");
                assert!(to >= from);
                self.skipped += to.since(self.place);
                self.place = *to;
                self.book = None;
            }
            Kind::Snapshot(snapshot) => self.snapshot(source, snapshot),
        }
        self.begun = true;
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
    }

    /// Whether an event may stand for those before it.
    fn may_fold(&self, source: &Source, prev: Seq, seq: Seq) {
        let folded = source.between(self.topic, prev, seq.prev());
        match self.topic.stream {
            Stream::Quotes | Stream::Ticker => {}
            Stream::Candles(_) => {
                let lost =
                    folded.iter().any(|event| matches!(&event.body, Body::Candle(candle) if candle.closed));
                assert!(!lost, "a closed bar is never folded away");
            }
            other => assert!(folded.is_empty(), "{other:?} are never folded away"),
        }
    }

    fn conflation(&mut self, exempt: bool, now: Duration) {
        if self.options.conflate.is_zero() || exempt {
            return;
        }
        if let Some(flushed) = self.flushed.filter(|&flushed| flushed != now) {
            assert!(now >= flushed + self.options.conflate, "one update an interval");
        }
        self.flushed = Some(now);
    }

    fn summary(&self, source: &Source, summary: &TradeSummary, prev: Seq, last: &Arc<Event>) {
        let folded = source.between(self.topic, prev, last.seq);
        assert!(folded.len() > 1, "a single trade is no summary");
        assert!(Arc::ptr_eq(last, &folded[folded.len() - 1]));
        let sums = folded.iter().map(|event| {
            let Body::Trade(trade) = &event.body else { panic!("not a trade") };
            TradeSummary::of(trade, event.ts_event, event.ts_recv).unwrap()
        });
        let wanted = sums.reduce(|a, b| a.merged(&b).unwrap()).unwrap();
        assert_eq!(*summary, wanted, "totals are conserved");
        assert_eq!(summary.volume.scale(), wanted.volume.scale());
        let spans = |barrier: &Seq| prev < *barrier && *barrier < last.seq;
        assert!(
            !source.barriers.get(&self.topic).is_some_and(|b| b.iter().any(spans)),
            "spans a status change"
        );
    }

    fn book_record(&mut self, source: &Source, record: &BookRecord, prev: Seq) {
        let book = self.book.as_mut().expect("a change of a book that the reader does not have");
        book.apply(&record.levels);
        let real = source.book(self.topic, record.seq).expect("a change of a book that is not known");
        assert_eq!(*book, seen(real, self.options.depth), "the book is exact");
        self.notes(source, record.seq, record.crossed, record.checksum);
        let depth = seen(real, self.options.depth);
        for event in source.between(self.topic, prev, record.seq) {
            let Body::Book(BookChange::Delta(delta)) = &event.body else { continue };
            for side in BookSide::BOTH {
                for level in
                    delta.side(side).iter().filter(|level| depth.size_at(side, level.price).is_some())
                {
                    let listed = record.levels.side(side).iter().any(|l| l.price == level.price);
                    assert!(listed, "every level touched is listed");
                }
            }
        }
    }

    fn notes(&self, source: &Source, seq: Seq, crossed: bool, checksum: Option<u32>) {
        let Some(real) = source.book(self.topic, seq) else { panic!("not known") };
        assert_eq!(crossed, real.is_crossed());
        let wanted = self.options.checksum.then(|| seen(real, self.options.depth).checksum(10));
        assert_eq!(checksum, wanted);
    }

    fn snapshot(&mut self, source: &Source, snapshot: &Snapshot) {
        self.snapshot_due = false;
        let seq = match snapshot {
            Snapshot::Empty => {
                if self.topic.stream == Stream::Book {
                    let head = source.head(self.topic);
                    assert!(source.books.get(&self.topic).is_none_or(|books| books.last() == Some(&None)));
                    self.replace(head);
                    self.book = None;
                }
                return;
            }
            Snapshot::Book(book) => {
                let real = source.book(self.topic, book.seq).expect("a snapshot of a book that is not known");
                let levels = Book::from_levels(&book.levels);
                assert_eq!(levels, seen(real, self.options.depth), "the book is exact");
                assert!(book.seq >= self.place);
                self.notes(source, book.seq, book.crossed, book.checksum);
                self.book = Some(levels);
                book.seq
            }
            Snapshot::Events(events) => {
                let limit = self.options.snapshot_limit.unwrap_or(500);
                assert!(!events.is_empty() && events.len() <= limit);
                if self.topic.stream == Stream::Trades {
                    assert!(events.windows(2).all(|pair| pair[0].seq.next() == pair[1].seq));
                }
                events[events.len() - 1].seq
            }
        };
        self.replace(seq);
        self.last_sent = self.last_sent.max(seq);
    }

    /// A snapshot stands for everything up to `seq`: skipped, unless it is the beginning.
    fn replace(&mut self, seq: Seq) {
        let place = self.place.max(seq);
        if self.begun {
            self.skipped += place.since(self.place);
        } else {
            self.base = place;
        }
        self.place = place;
    }

    pub(super) fn check_ledger(&self, source: &Source, ledger: &Ledger) {
        let head = source.head(self.topic);
        let wanted = Ledger {
            topic: self.topic,
            published: head.since(self.base),
            delivered: self.delivered,
            coalesced: self.coalesced,
            skipped: self.skipped,
            pending: head.since(self.place),
            last_sequence: self.last_sent,
        };
        assert_eq!(*ledger, wanted);
        let sum = ledger.delivered + ledger.coalesced + ledger.skipped + ledger.pending;
        assert_eq!(ledger.published, sum, "the ledger closes");
    }

    /// Whether the reader has everything that it can have by now.
    pub(super) fn is_current(&self, source: &Source) -> bool {
        if self.topic.stream != Stream::Book {
            return self.place == source.head(self.topic);
        }
        // What a book did outside of the reader's depth is not sent until something else happens.
        let books = source.books.get(&self.topic).map(Vec::as_slice).unwrap_or_default();
        let real = books.last().cloned().flatten().map(|book| seen(&book, self.options.depth));
        self.snapshot_due || self.book == real
    }
}

fn holds_back(options: &Options) -> bool {
    options.overflow == Overflow::Disconnect || !options.conflate.is_zero()
}

fn seen(book: &Book, depth: Depth) -> Book {
    let levels: Levels = match depth {
        Depth::Top(levels) => book.top(levels),
        Depth::All => book.top(usize::MAX),
    };
    Book::from_levels(&levels)
}

/// A session as its client sees it.
#[derive(Default)]
pub(super) struct Client {
    pub(super) readers: BTreeMap<TopicId, Reader>,
    symbol_position: BTreeMap<u32, u64>,
    cursor: u64,
    slow: bool,
}

impl Client {
    pub(super) fn take(&mut self, source: &Source, batch: &Batch, now: Duration) {
        assert!(batch.cursor >= self.cursor, "the cursor never goes back");
        self.cursor = batch.cursor;
        if batch.started.is_some() {
            assert!(!self.slow);
            self.slow = true;
        }
        let before: u64 = self.readers.values().map(|reader| reader.coalesced).sum();
        for item in &batch.items {
            let reader =
                self.readers.get_mut(&item.topic).expect("an item of a stream that was not asked for");
            reader.take(source, item, now);
            let is_record = !matches!(item.kind, Kind::Gap { .. } | Kind::Snapshot(_));
            if !reader.held_back && is_record {
                let newest = self.symbol_position.entry(item.topic.symbol.0).or_default();
                assert!(item.position >= *newest, "a symbol's records keep the order of the source");
                *newest = item.position;
            }
        }
        // Resuming from the cursor may repeat an event, never miss one.
        for reader in self.readers.values().filter(|reader| reader.topic.stream != Stream::Book) {
            if reader.place < source.head(reader.topic) && !batch.overrun {
                let next = source.event(reader.topic, reader.place.next());
                assert!(batch.cursor < next.position, "the cursor is a low-water mark");
            }
        }
        let after: u64 = self.readers.values().map(|reader| reader.coalesced).sum();
        if !self.slow
            && self.readers.values().all(|r| r.options.conflate.is_zero() && r.topic.stream != Stream::Book)
        {
            assert_eq!(before, after, "nothing is merged before the notice");
        }
        if batch.ended.is_some() {
            assert!(self.slow && !batch.more);
            self.slow = false;
        }
    }

    /// Nothing may wait for a conflation interval that a client must know at once.
    pub(super) fn nothing_urgent_waits(&self, source: &Source) {
        for (topic, reader) in &self.readers {
            let waits =
                source.streams.get(topic).map(|_| source.between(*topic, reader.place, source.head(*topic)));
            let urgent = waits.into_iter().flatten().any(|event| match &event.body {
                Body::Candle(candle) => candle.closed,
                Body::Status(_) => true,
                _ => false,
            });
            assert!(!urgent, "{topic:?} keeps something urgent back");
        }
    }
}
