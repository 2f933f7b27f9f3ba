//! The instruments of one feed with their books, and the ticks that follow from what happens to them.
//!
//! Every venue's normaliser speaks to this: it says what the venue said, and the board adds what
//! follows (quotes out of the book, marks on a symbol whose book is void).

mod anew;

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use model::{
    Body, Book, BookChange, BookSide, Candle, Correction, Definition, FeedGap, GapReason, Instrument, Level,
    Levels, Original, Price, Quote, Size, State, StatusChange, Symbol, Tick, Ticker, Trade, UnixNanos, Venue,
};

use crate::binary::Best;
use crate::error::{FeedError, INSTRUMENTS_MAX};

/// The times of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) event: Option<UnixNanos>,
    /// When the venue sent it, where it says that besides.
    pub(crate) source: Option<UnixNanos>,
    pub(crate) recv: Option<UnixNanos>,
}

impl Times {
    /// The venue says when it sent the message, besides.
    pub(crate) const fn sent(self, at: UnixNanos) -> Self {
        Self { source: Some(at), ..self }
    }
}

/// An instrument of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(usize);

/// What a venue's normaliser keeps of each instrument.
#[derive(Default)]
pub(crate) struct PerSlot<T>(Vec<T>);

impl<T: Default> PerSlot<T> {
    pub(crate) fn at(&mut self, slot: Slot) -> &mut T {
        if self.0.len() <= slot.0 {
            self.0.resize_with(slot.0 + 1, T::default);
        }
        &mut self.0[slot.0]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        self.0.iter().enumerate().map(|(index, kept)| (Slot(index), kept))
    }
}

pub(crate) struct Board {
    venue: Venue,
    name: fn(&str) -> String,
    instruments_max: usize,
    entries: Vec<Entry>,
    slots: HashMap<Box<str>, Slot>,
    /// What was said of instruments before anything happened to them.
    defined: HashMap<Box<str>, Definition>,
}

struct Entry {
    instrument: Arc<Instrument>,
    /// The connection that the book comes from.
    conn: Box<str>,
    /// The depth of the channel that the book comes from.
    depth: u32,
    book: Book,
    validity: Validity,
    /// The venue sends quotes of its own: none are made from the book.
    quoted: bool,
    /// Quotes were lost, and none came since.
    lost: bool,
    best: (Option<Level>, Option<Level>),
}

/// Whether the book follows the venue's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Validity {
    /// No snapshot came yet.
    Empty,
    Valid,
    /// Updates were lost; a snapshot must come.
    Void,
}

impl Board {
    /// The board of `venue`, whose names for instruments become ours by `name`.
    pub(crate) fn new(venue: &str, name: fn(&str) -> String) -> Self {
        Self {
            venue: Venue::new(venue),
            name,
            instruments_max: INSTRUMENTS_MAX,
            entries: Vec::new(),
            slots: HashMap::new(),
            defined: HashMap::new(),
        }
    }

    /// With so many instruments at most.
    pub(crate) fn with_most(self, instruments_max: usize) -> Self {
        Self { instruments_max, ..self }
    }

    /// The instrument that the venue calls `venue_symbol`.
    pub(crate) fn slot(&mut self, venue_symbol: &str) -> Result<Slot, FeedError> {
        self.slot_with(venue_symbol, |instrument| {
            let known = mem::replace(&mut instrument.definition, Definition::of_name(&instrument.symbol));
            instrument.definition.update(&known);
        })
    }

    /// As [`Self::slot`]; what is known of a new instrument beside its names is said by `define`.
    pub(crate) fn slot_with(
        &mut self,
        venue_symbol: &str,
        define: impl FnOnce(&mut Instrument),
    ) -> Result<Slot, FeedError> {
        if let Some(&slot) = self.slots.get(venue_symbol) {
            return Ok(slot);
        }
        let symbol = Symbol::parse(&(self.name)(venue_symbol))
            .map_err(|source| FeedError::Symbol { text: venue_symbol.to_owned(), source })?;
        let mut instrument = Instrument::named(symbol, self.venue.clone(), venue_symbol);
        instrument.aliases = instrument.other_names();
        instrument.definition = self.defined.remove(venue_symbol).unwrap_or_default();
        define(&mut instrument);
        let slot = self.list(instrument)?;
        self.slots.insert(venue_symbol.into(), slot);
        Ok(slot)
    }

    /// One more instrument, whatever its venue.
    pub(crate) fn list(&mut self, instrument: Instrument) -> Result<Slot, FeedError> {
        if self.entries.len() >= self.instruments_max {
            return Err(FeedError::TooManyInstruments(self.instruments_max));
        }
        let slot = Slot(self.entries.len());
        self.entries.push(Entry {
            instrument: Arc::new(instrument),
            conn: Box::default(),
            depth: 0,
            book: Book::default(),
            validity: Validity::Empty,
            quoted: false,
            lost: false,
            best: (None, None),
        });
        Ok(slot)
    }

    /// The instrument that the venue calls `venue_symbol`, where something was heard of it.
    pub(crate) fn known(&self, venue_symbol: &str) -> Option<Slot> {
        self.slots.get(venue_symbol).copied()
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..self.entries.len()).map(Slot)
    }

    /// The instruments whose books come over `conn`.
    pub(crate) fn slots_over(&self, conn: &str) -> impl Iterator<Item = Slot> + use<> {
        let over = |slot: &Slot| self.entries[slot.0].conn.as_ref() == conn;
        self.slots().filter(over).collect::<Vec<_>>().into_iter()
    }

    /// The book of this instrument, as it was sent on.
    pub(crate) fn book(&self, slot: Slot) -> &Book {
        &self.entries[slot.0].book
    }

    /// The book of this instrument comes over `conn`.
    pub(crate) fn comes_over(&mut self, slot: Slot, conn: &str) {
        let known = &mut self.entries[slot.0].conn;
        if known.as_ref() != conn {
            *known = conn.into();
        }
    }

    /// Whether the book is taken from a channel of `depth` on `conn`: of several, the deepest is the book;
    /// once that is void, whichever begins anew. If so, it comes over `conn`.
    pub(crate) fn takes(&mut self, slot: Slot, conn: &str, depth: u32, is_snapshot: bool) -> bool {
        let entry = &mut self.entries[slot.0];
        let anew = is_snapshot && entry.validity != Validity::Valid;
        if depth < entry.depth && !anew {
            return false;
        }
        entry.depth = depth;
        self.comes_over(slot, conn);
        true
    }

    /// Voids every book that comes over `conn`.
    pub(crate) fn void_all(&mut self, conn: &str, times: Times, gap: FeedGap, out: &mut Vec<Tick>) {
        for slot in self.slots_over(conn) {
            self.void(slot, times, gap, out);
        }
    }

    /// Whether the book follows the venue's.
    pub(crate) fn is_valid(&self, slot: Slot) -> bool {
        self.entries[slot.0].validity == Validity::Valid
    }

    /// Whether updates of the book were lost, and no snapshot came since.
    pub(crate) fn is_void(&self, slot: Slot) -> bool {
        self.entries[slot.0].validity == Validity::Void
    }

    /// Whether its book has had no beginning yet.
    pub(crate) fn is_new(&self, slot: Slot) -> bool {
        self.entries[slot.0].validity == Validity::Empty
    }

    /// The size of a level of the book, zero where there is none.
    pub(crate) fn size_at(&self, slot: Slot, side: BookSide, price: Price) -> Size {
        self.entries[slot.0].book.size_at(side, price).unwrap_or(Size::ZERO)
    }

    /// From now on the venue's own quotes are the quotes.
    pub(crate) fn expect_quotes(&mut self, slot: Slot) {
        self.entries[slot.0].quoted = true;
    }

    pub(crate) fn trade(&self, slot: Slot, times: Times, trade: Trade, old: bool, out: &mut Vec<Tick>) {
        let body = if old { Body::OldTrade(trade) } else { Body::Trade(trade) };
        out.push(self.tick(slot, times, body));
    }

    /// The venue takes back the execution of that id, or says what holds instead. `original` is what it repeats of it,
    /// with its time where it says that, too.
    pub(crate) fn correct(
        &self,
        slot: Slot,
        times: Times,
        id: &str,
        original: Option<(Trade, Option<UnixNanos>)>,
        becomes: Option<Trade>,
        out: &mut Vec<Tick>,
    ) {
        let original = original.map(|(trade, ts_event)| Original { trade, ts_event, back: None });
        let correction = Correction { id: id.into(), original, becomes };
        out.push(self.tick(slot, times, Body::Correction(Box::new(correction))));
    }

    /// The venue's own best bid and offer.
    pub(crate) fn quote(
        &mut self,
        slot: Slot,
        times: Times,
        bid: Option<Level>,
        ask: Option<Level>,
        out: &mut Vec<Tick>,
    ) {
        self.expect_quotes(slot);
        out.push(self.tick(slot, times, Body::Quote(Quote::of(bid, ask, false))));
        if mem::take(&mut self.entries[slot.0].lost) {
            out.push(self.status(slot, times, State::Open, "quoted again"));
        }
    }

    pub(crate) fn ticker(&self, slot: Slot, times: Times, ticker: Ticker, out: &mut Vec<Tick>) {
        out.push(self.tick(slot, times, Body::Ticker(Box::new(ticker))));
    }

    /// A bar that the venue has made.
    pub(crate) fn candle(&self, slot: Slot, times: Times, candle: Candle, out: &mut Vec<Tick>) {
        out.push(self.tick(slot, times, Body::Candle(Box::new(candle))));
    }

    /// The venue says that the instrument entered a state.
    pub(crate) fn state(&self, slot: Slot, times: Times, state: State, reason: &str, out: &mut Vec<Tick>) {
        out.push(self.status(slot, times, state, reason));
    }

    /// The whole book, as the venue gives it.
    pub(crate) fn snapshot(&mut self, slot: Slot, times: Times, levels: Levels, out: &mut Vec<Tick>) {
        let entry = &mut self.entries[slot.0];
        entry.book = Book::from_levels(&levels);
        let before = mem::replace(&mut entry.validity, Validity::Valid);
        out.push(self.tick(slot, times, Body::Book(BookChange::Snapshot(levels))));
        if before == Validity::Void {
            out.push(self.status(slot, times, State::Open, "the book is whole again"));
        }
        self.derive_quote(slot, times, out);
    }

    /// A change of a valid book. A change without a level is nothing.
    pub(crate) fn delta(&mut self, slot: Slot, times: Times, levels: Levels, out: &mut Vec<Tick>) {
        self.entries[slot.0].book.apply(&levels);
        self.applied(slot, times, levels, out);
    }

    /// As [`Self::delta`], at a venue that keeps `depth` levels a side: what the change pushes out
    /// goes with the same record. `is_right` judges the resulting book.
    pub(crate) fn checked_delta(
        &mut self,
        slot: Slot,
        times: Times,
        mut levels: Levels,
        depth: usize,
        is_right: impl FnOnce(&Book) -> bool,
        out: &mut Vec<Tick>,
    ) -> bool {
        let book = &mut self.entries[slot.0].book;
        book.apply(&levels);
        let cut = book.cut(depth);
        levels.bids.extend(cut.bids);
        levels.asks.extend(cut.asks);
        let right = is_right(book);
        if right {
            self.applied(slot, times, levels, out);
        }
        right
    }

    /// The whole book of an instrument whose levels are kept by its feed; its best ones, where they changed.
    pub(crate) fn kept_snapshot(
        &mut self,
        slot: Slot,
        times: Times,
        levels: Levels,
        best: Option<Best>,
        out: &mut Vec<Tick>,
    ) {
        let before = mem::replace(&mut self.entries[slot.0].validity, Validity::Valid);
        out.push(self.tick(slot, times, Body::Book(BookChange::Snapshot(levels))));
        if before == Validity::Void {
            out.push(self.status(slot, times, State::Open, "the book is whole again"));
        }
        self.kept_best(slot, times, best, out);
    }

    /// A change of a valid book whose levels are kept by its feed; its best ones, where they changed.
    #[inline]
    pub(crate) fn kept_delta(
        &mut self,
        slot: Slot,
        times: Times,
        levels: Levels,
        best: Option<Best>,
        out: &mut Vec<Tick>,
    ) {
        if !levels.is_empty() {
            out.push(self.tick(slot, times, Body::Book(BookChange::Delta(levels))));
        }
        self.kept_best(slot, times, best, out);
    }

    #[inline]
    fn kept_best(&self, slot: Slot, times: Times, best: Option<Best>, out: &mut Vec<Tick>) {
        if let Some((bid, ask)) = best.filter(|_| !self.entries[slot.0].quoted) {
            out.push(self.tick(slot, times, Body::Quote(Quote::of(bid, ask, true))));
        }
    }

    fn applied(&mut self, slot: Slot, times: Times, levels: Levels, out: &mut Vec<Tick>) {
        if levels.is_empty() {
            return;
        }
        out.push(self.tick(slot, times, Body::Book(BookChange::Delta(levels))));
        self.derive_quote(slot, times, out);
    }

    /// The book can no longer be trusted. Said once, until a snapshot comes; also of a first snapshot that was wrong.
    pub(crate) fn void(&mut self, slot: Slot, times: Times, gap: FeedGap, out: &mut Vec<Tick>) {
        let entry = &mut self.entries[slot.0];
        let is_first = entry.validity == Validity::Empty && gap.reason == GapReason::Checksum;
        if entry.validity != Validity::Valid && !is_first {
            return;
        }
        entry.validity = Validity::Void;
        entry.book = Book::default();
        entry.best = (None, None);
        out.push(self.tick(slot, times, Body::Book(BookChange::Gap(gap))));
        let what = if gap.reason.is_loss() { "updates were lost" } else { "begins anew" };
        let reason = format!("book {what} ({}), waiting for a snapshot", gap.reason.as_str());
        out.push(self.status(slot, times, State::Suspect, &reason));
    }

    /// As [`Self::void`] where there is a book. Where the venue sends only quotes, the last one can no longer be
    /// trusted, until the next.
    pub(crate) fn lose(&mut self, slot: Slot, times: Times, gap: FeedGap, out: &mut Vec<Tick>) {
        let entry = &mut self.entries[slot.0];
        if entry.validity != Validity::Empty || !entry.quoted {
            return self.void(slot, times, gap, out);
        }
        if !mem::replace(&mut entry.lost, true) {
            out.push(self.tick(slot, times, Body::Book(BookChange::Gap(gap))));
            let reason = format!("updates were lost ({}), waiting for a quote", gap.reason.as_str());
            out.push(self.status(slot, times, State::Suspect, &reason));
        }
    }

    fn derive_quote(&mut self, slot: Slot, times: Times, out: &mut Vec<Tick>) {
        let entry = &mut self.entries[slot.0];
        if entry.quoted {
            return;
        }
        let best = (entry.book.best(BookSide::Bid), entry.book.best(BookSide::Ask));
        if mem::replace(&mut entry.best, best) != best {
            let quote = Quote::of(best.0, best.1, true);
            out.push(self.tick(slot, times, Body::Quote(quote)));
        }
    }

    fn status(&self, slot: Slot, times: Times, state: State, reason: &str) -> Tick {
        let feed = self.entries[slot.0].instrument.venue.as_str().into();
        let change = StatusChange { state, reason: reason.into(), feed, since: None };
        self.tick(slot, times, Body::Status(Box::new(change)))
    }

    fn tick(&self, slot: Slot, times: Times, body: Body) -> Tick {
        let instrument = Arc::clone(&self.entries[slot.0].instrument);
        Tick { instrument, ts_event: times.event, ts_source: times.source, ts_recv: times.recv, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruments_are_bounded() {
        let mut board = Board::new("example", str::to_owned).with_most(1);
        let first = board.slot("A").unwrap();
        assert_eq!(board.slot("A").unwrap(), first);
        let refused = board.slot("B").unwrap_err();
        assert_eq!(refused.to_string(), "more than 1 instruments: fewer can be read at a time");
    }
}
