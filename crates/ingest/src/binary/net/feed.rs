//! Steps through a capture: a packet each, whose datagram goes to a protocol.

use std::collections::VecDeque;

use model::{Tick, UnixNanos};

use super::super::bytes::Window;
use super::capture::Capture;
use super::datagram::{Datagram, Target, datagram};
use crate::error::FeedError;
use crate::reader::{Spot, Step};

/// What is carried by datagrams.
pub(crate) trait Protocol {
    /// A datagram arrived.
    fn handle(&mut self, arrived: &Arrived<'_>, out: &mut Vec<Tick>, faults: &mut Faults);

    /// Nothing more comes: what waits for something is told as it is.
    fn finish(&mut self, out: &mut Vec<Tick>, faults: &mut Faults);
}

/// A datagram, and where and when it was captured.
#[derive(Clone, Copy)]
pub(crate) struct Arrived<'a> {
    pub(crate) to: Target,
    pub(crate) payload: &'a [u8],
    /// Bytes at its end that the capture has not kept.
    pub(crate) lacks: usize,
    pub(crate) at: Option<UnixNanos>,
    /// Its packet's number in the file.
    pub(crate) packet: u64,
}

/// What was wrong with packets, to be told one by one.
#[derive(Default)]
pub(crate) struct Faults(VecDeque<(Spot, FeedError)>);

impl Faults {
    pub(crate) fn push(&mut self, packet: u64, error: impl Into<FeedError>) {
        self.0.push_back((Spot::packet(packet), error.into()));
    }
}

/// A capture that is read.
pub(crate) struct Feed {
    capture: Capture,
    faults: Faults,
    ended: bool,
}

impl Feed {
    pub(crate) fn new(window: Window) -> Self {
        Self { capture: Capture::new(window), faults: Faults::default(), ended: false }
    }

    pub(crate) const fn spot(&self) -> Spot {
        Spot::packet(self.capture.number())
    }

    /// Reads the next packet, or tells a fault that is left of the one before.
    pub(crate) fn step(&mut self, protocol: &mut impl Protocol, out: &mut Vec<Tick>) -> Step {
        if let Some((spot, error)) = self.faults.0.pop_front() {
            return Step::Broken { spot, error };
        }
        if self.ended {
            return Step::End;
        }
        let (number, offset) = (self.capture.number() + 1, self.capture.offset());
        let faults = &mut self.faults;
        match self.capture.next() {
            Ok(Some(packet)) => match datagram(packet.link, packet.bytes) {
                Ok(Some(datagram)) => {
                    let Datagram { to, payload, lacks } = datagram;
                    // Tools that leave the time out write the first second of 1970.
                    let at = packet.at.filter(|at| at.0 > 0);
                    let arrived = Arrived { to, payload, lacks, at, packet: number };
                    protocol.handle(&arrived, out, faults);
                }
                Ok(None) => {}
                Err(error) => faults.push(number, error),
            },
            end => {
                self.ended = true;
                let before = out.len();
                protocol.finish(out, faults);
                match end {
                    Err(error) => faults.0.push_back((Spot::byte(offset), error)),
                    _ if out.len() == before && faults.0.is_empty() => return Step::End,
                    _ => {}
                }
            }
        }
        match faults.0.pop_front() {
            Some((spot, error)) => Step::Broken { spot, error },
            None => Step::Ticks,
        }
    }
}
