//! Many clients in one thread: sockets, a shared buffer, and counters. Cheap, because what it costs is
//! taken from what it measures.

mod client;
mod dialect;
mod frames;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};

use client::{Client, News};
pub(crate) use dialect::Dialect;
pub(crate) use frames::Tally;

/// What clients are to be connected.
pub(crate) struct Plan<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) dialect: &'a Dialect,
    /// The names that `wants` points to.
    pub(crate) symbols: &'a [String],
    /// What each client subscribes to.
    pub(crate) wants: &'a [Vec<usize>],
    /// Connections that are opened at a time.
    pub(crate) at_a_time: usize,
    /// So many of the first clients are to stall: their receive buffers are small, so that it shows.
    pub(crate) to_stall: usize,
}

/// Clients that are connected and subscribed.
pub(crate) struct Crowd {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    buffer: Vec<u8>,
    dialect: Dialect,
    /// Of the healthy, of those that are to stall.
    pub(crate) tallies: [Tally; 2],
    /// From the beginning of a connection to its subscription, in microseconds.
    pub(crate) opening: Histogram<u64>,
}

const BUFFER: usize = 256 << 10;
const EVENTS: usize = 4_096;
/// Receive buffer of a client that is to stall.
const STALL_BUFFER: usize = 16 << 10;
/// All connections are open by then, or the run fails.
const PATIENCE: Duration = Duration::from_secs(60);

impl Crowd {
    /// Connects and subscribes everybody.
    pub(crate) fn connect(plan: &Plan<'_>) -> anyhow::Result<Self> {
        let mut crowd = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            clients: Vec::with_capacity(plan.wants.len()),
            buffer: vec![0; BUFFER],
            dialect: plan.dialect.clone(),
            tallies: [Tally::new(u64::MAX), Tally::new(u64::MAX)],
            opening: Histogram::new_with_bounds(1, 600_000_000, 3)?,
        };
        let (began, mut live) = (Instant::now(), 0);
        while live < plan.wants.len() {
            while crowd.clients.len() < plan.wants.len().min(live + plan.at_a_time) {
                crowd.open(plan)?;
            }
            live += crowd.open_more(plan)?;
            ensure!(began.elapsed() < PATIENCE, "only {live} of {} connected in time", plan.wants.len());
        }
        Ok(crowd)
    }

    fn open(&mut self, plan: &Plan<'_>) -> anyhow::Result<()> {
        let number = self.clients.len();
        let stalls = number < plan.to_stall;
        let mut client = Client::connect(number, plan.address, stalls.then_some(STALL_BUFFER))?;
        client.group = usize::from(stalls);
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut client.stream, Token(number), interest)?;
        self.clients.push(client);
        Ok(())
    }

    /// Looks at the sockets while connections are being opened; returns how many became live.
    fn open_more(&mut self, plan: &Plan<'_>) -> anyhow::Result<usize> {
        let Self { poll, events, clients, buffer, dialect, tallies, opening } = self;
        wait(poll, events, Duration::from_millis(100))?;
        let mut live = 0;
        for event in &*events {
            let client = &mut clients[event.token().0];
            let tally = &mut tallies[client.group];
            if event.is_writable() {
                client.handle_writable(dialect, plan.address)?;
            }
            if event.is_readable() {
                let wants = &plan.wants[event.token().0];
                let symbols: Vec<&str> = wants.iter().map(|&at| plan.symbols[at].as_str()).collect();
                if client.handle_readable(buffer, dialect, &symbols, tally)? == News::Live {
                    live += 1;
                    opening.saturating_record(u64::try_from(client.began.elapsed().as_micros())?);
                }
            }
        }
        Ok(live)
    }

    /// Reads for so long; returns how many were cut off.
    pub(crate) fn read(&mut self, span: Duration) -> anyhow::Result<usize> {
        let until = Instant::now() + span;
        let Self { poll, events, clients, buffer, dialect, tallies, .. } = self;
        let mut gone = 0;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(gone);
            }
            wait(poll, events, left)?;
            for event in &*events {
                let client = &mut clients[event.token().0];
                if event.is_readable() {
                    let tally = &mut tallies[client.group];
                    gone += usize::from(client.handle_readable(buffer, dialect, &[], tally)? == News::Gone);
                }
            }
        }
    }

    /// Those that are to stall stop reading, or go on.
    pub(crate) fn stall(&mut self, stalled: bool) -> anyhow::Result<()> {
        let Self { clients, buffer, dialect, tallies, .. } = self;
        for client in clients.iter_mut().filter(|client| client.group == 1) {
            client.stalled = stalled;
            if !stalled && !client.is_gone() {
                // Nobody tells again of what waits already.
                client.handle_readable(buffer, dialect, &[], &mut tallies[1])?;
            }
        }
        Ok(())
    }

    /// How many the server hung up on.
    pub(crate) fn gone(&self) -> usize {
        self.clients.iter().filter(|client| client.is_gone()).count()
    }

    /// Forgets what was counted; from here on the age of one record in `every` is looked at.
    pub(crate) fn restart(&mut self, every: u64) {
        self.tallies.iter_mut().for_each(|tally| tally.restart(every));
    }
}

fn wait(poll: &mut Poll, events: &mut Events, most: Duration) -> anyhow::Result<()> {
    match poll.poll(events, Some(most)) {
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        other => Ok(other?),
    }
}
