//! The newest trades of each symbol: what a correction is about, and what its bars are made of anew.
//!
//! Only trades with an id are remembered: of others no venue can say which one it means.

use std::collections::VecDeque;

use model::{Trade, UnixNanos};
use serde::{Deserialize, Serialize};

use super::bar::{Bar, Made};

/// Most trades that a feed remembers, all its symbols together.
pub(super) const REMEMBERED_MAX: usize = 1 << 17;

/// The newest trades of one symbol, in the order of their arrival.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Tape {
    trades: VecDeque<Kept>,
    /// How many records the symbol's trades have had.
    places: u64,
    /// The latest time of a trade that is not on the tape any more, or never was.
    forgotten: Option<UnixNanos>,
}

/// A trade as it holds now.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Its place among the symbol's trades.
    place: u64,
    pub(super) at: UnixNanos,
    pub(super) trade: Trade,
    /// It was taken back.
    pub(super) gone: bool,
}

/// Whose trades are remembered, in the order of their arrival.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Order(VecDeque<usize>);

impl Order {
    /// One more of a symbol's is remembered; whose oldest must be forgotten for it.
    pub(super) fn add(&mut self, symbol: usize) -> Option<usize> {
        self.0.push_back(symbol);
        if self.0.len() > REMEMBERED_MAX { self.0.pop_front() } else { None }
    }
}

impl Tape {
    /// Takes a trade in; whether it is remembered.
    pub(super) fn add(&mut self, trade: &Trade, at: UnixNanos) -> bool {
        self.places += 1;
        if trade.id.is_none() {
            self.forgotten = self.forgotten.max(Some(at));
            return false;
        }
        self.trades.push_back(Kept { place: self.places, at, trade: trade.clone(), gone: false });
        true
    }

    /// Forgets the oldest.
    pub(super) fn forget(&mut self) {
        if let Some(kept) = self.trades.pop_front() {
            self.forgotten = self.forgotten.max(Some(kept.at));
        }
    }

    /// A correction takes a place, too. How far before it the trade of that id stands, and the trade.
    pub(super) fn correct(&mut self, id: &str) -> Option<(u64, &mut Kept)> {
        self.places += 1;
        let places = self.places;
        let kept = self.trades.iter_mut().rev().find(|kept| kept.trade.id.as_deref() == Some(id))?;
        Some((places - kept.place, kept))
    }

    /// Whether all trades since `start` are on the tape.
    pub(super) fn covers(&self, start: UnixNanos) -> bool {
        self.forgotten.is_none_or(|at| at < start)
    }

    /// The bar from `start` to before `end`, where the tape has all its trades.
    pub(super) fn bar(&self, start: UnixNanos, end: UnixNanos) -> Option<Made> {
        self.covers(start).then(|| {
            let within = self.trades.iter().filter(|kept| !kept.gone && (start..end).contains(&kept.at));
            within.fold(Made::Empty, |made, kept| match made {
                Made::Empty => Made::Bar(Bar::of(start, &kept.trade, kept.at)),
                Made::Bar(mut bar) => {
                    bar.count(&kept.trade, kept.at);
                    Made::Bar(bar)
                }
            })
        })
    }

    /// The trade that is the last by time, of those that hold.
    pub(super) fn last(&self) -> Option<&Kept> {
        self.trades.iter().filter(|kept| !kept.gone).max_by_key(|kept| (kept.at, kept.place))
    }
}
