//! Numbers that count the messages of a connection, whatever they are about.

use std::collections::HashMap;

pub(super) struct Numbering {
    /// The number that a connection begins with.
    first: u64,
    /// The last number of each connection.
    last: HashMap<Box<str>, u64>,
}

/// How a message stands in its connection's numbering.
pub(super) enum Order {
    Next,
    Repeated,
    /// It begins anew: this is another connection.
    Anew,
    Lost {
        from: u64,
        to: u64,
    },
}

impl Numbering {
    pub(super) fn from(first: u64) -> Self {
        Self { first, last: HashMap::new() }
    }

    pub(super) fn order(&mut self, conn: &str, number: u64) -> Order {
        let Some(last) = self.last.get_mut(conn) else {
            self.last.insert(conn.into(), number);
            return Order::Next;
        };
        if number == self.first && *last > number {
            *last = number;
            return Order::Anew;
        }
        if number <= *last {
            return Order::Repeated;
        }
        let from = *last + 1;
        *last = number;
        if number == from { Order::Next } else { Order::Lost { from, to: number - 1 } }
    }

    /// The connection is another from now on. Whether it was known.
    pub(super) fn reset(&mut self, conn: &str) -> bool {
        self.last.remove(conn).is_some()
    }
}
