//! Tables as Parquet: folders and columns that `DuckDB`, Polars, pandas and `PyArrow` read by themselves.
//!
//! `recording=NAME/channel=CHANNEL/date=YYYY-MM-DD/part-000.parquet`, rows by time of receipt and sequence. Prices
//! and sizes are decimals, as many digits as the recording has: 18 of them, nine behind the point, where that is
//! enough. The digits' scale is the column's: `1.50` is told as `1.500000000`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::Schema;
use model::{Channel, Placed, UnixNanos};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::arrow::{Books, Format, Order, Table};
use crate::cut::Cut;
use crate::error::{Damage, StoreError};
use crate::recording::Recording;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records, each once.
    pub records: u64,
    /// Rows: of a book one for each level.
    pub rows: u64,
    /// The files.
    pub files: Vec<PathBuf>,
    /// What could not be read of the recording.
    pub damages: Vec<Damage>,
}

/// Rows that are sorted and written together.
const ROWS: usize = 1 << 20;
/// How hard pages are packed.
const LEVEL: i32 = 3;

/// The folder of a channel's tables.
#[must_use]
pub fn channel_folder(base: &Path, channel: Channel) -> PathBuf {
    base.join(format!("channel={}", channel.as_str()))
}

/// Writes a part of a recording, whose channels are not there yet, below `folder/recording=NAME`; `seen` is told how
/// many records were looked at, twice each: once for how many digits they have. Cost: memory for a million rows of each
/// channel and day.
///
/// # Errors
/// The folder is there, the disk refuses, or a value does not fit the format.
pub fn export(
    recording: &Recording,
    (folder, name): (&Path, &str),
    cut: &Cut,
    format: Format,
    mut seen: impl FnMut(u64),
) -> Result<Exported, StoreError> {
    let channels = cut.channels();
    let base = folder.join(format!("recording={name}"));
    for path in channels.iter().map(|&channel| channel_folder(&base, channel)) {
        if path.exists() {
            return Err(StoreError::Exists { path });
        }
    }
    let mut schemas = BTreeMap::new();
    for &channel in channels {
        schemas.insert(channel.as_str(), Table::new(channel));
    }
    let mut exported = Exported::default();
    let (_, mut picked) = cut.read(recording)?;
    while let Some(next) = picked.next() {
        match next {
            Ok(records) => {
                for record in &records {
                    if let Some(table) = schemas.get_mut(record.body.channel().as_str()) {
                        table.push(record);
                    }
                }
                schemas.values_mut().for_each(Table::clear);
                seen(picked.passed());
            }
            Err(damage) => exported.damages.push(damage),
        }
    }
    let looked = picked.passed();
    let seen = |passed| seen(looked + passed);
    let schemas = schemas.iter().map(|(name, table)| (*name, table.schema(format))).collect();
    let mut files = Files { base, format, schemas, open: BTreeMap::new(), books: Books::default(), exported };
    let written = files.write(recording, cut, seen);
    if written.is_err() {
        // A table without its end is none.
        for &channel in channels {
            let _ = fs::remove_dir_all(channel_folder(&files.base, channel));
        }
    }
    written.map(|()| files.exported)
}

struct Files {
    base: PathBuf,
    format: Format,
    schemas: BTreeMap<&'static str, Arc<Schema>>,
    /// By channel and day.
    open: BTreeMap<(&'static str, String), Part>,
    books: Books,
    exported: Exported,
}

/// A file, and the rows that it is yet to be given.
struct Part {
    path: PathBuf,
    schema: Arc<Schema>,
    table: Table,
    writer: ArrowWriter<File>,
}

impl Files {
    fn write(
        &mut self,
        recording: &Recording,
        cut: &Cut,
        mut seen: impl FnMut(u64),
    ) -> Result<(), StoreError> {
        let (_, mut picked) = cut.read(recording)?;
        while let Some(next) = picked.next() {
            // What cannot be read is known.
            for record in next.iter().flatten() {
                self.push(record)?;
            }
            seen(picked.passed());
        }
        self.finish()
    }

    fn push(&mut self, record: &Placed) -> Result<(), StoreError> {
        let channel = record.body.channel();
        let lacks = self.books.lacks(record);
        let key = (channel.as_str(), day(record.ts_recv));
        if !self.open.contains_key(&key) {
            let part = self.begin(channel, &key.1)?;
            self.open.insert(key.clone(), part);
        }
        let Some(part) = self.open.get_mut(&key) else { return Ok(()) };
        part.table.push_told(record, lacks);
        self.exported.records += 1;
        if part.table.rows() >= ROWS {
            self.exported.rows += part.write(self.format)?;
        }
        Ok(())
    }

    fn begin(&self, channel: Channel, day: &str) -> Result<Part, StoreError> {
        let folder = channel_folder(&self.base, channel).join(format!("date={day}"));
        fs::create_dir_all(&folder).map_err(StoreError::io(&folder))?;
        let path = folder.join("part-000.parquet");
        let file = File::create_new(&path).map_err(StoreError::io(&path))?;
        let schema = Arc::clone(&self.schemas[channel.as_str()]);
        let level = ZstdLevel::try_new(LEVEL).map_err(failed(&path))?;
        let version = KeyValue::new("tickwire.schema_version".to_owned(), "1".to_owned());
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROWS))
            .set_key_value_metadata(Some(vec![version]))
            .build();
        let writer =
            ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(failed(&path))?;
        Ok(Part { path, schema, table: Table::new(channel), writer })
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        for (_, mut part) in std::mem::take(&mut self.open) {
            self.exported.rows += part.write(self.format)?;
            part.writer.close().map_err(failed(&part.path))?;
            self.exported.files.push(part.path);
        }
        Ok(())
    }
}

impl Part {
    /// Writes its rows and returns how many they were.
    fn write(&mut self, format: Format) -> Result<u64, StoreError> {
        let rows = self.table.rows() as u64;
        let batch = self
            .table
            .batch(&self.schema, format, Order::Received)
            .map_err(|error| failed(&self.path)(error.into()))?;
        self.writer.write(&batch).map_err(failed(&self.path))?;
        self.table.clear();
        Ok(rows)
    }
}

/// The day of a time, in UTC.
fn day(at: UnixNanos) -> String {
    at.to_string().chars().take(10).collect()
}

pub(super) fn failed(path: &Path) -> impl Fn(ParquetError) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::Table { path: path.clone(), message: error.to_string() }
}
