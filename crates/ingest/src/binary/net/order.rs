//! Messages in the order of their numbers, each once: copies are passed over, what overtook others waits for them,
//! and what never comes is a gap.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use model::UnixNanos;

/// Packets that wait for one that is missing, before it is given up. Lines that carry the same twice are apart by
/// less.
pub(super) const HELD_MAX: usize = 256;

/// The numbers of one stream.
#[derive(Default)]
pub(super) struct Order {
    /// The number that comes next, once one is known.
    next: Option<u64>,
    held: BTreeMap<u64, Held>,
}

/// The messages of a datagram that wait.
pub(super) struct Held {
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) messages: Vec<u8>,
    pub(super) at: Option<UnixNanos>,
    /// The packet's number in the file.
    pub(super) packet: u64,
}

/// What is to be done with a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Its messages come next; so many of them at its begin were seen.
    Next(u64),
    /// All of it was seen.
    Seen,
    /// Something before it is missing.
    Early,
}

impl Order {
    /// The place of a packet with `count` messages from number `first` on.
    pub(super) fn place(&mut self, first: u64, count: u64) -> Place {
        let next = *self.next.get_or_insert(first);
        match first.checked_add(count) {
            _ if first > next => Place::Early,
            Some(end) if end > next => Place::Next(next - first),
            _ => Place::Seen,
        }
    }

    /// Messages up to that number were read.
    pub(super) fn advance(&mut self, next: u64) {
        self.next = Some(next);
    }

    /// Keeps a packet that came too early. Of several with one number the fullest stays: a heartbeat has the number of
    /// what comes after it.
    pub(super) fn hold(&mut self, held: Held) {
        match self.held.entry(held.first) {
            Entry::Vacant(free) => {
                free.insert(held);
            }
            Entry::Occupied(mut kept) if kept.get().count < held.count => {
                kept.insert(held);
            }
            Entry::Occupied(_) => {}
        }
    }

    /// The packet that waited and is next; it may have been seen by now.
    pub(super) fn ready(&mut self) -> Option<Held> {
        let entry = self.held.first_entry()?;
        (*entry.key() <= self.next?).then(|| entry.remove())
    }

    /// What is missing is given up where too many wait for it, or where nothing more comes: the first and the last
    /// number of what is lost.
    pub(super) fn give_up(&mut self, ended: bool) -> Option<(u64, u64)> {
        let first = *self.held.first_key_value()?.0;
        let next = self.next?;
        if first <= next || !(ended || self.held.len() >= HELD_MAX) {
            return None;
        }
        self.next = Some(first);
        Some((next, first - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(first: u64) -> Held {
        Held { first, count: 2, messages: vec![], at: None, packet: 1 }
    }

    /// Packets of two messages each, by their first numbers; what is read of them, in its order.
    fn play(firsts: &[u64]) -> String {
        let (mut order, mut read) = (Order::default(), Vec::new());
        let take = |order: &mut Order, first: u64, read: &mut Vec<String>| match order.place(first, 2) {
            Place::Next(seen) => {
                read.extend((first + seen..first + 2).map(|number| number.to_string()));
                order.advance(first + 2);
            }
            Place::Seen => {}
            Place::Early => order.hold(held(first)),
        };
        let drain = |order: &mut Order, ended: bool, read: &mut Vec<String>| {
            loop {
                if let Some(held) = order.ready() {
                    take(order, held.first, read);
                } else if let Some((from, to)) = order.give_up(ended) {
                    read.push(format!("lost {from}-{to}"));
                } else {
                    return;
                }
            }
        };
        for &first in firsts {
            take(&mut order, first, &mut read);
            drain(&mut order, false, &mut read);
        }
        drain(&mut order, true, &mut read);
        read.join(" ")
    }

    #[test]
    fn each_message_once_and_in_order() {
        assert_eq!(play(&[7, 9, 11]), "7 8 9 10 11 12");
        // Two lines, of which one lost a packet that the other has.
        assert_eq!(play(&[7, 7, 11, 9, 9, 11]), "7 8 9 10 11 12");
        // Packets that were cut in another way.
        assert_eq!(play(&[7, 8, 9]), "7 8 9 10");
        assert_eq!(play(&[7, 11, 13, 7]), "7 8 lost 9-10 11 12 13 14");
    }

    #[test]
    fn a_heartbeat_does_not_stand_for_what_comes_after_it() {
        let mut order = Order::default();
        assert_eq!(order.place(1, 1), Place::Next(0));
        order.advance(2);
        for count in [0, 2, 1, 0] {
            assert_eq!(order.place(3, count), Place::Early);
            order.hold(Held { count, ..held(3) });
        }
        assert_eq!(order.give_up(true), Some((2, 2)));
        assert_eq!(order.ready().map(|held| held.count), Some(2));
    }

    #[test]
    fn what_waits_is_bounded() {
        let many: Vec<u64> = [1].into_iter().chain((0..HELD_MAX as u64).map(|at| 5 + 2 * at)).collect();
        let said = play(&many);
        assert!(said.starts_with("1 2 lost 3-4 5 6 "), "{said}");
        let mut order = Order::default();
        order.place(1, 1);
        order.advance(2);
        for first in 3..2 + HELD_MAX as u64 {
            assert_eq!(order.place(first, 1), Place::Early);
            order.hold(held(first));
            assert_eq!(order.give_up(false), None);
        }
        order.hold(held(9_999));
        assert_eq!(order.give_up(false), Some((2, 2)));
        assert_eq!(order.place(u64::MAX, 9), Place::Early);
    }
}
