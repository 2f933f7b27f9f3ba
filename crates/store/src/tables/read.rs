//! Parquet tables back to records.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal64Type, Decimal128Type, Int32Type, Int64Type, TimestampNanosecondType, UInt64Type,
};
use arrow_array::{
    Array, BooleanArray, Decimal64Array, Decimal128Array, DictionaryArray, Int64Array, RecordBatch,
    StringArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_schema::DataType;
use model::{Placed, UnixNanos};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rust_decimal::Decimal;

use super::parquet::failed;
use super::rows::Rows;
use super::{ADDED, Fault, channel_of};
use crate::arrow::{Cell, DIGITS, FIXED, Kind, all_columns};
use crate::error::StoreError;

/// Rows that are read together.
const ROWS: usize = 8_192;

/// The Parquet files below a folder, which may be one `recording=NAME` or have one such folder in it; its name.
/// Links are not followed.
///
/// # Errors
/// There is none, there are several recordings, or a folder does not read.
pub fn find_parquet(folder: &Path) -> Result<(String, Vec<PathBuf>), StoreError> {
    let named = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("recording=").map(str::to_owned)
    };
    let mut inside = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(StoreError::io(folder))? {
        let path = entry.map_err(StoreError::io(folder))?.path();
        inside.extend(named(&path).map(|name| (name, path)));
    }
    inside.sort();
    let (name, base) = match (named(folder), &inside[..]) {
        (None, [one]) => one.clone(),
        (None, [_, _, ..]) => {
            let names = inside.iter().map(|(name, _)| format!("recording={name}")).collect::<Vec<_>>();
            let message = format!("it has several recordings; name one of {}", names.join(", "));
            return Err(StoreError::Table { path: folder.to_owned(), message });
        }
        (name, _) => {
            let own = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name.unwrap_or(own), folder.to_owned())
        }
    };
    let (mut files, mut folders) = (Vec::new(), vec![base]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(StoreError::io(&folder))? {
            let entry = entry.map_err(StoreError::io(&folder))?;
            let (kind, path) = (entry.file_type().map_err(StoreError::io(&folder))?, entry.path());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|end| end == "parquet") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok((name, files))
}

/// Reads a Parquet file that this program wrote and hands on each record, or what is wrong with a row, which is
/// passed over.
///
/// # Errors
/// The file does not read, its columns are those of no channel, its prices are not exact, or `take` says so.
pub fn read_parquet(
    path: &Path,
    take: &mut dyn FnMut(Result<Placed, Fault>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let file = File::open(path).map_err(StoreError::io(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed(path))?;
    let channel = channel_of(path, |name| builder.schema().column_with_name(name).is_some())?;
    let reader = builder.with_batch_size(ROWS).build().map_err(failed(path))?;
    let (mut rows, mut number) = (Rows::new(channel), 0);
    for batch in reader {
        let batch = batch.map_err(|error| failed(path)(error.into()))?;
        let columns: Result<Vec<_>, _> =
            all_columns(channel).map(|(name, kind)| Source::of(path, &batch, name, kind)).collect();
        let columns = columns?;
        for at in 0..batch.num_rows() {
            number += 1;
            match row(&columns, at).and_then(|cells| rows.push(&cells).map_err(|error| error.to_string())) {
                Ok(Some(record)) => take(Ok(record))?,
                Ok(None) => {}
                Err(what) => take(Err(Fault { line: number, column: None, what }))?,
            }
        }
    }
    rows.finish().map_or(Ok(()), |last| take(Ok(last)))
}

/// The cells of a row, decimals with the digits that they had.
fn row<'a>(columns: &'a [Source<'a>], at: usize) -> Result<Vec<Cell<'a>>, String> {
    let digits = match columns.last() {
        Some(Source::Word(words)) => word(words, at).unwrap_or_default(),
        _ => "",
    };
    let mut digits = digits.split(' ');
    let cells = columns.iter().map(|column| match column {
        Source::Decimal(values, scale) => {
            let told = digits.next().unwrap_or_default();
            let value = values.value(at);
            value.map_or(Ok(Cell::None), |value| {
                let bad =
                    || format!("{DIGITS} has {told:?} for {value} with {scale} digits behind its point");
                let wanted: u32 = told.parse().map_err(|_| bad())?;
                exact(value, *scale, wanted).map(Cell::Decimal).ok_or_else(bad)
            })
        }
        other => Ok(other.cell(at)),
    });
    cells.collect()
}

/// `value` at `scale`, with `wanted` digits behind its point; `None` where it has others.
fn exact(value: i128, scale: u32, wanted: u32) -> Option<Decimal> {
    let value = match scale.checked_sub(wanted) {
        Some(zeros) => {
            let power = 10_i128.checked_pow(zeros)?;
            (value % power == 0).then(|| value / power)?
        }
        None => value.checked_mul(10_i128.checked_pow(wanted - scale)?)?,
    };
    Decimal::try_from_i128_with_scale(value, wanted).ok()
}

/// A column of a batch.
enum Source<'a> {
    Time(&'a TimestampNanosecondArray),
    TimeWhole(&'a Int64Array),
    Whole(&'a UInt64Array),
    Flag(&'a BooleanArray),
    Decimal(Decimals<'a>, u32),
    Word(&'a DictionaryArray<Int32Type>),
    Text(&'a StringArray),
    /// The table is older than the column.
    None,
}

enum Decimals<'a> {
    Small(&'a Decimal64Array),
    Large(&'a Decimal128Array),
    Fixed(&'a Int64Array),
}

impl<'a> Source<'a> {
    fn of(path: &Path, batch: &'a RecordBatch, name: &'static str, kind: Kind) -> Result<Self, StoreError> {
        let table = |message: String| StoreError::Table { path: path.to_owned(), message };
        let Some(column) = batch.column_by_name(name) else {
            if ADDED.contains(&name) {
                return Ok(Self::None);
            }
            return Err(table(format!("it has no column {name:?}")));
        };
        let scale = |scale: i8| u32::from(scale.unsigned_abs());
        Ok(match (kind, column.data_type()) {
            (Kind::Time, DataType::Timestamp(..)) => Self::Time(
                column
                    .as_primitive_opt::<TimestampNanosecondType>()
                    .ok_or_else(|| table(format!("{name} has other times than nanoseconds")))?,
            ),
            (Kind::Time, DataType::Int64) => Self::TimeWhole(column.as_primitive::<Int64Type>()),
            (Kind::Whole | Kind::Rare, DataType::UInt64) => Self::Whole(column.as_primitive::<UInt64Type>()),
            (Kind::Flag, DataType::Boolean) => Self::Flag(column.as_boolean()),
            (Kind::Decimal, DataType::Decimal64(_, behind)) => {
                Self::Decimal(Decimals::Small(column.as_primitive::<Decimal64Type>()), scale(*behind))
            }
            (Kind::Decimal, DataType::Decimal128(_, behind)) => {
                Self::Decimal(Decimals::Large(column.as_primitive::<Decimal128Type>()), scale(*behind))
            }
            (Kind::Decimal, DataType::Int64) => {
                Self::Decimal(Decimals::Fixed(column.as_primitive::<Int64Type>()), scale(FIXED))
            }
            (Kind::Decimal, DataType::Float64) => {
                let told =
                    "has floating point, which is not exact: take tables written with --prices decimal";
                return Err(table(format!("{name} {told}")));
            }
            (Kind::Word, DataType::Dictionary(..)) => {
                Self::Word(column.as_dictionary_opt::<Int32Type>().ok_or_else(|| {
                    table(format!("{name} has words of another kind than are written here"))
                })?)
            }
            (Kind::Word | Kind::Text, DataType::Utf8) => Self::Text(column.as_string()),
            (_, other) => return Err(table(format!("{name} is {other}, which is not written here"))),
        })
    }

    fn cell(&self, at: usize) -> Cell<'a> {
        let time = |at: i64| u64::try_from(at).map_or(Cell::None, |at| Cell::Time(UnixNanos(at)));
        match self {
            Self::Time(values) if values.is_valid(at) => time(values.value(at)),
            Self::TimeWhole(values) if values.is_valid(at) => time(values.value(at)),
            Self::Whole(values) if values.is_valid(at) => Cell::Whole(values.value(at)),
            Self::Flag(values) if values.is_valid(at) => Cell::Flag(values.value(at)),
            Self::Text(values) if values.is_valid(at) => Cell::Text(values.value(at)),
            Self::Word(words) => word(words, at).map_or(Cell::None, Cell::Text),
            _ => Cell::None,
        }
    }
}

fn word(words: &DictionaryArray<Int32Type>, at: usize) -> Option<&str> {
    let known = words.values().as_string_opt::<i32>()?;
    words.key(at).filter(|&key| key < known.len()).map(|key| known.value(key))
}

impl Decimals<'_> {
    fn value(&self, at: usize) -> Option<i128> {
        match self {
            Self::Small(values) => values.is_valid(at).then(|| i128::from(values.value(at))),
            Self::Large(values) => values.is_valid(at).then(|| values.value(at)),
            Self::Fixed(values) => values.is_valid(at).then(|| i128::from(values.value(at))),
        }
    }
}
