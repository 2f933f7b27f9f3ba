//! Recordings as tables: a channel's records as rows, under the names that they have on the wire. Of a book there
//! is a row for each level that changed.
//!
//! Nothing is lost in them: `position` is a record's place in the total order, and where a column has one scale,
//! `digits` says how many digits each value had behind its point.

mod arrow;
mod column;
mod csv;
mod parquet;
mod read;
mod rows;
mod table;

use std::fmt;
use std::path::Path;

use model::Channel;

use crate::error::StoreError;

pub use csv::{CsvFile, read_csv};
pub use parquet::{Exported, channel_folder, export};
pub use read::{find_parquet, read_parquet};
pub use rows::RowError;

/// How values are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Format {
    /// How prices and sizes are.
    pub prices: Prices,
    /// How times are.
    pub timestamps: Timestamps,
}

/// How prices and sizes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prices {
    /// Exact decimals.
    #[default]
    Decimal,
    /// Floating point, 64 bits: the nearest value.
    Float,
    /// Whole numbers of a billionth.
    Fixed,
}

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timestamps {
    /// Nanoseconds, UTC.
    #[default]
    Utc,
    /// Nanoseconds without a zone: `DuckDB` 1 cuts those with one to microseconds.
    Naive,
    /// Nanoseconds since 1970, as whole numbers.
    Int64,
}

/// What is wrong with a line or a row that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which, from 1.
    pub line: u64,
    /// Where in the line, from 1, where that is known.
    pub column: Option<usize>,
    /// What.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, what } = self;
        match column {
            Some(column) => write!(f, "{line}:{column}: {what}"),
            None => write!(f, "{line}: {what}"),
        }
    }
}

/// The channel whose columns a table has.
fn channel_of(path: &Path, has: impl Fn(&str) -> bool) -> Result<Channel, StoreError> {
    let whole = |channel: &Channel| table::all_columns(*channel).all(|(name, _)| has(name));
    Channel::ALL.into_iter().find(whole).ok_or_else(|| {
        let message =
            "its columns are those of no channel: it is read where `tickwire convert` has written it";
        StoreError::Table { path: path.to_owned(), message: message.to_owned() }
    })
}
