//! Tables as CSV: a file for each channel, with the columns of the other tables but for the digits, which decimals
//! have as text. Rows stand in the total order.

use std::fs::File;
use std::io::{BufRead, BufWriter};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord, Writer};
use model::{Channel, Placed, UnixNanos, decimal};

use super::rows::{RowError, Rows};
use super::{Fault, channel_of};
use crate::arrow::{Cell, DIGITS, Kind, Table, Timestamps, all_columns};
use crate::error::StoreError;

/// Rows that are written together.
const ROWS: usize = 4_096;

/// A file that is being written.
pub struct CsvFile {
    out: Writer<BufWriter<File>>,
    table: Table,
    timestamps: Timestamps,
    rows: u64,
    text: String,
}

impl CsvFile {
    /// Begins a table of a channel, with the line that names the columns.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn begin(file: File, channel: Channel, timestamps: Timestamps) -> std::io::Result<Self> {
        let mut out = Writer::from_writer(BufWriter::new(file));
        out.write_record(columns(channel).map(|(name, _)| name))?;
        Ok(Self {
            out,
            table: Table::with_columns(channel, |name| name != DIGITS),
            timestamps,
            rows: 0,
            text: String::new(),
        })
    }

    /// Takes a record of the channel, after those before it in the total order.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn push(&mut self, record: &Placed) -> std::io::Result<()> {
        self.table.push(record);
        if self.table.rows() >= ROWS { self.write() } else { Ok(()) }
    }

    /// Writes what is left and returns how many rows there are.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish(mut self) -> std::io::Result<u64> {
        self.write()?;
        self.out.flush()?;
        Ok(self.rows)
    }

    fn write(&mut self) -> std::io::Result<()> {
        use std::fmt::Write;
        for row in 0..self.table.rows() {
            for (name, cell) in self.table.cells(row) {
                self.text.clear();
                let text = match cell {
                    Cell::Text(text) => text,
                    other => {
                        let told = match other {
                            Cell::Time(at) => match self.timestamps {
                                Timestamps::Utc => write!(self.text, "{at}"),
                                Timestamps::Naive => {
                                    write!(self.text, "{}", at.to_string().trim_end_matches('Z'))
                                }
                                Timestamps::Int64 => write!(self.text, "{}", at.0),
                            },
                            Cell::Whole(value) => write!(self.text, "{value}"),
                            Cell::Flag(value) => write!(self.text, "{value}"),
                            Cell::Decimal(value) => write!(self.text, "{value}"),
                            Cell::None | Cell::Text(_) => Ok(()),
                        };
                        debug_assert!(told.is_ok(), "{name} has a text");
                        &self.text
                    }
                };
                self.out.write_field(text)?;
            }
            self.out.write_record(None::<&[u8]>)?;
        }
        self.rows += self.table.rows() as u64;
        self.table.clear();
        Ok(())
    }
}

fn columns(channel: Channel) -> impl Iterator<Item = (&'static str, Kind)> {
    all_columns(channel).filter(|(name, _)| *name != DIGITS)
}

/// Reads a table that was written as CSV and hands on each record, or what is wrong with a line, which is passed
/// over. Columns may stand in any order, and others among them.
///
/// # Errors
/// The file does not read, its columns are those of no channel, or `take` says so.
pub fn read_csv(
    path: &Path,
    input: impl BufRead,
    take: &mut dyn FnMut(Result<Placed, Fault>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut reader = ReaderBuilder::new().from_reader(input);
    let failed = |error: csv::Error| StoreError::Table { path: path.to_owned(), message: error.to_string() };
    let names: Vec<String> = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    let channel = channel_of(path, |name| name == DIGITS || names.iter().any(|known| known == name))?;
    let places: Vec<_> = columns(channel)
        .map(|(name, kind)| (names.iter().position(|known| known == name).unwrap_or(usize::MAX), name, kind))
        .collect();
    let (mut rows, mut bytes) = (Rows::new(channel), ByteRecord::new());
    loop {
        let line = match next(&mut reader, &mut bytes) {
            None => break,
            Some(Err((line, error))) if error.is_io_error() => {
                return Err(StoreError::Table {
                    path: path.to_owned(),
                    message: format!("line {line}: {error}"),
                });
            }
            Some(Err((line, error))) => {
                take(Err(Fault { line, column: None, what: error.to_string() }))?;
                continue;
            }
            Some(Ok(line)) => line,
        };
        let fault = |what: String| Fault { line, column: None, what };
        let Ok(record) = StringRecord::from_byte_record(bytes.clone()) else {
            take(Err(fault("it is not UTF-8".to_owned())))?;
            continue;
        };
        let cells: Result<Vec<_>, _> = places
            .iter()
            .map(|&(at, name, kind)| cell(name, kind, record.get(at).unwrap_or_default()))
            .collect();
        match cells.and_then(|cells| rows.push(&cells)) {
            Ok(Some(record)) => take(Ok(record))?,
            Ok(None) => {}
            Err(error) => take(Err(fault(error.to_string())))?,
        }
    }
    rows.finish().map_or(Ok(()), |last| take(Ok(last)))
}

/// The next row, and the line that it begins in.
fn next(reader: &mut Reader<impl BufRead>, bytes: &mut ByteRecord) -> Option<Result<u64, (u64, csv::Error)>> {
    let line = reader.position().line();
    match reader.read_byte_record(bytes) {
        Ok(true) => Some(Ok(bytes.position().map_or(line, csv::Position::line))),
        Ok(false) => None,
        Err(error) => Some(Err((line, error))),
    }
}

fn cell<'a>(column: &'static str, kind: Kind, text: &'a str) -> Result<Cell<'a>, RowError> {
    if text.is_empty() {
        return Ok(Cell::None);
    }
    let read = match kind {
        Kind::Time => time(text).map(Cell::Time),
        Kind::Whole | Kind::Rare => text.parse().ok().map(Cell::Whole),
        Kind::Flag => text.parse().ok().map(Cell::Flag),
        Kind::Decimal => decimal::parse(text).ok().map(Cell::Decimal),
        Kind::Word | Kind::Text => Some(Cell::Text(text)),
    };
    read.ok_or_else(|| RowError::Bad { column, value: text.chars().take(40).collect() })
}

/// A time in any of the forms that are written.
fn time(text: &str) -> Option<UnixNanos> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(UnixNanos);
    }
    let zoned = UnixNanos::from_rfc3339(text);
    zoned.or_else(|_| UnixNanos::from_rfc3339(&format!("{text}Z"))).ok()
}
