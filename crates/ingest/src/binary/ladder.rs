//! The price levels of one instrument, in whole numbers: exact, and quick at the best prices.

use std::mem;

use model::{BookSide, Level, Levels, Price, Size};
use rust_decimal::Decimal;

/// Levels that an event touched before they are looked through for repetitions.
const TOUCHED_MAX: usize = 4_096;
/// Levels at the best price that are looked through one by one.
const NEAR: usize = 8;

/// A price and all that stands there.
pub(crate) type Rung = (i64, u64);

/// Best bid and best ask.
pub(crate) type Best = (Option<Level>, Option<Level>);

/// Levels of both sides, and what of them an event has touched so far.
pub(crate) struct Ladder {
    /// Decimals of a price.
    scale: u32,
    bids: Rungs,
    asks: Rungs,
    /// The first level that was touched: nearly every event touches no other.
    first: Option<(BookSide, i64)>,
    /// All levels that were touched, once there is a second one.
    touched: Vec<(BookSide, i64)>,
    /// What stands at the level that was touched last.
    size: u64,
    /// The best levels that were told last.
    told: (Option<Rung>, Option<Rung>),
}

/// One side. The best stands last, where changes are cheap: by price upwards for buyers, and for sellers by the
/// negative of the price.
#[derive(Default)]
struct Rungs(Vec<Rung>);

impl Rungs {
    #[inline]
    fn find(&self, key: i64) -> Result<usize, usize> {
        let near = self.0.len().saturating_sub(NEAR);
        for (at, rung) in self.0.iter().enumerate().skip(near).rev() {
            if rung.0 <= key {
                return if rung.0 == key { Ok(at) } else { Err(at + 1) };
            }
        }
        self.0[..near].binary_search_by_key(&key, |rung| rung.0)
    }

    /// Adds to a level and returns what stands there.
    #[inline]
    fn add(&mut self, key: i64, size: u64) -> u64 {
        match self.find(key) {
            Ok(at) => {
                self.0[at].1 = self.0[at].1.saturating_add(size);
                self.0[at].1
            }
            Err(at) => {
                self.0.insert(at, (key, size));
                size
            }
        }
    }

    /// Takes from a level and returns what is left there.
    #[inline]
    fn take(&mut self, key: i64, size: u64) -> u64 {
        let Ok(at) = self.find(key) else { return 0 };
        let left = self.0[at].1.saturating_sub(size);
        if left == 0 {
            self.0.remove(at);
        } else {
            self.0[at].1 = left;
        }
        left
    }

    fn set(&mut self, key: i64, size: u64) {
        match (self.find(key), size) {
            (Ok(at), 0) => {
                self.0.remove(at);
            }
            (Ok(at), _) => self.0[at].1 = size,
            (Err(_), 0) => {}
            (Err(at), _) => self.0.insert(at, (key, size)),
        }
    }

    #[inline]
    fn size(&self, key: i64) -> u64 {
        self.find(key).map_or(0, |at| self.0[at].1)
    }
}

/// A price as it is sorted by, and back again.
#[inline]
const fn key(side: BookSide, price: i64) -> i64 {
    match side {
        BookSide::Bid => price,
        BookSide::Ask => price.wrapping_neg(),
    }
}

impl Ladder {
    /// No levels yet; prices have `scale` decimals.
    pub(crate) fn new(scale: u32) -> Self {
        Self {
            scale,
            bids: Rungs::default(),
            asks: Rungs::default(),
            first: None,
            touched: Vec::new(),
            size: 0,
            told: (None, None),
        }
    }

    #[inline]
    fn side(&mut self, side: BookSide) -> &mut Rungs {
        match side {
            BookSide::Bid => &mut self.bids,
            BookSide::Ask => &mut self.asks,
        }
    }

    /// More stands at a price; where nothing is added, there is no level.
    #[inline]
    pub(crate) fn add(&mut self, side: BookSide, price: i64, size: u64) {
        if size == 0 {
            return;
        }
        self.size = self.side(side).add(key(side, price), size);
        self.touch(side, price);
    }

    /// Less stands at a price.
    #[inline]
    pub(crate) fn take(&mut self, side: BookSide, price: i64, size: u64) {
        self.size = self.side(side).take(key(side, price), size);
        self.touch(side, price);
    }

    /// So much stands at a price, zero for nothing.
    pub(crate) fn set(&mut self, side: BookSide, price: i64, size: u64) {
        self.side(side).set(key(side, price), size);
        self.size = size;
        self.touch(side, price);
    }

    /// Nothing stands on one side any more.
    pub(crate) fn clear_side(&mut self, side: BookSide) {
        self.size = 0;
        for (key_of, _) in mem::take(&mut self.side(side).0) {
            self.touch(side, key(side, key_of));
        }
    }

    /// Nothing stands anywhere any more, and nothing was touched.
    pub(crate) fn clear(&mut self) {
        self.bids.0.clear();
        self.asks.0.clear();
        self.forget();
    }

    #[inline]
    fn touch(&mut self, side: BookSide, price: i64) {
        let level = (side, price);
        let Some(first) = self.first else {
            self.first = Some(level);
            return;
        };
        if *self.touched.last().unwrap_or(&first) == level {
            return;
        }
        if self.touched.is_empty() {
            self.touched.push(first);
        }
        self.touched.push(level);
        if self.touched.len() == TOUCHED_MAX {
            self.once_each();
        }
    }

    /// Leaves each touched level once, where it was touched first.
    fn once_each(&mut self) {
        match self.touched.len() {
            0 | 1 => {}
            2..=32 => {
                let mut kept = 0;
                for at in 0..self.touched.len() {
                    if !self.touched[..kept].contains(&self.touched[at]) {
                        self.touched[kept] = self.touched[at];
                        kept += 1;
                    }
                }
                self.touched.truncate(kept);
            }
            _ => {
                let mut seen = std::collections::HashSet::with_capacity(self.touched.len());
                self.touched.retain(|level| seen.insert(*level));
            }
        }
    }

    /// The touched levels as they are now, each once; from now on nothing is touched.
    pub(crate) fn changes(&mut self) -> Levels {
        let mut levels = Levels::default();
        let first = self.first.take();
        if self.touched.is_empty() {
            if let Some((side, price)) = first {
                *levels.side_mut(side) = vec![level(price, self.size, self.scale)];
            }
            return levels;
        }
        self.once_each();
        for (side, price) in self.touched.drain(..) {
            let rungs = if side == BookSide::Bid { &self.bids } else { &self.asks };
            levels.side_mut(side).push(level(price, rungs.size(key(side, price)), self.scale));
        }
        levels
    }

    /// Nothing was touched: nobody is told of it.
    pub(crate) fn forget(&mut self) {
        self.first = None;
        self.touched.clear();
    }

    /// All levels, best first; from now on nothing is touched.
    pub(crate) fn whole(&mut self) -> Levels {
        self.forget();
        let side = |side, rungs: &Rungs| {
            rungs.0.iter().rev().map(|&(at, size)| level(key(side, at), size, self.scale)).collect()
        };
        Levels { bids: side(BookSide::Bid, &self.bids), asks: side(BookSide::Ask, &self.asks) }
    }

    /// The best levels, for sellers by the negative of the price.
    #[inline]
    pub(crate) fn best(&self) -> (Option<Rung>, Option<Rung>) {
        (self.bids.0.last().copied(), self.asks.0.last().copied())
    }

    /// The best levels, where they are others than were told last.
    #[inline]
    pub(crate) fn new_best(&mut self) -> Option<Best> {
        let best = self.best();
        if best == self.told {
            return None;
        }
        self.told = best;
        let level = |side, rung: Option<Rung>| rung.map(|(at, size)| level(key(side, at), size, self.scale));
        Some((level(BookSide::Bid, best.0), level(BookSide::Ask, best.1)))
    }
}

/// A level of whole numbers.
#[inline]
pub(crate) fn level(price: i64, size: u64, scale: u32) -> Level {
    Level { price: Price::new(Decimal::new(price, scale)), size: Size::from(size) }
}

#[cfg(test)]
mod tests {
    use model::Book;
    use proptest::prelude::*;

    use super::*;

    fn shown(levels: &Levels) -> String {
        let side = |side: &[Level]| {
            side.iter().map(|l| format!("{}x{}", l.price, l.size)).collect::<Vec<_>>().join(" ")
        };
        format!("{} | {}", side(&levels.bids), side(&levels.asks))
    }

    #[test]
    fn an_event_names_each_level_once_as_it_is_at_its_end() {
        let mut ladder = Ladder::new(2);
        ladder.add(BookSide::Bid, 1_000, 5);
        ladder.add(BookSide::Bid, 1_001, 1);
        ladder.add(BookSide::Ask, 1_003, 2);
        ladder.add(BookSide::Bid, 1_000, 7);
        ladder.take(BookSide::Bid, 1_001, 1);
        assert_eq!(shown(&ladder.changes()), "10.00x12 10.01x0 | 10.03x2");
        assert_eq!(shown(&ladder.changes()), " | ");
        // What is the same at the end was touched all the same.
        ladder.take(BookSide::Ask, 1_003, 1);
        ladder.add(BookSide::Ask, 1_003, 1);
        assert_eq!(shown(&ladder.changes()), " | 10.03x2");
    }

    #[test]
    fn the_best_is_told_when_it_changes() {
        let mut ladder = Ladder::new(0);
        assert_eq!(ladder.new_best(), None);
        ladder.add(BookSide::Ask, 7, 1);
        let best = ladder.new_best().unwrap();
        assert_eq!(best, (None, Some(level(7, 1, 0))));
        ladder.add(BookSide::Ask, 8, 1);
        assert_eq!(ladder.new_best(), None);
        ladder.clear_side(BookSide::Ask);
        assert_eq!(ladder.new_best(), Some((None, None)));
        assert_eq!(shown(&ladder.changes()), " | 7x0 8x0");
    }

    #[test]
    fn nothing_is_no_level() {
        let mut ladder = Ladder::new(0);
        ladder.add(BookSide::Bid, 7, 0);
        assert_eq!((shown(&ladder.changes()), ladder.new_best()), (" | ".into(), None));
        ladder.add(BookSide::Bid, 7, 2);
        ladder.add(BookSide::Bid, 7, 0);
        assert_eq!(shown(&ladder.changes()), "7x2 | ");
    }

    #[test]
    fn an_event_without_an_end_stays_bounded() {
        let mut ladder = Ladder::new(0);
        for turn in 0..100_000 {
            ladder.add(BookSide::Bid, turn % 50, 1);
            assert!(ladder.touched.len() < TOUCHED_MAX);
        }
        assert_eq!(ladder.changes().bids.len(), 50);
    }

    proptest! {
        /// Whatever happens, the levels that were told make the book that the orders make.
        #[test]
        fn what_is_told_makes_the_book(turns in prop::collection::vec((any::<bool>(), 0_i64..40, -5_i64..6, any::<bool>()), 1..300)) {
            let (mut ladder, mut book, mut naive) = (Ladder::new(1), Book::default(), std::collections::BTreeMap::new());
            for (bid, price, change, ends) in turns {
                let side = if bid { BookSide::Bid } else { BookSide::Ask };
                let stands = naive.entry((bid, price)).or_insert(0_u64);
                let size = change.unsigned_abs();
                if change >= 0 {
                    *stands += size;
                    ladder.add(side, price, size);
                } else {
                    let size = size.min(*stands);
                    *stands -= size;
                    ladder.take(side, price, size);
                }
                if ends {
                    book.apply(&ladder.changes());
                }
            }
            book.apply(&ladder.changes());
            naive.retain(|_, size| *size > 0);
            let told = BookSide::BOTH.iter().flat_map(|&side| {
                book.iter(side).map(move |l| ((side == BookSide::Bid, l.price.value()), l.size.value())).collect::<Vec<_>>()
            });
            let wanted = naive.iter().map(|(&(bid, price), &size)| ((bid, Decimal::new(price, 1)), Decimal::from(size)));
            prop_assert_eq!(told.collect::<std::collections::BTreeMap<_, _>>(), wanted.collect());
            prop_assert_eq!(Book::from_levels(&ladder.whole()), book);
        }
    }
}
