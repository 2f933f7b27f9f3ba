//! What the messages say: best prices, levels, orders, trades, states.

use std::collections::HashMap;

use model::{BookSide, GapReason, Level, Price, Side, Size, State, Tick, Trade, UnixNanos};
use rust_decimal::Decimal;

use super::super::bytes::{array, le, text};
use super::super::error::BinaryError;
use super::super::halts;
use super::super::ladder::level;
use super::super::listed::{listed, us_share};
use super::super::net::Reads;
use super::super::orders::{Order, OrderBook};
use crate::board::{Board, Slot, Times};
use crate::error::FeedError;
use crate::note::Lost;
use crate::venue::sequence_gap;

/// Decimals of a price.
const SCALE: u32 = 4;
/// The event that a level belongs to is over.
const EVENT_ENDS: u8 = 1;

pub(super) struct Market {
    board: Board,
    shares: Vec<Share>,
    /// Shares by their names.
    index: HashMap<[u8; 8], usize>,
    /// Of the newest message.
    now: Times,
    /// Something was said since the day began.
    begun: bool,
    pub(super) lost: Lost,
}

struct Share {
    slot: Slot,
    /// Its levels, where the feed has them.
    book: Option<Box<OrderBook>>,
    /// The last level of an event that is not over.
    event: Option<Times>,
    /// What was said of trading, and whether IEX has halted it for itself.
    trading: (State, String),
    halted: bool,
}

impl Default for Market {
    fn default() -> Self {
        Self {
            board: Board::new("iex", listed),
            shares: Vec::new(),
            index: HashMap::new(),
            now: Times { event: None, source: None, recv: None },
            begun: false,
            lost: Lost::default(),
        }
    }
}

/// Bytes of a message of a type that is known.
const fn bytes(of: u8) -> Option<usize> {
    Some(match of {
        b'S' => 10,
        b'I' | b'O' | b'E' | b'C' => 18,
        b'P' => 19,
        b'H' => 22,
        b'X' | b'R' => 26,
        b'8' | b'5' => 30,
        b'D' => 31,
        b'T' | b'B' | b'a' | b'M' => 38,
        b'Q' => 42,
        b'L' => 46,
        b'A' => 80,
        _ => return None,
    })
}

impl Reads for Market {
    fn message(
        &mut self,
        message: &[u8],
        recv: Option<UnixNanos>,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let Some(&of) = message.first() else {
            return Err(BinaryError::Short { what: "a message", len: 0, least: 1 }.into());
        };
        let Some(least) = bytes(of) else {
            return Err(BinaryError::Code { what: "type of message", code: of.into() }.into());
        };
        if message.len() < least {
            return Err(BinaryError::Short { what: "a message", len: message.len(), least }.into());
        }
        let times = Times { event: Some(UnixNanos(le::u64(message, 2))), source: None, recv };
        self.now = times;
        if of == b'S' {
            if message[1] == b'O' {
                self.restart(recv, out);
            }
            return Ok(());
        }
        self.begun = true;
        let at = self.share(message)?;
        match of {
            b'Q' => self.quote(at, message, times, out),
            b'T' => {
                let trade = execution(message, 18, Side::Unknown);
                self.board.trade(self.shares[at].slot, times, trade, false, out);
            }
            b'B' => {
                // The trade as it was told, but for its time: that is of the break.
                let trade = execution(message, 18, Side::Unknown);
                let id = trade.id.clone().unwrap_or_default();
                self.board.correct(self.shares[at].slot, times, &id, Some((trade, None)), None, out);
            }
            b'8' => self.set(at, BookSide::Bid, message, times, out),
            b'5' => self.set(at, BookSide::Ask, message, times, out),
            b'a' => return self.add(at, message, times, out),
            b'M' => self.modify(at, message, times, out),
            b'R' => {
                self.shares[at].book().reduce(le::u64(message, 18), u32::MAX);
                self.changed(at, times, out);
            }
            b'L' => self.execute(at, message, times, out),
            b'C' => self.clear(at, times, out),
            b'H' => return self.status(at, message, times, out),
            b'O' => return self.operational(at, message, times, out),
            // What our records have no place for: lists of shares, restrictions, official prices, auctions, retail
            // interest, and events of a day.
            _ => {}
        }
        Ok(())
    }

    /// No book and no quote can be trusted any more.
    fn lose(&mut self, (from, to): (u64, u64), out: &mut Vec<Tick>) {
        self.lost.add((from, to));
        for share in &self.shares {
            self.board.lose(share.slot, self.now, sequence_gap(from, to), out);
        }
    }
}

impl Market {
    /// Another session begins: nothing rests.
    pub(super) fn restart(&mut self, recv: Option<UnixNanos>, out: &mut Vec<Tick>) {
        if !std::mem::take(&mut self.begun) {
            return;
        }
        let times = Times { event: self.now.event.filter(|_| self.now.recv == recv), source: None, recv };
        for at in 0..self.shares.len() {
            if self.shares[at].book.is_some() {
                self.clear(at, times, out);
            }
        }
    }

    /// Events that are not over are told as far as they came.
    pub(super) fn finish(&mut self, out: &mut Vec<Tick>) {
        for at in 0..self.shares.len() {
            if let Some(times) = self.shares[at].event {
                self.changed(at, times, out);
            }
        }
    }

    /// The share that a message is about.
    #[inline]
    fn share(&mut self, message: &[u8]) -> Result<usize, FeedError> {
        let name: [u8; 8] = array(message, 10);
        match self.index.get(&name) {
            Some(&known) => Ok(known),
            None => self.list(name),
        }
    }

    #[cold]
    fn list(&mut self, name: [u8; 8]) -> Result<usize, FeedError> {
        let text = str::from_utf8(text(&name)).map_err(|_| BinaryError::Name)?;
        let slot = self.board.slot_with(text, us_share)?;
        let trading = (State::Open, "operational halt ended".to_owned());
        self.shares.push(Share { slot, book: None, event: None, trading, halted: false });
        self.index.insert(name, self.shares.len() - 1);
        Ok(self.shares.len() - 1)
    }

    fn quote(&mut self, at: usize, message: &[u8], times: Times, out: &mut Vec<Tick>) {
        let best = |price, size| {
            let (price, size) = (le::i64(message, price), le::u32(message, size));
            (size > 0).then(|| level(price, size.into(), SCALE))
        };
        let (bid, ask): (Option<Level>, Option<Level>) = (best(22, 18), best(30, 38));
        self.board.quote(self.shares[at].slot, times, bid, ask, out);
    }

    /// All that stands at a price from now on.
    fn set(&mut self, at: usize, side: BookSide, message: &[u8], times: Times, out: &mut Vec<Tick>) {
        let share = &mut self.shares[at];
        share.book().ladder.set(side, le::i64(message, 22), le::u32(message, 18).into());
        share.event = Some(times);
        if message[1] & EVENT_ENDS != 0 {
            self.changed(at, times, out);
        }
    }

    fn add(&mut self, at: usize, message: &[u8], times: Times, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let side = match message[1] {
            b'8' => BookSide::Bid,
            b'5' => BookSide::Ask,
            code => return Err(BinaryError::Code { what: "side", code: code.into() }.into()),
        };
        let (price, size) = (le::i64(message, 30), le::u32(message, 26));
        self.shares[at].book().put(le::u64(message, 18), Order { price, size, side });
        self.changed(at, times, out);
        Ok(())
    }

    /// Whose order is not known rested before the recording began.
    fn modify(&mut self, at: usize, message: &[u8], times: Times, out: &mut Vec<Tick>) {
        let (id, book) = (le::u64(message, 18), self.shares[at].book());
        if let Some(was) = book.reduce(id, u32::MAX) {
            let (price, size) = (le::i64(message, 30), le::u32(message, 26));
            book.put(id, Order { price, size, side: was.side });
        }
        self.changed(at, times, out);
    }

    fn execute(&mut self, at: usize, message: &[u8], times: Times, out: &mut Vec<Tick>) {
        let was = self.shares[at].book().reduce(le::u64(message, 18), le::u32(message, 26));
        // Who rested did not take.
        let side = was.map_or(Side::Unknown, |was| match was.side {
            BookSide::Bid => Side::Sell,
            BookSide::Ask => Side::Buy,
        });
        self.board.trade(self.shares[at].slot, times, execution(message, 26, side), false, out);
        self.changed(at, times, out);
    }

    fn clear(&mut self, at: usize, times: Times, out: &mut Vec<Tick>) {
        let share = &mut self.shares[at];
        let book = share.book();
        book.clear();
        let (levels, best) = (book.ladder.whole(), book.ladder.new_best());
        share.event = None;
        self.board.begin_anew(share.slot, times, GapReason::Restart, out);
        self.board.kept_snapshot(share.slot, times, levels, best, out);
    }

    /// An event of a share's book is over.
    fn changed(&mut self, at: usize, times: Times, out: &mut Vec<Tick>) {
        let share = &mut self.shares[at];
        let slot = share.slot;
        share.event = None;
        let ladder = &mut share.book().ladder;
        if self.board.is_valid(slot) {
            let (levels, best) = (ladder.changes(), ladder.new_best());
            self.board.kept_delta(slot, times, levels, best, out);
        } else if self.board.is_void(slot) {
            ladder.forget();
        } else {
            // What is known is the book from here on.
            let (levels, best) = (ladder.whole(), ladder.new_best());
            self.board.kept_snapshot(slot, times, levels, best, out);
        }
    }

    fn status(
        &mut self,
        at: usize,
        message: &[u8],
        times: Times,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let (state, word) = match message[1] {
            b'H' => (State::Halted, "halted"),
            b'P' => (State::Halted, "paused"),
            b'O' => (State::Halted, "orders are accepted"),
            b'Q' => (State::Halted, "quotation only"),
            b'T' => (State::Open, "trading"),
            code => return Err(BinaryError::Code { what: "trading state", code: code.into() }.into()),
        };
        let share = &mut self.shares[at];
        share.trading = (state, halts::reason(word, text(&message[18..22])));
        let (state, reason) = if share.halted {
            (State::Halted, "operational halt")
        } else {
            (state, share.trading.1.as_str())
        };
        self.board.state(share.slot, times, state, reason, out);
        Ok(())
    }

    /// A halt of IEX alone. That there is none is told of every share each morning, and is no news.
    fn operational(
        &mut self,
        at: usize,
        message: &[u8],
        times: Times,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let halted = match message[1] {
            b'O' => true,
            b'N' => false,
            code => return Err(BinaryError::Code { what: "operational halt", code: code.into() }.into()),
        };
        let share = &mut self.shares[at];
        let before = std::mem::replace(&mut share.halted, halted);
        if halted {
            self.board.state(share.slot, times, State::Halted, "operational halt", out);
        } else if before {
            let (state, reason) = &share.trading;
            self.board.state(share.slot, times, *state, reason, out);
        }
        Ok(())
    }
}

impl Share {
    fn book(&mut self) -> &mut OrderBook {
        self.book.get_or_insert_with(|| Box::new(OrderBook::new(SCALE)))
    }
}

/// An execution, of which size, price and number stand one after the other.
fn execution(message: &[u8], at: usize, side: Side) -> Trade {
    let price = Price::new(Decimal::new(le::i64(message, at + 4), SCALE));
    let size = Size::from(u64::from(le::u32(message, at)));
    Trade { price, size, side, id: Some(le::u64(message, at + 12).to_string().into()) }
}
