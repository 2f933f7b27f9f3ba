//! Which records of a recording are wanted, and how their values are told.

use model::{Channel, Pattern, Placed, UnixNanos};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use store::arrow::{Format, Prices, Timestamps};

/// Channels, symbols and a span of time; empty lists and absent times are all.
#[pyclass(frozen, module = "tickwire._native")]
#[derive(Clone)]
pub(crate) struct Selection {
    channels: Vec<Channel>,
    symbols: Vec<Pattern>,
    /// Not before.
    pub(crate) from: Option<UnixNanos>,
    /// Before.
    pub(crate) to: Option<UnixNanos>,
}

#[pymethods]
impl Selection {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "as Python hands them over")]
    fn new(
        channels: Vec<String>,
        symbols: Vec<String>,
        start: Option<u64>,
        end: Option<u64>,
    ) -> PyResult<Self> {
        let channels = channels.iter().map(|name| channel(name)).collect::<PyResult<_>>()?;
        let pattern = |text: &String| Pattern::parse(text).map_err(|error| told(text, error));
        let symbols = symbols.iter().map(pattern).collect::<PyResult<_>>()?;
        Ok(Self { channels, symbols, from: start.map(UnixNanos), to: end.map(UnixNanos) })
    }
}

impl Selection {
    /// All of one channel.
    pub(crate) fn of(channel: Channel) -> Self {
        Self { channels: vec![channel], symbols: Vec::new(), from: None, to: None }
    }

    /// The channels, all where none was named.
    pub(crate) fn channels(&self) -> &[Channel] {
        if self.channels.is_empty() { &Channel::ALL } else { &self.channels }
    }

    pub(crate) fn wants(&self, record: &Placed) -> bool {
        (self.channels.is_empty() || self.channels.contains(&record.body.channel()))
            && (self.symbols.is_empty()
                || self.symbols.iter().any(|wanted| wanted.matches(&record.instrument.symbol)))
    }
}

/// The channel of a name.
pub(crate) fn channel(name: &str) -> PyResult<Channel> {
    name.parse().map_err(|error| told(name, error))
}

/// How values are told, by its names on the command line.
pub(crate) fn format(prices: &str, timestamps: &str) -> PyResult<Format> {
    let prices = match prices {
        "decimal" => Prices::Wide,
        "float" => Prices::Float,
        "fixed" => Prices::Fixed,
        other => return Err(told(other, "prices are decimal, float or fixed")),
    };
    let timestamps = match timestamps {
        "utc" => Timestamps::Utc,
        "naive" => Timestamps::Naive,
        "int64" => Timestamps::Int64,
        other => return Err(told(other, "timestamps are utc, naive or int64")),
    };
    Ok(Format { prices, timestamps })
}

fn told(text: &str, error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("{text:?}: {error}"))
}
