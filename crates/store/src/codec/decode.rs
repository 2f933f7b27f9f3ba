//! Blocks into records. Whatever the bytes are, it ends with records or with the reason why not.

use std::collections::HashMap;
use std::sync::Arc;

use model::{
    Body, BookChange, BookSide, Candle, Correction, FeedGap, GapReason, Instrument, Interval, Level, Levels,
    Original, Placed, Price, Quote, Seq, Side, Size, State, StatusChange, Symbol, Ticker, Trade, UnixNanos,
};
use rust_decimal::Decimal;
use zstd::bulk::Decompressor;

use super::columns::{Column, Unpacked, Views};
use super::known::{Known, Shape};
use super::{AS_RECEIVED, Kind, Malformed, candle, correction, head, quote, trade, varint};
use crate::ticker::{FOLLOWING, VALUES};

/// Reads blocks, one after the other.
pub(crate) struct Decoder {
    unpacker: Decompressor<'static>,
    /// Those of the last block: their like in the next one is the same.
    instruments: Vec<Arc<Instrument>>,
}

/// What was read of a record before its body.
struct Place {
    position: u64,
    recv: u64,
    event: u64,
}

impl Decoder {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { unpacker: Decompressor::new()?, instruments: Vec::new() })
    }

    /// The records of a block, in their order; `count` is how many there are.
    pub(crate) fn decode(&mut self, block: &[u8], count: usize) -> Result<Vec<Placed>, Malformed> {
        let unpacked = Unpacked::unpack(block, &mut self.unpacker)?;
        let mut columns = unpacked.views();
        if columns.of(Column::Heads).len() != count {
            return Err(Malformed("there are not as many records as it says"));
        }
        self.instruments = self.instruments(columns.of(Column::Instruments), count)?;
        let mut known: Vec<Known> = self.instruments.iter().map(|_| Known::default()).collect();
        let mut records = Vec::with_capacity(count);
        let sourced = !columns.of(Column::Source).is_empty();
        let (mut symbol, mut place) = (0, Place { position: 0, recv: 0, event: 0 });
        while !columns.of(Column::Heads).is_empty() {
            let head = varint::byte(columns.of(Column::Heads))?;
            if head & head::SYMBOL == 0 {
                symbol = varint::length(columns.of(Column::Symbols), self.instruments.len())?;
            }
            let instrument = self.instruments.get(symbol).ok_or(Malformed("no such instrument"))?;
            let (seq, body) = record(head, &mut columns, &mut known[symbol], &mut place)?;
            let source = if sourced { varint::get(columns.of(Column::Source))? } else { 0 };
            let sent = |told: u128| moved(place.event, varint::unzigzag(told)).map(UnixNanos);
            let ts_source = source.checked_sub(1).map(sent).transpose()?;
            records.push(Placed {
                instrument: Arc::clone(instrument),
                seq,
                position: place.position,
                ts_event: UnixNanos(place.event),
                ts_source,
                ts_recv: UnixNanos(place.recv),
                body,
            });
        }
        if columns.is_empty() { Ok(records) } else { Err(Malformed("something stands behind the records")) }
    }

    /// The instruments of a block; each has a record at least.
    fn instruments(&self, column: &mut &[u8], most: usize) -> Result<Vec<Arc<Instrument>>, Malformed> {
        let known: HashMap<_, _> = self.instruments.iter().map(|known| (&known.symbol, known)).collect();
        let mut instruments = Vec::new();
        for instrument in serde_json::Deserializer::from_slice(column).into_iter::<Instrument>() {
            let instrument = instrument.map_err(|_| Malformed("an instrument does not read"))?;
            if instruments.len() == most {
                return Err(Malformed("it has more instruments than records"));
            }
            let known = known.get(&instrument.symbol).filter(|known| ****known == instrument);
            instruments.push(known.map_or_else(|| Arc::new(instrument), |known| Arc::clone(known)));
        }
        *column = &[];
        Ok(instruments)
    }
}

/// One record: its places and its times, and what happened.
fn record(
    head: u8,
    columns: &mut Views<'_>,
    known: &mut Known,
    place: &mut Place,
) -> Result<(Seq, Body), Malformed> {
    let kind = *Kind::ALL.get(usize::from(head & head::KIND)).ok_or(Malformed("no such kind"))?;
    let bar = if kind == Kind::Candle { varint::byte(columns.of(Column::Flags))? } else { 0 };
    let (mut step, mut ahead) = (1, 1);
    if head & head::ORDER == 0 {
        step = varint::get_signed(columns.of(Column::Order))?;
        ahead = varint::get_signed(columns.of(Column::Order))?;
    }
    place.position = moved(place.position, step)?;
    if head & head::RECV == 0 {
        place.recv = time(place.recv, varint::get(columns.of(Column::Recv))?)?;
    }
    if head & head::EVENT == 0 {
        let told = varint::get(columns.of(Column::Event))?;
        place.event = if told == AS_RECEIVED { place.recv } else { time(place.event, told)? };
    }
    let at = UnixNanos(place.event);
    let body = match kind {
        Kind::Trade => Body::Trade(trade_of(columns, known)?),
        Kind::Quote => Body::Quote(quote_of(columns, known, false)?),
        Kind::DerivedQuote => Body::Quote(quote_of(columns, known, true)?),
        Kind::Ticker => Body::Ticker(Box::new(ticker_of(columns, known)?)),
        Kind::BookSnapshot => Body::Book(BookChange::Snapshot(levels_of(columns, known)?)),
        Kind::BookDelta => Body::Book(BookChange::Delta(levels_of(columns, known)?)),
        Kind::BookGap => Body::Book(BookChange::Gap(gap_of(columns)?)),
        Kind::Candle => Body::Candle(Box::new(candle_of(bar, columns, known, at)?)),
        Kind::Status => Body::Status(Box::new(status_of(columns)?)),
        Kind::Correction => Body::Correction(Box::new(correction_of(columns, known)?)),
    };
    let seq = Seq(moved(*known.seq(&body), ahead)?);
    known.note(seq, &body);
    Ok((seq, body))
}

fn moved(from: u64, by: i128) -> Result<u64, Malformed> {
    let to = i128::from(from).checked_add(by).and_then(|to| u64::try_from(to).ok());
    to.ok_or(Malformed("a place or a time is out of range"))
}

fn time(before: u64, told: u128) -> Result<u64, Malformed> {
    let unit = match told & 3 {
        0 => 1,
        1 => 1_000,
        2 => 1_000_000,
        _ => return Err(Malformed("no such unit of time")),
    };
    let difference = varint::unzigzag(told >> 2).checked_mul(unit);
    moved(before, difference.ok_or(Malformed("a place or a time is out of range"))?)
}

fn size(value: Decimal) -> Result<Size, Malformed> {
    Size::new(value).map_err(|_| Malformed("a size is negative"))
}

fn word(column: &mut &[u8]) -> Result<Box<str>, Malformed> {
    let length = varint::length(column, column.len())?;
    let (word, rest) = column.split_at_checked(length).ok_or(Malformed("a word is cut"))?;
    *column = rest;
    std::str::from_utf8(word).map(Into::into).map_err(|_| Malformed("a word is no UTF-8"))
}

fn trade_of(columns: &mut Views<'_>, known: &mut Known) -> Result<Trade, Malformed> {
    let flags = varint::byte(columns.of(Column::Flags))?;
    let before = known.traded().ok_or(Malformed("a trade is as none before it"));
    let price = if flags & trade::PRICE > 0 { before?.0 } else { known.price.get(columns)? };
    let amount = if flags & trade::SIZE > 0 { before?.1 } else { known.size.get(columns)? };
    let side = match flags & trade::SIDE {
        0 => Side::Buy,
        1 => Side::Sell,
        2 => Side::Unknown,
        _ => return Err(Malformed("no such side")),
    };
    let id = match flags & trade::ID {
        trade::WORD => Some(word(columns.of(Column::Ids))?),
        0 => None,
        told => {
            let ahead = if told == trade::NEXT { 1 } else { varint::get_signed(columns.of(Column::Ids))? };
            known.trade_id = moved(known.trade_id, ahead)?;
            Some(known.trade_id.to_string().into())
        }
    };
    Ok(Trade { price: Price::new(price), size: size(amount)?, side, id })
}

fn quote_of(columns: &mut Views<'_>, known: &mut Known, derived: bool) -> Result<Quote, Malformed> {
    let flags = varint::byte(columns.of(Column::Flags))?;
    let before = known.quote.as_ref().map_or([None, None], |quote| [quote.bid, quote.ask]);
    let (mut sides, mut sources) = ([None, None], [None, None]);
    for (at, (side, source)) in sides.iter_mut().zip(&mut sources).enumerate() {
        let flags = flags >> (at * quote::ASK);
        if flags & quote::SOURCE > 0 {
            let named: Box<str> = word(columns.of(Column::Texts))?;
            *source = Some(Symbol::parse(&named).map_err(|_| Malformed("a source is no symbol"))?);
        }
        if flags & quote::NONE > 0 {
            continue;
        }
        let before = before[at].ok_or(Malformed("a quote is as none before it"));
        let price =
            if flags & quote::PRICE > 0 { before?.price } else { Price::new(known.sides[at].get(columns)?) };
        let size = if flags & quote::SIZE > 0 { before?.size } else { size(known.size.get(columns)?)? };
        *side = Some(Level { price, size });
    }
    let ([bid, ask], [bid_source, ask_source]) = (sides, sources);
    Ok(Quote { bid, ask, derived, bid_source, ask_source })
}

fn ticker_of(columns: &mut Views<'_>, known: &mut Known) -> Result<Ticker, Malformed> {
    let others = varint::get(columns.of(Column::Flags))?;
    let mut values = [None; VALUES];
    values[..FOLLOWING].copy_from_slice(&known.next_ticker());
    let mut told = [false; VALUES];
    for at in (0..VALUES).filter(|at| others >> at & 1 == 1) {
        told[at] = true;
        let there = varint::byte(columns.of(Column::Flags))?;
        values[at] = if there > 0 { Some(known.values[at].get(columns)?) } else { None };
    }
    let price = |at: usize| values[at].map(Price::new);
    let level = |at: usize| match (values[at], values[at + 1]) {
        (Some(price), Some(amount)) => Ok(Some(Level { price: Price::new(price), size: size(amount)? })),
        (None, None) => Ok(None),
        _ => Err(Malformed("a level is half there")),
    };
    let ticker = Ticker {
        last_price: price(0),
        last_size: values[1].map(size).transpose()?,
        bid: level(2)?,
        ask: level(4)?,
        open: price(6),
        high: price(7),
        low: price(8),
        volume: values[9],
        change: None,
        change_percent: None,
    };
    let mut ticker = ticker.with_change();
    if told[FOLLOWING] {
        ticker.change = values[FOLLOWING];
    }
    if told[FOLLOWING + 1] {
        ticker.change_percent = values[FOLLOWING + 1];
    }
    Ok(ticker)
}

fn levels_of(columns: &mut Views<'_>, known: &mut Known) -> Result<Levels, Malformed> {
    let mut levels = Levels::default();
    for (at, side) in BookSide::BOTH.into_iter().enumerate() {
        // A level is a byte at least in each of two columns.
        let most = columns.of(Column::Zeros).len();
        let count = varint::length(columns.of(Column::Counts), most)?;
        let mut last = known.levels[at];
        let out = levels.side_mut(side);
        out.reserve_exact(count);
        for n in 0..count {
            let price = Price::new(last.get(columns)?);
            if n == 0 {
                known.levels[at] = last;
            }
            out.push(Level { price, size: size(known.size.get(columns)?)? });
        }
    }
    Ok(levels)
}

fn gap_of(columns: &mut Views<'_>) -> Result<FeedGap, Malformed> {
    let flags = varint::byte(columns.of(Column::Flags))?;
    let reason = GapReason::ALL.get(usize::from(flags & 0x0f));
    let reason = *reason.ok_or(Malformed("no such reason"))?;
    let mut end = |bit: u8| {
        let there = flags & bit > 0;
        there.then(|| varint::get(columns.of(Column::Counts)).and_then(whole)).transpose()
    };
    Ok(FeedGap { reason, venue_from: end(0x10)?, venue_to: end(0x20)? })
}

fn whole(value: u128) -> Result<u64, Malformed> {
    u64::try_from(value).map_err(|_| Malformed("a number is too large"))
}

fn candle_of(
    flags: u8,
    columns: &mut Views<'_>,
    known: &mut Known,
    at: UnixNanos,
) -> Result<Candle, Malformed> {
    let interval = Interval::ALL.get(usize::from(flags & candle::INTERVAL));
    let interval = *interval.ok_or(Malformed("no such interval"))?;
    let closed = flags & candle::CLOSED > 0;
    let corrected = flags & candle::CORRECTED > 0;
    let shape = match flags & candle::SHAPE {
        candle::GROWN => Some(Shape::Grown),
        candle::BEGUN => Some(Shape::Begun),
        candle::SAME => Some(Shape::Same),
        _ => None,
    };
    if let Some(shape) = shape {
        let bar = known.next_candle(interval, shape, at).ok_or(Malformed("a bar is as none before it"))?;
        return Ok(Candle { closed, corrected, ..bar });
    }
    let start = varint::get_signed(columns.of(Column::Counts))?;
    let start = UnixNanos(moved(interval.start_of(at).0, start)?);
    let mut price = || known.bar.get(columns).map(Price::new);
    let (open, high, low, close) = (price()?, price()?, price()?, price()?);
    let volume = known.volume.get(columns)?;
    let trades = whole(varint::get(columns.of(Column::Counts))?)?;
    Ok(Candle { interval, start, open, high, low, close, volume, trades, closed, corrected })
}

fn status_of(columns: &mut Views<'_>) -> Result<StatusChange, Malformed> {
    let flags = varint::byte(columns.of(Column::Flags))?;
    let state = *State::ALL.get(usize::from(flags & 0x0f)).ok_or(Malformed("no such state"))?;
    let reason = word(columns.of(Column::Texts))?;
    let feed = word(columns.of(Column::Texts))?;
    let since = flags & 0x10 > 0;
    let since = since.then(|| varint::get(columns.of(Column::Counts)).and_then(whole)).transpose()?;
    Ok(StatusChange { state, reason, feed, since: since.map(UnixNanos) })
}

fn correction_of(columns: &mut Views<'_>, known: &mut Known) -> Result<Correction, Malformed> {
    let flags = varint::byte(columns.of(Column::Flags))?;
    let id = word(columns.of(Column::Texts))?;
    let mut original = None;
    if flags & correction::ORIGINAL > 0 {
        let trade = trade_of(columns, known)?;
        let mut number = |bit: u8| {
            let there = flags & bit > 0;
            there.then(|| varint::get(columns.of(Column::Counts)).and_then(whole)).transpose()
        };
        let ts_event = number(correction::EVENT)?.map(UnixNanos);
        original = Some(Original { trade, ts_event, back: number(correction::BACK)? });
    }
    let becomes = flags & correction::BECOMES > 0;
    let becomes = becomes.then(|| trade_of(columns, known)).transpose()?;
    Ok(Correction { id, original, becomes })
}
