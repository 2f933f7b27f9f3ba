//! What records say of instruments, over all files of a session.

use std::collections::{BTreeMap, HashMap};

use model::{
    Candle, Definition, GapReason, Instrument, Interval, Level, Price, Side, Size, Tick, Ticker, Trade,
    UnixNanos,
};
use rust_decimal::Decimal;

use super::super::bytes::{le, text};
use super::super::error::BinaryError;
use super::super::ladder::level;
use super::super::listed::listed;
use super::listing::{Listing, Mbo, levels};
use super::metadata::Metadata;
use super::names::{Cache, Found, Names};
use super::{NO_PRICE, NO_TIME, SCALE, kind, publishers, status};
use crate::board::{Board, Times};
use crate::error::{FeedError, NUMBERED_INSTRUMENTS_MAX};
use crate::note::Note;
use crate::venue::gap;

/// What an error record says where records were left out for a slow reader.
const SKIPPED: u8 = 7;

#[derive(Default)]
pub(super) struct Markets {
    dataset: Option<String>,
    /// The length of bars whose kind does not tell it.
    bars: Option<Interval>,
    names: Names,
    cache: Cache,
    definitions: HashMap<u32, Definition>,
    boards: Vec<Board>,
    /// Boards by their venues.
    venues: HashMap<String, usize>,
    listings: Vec<Listing>,
    /// Listings by board and name.
    index: HashMap<(usize, String), usize>,
    /// Records of which none of ours is made, by their kinds.
    passed: BTreeMap<&'static str, u64>,
}

impl Markets {
    /// Another file begins.
    pub(super) fn open(&mut self, known: Metadata) {
        if known.dataset.is_some() {
            self.dataset = known.dataset;
        }
        self.bars = known.bars;
        self.names.open(known.names);
        self.cache.clear();
    }

    /// What is not finished is told as far as it came.
    pub(super) fn finish(&mut self, out: &mut Vec<Tick>) {
        for listing in &mut self.listings {
            listing.finish(&mut self.boards[listing.board], out);
        }
    }

    /// What is to be said of what was read so far. Definitions and the like beside others are as it should be.
    pub(super) fn notes(&self) -> Vec<Note> {
        let passed = self.passed.iter().filter(|_| self.listings.is_empty());
        passed.map(|(&kind, &count)| Note::NoPlace { kind, count }).collect()
    }

    fn pass(&mut self, kind: &'static str) {
        *self.passed.entry(kind).or_default() += 1;
    }

    /// Reads a record, which is as long as it says.
    pub(super) fn record(&mut self, record: &[u8], out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let of = record[1];
        // What is added to the format one day is passed over by its length.
        let Some((least, _, what)) = kind::sizes(of) else {
            self.pass("unknown");
            return Ok(());
        };
        if record.len() < least {
            return Err(BinaryError::Short { what, len: record.len(), least }.into());
        }
        match of {
            kind::MBO => self.order(record, out),
            kind::OHLCV => match self.bars {
                Some(interval) => self.bar(record, interval, out),
                None => Err(FeedError::Missing("the length of its bars")),
            },
            kind::OHLCV_1S => self.bar(record, Interval::S1, out),
            kind::OHLCV_1M => self.bar(record, Interval::M1, out),
            kind::OHLCV_1H => self.bar(record, Interval::H1, out),
            kind::OHLCV_1D | kind::OHLCV_EOD => self.bar(record, Interval::D1, out),
            kind::STATUS => self.status(record, out),
            kind::DEFINITION => {
                self.pass("definition");
                self.define(record)
            }
            kind::MAPPING => {
                self.pass("mapping");
                self.map(record)
            }
            kind::ERROR => self.error(record, out),
            // What our records have no place for.
            kind::IMBALANCE => {
                self.pass("imbalance");
                Ok(())
            }
            kind::SYSTEM => {
                self.pass("message of the gateway");
                Ok(())
            }
            kind::STATISTICS => {
                self.pass("statistic");
                Ok(())
            }
            _ => self.prices(record, out),
        }
    }

    /// The instrument of a record that was received at a time.
    #[inline]
    fn listing(&mut self, record: &[u8], times: Times) -> Result<usize, FeedError> {
        let (publisher, id) = (le::u16(record, 2), le::u32(record, 4));
        let at = times.recv.or(times.event).unwrap_or_default();
        let Self { dataset, names, cache, definitions, boards, venues, listings, index, .. } = self;
        let found = cache.find((publisher, id), at, || {
            let (name, (from, to)) = names.at(id, at);
            let venue = publishers::venue(dataset.as_deref(), publisher);
            let board = *venues.entry(venue).or_insert_with_key(|venue| {
                boards.push(Board::new(venue, listed).with_most(NUMBERED_INSTRUMENTS_MAX));
                boards.len() - 1
            });
            let key = (board, name);
            let listing = if let Some(&listing) = index.get(&key) {
                listing
            } else if listings.len() >= NUMBERED_INSTRUMENTS_MAX {
                // One of each market counts.
                return Err(FeedError::TooManyInstruments(NUMBERED_INSTRUMENTS_MAX));
            } else {
                let slot = boards[board].slot_with(&key.1, |instrument: &mut Instrument| {
                    if let Some(known) = definitions.get(&id) {
                        instrument.definition.update(known);
                    }
                })?;
                listings.push(Listing::new(board, slot, id));
                index.insert(key, listings.len() - 1);
                listings.len() - 1
            };
            Ok(Found { listing, from, to })
        })?;
        self.listings[found].renumber(id);
        Ok(found)
    }

    /// An order, or a trade between orders.
    #[inline]
    fn order(&mut self, record: &[u8], out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let times = times(record, 40);
        let at = self.listing(record, times)?;
        let mbo = Mbo {
            id: le::u64(record, 16),
            price: le::i64(record, 24),
            size: le::u32(record, 32),
            flags: record[36],
            action: record[38],
            side: record[39],
        };
        let listing = &mut self.listings[at];
        let board = &mut self.boards[listing.board];
        if mbo.action != b'T' {
            return listing.order(board, &mbo, times, out);
        }
        let trade = trade(mbo.price, mbo.size, mbo.side, Some(le::u32(record, 52)));
        let trade = trade.map(|trade| board.trade(listing.slot, times, trade, false, out));
        listing.pass(board, mbo.flags, times, out);
        trade
    }

    /// A trade, the best prices, or both.
    fn prices(&mut self, record: &[u8], out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let times = times(record, 32);
        let at = self.listing(record, times)?;
        let (of, price, size) = (record[1], le::i64(record, 16), le::u32(record, 24));
        let (action, side, flags) = (record[28], record[29], record[30]);
        let listing = &mut self.listings[at];
        let board = &mut self.boards[listing.board];
        let sampled = matches!(of, kind::BBO_1S | kind::BBO_1M | kind::CBBO_1S | kind::CBBO_1M);
        let mut result = Ok(());
        if !sampled && (action == b'T' || of == kind::TRADE) {
            // Consolidated records have no number there.
            let number = (!matches!(of, kind::CMBP_1 | kind::TCBBO)).then(|| le::u32(record, 44));
            match trade(price, size, side, number) {
                Ok(trade) => board.trade(listing.slot, times, trade, false, out),
                Err(error) => result = Err(error),
            }
        }
        if of == kind::TRADE {
            return result;
        }
        let (bid, ask) = (best(record, 48, 64), best(record, 56, 68));
        board.quote(listing.slot, times, bid, ask, out);
        if sampled && price != NO_PRICE {
            let (last_price, last_size) = (Some(exact(price)), Some(Size::from(u64::from(size))));
            let ticker = Ticker { last_price, last_size, bid, ask, ..Ticker::default() };
            board.ticker(listing.slot, times, ticker, out);
        }
        if of == kind::MBP_10 {
            let pairs = (0..10).map(|at| {
                let at = 48 + 32 * at;
                [
                    (le::i64(record, at), le::u32(record, at + 16)),
                    (le::i64(record, at + 8), le::u32(record, at + 20)),
                ]
            });
            listing.tops(board, levels(pairs), (flags, action), times, out);
        }
        result
    }

    fn bar(&mut self, record: &[u8], interval: Interval, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let start = le::u64(record, 8);
        let times =
            Times { event: Some(UnixNanos(start)).filter(|_| start != NO_TIME), source: None, recv: None };
        let prices = [16, 24, 32, 40].map(|at| le::i64(record, at));
        let (Some(start), false) = (times.event, prices.contains(&NO_PRICE)) else {
            return Err(FeedError::Missing(if times.event.is_none() { "ts_event" } else { "price" }));
        };
        let [open, high, low, close] = prices.map(exact);
        let volume = Decimal::from(le::u64(record, 48));
        // How many trades a bar is of is not told.
        let candle = Candle {
            interval,
            start,
            open,
            high,
            low,
            close,
            volume,
            trades: 0,
            closed: true,
            corrected: false,
        };
        let at = self.listing(record, times)?;
        let listing = &self.listings[at];
        self.boards[listing.board].candle(listing.slot, times, candle, out);
        Ok(())
    }

    fn status(&mut self, record: &[u8], out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let times = times(record, 16);
        let Some((state, word)) = status::state(le::u16(record, 24), record[30]) else {
            self.pass("status without a state");
            return Ok(());
        };
        let at = self.listing(record, times)?;
        let listing = &self.listings[at];
        let reason = status::reason(le::u16(record, 26));
        let reason = reason.map_or_else(|| word.to_owned(), |reason| format!("{word}: {reason}"));
        self.boards[listing.board].state(listing.slot, times, state, &reason, out);
        Ok(())
    }

    /// Definitions have grown: their length tells where their fields are.
    fn define(&mut self, record: &[u8]) -> Result<(), FeedError> {
        // The smallest lot, and the round one, which stands for it where it is not said.
        let (name, lots) = match record.len() {
            ..400 => (200..222, [140, 148]),
            400..520 => (200..271, [148, 156]),
            520.. => (238..309, [160, 168]),
        };
        let (id, tick) = (le::u32(record, 4), le::i64(record, 24));
        let tick = (tick != NO_PRICE && tick > 0).then(|| exact(tick).value().normalize());
        let lots = lots.map(|at| le::u32(record, at)).into_iter();
        let lot = lots.filter(|lot| (1..u32::MAX >> 1).contains(lot)).map(Decimal::from).next();
        let ends = Some(UnixNanos(le::u64(record, 40))).filter(|at| at.0 != NO_TIME && at.0 > 0);
        let definition = Definition { tick_size: tick, lot_size: lot, expiry: ends, ..Definition::default() };
        self.definitions.insert(id, definition);
        self.tell(id, utf8(&record[name])?, false);
        Ok(())
    }

    fn map(&mut self, record: &[u8]) -> Result<(), FeedError> {
        let (asked, meant) = match record.len() {
            ..176 => (16..38, 38..60),
            176.. => (17..88, 89..160),
        };
        let (id, asked, meant) = (le::u32(record, 4), utf8(&record[asked])?, utf8(&record[meant])?);
        // Names of some exchanges are digits: only the number of the record itself is none.
        let is_number = meant.is_empty() || meant == id.to_string();
        self.tell(id, if is_number { asked } else { meant }, true);
        Ok(())
    }

    fn tell(&mut self, id: u32, name: &str, mapped: bool) {
        if self.names.tell(id, name, mapped) {
            self.cache.clear();
        }
    }

    fn error(&mut self, record: &[u8], out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message = text(&record[16..record.len().min(318)]);
        if record.get(318) == Some(&SKIPPED) {
            let at = Times { event: None, source: None, recv: Some(UnixNanos(le::u64(record, 8))) };
            for board in &mut self.boards {
                for slot in board.slots() {
                    board.void(slot, at, gap(GapReason::Sequence), out);
                }
            }
        }
        Err(BinaryError::Told(String::from_utf8_lossy(message).into_owned()).into())
    }
}

/// When it happened, and when it was received: that stands at `recv`.
#[inline]
fn times(record: &[u8], recv: usize) -> Times {
    let time = |at| Some(UnixNanos(le::u64(record, at))).filter(|at| at.0 != NO_TIME);
    Times { event: time(8), source: None, recv: time(recv) }
}

fn exact(price: i64) -> Price {
    Price::new(Decimal::new(price, SCALE))
}

/// A best level, where there is one.
fn best(record: &[u8], price: usize, size: usize) -> Option<Level> {
    let (price, size) = (le::i64(record, price), le::u32(record, size));
    (price != NO_PRICE && size > 0).then(|| level(price, size.into(), SCALE))
}

/// An execution; `number` is the exchange's own of the message that told it.
fn trade(price: i64, size: u32, side: u8, number: Option<u32>) -> Result<Trade, FeedError> {
    if price == NO_PRICE {
        return Err(FeedError::Missing("price"));
    }
    let side = match side {
        b'B' => Side::Buy,
        b'A' => Side::Sell,
        _ => Side::Unknown,
    };
    let id = number.map(|number| number.to_string().into());
    Ok(Trade { price: exact(price), size: Size::from(u64::from(size)), side, id })
}

fn utf8(field: &[u8]) -> Result<&str, FeedError> {
    Ok(str::from_utf8(text(field)).map_err(|_| BinaryError::Metadata("a symbol is not UTF-8"))?)
}
