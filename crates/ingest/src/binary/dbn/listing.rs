//! One instrument of a DBN stream with its book: single orders (MBO), or the ten best levels (MBP-10).

use model::{BookSide, GapReason, Levels, Tick};

use super::super::error::BinaryError;
use super::super::ladder::level;
use super::super::orders::{Order, OrderBook};
use super::{NO_PRICE, SCALE, flag};
use crate::board::{Board, Slot, Times};
use crate::error::FeedError;
use crate::venue::gap;

/// One instrument.
pub(super) struct Listing {
    pub(super) board: usize,
    pub(super) slot: Slot,
    /// The number that meant it last.
    pub(super) id: u32,
    book: Book,
    /// The event that is not finished yet.
    event: Event,
    /// The order before was part of a snapshot, of which each may be an event of its own.
    snapshot: bool,
}

/// Where the levels come from.
enum Book {
    None,
    /// The ten best levels, as they were told last and as they are.
    Tops {
        told: Levels,
        now: Levels,
    },
    /// Every order. What else tells levels is not listened to.
    Orders(Box<OrderBook>),
}

#[derive(Default)]
struct Event {
    /// Something of it was applied; the times of its last record.
    times: Option<Times>,
    /// The book is told whole at its end.
    whole: bool,
    /// It is part of a snapshot.
    snapshot: bool,
    /// The venue has cleared the book.
    cleared: bool,
}

/// An order of an MBO record, or what happened to one.
pub(super) struct Mbo {
    pub(super) id: u64,
    pub(super) price: i64,
    pub(super) size: u32,
    pub(super) flags: u8,
    pub(super) action: u8,
    pub(super) side: u8,
}

impl Listing {
    pub(super) const fn new(board: usize, slot: Slot, id: u32) -> Self {
        let event = Event { times: None, whole: false, snapshot: false, cleared: false };
        Self { board, slot, id, book: Book::None, event, snapshot: false }
    }

    /// The number that means it is another: what rested under the old one is gone.
    pub(super) fn renumber(&mut self, id: u32) {
        if self.id != id {
            self.id = id;
            self.book = Book::None;
            self.event = Event { whole: true, ..Event::default() };
            self.snapshot = false;
        }
    }

    /// An MBO record other than a trade.
    pub(super) fn order(
        &mut self,
        board: &mut Board,
        mbo: &Mbo,
        times: Times,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let snapshot = mbo.flags & flag::SNAPSHOT != 0;
        if self.event.snapshot && !snapshot {
            // Snapshots need not say where they end.
            self.finish(board, out);
        }
        if !matches!(self.book, Book::Orders(_)) {
            self.book = Book::Orders(Box::new(OrderBook::new(SCALE)));
            self.event.whole = true;
        }
        let Book::Orders(book) = &mut self.book else { return Ok(()) };
        if snapshot && !self.snapshot {
            book.clear();
            self.event.whole = true;
        }
        (self.snapshot, self.event.snapshot) = (snapshot, snapshot);
        self.event.times = Some(times);
        if mbo.flags & flag::MAYBE_BAD_BOOK != 0 && !snapshot {
            board.void(self.slot, times, gap(GapReason::Sequence), out);
        }
        let applied = apply(book, mbo);
        self.event.whole |= mbo.action == b'R';
        // A snapshot begins so, too.
        self.event.cleared |= mbo.action == b'R' && !snapshot;
        if mbo.flags & flag::LAST != 0 {
            self.finish(board, out);
        }
        applied
    }

    /// A record that is part of the event but changes no order.
    pub(super) fn pass(&mut self, board: &mut Board, flags: u8, times: Times, out: &mut Vec<Tick>) {
        if flags & flag::LAST != 0 && self.event.times.is_some() {
            self.event.times = Some(times);
            self.finish(board, out);
        }
    }

    /// The ten best levels of an MBP-10 record.
    pub(super) fn tops(
        &mut self,
        board: &mut Board,
        levels: Levels,
        (flags, action): (u8, u8),
        times: Times,
        out: &mut Vec<Tick>,
    ) {
        match &mut self.book {
            Book::Orders(_) => return,
            Book::Tops { now, .. } => *now = levels,
            Book::None => {
                self.book = Book::Tops { told: Levels::default(), now: levels };
                self.event.whole = true;
            }
        }
        if flags & flag::MAYBE_BAD_BOOK != 0 {
            board.void(self.slot, times, gap(GapReason::Sequence), out);
        }
        self.event.times = Some(times);
        self.event.whole |= action == b'R' || flags & flag::SNAPSHOT != 0;
        if flags & flag::LAST != 0 {
            // Each record has all there is: what was lost before does not matter.
            self.event.whole |= flags & flag::MAYBE_BAD_BOOK == 0 && board.is_void(self.slot);
            self.finish(board, out);
        }
    }

    /// The event is over, or nothing of it comes any more.
    pub(super) fn finish(&mut self, board: &mut Board, out: &mut Vec<Tick>) {
        let Some(times) = self.event.times else { return };
        // Where nothing was told yet, what is known is the book from here on.
        let whole = self.event.whole || !(board.is_valid(self.slot) || board.is_void(self.slot));
        let cleared = std::mem::take(&mut self.event).cleared;
        let void = board.is_void(self.slot);
        match &mut self.book {
            Book::None => {}
            Book::Orders(book) if whole => {
                let (levels, best) = (book.ladder.whole(), book.ladder.new_best());
                if cleared {
                    board.begin_anew(self.slot, times, GapReason::Restart, out);
                }
                board.kept_snapshot(self.slot, times, levels, best, out);
            }
            Book::Orders(book) if void => book.ladder.forget(),
            Book::Orders(book) => {
                let (levels, best) = (book.ladder.changes(), book.ladder.new_best());
                board.kept_delta(self.slot, times, levels, best, out);
            }
            Book::Tops { told, now } if whole => {
                told.clone_from(now);
                board.kept_snapshot(self.slot, times, now.clone(), None, out);
            }
            Book::Tops { told, now } => {
                let change = difference(told, now);
                told.clone_from(now);
                if !void {
                    board.kept_delta(self.slot, times, change, None, out);
                }
            }
        }
    }
}

#[inline]
fn apply(book: &mut OrderBook, mbo: &Mbo) -> Result<(), FeedError> {
    let side = match mbo.side {
        b'B' => Some(BookSide::Bid),
        b'A' => Some(BookSide::Ask),
        _ => None,
    };
    if mbo.flags & (flag::TOB | flag::MBP) != 0 && matches!(mbo.action, b'A' | b'M' | b'C') {
        aggregated(book, mbo, side);
        return Ok(());
    }
    match (mbo.action, side) {
        (b'A' | b'M', Some(side)) if mbo.price != NO_PRICE => {
            book.put(mbo.id, Order { price: mbo.price, size: mbo.size, side });
        }
        (b'C', _) => {
            book.reduce(mbo.id, mbo.size);
        }
        (b'R', _) => book.clear(),
        // A fill is told again by what it leaves: the book changes only there.
        (b'F' | b'N', _) => {}
        (b'A' | b'M', _) => return Err(FeedError::Missing(if side.is_none() { "side" } else { "price" })),
        (action, _) => return Err(BinaryError::Code { what: "action", code: action.into() }.into()),
    }
    Ok(())
}

/// Not an order, but all that stands at a price, or at the best one.
fn aggregated(book: &mut OrderBook, mbo: &Mbo, side: Option<BookSide>) {
    for side in BookSide::BOTH.into_iter().filter(|&of| side.is_none_or(|side| side == of)) {
        if mbo.flags & flag::TOB != 0 {
            book.clear_side(side);
        }
        if mbo.price != NO_PRICE {
            book.ladder.set(side, mbo.price, if mbo.action == b'C' { 0 } else { mbo.size.into() });
        }
    }
}

/// What turns the ten best levels into others: what is gone, what is new, what has another size.
fn difference(from: &Levels, to: &Levels) -> Levels {
    let mut change = Levels::default();
    for side in BookSide::BOTH {
        let (from, to) = (from.side(side), to.side(side));
        let gone = from.iter().filter(|old| !to.iter().any(|new| new.price == old.price));
        let new = to.iter().filter(|new| !from.contains(new));
        let removals = gone.map(|old| model::Level::removal(old.price));
        change.side_mut(side).extend(removals.chain(new.copied()));
    }
    change
}

/// The levels of an MBP record: price and size of bid and ask, pair by pair.
pub(super) fn levels(pairs: impl Iterator<Item = [(i64, u32); 2]>) -> Levels {
    let mut levels = Levels::default();
    for [bid, ask] in pairs {
        for ((price, size), side) in [(bid, BookSide::Bid), (ask, BookSide::Ask)] {
            if price != NO_PRICE && size > 0 {
                levels.side_mut(side).push(level(price, size.into(), SCALE));
            }
        }
    }
    levels
}
