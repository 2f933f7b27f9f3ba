//! Records as tables of Arrow: a row for each, of a book one for each level, under the names that they have on the
//! wire. Prices and sizes are decimals, 18 digits, nine of them behind the point, where that is enough; a column that
//! needs more has more.
//!
//! Nothing is lost in them: `position` is a record's place in the total order, and as a column has one scale, `digits`
//! says how many digits each value had behind its point.

#[cfg(feature = "tables")]
mod cells;
mod column;
mod decimals;
mod digits;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema};

#[cfg(feature = "tables")]
pub(crate) use {
    cells::Cell,
    column::Kind,
    decimals::FIXED,
    digits::DIGITS,
    table::{ASK, BID, Books, NOT_RECORDED, action, all_columns},
};

pub use table::Table;

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
    /// Exact decimals, of 64 bits where that is enough.
    #[default]
    Decimal,
    /// Exact decimals, always of 128 bits: Polars 2.1 takes those of 64 bits for wider ones when it is handed them in
    /// memory, and tells wrong prices.
    Wide,
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

/// The order of a batch's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they came: the total order of the recording.
    Total,
    /// By time of receipt and sequence.
    Received,
}

/// Rows of an earlier batch with the wider decimals that `schema`, of the same table, has by now.
///
/// # Errors
/// The schema is of another table.
pub fn widen(batch: RecordBatch, schema: &Arc<Schema>) -> Result<RecordBatch, ArrowError> {
    if batch.schema_ref() == schema {
        return Ok(batch);
    }
    let columns = batch.columns().iter().zip(schema.fields());
    let widened = columns.map(|(array, field)| decimals::widen(array, field.data_type()));
    RecordBatch::try_new(Arc::clone(schema), widened.collect::<Result<_, _>>()?)
}
