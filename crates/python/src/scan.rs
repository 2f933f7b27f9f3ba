//! A channel as tables, one after the other: memory for one of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow_schema::{ArrowError, Schema};
use pyo3::prelude::*;
use store::arrow::{Format, Order};

use crate::read::{LOOK, Walk};
use crate::recording::unfit;
use crate::table::Table;

/// Tables of one channel, in their order.
#[pyclass(frozen, module = "tickwire._native")]
pub(crate) struct Scan {
    inner: Mutex<Inner>,
}

struct Inner {
    walk: Walk,
    table: store::arrow::Table,
    schema: Arc<Schema>,
    format: Format,
    rows: usize,
}

impl Scan {
    /// A scan that fills a table whose columns are those of `schema`.
    pub(crate) fn new(
        walk: Walk,
        table: store::arrow::Table,
        schema: Arc<Schema>,
        format: Format,
        rows: usize,
    ) -> Self {
        Self { inner: Mutex::new(Inner { walk, table, schema, format, rows }) }
    }
}

#[pymethods]
impl Scan {
    const fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        let lock = || self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // Where few rows are wanted of many, whoever presses Ctrl-C is heard between.
        while !py.detach(|| lock().fill()) {
            py.check_signals()?;
        }
        py.check_signals()?;
        py.detach(|| lock().take()).map_err(unfit)
    }

    /// What could not be read so far.
    #[getter]
    fn faults(&self) -> Vec<String> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).walk.faults()
    }
}

impl Inner {
    /// Reads for a while; true when there is enough, or nothing more.
    fn fill(&mut self) -> bool {
        let began = Instant::now();
        while self.table.rows() < self.rows {
            let Some(records) = self.walk.next() else { return true };
            for record in &records {
                self.table.push(record);
            }
            if began.elapsed() > LOOK {
                return false;
            }
        }
        true
    }

    fn take(&mut self) -> Result<Option<Table>, ArrowError> {
        if self.table.rows() == 0 {
            return Ok(None);
        }
        let batch = self.table.batch(&self.schema, self.format, Order::Total)?;
        self.table.clear();
        Ok(Some(Table::new(Arc::clone(&self.schema), vec![batch])))
    }
}
