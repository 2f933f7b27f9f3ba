//! A recording, as Python has it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema};
use model::{Channel, Placed, Symbol, UnixNanos};
use pyo3::exceptions::{PyLookupError, PyValueError};
use pyo3::prelude::*;
use store::arrow::{Format, Order, Prices, widen};
use store::{At, Digest, Manifest};

use crate::objects::Types;
use crate::player::Player;
use crate::read::{Walk, raised};
use crate::scan::Scan;
use crate::selection::{Selection, channel, format};
use crate::table::Table;

/// Rows of a batch.
const ROWS: usize = 1 << 15;

/// A recording that can be read. What is appended later is not in it.
#[pyclass(frozen, module = "tickwire._native")]
pub(crate) struct Recording {
    path: PathBuf,
    inner: store::Recording,
    /// Columns of channels, as wide as all their rows need.
    wide: Mutex<HashMap<&'static str, Arc<Schema>>>,
}

/// Each with its venue and the name that it has there.
type Instruments = Vec<(String, String, String)>;

#[pymethods]
impl Recording {
    #[new]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let mut inner = py.detach(|| store::Recording::open(&path)).map_err(raised)?;
        // However long it is kept, old segments go when it is their time.
        inner.let_go();
        Ok(Self { path, inner, wide: Mutex::default() })
    }

    /// Bytes of its files.
    #[getter]
    fn nbytes(&self) -> u64 {
        self.inner.bytes()
    }

    /// Records, first and latest time of receipt; none where it is empty.
    #[getter]
    fn span(&self) -> Option<(u64, u64, u64)> {
        self.inner.span().map(|span| (span.records, span.from.0, span.to.0))
    }

    /// Its manifest's text; none where it has none.
    fn manifest(&self) -> PyResult<Option<String>> {
        let Some(text) = Manifest::text(&self.path).map_err(raised)? else { return Ok(None) };
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }

    /// What is listed at its end: symbol, venue, the venue's symbol.
    fn instruments(&self, py: Python<'_>) -> PyResult<Instruments> {
        let state = py.detach(|| self.inner.seek(At::Position(u64::MAX), &mut Vec::new()));
        let (state, _) = state.map_err(raised)?;
        let told = state.instruments().into_iter().map(|instrument| {
            (instrument.symbol.to_string(), instrument.venue.to_string(), instrument.venue_symbol.to_string())
        });
        Ok(told.collect())
    }

    /// A table for each channel of the selection, read in one go, and what could not be read.
    #[pyo3(signature = (selection, prices, timestamps, seen = None))]
    fn tables(
        &self,
        py: Python<'_>,
        selection: &Selection,
        prices: &str,
        timestamps: &str,
        seen: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(HashMap<&'static str, Table>, Vec<String>)> {
        let format = format(prices, timestamps)?;
        let mut making: Vec<_> = selection.channels().iter().map(|&of| Making::new(of, format)).collect();
        let (state, mut walk) = self.walk(py, selection)?;
        if let Some(state) = &state {
            for making in &mut making {
                making.table.begin_after(state);
            }
        }
        walk.run(py, seen, |records| {
            // Each table by itself, while the next block is read.
            let done = thread::scope(|scope| {
                let making: Vec<_> =
                    making.iter_mut().map(|table| scope.spawn(|| table.take(records))).collect();
                making.into_iter().try_for_each(|table| {
                    table.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
            });
            done.map_err(unfit)
        })?;
        let made = py.detach(|| {
            let made = making.into_iter().map(|table| Ok((table.channel.as_str(), table.finish()?)));
            made.collect::<Result<_, ArrowError>>()
        });
        Ok((made.map_err(unfit)?, walk.faults()))
    }

    /// An empty table with the columns of a channel, as wide as any selection of it needs. Reads all of it, once.
    fn schema(&self, py: Python<'_>, channel_name: &str, prices: &str, timestamps: &str) -> PyResult<Table> {
        let schema = self.wide(py, channel(channel_name)?, format(prices, timestamps)?)?;
        Ok(Table::new(schema, Vec::new()))
    }

    /// Tables one after the other, of the columns that are named, as [`Self::schema`] says.
    #[expect(clippy::needless_pass_by_value, reason = "as Python hands it over")]
    fn scan(
        &self,
        py: Python<'_>,
        selection: &Selection,
        columns: Option<Vec<String>>,
        rows: Option<usize>,
        prices: &str,
        timestamps: &str,
    ) -> PyResult<Scan> {
        let format = format(prices, timestamps)?;
        let &[channel] = selection.channels() else {
            return Err(PyValueError::new_err("a scan is of one channel"));
        };
        let schema = self.wide(py, channel, format)?;
        let (state, walk) = self.walk(py, selection)?;
        let wanted =
            |name: &str| columns.as_ref().is_none_or(|columns| columns.iter().any(|one| one == name));
        let mut table = store::arrow::Table::with_columns(channel, wanted);
        if let Some(state) = &state {
            table.begin_after(state);
        }
        let fields = schema.fields().iter().filter(|field| wanted(field.name()));
        let schema = Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()));
        Ok(Scan::new(walk, table, schema, format, rows.unwrap_or(ROWS).max(1)))
    }

    /// Records as objects, block by block; `snapshot` tells first how things stood where it begins.
    fn play(&self, py: Python<'_>, selection: &Selection, snapshot: bool) -> PyResult<Player> {
        let (state, walk) = self.walk(py, selection)?;
        let state = state.filter(|_| snapshot).map(|state| state.to_records()).unwrap_or_default();
        Ok(Player::new(walk, state, selection, Types::import(py)?))
    }

    /// How many records a selection has, their digest, and what could not be read.
    #[pyo3(signature = (selection, seen = None))]
    fn digest(
        &self,
        py: Python<'_>,
        selection: &Selection,
        seen: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(u64, String, Vec<String>)> {
        let mut digest = Digest::new(wire::line);
        let (_, mut walk) = self.walk(py, selection)?;
        walk.run(py, seen, |records| {
            for record in records {
                digest.push(record);
            }
            Ok(())
        })?;
        Ok((digest.records(), digest.value(), walk.faults()))
    }

    /// The book of a symbol at a time, with so many levels a side (0: all), and what could not be read.
    fn book<'py>(
        &self,
        py: Python<'py>,
        symbol: &str,
        at: Option<u64>,
        depth: usize,
    ) -> PyResult<(Bound<'py, PyAny>, Vec<String>)> {
        let symbol = Symbol::parse(symbol).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let at = At::Time(UnixNanos(at.unwrap_or(u64::MAX)));
        let mut damages = Vec::new();
        let (state, _) = py.detach(|| self.inner.seek(at, &mut damages)).map_err(raised)?;
        let Some((book, newest)) = state.book(&symbol) else {
            let why = if state.instruments().iter().any(|known| known.symbol == symbol) {
                "has no book at that time: none had come, or its updates were lost"
            } else {
                "is not in the recording at that time"
            };
            return Err(PyLookupError::new_err(format!("{symbol} {why}")));
        };
        let told = Types::import(py)?.book(py, newest, book, depth)?;
        let faults = damages.iter().filter(|damage| !damage.is_torn_end()).map(ToString::to_string);
        Ok((told, faults.collect()))
    }
}

impl Recording {
    fn walk(&self, py: Python<'_>, selection: &Selection) -> PyResult<(Option<store::State>, Walk)> {
        py.detach(|| Walk::begin(&self.inner, selection)).map_err(raised)
    }

    /// The columns of a channel. Decimals need to be looked at, all of them; once.
    fn wide(&self, py: Python<'_>, channel: Channel, format: Format) -> PyResult<Arc<Schema>> {
        let mut table = store::arrow::Table::new(channel);
        if format.prices != Prices::Wide {
            return Ok(table.schema(format));
        }
        let known = || self.wide.lock().unwrap_or_else(PoisonError::into_inner);
        let utc = Format { prices: Prices::Wide, ..Format::default() };
        let wide = known().get(channel.as_str()).cloned();
        let wide = if let Some(wide) = wide {
            wide
        } else {
            let (_, mut walk) = self.walk(py, &Selection::of(channel))?;
            walk.run(py, None, |records| {
                for record in records {
                    table.push(record);
                }
                table.clear();
                Ok(())
            })?;
            let wide = table.schema(utc);
            known().insert(channel.as_str(), Arc::clone(&wide));
            wide
        };
        // Times as they are asked for, decimals as wide as they are.
        let asked = store::arrow::Table::new(channel).schema(format);
        let plain = store::arrow::Table::new(channel).schema(utc);
        let fields =
            wide.fields().iter().zip(plain.fields()).zip(asked.fields()).map(|((wide, plain), asked)| {
                if plain == asked { Arc::clone(wide) } else { Arc::clone(asked) }
            });
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }
}

/// A table that is being made.
struct Making {
    channel: Channel,
    format: Format,
    table: store::arrow::Table,
    batches: Vec<RecordBatch>,
}

impl Making {
    fn new(channel: Channel, format: Format) -> Self {
        Self { channel, format, table: store::arrow::Table::new(channel), batches: Vec::new() }
    }

    /// Takes those of the records that are its channel's.
    fn take(&mut self, records: &[Placed]) -> Result<(), ArrowError> {
        let channel = self.channel;
        for record in records.iter().filter(|record| record.body.channel() == channel) {
            self.table.push(record);
            if self.table.rows() >= ROWS {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ArrowError> {
        let schema = self.table.schema(self.format);
        self.batches.push(self.table.batch(&schema, self.format, Order::Total)?);
        self.table.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Table, ArrowError> {
        if self.table.rows() > 0 {
            self.flush()?;
        }
        let schema = self.table.schema(self.format);
        let batches = self.batches.into_iter().map(|batch| widen(batch, &schema));
        Ok(Table::new(Arc::clone(&schema), batches.collect::<Result<_, _>>()?))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` wants it")]
pub(crate) fn unfit(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
