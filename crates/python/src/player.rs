//! A recording as objects, block by block.

use std::sync::{Mutex, PoisonError};

use model::{Body, Placed};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::objects::Types;
use crate::read::Walk;
use crate::selection::Selection;

/// Records that are made at a time: a block at once would take memory, and seconds before the first of them.
const OBJECTS: usize = 1024;

/// Gives lists of records; an empty one at the end.
#[pyclass(frozen, module = "tickwire._native")]
pub(crate) struct Player {
    inner: Mutex<Inner>,
    types: Types,
}

struct Inner {
    walk: Walk,
    /// How things stood where it begins.
    state: Vec<Placed>,
    /// Read, and not given yet.
    left: std::vec::IntoIter<Placed>,
}

impl Player {
    pub(crate) fn new(walk: Walk, mut state: Vec<Placed>, selection: &Selection, types: Types) -> Self {
        state.retain(|record| stands(record) && selection.wants(record));
        Self { inner: Mutex::new(Inner { walk, state, left: Vec::new().into_iter() }), types }
    }
}

#[pymethods]
impl Player {
    /// The next records, and how many were read by now, wanted or not.
    fn next(&self, py: Python<'_>) -> PyResult<(Py<PyList>, u64)> {
        let (records, state, read) = py.detach(|| {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let state = !inner.state.is_empty();
            let records = if state { std::mem::take(&mut inner.state) } else { inner.next() };
            (records, state, inner.walk.read)
        });
        py.check_signals()?;
        let objects = records.iter().map(|record| self.types.record(py, record, state));
        let objects = objects.collect::<PyResult<Vec<_>>>()?;
        Ok((PyList::new(py, objects)?.unbind(), read))
    }

    /// What could not be read so far.
    #[getter]
    fn faults(&self) -> Vec<String> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).walk.faults()
    }
}

impl Inner {
    fn next(&mut self) -> Vec<Placed> {
        loop {
            let records: Vec<_> = self.left.by_ref().take(OBJECTS).collect();
            if !records.is_empty() {
                return records;
            }
            match self.walk.next() {
                Some(records) => self.left = records.into_iter(),
                None => return Vec::new(),
            }
        }
    }
}

/// Whether it says how things stand, and not what was before.
const fn stands(record: &Placed) -> bool {
    match &record.body {
        Body::Trade(_) | Body::OldTrade(_) | Body::Correction(_) => false,
        Body::Candle(bar) => !bar.closed,
        _ => true,
    }
}
