//! Bitfinex v2: arrays on numbered channels, each frame with the connection's next number.
//!
//! Source: Bitfinex, "WebSocket API v2", `book`, `trades`, `ticker`, "Flags" and "WebSocket Checksum". A count of
//! 0 removes a level, whose amount then only says the side. A number that is missing (`SEQ_ALL`) voids every book
//! of the connection, a `cs` that differs the one of its channel. A maintenance of the venue voids them, too.
//! Raw books (`R0`), funding and candles are left alone.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;

use model::{BookSide, FeedGap, GapReason, Level, Levels, Size, Tick, Ticker, Trade, UnixNanos, decimal};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::numbering::{Numbering, Order};
use super::{Link, Normaliser, checksum, gap, names, sequence_gap};
use crate::board::{Board, Slot, Times};
use crate::error::{FeedError, INSTRUMENTS_MAX};
use crate::json::{Millis, PriceNumber, Whole};
use crate::quick;

/// The flag of a connection that sends several changes of a book in one frame.
const BULK: u64 = 536_870_912;
/// Codes of `info` after which nothing can be relied upon: a restart, maintenance and its end.
const BREAKS: [(u32, GapReason); 3] =
    [(20_051, GapReason::Restart), (20_060, GapReason::Maintenance), (20_061, GapReason::Maintenance)];
/// From here on a number at the end of a frame is a time in milliseconds.
const MILLIS_MIN: u64 = 1_000_000_000_000;
/// With so many zeros behind the point a number is written with an exponent.
const EXPONENT_ZEROS_MIN: u32 = 6;

pub(crate) struct Bitfinex {
    board: Board,
    numbering: Numbering,
    conns: HashMap<Box<str>, Conn>,
}

#[derive(Default)]
struct Conn {
    channels: HashMap<u64, Channel>,
    bulk: bool,
}

#[derive(Clone, Copy)]
enum Channel {
    Book {
        slot: Slot,
        /// The book that it begins with has come.
        begun: bool,
    },
    Trades(Slot),
    Ticker(Slot),
    /// One that says nothing for us.
    Other,
}

impl Default for Bitfinex {
    fn default() -> Self {
        Self {
            board: Board::new("bitfinex", names::bitfinex),
            numbering: Numbering::from(1),
            conns: HashMap::new(),
        }
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "event")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    channel: Cow<'a, str>,
    #[serde(rename = "chanId")]
    id: Option<u64>,
    #[serde(borrow, default)]
    symbol: Cow<'a, str>,
    #[serde(borrow, default)]
    prec: Cow<'a, str>,
    flags: Option<u64>,
    version: Option<u32>,
    code: Option<u32>,
}

/// Price, count, amount: below zero for asks.
#[derive(Deserialize)]
struct Row(PriceNumber, u64, PriceNumber);

/// Id, time, amount, price.
#[derive(Deserialize)]
struct TradeRow<'a>(#[serde(borrow)] &'a RawValue, Millis, PriceNumber, PriceNumber);

/// Bid, its size, ask, its size, change, change as a part of 1, last price, volume, high, low.
type TickerRow = [Option<PriceNumber>; 10];

impl Bitfinex {
    fn event(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let event: Event<'_> = quick::from_str(text)?;
        match (event.kind.as_ref(), event.id) {
            ("error", _) => return Err(FeedError::refused(text)),
            // The first that a connection says.
            ("info", _) if event.version.is_some() => self.begin(link, out),
            ("info", _) => {
                let is_told = |(code, _): &&(u32, GapReason)| event.code == Some(*code);
                if let Some(&(_, reason)) = BREAKS.iter().find(is_told) {
                    self.board.void_all(link.conn, link.times(None), gap(reason), out);
                }
            }
            ("conf", _) => self.conn(link).bulk = event.flags.unwrap_or(0) & BULK != 0,
            ("subscribed", Some(id)) => {
                let channel = self.subscribed(link, &event)?;
                let channels = &mut self.conn(link).channels;
                if channels.len() >= INSTRUMENTS_MAX && !channels.contains_key(&id) {
                    return Err(FeedError::TooManyInstruments(INSTRUMENTS_MAX));
                }
                channels.insert(id, channel);
            }
            ("unsubscribed", Some(id)) => {
                self.conn(link).channels.insert(id, Channel::Other);
            }
            _ => {}
        }
        Ok(())
    }

    fn conn(&mut self, link: &Link<'_>) -> &mut Conn {
        self.conns.entry(link.conn.into()).or_default()
    }

    fn subscribed(&mut self, link: &Link<'_>, event: &Event<'_>) -> Result<Channel, FeedError> {
        if !event.symbol.starts_with('t') {
            return Ok(Channel::Other);
        }
        Ok(match event.channel.as_ref() {
            "book" if event.prec != "R0" => {
                let slot = self.board.slot(&event.symbol)?;
                self.board.comes_over(slot, link.conn);
                Channel::Book { slot, begun: false }
            }
            "trades" => Channel::Trades(self.board.slot(&event.symbol)?),
            "ticker" => {
                let slot = self.board.slot(&event.symbol)?;
                self.board.expect_quotes(slot);
                Channel::Ticker(slot)
            }
            _ => Channel::Other,
        })
    }

    /// Another connection: nothing of the one before is true of it.
    fn begin(&mut self, link: &Link<'_>, out: &mut Vec<Tick>) {
        self.numbering.reset(link.conn);
        self.conns.remove(link.conn);
        self.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
    }

    /// Whether the frame is one to be read.
    fn count(&mut self, link: &Link<'_>, times: Times, number: u64, out: &mut Vec<Tick>) -> bool {
        let lost: FeedGap = match self.numbering.order(link.conn, number) {
            Order::Next => return true,
            Order::Repeated => return false,
            Order::Anew => gap(GapReason::Reconnect),
            Order::Lost { from, to } => sequence_gap(from, to),
        };
        self.board.void_all(link.conn, times, lost, out);
        true
    }

    fn book(
        &mut self,
        slot: Slot,
        times: Times,
        is_snapshot: bool,
        rows: &[Row],
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let mut levels = Levels::default();
        for Row(price, count, amount) in rows {
            let (amount, price) = (amount.0.value(), price.0);
            let size = if *count == 0 { Size::ZERO } else { Size::new(amount.abs())? };
            let side = if amount.is_sign_negative() { BookSide::Ask } else { BookSide::Bid };
            levels.side_mut(side).push(Level { price, size });
        }
        if is_snapshot {
            self.board.snapshot(slot, times, levels, out);
        } else if self.board.is_valid(slot) {
            self.board.delta(slot, times, levels, out);
        }
        Ok(())
    }

    fn trade(
        &self,
        link: &Link<'_>,
        slot: Slot,
        old: bool,
        row: &TradeRow<'_>,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let TradeRow(id, at, amount, price) = row;
        let amount = amount.0.value();
        let trade = Trade {
            price: price.0,
            size: Size::new(amount.abs())?,
            side: if amount.is_sign_negative() { model::Side::Sell } else { model::Side::Buy },
            id: Some(id.get().into()),
        };
        self.board.trade(slot, link.times(Some(at.0)), trade, old, out);
        Ok(())
    }

    fn ticker(
        &mut self,
        slot: Slot,
        times: Times,
        payload: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let [bid, bid_size, ask, ask_size, change, relative, last, volume, high, low]: TickerRow =
            quick::from_str(payload)?;
        let level = |price: Option<PriceNumber>, size: Option<PriceNumber>| {
            let Some((price, size)) = price.zip(size) else { return Ok(None) };
            Ok::<_, FeedError>(Some(Level { price: price.0, size: Size::new(size.0.value())? }))
        };
        let (bid, ask) = (level(bid, bid_size)?, level(ask, ask_size)?);
        self.board.quote(slot, times, bid, ask, out);
        let price = |number: Option<PriceNumber>| number.map(|number| number.0);
        let value = |number: Option<PriceNumber>| number.map(|number| number.0.value());
        let ticker = Ticker {
            last_price: price(last),
            bid,
            ask,
            high: price(high),
            low: price(low),
            volume: value(volume),
            change: value(change),
            change_percent: value(relative).and_then(super::per_cent),
            ..Ticker::default()
        };
        self.board.ticker(slot, times, ticker, out);
        Ok(())
    }

    /// What a channel sent without a word before it: one row, or a list of them.
    fn data(
        &mut self,
        link: &Link<'_>,
        id: u64,
        at: Option<UnixNanos>,
        payload: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let conn = self.conns.get_mut(link.conn);
        let (bulk, channel) = conn.map_or((false, None), |conn| (conn.bulk, conn.channels.get_mut(&id)));
        let times = link.times(at);
        match channel.ok_or(FeedError::Channel(id))? {
            Channel::Book { slot, begun } => {
                let (slot, is_list) = (*slot, is_list(payload));
                let rows = if is_list { quick::from_str(payload)? } else { vec![quick::from_str(payload)?] };
                let is_snapshot = is_list && !(bulk && *begun);
                *begun |= is_snapshot;
                self.book(slot, times, is_snapshot, &rows, out)
            }
            &mut Channel::Trades(slot) if is_list(payload) => {
                let rows: Vec<TradeRow<'_>> = quick::from_str(payload)?;
                rows.iter().try_for_each(|row| self.trade(link, slot, true, row, out))
            }
            &mut Channel::Ticker(slot) => self.ticker(slot, times, payload, out),
            Channel::Trades(_) | Channel::Other => Ok(()),
        }
    }

    fn channel(&self, link: &Link<'_>, id: u64) -> Result<Channel, FeedError> {
        let known = self.conns.get(link.conn).and_then(|conn| conn.channels.get(&id));
        known.copied().ok_or(FeedError::Channel(id))
    }

    fn check(&mut self, slot: Slot, times: Times, wanted: i32, out: &mut Vec<Tick>) {
        if self.board.is_valid(slot) && checksum::of(self.board.book(slot), put) != wanted {
            self.board.void(slot, times, gap(GapReason::Checksum), out);
        }
    }
}

/// A list of rows, as against one row; an empty book is a list.
fn is_list(payload: &str) -> bool {
    let inner = payload.trim_start_matches('[');
    payload.len() - inner.len() > 1 || inner.trim_start().starts_with(['[', ']'])
}

/// A level as it counts for the checksum: numbers as JavaScript writes them, asks below zero.
fn put(text: &mut Vec<u8>, side: BookSide, level: Level) {
    put_number(text, level.price.value());
    text.extend_from_slice(if side == BookSide::Ask { b":-" } else { b":" });
    put_number(text, level.size.value());
}

fn put_number(text: &mut Vec<u8>, value: Decimal) {
    let digits = value.mantissa().unsigned_abs().to_string();
    let leading = value.scale().saturating_sub(u32::try_from(digits.len()).unwrap_or(0));
    if value.is_zero() || leading < EXPONENT_ZEROS_MIN {
        decimal::push(text, value);
        return;
    }
    let digits = digits.trim_end_matches('0');
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    write!(text, "{first}{point}{rest}e-{}", leading + 1).expect("writing to memory does not fail");
}

/// The number and the time that may stand at the end of a frame.
fn tail(parts: &[&RawValue]) -> Result<(Option<u64>, Option<UnixNanos>), FeedError> {
    let (mut number, mut at) = (None, None);
    for part in parts {
        let Whole(value) = quick::from_str(part.get())?;
        if value < MILLIS_MIN {
            number = Some(value);
        } else {
            at = Some(UnixNanos::from_millis(value)?);
        }
    }
    Ok((number, at))
}

impl Normaliser for Bitfinex {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        self.begin(link, out);
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        if !text.starts_with('[') {
            return self.event(link, text, out);
        }
        let frame: Vec<&RawValue> = quick::from_str(text)?;
        let [id, what, rest @ ..] = frame.as_slice() else { return Err(FeedError::Missing("payload")) };
        let id: u64 = quick::from_str(id.get())?;
        // A word, and what it is about; heartbeats are about nothing.
        let (payload, rest) = match (what.get(), rest) {
            ("\"hb\"", rest) => (None, rest),
            (word, [payload, rest @ ..]) if word.starts_with('"') => (Some(payload.get()), rest),
            (word, []) if word.starts_with('"') => return Err(FeedError::Missing("payload")),
            (payload, rest) => (Some(payload), rest),
        };
        let (number, at) = tail(rest)?;
        let times = link.times(at);
        if number.is_some_and(|number| !self.count(link, times, number, out)) {
            return Ok(());
        }
        let Some(payload) = payload else { return Ok(()) };
        match what.get() {
            "\"te\"" => match self.channel(link, id)? {
                Channel::Trades(slot) => self.trade(link, slot, false, &quick::from_str(payload)?, out),
                _ => Ok(()),
            },
            "\"cs\"" => {
                if let Channel::Book { slot, .. } = self.channel(link, id)? {
                    self.check(slot, times, quick::from_str(payload)?, out);
                }
                Ok(())
            }
            // `tu` repeats the trade that `te` told.
            word if word.starts_with('"') => Ok(()),
            payload => self.data(link, id, at, payload, out),
        }
    }
}
