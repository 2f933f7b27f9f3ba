//! Single orders by their ids (L3), and the levels that they make.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use model::BookSide;

use super::ladder::Ladder;

/// An order that rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) price: i64,
    pub(crate) size: u32,
    pub(crate) side: BookSide,
}

/// Orders by an id that an exchange has given.
pub(crate) type ById<T> = HashMap<u64, T, BuildHasherDefault<Mix>>;

/// Low bits of an id that stay together: what was given out in a row lies side by side.
const TOGETHER: u64 = (1 << 12) - 1;
/// The high bits tell apart what fell on the same place.
const TAG_BITS: u32 = 57;

/// A hash for ids that are counted up: exchanges speak mostly of orders that came not long ago, and these are near
/// each other in memory. Ids that differ only in their high bits are spread all the same.
#[derive(Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0 ^ u64::from(byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, id: u64) {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let product = u128::from(id & !TOGETHER) * u128::from(FACTOR);
        // The high half depends on all of what goes in.
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let block = (product as u64) ^ ((product >> 64) as u64);
        let place = block.wrapping_add(id & TOGETHER);
        let tag = id.wrapping_mul(FACTOR) >> TAG_BITS;
        self.0 = (place & ((1 << TAG_BITS) - 1)) | (tag << TAG_BITS);
    }
}

/// The orders of one instrument.
pub(crate) struct OrderBook {
    orders: ById<Order>,
    pub(crate) ladder: Ladder,
}

impl OrderBook {
    /// A book without orders; prices have `scale` decimals.
    pub(crate) fn new(scale: u32) -> Self {
        Self { orders: ById::default(), ladder: Ladder::new(scale) }
    }

    /// An order comes to rest, or rests as another from now on: one of no size does not rest.
    #[inline]
    pub(crate) fn put(&mut self, id: u64, order: Order) {
        if order.size == 0 {
            self.reduce(id, u32::MAX);
            return;
        }
        if let Some(old) = self.orders.insert(id, order) {
            self.ladder.take(old.side, old.price, u64::from(old.size));
        }
        self.ladder.add(order.side, order.price, u64::from(order.size));
    }

    /// So much of an order goes, at most all of it; the order that it was.
    #[inline]
    pub(crate) fn reduce(&mut self, id: u64, size: u32) -> Option<Order> {
        let Entry::Occupied(mut order) = self.orders.entry(id) else { return None };
        let was = *order.get();
        if size < was.size {
            order.get_mut().size -= size;
        } else {
            order.remove();
        }
        self.ladder.take(was.side, was.price, u64::from(size.min(was.size)));
        Some(was)
    }

    /// All orders go.
    pub(crate) fn clear(&mut self) {
        self.orders.clear();
        self.ladder.clear();
    }

    /// All orders of one side go.
    pub(crate) fn clear_side(&mut self, side: BookSide) {
        self.orders.retain(|_, order| order.side != side);
        self.ladder.clear_side(side);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_make_levels() {
        let order = |side, price, size| Order { price, size, side };
        let (bid, ask) = (BookSide::Bid, BookSide::Ask);
        let mut book = OrderBook::new(0);
        book.put(1, order(bid, 10, 5));
        book.put(2, order(bid, 10, 3));
        book.put(3, order(ask, 12, 1));
        assert_eq!(book.reduce(1, 2), Some(order(bid, 10, 5)));
        book.put(3, order(ask, 11, 4));
        let changes = book.ladder.changes();
        let shown: Vec<_> = changes.asks.iter().map(|l| (l.price.to_string(), l.size.to_string())).collect();
        assert_eq!(changes.bids[0].size.to_string(), "6");
        assert_eq!(shown, [("12".into(), "0".into()), ("11".into(), "4".into())]);
        // More than there is: the order is gone, the level not below nothing.
        assert_eq!(book.reduce(2, 99), Some(order(bid, 10, 3)));
        assert_eq!(book.reduce(2, 1), None);
        assert_eq!(book.reduce(1, u32::MAX), Some(order(bid, 10, 3)));
        assert!(book.ladder.changes().bids[0].size.is_zero());
        assert_eq!(book.reduce(1, u32::MAX), None);
        book.clear_side(ask);
        assert_eq!(book.reduce(3, 1), None);
        // Of no size: it is gone, or was never there.
        book.put(4, order(bid, 9, 2));
        book.put(4, order(bid, 10, 0));
        book.put(5, order(bid, 11, 0));
        assert_eq!((book.reduce(4, 1), book.reduce(5, 1), book.ladder.whole().bids.len()), (None, None, 0));
    }

    #[test]
    fn ids_in_a_row_are_spread() {
        let hash = |id: u64| {
            let mut mix = Mix::default();
            mix.write_u64(id);
            mix.finish()
        };
        // Whatever the ids count in, a thousand of them share few of 4,096 places and few tags.
        for step in [1, 4, 100, 4_096, 1 << 20, 1 << 40] {
            let places: std::collections::BTreeSet<_> =
                (0..1_000).map(|id| hash(id * step) & 0xfff).collect();
            assert!(places.len() > 700, "{step}: {}", places.len());
            let tags: std::collections::BTreeSet<_> =
                (0..1_000).map(|id| hash(id * step) >> TAG_BITS).collect();
            assert!(tags.len() > 60, "{step}: {}", tags.len());
        }
        // What was given out in a row lies side by side.
        let place = |id| hash(id) & ((1 << TAG_BITS) - 1);
        assert_eq!(place(70_001) + 1, place(70_002));
    }
}
