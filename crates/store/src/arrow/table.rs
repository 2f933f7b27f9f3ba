//! A table: the records of a channel as rows, under the names that they have on the wire.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, Schema};
use model::{
    Body, BookChange, BookSide, Channel, FeedGap, Instrument, Level, Levels, Original, Placed, Seq, Symbol,
    Trade, UnixNanos,
};

use super::column::{Column, Kind};
use super::digits::{self, DIGITS};
use super::{Format, Order};
use crate::state::State;
use crate::ticker::{self, VALUES, values};

/// The records of one channel, as rows.
pub struct Table {
    channel: Channel,
    /// What is told of a record, once for all its rows.
    head: Vec<Column>,
    /// What is told of each row.
    columns: Vec<Column>,
    /// Of each record.
    keys: Vec<(UnixNanos, u64)>,
    /// The record of each row.
    rows: Vec<usize>,
    /// Whether the digits of decimals are told.
    digits: bool,
    books: Books,
    /// Whose the newest record is: its words are mostly those of the next one.
    newest: Option<Arc<Instrument>>,
}

/// The newest sequence of each book, through all its tables.
#[derive(Default)]
pub(crate) struct Books(HashMap<Symbol, Seq>);

impl Books {
    /// Takes a record; whether it changes a book of which something before that is missing: damage, a disk that did
    /// not follow, or a beginning in the middle.
    pub(crate) fn lacks(&mut self, record: &Placed) -> bool {
        let Body::Book(change) = &record.body else { return false };
        let symbol = &record.instrument.symbol;
        let before = match self.0.get_mut(symbol) {
            Some(newest) => std::mem::replace(newest, record.seq),
            None => self.0.insert(symbol.clone(), record.seq).unwrap_or(Seq::START),
        };
        matches!(change, BookChange::Delta(_)) && before.next() != record.seq
    }
}

/// What a row of a book does.
pub(crate) mod action {
    pub(crate) const SNAPSHOT: &str = "snapshot";
    pub(crate) const SET: &str = "set";
    pub(crate) const DELETE: &str = "delete";
    /// A change that has no level.
    pub(crate) const EMPTY: &str = "empty";
    pub(crate) const GAP: &str = "gap";
}

/// The sides of a book.
pub(crate) const BID: &str = "bid";
pub(crate) const ASK: &str = "ask";
/// Why there is a gap: the feed lost updates, or the recording lacks them.
pub(crate) const FEED_GAP: &str = "feed_gap";
pub(crate) const NOT_RECORDED: &str = "not_recorded";

/// What every row begins with.
const HEAD: [(&str, Kind); 8] = [
    ("ts_event", Kind::Time),
    ("ts_source", Kind::Time),
    ("ts_recv", Kind::Time),
    ("sequence", Kind::Whole),
    ("position", Kind::Whole),
    ("venue", Kind::Word),
    ("venue_symbol", Kind::Word),
    ("symbol", Kind::Word),
];

/// What follows, but for the digits.
const fn columns(channel: Channel) -> &'static [(&'static str, Kind)] {
    use Kind::{Decimal, Flag, Rare, Text, Time, Whole, Word};
    match channel {
        Channel::Trades => &[
            ("trade_id", Text),
            ("price", Decimal),
            ("size", Decimal),
            ("side", Word),
            ("correction", Word),
            ("original_sequence", Rare),
            ("original_price", Decimal),
            ("original_size", Decimal),
            ("original_side", Word),
            ("original_ts_event", Time),
            ("new_trade_id", Text),
        ],
        Channel::Quotes => &[
            ("derived", Flag),
            ("bid_price", Decimal),
            ("bid_size", Decimal),
            ("ask_price", Decimal),
            ("ask_size", Decimal),
            ("bid_source", Word),
            ("ask_source", Word),
        ],
        Channel::Ticker => &[
            ("last_price", Decimal),
            ("last_size", Decimal),
            ("bid_price", Decimal),
            ("bid_size", Decimal),
            ("ask_price", Decimal),
            ("ask_size", Decimal),
            ("open", Decimal),
            ("high", Decimal),
            ("low", Decimal),
            ("volume", Decimal),
            ("change", Decimal),
            ("change_percent", Decimal),
        ],
        Channel::Book => &[
            ("action", Word),
            ("side", Word),
            ("level_price", Decimal),
            ("level_size", Decimal),
            ("reason", Word),
            ("cause", Word),
            ("venue_from_sequence", Rare),
            ("venue_to_sequence", Rare),
        ],
        Channel::Candles => &[
            ("interval", Word),
            ("start", Time),
            ("open", Decimal),
            ("high", Decimal),
            ("low", Decimal),
            ("close", Decimal),
            ("volume", Decimal),
            ("trades", Whole),
            ("closed", Flag),
            ("corrected", Flag),
        ],
        Channel::Status => &[("state", Word), ("reason", Word), ("feed", Word), ("since", Time)],
    }
}

/// All columns of a channel's table, in their order.
#[cfg(feature = "tables")]
pub(crate) fn all_columns(channel: Channel) -> impl Iterator<Item = (&'static str, Kind)> {
    let digits = has_decimals(channel).then_some((DIGITS, Kind::Word));
    HEAD.iter().chain(columns(channel)).copied().chain(digits)
}

fn has_decimals(channel: Channel) -> bool {
    columns(channel).iter().any(|(_, kind)| *kind == Kind::Decimal)
}

impl Table {
    /// An empty table with all its columns.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self::with_columns(channel, |_| true)
    }

    /// An empty table with those of its columns that `wanted` names.
    #[must_use]
    pub fn with_columns(channel: Channel, wanted: impl Fn(&str) -> bool) -> Self {
        let digits = has_decimals(channel) && wanted(DIGITS);
        let made = |of: &[(&'static str, Kind)]| {
            let columns = of.iter().map(|&(name, kind)| match kind {
                Kind::Decimal if digits && !wanted(name) => Column::new(name, Some(kind)).hidden(),
                kind => Column::new(name, wanted(name).then_some(kind)),
            });
            columns.collect()
        };
        Self {
            channel,
            head: made(&HEAD),
            columns: made(columns(channel)),
            keys: Vec::new(),
            rows: Vec::new(),
            digits,
            books: Books::default(),
            newest: None,
        }
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Forgets the rows, and not how many digits they had.
    pub fn clear(&mut self) {
        self.head.iter_mut().chain(&mut self.columns).for_each(Column::clear);
        self.keys.clear();
        self.rows.clear();
        self.newest = None;
    }

    /// The columns, wide enough for every row that was ever in it.
    #[must_use]
    pub fn schema(&self, format: Format) -> Arc<Schema> {
        let fields = self.head.iter().chain(&self.columns).filter_map(|column| column.field(format));
        let fields = fields.chain(self.digits.then(digits::field));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// All rows. The schema is this table's, of now or later.
    ///
    /// # Errors
    /// A value does not fit the format.
    pub fn batch(
        &self,
        schema: &Arc<Schema>,
        format: Format,
        order: Order,
    ) -> Result<RecordBatch, ArrowError> {
        let mut rows: Vec<_> = (0..self.rows.len()).collect();
        if order == Order::Received {
            // Rows of one record stay as they are.
            rows.sort_by_key(|&row| self.keys[self.rows[row]]);
        }
        let records: Vec<_> = rows.iter().map(|&row| self.rows[row]).collect();
        let head = self.head.iter().map(|column| (column, &records));
        let columns = head.chain(self.columns.iter().map(|column| (column, &rows)));
        let there = columns.filter(|(column, _)| column.is_there()).zip(schema.fields());
        let arrays = there.map(|((column, order), field)| column.array(order, field.data_type(), format));
        let digits = self.digits.then(|| digits::array(&self.columns, &rows));
        let arrays = arrays.chain(digits).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
    }

    /// Takes how everything stood before the first record: of a book that is known, nothing is missing.
    pub fn begin_after(&mut self, state: &State) {
        if self.channel == Channel::Book {
            for record in state.to_records() {
                self.books.lacks(&record);
            }
        }
    }

    /// Takes a record of the channel: a row, or for a book one for each level.
    pub fn push(&mut self, record: &Placed) {
        let lacks = self.books.lacks(record);
        self.push_told(record, lacks);
    }

    /// As [`Self::push`], where [`Books`] of more than this table say what a book lacks.
    pub(crate) fn push_told(&mut self, record: &Placed, lacks: bool) {
        debug_assert_eq!(record.body.channel(), self.channel);
        if lacks {
            // Whoever has only the table is told, too.
            self.gap_row(&Placed { seq: record.seq.prev(), ..record.clone() }, None);
        }
        match &record.body {
            Body::Trade(trade) | Body::OldTrade(trade) => {
                let [id, rest @ ..] = self.row::<11>(record);
                id.text(trade.id.as_deref());
                let [price, size, side, correction, rest @ ..] = rest;
                execution([price, size, side], Some(trade));
                correction.text(None);
                original(rest, record.seq, None, None);
            }
            Body::Correction(told) => {
                let [id, rest @ ..] = self.row::<11>(record);
                id.text(Some(&told.id));
                let [price, size, side, correction, rest @ ..] = rest;
                execution([price, size, side], told.becomes.as_ref());
                correction.text(Some(told.as_str()));
                let new = told.becomes.as_ref().and_then(|trade| trade.id.as_deref());
                original(rest, record.seq, told.original.as_ref(), new);
            }
            Body::Quote(quote) => {
                let [derived, bid, bid_size, ask, ask_size, bid_source, ask_source] = self.row(record);
                derived.flag(quote.derived);
                bid_source.text(quote.bid_source.as_ref().map(Symbol::as_str));
                ask_source.text(quote.ask_source.as_ref().map(Symbol::as_str));
                level(bid, bid_size, quote.bid);
                level(ask, ask_size, quote.ask);
            }
            Body::Ticker(ticker) => {
                for (column, value) in self.row::<VALUES>(record).into_iter().zip(values(ticker)) {
                    column.decimal(value);
                }
            }
            Body::Book(BookChange::Snapshot(levels)) => {
                self.levels(record, levels, Some(action::SNAPSHOT));
            }
            Body::Book(BookChange::Delta(levels)) => self.levels(record, levels, None),
            Body::Book(BookChange::Gap(gap)) => self.gap_row(record, Some(*gap)),
            Body::Candle(bar) => {
                let [interval, start, open, high, low, close, volume, trades, closed, corrected] =
                    self.row(record);
                interval.text(Some(bar.interval.as_str()));
                start.time(Some(bar.start));
                for (column, price) in
                    [(open, bar.open), (high, bar.high), (low, bar.low), (close, bar.close)]
                {
                    column.decimal(Some(price.value()));
                }
                volume.decimal(Some(bar.volume));
                trades.whole(bar.trades);
                closed.flag(bar.closed);
                corrected.flag(bar.corrected);
            }
            Body::Status(status) => {
                let [state, reason, feed, since] = self.row(record);
                state.text(Some(status.state.as_str()));
                reason.text((!status.reason.is_empty()).then_some(&*status.reason));
                feed.text(Some(&status.feed));
                since.time(status.since);
            }
        }
    }

    fn levels(&mut self, record: &Placed, levels: &Levels, told: Option<&'static str>) {
        self.head(record);
        for side in BookSide::BOTH {
            for &level in levels.side(side) {
                let one = if level.size.is_zero() { action::DELETE } else { action::SET };
                self.book_row(told.unwrap_or(one), Some((side, level)));
                self.no_gap();
            }
        }
        if levels.is_empty() {
            // A book with nothing in it is one, too, and a change with nothing in it has a sequence.
            self.book_row(told.unwrap_or(action::EMPTY), None);
            self.no_gap();
        }
    }

    /// A gap: what the feed knows of it, or that the recording lacks something.
    fn gap_row(&mut self, record: &Placed, gap: Option<FeedGap>) {
        self.head(record);
        self.book_row(action::GAP, None);
        let [.., reason, cause, from, to] = self.book_columns();
        reason.text(Some(if gap.is_some() { FEED_GAP } else { NOT_RECORDED }));
        cause.text(gap.map(|gap| gap.reason.as_str()));
        from.rare(gap.and_then(|gap| gap.venue_from));
        to.rare(gap.and_then(|gap| gap.venue_to));
    }

    /// The rest of a row that is no gap.
    fn no_gap(&mut self) {
        let [.., reason, cause, from, to] = self.book_columns();
        reason.text(None);
        cause.text(None);
        from.rare(None);
        to.rare(None);
    }

    fn book_columns(&mut self) -> [&mut Column; 8] {
        each(&mut self.columns)
    }

    /// Begins a row of the newest record; why there is a gap is to be filled in.
    fn book_row(&mut self, told: &str, at: Option<(BookSide, Level)>) {
        self.rows.push(self.keys.len().saturating_sub(1));
        let [action, side, price, size, ..] = self.book_columns();
        action.text(Some(told));
        side.text(at.map(|(side, _)| if side == BookSide::Bid { BID } else { ASK }));
        level(price, size, at.map(|(_, level)| level));
    }

    /// Begins the one row of a record; what follows its head is to be filled in.
    fn row<const N: usize>(&mut self, record: &Placed) -> [&mut Column; N] {
        self.rows.push(self.keys.len());
        self.head(record);
        each(&mut self.columns)
    }

    /// What is told of a record in each of its rows.
    fn head(&mut self, record: &Placed) {
        self.keys.push((record.ts_recv, record.seq.0));
        let instrument = &record.instrument;
        let [event, source, recv, sequence, position, venue, venue_symbol, symbol] = each(&mut self.head);
        event.time(Some(record.ts_event));
        source.time(record.ts_source);
        recv.time(Some(record.ts_recv));
        sequence.whole(record.seq.0);
        position.whole(record.position);
        if self.newest.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, instrument)) {
            return [venue, venue_symbol, symbol].into_iter().for_each(Column::again);
        }
        venue.text(Some(instrument.venue.as_str()));
        venue_symbol.text(Some(&instrument.venue_symbol));
        symbol.text(Some(instrument.symbol.as_str()));
        self.newest = Some(Arc::clone(instrument));
    }
}

#[cfg(feature = "tables")]
impl Table {
    /// What is told of the record of a row, and where in it; and what is told of each row.
    pub(super) fn parts(&self, row: usize) -> ((&[Column], usize), &[Column]) {
        ((&self.head, self.rows[row]), &self.columns)
    }
}

fn level(price: &mut Column, size: &mut Column, level: Option<Level>) {
    let [told_price, told_size] = ticker::level(level);
    price.decimal(told_price);
    size.decimal(told_size);
}

/// What an execution was, or nothing.
fn execution([price, size, side]: [&mut Column; 3], trade: Option<&Trade>) {
    price.decimal(trade.map(|trade| trade.price.value()));
    size.decimal(trade.map(|trade| trade.size.value()));
    side.text(trade.map(|trade| trade.side.as_str()));
}

/// What a correction says of what was told before, and the id of what holds instead.
fn original(columns: [&mut Column; 6], seq: Seq, told: Option<&Original>, new: Option<&str>) {
    let [sequence, price, size, side, event, id] = columns;
    sequence.rare(told.and_then(|told| told.back).map(|back| seq.0.saturating_sub(back)));
    execution([price, size, side], told.map(|told| &told.trade));
    event.time(told.and_then(|told| told.ts_event));
    id.text(new);
}

/// So many columns, one by one.
fn each<const N: usize>(columns: &mut [Column]) -> [&mut Column; N] {
    let mut columns = columns.iter_mut();
    std::array::from_fn(|_| columns.next().unwrap_or_else(|| unreachable!("a channel has its columns")))
}
