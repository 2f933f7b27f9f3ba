//! A value that moves, and the bounds that are watched on its way.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included};

use model::Body;
use rust_decimal::Decimal;
use wire::{AlertField, Bound};

use super::Number;

/// A value of one symbol, and the alerts on it. A move costs O(log n) and what it crosses.
#[derive(Debug, Default)]
pub(super) struct Line {
    last: Option<Decimal>,
    /// Its place in its stream.
    sequence: u64,
    above: Watched,
    below: Watched,
}

type Watched = BTreeMap<Decimal, BTreeSet<Number>>;

impl Line {
    /// The value moves; the alerts whose bounds it crosses. The first value there is crosses nothing.
    pub(super) fn take(&mut self, value: Decimal, sequence: u64) -> Vec<Number> {
        self.sequence = sequence;
        let Some(before) = self.last.replace(value) else { return Vec::new() };
        let crossed = match before.cmp(&value) {
            // From at or under the bound to over it.
            Ordering::Less => self.above.range((Included(before), Excluded(value))),
            Ordering::Greater => self.below.range((Excluded(value), Included(before))),
            Ordering::Equal => return Vec::new(),
        };
        crossed.flat_map(|(_, numbers)| numbers).copied().collect()
    }

    /// The place of the newest value; 0 before the first.
    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) fn is_beyond(&self, bound: Bound) -> bool {
        self.last.is_some_and(|last| match bound {
            Bound::Above(at) => last > at,
            Bound::Below(at) => last < at,
        })
    }

    pub(super) fn watch(&mut self, bound: Bound, number: Number) {
        let (side, at) = self.side(bound);
        side.entry(at).or_default().insert(number);
    }

    pub(super) fn unwatch(&mut self, bound: Bound, number: Number) {
        let (side, at) = self.side(bound);
        if let Some(numbers) = side.get_mut(&at) {
            numbers.remove(&number);
            if numbers.is_empty() {
                side.remove(&at);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.above.is_empty() && self.below.is_empty()
    }

    const fn side(&mut self, bound: Bound) -> (&mut Watched, Decimal) {
        match bound {
            Bound::Above(at) => (&mut self.above, at),
            Bound::Below(at) => (&mut self.below, at),
        }
    }
}

/// What a record says of values that may be watched.
pub(super) fn fields(body: &Body) -> [Option<(AlertField, Decimal)>; 2] {
    match body {
        Body::Trade(trade) => [Some((AlertField::LastPrice, trade.price.value())), None],
        Body::Quote(quote) => [
            quote.bid.map(|level| (AlertField::BidPrice, level.price.value())),
            quote.ask.map(|level| (AlertField::AskPrice, level.price.value())),
        ],
        Body::Ticker(ticker) => [ticker.change_percent.map(|value| (AlertField::ChangePercent, value)), None],
        _ => [None, None],
    }
}
