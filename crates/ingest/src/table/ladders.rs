//! Rows that have many levels of a book: in columns, or in a cell that is a list.

use model::{Level, Levels, Price, Tick};

use super::TableError;
use super::cells::{Cells, Step, push};
use super::column::Column;
use super::field::{Number, NumberCell};
use super::finder::Finder;
use super::mapping::{BookTable, LEVELS_MAX, LadderTable};
use super::row::{Row, RowError, Span};
use super::side::Test;
use super::who::Desk;
use crate::board::{Slot, Times};
use crate::error::FeedError;

/// Books, a row each: whole ones, or changes of them.
#[derive(Debug)]
pub(super) struct Ladders {
    bids: Ladder,
    asks: Ladder,
    /// Which rows are whole books; absent: all.
    snapshot: Option<Test>,
    /// Cells of the first row: so many has each.
    width: Option<usize>,
}

#[derive(Debug)]
enum Ladder {
    Columns(Columns),
    List(List),
}

#[derive(Debug)]
struct Columns {
    levels: Vec<(NumberCell, NumberCell)>,
    /// Columns to the next level; the row's end is the end of the levels.
    step: Option<usize>,
}

/// Levels in one cell.
#[derive(Debug)]
struct List {
    at: usize,
    /// What they may be called in a level, and how they are read.
    price: (Vec<Step>, NumberCell),
    size: (Vec<Step>, NumberCell),
    text: Vec<u8>,
    cells: Vec<Span>,
}

impl Ladders {
    pub(super) fn new(table: &BookTable, find: &Finder<'_>) -> Result<Self, TableError> {
        let snapshot = table.snapshot.as_ref().map(|condition| find.test("book.snapshot", condition));
        Self::of(&table.bids, &table.asks, snapshot.transpose()?, find)
    }

    /// Whole books.
    pub(super) fn whole(
        bids: &LadderTable,
        asks: &LadderTable,
        find: &Finder<'_>,
    ) -> Result<Self, TableError> {
        Self::of(bids, asks, None, find)
    }

    fn of(
        bids: &LadderTable,
        asks: &LadderTable,
        snapshot: Option<Test>,
        find: &Finder<'_>,
    ) -> Result<Self, TableError> {
        let (bids, asks) = (Ladder::new("book.bids", bids, find)?, Ladder::new("book.asks", asks, find)?);
        Ok(Self { bids, asks, snapshot, width: None })
    }

    pub(super) fn read(
        &mut self,
        row: &Row<'_>,
        slot: Slot,
        times: Times,
        desk: &mut Desk,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let wanted = *self.width.get_or_insert(row.cells.len());
        if row.cells.len() != wanted {
            return Err(RowError::Cells { cells: row.cells.len(), wanted }.into());
        }
        let is_whole = self.snapshot.as_ref().map_or(Ok(true), |test| test.holds(row))?;
        let mut levels = Levels { bids: self.bids.read(row)?, asks: self.asks.read(row)? };
        if is_whole {
            // A whole book names what is there, not what is gone.
            levels.bids.retain(|level| !level.size.is_zero());
            levels.asks.retain(|level| !level.size.is_zero());
            desk.board.snapshot(slot, times, levels, out);
        } else if desk.board.is_valid(slot) {
            desk.board.delta(slot, times, levels, out);
        }
        Ok(())
    }

    /// Whether books are made of what several rows say.
    pub(super) const fn has_changes(&self) -> bool {
        self.snapshot.is_some()
    }
}

impl Ladder {
    fn new(key: &'static str, table: &LadderTable, find: &Finder<'_>) -> Result<Self, TableError> {
        if let Some(list) = &table.list {
            return List::new(key, list, table, find).map(Self::List);
        }
        let mut levels = Vec::new();
        if table.step.is_some() {
            levels.push((find.number(key, &table.price)?, find.number(key, &table.size)?));
        } else {
            for level in (table.first..).take(LEVELS_MAX) {
                let column = |number| LadderTable::column(number, level, find.names());
                let (Some(price), Some(size)) = (column(&table.price), column(&table.size)) else { break };
                levels.push((find.level(key, &table.price, price)?, find.level(key, &table.size, size)?));
            }
            if levels.is_empty() {
                let first = table.price.text.column.level(table.first);
                return Err(TableError::column(key, &first, find.names()));
            }
        }
        Ok(Self::Columns(Columns { levels, step: table.step }))
    }

    /// The levels of a row; what has no price or no size is no level.
    fn read(&mut self, row: &Row<'_>) -> Result<Vec<Level>, FeedError> {
        match self {
            Self::Columns(columns) => Ok(columns.read(row)?),
            Self::List(list) => list.read(row),
        }
    }
}

impl Columns {
    fn read(&mut self, row: &Row<'_>) -> Result<Vec<Level>, RowError> {
        if let Some(step) = self.step.take() {
            let (price, size) = self.levels[0].clone();
            let next = |by: usize| (price.further(by), size.further(by));
            let fits = |(price, size): &(NumberCell, NumberCell)| price.at().max(size.at()) < row.cells.len();
            let rest = (1..LEVELS_MAX).map(|level| next(level * step)).take_while(fits);
            self.levels.extend(rest);
        }
        let mut levels = Vec::with_capacity(self.levels.len());
        for (price, size) in &self.levels {
            levels.extend(level(price, size, row)?);
        }
        Ok(levels)
    }
}

impl List {
    fn new(
        key: &'static str,
        list: &Column,
        table: &LadderTable,
        find: &Finder<'_>,
    ) -> Result<Self, TableError> {
        let of = |number: &Number, at| {
            Ok::<_, TableError>((number.text.column.steps(), find.number_at(number, at)?))
        };
        Ok(Self {
            at: find.column(key, list)?,
            price: of(&table.price, 0)?,
            size: of(&table.size, 1)?,
            text: Vec::new(),
            cells: Vec::new(),
        })
    }

    fn read(&mut self, row: &Row<'_>) -> Result<Vec<Level>, FeedError> {
        let cell = row.cell(self.at)?;
        if cell.is_empty() {
            return Ok(Vec::new());
        }
        let text = str::from_utf8(cell).map_err(|_| RowError::Json("a list of levels must be text"))?;
        let Cells::List(rows) = Cells::of(text)? else {
            return Err(RowError::Json("a list of levels must stand where an object does").into());
        };
        if rows.len() > LIST_LEVELS_MAX {
            return Err(RowError::Cells { cells: rows.len(), wanted: LIST_LEVELS_MAX }.into());
        }
        let mut levels = Vec::with_capacity(rows.len());
        for cells in rows {
            let cells = Cells::of(cells.get())?;
            self.text.clear();
            self.cells.clear();
            for (steps, _) in [&self.price, &self.size] {
                match steps.iter().find_map(|step| cells.get(step)) {
                    Some(cell) => push(cell, &mut self.cells, &mut self.text)?,
                    None => return Err(RowError::Json("a level lacks its price or its size").into()),
                }
            }
            let pair = Row { text: &self.text, cells: &self.cells };
            let found =
                level(&self.price.1, &self.size.1, &pair).map_err(|error| error.at_column(self.at + 1))?;
            levels.extend(found);
        }
        Ok(levels)
    }
}

/// Levels of one side that a list may have.
const LIST_LEVELS_MAX: usize = 65_536;

/// A level; `None` where price or size is nothing.
fn level(price: &NumberCell, size: &NumberCell, row: &Row<'_>) -> Result<Option<Level>, RowError> {
    let (Some(value), Some(amount)) = (price.read(row)?, size.read(row)?) else { return Ok(None) };
    Ok(Some(Level { price: Price::new(value), size: size.sized(row, amount)? }))
}
