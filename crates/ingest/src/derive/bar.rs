//! Trades of a span of time, added up.

use model::{Candle, Interval, Price, Trade, UnixNanos, decimal};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A bar of which all trades are known.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// There are none.
    Empty,
    Bar(Bar),
}

/// What the trades of a span come to. First and last go by the venue's time, and by arrival where that is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bar {
    /// The span's first instant.
    pub(super) start: UnixNanos,
    /// Times of the first and the last trade.
    pub(super) first: UnixNanos,
    pub(super) last: UnixNanos,
    pub(super) open: Price,
    pub(super) high: Price,
    pub(super) low: Price,
    pub(super) close: Price,
    #[serde(with = "rust_decimal::serde::str")]
    pub(super) volume: Decimal,
    pub(super) trades: u64,
    /// Nothing of it had to be left as it was because a trade that was taken back has unknown neighbours.
    pub(super) exact: bool,
}

impl Bar {
    pub(super) const fn of(start: UnixNanos, trade: &Trade, at: UnixNanos) -> Self {
        let (price, volume) = (trade.price, trade.size.value());
        Self {
            start,
            first: at,
            last: at,
            open: price,
            high: price,
            low: price,
            close: price,
            volume,
            trades: 1,
            exact: true,
        }
    }

    /// Counts a trade in. A volume that no longer fits exactly stays as it was rather than be rounded; 28 digits of
    /// volume in one bar is no market.
    pub(super) fn count(&mut self, trade: &Trade, at: UnixNanos) {
        if self.trades == 0 {
            *self = Self::of(self.start, trade, at);
            return;
        }
        if at < self.first {
            (self.first, self.open) = (at, trade.price);
        }
        if at >= self.last {
            (self.last, self.close) = (at, trade.price);
        }
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.volume = decimal::add(self.volume, trade.size.value()).unwrap_or(self.volume);
        self.trades += 1;
    }

    /// Counts in a bar that follows in time.
    pub(super) fn join(&mut self, later: &Self) {
        (self.last, self.close) = (later.last, later.close);
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.volume = decimal::add(self.volume, later.volume).unwrap_or(self.volume);
        self.trades += later.trades;
        self.exact &= later.exact;
    }

    /// Takes a trade out again whose neighbours are not known, and puts `instead` where it was. What cannot be told
    /// without them stays as it was: then it is exact no more.
    pub(super) fn adjust(&mut self, trade: &Trade, instead: Option<&Trade>, at: UnixNanos) {
        if instead.is_none() && self.trades <= 1 {
            *self = self.emptied();
            return;
        }
        let out = decimal::sub(self.volume, trade.size.value()).unwrap_or(self.volume);
        self.volume = instead.map_or(Some(out), |new| decimal::add(out, new.size.value())).unwrap_or(out);
        self.trades -= u64::from(instead.is_none());
        let was = |price: Price, when: UnixNanos| at == when && trade.price == price;
        let untouched = !was(self.open, self.first)
            && !was(self.close, self.last)
            && trade.price < self.high
            && trade.price > self.low;
        if let Some(new) = instead {
            self.high = self.high.max(new.price);
            self.low = self.low.min(new.price);
        }
        self.exact &= untouched || instead.is_some_and(|new| new.price == trade.price);
    }

    pub(super) fn candle(&self, interval: Interval, closed: bool, corrected: bool) -> Candle {
        let Self { start, open, high, low, close, volume, trades, .. } = *self;
        Candle { interval, start, open, high, low, close, volume, trades, closed, corrected }
    }

    /// The same span with no trade in it: what is told of a bar whose trades were all taken back.
    pub(super) fn emptied(&self) -> Self {
        Self { volume: Decimal::ZERO, trades: 0, exact: true, ..self.clone() }
    }
}
