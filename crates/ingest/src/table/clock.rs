//! The times of a file's rows.

use model::UnixNanos;

use super::TableError;
use super::column::Words;
use super::finder::Finder;
use super::mapping::TimeTable;
use super::name::{Told, begin_of_hour};
use super::row::{CellFault, Row, RowError};
use super::time::{self, DateOrder, Since, Unit};
use super::zone::Zone;

/// Reads the time of a row.
#[derive(Debug)]
pub(super) struct Clock {
    at: usize,
    null: Words,
    /// Some number says that there is none.
    numbers_are_null: bool,
    unit: Unit,
    since: Since,
    begin: Begin,
    zone: Zone,
    order: DateOrder,
}

/// What times of a day or an hour count from.
#[derive(Debug)]
enum Begin {
    /// They are whole.
    Epoch,
    /// The beginning of the file's day or hour, by the clock on the wall.
    OfFile(UnixNanos),
    /// The day that a cell says.
    Cell(usize),
    /// They may be whole; those of a day have it in a cell, or are of the file's.
    Any(Option<usize>, Option<model::Date>),
}

impl Clock {
    /// The clock of a file; `None` where the mapping's column need not be there, and is not.
    pub(super) fn new(
        table: &TimeTable,
        [key, date_key]: [&'static str; 2],
        find: &Finder<'_>,
        told: &Told,
        day: Option<model::Date>,
    ) -> Result<Option<Self>, TableError> {
        let null = find.null();
        let at = match find.column(key, &table.column) {
            Ok(at) => at,
            Err(_) if table.optional => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_auto = table.unit == Unit::Auto;
        let date = match &table.date {
            Some(date) if is_auto => find.column(date_key, date).ok().filter(|&date| date != at),
            Some(date) => Some(find.column(date_key, date)?),
            None => None,
        };
        let day_of_file = day.or_else(|| told.date());
        let day = || day.or_else(|| told.date()).ok_or(TableError::Day);
        let begin = match (date, table.since) {
            (date, Since::Epoch) if is_auto => Begin::Any(date, day_of_file),
            (Some(date), _) => Begin::Cell(date),
            (None, Since::Epoch) => Begin::Epoch,
            (None, Since::Midnight) => Begin::OfFile(day()?.midnight()),
            (None, Since::Hour) => Begin::OfFile(begin_of_hour(day()?, told.hour().ok_or(TableError::Hour)?)),
        };
        let zone = table.zone.clone().unwrap_or_else(Zone::utc);
        let (unit, since, order) = (table.unit, table.since, table.date_order);
        Ok(Some(Self {
            at,
            null: null.clone(),
            numbers_are_null: null.has_numbers(),
            unit,
            since,
            begin,
            zone,
            order,
        }))
    }

    /// The time of a row; `None` where its cell says that there is none.
    pub(super) fn read(&mut self, row: &Row<'_>) -> Result<Option<UnixNanos>, RowError> {
        let cell = row.cell(self.at)?;
        let is_digit = cell.first().is_some_and(u8::is_ascii_digit);
        if (self.numbers_are_null || !is_digit) && (cell.is_empty() || self.null.has(cell)) {
            return Ok(None);
        }
        let read = match (&self.begin, self.unit) {
            // A date as text is one, whatever numbers would be.
            (Begin::Epoch | Begin::Any(..), _) if cell.get(4) == Some(&b'-') => {
                time::iso(cell, self.order, &mut self.zone)
            }
            (Begin::Any(date, day), _) if matches!(cell, [_, b':', ..] | [_, _, b':', ..]) => {
                let (date, day) = (*date, *day);
                let cell_day = date.map(|date| {
                    let day = row.cell(date).map(|cell| time::date(cell, self.order));
                    day.and_then(|day| day.map_err(|fault| row.fault(date, fault)))
                });
                let day = cell_day.transpose()?.or(day).ok_or_else(|| row.fault(self.at, CellFault::Day))?;
                of_day(cell, day, &mut self.zone)
            }
            (Begin::Any(..) | Begin::Epoch, Unit::Auto) => time::auto(cell, &mut self.zone),
            (Begin::Epoch | Begin::Any(..), Unit::Iso) => time::iso(cell, self.order, &mut self.zone),
            (Begin::Epoch | Begin::Any(..), unit) => time::since_epoch(cell, unit),
            (Begin::OfFile(begin), unit) => time::since_begin(cell, unit, self.since, *begin, &mut self.zone),
            (Begin::Cell(date), unit) => {
                let day = time::date(row.cell(*date)?, self.order);
                let day = day.map_err(|fault| row.fault(*date, fault))?;
                if unit == Unit::Iso {
                    of_day(cell, day, &mut self.zone)
                } else {
                    time::since_begin(cell, unit, Since::Midnight, day.midnight(), &mut self.zone)
                }
            }
        };
        read.map(Some).map_err(|fault| row.fault(self.at, fault))
    }
}

/// A day in one cell, the time of the day in another.
fn of_day(cell: &[u8], day: model::Date, zone: &mut Zone) -> Result<UnixNanos, CellFault> {
    match time::clock(cell)? {
        (nanos, []) => time::on_the_wall(day.midnight().later(nanos), zone),
        _ => Err(model::TimeError::Malformed.into()),
    }
}
