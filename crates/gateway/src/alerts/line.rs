//! A value that moves, and the bounds that are watched on its way.

use std::cmp::Ordering;
use std::collections::btree_map::Range;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included, Unbounded};

use model::Body;
use rust_decimal::Decimal;
use wire::{AlertField, Bound};

use super::Number;
use super::told::Crossing;

/// A value of one symbol, and the alerts on it. A move costs O(log n) and what it crosses.
#[derive(Debug, Default)]
pub(super) struct Line {
    last: Option<Crossing>,
    above: Watched,
    below: Watched,
}

/// What a move does.
pub(super) enum Moved {
    /// There was no value before: it crosses nothing, and these bounds lie behind it.
    First { beyond: Vec<Number> },
    /// It crosses these.
    Across(Vec<Number>),
}

type Watched = BTreeMap<Decimal, BTreeSet<Number>>;

impl Line {
    /// The value moves; the alerts whose bounds it crosses.
    pub(super) fn take(&mut self, to: Crossing) -> Moved {
        let value = to.value;
        let numbers = |crossed: Range<'_, Decimal, BTreeSet<Number>>| -> Vec<Number> {
            crossed.flat_map(|(_, numbers)| numbers).copied().collect()
        };
        let Some(Crossing { value: before, .. }) = self.last.replace(to) else {
            let mut beyond = numbers(self.above.range(..value));
            beyond.extend(numbers(self.below.range((Excluded(value), Unbounded))));
            return Moved::First { beyond };
        };
        Moved::Across(match before.cmp(&value) {
            // From at or under the bound to over it.
            Ordering::Less => numbers(self.above.range((Included(before), Excluded(value)))),
            Ordering::Greater => numbers(self.below.range((Excluded(value), Included(before)))),
            Ordering::Equal => Vec::new(),
        })
    }

    /// The newest value.
    pub(super) const fn last(&self) -> Option<Crossing> {
        self.last
    }

    /// The place of the newest value; 0 before the first.
    pub(super) fn sequence(&self) -> u64 {
        self.last.map_or(0, |last| last.sequence)
    }

    pub(super) fn is_beyond(&self, bound: Bound) -> bool {
        self.last.is_some_and(|last| match bound {
            Bound::Above(at) => last.value > at,
            Bound::Below(at) => last.value < at,
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
