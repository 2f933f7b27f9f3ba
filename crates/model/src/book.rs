//! The order book (L2): exact price levels, best first.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use crate::numbers::{Price, Size};

/// One price level. In a change, a size of zero removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// All that is offered or asked for at that price.
    pub size: Size,
}

impl Level {
    /// The removal of whatever stands at `price`.
    #[must_use]
    pub const fn removal(price: Price) -> Self {
        Self { price, size: Size::ZERO }
    }
}

/// Levels of both sides: a whole book or a change to one, in the order the source gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// Levels of buyers.
    pub bids: Vec<Level>,
    /// Levels of sellers.
    pub asks: Vec<Level>,
}

impl Levels {
    /// How many levels both sides have together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bids.len() + self.asks.len()
    }

    /// Whether neither side has a level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bids.is_empty() && self.asks.is_empty()
    }

    /// The levels of one side.
    #[must_use]
    pub fn side(&self, side: BookSide) -> &[Level] {
        match side {
            BookSide::Bid => &self.bids,
            BookSide::Ask => &self.asks,
        }
    }

    /// The levels of one side, to be added to.
    pub fn side_mut(&mut self, side: BookSide) -> &mut Vec<Level> {
        match side {
            BookSide::Bid => &mut self.bids,
            BookSide::Ask => &mut self.asks,
        }
    }
}

/// A side of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BookSide {
    /// Buyers.
    Bid,
    /// Sellers.
    Ask,
}

impl BookSide {
    /// Both sides.
    pub const BOTH: [Self; 2] = [Self::Bid, Self::Ask];
}

/// An order book: every level with a size above zero. O(log n) per changed level.
///
/// Two books are equal when they have the same levels, whatever the digits' scale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    bids: BTreeMap<Price, Size>,
    asks: BTreeMap<Price, Size>,
}

impl Book {
    /// A book with these levels; of a price named twice the last size counts.
    #[must_use]
    pub fn from_levels(levels: &Levels) -> Self {
        // Venues sort them, mostly: then nothing is searched.
        let side = |levels: &[Level]| {
            let mut side: BTreeMap<_, _> = levels.iter().map(|level| (level.price, level.size)).collect();
            side.retain(|_, size| !size.is_zero());
            side
        };
        Self { bids: side(&levels.bids), asks: side(&levels.asks) }
    }

    /// Sets or removes each level, in order. Removing what is not there is harmless.
    pub fn apply(&mut self, change: &Levels) {
        for side in BookSide::BOTH {
            for &level in change.side(side) {
                self.set(side, level);
            }
        }
    }

    /// Sets one level, or removes it where its size is zero. Returns the size it had.
    pub fn set(&mut self, side: BookSide, level: Level) -> Option<Size> {
        let levels = self.levels_mut(side);
        if level.size.is_zero() {
            return levels.remove(&level.price);
        }
        // A map keeps the old key, whose scale the venue may have changed.
        match levels.entry(level.price) {
            Entry::Occupied(mut entry) if entry.key().value().scale() == level.price.value().scale() => {
                Some(entry.insert(level.size))
            }
            Entry::Occupied(entry) => {
                let had = entry.remove();
                levels.insert(level.price, level.size);
                Some(had)
            }
            Entry::Vacant(entry) => {
                entry.insert(level.size);
                None
            }
        }
    }

    /// The change that turns this book into `target`: removals, new levels and new sizes only.
    #[must_use]
    pub fn diff(&self, target: &Self) -> Levels {
        let mut change = Levels::default();
        for side in BookSide::BOTH {
            let (from, to) = (self.levels(side), target.levels(side));
            let gone = from.keys().filter(|price| !to.contains_key(*price));
            let new = to.iter().filter(|(price, size)| from.get(*price) != Some(*size));
            let removals = gone.map(|&price| Level::removal(price));
            let settings = new.map(|(&price, &size)| Level { price, size });
            change.side_mut(side).extend(removals.chain(settings));
        }
        change
    }

    /// Removes what lies behind the best `depth` levels of each side, and returns the removals.
    pub fn cut(&mut self, depth: usize) -> Levels {
        let mut removed = Levels::default();
        while self.bids.len() > depth {
            removed.bids.extend(self.bids.pop_first().map(|(price, _)| Level::removal(price)));
        }
        while self.asks.len() > depth {
            removed.asks.extend(self.asks.pop_last().map(|(price, _)| Level::removal(price)));
        }
        removed
    }

    /// The levels of one side, best first.
    pub fn iter(&self, side: BookSide) -> impl Iterator<Item = Level> + '_ {
        // One of the two is empty: both directions behind one type.
        let (down, up) = match side {
            BookSide::Bid => (Some(self.bids.iter().rev()), None),
            BookSide::Ask => (None, Some(self.asks.iter())),
        };
        let pairs = down.into_iter().flatten().chain(up.into_iter().flatten());
        pairs.map(|(&price, &size)| Level { price, size })
    }

    /// The best `depth` levels of each side.
    #[must_use]
    pub fn top(&self, depth: usize) -> Levels {
        Levels {
            bids: self.iter(BookSide::Bid).take(depth).collect(),
            asks: self.iter(BookSide::Ask).take(depth).collect(),
        }
    }

    /// The best level of one side.
    #[must_use]
    pub fn best(&self, side: BookSide) -> Option<Level> {
        let pair = match side {
            BookSide::Bid => self.bids.last_key_value(),
            BookSide::Ask => self.asks.first_key_value(),
        };
        pair.map(|(&price, &size)| Level { price, size })
    }

    /// The size at a price.
    #[must_use]
    pub fn size_at(&self, side: BookSide, price: Price) -> Option<Size> {
        self.levels(side).get(&price).copied()
    }

    /// How many levels one side has.
    #[must_use]
    pub fn len(&self, side: BookSide) -> usize {
        self.levels(side).len()
    }

    /// Whether neither side has a level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bids.is_empty() && self.asks.is_empty()
    }

    /// Whether the best bid is at or above the best ask.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        let best = |side| self.best(side).map(|level| level.price);
        best(BookSide::Bid).zip(best(BookSide::Ask)).is_some_and(|(bid, ask)| bid >= ask)
    }

    /// Whether the best bid is the best ask.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        let best = |side| self.best(side).map(|level| level.price);
        best(BookSide::Bid).zip(best(BookSide::Ask)).is_some_and(|(bid, ask)| bid == ask)
    }

    /// CRC-32 of the ten best levels as Kraken defines it; see [`crate::kraken_checksum`].
    #[must_use]
    pub fn checksum(&self, depth: usize) -> u32 {
        crate::kraken_checksum(self.iter(BookSide::Ask).take(depth), self.iter(BookSide::Bid).take(depth))
    }

    fn levels(&self, side: BookSide) -> &BTreeMap<Price, Size> {
        match side {
            BookSide::Bid => &self.bids,
            BookSide::Ask => &self.asks,
        }
    }

    fn levels_mut(&mut self, side: BookSide) -> &mut BTreeMap<Price, Size> {
        match side {
            BookSide::Bid => &mut self.bids,
            BookSide::Ask => &mut self.asks,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;

    fn level(price: &str, size: &str) -> Level {
        Level { price: Price::parse(price).unwrap(), size: Size::parse(size).unwrap() }
    }

    fn book(bids: &[(&str, &str)], asks: &[(&str, &str)]) -> Book {
        let levels = |side: &[(&str, &str)]| side.iter().map(|(p, s)| level(p, s)).collect();
        Book::from_levels(&Levels { bids: levels(bids), asks: levels(asks) })
    }

    fn shown(book: &Book, side: BookSide) -> String {
        let levels = book.iter(side).map(|l| format!("{}x{}", l.price, l.size));
        levels.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn best_first_and_the_last_size_counts() {
        let book = book(&[("1.0", "1"), ("2.0", "1"), ("1.0", "3")], &[("4.0", "1"), ("3.0", "2")]);
        assert_eq!(shown(&book, BookSide::Bid), "2.0x1 1.0x3");
        assert_eq!(shown(&book, BookSide::Ask), "3.0x2 4.0x1");
        assert!(!book.is_crossed());
    }

    #[test]
    fn the_newest_scale_of_a_price_is_kept() {
        let mut book = book(&[("1.0", "1")], &[]);
        assert_eq!(book.set(BookSide::Bid, level("1.00", "2.50")), Some(Size::parse("1").unwrap()));
        assert_eq!(shown(&book, BookSide::Bid), "1.00x2.50");
        assert_eq!(book.set(BookSide::Bid, level("1.000", "0.0")), Some(Size::parse("2.5").unwrap()));
        assert!(book.is_empty());
    }

    #[test]
    fn cut_removes_the_worst() {
        let mut book = book(&[("1", "1"), ("2", "1"), ("3", "1")], &[("4", "1"), ("5", "1")]);
        let removed = book.cut(2);
        assert_eq!(removed.bids, [level("1", "0")]);
        assert_eq!(removed.asks, []);
        assert_eq!(book.len(BookSide::Bid), 2);
    }

    #[test]
    fn locked_and_crossed_are_told() {
        assert!(book(&[("2", "1")], &[("2", "1")]).is_crossed());
        assert!(book(&[("3", "1")], &[("2", "1")]).is_crossed());
        assert!(book(&[("2", "1")], &[("2.0", "1")]).is_locked());
        assert!(!book(&[("3", "1")], &[("2", "1")]).is_locked());
        assert!(!book(&[("3", "1")], &[]).is_crossed());
    }

    fn changes() -> impl Strategy<Value = Levels> {
        let side = || {
            prop::collection::vec((0_u32..9, 0_u32..4), 0..9).prop_map(|side| {
                side.iter().map(|(p, s)| level(&p.to_string(), &s.to_string())).collect::<Vec<_>>()
            })
        };
        (side(), side()).prop_map(|(bids, asks)| Levels { bids, asks })
    }

    proptest! {
        #[test]
        fn a_whole_book_is_what_its_levels_make_one_by_one(prices in prop::collection::vec((0_i64..20, 0_u32..2, 0_i64..3, any::<bool>()), 0..60)) {
            let mut levels = Levels::default();
            for (price, scale, size, bids) in prices {
                let price = Price::new(Decimal::new(price * 10_i64.pow(scale), scale));
                let level = Level { price, size: Size::new(Decimal::new(size, 1)).unwrap() };
                if bids { levels.bids.push(level) } else { levels.asks.push(level) }
            }
            let (whole, mut steps) = (Book::from_levels(&levels), Book::default());
            steps.apply(&levels);
            for side in BookSide::BOTH {
                prop_assert_eq!(shown(&whole, side), shown(&steps, side));
            }
        }

        #[test]
        fn a_diff_applied_is_the_target(before in changes(), after in changes()) {
            let (mut from, target) = (Book::from_levels(&before), Book::from_levels(&after));
            let change = from.diff(&target);
            from.apply(&change);
            prop_assert_eq!(from, target);
        }
    }
}
