//! What the messages say: orders by their numbers, levels of each share, trades, states.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hint::black_box;

use model::{BookSide, GapReason, Price, Side, Size, State, Tick, Trade, UnixNanos};
use rust_decimal::Decimal;

use super::super::bytes::{array, text};
use super::super::error::BinaryError;
use super::super::halts;
use super::super::ladder::Ladder;
use super::super::listed::{listed, us_share};
use super::super::net::Reads;
use super::super::orders::ById;
use super::day::Day;
use super::exchange::Exchange;
use super::message::{self, HEAD_BYTES, u16, u32, u64};
use crate::board::{Board, Slot, Times};
use crate::error::FeedError;
use crate::note::{Lost, Note};
use crate::venue::sequence_gap;

/// Decimals of a price.
const SCALE: u32 = 4;
/// Where the number of an order ends.
const ID_END: usize = 19;

/// The shares of a day.
pub(super) struct Market {
    pub(super) exchange: Exchange,
    pub(super) day: Day,
    board: Board,
    shares: Vec<Share>,
    /// Shares by their names.
    index: HashMap<[u8; 8], usize>,
    /// Shares by the numbers that stand for them this day, counted from 1; 0 where none is known.
    locates: Vec<u32>,
    orders: ById<Resting>,
    /// When the newest message came, for what no message tells.
    now: Times,
    /// Something was said since the day began.
    begun: bool,
    lost: Lost,
    /// Executions of orders that are not known.
    unseen: u64,
}

struct Share {
    name: [u8; 8],
    slot: Slot,
    ladder: Ladder,
    /// What was said of trading on all exchanges, and whether this one has halted it for itself.
    trading: (State, String),
    halted: bool,
}

/// An order that rests.
#[derive(Clone, Copy)]
struct Resting {
    price: u32,
    size: u32,
    share: u32,
    side: BookSide,
}

impl Market {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            day: Day::default(),
            board: Board::new(exchange.venue(), listed),
            shares: Vec::new(),
            index: HashMap::new(),
            locates: vec![0; 1 << 16],
            orders: ById::default(),
            now: Times { event: None, source: None, recv: None },
            begun: false,
            lost: Lost::default(),
            unseen: 0,
        }
    }
}

impl Reads for Market {
    fn message(
        &mut self,
        message: &[u8],
        recv: Option<UnixNanos>,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let Some(&of) = message.first() else {
            return Err(BinaryError::Short { what: "a message", len: 0, least: HEAD_BYTES }.into());
        };
        let Some(least) = message::bytes(of) else {
            return Err(BinaryError::Code { what: "type of message", code: of.into() }.into());
        };
        if message.len() < least {
            return Err(BinaryError::Short { what: "a message", len: message.len(), least }.into());
        }
        if let Some(at) = recv {
            self.day.receive(at);
        }
        let times = Times { event: Some(self.day.instant(message::time(message), recv)), source: None, recv };
        self.now = times;
        self.begun |= of != b'S';
        match of {
            b'A' | b'F' => return self.add(message, times, out),
            b'E' => self.execute(message, None, times, out),
            b'C' => self.execute(message, Some(u32(message, 32)), times, out),
            b'X' => self.reduce(message, u32(message, 19), times, out),
            b'D' => self.reduce(message, u32::MAX, times, out),
            b'U' => self.replace(message, times, out),
            b'B' => self.break_trade(message, times, out),
            b'P' => return self.trade(message, times, out),
            b'Q' => return self.cross(message, times, out),
            b'H' => return self.action(message, times, out),
            b'h' => return self.operational(message, times, out),
            b'R' => return self.share(message, 11).map(drop),
            b'S' if message[11] == b'O' => self.restart(recv, out),
            // What our records have no place for: restrictions, market makers, circuit breakers, price collars,
            // imbalances, offerings, and retail interest.
            _ => {}
        }
        Ok(())
    }

    /// No book can be trusted any more.
    fn lose(&mut self, (from, to): (u64, u64), out: &mut Vec<Tick>) {
        self.lost.add((from, to));
        for share in &self.shares {
            self.board.void(share.slot, self.now, sequence_gap(from, to), out);
        }
    }
}

impl Market {
    /// What is to be said of what was read so far.
    pub(super) const fn notes(&self) -> [Note; 2] {
        [Note::Lost(self.lost), Note::Unseen(self.unseen)]
    }

    /// Another day begins: nothing rests.
    pub(super) fn restart(&mut self, recv: Option<UnixNanos>, out: &mut Vec<Tick>) {
        if !std::mem::take(&mut self.begun) {
            return;
        }
        let times = Times { event: self.now.event.filter(|_| self.now.recv == recv), source: None, recv };
        self.orders.clear();
        self.locates.fill(0);
        for share in &mut self.shares {
            share.ladder.clear();
            (share.trading, share.halted) = (untold(), false);
            if self.board.is_valid(share.slot) || self.board.is_void(share.slot) {
                let (levels, best) = (share.ladder.whole(), share.ladder.new_best());
                self.board.begin_anew(share.slot, times, GapReason::Restart, out);
                self.board.kept_snapshot(share.slot, times, levels, best, out);
            }
        }
    }

    /// The share that a message is about: its name stands at `at`.
    #[inline]
    fn share(&mut self, message: &[u8], at: usize) -> Result<usize, FeedError> {
        let (locate, name) = (usize::from(u16(message, 1)), array(message, at));
        match (self.locates[locate] as usize).checked_sub(1) {
            Some(known) if self.shares[known].name == name => Ok(known),
            _ => self.list(locate, name),
        }
    }

    #[cold]
    fn list(&mut self, locate: usize, name: [u8; 8]) -> Result<usize, FeedError> {
        let known = if let Some(&known) = self.index.get(&name) {
            known
        } else {
            let text = str::from_utf8(text(&name)).map_err(|_| BinaryError::Name)?;
            let slot = self.board.slot_with(text, us_share)?;
            self.shares.push(Share {
                name,
                slot,
                ladder: Ladder::new(SCALE),
                trading: untold(),
                halted: false,
            });
            self.index.insert(name, self.shares.len() - 1);
            self.shares.len() - 1
        };
        self.locates[locate] = u32::try_from(known + 1).unwrap_or(0);
        Ok(known)
    }

    #[inline]
    fn add(&mut self, message: &[u8], times: Times, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let side = match message[19] {
            b'B' => BookSide::Bid,
            b'S' => BookSide::Ask,
            code => return Err(BinaryError::Code { what: "side", code: code.into() }.into()),
        };
        let at = self.share(message, 24)?;
        let (price, size) = (u32(message, 32), u32(message, 20));
        let share = u32::try_from(at).unwrap_or(u32::MAX);
        self.rest(u64(message, 11), Resting { price, size, share, side });
        self.changed(at, times, out);
        Ok(())
    }

    /// An order comes to rest. Where its number is in use, that one goes: it cannot be told apart any more.
    #[inline]
    fn rest(&mut self, id: u64, order: Resting) {
        let old = if order.size > 0 { self.orders.insert(id, order) } else { self.orders.remove(&id) };
        if let Some(old) = old {
            let share = &mut self.shares[old.share as usize];
            share.ladder.take(old.side, old.price.into(), old.size.into());
        }
        let share = &mut self.shares[order.share as usize];
        share.ladder.add(order.side, order.price.into(), order.size.into());
    }

    /// Fetches the orders and the books that messages are about, all at once.
    pub(super) fn warm<'a>(&self, messages: impl Iterator<Item = &'a [u8]>) {
        for message in messages.filter(|message| message.len() >= ID_END) {
            if matches!(message[0], b'E' | b'C' | b'X' | b'D' | b'U') {
                black_box(self.orders.get(&u64(message, 11)).map(|order| order.size));
            }
            let known = (self.locates[usize::from(u16(message, 1))] as usize).checked_sub(1);
            if let Some(Share { slot, ladder, .. }) = known.map(|known| &self.shares[known]) {
                black_box((ladder.best(), self.board.is_valid(*slot)));
            }
        }
    }

    /// So much of an order goes; the order that it was. What is not known rested before the recording began.
    #[inline]
    fn take(&mut self, id: u64, size: u32) -> Option<Resting> {
        let Entry::Occupied(mut order) = self.orders.entry(id) else { return None };
        let was = *order.get();
        if size < was.size {
            order.get_mut().size -= size;
        } else {
            order.remove();
        }
        let share = &mut self.shares[was.share as usize];
        share.ladder.take(was.side, was.price.into(), size.min(was.size).into());
        Some(was)
    }

    #[inline]
    fn reduce(&mut self, message: &[u8], size: u32, times: Times, out: &mut Vec<Tick>) {
        if let Some(was) = self.take(u64(message, 11), size) {
            self.changed(was.share as usize, times, out);
        }
    }

    fn replace(&mut self, message: &[u8], times: Times, out: &mut Vec<Tick>) {
        if let Some(was) = self.take(u64(message, 11), u32::MAX) {
            let (price, size) = (u32(message, 31), u32(message, 27));
            self.rest(u64(message, 19), Resting { price, size, ..was });
            self.changed(was.share as usize, times, out);
        }
    }

    /// An order trades, at its own price or at another one.
    fn execute(&mut self, message: &[u8], price: Option<u32>, times: Times, out: &mut Vec<Tick>) {
        let (id, size, number) = (u64(message, 11), u32(message, 19), u64(message, 23));
        // What is not printed is part of a cross that will be.
        let printed = price.is_none() || message[31] == b'Y';
        let was = self.take(id, size);
        self.unseen += u64::from(was.is_none());
        let share = match was {
            Some(was) => Some(was.share as usize),
            None => (self.locates[usize::from(u16(message, 1))] as usize).checked_sub(1),
        };
        if let (true, Some(share), Some(price)) = (printed, share, price.or(was.map(|was| was.price))) {
            // Who rested did not take.
            let side = was.map_or(Side::Unknown, |was| match was.side {
                BookSide::Bid => Side::Sell,
                BookSide::Ask => Side::Buy,
            });
            let trade = execution(price, size.into(), side, number);
            self.board.trade(self.shares[share].slot, times, trade, false, out);
        }
        if let Some(was) = was {
            self.changed(was.share as usize, times, out);
        }
    }

    /// A trade is taken back: it is named by its number, and its share by the locate alone.
    fn break_trade(&mut self, message: &[u8], times: Times, out: &mut Vec<Tick>) {
        let share = (self.locates[usize::from(u16(message, 1))] as usize).checked_sub(1);
        if let Some(share) = share {
            let number = u64(message, 11).to_string();
            self.board.correct(self.shares[share].slot, times, &number, None, None, out);
        }
    }

    /// A trade against an order that nobody saw.
    fn trade(&mut self, message: &[u8], times: Times, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let at = self.share(message, 24)?;
        // Since 2014 all say that a buyer rested: only a seller is believed.
        let side = if message[19] == b'S' { Side::Buy } else { Side::Unknown };
        let trade = execution(u32(message, 32), u32(message, 20).into(), side, u64(message, 36));
        self.board.trade(self.shares[at].slot, times, trade, false, out);
        Ok(())
    }

    /// All that traded at one price in an auction; nothing, where there was none.
    fn cross(&mut self, message: &[u8], times: Times, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let (at, size) = (self.share(message, 19)?, u64(message, 11));
        if size > 0 {
            let trade = execution(u32(message, 27), size, Side::Unknown, u64(message, 31));
            self.board.trade(self.shares[at].slot, times, trade, false, out);
        }
        Ok(())
    }

    fn action(&mut self, message: &[u8], times: Times, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let (state, word) = match message[19] {
            b'H' => (State::Halted, "halted"),
            b'P' => (State::Halted, "paused"),
            b'Q' => (State::Halted, "quotation only"),
            b'T' => (State::Open, "trading"),
            code => return Err(BinaryError::Code { what: "trading state", code: code.into() }.into()),
        };
        let at = self.share(message, 11)?;
        let share = &mut self.shares[at];
        share.trading = (state, halts::reason(word, text(&message[21..25])));
        let (state, reason) = share.state();
        self.board.state(share.slot, times, state, reason, out);
        Ok(())
    }

    /// A halt of one of the exchange's markets alone.
    fn operational(&mut self, message: &[u8], times: Times, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let at = self.share(message, 11)?;
        if message[19] != self.exchange.letter() {
            return Ok(());
        }
        let halted = match message[20] {
            b'H' => true,
            b'T' => false,
            code => return Err(BinaryError::Code { what: "operational halt", code: code.into() }.into()),
        };
        let share = &mut self.shares[at];
        share.halted = halted;
        let (state, reason) = share.state();
        self.board.state(share.slot, times, state, reason, out);
        Ok(())
    }

    /// Something of a share's book changed.
    #[inline]
    fn changed(&mut self, at: usize, times: Times, out: &mut Vec<Tick>) {
        let Share { slot, ladder, .. } = &mut self.shares[at];
        if self.board.is_valid(*slot) {
            let (levels, best) = (ladder.changes(), ladder.new_best());
            self.board.kept_delta(*slot, times, levels, best, out);
        } else if self.board.is_void(*slot) {
            ladder.forget();
        } else {
            // What is known is the book from here on.
            let (levels, best) = (ladder.whole(), ladder.new_best());
            self.board.kept_snapshot(*slot, times, levels, best, out);
        }
    }
}

impl Share {
    /// What holds of trading here: a halt of all exchanges does not end with one of this one alone, nor the other way.
    fn state(&self) -> (State, &str) {
        if self.halted { (State::Halted, "operational halt") } else { (self.trading.0, &self.trading.1) }
    }
}

/// Nothing was said of trading: it is open, as soon as the exchange does not halt it.
fn untold() -> (State, String) {
    (State::Open, "operational halt ended".to_owned())
}

fn execution(price: u32, size: u64, side: Side, number: u64) -> Trade {
    let price = Price::new(Decimal::new(price.into(), SCALE));
    Trade { price, size: Size::from(size), side, id: Some(number.to_string().into()) }
}
