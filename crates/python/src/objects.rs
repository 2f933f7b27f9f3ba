//! Records as objects of `tickwire.records`: what stands in each place of their constructors is written there.

use model::{
    Body, Book, BookChange, BookSide, Candle, Correction, Level, Levels, Placed, Quote, StatusChange, Ticker,
    Trade,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use rust_decimal::Decimal;

/// The classes, looked up once.
pub(crate) struct Types {
    decimal: Py<PyAny>,
    trade: Py<PyAny>,
    correction: Py<PyAny>,
    quote: Py<PyAny>,
    ticker: Py<PyAny>,
    snapshot: Py<PyAny>,
    delta: Py<PyAny>,
    candle: Py<PyAny>,
    status: Py<PyAny>,
    gap: Py<PyAny>,
}

impl Types {
    pub(crate) fn import(py: Python<'_>) -> PyResult<Self> {
        let records = py.import("tickwire.records")?;
        let class = |name: &str| records.getattr(name).map(Bound::unbind);
        Ok(Self {
            decimal: py.import("decimal")?.getattr("Decimal")?.unbind(),
            trade: class("Trade")?,
            correction: class("TradeCorrection")?,
            quote: class("Quote")?,
            ticker: class("Ticker")?,
            snapshot: class("BookSnapshot")?,
            delta: class("BookDelta")?,
            candle: class("Candle")?,
            status: class("Status")?,
            gap: class("Gap")?,
        })
    }

    /// A record; `state`: it says how things stand, and nothing new.
    pub(crate) fn record<'py>(
        &self,
        py: Python<'py>,
        record: &Placed,
        state: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let make = Make { py, types: self };
        match &record.body {
            Body::Trade(trade) => make.trade(record, trade, state),
            Body::OldTrade(trade) => make.trade(record, trade, true),
            Body::Correction(told) => make.correction(record, told, state),
            Body::Quote(quote) => make.quote(record, quote, state),
            Body::Ticker(ticker) => make.ticker(record, ticker, state),
            Body::Book(BookChange::Snapshot(levels)) => make.snapshot(record, levels, 0, (None, false)),
            Body::Book(BookChange::Delta(levels)) => make.delta(record, levels),
            Body::Book(BookChange::Gap(gap)) => make.gap(record, gap.reason.as_str()),
            Body::Candle(bar) => make.candle(record, bar, state),
            Body::Status(status) => make.status(record, status, state),
        }
    }

    /// A book with so many levels a side (0: all), and the newest record of it.
    pub(crate) fn book<'py>(
        &self,
        py: Python<'py>,
        newest: &Placed,
        book: &Book,
        depth: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let most = if depth == 0 { usize::MAX } else { depth };
        let proof = (Some(book.checksum(most)), book.is_crossed());
        Make { py, types: self }.snapshot(newest, &book.top(most), depth, proof)
    }
}

/// Makes objects of one record.
struct Make<'py, 'a> {
    py: Python<'py>,
    types: &'a Types,
}

type Object<'py> = Bound<'py, PyAny>;

impl<'py> Make<'py, '_> {
    fn trade(&self, record: &Placed, trade: &Trade, state: bool) -> PyResult<Object<'py>> {
        let mut values = self.head(record, state)?;
        values.extend([self.decimal(trade.price.value())?, self.decimal(trade.size.value())?]);
        values.extend([self.any(trade.side.as_str())?, self.any(trade.id.as_deref())?]);
        self.call(&self.types.trade, values)
    }

    fn correction(&self, record: &Placed, told: &Correction, state: bool) -> PyResult<Object<'py>> {
        let original = told.original.as_ref();
        let mut values = self.head(record, state)?;
        values.extend([self.any(told.as_str())?, self.any(&*told.id)?]);
        let back = original.and_then(|original| original.back);
        values.push(self.any(back.map(|back| record.seq.0.saturating_sub(back)))?);
        values.extend(self.execution(original.map(|original| &original.trade))?);
        values.push(self.any(original.and_then(|original| original.ts_event).map(|at| at.0))?);
        values.extend(self.execution(told.becomes.as_ref())?);
        let new = told.becomes.as_ref().and_then(|trade| trade.id.as_deref());
        values.push(self.any(new.filter(|id| *id != &*told.id))?);
        self.call(&self.types.correction, values)
    }

    /// Price, size and side, or nothing.
    fn execution(&self, trade: Option<&Trade>) -> PyResult<[Object<'py>; 3]> {
        let (price, size) = (trade.map(|trade| trade.price.value()), trade.map(|trade| trade.size.value()));
        Ok([self.maybe(price)?, self.maybe(size)?, self.any(trade.map(|trade| trade.side.as_str()))?])
    }

    fn quote(&self, record: &Placed, quote: &Quote, state: bool) -> PyResult<Object<'py>> {
        let mut values = self.head(record, state)?;
        values.extend(self.level(quote.bid)?);
        values.extend(self.level(quote.ask)?);
        values.push(self.any(quote.derived)?);
        for source in [&quote.bid_source, &quote.ask_source] {
            values.push(self.any(source.as_ref().map(model::Symbol::as_str))?);
        }
        self.call(&self.types.quote, values)
    }

    fn ticker(&self, record: &Placed, ticker: &Ticker, state: bool) -> PyResult<Object<'py>> {
        let mut values = self.head(record, state)?;
        let price = |price: Option<model::Price>| price.map(model::Price::value);
        values.push(self.maybe(price(ticker.last_price))?);
        values.push(self.maybe(ticker.last_size.map(model::Size::value))?);
        values.extend(self.level(ticker.bid)?);
        values.extend(self.level(ticker.ask)?);
        for value in [price(ticker.open), price(ticker.high), price(ticker.low)] {
            values.push(self.maybe(value)?);
        }
        for value in [ticker.volume, ticker.change, ticker.change_percent] {
            values.push(self.maybe(value)?);
        }
        self.call(&self.types.ticker, values)
    }

    fn snapshot(
        &self,
        record: &Placed,
        levels: &Levels,
        depth: usize,
        (checksum, crossed): (Option<u32>, bool),
    ) -> PyResult<Object<'py>> {
        let mut values = self.head(record, true)?;
        values.extend(self.sides(levels)?);
        values.extend([self.any(depth)?, self.any(checksum)?, self.any(crossed)?]);
        self.call(&self.types.snapshot, values)
    }

    fn delta(&self, record: &Placed, levels: &Levels) -> PyResult<Object<'py>> {
        let mut values = self.head(record, false)?;
        values.extend(self.sides(levels)?);
        self.call(&self.types.delta, values)
    }

    fn gap(&self, record: &Placed, cause: &str) -> PyResult<Object<'py>> {
        let values = vec![
            self.any(record.body.channel().as_str())?,
            self.any(record.instrument.symbol.as_str())?,
            self.any(record.seq.0)?,
            self.any(record.seq.0)?,
            self.any(1)?,
            self.any("feed_gap")?,
            self.any(cause)?,
            self.any(None::<&str>)?,
            self.any(record.ts_recv.0)?,
            self.any(record.position)?,
        ];
        self.call(&self.types.gap, values)
    }

    fn candle(&self, record: &Placed, bar: &Candle, state: bool) -> PyResult<Object<'py>> {
        let mut values = self.head(record, state)?;
        values.extend([self.any(bar.interval.as_str())?, self.any(bar.start.0)?]);
        for price in [bar.open, bar.high, bar.low, bar.close] {
            values.push(self.decimal(price.value())?);
        }
        values.extend([self.decimal(bar.volume)?, self.any(bar.trades)?, self.any(bar.closed)?]);
        values.push(self.any(bar.corrected)?);
        self.call(&self.types.candle, values)
    }

    fn status(&self, record: &Placed, status: &StatusChange, state: bool) -> PyResult<Object<'py>> {
        let mut values = self.head(record, state)?;
        values.extend([self.any(status.state.as_str())?, self.any(&*status.reason)?]);
        values.extend([self.any(&*status.feed)?, self.any(status.since.map(|since| since.0))?]);
        self.call(&self.types.status, values)
    }

    /// What every record begins with.
    fn head(&self, record: &Placed, state: bool) -> PyResult<Vec<Object<'py>>> {
        Ok(vec![
            self.any(record.instrument.symbol.as_str())?,
            self.any(record.seq.0)?,
            self.any(record.ts_event.0)?,
            self.any(record.ts_recv.0)?,
            self.any(record.seq.0.saturating_sub(1))?,
            self.any(0)?,
            self.any(state)?,
            self.any(record.position)?,
        ])
    }

    fn level(&self, level: Option<Level>) -> PyResult<[Object<'py>; 2]> {
        let [price, size] = [level.map(|level| level.price.value()), level.map(|level| level.size.value())];
        Ok([self.maybe(price)?, self.maybe(size)?])
    }

    fn sides(&self, levels: &Levels) -> PyResult<[Object<'py>; 2]> {
        let [bids, asks] = BookSide::BOTH.map(|side| {
            let levels = levels.side(side).iter().map(|level| {
                // Zero is told as such, whatever digits it had: it removes.
                let size = level.size.value();
                let size = if size.is_zero() { Decimal::ZERO } else { size };
                PyTuple::new(self.py, [self.decimal(level.price.value())?, self.decimal(size)?])
            });
            PyList::new(self.py, levels.collect::<PyResult<Vec<_>>>()?)
        });
        Ok([bids?.into_any(), asks?.into_any()])
    }

    fn maybe(&self, value: Option<Decimal>) -> PyResult<Object<'py>> {
        value.map_or_else(|| Ok(self.py.None().into_bound(self.py)), |value| self.decimal(value))
    }

    /// Exactly, with all its zeros.
    fn decimal(&self, value: Decimal) -> PyResult<Object<'py>> {
        self.types.decimal.bind(self.py).call1((value.to_string(),))
    }

    fn any(&self, value: impl IntoPyObjectExt<'py>) -> PyResult<Object<'py>> {
        value.into_bound_py_any(self.py)
    }

    fn call(&self, class: &Py<PyAny>, values: Vec<Object<'py>>) -> PyResult<Object<'py>> {
        class.bind(self.py).call1(PyTuple::new(self.py, values)?)
    }
}
