//! How the rows of one file become ticks: a mapping, once the file's columns and name are known.

use model::{Level, Quote, Side, Size, State, Tick, Trade};
use rust_decimal::Decimal;

use super::books::{Changes, Orders};
use super::clock::Clock;
use super::column::{Names, Words, shown};
use super::field::{Number, NumberCell, TextCell};
use super::finder::{Finder, Keys};
use super::ladders::Ladders;
use super::mapping::{BesideTable, DecimalsTable, StatusTable, TradeTable, Written};
use super::name::Told;
use super::row::{CellFault, Row, RowError};
use super::side::{SideCell, Test};
use super::who::{Desk, Source, Template, Templates, Who};
use super::{Options, TableError};
use crate::board::{Slot, Times};
use crate::error::FeedError;

/// Reads the rows of one file.
#[derive(Debug)]
pub(super) struct Plan {
    names: Names,
    keys: Keys,
    /// Columns are called by their paths in messages.
    has_paths: bool,
    /// Cells that each row must have.
    width: Option<usize>,
    skip: Vec<Test>,
    who: Who,
    time: Option<Clock>,
    recv: Option<Clock>,
    status: Option<Statuses>,
    trade: Option<Trades>,
    quote: Option<Quotes>,
    book: Option<(Vec<Test>, Ladders)>,
    change: Option<(Vec<Test>, Changes)>,
    order: Option<Orders>,
}

#[derive(Debug)]
struct Trades {
    when: Vec<Test>,
    price: NumberCell,
    size: NumberCell,
    side: TakerCell,
    id: Option<TextCell>,
}

#[derive(Debug)]
enum TakerCell {
    Unknown,
    Word(SideCell),
    /// The size has a sign, which says it.
    Sign,
}

#[derive(Debug)]
struct Quotes {
    when: Vec<Test>,
    bid: (NumberCell, Option<NumberCell>),
    ask: (NumberCell, Option<NumberCell>),
}

#[derive(Debug)]
struct Statuses {
    when: Vec<Test>,
    at: usize,
    states: Vec<(Words, State, String)>,
}

/// What is known of a file before its first row.
#[derive(Clone, Copy, Debug)]
pub(super) struct File<'a> {
    pub(super) names: &'a Names,
    pub(super) told: &'a Told,
    pub(super) options: &'a Options,
}

impl Plan {
    pub(super) fn new(mapping: &Written, file: File<'_>) -> Result<Self, TableError> {
        let File { names, told, options } = file;
        let who = who(mapping, file)?;
        let symbol = who.fixed_symbol();
        let digits = symbol.and_then(|symbol| digits(&mapping.instrument.decimals, &symbol));
        let find = Finder::new(mapping, names, digits);
        let clock = |table: &Option<_>, key| match table {
            Some(table) => Clock::new(table, key, &find, told, options.date),
            None => Ok(None),
        };
        let book = mapping.book.as_ref().map(|book| {
            Ok::<_, TableError>((find.tests("book.when", &book.when)?, Ladders::new(book, &find)?))
        });
        let change = mapping.change.as_ref().map(|change| {
            Ok::<_, TableError>((find.tests("change.when", &change.when)?, Changes::new(change, &find)?))
        });
        let mut plan = Self {
            names: names.clone(),
            keys: Keys::new(),
            has_paths: false,
            width: Some(names.0.len()).filter(|&width| width > 0).or(mapping.rows.columns),
            skip: find.tests("rows.skip", &mapping.rows.skip)?,
            who,
            time: clock(&mapping.time, ["time.column", "time.date"])?,
            recv: clock(&mapping.recv, ["recv.column", "recv.date"])?,
            status: mapping.status.as_ref().map(|table| Statuses::new(table, &find)).transpose()?,
            trade: mapping.trade.as_ref().map(|table| Trades::new(table, &find)).transpose()?,
            quote: mapping.quote.as_ref().map(|table| Quotes::new(table, &find)).transpose()?,
            book: book.transpose()?,
            change: change.transpose()?,
            order: mapping.order.as_ref().map(|table| Orders::new(table, &find)).transpose()?,
        };
        plan.keys = find.into_keys();
        Ok(plan)
    }

    /// Its columns are called by their paths in messages.
    pub(super) const fn name_paths(&mut self) {
        self.has_paths = true;
    }

    /// Of the file that stands beside the first one: its rows are books and nothing else.
    pub(super) fn beside(mapping: &Written, table: &BesideTable, file: File<'_>) -> Result<Self, TableError> {
        let find = Finder::new(mapping, file.names, None);
        let ladders = Ladders::whole(&table.bids, &table.asks, &find)?;
        Ok(Self {
            names: file.names.clone(),
            keys: find.into_keys(),
            has_paths: false,
            width: table.columns,
            skip: Vec::new(),
            who: who(mapping, file)?,
            time: None,
            recv: None,
            status: None,
            trade: None,
            quote: None,
            book: Some((Vec::new(), ladders)),
            change: None,
            order: None,
        })
    }

    /// The same error; where a cell is wrong, with the name of its column and the key that means it.
    pub(super) fn explain(&self, mut error: FeedError) -> FeedError {
        if let FeedError::Row(RowError::Cell { place, .. }) = &mut error {
            let at = place.column - 1;
            place.name = self.names.0.get(at).map(|name| shown(name).into());
            place.is_path = self.has_paths;
            place.keys = self.keys.iter().filter(|(column, _)| *column == at).map(|(_, key)| *key).collect();
        }
        error
    }

    /// Whether a delimiter behind the last cell is all that a row has too much, or what the header has more.
    fn is_closed(&self, row: &Row<'_>, wanted: usize) -> bool {
        let is_empty = |at: usize| row.cell(at).is_ok_and(<[u8]>::is_empty);
        let of_header = || self.names.0.last().is_some_and(|name| name.is_empty());
        row.cells.len() == wanted + 1 && is_empty(wanted) || row.cells.len() + 1 == wanted && of_header()
    }

    /// Reads a row and appends its ticks to `out`. A row of the file beside this one has the times of the
    /// row that it belongs to.
    pub(super) fn read(
        &mut self,
        row: &Row<'_>,
        times: Option<Times>,
        desk: &mut Desk,
        out: &mut Vec<Tick>,
    ) -> Result<Times, FeedError> {
        if let Some(wanted) = self.width
            && row.cells.len() != wanted
            && !self.is_closed(row, wanted)
        {
            return Err(RowError::Cells { cells: row.cells.len(), wanted }.into());
        }
        let clock = |clock: &mut Option<Clock>| clock.as_mut().map_or(Ok(None), |clock| clock.read(row));
        let times = match times {
            Some(times) => times,
            None => Times {
                event: clock(&mut self.time)?,
                source: None,
                recv: clock(&mut self.recv)?.or(desk.recv),
            },
        };
        if !self.skip.is_empty() && holds(&self.skip, row)? {
            return Ok(times);
        }
        let slot = self.who.slot(row, desk)?;
        if self.book.is_some() || self.change.is_some() || self.order.is_some() {
            desk.board.comes_over(slot, &desk.conn);
            if desk.own_quotes {
                desk.board.expect_quotes(slot);
            }
        }
        if let Some(changes) = &mut self.change {
            changes.1.settle(row, slot, desk, out)?;
        }
        if let Some(status) = &self.status {
            status.read(row, slot, times, desk, out)?;
        }
        if let Some(trade) = &self.trade
            && holds(&trade.when, row)?
        {
            desk.board.trade(slot, times, trade.read(row)?, false, out);
        }
        if let Some(quote) = &self.quote
            && holds(&quote.when, row)?
        {
            let Quote { bid, ask, .. } = quote.read(row)?;
            desk.board.quote(slot, times, bid, ask, out);
        }
        if let Some((when, ladders)) = &mut self.book
            && holds(when, row)?
        {
            ladders.read(row, slot, times, desk, out)?;
        }
        if let Some((when, changes)) = &mut self.change
            && holds(when, row)?
        {
            changes.read(row, slot, times, desk, out)?;
        }
        if let Some(orders) = &mut self.order {
            orders.read(row, slot, times, desk, out)?;
        }
        Ok(times)
    }

    /// The file is at its end: what waited for more is whole.
    pub(super) fn finish(&mut self, desk: &mut Desk, out: &mut Vec<Tick>) {
        if let Some((_, changes)) = &mut self.change {
            changes.finish(desk, out);
        }
    }

    /// A row was broken: books that are made of changes lack it.
    pub(super) fn broken(&mut self, desk: &mut Desk, out: &mut Vec<Tick>) {
        if let Some((_, changes)) = &mut self.change {
            changes.broken();
        }
        let has_changes = self.book.as_ref().is_some_and(|(_, ladders)| ladders.has_changes());
        if has_changes || self.change.is_some() || self.order.is_some() {
            desk.void(out);
        }
    }
}

/// Whether all of them hold.
fn holds(tests: &[Test], row: &Row<'_>) -> Result<bool, RowError> {
    for test in tests {
        if !test.holds(row)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn who(mapping: &Written, file: File<'_>) -> Result<Who, TableError> {
    let File { names, told, options } = file;
    let given = |text: &Option<Box<str>>| text.as_ref().map(|text| Templates(vec![Template::of(text)]));
    let (venue, symbol) = (given(&options.venue), given(&options.symbol));
    let table = &mapping.instrument;
    let (venue, symbol) = (venue.as_ref().unwrap_or(&table.venue), symbol.as_ref().unwrap_or(&table.symbol));
    let source = Source { names, told };
    Who::new(venue, symbol, table.suffix.as_ref(), mapping.forms(), &source).map_err(TableError::Instrument)
}

/// Digits behind the point of an instrument's whole numbers: those of the first pattern that fits.
fn digits(tables: &[DecimalsTable], symbol: &str) -> Option<u32> {
    let symbol = symbol.to_ascii_uppercase();
    let fits = |pattern: &str| match pattern.split_once('*') {
        None => pattern == symbol,
        Some((begin, end)) => {
            symbol.len() >= begin.len() + end.len() && symbol.starts_with(begin) && symbol.ends_with(end)
        }
    };
    tables.iter().find(|table| table.symbols.iter().any(|pattern| fits(pattern))).map(|table| table.digits)
}

impl Trades {
    fn new(table: &TradeTable, find: &Finder<'_>) -> Result<Self, TableError> {
        let mut side = TakerCell::Unknown;
        let optional = table.sides.is_empty();
        for field in table.side.iter().chain(&table.sides) {
            let Some(column) = &field.column else {
                side = TakerCell::Sign;
                break;
            };
            match find.column("trade.side", column) {
                Ok(at) => {
                    side = TakerCell::Word(SideCell::new(field, at, find.null()));
                    break;
                }
                Err(_) if field.optional || !optional => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self {
            when: find.tests("trade.when", &table.when)?,
            price: find.number("trade.price", &table.price)?,
            size: find.number("trade.size", &table.size)?,
            side,
            id: table.id.as_ref().map_or(Ok(None), |id| find.text("trade.id", id))?,
        })
    }

    fn read(&self, row: &Row<'_>) -> Result<Trade, RowError> {
        let price = self.price.price(row)?;
        let (size, side) = match &self.side {
            TakerCell::Unknown => (self.size.size(row)?, Side::Unknown),
            TakerCell::Word(cell) => (self.size.size(row)?, cell.taker(row)?),
            TakerCell::Sign => {
                let value = self.size.value(row)?;
                let side = if value.is_sign_negative() { Side::Sell } else { Side::Buy };
                (self.size.sized(row, value.abs())?, side)
            }
        };
        let id = match &self.id {
            Some(cell) => cell.read(row)?.map(|id| {
                let text = str::from_utf8(id).map_err(|_| row.fault(cell.at, CellFault::NotUtf8));
                text.map(Into::into)
            }),
            None => None,
        };
        Ok(Trade { price, size, side, id: id.transpose()? })
    }
}

impl Quotes {
    fn new(table: &super::mapping::QuoteTable, find: &Finder<'_>) -> Result<Self, TableError> {
        let size = |key, size: &Option<Number>| match size {
            Some(size) => find.optional(key, size),
            None => Ok(None),
        };
        Ok(Self {
            when: find.tests("quote.when", &table.when)?,
            bid: (find.number("quote.bid", &table.bid)?, size("quote.bid_size", &table.bid_size)?),
            ask: (find.number("quote.ask", &table.ask)?, size("quote.ask_size", &table.ask_size)?),
        })
    }

    fn read(&self, row: &Row<'_>) -> Result<Quote, RowError> {
        let side = |(price, size): &(NumberCell, Option<NumberCell>)| {
            let Some(price) = price.read(row)? else { return Ok(None) };
            // Where a file has no sizes, nothing is said of them.
            let size = match size {
                Some(cell) => cell.sized(row, cell.read(row)?.unwrap_or(Decimal::ZERO))?,
                None => Size::ZERO,
            };
            Ok::<_, RowError>(Some(Level { price: model::Price::new(price), size }))
        };
        Ok(Quote::of(side(&self.bid)?, side(&self.ask)?, false))
    }
}

impl Statuses {
    fn new(table: &StatusTable, find: &Finder<'_>) -> Result<Self, TableError> {
        let states = table.states.iter().map(|state| (state.is.clone(), state.state.0, state.reason.clone()));
        Ok(Self {
            when: find.tests("status.when", &table.when)?,
            at: find.column("status.column", &table.column)?,
            states: states.collect(),
        })
    }

    fn read(
        &self,
        row: &Row<'_>,
        slot: Slot,
        times: Times,
        desk: &mut Desk,
        out: &mut Vec<Tick>,
    ) -> Result<(), RowError> {
        if !holds(&self.when, row)? {
            return Ok(());
        }
        let cell = row.cell(self.at)?;
        let found = self.states.iter().find(|(words, ..)| words.has(cell));
        let (_, state, reason) = found.ok_or_else(|| row.fault(self.at, CellFault::Word))?;
        desk.board.state(slot, times, *state, reason, out);
        Ok(())
    }
}
