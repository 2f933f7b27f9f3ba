//! Numbered messages out of datagrams: each with two bytes before it that say how long it is.

use model::{Tick, UnixNanos};

use super::super::error::BinaryError;
use super::feed::Faults;
use super::order::{Held, Order, Place};
use crate::error::FeedError;

/// Who understands the messages of a stream.
pub(crate) trait Reads {
    /// Reads a message that was received at a time.
    fn message(
        &mut self,
        message: &[u8],
        recv: Option<UnixNanos>,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError>;

    /// Messages were lost, from a number up to another.
    fn lose(&mut self, lost: (u64, u64), out: &mut Vec<Tick>);
}

/// The messages of a datagram.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    /// Number of the first.
    pub(crate) first: u64,
    /// How many there are.
    pub(crate) count: u64,
    pub(crate) messages: &'a [u8],
    pub(crate) at: Option<UnixNanos>,
    /// The packet's number in the file.
    pub(crate) packet: u64,
}

/// One numbering.
pub(crate) struct Stream {
    order: Order,
    /// The higher byte of a length stands first.
    big: bool,
}

impl Stream {
    pub(crate) fn new(big: bool) -> Self {
        Self { order: Order::default(), big }
    }

    /// Another numbering begins.
    pub(crate) fn restart(&mut self) {
        self.order = Order::default();
    }

    /// Reads what of a datagram comes next, and what waited for it.
    pub(crate) fn receive(
        &mut self,
        block: Block<'_>,
        reader: &mut impl Reads,
        out: &mut Vec<Tick>,
        faults: &mut Faults,
    ) {
        self.place(block, reader, out, faults);
        self.drain(false, reader, out, faults);
    }

    /// Nothing more comes: what is missing is lost.
    pub(crate) fn finish(&mut self, reader: &mut impl Reads, out: &mut Vec<Tick>, faults: &mut Faults) {
        self.drain(true, reader, out, faults);
    }

    fn place(&mut self, block: Block<'_>, reader: &mut impl Reads, out: &mut Vec<Tick>, faults: &mut Faults) {
        match self.order.place(block.first, block.count) {
            Place::Seen => {}
            Place::Next(seen) => {
                let read = self.read(block, seen, reader, out, faults);
                self.order.advance(block.first + read);
            }
            Place::Early => self.order.hold(Held {
                first: block.first,
                count: block.count,
                messages: block.messages.to_vec(),
                at: block.at,
                packet: block.packet,
            }),
        }
    }

    fn drain(&mut self, ended: bool, reader: &mut impl Reads, out: &mut Vec<Tick>, faults: &mut Faults) {
        loop {
            if let Some(held) = self.order.ready() {
                let Held { first, count, ref messages, at, packet } = held;
                self.place(Block { first, count, messages, at, packet }, reader, out, faults);
            } else if let Some(lost) = self.order.give_up(ended) {
                reader.lose(lost, out);
            } else {
                return;
            }
        }
    }

    /// Reads messages but for the first `seen`; how many of all there really are.
    pub(crate) fn read(
        &self,
        block: Block<'_>,
        seen: u64,
        reader: &mut impl Reads,
        out: &mut Vec<Tick>,
        faults: &mut Faults,
    ) -> u64 {
        let (mut rest, mut read) = (block.messages, 0);
        while read < block.count {
            let next = rest.split_first_chunk().and_then(|(len, rest)| {
                let len = if self.big { u16::from_be_bytes(*len) } else { u16::from_le_bytes(*len) };
                rest.split_at_checked(usize::from(len))
            });
            let Some((message, behind)) = next else {
                faults.push(block.packet, BinaryError::Missing { lacking: block.count - read });
                return read;
            };
            rest = behind;
            read += 1;
            if read > seen
                && let Err(error) = reader.message(message, block.at, out)
            {
                faults.push(block.packet, error);
            }
        }
        if !rest.is_empty() {
            faults.push(block.packet, BinaryError::Left(rest.len()));
        }
        read
    }
}
