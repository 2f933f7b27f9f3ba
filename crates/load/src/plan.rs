//! What a crowd is told before it connects: who comes, in which groups, and what is made of what they get.

use std::net::SocketAddr;

use crate::clock::Stamp;
use crate::dialect::Dialect;
use crate::stream::Trust;

/// What clients are to be connected.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Where.
    pub address: SocketAddr,
    /// The server's name, as clients know it.
    pub host: &'a str,
    /// With TLS where there is a trust.
    pub trust: Option<Trust>,
    /// How the server is spoken to.
    pub dialect: &'a Dialect,
    /// The names that `wants` points to.
    pub symbols: &'a [String],
    /// What each client subscribes to.
    pub wants: &'a [Vec<usize>],
    /// Connections that are opened at a time.
    pub at_a_time: usize,
    /// Connections that are opened in a second at most; 0 = as many as can be.
    pub ramp: u32,
    /// Groups, from the first client on; the rest is the last group, which reads all it can.
    pub slow: &'a [Group],
    /// What is made of what comes.
    pub looks: Looks,
    /// What an age counts from, and how many nanoseconds the server's clock is before ours.
    pub stamp: (Stamp, i64),
}

impl Plan<'_> {
    /// What a client subscribes to.
    pub(crate) fn symbols_of(&self, number: usize) -> Vec<&str> {
        self.wants[number].iter().map(|&at| self.symbols[at].as_str()).collect()
    }
}

/// Clients that will read less than they could: their receive buffers are small, so that it shows.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// How many.
    pub count: usize,
    /// Bytes a second that each of them reads, when it is told to be slow.
    pub bytes_per_second: u32,
}

/// What is made of what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Frames and records are counted, of one client in so many; over TLS, what the others get is read and
    /// not deciphered.
    Count(usize),
    /// Every client holds the server to its promise.
    Check,
}

/// The group of a client: those that can be slow come first.
pub(crate) fn group(slow: &[Group], number: usize) -> usize {
    let mut end = 0;
    let ends = slow.iter().map(|group| {
        end += group.count;
        end
    });
    ends.take_while(|end| *end <= number).count()
}
