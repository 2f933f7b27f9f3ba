//! A row: its cells as they stand in the file.

use std::fmt;

use model::{DecimalError, SymbolError, TimeError};

/// Where a cell stands in the text of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Where bytes stand that have just been appended to the text of a row.
#[expect(clippy::cast_possible_truncation, reason = "a row has at most 64 MiB")]
pub(super) const fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32 }
}

/// The cells of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) text: &'a [u8],
    pub(super) cells: &'a [Span],
}

impl<'a> Row<'a> {
    /// The cell of a column, without spaces around it.
    pub(super) fn cell(&self, at: usize) -> Result<&'a [u8], RowError> {
        let span = self.cells.get(at).ok_or(RowError::Short { cells: self.cells.len(), column: at + 1 })?;
        Ok(self.text[span.start as usize..span.end as usize].trim_ascii())
    }

    /// What is wrong with the cell of a column.
    pub(super) fn fault(&self, at: usize, fault: CellFault) -> RowError {
        let cell = self.cell(at).unwrap_or_default();
        let text = String::from_utf8_lossy(&cell[..cell.len().min(SHOWN_BYTES_MAX)]).into_owned();
        let place = Place { column: at + 1, name: None, keys: Vec::new(), is_path: false };
        RowError::Cell { place: Box::new(place), text, fault }
    }
}

/// As much of a cell is shown where something is wrong with it.
const SHOWN_BYTES_MAX: usize = 40;

/// Why a row was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// A column is missing.
    #[error("the row has {cells} cells, column {column} is missing")]
    Short {
        /// How many it has.
        cells: usize,
        /// The first one that is missing, from 1.
        column: usize,
    },
    /// The number of cells is another than it must be.
    #[error("the row has {cells} cells instead of {wanted}")]
    Cells {
        /// How many it has.
        cells: usize,
        /// How many it must have.
        wanted: usize,
    },
    /// A quoted cell goes on to the end of the line.
    #[error("column {column}: the quotation mark is not closed on this line")]
    Quote {
        /// The column, from 1.
        column: usize,
    },
    /// The text of a row of JSON is wrong.
    #[error("not a row: {0}")]
    Json(&'static str),
    /// A record of a binary file is not whole.
    #[error("the file ends in the middle of a record, after {bytes} bytes of it")]
    Cut {
        /// How many bytes of it are there.
        bytes: usize,
    },
    /// A cell is wrong.
    #[error("{place}, {text:?}: {fault}")]
    Cell {
        /// Where.
        place: Box<Place>,
        /// What stands there, or the beginning of it.
        text: String,
        /// What is wrong with it.
        fault: CellFault,
    },
}

/// Where a cell is, in the words of the file and of the mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its column, from 1.
    pub column: usize,
    /// What the file calls it, as far as that is known.
    pub name: Option<Box<str>>,
    /// The mapping's keys that mean it.
    pub keys: Vec<&'static str>,
    /// The name is a path in a message, which has no columns.
    pub is_path: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_path {
            write!(f, "column {}", self.column)?;
        }
        let keys = self.keys.join(" and ");
        match (&self.name, keys.as_str()) {
            (Some(path), "") if self.is_path => f.write_str(path),
            (Some(path), keys) if self.is_path => write!(f, "{path} (the mapping's {keys})"),
            (Some(name), "") => write!(f, " ({name})"),
            (Some(name), keys) => write!(f, " ({name}, the mapping's {keys})"),
            (None, "") => Ok(()),
            (None, keys) => write!(f, " (the mapping's {keys})"),
        }
    }
}

impl RowError {
    /// The same, of a cell that is inside another one.
    pub(super) fn at_column(mut self, column: usize) -> Self {
        if let Self::Cell { place, .. } = &mut self {
            place.column = column;
        }
        self
    }
}

/// What is wrong with a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CellFault {
    /// Nothing stands where something must.
    #[error("nothing there")]
    Empty,
    /// No number, or one that cannot be held exactly.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
    /// A decimal point in what is counted in units of its last digit.
    #[error("a whole number must stand here; `whole_decimals` in place of `decimals` takes others, too")]
    NotWhole,
    /// No time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A time of day that is later than the day.
    #[error("later than the end of the {0}")]
    TooLate(&'static str),
    /// A word of which the mapping does not say what it means.
    #[error("not one of the words that the mapping knows; it can be told more of them")]
    Word,
    /// A text that has not the form of which a part is meant.
    #[error("not of the form that the mapping says")]
    Pattern,
    /// Outside the grammar of symbols.
    #[error(transparent)]
    Symbol(#[from] SymbolError),
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Not of the calendar or the clock.
    #[error("not a date")]
    Date,
    /// A time of the day alone.
    #[error("a time of the day, and nothing says of which day: say it with --date")]
    Day,
    /// An order that is not there.
    #[error("no order of this id is known")]
    Order,
}
