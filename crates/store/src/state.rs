//! How everything stood at one place in the total order: what a replay that begins there is begun with.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use model::{
    Body, Book, BookChange, FeedGap, GapReason, Instrument, Interval, Placed, Seq, Symbol, UnixNanos,
};

use crate::limits::{STATE_BARS, STATE_TRADES};

/// The books, the newest quotes, tickers and states, and the last trades and bars.
#[derive(Clone, Default)]
pub struct State {
    symbols: HashMap<Symbol, Held>,
    position: u64,
    clock: UnixNanos,
    records: u64,
}

/// What is held of a symbol.
#[derive(Clone)]
struct Held {
    instrument: Arc<Instrument>,
    trades: VecDeque<Placed>,
    quote: Option<Placed>,
    ticker: Option<Placed>,
    status: Option<Placed>,
    /// The book, and the newest record of it. There is none where its updates were lost, until it is told whole.
    book: Option<(Option<Book>, Placed)>,
    bars: [VecDeque<Placed>; Interval::ALL.len()],
}

impl State {
    /// Takes a record in, after those before it.
    pub fn apply(&mut self, record: &Placed) {
        self.position = record.position;
        self.clock = self.clock.max(record.ts_recv);
        self.records += 1;
        self.hold(record);
    }

    /// The place of the newest record in the total order; 0 before the first.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The latest time of receipt so far.
    #[must_use]
    pub const fn clock(&self) -> UnixNanos {
        self.clock
    }

    /// How many records have come to this.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// The book of a symbol, and where its newest record stands (not its levels); `None` where there is none, or where
    /// its updates were lost, here or at the venue, since it was told whole.
    #[must_use]
    pub fn book(&self, symbol: &Symbol) -> Option<(&Book, &Placed)> {
        let (book, newest) = self.symbols.get(symbol)?.book.as_ref()?;
        Some((book.as_ref()?, newest))
    }

    /// What is listed, by symbol.
    #[must_use]
    pub fn instruments(&self) -> Vec<Arc<Instrument>> {
        let mut listed: Vec<_> = self.symbols.values().map(|held| Arc::clone(&held.instrument)).collect();
        listed.sort_by(|one, other| one.symbol.cmp(&other.symbol));
        listed
    }

    /// Records that say all of it, in the total order; a book is one that sets its levels.
    #[must_use]
    pub fn to_records(&self) -> Vec<Placed> {
        let mut records = Vec::new();
        for held in self.symbols.values() {
            records.extend(held.trades.iter().cloned());
            records.extend([&held.quote, &held.ticker, &held.status].into_iter().flatten().cloned());
            records.extend(held.bars.iter().flatten().cloned());
            records.extend(held.book.as_ref().map(|(book, newest)| {
                let change = match book {
                    Some(book) => BookChange::Snapshot(book.top(usize::MAX)),
                    None => BookChange::Gap(LOST),
                };
                Placed { body: Body::Book(change), ..newest.clone() }
            }));
        }
        records.sort_by_key(|record| record.position);
        records
    }

    pub(crate) fn from_records(records: &[Placed], position: u64, clock: UnixNanos, count: u64) -> Self {
        let mut state = Self { position, clock, records: count, ..Self::default() };
        for record in records {
            state.hold(record);
        }
        state
    }

    fn hold(&mut self, record: &Placed) {
        if !self.symbols.contains_key(&record.instrument.symbol) {
            self.symbols.insert(record.instrument.symbol.clone(), Held::new(&record.instrument));
        }
        if let Some(held) = self.symbols.get_mut(&record.instrument.symbol) {
            held.hold(record);
        }
    }
}

impl Held {
    fn new(instrument: &Arc<Instrument>) -> Self {
        Self {
            instrument: Arc::clone(instrument),
            trades: VecDeque::new(),
            quote: None,
            ticker: None,
            status: None,
            book: None,
            bars: Default::default(),
        }
    }

    fn hold(&mut self, record: &Placed) {
        match &record.body {
            Body::Trade(_) | Body::Correction(_) => keep(&mut self.trades, record, STATE_TRADES),
            Body::OldTrade(_) => {}
            Body::Quote(_) => self.quote = Some(record.clone()),
            Body::Ticker(_) => self.ticker = Some(record.clone()),
            Body::Status(_) => self.status = Some(record.clone()),
            Body::Candle(candle) => {
                let bars = &mut self.bars[candle.interval as usize];
                // Mostly the newest; a bar that was closed may be corrected later.
                let same =
                    |told: &Placed| matches!(&told.body, Body::Candle(bar) if bar.start == candle.start);
                if let Some(at) = bars.iter().rposition(same) {
                    bars.remove(at);
                }
                keep(bars, record, STATE_BARS);
            }
            Body::Book(change) => {
                let before = self.book.take();
                // Where a record is missing, what follows changes a book that nobody knows.
                let follows =
                    before.as_ref().map_or(Seq::START, |(_, newest)| newest.seq).next() == record.seq;
                let book = before.map_or_else(|| Some(Book::default()), |(book, _)| book);
                let book = match change {
                    BookChange::Snapshot(levels) => Some(Book::from_levels(levels)),
                    BookChange::Delta(levels) => book.filter(|_| follows).map(|mut book| {
                        book.apply(levels);
                        book
                    }),
                    BookChange::Gap(_) => None,
                };
                // Its levels are in the book.
                let body = Body::Book(BookChange::Gap(LOST));
                let newest = Placed { instrument: Arc::clone(&record.instrument), body, ..*record };
                self.book = Some((book, newest));
            }
        }
    }
}

/// What a state says of a book that is not known.
const LOST: FeedGap = FeedGap { reason: GapReason::Sequence, venue_from: None, venue_to: None };

fn keep(kept: &mut VecDeque<Placed>, record: &Placed, most: usize) {
    if kept.len() == most {
        kept.pop_front();
    }
    kept.push_back(record.clone());
}
