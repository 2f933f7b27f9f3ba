//! Captures of a network: packets out of files, datagrams out of packets, messages in their order.

mod capture;
mod datagram;
mod feed;
#[cfg(test)]
pub(super) mod made;
mod order;
mod pcapng;
mod stream;

pub(super) use capture::is_capture;
pub(super) use datagram::Target;
pub(super) use feed::{Arrived, Faults, Feed, Protocol};
pub(super) use stream::{Block, Reads, Stream};
