//! Tables as files: [`crate::arrow`] as Parquet and CSV, and back.

mod csv;
mod parquet;
mod read;
mod rows;

use std::fmt;
use std::path::Path;

use model::Channel;

use crate::arrow::all_columns;
use crate::error::StoreError;

pub use csv::{CsvFile, read_csv};
pub use parquet::{Exported, channel_folder, export};
pub use read::{find_parquet, read_parquet};
pub use rows::RowError;

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

/// Columns that tables of older versions lack: there, nothing stands in them.
const ADDED: [&str; 11] = [
    "ts_source",
    "correction",
    "original_sequence",
    "original_price",
    "original_size",
    "original_side",
    "original_ts_event",
    "new_trade_id",
    "corrected",
    "bid_source",
    "ask_source",
];

/// The channel whose columns a table has.
fn channel_of(path: &Path, has: impl Fn(&str) -> bool) -> Result<Channel, StoreError> {
    let there = |name| has(name) || ADDED.contains(&name);
    let whole = |channel: &Channel| all_columns(*channel).all(|(name, _)| there(name));
    Channel::ALL.into_iter().find(whole).ok_or_else(|| {
        let message =
            "its columns are those of no channel: it is read where `tickwire convert` has written it";
        StoreError::Table { path: path.to_owned(), message: message.to_owned() }
    })
}
