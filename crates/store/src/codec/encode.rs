//! Records into blocks.

use std::collections::HashMap;
use std::sync::Arc;

use model::{
    Body, BookChange, BookSide, Candle, Correction, FeedGap, Instrument, Levels, Placed, Quote, Side, State,
    StatusChange, Symbol, Ticker, Trade,
};
use rust_decimal::Decimal;
use zstd::bulk::Compressor;

use super::columns::{Column, Columns};
use super::digits::same;
use super::known::{Known, Shape};
use super::{AS_RECEIVED, Kind, candle, correction, head, quote, trade, varint};
use crate::ticker::{FOLLOWING, values};

/// Makes a block of the records that it is given.
pub(crate) struct Encoder {
    columns: Columns,
    packer: Compressor<'static>,
    instruments: Vec<Arc<Instrument>>,
    numbers: HashMap<Symbol, usize>,
    known: Vec<Known>,
    symbol: usize,
    position: u64,
    recv: u64,
    event: u64,
    /// A record says when it was sent.
    sourced: bool,
}

impl Encoder {
    /// One that packs as hard as `level` says: 1 (fast) to 19.
    pub(crate) fn new(level: i32) -> std::io::Result<Self> {
        Ok(Self {
            columns: Columns::default(),
            packer: Compressor::new(level)?,
            instruments: Vec::new(),
            numbers: HashMap::new(),
            known: Vec::new(),
            symbol: 0,
            position: 0,
            recv: 0,
            event: 0,
            sourced: false,
        })
    }

    /// About how many bytes the block has, unpacked.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The block of all that was given, packed; the next one begins.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let out = self.columns.of(Column::Instruments);
        for instrument in &self.instruments {
            // What stands in memory can be written.
            let _ = serde_json::to_writer(&mut *out, instrument);
        }
        if !std::mem::take(&mut self.sourced) {
            self.columns.of(Column::Source).clear();
        }
        let block = self.columns.pack(&mut self.packer);
        self.columns.clear();
        self.instruments.clear();
        self.numbers.clear();
        self.known.clear();
        (self.symbol, self.position, self.recv, self.event) = (0, 0, 0, 0);
        block
    }

    /// Takes a record, after those before it in the total order.
    pub(crate) fn push(&mut self, record: &Placed) {
        let symbol = self.number(&record.instrument);
        let known = &mut self.known[symbol];
        let in_order = record.position == self.position + 1 && record.seq == known.next_seq(&record.body);
        let bits = [
            (symbol == self.symbol, head::SYMBOL),
            (in_order, head::ORDER),
            (record.ts_recv.0 == self.recv, head::RECV),
            (record.ts_event.0 == self.event, head::EVENT),
        ];
        let kind = kind(&record.body) as u8;
        let head = bits.into_iter().filter(|(is, _)| *is).fold(kind, |head, (_, bit)| head | bit);
        self.columns.of(Column::Heads).push(head);
        if head & head::SYMBOL == 0 {
            varint::put(self.columns.of(Column::Symbols), symbol as u128);
        }
        if let Body::Candle(bar) = &record.body {
            // Its interval says which stream the place is of.
            self.columns.of(Column::Flags).push(bar.interval as u8);
        }
        if !in_order {
            let order = self.columns.of(Column::Order);
            varint::put_signed(order, i128::from(record.position) - i128::from(self.position));
            varint::put_signed(order, i128::from(record.seq.0) - i128::from(*known.seq(&record.body)));
        }
        if head & head::RECV == 0 {
            time(record.ts_recv.0, self.recv, self.columns.of(Column::Recv));
        }
        if head & head::EVENT == 0 {
            let event = self.columns.of(Column::Event);
            if record.ts_event == record.ts_recv {
                varint::put(event, AS_RECEIVED);
            } else {
                time(record.ts_event.0, self.event, event);
            }
        }
        // How long before or after its event.
        let source = record.ts_source.map_or(0, |at| {
            self.sourced = true;
            varint::zigzag(i128::from(at.0) - i128::from(record.ts_event.0)) + 1
        });
        varint::put(self.columns.of(Column::Source), source);
        (self.symbol, self.position) = (symbol, record.position);
        (self.recv, self.event) = (record.ts_recv.0, record.ts_event.0);
        body(&mut self.columns, known, record);
        known.note(record.seq, &record.body);
    }

    fn number(&mut self, instrument: &Arc<Instrument>) -> usize {
        if let Some(last) = self.instruments.get(self.symbol)
            && Arc::ptr_eq(last, instrument)
        {
            return self.symbol;
        }
        *self.numbers.entry(instrument.symbol.clone()).or_insert_with(|| {
            self.instruments.push(Arc::clone(instrument));
            self.known.push(Known::default());
            self.known.len() - 1
        })
    }
}

/// A time as its difference to the one before, in the largest unit that says it.
fn time(at: u64, before: u64, out: &mut Vec<u8>) {
    let difference = i128::from(at) - i128::from(before);
    let (unit, number) = match difference {
        _ if difference % 1_000_000 == 0 => (2, difference / 1_000_000),
        _ if difference % 1_000 == 0 => (1, difference / 1_000),
        _ => (0, difference),
    };
    varint::put(out, varint::zigzag(number) << 2 | unit);
}

const fn kind(body: &Body) -> Kind {
    match body {
        Body::Trade(_) | Body::OldTrade(_) => Kind::Trade,
        Body::Quote(Quote { derived: false, .. }) => Kind::Quote,
        Body::Quote(_) => Kind::DerivedQuote,
        Body::Ticker(_) => Kind::Ticker,
        Body::Book(BookChange::Snapshot(_)) => Kind::BookSnapshot,
        Body::Book(BookChange::Delta(_)) => Kind::BookDelta,
        Body::Book(BookChange::Gap(_)) => Kind::BookGap,
        Body::Candle(_) => Kind::Candle,
        Body::Status(_) => Kind::Status,
        Body::Correction(_) => Kind::Correction,
    }
}

fn body(columns: &mut Columns, known: &mut Known, record: &Placed) {
    match &record.body {
        Body::Trade(trade) | Body::OldTrade(trade) => trade_of(columns, known, trade),
        Body::Quote(quote) => quote_of(columns, known, quote),
        Body::Ticker(ticker) => ticker_of(columns, known, ticker),
        Body::Book(BookChange::Snapshot(levels) | BookChange::Delta(levels)) => {
            levels_of(columns, known, levels);
        }
        Body::Book(BookChange::Gap(gap)) => gap_of(columns, *gap),
        Body::Candle(bar) => candle_of(columns, known, bar, record),
        Body::Status(status) => status_of(columns, status),
        Body::Correction(told) => correction_of(columns, known, told),
    }
}

fn trade_of(columns: &mut Columns, known: &mut Known, told: &Trade) {
    let (price, size) = (told.price.value(), told.size.value());
    let mut flags = match told.side {
        Side::Buy => 0,
        Side::Sell => 1,
        Side::Unknown => 2,
    };
    let before = known.traded();
    if before.is_some_and(|(before, _)| same(before, price)) {
        flags |= trade::PRICE;
    } else {
        known.price.put(price, columns);
    }
    if before.is_some_and(|(_, before)| same(before, size)) {
        flags |= trade::SIZE;
    } else {
        known.size.put(size, columns);
    }
    match told.id.as_deref().map(|id| (id, number(id))) {
        None => {}
        Some((_, Some(id))) if Some(id) == known.trade_id.checked_add(1) => {
            flags |= trade::NEXT;
            known.trade_id = id;
        }
        Some((_, Some(id))) => {
            flags |= trade::NUMBER;
            varint::put_signed(columns.of(Column::Ids), i128::from(id) - i128::from(known.trade_id));
            known.trade_id = id;
        }
        Some((id, None)) => {
            flags |= trade::WORD;
            word(columns.of(Column::Ids), id);
        }
    }
    columns.of(Column::Flags).push(flags);
}

/// An id that is a number, and is written as numbers are.
fn number(id: &str) -> Option<u64> {
    let plain = id == "0" || id.starts_with(|first: char| ('1'..='9').contains(&first));
    id.parse().ok().filter(|_| plain)
}

fn word(out: &mut Vec<u8>, word: &str) {
    varint::put(out, word.len() as u128);
    out.extend(word.as_bytes());
}

fn quote_of(columns: &mut Columns, known: &mut Known, told: &Quote) {
    let mut flags = 0;
    let before = known.quote.as_ref().map_or([None, None], |quote| [quote.bid, quote.ask]);
    for (at, side) in [told.bid, told.ask].into_iter().enumerate() {
        let Some(level) = side else {
            flags |= quote::NONE << (at * quote::ASK);
            continue;
        };
        let (price, size) = (level.price.value(), level.size.value());
        let before = before[at];
        if before.is_some_and(|before| same(before.price.value(), price)) {
            flags |= quote::PRICE << (at * quote::ASK);
        } else {
            known.sides[at].put(price, columns);
        }
        if before.is_some_and(|before| same(before.size.value(), size)) {
            flags |= quote::SIZE << (at * quote::ASK);
        } else {
            known.size.put(size, columns);
        }
    }
    for (at, source) in [&told.bid_source, &told.ask_source].into_iter().enumerate() {
        if let Some(source) = source {
            flags |= quote::SOURCE << (at * quote::ASK);
            word(columns.of(Column::Texts), source.as_str());
        }
    }
    columns.of(Column::Flags).push(flags);
}

fn ticker_of(columns: &mut Columns, known: &mut Known, told: &Ticker) {
    let expected = known.next_ticker();
    let follows = Ticker { change: None, change_percent: None, ..told.clone() }.with_change();
    let following = [follows.change, follows.change_percent];
    let mut mask = 0_u128;
    let told = values(told);
    for (at, value) in told.into_iter().enumerate() {
        let expected = if at < FOLLOWING { expected[at] } else { following[at - FOLLOWING] };
        if alike(value, expected) {
            mask |= 1 << at;
        }
    }
    // All as expected is the shortest.
    varint::put(columns.of(Column::Flags), mask ^ 0xfff);
    for (at, value) in told.into_iter().enumerate().filter(|(at, _)| mask >> at & 1 == 0) {
        columns.of(Column::Flags).push(value.is_some().into());
        if let Some(value) = value {
            known.values[at].put(value, columns);
        }
    }
}

fn alike(one: Option<Decimal>, other: Option<Decimal>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        _ => false,
    }
}

fn levels_of(columns: &mut Columns, known: &mut Known, told: &Levels) {
    for (at, side) in BookSide::BOTH.into_iter().enumerate() {
        let levels = told.side(side);
        varint::put(columns.of(Column::Counts), levels.len() as u128);
        let mut last = known.levels[at];
        for (n, level) in levels.iter().enumerate() {
            last.put(level.price.value(), columns);
            if n == 0 {
                known.levels[at] = last;
            }
            known.size.put(level.size.value(), columns);
        }
    }
}

fn gap_of(columns: &mut Columns, gap: FeedGap) {
    let reason = gap.reason as u8;
    let ends = [gap.venue_from, gap.venue_to];
    let flags = ends.iter().zip([0x10, 0x20]).filter(|(end, _)| end.is_some());
    columns.of(Column::Flags).push(flags.fold(reason, |flags, (_, bit)| flags | bit));
    for end in ends.into_iter().flatten() {
        varint::put(columns.of(Column::Counts), end.into());
    }
}

fn candle_of(columns: &mut Columns, known: &mut Known, told: &Candle, record: &Placed) {
    let shapes = [(Shape::Grown, candle::GROWN), (Shape::Begun, candle::BEGUN), (Shape::Same, candle::SAME)];
    let open = Candle { closed: false, corrected: false, ..told.clone() };
    let fits = |shape: Shape| {
        let expected = known.next_candle(told.interval, shape, record.ts_event);
        expected.is_some_and(|expected| {
            let prices = |bar: &Candle| [bar.open, bar.high, bar.low, bar.close].map(model::Price::value);
            expected == open
                && prices(&expected).iter().zip(prices(&open)).all(|(&one, other)| same(one, other))
                && same(expected.volume, open.volume)
        })
    };
    let shape = shapes.into_iter().find(|(shape, _)| fits(*shape)).map_or(0, |(_, bits)| bits);
    let closed = if told.closed { candle::CLOSED } else { 0 };
    let corrected = if told.corrected { candle::CORRECTED } else { 0 };
    // The interval stands there already.
    if let Some(flags) = columns.of(Column::Flags).last_mut() {
        *flags |= shape | closed | corrected;
    }
    if shape != 0 {
        return;
    }
    let start = i128::from(told.start.0) - i128::from(told.interval.start_of(record.ts_event).0);
    varint::put_signed(columns.of(Column::Counts), start);
    for price in [told.open, told.high, told.low, told.close] {
        known.bar.put(price.value(), columns);
    }
    known.volume.put(told.volume, columns);
    varint::put(columns.of(Column::Counts), told.trades.into());
}

fn status_of(columns: &mut Columns, told: &StatusChange) {
    let state = (0..).zip(State::ALL).find_map(|(at, state)| (state == told.state).then_some(at));
    let since: u8 = if told.since.is_some() { 0x10 } else { 0 };
    columns.of(Column::Flags).push(state.unwrap_or(0) | since);
    word(columns.of(Column::Texts), &told.reason);
    word(columns.of(Column::Texts), &told.feed);
    if let Some(since) = told.since {
        varint::put(columns.of(Column::Counts), since.0.into());
    }
}

fn correction_of(columns: &mut Columns, known: &mut Known, told: &Correction) {
    let original = told.original.as_ref();
    let bits = [
        (original.is_some(), correction::ORIGINAL),
        (original.is_some_and(|original| original.ts_event.is_some()), correction::EVENT),
        (original.is_some_and(|original| original.back.is_some()), correction::BACK),
        (told.becomes.is_some(), correction::BECOMES),
    ];
    let flags = bits.into_iter().filter(|(is, _)| *is).fold(0, |flags, (_, bit)| flags | bit);
    columns.of(Column::Flags).push(flags);
    word(columns.of(Column::Texts), &told.id);
    if let Some(original) = original {
        trade_of(columns, known, &original.trade);
        for number in [original.ts_event.map(|at| at.0), original.back].into_iter().flatten() {
            varint::put(columns.of(Column::Counts), number.into());
        }
    }
    if let Some(becomes) = &told.becomes {
        trade_of(columns, known, becomes);
    }
}
