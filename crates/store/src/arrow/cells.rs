//! The values of a table's rows, one by one: for forms that are no arrays.

use model::UnixNanos;
use rust_decimal::Decimal;

use super::column::{ABSENT, Column, Values, rare_at};
use super::table::Table;

/// A value of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    #[default]
    None,
    Time(UnixNanos),
    Whole(u64),
    Flag(bool),
    /// With the digits that it had.
    Decimal(Decimal),
    Text(&'a str),
}

impl Table {
    /// The values of a row, but for its digits, which decimals have.
    pub(crate) fn cells(&self, row: usize) -> impl Iterator<Item = (&'static str, Cell<'_>)> {
        let (head, columns) = self.parts(row);
        let head = head.0.iter().map(move |column| (column.name, column.cell(head.1)));
        head.chain(columns.iter().map(move |column| (column.name, column.cell(row))))
    }
}

impl Column {
    fn cell(&self, at: usize) -> Cell<'_> {
        let cell = match &self.values {
            Values::None => None,
            Values::Time(values) => {
                (values[at] != ABSENT).then(|| Cell::Time(UnixNanos(values[at].unsigned_abs())))
            }
            Values::Whole(values) => Some(Cell::Whole(values[at])),
            Values::Rare { values, .. } => rare_at(values, at).map(Cell::Whole),
            Values::Flag(values) => Some(Cell::Flag(values[at])),
            Values::Decimal(values) => values.value(at).map(Cell::Decimal),
            Values::Word { words, values, .. } => {
                let word = usize::try_from(values[at]).ok().and_then(|at| words.get(at));
                word.map(|word| Cell::Text(word))
            }
            Values::Text(values) => values[at].as_deref().map(Cell::Text),
        };
        cell.unwrap_or_default()
    }
}
