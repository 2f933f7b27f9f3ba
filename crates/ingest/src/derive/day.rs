//! The totals of 24 hours, and the minutes that they, and longer bars, are made of.
//!
//! The window is the newest minute and the 1,439 before it: it moves by whole minutes, so its
//! totals are exact sums, not estimates.

use std::collections::VecDeque;

use model::{Interval, Level, Price, Quote, Size, Ticker, Trade, UnixNanos, decimal};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::bar::{Bar, Made};
use super::tape::Tape;

const MINUTE: Interval = Interval::M1;
/// Minutes in the window.
const WINDOW: u64 = 24 * 60;

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Day {
    /// Those that have trades, oldest first.
    minutes: VecDeque<Bar>,
    /// The newest there ever was: the window never moves back.
    newest: UnixNanos,
    #[serde(with = "rust_decimal::serde::str")]
    volume: Decimal,
    high: Option<Price>,
    low: Option<Price>,
    /// The last trade by time: its price, its size where known, and when it was.
    last: Option<(Price, Option<Size>, UnixNanos)>,
    bid: Option<Level>,
    ask: Option<Level>,
}

impl Day {
    /// Counts a trade into its minute; false where that has left the window.
    pub(super) fn trade(&mut self, trade: &Trade, at: UnixNanos) -> bool {
        if self.last.is_none_or(|(_, _, last)| at >= last) {
            self.last = Some((trade.price, Some(trade.size), at));
        }
        let start = MINUTE.start_of(at);
        if !self.is_within(start) {
            return false;
        }
        self.newest = self.newest.max(start);
        self.forget();
        let place = self.minutes.partition_point(|minute| minute.start < start);
        match self.minutes.get_mut(place).filter(|minute| minute.start == start) {
            Some(minute) => minute.count(trade, at),
            None => self.minutes.insert(place, Bar::of(start, trade, at)),
        }
        self.volume = decimal::add(self.volume, trade.size.value()).unwrap_or(self.volume);
        self.high = self.high.max(Some(trade.price));
        self.low = Some(self.low.map_or(trade.price, |low| low.min(trade.price)));
        true
    }

    /// Takes a trade out again, and puts `instead` where it was; `tape` has what holds now.
    pub(super) fn correct(&mut self, trade: &Trade, instead: Option<&Trade>, at: UnixNanos, tape: &Tape) {
        let start = MINUTE.start_of(at);
        let place = self.minutes.partition_point(|minute| minute.start < start);
        if let Some(minute) = self.minutes.get_mut(place).filter(|minute| minute.start == start) {
            match tape.bar(start, end(start, MINUTE)) {
                Some(Made::Bar(bar)) => *minute = bar,
                Some(Made::Empty) => *minute = minute.emptied(),
                None => minute.adjust(trade, instead, at),
            }
            if minute.trades == 0 {
                self.minutes.remove(place);
            }
            self.add_up();
        }
        if self.last.is_some_and(|(price, _, last)| last == at && price == trade.price) {
            let left = tape.last().map(|kept| (kept.trade.price, Some(kept.trade.size), kept.at));
            let newest = self.minutes.back().map(|minute| (minute.close, None, minute.last));
            self.last = [newest, left].into_iter().flatten().max_by_key(|(.., at)| *at);
        }
    }

    /// The bar of an interval that begins at `start`, where the window has all of it.
    pub(super) fn bar(&self, interval: Interval, start: UnixNanos) -> Option<Made> {
        if interval.nanos() < MINUTE.nanos() || !self.is_within(start) {
            return None;
        }
        let first = self.minutes.partition_point(|minute| minute.start < start);
        let within = self.minutes.range(first..).take_while(|minute| minute.start < end(start, interval));
        Some(within.fold(Made::Empty, |made, minute| match made {
            Made::Empty => Made::Bar(Bar { start, ..minute.clone() }),
            Made::Bar(mut bar) => {
                bar.join(minute);
                Made::Bar(bar)
            }
        }))
    }

    /// Notes the best bid and offer; returns the totals where one of the prices changed.
    pub(super) fn quote(&mut self, quote: &Quote) -> Option<Ticker> {
        let prices = |bid: Option<Level>, ask: Option<Level>| (bid.map(|l| l.price), ask.map(|l| l.price));
        let moved = prices(self.bid, self.ask) != prices(quote.bid, quote.ask);
        (self.bid, self.ask) = (quote.bid, quote.ask);
        moved.then(|| self.ticker())
    }

    /// Whether a minute is one of the window's, or newer.
    fn is_within(&self, start: UnixNanos) -> bool {
        start.0.saturating_add(WINDOW * MINUTE.nanos()) > self.newest.0
    }

    /// Drops the minutes that have left the window.
    fn forget(&mut self) {
        let mut extremes_left = false;
        let newest = self.newest;
        let has_left = |minute: &&Bar| minute.start.0.saturating_add(WINDOW * MINUTE.nanos()) <= newest.0;
        while let Some(oldest) = self.minutes.front().filter(has_left) {
            extremes_left |= Some(oldest.high) == self.high || Some(oldest.low) == self.low;
            self.volume = decimal::sub(self.volume, oldest.volume).unwrap_or(self.volume);
            self.minutes.pop_front();
        }
        if extremes_left {
            self.high = self.minutes.iter().map(|minute| minute.high).max();
            self.low = self.minutes.iter().map(|minute| minute.low).min();
        }
    }

    fn add_up(&mut self) {
        let volumes = self.minutes.iter().map(|minute| minute.volume);
        self.volume = volumes.fold(Decimal::ZERO, |sum, volume| decimal::add(sum, volume).unwrap_or(sum));
        self.high = self.minutes.iter().map(|minute| minute.high).max();
        self.low = self.minutes.iter().map(|minute| minute.low).min();
    }

    pub(super) fn ticker(&self) -> Ticker {
        let ticker = Ticker {
            last_price: self.last.map(|(price, ..)| price),
            last_size: self.last.and_then(|(_, size, _)| size),
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

/// Where a bar ends: the first instant that is not of it.
pub(super) const fn end(start: UnixNanos, interval: Interval) -> UnixNanos {
    UnixNanos(start.0.saturating_add(interval.nanos()))
}
