//! Rows back to records.

use std::collections::HashMap;
use std::sync::Arc;

use model::{
    Body, BookChange, BookSide, Candle, Channel, Correction, FeedGap, GapReason, Instrument, Level, Levels,
    Original, Placed, Price, Quote, Seq, Side, Size, State, StatusChange, Symbol, Ticker, Trade, UnixNanos,
    Venue,
};
use rust_decimal::Decimal;

use crate::arrow::{ASK, BID, Cell, NOT_RECORDED, action, all_columns};

/// Why a row is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// There is no value where one must be.
    #[error("{column} is empty")]
    Missing {
        /// The column.
        column: &'static str,
    },
    /// The value is none of the column.
    #[error("{column} cannot be {value:?}")]
    Bad {
        /// The column.
        column: &'static str,
        /// The value, or the beginning of it.
        value: String,
    },
}

/// Makes records of the rows of one channel.
pub(super) struct Rows {
    channel: Channel,
    known: HashMap<Symbol, Vec<Arc<Instrument>>>,
    /// A change of a book whose rows come.
    open: Option<Placed>,
}

impl Rows {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, known: HashMap::new(), open: None }
    }

    /// Takes a row, its cells in the order of the columns, and returns a record that is whole with it.
    pub(super) fn push(&mut self, cells: &[Cell<'_>]) -> Result<Option<Placed>, RowError> {
        let mut row = Row { channel: self.channel, cells, at: 0 };
        let (ts_event, ts_source, ts_recv) = (row.time()?, row.opt_time(), row.time()?);
        let (seq, position) = (Seq(row.whole()?), row.whole()?);
        if position == 0 {
            return Err(row.bad("0"));
        }
        let instrument = self.instrument(&mut row)?;
        let placed = |body| Placed { instrument, seq, position, ts_event, ts_source, ts_recv, body };
        let body = match self.channel {
            Channel::Book => return self.level(row, placed),
            Channel::Trades => row.trade(seq)?,
            Channel::Quotes => row.quote()?,
            Channel::Ticker => row.ticker()?,
            Channel::Candles => row.candle()?,
            Channel::Status => row.status()?,
        };
        Ok(Some(placed(body)))
    }

    /// What is left at the end.
    pub(super) fn finish(&mut self) -> Option<Placed> {
        self.open.take()
    }

    fn instrument(&mut self, row: &mut Row<'_>) -> Result<Arc<Instrument>, RowError> {
        let (venue, venue_symbol) = (row.text().unwrap_or(""), row.text().unwrap_or(""));
        let symbol = row.need_text()?;
        let symbol = Symbol::parse(symbol).map_err(|_| row.bad(symbol))?;
        let known = self.known.entry(symbol.clone()).or_default();
        let found =
            known.iter().find(|known| known.venue.as_str() == venue && *known.venue_symbol == *venue_symbol);
        if let Some(found) = found {
            return Ok(Arc::clone(found));
        }
        let named = Arc::new(Instrument::named(symbol, Venue::new(venue), venue_symbol));
        known.push(Arc::clone(&named));
        Ok(named)
    }

    /// A row of a book's change, which has one for each of its levels.
    fn level(
        &mut self,
        mut row: Row<'_>,
        placed: impl FnOnce(Body) -> Placed,
    ) -> Result<Option<Placed>, RowError> {
        let told = row.need_text()?;
        let (told_at, side) = (row.at, row.text());
        let (price, size) = (row.decimal(), row.decimal());
        let change = match told {
            action::SNAPSHOT => BookChange::Snapshot(Levels::default()),
            action::SET | action::DELETE | action::EMPTY => BookChange::Delta(Levels::default()),
            action::GAP if row.need_text()? == NOT_RECORDED => return Ok(None),
            action::GAP => {
                let cause = row.need_text()?;
                let reason = GapReason::from_name(cause).ok_or_else(|| row.bad(cause))?;
                let (venue_from, venue_to) = (row.opt_whole(), row.opt_whole());
                BookChange::Gap(FeedGap { reason, venue_from, venue_to })
            }
            other => return Err(Row { at: told_at, ..row }.bad(other)),
        };
        let level = match side {
            None => None,
            Some(text) => {
                let side = match text {
                    BID => BookSide::Bid,
                    ASK => BookSide::Ask,
                    other => return Err(Row { at: told_at + 1, ..row }.bad(other)),
                };
                let missing = |column| RowError::Missing { column };
                let price = Price::new(price.ok_or(missing("level_price"))?);
                let size = size.ok_or(missing("level_size"))?;
                let bad = |_| RowError::Bad { column: "level_size", value: size.to_string() };
                Some((side, Level { price, size: Size::new(size).map_err(bad)? }))
            }
        };
        let next = placed(Body::Book(change));
        let goes_on = self.open.as_ref().is_some_and(|open| {
            open.position == next.position
                && std::mem::discriminant(&open.body) == std::mem::discriminant(&next.body)
        });
        let whole = if goes_on { None } else { self.open.replace(next) };
        if let (Some((side, level)), Some(Placed { body: Body::Book(change), .. })) = (level, &mut self.open)
            && let BookChange::Snapshot(levels) | BookChange::Delta(levels) = change
        {
            levels.side_mut(side).push(level);
        }
        Ok(whole)
    }
}

/// The cells of a row, one after the other.
struct Row<'a> {
    channel: Channel,
    cells: &'a [Cell<'a>],
    at: usize,
}

impl<'a> Row<'a> {
    fn cell(&mut self) -> Cell<'a> {
        let cell = self.cells.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        cell
    }

    /// The column of the cell that was taken last.
    fn column(&self) -> &'static str {
        all_columns(self.channel).nth(self.at.saturating_sub(1)).map_or("", |(name, _)| name)
    }

    fn bad(&self, value: &str) -> RowError {
        RowError::Bad { column: self.column(), value: value.chars().take(40).collect() }
    }

    fn need<T>(&self, value: Option<T>) -> Result<T, RowError> {
        value.ok_or_else(|| self.missing())
    }

    fn opt_time(&mut self) -> Option<UnixNanos> {
        if let Cell::Time(at) = self.cell() { Some(at) } else { None }
    }

    fn time(&mut self) -> Result<UnixNanos, RowError> {
        let at = self.opt_time();
        self.need(at)
    }

    fn opt_whole(&mut self) -> Option<u64> {
        if let Cell::Whole(value) = self.cell() { Some(value) } else { None }
    }

    fn whole(&mut self) -> Result<u64, RowError> {
        let value = self.opt_whole();
        self.need(value)
    }

    fn opt_flag(&mut self) -> Option<bool> {
        if let Cell::Flag(value) = self.cell() { Some(value) } else { None }
    }

    fn flag(&mut self) -> Result<bool, RowError> {
        let value = self.opt_flag();
        self.need(value)
    }

    fn decimal(&mut self) -> Option<Decimal> {
        if let Cell::Decimal(value) = self.cell() { Some(value) } else { None }
    }

    fn need_decimal(&mut self) -> Result<Decimal, RowError> {
        let value = self.decimal();
        self.need(value)
    }

    fn price(&mut self) -> Result<Price, RowError> {
        self.need_decimal().map(Price::new)
    }

    fn size(&mut self) -> Result<Option<Size>, RowError> {
        let value = self.decimal();
        value.map(|value| Size::new(value).map_err(|_| self.bad(&value.to_string()))).transpose()
    }

    fn text(&mut self) -> Option<&'a str> {
        if let Cell::Text(text) = self.cell() { Some(text) } else { None }
    }

    fn need_text(&mut self) -> Result<&'a str, RowError> {
        let text = self.text();
        self.need(text)
    }

    /// A price and a size: both, or neither.
    fn level(&mut self) -> Result<Option<Level>, RowError> {
        let price = self.decimal();
        let size = self.size()?;
        match (price, size) {
            (None, None) => Ok(None),
            (price, size) => Ok(Some(Level { price: Price::new(self.need(price)?), size: self.need(size)? })),
        }
    }

    fn trade(&mut self, seq: Seq) -> Result<Body, RowError> {
        let id: Option<Box<str>> = self.text().map(Into::into);
        let begins = self.at;
        let trade = self.execution()?;
        let Some(told) = self.text() else {
            let trade = trade.map(|(price, size, side)| Trade { price, size, side, id });
            // Whose row is no correction's has all of it: what lacks is named.
            return match trade {
                Some(trade) => Ok(Body::Trade(trade)),
                None => Err(Row { at: begins + 1, ..*self }.missing()),
            };
        };
        if told != Correction::CANCEL && told != Correction::CORRECT {
            return Err(self.bad(told));
        }
        let id = id.ok_or(RowError::Missing { column: "trade_id" })?;
        let back = self.opt_whole().map(|at| seq.0.saturating_sub(at));
        let original = self.execution()?;
        let (ts_event, new) = (self.opt_time(), self.text().map(Into::into));
        let original = original.map(|(price, size, side)| Original {
            trade: Trade { price, size, side, id: Some(id.clone()) },
            ts_event,
            back,
        });
        let becomes = trade.map(|(price, size, side)| Trade { price, size, side, id: new });
        if becomes.is_some() != (told == Correction::CORRECT) {
            return Err(RowError::Bad { column: "correction", value: told.to_owned() });
        }
        Ok(Body::Correction(Box::new(Correction { id, original, becomes })))
    }

    /// Price, size and side: all of them, or none.
    fn execution(&mut self) -> Result<Option<(Price, Size, Side)>, RowError> {
        let price = self.decimal().map(Price::new);
        let size = self.size()?;
        let side = self.text();
        if price.is_none() && size.is_none() && side.is_none() {
            return Ok(None);
        }
        let side = self.need(side)?;
        let sides = [Side::Buy, Side::Sell, Side::Unknown];
        let known = sides.into_iter().find(|known| known.as_str() == side);
        let side = known.ok_or_else(|| self.bad(side))?;
        let missing = |back: usize| Row { at: self.at - back, ..*self }.missing();
        Ok(Some((price.ok_or_else(|| missing(2))?, size.ok_or_else(|| missing(1))?, side)))
    }

    fn missing(&self) -> RowError {
        RowError::Missing { column: self.column() }
    }

    fn quote(&mut self) -> Result<Body, RowError> {
        let derived = self.flag()?;
        let (bid, ask) = (self.level()?, self.level()?);
        let (bid_source, ask_source) = (self.source()?, self.source()?);
        Ok(Body::Quote(Quote { bid, ask, derived, bid_source, ask_source }))
    }

    fn source(&mut self) -> Result<Option<Symbol>, RowError> {
        let Some(text) = self.text() else { return Ok(None) };
        Symbol::parse(text).map(Some).map_err(|_| self.bad(text))
    }

    fn ticker(&mut self) -> Result<Body, RowError> {
        let last_price = self.decimal().map(Price::new);
        Ok(Body::Ticker(Box::new(Ticker {
            last_price,
            last_size: self.size()?,
            bid: self.level()?,
            ask: self.level()?,
            open: self.decimal().map(Price::new),
            high: self.decimal().map(Price::new),
            low: self.decimal().map(Price::new),
            volume: self.decimal(),
            change: self.decimal(),
            change_percent: self.decimal(),
        })))
    }

    fn candle(&mut self) -> Result<Body, RowError> {
        let interval = self.need_text()?;
        let interval = interval.parse().map_err(|()| self.bad(interval))?;
        Ok(Body::Candle(Box::new(Candle {
            interval,
            start: self.time()?,
            open: self.price()?,
            high: self.price()?,
            low: self.price()?,
            close: self.price()?,
            volume: self.need_decimal()?,
            trades: self.whole()?,
            closed: self.flag()?,
            // Older tables lack it.
            corrected: self.opt_flag().unwrap_or_default(),
        })))
    }

    fn status(&mut self) -> Result<Body, RowError> {
        let state = self.need_text()?;
        let state = State::from_name(state).ok_or_else(|| self.bad(state))?;
        let reason = self.text().unwrap_or("").into();
        let feed = self.text().unwrap_or("").into();
        Ok(Body::Status(Box::new(StatusChange { state, reason, feed, since: self.opt_time() })))
    }
}
