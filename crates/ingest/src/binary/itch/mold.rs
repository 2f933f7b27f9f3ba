//! `MoldUDP64`: the sessions and numbers of messages in datagrams.

use model::Tick;

use super::super::error::BinaryError;
use super::super::net::{Arrived, Block, Faults, Protocol, Stream};
use super::market::Market;

/// Session, number of the first message, and how many there are.
const HEADER_BYTES: usize = 20;
const SESSION_BYTES: usize = 10;
/// Instead of how many: the session is over.
const END: u16 = 0xffff;

pub(super) struct Mold {
    session: [u8; SESSION_BYTES],
    stream: Stream,
    pub(super) market: Market,
}

impl Default for Mold {
    fn default() -> Self {
        Self { session: [0; SESSION_BYTES], stream: Stream::new(true), market: Market::default() }
    }
}

impl Protocol for Mold {
    fn handle(&mut self, arrived: &Arrived<'_>, out: &mut Vec<Tick>, faults: &mut Faults) {
        let &Arrived { payload, at, packet } = arrived;
        let Some((session, first, count)) = header(payload) else {
            let len = payload.len();
            let short = BinaryError::Short { what: "a MoldUDP64 datagram", len, least: HEADER_BYTES };
            return faults.push(packet, short);
        };
        // Where nothing is carried, the number tells what comes next.
        let count = if count == END { 0 } else { count.into() };
        let block = Block { first, count, messages: &payload[HEADER_BYTES..], at, packet };
        // Captures that were put together by hand have no numbers.
        if first == 0 && session == [0; SESSION_BYTES] {
            self.stream.read(block, 0, &mut self.market, out, faults);
            return;
        }
        if session != self.session {
            if self.session != [0; SESSION_BYTES] {
                self.stream.finish(&mut self.market, out, faults);
                self.market.restart(at, out);
            }
            self.session = session;
            self.stream.restart();
        }
        self.stream.receive(block, &mut self.market, out, faults);
    }

    fn finish(&mut self, out: &mut Vec<Tick>, faults: &mut Faults) {
        self.stream.finish(&mut self.market, out, faults);
    }
}

/// Session, first number and count of a datagram.
fn header(payload: &[u8]) -> Option<([u8; SESSION_BYTES], u64, u16)> {
    let (head, _) = payload.split_at_checked(HEADER_BYTES)?;
    let (session, rest) = head.split_first_chunk()?;
    let (first, rest) = rest.split_first_chunk()?;
    Some((*session, u64::from_be_bytes(*first), u16::from_be_bytes(*rest.first_chunk()?)))
}
