//! Rows that are books, changes of books, or orders of which a book is made.

use std::collections::HashMap;
use std::mem;

use model::{BookSide, Level, Levels, Price, Size, Tick, decimal};

use super::TableError;
use super::field::{NumberCell, TextCell};
use super::finder::Finder;
use super::mapping::{ChangeTable, OrderTable};
use super::row::{CellFault, Row, RowError};
use super::side::{SideCell, Test};
use super::who::Desk;
use crate::board::{Slot, Times};

/// Levels that changed, a row each; several of them may be one message.
#[derive(Debug)]
pub(super) struct Changes {
    side: SideCell,
    price: NumberCell,
    size: NumberCell,
    snapshot: Option<Test>,
    /// What says which rows are of one message.
    message: Vec<usize>,
    /// That of the row at hand: its instrument, whether it is of a snapshot, its message.
    key: (Option<Slot>, bool, Vec<u8>),
    pending: Option<Pending>,
}

/// A message of which more rows may come.
#[derive(Debug)]
struct Pending {
    slot: Slot,
    times: Times,
    is_snapshot: bool,
    message: Vec<u8>,
    levels: Levels,
}

impl Changes {
    pub(super) fn new(table: &ChangeTable, find: &Finder<'_>) -> Result<Self, TableError> {
        let side = table.side.column.as_ref().ok_or(TableError::SignOfLevel)?;
        let message = table.message.iter().map(|column| find.column("change.message", column));
        let snapshot = table.snapshot.as_ref().map(|condition| find.test("change.snapshot", condition));
        Ok(Self {
            side: SideCell::new(&table.side, find.column("change.side", side)?, find.null()),
            price: find.number("change.price", &table.price)?,
            size: find.number("change.size", &table.size)?,
            snapshot: snapshot.transpose()?,
            message: message.collect::<Result<_, _>>()?,
            key: (None, false, Vec::new()),
            pending: None,
        })
    }

    /// A row comes: if it is not of the message that waits for more, that one is whole.
    pub(super) fn settle(
        &mut self,
        row: &Row<'_>,
        slot: Slot,
        desk: &mut Desk,
        out: &mut Vec<Tick>,
    ) -> Result<(), RowError> {
        let is_snapshot = self.snapshot.as_ref().map_or(Ok(false), |test| test.holds(row))?;
        let (of, snapshot, message) = &mut self.key;
        (*of, *snapshot) = (Some(slot), is_snapshot);
        message.clear();
        // Levels of a whole book belong together, whenever they were noted.
        for &at in self.message.iter().filter(|_| !is_snapshot) {
            message.extend_from_slice(row.cell(at)?);
            message.push(b'\n');
        }
        let belongs = self.pending.as_ref().is_none_or(|pending| {
            (pending.slot, pending.is_snapshot) == (slot, is_snapshot) && pending.message == *message
        });
        if !belongs {
            self.finish(desk, out);
        }
        Ok(())
    }

    /// Takes the row in that was settled.
    pub(super) fn read(
        &mut self,
        row: &Row<'_>,
        slot: Slot,
        times: Times,
        desk: &mut Desk,
        out: &mut Vec<Tick>,
    ) -> Result<(), RowError> {
        let level = Level { price: self.price.price(row)?, size: self.size.size(row)? };
        let side = self.side.of_book(row)?;
        let (_, is_snapshot, message) = &self.key;
        let pending = self.pending.get_or_insert_with(|| Pending {
            slot,
            times,
            is_snapshot: *is_snapshot,
            message: message.clone(),
            levels: Levels::default(),
        });
        // A whole book names what is there, not what is gone.
        if !(pending.is_snapshot && level.size.is_zero()) {
            pending.levels.side_mut(side).push(level);
        }
        if self.message.is_empty() && !self.key.1 {
            self.finish(desk, out);
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, desk: &mut Desk, out: &mut Vec<Tick>) {
        let Some(Pending { slot, times, is_snapshot, levels, .. }) = self.pending.take() else { return };
        if is_snapshot {
            desk.board.snapshot(slot, times, levels, out);
        } else if desk.board.is_valid(slot) {
            desk.board.delta(slot, times, levels, out);
        }
    }

    /// A row was lost: so is the message that it may have been of.
    pub(super) fn broken(&mut self) {
        self.pending = None;
    }
}

/// Orders, of which the book is made: it is empty before the first one.
#[derive(Debug)]
pub(super) struct Orders {
    id: TextCell,
    side: SideCell,
    price: NumberCell,
    size: NumberCell,
    event: usize,
    words: OrderTable,
    resting: HashMap<(Slot, Box<[u8]>), Resting>,
}

#[derive(Clone, Copy, Debug)]
struct Resting {
    side: BookSide,
    price: Price,
    size: Size,
}

impl Orders {
    pub(super) fn new(table: &OrderTable, find: &Finder<'_>) -> Result<Self, TableError> {
        let side = table.side.column.as_ref().ok_or(TableError::SignOfLevel)?;
        Ok(Self {
            id: find
                .text("order.id", &table.id)?
                .ok_or_else(|| TableError::column("order.id", &table.id.column, find.names()))?,
            side: SideCell::new(&table.side, find.column("order.side", side)?, find.null()),
            price: find.number("order.price", &table.price)?,
            size: find.number("order.size", &table.size)?,
            event: find.column("order.event", &table.event)?,
            words: table.clone(),
            resting: HashMap::new(),
        })
    }

    pub(super) fn read(
        &mut self,
        row: &Row<'_>,
        slot: Slot,
        times: Times,
        desk: &mut Desk,
        out: &mut Vec<Tick>,
    ) -> Result<(), RowError> {
        let event = row.cell(self.event)?;
        let is_cleared = self.words.clear.as_ref().is_some_and(|words| words.has(event));
        if desk.board.is_new(slot) || is_cleared {
            self.resting.retain(|(of, _), _| *of != slot);
            desk.board.snapshot(slot, times, Levels::default(), out);
        }
        if is_cleared {
            return Ok(());
        }
        let Some(id) = self.id.read(row)? else { return Ok(()) };
        let (key, unknown) = ((slot, id.into()), || row.fault(self.id.at, CellFault::Order));
        let mut levels = Levels::default();
        if self.words.add.has(event) {
            let order = self.order(row)?;
            let before = self.resting.insert(key, order);
            if before.is_some() {
                return Err(unknown());
            }
            move_level(desk, slot, order, order.size, true, &mut levels).ok_or_else(unknown)?;
        } else if self.words.reduce.as_ref().is_some_and(|words| words.has(event)) {
            let by = self.size.size(row)?;
            let order = self.resting.get_mut(&key).ok_or_else(unknown)?;
            let rest = decimal::sub(order.size.value(), by.value()).and_then(|rest| Size::new(rest).ok());
            order.size = rest.ok_or_else(unknown)?;
            let order = *order;
            if order.size.is_zero() {
                self.resting.remove(&key);
            }
            move_level(desk, slot, order, by, false, &mut levels).ok_or_else(unknown)?;
        } else if self.words.delete.as_ref().is_some_and(|words| words.has(event)) {
            let order = self.resting.remove(&key).ok_or_else(unknown)?;
            move_level(desk, slot, order, order.size, false, &mut levels).ok_or_else(unknown)?;
        } else if self.words.replace.as_ref().is_some_and(|words| words.has(event)) {
            let order = self.order(row)?;
            let before = self.resting.insert(key, order).ok_or_else(unknown)?;
            replace(desk, slot, before, order, &mut levels).ok_or_else(unknown)?;
        }
        if desk.board.is_valid(slot) {
            desk.board.delta(slot, times, mem::take(&mut levels), out);
        }
        Ok(())
    }

    fn order(&self, row: &Row<'_>) -> Result<Resting, RowError> {
        Ok(Resting {
            side: self.side.of_book(row)?,
            price: self.price.price(row)?,
            size: self.size.size(row)?,
        })
    }
}

/// Notes the new sizes of the levels that an order leaves and comes to; `None` where they cannot be.
fn replace(desk: &Desk, slot: Slot, before: Resting, order: Resting, levels: &mut Levels) -> Option<()> {
    if (before.side, before.price) != (order.side, order.price) {
        move_level(desk, slot, before, before.size, false, levels)?;
        return move_level(desk, slot, order, order.size, true, levels);
    }
    let (comes, more, less) = (order.size >= before.size, order.size.value(), before.size.value());
    let by = if comes { decimal::sub(more, less) } else { decimal::sub(less, more) };
    move_level(desk, slot, order, Size::new(by?).ok()?, comes, levels)
}

/// Notes the new size of an order's level; `None` where it cannot be.
fn move_level(
    desk: &Desk,
    slot: Slot,
    order: Resting,
    by: Size,
    comes: bool,
    levels: &mut Levels,
) -> Option<()> {
    let before = desk.board.size_at(slot, order.side, order.price);
    let moved = if comes { decimal::add } else { decimal::sub };
    let size = Size::new(moved(before.value(), by.value())?).ok()?;
    let level = if size.is_zero() { Level::removal(order.price) } else { Level { price: order.price, size } };
    levels.side_mut(order.side).push(level);
    Some(())
}
