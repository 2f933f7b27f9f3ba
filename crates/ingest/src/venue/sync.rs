//! Books that begin with a snapshot from elsewhere and go on with the diffs that were buffered meanwhile.
//!
//! What is stale, what follows and what is missing is each venue's own [`Rule`].

use std::collections::VecDeque;
use std::mem;

use model::{Level, Levels, Tick};

use super::sequence_gap;
use crate::board::{Board, Slot, Times};

/// Diffs kept for a book that waits for its snapshot.
const BUFFERED_DIFFS_MAX: usize = 10_000;

/// A change of a book, in the venue's numbering.
pub(super) struct Diff {
    pub(super) first: u64,
    pub(super) last: u64,
    /// The last number of the diff before, where the venue says it.
    pub(super) previous: Option<u64>,
    pub(super) times: Times,
    pub(super) levels: Levels,
    /// The number of each bid and each ask, where the venue gives them one: those that are in the
    /// book already are passed over.
    pub(super) numbers: Option<[Vec<u64>; 2]>,
}

/// Where a book stands.
#[derive(Clone, Copy)]
pub(super) enum Stand {
    /// At the number of its snapshot.
    Snapshot(u64),
    /// At the last number of a diff.
    Diff(u64),
}

impl Stand {
    pub(super) const fn at(self) -> u64 {
        match self {
            Self::Snapshot(at) | Self::Diff(at) => at,
        }
    }
}

/// How a diff fits a book.
pub(super) enum Fit {
    /// The book has it already.
    Stale,
    Follows,
    /// What is between them is lost.
    Lost {
        from: u64,
        to: u64,
    },
}

impl Fit {
    pub(super) fn follows_if(follows: bool, from: u64, to: u64) -> Self {
        if follows { Self::Follows } else { Self::Lost { from, to: to.max(from) } }
    }
}

/// How a venue's diffs follow each other.
pub(super) type Rule = fn(Stand, &Diff) -> Fit;

/// How a book stands to the venue's numbering.
pub(super) enum Sync {
    /// No snapshot yet, or none that fits: diffs wait.
    Waiting {
        diffs: VecDeque<Diff>,
        /// The last number of those for which there was no room.
        dropped: Option<u64>,
    },
    Standing(Stand),
}

impl Default for Sync {
    fn default() -> Self {
        Self::Waiting { diffs: VecDeque::new(), dropped: None }
    }
}

impl Sync {
    /// A whole book of a stream of such: the book until a snapshot of the diffs has come, where there are any.
    pub(super) fn whole(
        &self,
        (board, slot): (&mut Board, Slot),
        times: Times,
        levels: Levels,
        out: &mut Vec<Tick>,
    ) {
        if matches!(self, Self::Waiting { .. }) {
            board.snapshot(slot, times, levels, out);
        }
    }

    pub(super) fn diff(
        &mut self,
        (board, slot): (&mut Board, Slot),
        rule: Rule,
        diff: Diff,
        out: &mut Vec<Tick>,
    ) {
        let stand = match self {
            Self::Waiting { diffs, dropped } => {
                if diffs.len() == BUFFERED_DIFFS_MAX {
                    *dropped = diffs.pop_front().map(|diff| diff.last);
                }
                diffs.push_back(diff);
                return;
            }
            Self::Standing(stand) => *stand,
        };
        match rule(stand, &diff) {
            Fit::Stale => {}
            Fit::Follows => {
                *self = Self::Standing(Stand::Diff(diff.last));
                board.delta(slot, diff.times, diff.levels_after(stand), out);
            }
            Fit::Lost { from, to } => {
                let times = diff.times;
                *self = Self::Waiting { diffs: VecDeque::from([diff]), dropped: None };
                board.void(slot, times, sequence_gap(from, to), out);
            }
        }
    }

    /// A snapshot with its number. One that is older than the book, or too old for what waits, is
    /// passed over: a newer one must come.
    pub(super) fn snapshot(
        &mut self,
        (board, slot): (&mut Board, Slot),
        rule: Rule,
        (number, times): (u64, Times),
        levels: Levels,
        out: &mut Vec<Tick>,
    ) {
        let stand = Stand::Snapshot(number);
        let buffer = match self {
            Self::Standing(stand) if number < stand.at() => return,
            Self::Waiting { dropped: Some(dropped), .. } if number < *dropped => return,
            Self::Waiting { diffs, .. } => {
                let first = diffs.iter().map(|diff| rule(stand, diff)).find(|fit| !matches!(fit, Fit::Stale));
                if matches!(first, Some(Fit::Lost { .. })) {
                    return;
                }
                mem::take(diffs)
            }
            Self::Standing(_) => VecDeque::new(),
        };
        *self = Self::Standing(stand);
        board.snapshot(slot, times, levels, out);
        for diff in buffer {
            self.diff((&mut *board, slot), rule, diff, out);
        }
    }

    /// The book was lost: diffs wait for a new snapshot.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing has come since its snapshot.
    pub(super) const fn is_fresh(&self) -> bool {
        matches!(self, Self::Standing(Stand::Snapshot(_)))
    }

    /// Whether it waits for a snapshot, with diffs around that number.
    pub(super) fn waits_around(&self, number: u64) -> bool {
        let Self::Waiting { diffs, .. } = self else { return false };
        let ends = diffs.front().zip(diffs.back());
        ends.is_some_and(|(first, last)| first.first <= number.saturating_add(1) && number <= last.last)
    }
}

impl Diff {
    /// The levels that a book that stands there does not have yet.
    fn levels_after(self, stand: Stand) -> Levels {
        let at = stand.at();
        let Some([bids, asks]) = self.numbers.filter(|_| self.first <= at) else { return self.levels };
        let new = |levels: Vec<Level>, numbers: Vec<u64>| {
            levels
                .into_iter()
                .zip(numbers)
                .filter(|&(_, number)| number > at)
                .map(|(level, _)| level)
                .collect()
        };
        Levels { bids: new(self.levels.bids, bids), asks: new(self.levels.asks, asks) }
    }
}
