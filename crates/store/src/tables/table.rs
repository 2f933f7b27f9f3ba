//! A table: the records of a channel as rows, under the names that they have on the wire.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema};
use model::{Body, BookChange, BookSide, Channel, FeedGap, Level, Levels, Placed, Seq, Symbol, UnixNanos};

use super::Format;
use super::column::{Cell, Column, Kind};
use crate::ticker::{self, VALUES, values};

pub(super) struct Table {
    channel: Channel,
    columns: Vec<Column>,
    /// Of each row.
    keys: Vec<(UnixNanos, u64)>,
    /// The digits of a row's decimals, in the making.
    digits: String,
}

/// The newest sequence of each book, through all its tables.
#[derive(Default)]
pub(super) struct Books(HashMap<Symbol, Seq>);

impl Books {
    /// Takes a record; whether it changes a book of which something before that is missing: damage, a disk that did
    /// not follow, or a beginning in the middle.
    pub(super) fn lacks(&mut self, record: &Placed) -> bool {
        let Body::Book(change) = &record.body else { return false };
        let before = self.0.insert(record.instrument.symbol.clone(), record.seq).unwrap_or(Seq::START);
        matches!(change, BookChange::Delta(_)) && before.next() != record.seq
    }
}

/// What a row of a book does.
pub(super) mod action {
    pub(in super::super) const SNAPSHOT: &str = "snapshot";
    pub(in super::super) const SET: &str = "set";
    pub(in super::super) const DELETE: &str = "delete";
    /// A change that has no level.
    pub(in super::super) const EMPTY: &str = "empty";
    pub(in super::super) const GAP: &str = "gap";
}

/// The sides of a book.
pub(super) const BID: &str = "bid";
pub(super) const ASK: &str = "ask";
/// Why there is a gap: the feed lost updates, or the recording lacks them.
pub(super) const FEED_GAP: &str = "feed_gap";
pub(super) const NOT_RECORDED: &str = "not_recorded";
/// Where a column has one scale, how many digits each decimal of the row has behind its point; `-`
/// where it is not there.
pub(super) const DIGITS: &str = "digits";

/// What every row begins with.
const HEAD: [(&str, Kind); 7] = [
    ("ts_event", Kind::Time),
    ("ts_recv", Kind::Time),
    ("sequence", Kind::Whole),
    ("position", Kind::Whole),
    ("venue", Kind::Word),
    ("venue_symbol", Kind::Word),
    ("symbol", Kind::Word),
];

/// What follows, but for the digits.
const fn columns(channel: Channel) -> &'static [(&'static str, Kind)] {
    use Kind::{Decimal, Flag, Text, Time, Whole, Word};
    match channel {
        Channel::Trades => &[("trade_id", Text), ("price", Decimal), ("size", Decimal), ("side", Word)],
        Channel::Quotes => &[
            ("derived", Flag),
            ("bid_price", Decimal),
            ("bid_size", Decimal),
            ("ask_price", Decimal),
            ("ask_size", Decimal),
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
            ("venue_from_sequence", Whole),
            ("venue_to_sequence", Whole),
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
        ],
        Channel::Status => &[("state", Word), ("reason", Word), ("feed", Word), ("since", Time)],
    }
}

/// All columns of a channel's table, in their order.
pub(super) fn all_columns(channel: Channel) -> impl Iterator<Item = (&'static str, Kind)> {
    let own = columns(channel);
    let digits = own.iter().any(|(_, kind)| *kind == Kind::Decimal).then_some((DIGITS, Kind::Word));
    HEAD.iter().chain(own).copied().chain(digits)
}

impl Table {
    pub(super) fn new(channel: Channel) -> Self {
        let columns = all_columns(channel).map(|(name, kind)| Column::new(name, kind)).collect();
        Self { channel, columns, keys: Vec::new(), digits: String::new() }
    }

    pub(super) fn rows(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn clear(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
        self.keys.clear();
    }

    pub(super) fn schema(&self, format: Format) -> Arc<Schema> {
        Arc::new(Schema::new(self.columns.iter().map(|column| column.field(format)).collect::<Vec<_>>()))
    }

    /// All rows, by time of receipt and sequence.
    pub(super) fn batch(&self, schema: &Arc<Schema>, format: Format) -> Result<RecordBatch, ArrowError> {
        let mut order: Vec<_> = (0..self.keys.len()).collect();
        // Rows of one record stay as they are.
        order.sort_by_key(|&at| self.keys[at]);
        let arrays = self.columns.iter().map(|column| column.array(&order, format));
        RecordBatch::try_new(Arc::clone(schema), arrays.collect::<Result<_, _>>()?)
    }

    /// The values of a row.
    pub(super) fn cells(&self, at: usize) -> impl Iterator<Item = (&'static str, Cell<'_>)> {
        self.columns.iter().map(move |column| (column.name, column.cell(at)))
    }

    /// Takes a record of the channel: a row, or for a book one for each level; `lacks` as [`Books`] says.
    pub(super) fn push(&mut self, record: &Placed, lacks: bool) {
        debug_assert_eq!(record.body.channel(), self.channel);
        if lacks {
            // Whoever has only the table is told, too.
            self.gap_row(&Placed { seq: record.seq.prev(), ..record.clone() }, None);
        }
        self.push_body(record);
    }

    fn push_body(&mut self, record: &Placed) {
        match &record.body {
            Body::Trade(trade) | Body::OldTrade(trade) => {
                let [id, price, size, side] = self.row(record);
                id.text(trade.id.as_deref());
                price.decimal(Some(trade.price.value()));
                size.decimal(Some(trade.size.value()));
                side.text(Some(trade.side.as_str()));
            }
            Body::Quote(quote) => {
                let [derived, bid, bid_size, ask, ask_size] = self.row(record);
                derived.flag(quote.derived);
                level(bid, bid_size, quote.bid);
                level(ask, ask_size, quote.ask);
            }
            Body::Ticker(ticker) => {
                for (column, value) in self.row::<VALUES>(record).into_iter().zip(values(ticker)) {
                    column.decimal(value);
                }
            }
            Body::Book(BookChange::Snapshot(levels)) => {
                return self.levels(record, levels, Some(action::SNAPSHOT));
            }
            Body::Book(BookChange::Delta(levels)) => return self.levels(record, levels, None),
            Body::Book(BookChange::Gap(gap)) => return self.gap_row(record, Some(*gap)),
            Body::Candle(bar) => {
                let [interval, start, open, high, low, close, volume, trades, closed] = self.row(record);
                interval.text(Some(bar.interval.as_str()));
                start.time(Some(bar.start));
                for (column, price) in
                    [(open, bar.open), (high, bar.high), (low, bar.low), (close, bar.close)]
                {
                    column.decimal(Some(price.value()));
                }
                volume.decimal(Some(bar.volume));
                trades.whole(Some(bar.trades));
                closed.flag(bar.closed);
            }
            Body::Status(status) => {
                let [state, reason, feed, since] = self.row(record);
                state.text(Some(status.state.as_str()));
                reason.text((!status.reason.is_empty()).then_some(&*status.reason));
                feed.text(Some(&status.feed));
                since.time(status.since);
            }
        }
        self.end_row();
    }

    fn levels(&mut self, record: &Placed, levels: &Levels, told: Option<&'static str>) {
        for side in BookSide::BOTH {
            for &level in levels.side(side) {
                let one = if level.size.is_zero() { action::DELETE } else { action::SET };
                self.book_row(record, told.unwrap_or(one), Some((side, level)));
            }
        }
        if levels.is_empty() {
            // A book with nothing in it is one, too, and a change with nothing in it has a sequence.
            self.book_row(record, told.unwrap_or(action::EMPTY), None);
        }
    }

    fn book_row(&mut self, record: &Placed, told: &str, at: Option<(BookSide, Level)>) {
        let [action, side, price, size, reason, cause, from, to] = self.row(record);
        action.text(Some(told));
        side.text(at.map(|(side, _)| if side == BookSide::Bid { BID } else { ASK }));
        level(price, size, at.map(|(_, level)| level));
        reason.text(None);
        cause.text(None);
        from.whole(None);
        to.whole(None);
        self.end_row();
    }

    /// A gap: what the feed knows of it, or that the recording lacks something.
    fn gap_row(&mut self, record: &Placed, gap: Option<FeedGap>) {
        let [action, side, price, size, reason, cause, from, to] = self.row(record);
        action.text(Some(action::GAP));
        side.text(None);
        level(price, size, None);
        reason.text(Some(if gap.is_some() { FEED_GAP } else { NOT_RECORDED }));
        cause.text(gap.map(|gap| gap.reason.as_str()));
        from.whole(gap.and_then(|gap| gap.venue_from));
        to.whole(gap.and_then(|gap| gap.venue_to));
        self.end_row();
    }

    /// Tells the digits of the row's decimals, where its channel has any.
    fn end_row(&mut self) {
        self.digits.clear();
        for column in &self.columns {
            column.tell_digits(&mut self.digits);
        }
        if let Some(column) = self.columns.last_mut().filter(|column| column.name == DIGITS) {
            column.text(Some(&self.digits));
        }
    }

    /// Begins a row; what follows its head is to be filled in.
    fn row<const N: usize>(&mut self, record: &Placed) -> [&mut Column; N] {
        self.keys.push((record.ts_recv, record.seq.0));
        let (head, rest) = self.columns.split_at_mut(HEAD.len());
        let instrument = &record.instrument;
        let [event, recv, sequence, position, venue, venue_symbol, symbol] = each(head);
        event.time(Some(record.ts_event));
        recv.time(Some(record.ts_recv));
        sequence.whole(Some(record.seq.0));
        position.whole(Some(record.position));
        venue.text(Some(instrument.venue.as_str()));
        venue_symbol.text(Some(&instrument.venue_symbol));
        symbol.text(Some(instrument.symbol.as_str()));
        each(rest)
    }
}

fn level(price: &mut Column, size: &mut Column, level: Option<Level>) {
    let [told_price, told_size] = ticker::level(level);
    price.decimal(told_price);
    size.decimal(told_size);
}

/// So many columns, one by one.
fn each<const N: usize>(columns: &mut [Column]) -> [&mut Column; N] {
    let mut columns = columns.iter_mut();
    std::array::from_fn(|_| columns.next().unwrap_or_else(|| unreachable!("a channel has its columns")))
}
