//! Parquet and Arrow files (Feather, IPC) as rows of text, as every other file has them.

use std::io::{Cursor, Read, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_ipc::reader::FileReader;
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};
use bytes::Bytes;
use model::UnixNanos;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::TableError;
use super::column::Names;
use super::row::{Span, span};
use crate::capture::{Input, ReadError};
use crate::error::FeedError;

/// Such a file is read whole: its directory stands at its end.
const FILE_BYTES_MAX: u64 = 4 << 30;
const PARQUET: &[u8] = b"PAR1";

/// The rows of a file.
pub(super) struct Rows {
    batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
    names: Names,
    columns: Vec<Column>,
    /// Row of the batch at hand, and how many it has.
    at: (usize, usize),
    pub(super) cells: Vec<Span>,
    pub(super) text: Vec<u8>,
    pub(super) number: u64,
}

/// A column of the batch at hand: values, and of a dictionary which of them stands where.
struct Column {
    values: ArrayRef,
    keys: Option<Vec<usize>>,
}

impl Rows {
    pub(super) fn new(input: Input) -> Result<Self, FeedError> {
        let mut bytes = Vec::new();
        input.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(ReadError::Input)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(TableError::Packed(format!("more than {FILE_BYTES_MAX} bytes")).into());
        }
        let is_parquet = bytes.starts_with(PARQUET);
        let bytes = Bytes::from(bytes);
        let (schema, batches): (_, Box<dyn Iterator<Item = _> + Send>) = if is_parquet {
            let refused = |error: parquet::errors::ParquetError| TableError::Packed(error.to_string());
            let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(refused)?;
            (builder.schema().clone(), Box::new(builder.build().map_err(refused)?))
        } else {
            let reader = FileReader::try_new(Cursor::new(bytes), None).map_err(refused)?;
            (reader.schema(), Box::new(reader))
        };
        Ok(Self {
            batches,
            names: names(&schema),
            columns: Vec::new(),
            at: (0, 0),
            cells: Vec::new(),
            text: Vec::new(),
            number: 0,
        })
    }

    pub(super) const fn names(&self) -> &Names {
        &self.names
    }

    /// Reads the next row into `cells` and `text`; false at the end.
    pub(super) fn next_row(&mut self) -> Result<bool, FeedError> {
        while self.at.0 >= self.at.1 {
            let Some(batch) = self.batches.next() else { return Ok(false) };
            let batch = batch.map_err(refused)?;
            self.columns = batch.columns().iter().map(Column::new).collect();
            self.at = (0, batch.num_rows());
        }
        self.cells.clear();
        self.text.clear();
        self.number += 1;
        for column in &self.columns {
            let start = self.text.len();
            column.write(self.at.0, &mut self.text);
            self.cells.push(span(start, self.text.len()));
        }
        self.at.0 += 1;
        Ok(true)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what an error is mapped by takes it")]
fn refused(error: ArrowError) -> FeedError {
    TableError::Packed(error.to_string()).into()
}

fn names(schema: &Schema) -> Names {
    Names(schema.fields().iter().map(|field| field.name().as_str().into()).collect())
}

impl Column {
    fn new(array: &ArrayRef) -> Self {
        match array.as_any_dictionary_opt() {
            Some(dictionary) if !dictionary.values().is_empty() => {
                Self { values: dictionary.values().clone(), keys: Some(dictionary.normalized_keys()) }
            }
            _ => Self { values: array.clone(), keys: None },
        }
    }

    /// Appends a cell. What is no number, text or time is nothing, as what is not there.
    fn write(&self, row: usize, text: &mut Vec<u8>) {
        let at = self.keys.as_ref().map_or(row, |keys| keys[row]);
        let array = &self.values;
        if array.is_null(at) {
            return;
        }
        let written = match array.data_type() {
            DataType::Utf8 => text.write_all(array.as_string::<i32>().value(at).as_bytes()),
            DataType::LargeUtf8 => text.write_all(array.as_string::<i64>().value(at).as_bytes()),
            DataType::Utf8View => text.write_all(array.as_string_view().value(at).as_bytes()),
            DataType::Boolean => write!(text, "{}", array.as_boolean().value(at)),
            DataType::Int8 => write!(text, "{}", number::<Int8Type>(array, at)),
            DataType::Int16 => write!(text, "{}", number::<Int16Type>(array, at)),
            DataType::Int32 => write!(text, "{}", number::<Int32Type>(array, at)),
            DataType::Int64 => write!(text, "{}", number::<Int64Type>(array, at)),
            DataType::UInt8 => write!(text, "{}", number::<UInt8Type>(array, at)),
            DataType::UInt16 => write!(text, "{}", number::<UInt16Type>(array, at)),
            DataType::UInt32 => write!(text, "{}", number::<UInt32Type>(array, at)),
            DataType::UInt64 => write!(text, "{}", number::<UInt64Type>(array, at)),
            // The shortest decimal that is this float and no other: what was meant, where it was a decimal.
            DataType::Float32 => write!(text, "{}", number::<Float32Type>(array, at)),
            DataType::Float64 => write!(text, "{}", number::<Float64Type>(array, at)),
            DataType::Decimal128(..) => {
                text.write_all(array.as_primitive::<Decimal128Type>().value_as_string(at).as_bytes())
            }
            DataType::Decimal32(..) => {
                text.write_all(array.as_primitive::<Decimal32Type>().value_as_string(at).as_bytes())
            }
            DataType::Decimal64(..) => {
                text.write_all(array.as_primitive::<Decimal64Type>().value_as_string(at).as_bytes())
            }
            DataType::Decimal256(..) => {
                text.write_all(array.as_primitive::<Decimal256Type>().value_as_string(at).as_bytes())
            }
            // What some writers make of texts.
            DataType::Binary => text.write_all(array.as_binary::<i32>().value(at)),
            DataType::LargeBinary => text.write_all(array.as_binary::<i64>().value(at)),
            DataType::BinaryView => text.write_all(array.as_binary_view().value(at)),
            DataType::Date64 => instant(number::<Date64Type>(array, at), 1_000_000, text),
            DataType::Date32 => instant(i64::from(number::<Date32Type>(array, at)), 86_400_000_000_000, text),
            DataType::Timestamp(unit, _) => match unit {
                TimeUnit::Second => instant(number::<TimestampSecondType>(array, at), 1_000_000_000, text),
                TimeUnit::Millisecond => {
                    instant(number::<TimestampMillisecondType>(array, at), 1_000_000, text)
                }
                TimeUnit::Microsecond => instant(number::<TimestampMicrosecondType>(array, at), 1_000, text),
                TimeUnit::Nanosecond => instant(number::<TimestampNanosecondType>(array, at), 1, text),
            },
            _ => Ok(()),
        };
        written.expect("a vector takes what is written");
    }
}

fn number<T: ArrowPrimitiveType>(array: &ArrayRef, at: usize) -> T::Native {
    array.as_primitive::<T>().value(at)
}

/// A time as text; what is before 1970 or too late for one is nothing.
fn instant(count: i64, nanos: u64, text: &mut Vec<u8>) -> std::io::Result<()> {
    let at = u64::try_from(count).ok().and_then(|count| count.checked_mul(nanos));
    at.map_or(Ok(()), |at| write!(text, "{}", UnixNanos(at)))
}
