//! The totals of 24 hours.
//!
//! The window is the current minute and the 1,439 before it: it moves by whole minutes, so its
//! totals are exact sums, not estimates.

use std::collections::VecDeque;

use model::{Level, Price, Quote, Size, Ticker, Trade, UnixNanos, decimal};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

const MINUTE: u64 = 60_000_000_000;
const WINDOW: u64 = 24 * 60;

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Day {
    minutes: VecDeque<Minute>,
    #[serde(with = "rust_decimal::serde::str")]
    volume: Decimal,
    high: Option<Price>,
    low: Option<Price>,
    last: Option<(Price, Size)>,
    bid: Option<Level>,
    ask: Option<Level>,
}

#[derive(Serialize, Deserialize)]
struct Minute {
    number: u64,
    open: Price,
    high: Price,
    low: Price,
    #[serde(with = "rust_decimal::serde::str")]
    volume: Decimal,
}

impl Day {
    /// Counts a trade and returns the totals after it.
    pub(super) fn trade(&mut self, trade: &Trade, at: UnixNanos) -> Ticker {
        let (price, size) = (trade.price, trade.size.value());
        // A trade that comes late belongs to the newest minute: the window never moves back.
        let number = (at.0 / MINUTE).max(self.minutes.back().map_or(0, |minute| minute.number));
        self.forget(number);
        match self.minutes.back_mut() {
            Some(minute) if minute.number == number => {
                minute.high = minute.high.max(price);
                minute.low = minute.low.min(price);
                minute.volume = decimal::add(minute.volume, size).unwrap_or(minute.volume);
            }
            _ => {
                self.minutes.push_back(Minute { number, open: price, high: price, low: price, volume: size });
            }
        }
        self.volume = decimal::add(self.volume, size).unwrap_or(self.volume);
        self.high = self.high.max(Some(price));
        self.low = Some(self.low.map_or(price, |low| low.min(price)));
        self.last = Some((price, trade.size));
        self.ticker()
    }

    /// Notes the best bid and offer; returns the totals where one of the prices changed.
    pub(super) fn quote(&mut self, quote: &Quote) -> Option<Ticker> {
        let prices = |bid: Option<Level>, ask: Option<Level>| (bid.map(|l| l.price), ask.map(|l| l.price));
        let moved = prices(self.bid, self.ask) != prices(quote.bid, quote.ask);
        (self.bid, self.ask) = (quote.bid, quote.ask);
        moved.then(|| self.ticker())
    }

    /// Drops the minutes that have left the window ending with minute `number`.
    fn forget(&mut self, number: u64) {
        let mut extremes_left = false;
        while let Some(oldest) = self.minutes.front().filter(|minute| minute.number + WINDOW <= number) {
            extremes_left |= Some(oldest.high) == self.high || Some(oldest.low) == self.low;
            self.volume = decimal::sub(self.volume, oldest.volume).unwrap_or(self.volume);
            self.minutes.pop_front();
        }
        if extremes_left {
            self.high = self.minutes.iter().map(|minute| minute.high).max();
            self.low = self.minutes.iter().map(|minute| minute.low).min();
        }
    }

    fn ticker(&self) -> Ticker {
        let ticker = Ticker {
            last_price: self.last.map(|(price, _)| price),
            last_size: self.last.map(|(_, size)| size),
            bid: self.bid,
            ask: self.ask,
            open: self.minutes.front().map(|minute| minute.open),
            high: self.high,
            low: self.low,
            volume: self.last.map(|_| self.volume),
            change: None,
            change_percent: None,
        };
        ticker.with_change()
    }
}
