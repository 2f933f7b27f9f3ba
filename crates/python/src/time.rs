//! Times: nanoseconds since 1970, and the texts for them.

use model::UnixNanos;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Nanoseconds since 1970 of an RFC 3339 text.
#[pyfunction]
pub(crate) fn parse_time(text: &str) -> PyResult<u64> {
    let at = UnixNanos::from_rfc3339(text);
    let told =
        |error| PyValueError::new_err(format!("{text:?}: {error}; write it as 2026-11-20T14:30:00.5Z"));
    at.map(|at| at.0).map_err(told)
}

/// RFC 3339 in UTC, with nine digits, of nanoseconds since 1970.
#[pyfunction]
pub(crate) fn format_time(nanos: u64) -> String {
    UnixNanos(nanos).to_string()
}
