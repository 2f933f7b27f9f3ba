//! The resting orders of one simulated symbol: whole ticks and lots.

use std::collections::BTreeMap;

use model::BookSide;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Ladder {
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
}

impl Ladder {
    pub(crate) fn best(&self, side: BookSide) -> Option<(i64, i64)> {
        let best = match side {
            BookSide::Bid => self.bids.last_key_value(),
            BookSide::Ask => self.asks.first_key_value(),
        };
        best.map(|(&tick, &lots)| (tick, lots))
    }

    /// The level at `rank` from the best, or the worst where there are fewer.
    pub(crate) fn at_rank(&self, side: BookSide, rank: usize) -> Option<(i64, i64)> {
        let rank = rank.min(self.len(side).saturating_sub(1));
        let level = match side {
            BookSide::Bid => self.bids.iter().rev().nth(rank),
            BookSide::Ask => self.asks.iter().nth(rank),
        };
        level.map(|(&tick, &lots)| (tick, lots))
    }

    /// Adds lots at a price (takes away, where negative) and returns how many rest there now.
    pub(crate) fn add(&mut self, side: BookSide, tick: i64, lots: i64) -> i64 {
        let levels = match side {
            BookSide::Bid => &mut self.bids,
            BookSide::Ask => &mut self.asks,
        };
        let level = levels.entry(tick).or_insert(0);
        *level += lots;
        let left = *level;
        if left <= 0 {
            levels.remove(&tick);
        }
        left.max(0)
    }

    pub(crate) fn len(&self, side: BookSide) -> usize {
        match side {
            BookSide::Bid => self.bids.len(),
            BookSide::Ask => self.asks.len(),
        }
    }

    /// All levels of a side, best first.
    pub(crate) fn levels(&self, side: BookSide) -> Vec<(i64, i64)> {
        let pair = |(&tick, &lots): (&i64, &i64)| (tick, lots);
        match side {
            BookSide::Bid => self.bids.iter().rev().map(pair).collect(),
            BookSide::Ask => self.asks.iter().map(pair).collect(),
        }
    }
}
