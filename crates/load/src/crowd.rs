//! Many clients in one thread.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};

use crate::account::{Account, Fault, Totals};
use crate::client::{Books, Client, News, Script};
use crate::door::{Door, Round, Visit};
use crate::error::LoadError;
use crate::frames::Walker;
use crate::plan::{Group, Looks, Plan, group};
use crate::stream::{Buffers, Stream};
use crate::tally::{AGE_MAX, Tally, ages};

/// Clients that are connected and subscribed.
pub struct Crowd {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    buffers: Buffers,
    batches: bool,
    slow: Vec<Group>,
    slowed: bool,
    /// When the next of those that are slow read, and which.
    next: (Instant, usize),
    round: Option<Round>,
    /// Of each group of those that can be slow, then of the rest.
    pub tallies: Vec<Tally>,
    /// From the beginning of a connection to its subscription, in microseconds.
    pub opening: Histogram<u64>,
}

const EVENTS: usize = 4_096;
/// Receive buffer of a client that is to be slow.
const SLOW_BUFFER: usize = 16 << 10;
/// All connections are open by then, but for the time that a ramp takes, or the run fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often each of those that are slow reads.
const SIP: Duration = Duration::from_millis(100);
const SIPS_PER_SECOND: u32 = 10;
/// They read in turn, a part of them at a time, so that the others do not wait here for all of them.
const PARTS: usize = 50;
const PART: Duration = Duration::from_millis(2);

impl Crowd {
    /// Connects and subscribes everybody; `progress` hears how many are.
    ///
    /// # Errors
    /// Nobody listens, the server refuses, or it takes too long.
    pub fn connect(plan: &Plan<'_>, mut progress: impl FnMut(usize)) -> Result<Self, LoadError> {
        let (count, most) = (plan.wants.len(), sockets_max()?);
        if count > most {
            return Err(LoadError::Files { count, most });
        }
        let tallies = (0..=plan.slow.len()).map(|_| Tally::new(plan.stamp.0, plan.stamp.1)).collect();
        let mut crowd = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            clients: Vec::with_capacity(count),
            buffers: Buffers::new(),
            batches: plan.dialect.batches,
            slow: plan.slow.to_vec(),
            slowed: false,
            next: (Instant::now(), 0),
            round: None,
            tallies,
            opening: ages(),
        };
        let (began, mut live) = (Instant::now(), 0);
        let ramp = |count: usize| match plan.ramp {
            0 => Duration::ZERO,
            ramp => Duration::from_secs(1) * u32::try_from(count).unwrap_or(u32::MAX) / ramp,
        };
        while live < count {
            while crowd.clients.len() < count.min(live + plan.at_a_time)
                && began.elapsed() >= ramp(crowd.clients.len())
            {
                crowd.open(plan)?;
            }
            live += crowd.open_more(plan)?;
            progress(live);
            if began.elapsed() > PATIENCE + ramp(count) {
                return Err(LoadError::Slow { live, count });
            }
        }
        crowd.round = match plan.dialect.door {
            Some(Door::Snapshot(every)) => Some(Round::begin(every, count)),
            _ => None,
        };
        Ok(crowd)
    }

    fn open(&mut self, plan: &Plan<'_>) -> Result<(), LoadError> {
        let number = self.clients.len();
        let group = group(plan.slow, number);
        let window = (group < plan.slow.len()).then_some(SLOW_BUFFER);
        let mut stream = Stream::connect(number, plan.address, window, plan.trust.as_ref())?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream.socket, Token(number), interest)?;
        let books = match plan.looks {
            _ if let Some(door) = plan.dialect.door => {
                let request = plan.dialect.request(plan.host, &plan.symbols_of(number));
                Books::Visit(Box::new(Visit::new(door, request)))
            }
            Looks::Check => Books::Account(Box::<Account>::default()),
            Looks::Count(every) if plan.trust.is_none() || number.is_multiple_of(every) => {
                Books::Walker(Walker::default())
            }
            Looks::Count(_) => Books::Sealed,
        };
        self.clients.push(Client::new(stream, books, group));
        Ok(())
    }

    /// Looks at the sockets while connections are being opened; returns how many became live.
    fn open_more(&mut self, plan: &Plan<'_>) -> Result<usize, LoadError> {
        let Self { poll, events, clients, buffers, tallies, opening, .. } = self;
        wait(poll, events, if plan.ramp > 0 { SHORT } else { SIP })?;
        let mut live = 0;
        for event in &*events {
            let client = &mut clients[event.token().0];
            let tally = &mut tallies[client.group];
            let symbols = plan.symbols_of(event.token().0);
            let script = Script { dialect: plan.dialect, host: plan.host, symbols: &symbols };
            if event.is_writable() {
                client.handle_writable(&script)?;
            }
            if !event.is_readable() {
                continue;
            }
            if client.is_live() {
                client.read(buffers, usize::MAX, plan.dialect.batches, tally)?;
            } else if client.handle_opening(buffers, &script, tally)? == News::Live {
                live += 1;
                opening
                    .saturating_record(u64::try_from(client.began.elapsed().as_micros()).unwrap_or(AGE_MAX));
            }
        }
        Ok(live)
    }

    /// Reads for so long; returns how many the server lost meanwhile.
    ///
    /// # Errors
    /// The system refuses something.
    pub fn read(&mut self, span: Duration) -> Result<usize, LoadError> {
        let until = Instant::now() + span;
        let mut gone = 0;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(gone);
            }
            gone += self.read_once(left)?;
        }
    }

    fn read_once(&mut self, most: Duration) -> Result<usize, LoadError> {
        let mut gone = 0;
        let most = if self.slowed { most.min(PART) } else { most };
        let most = self.round.as_ref().map_or(most, |round| most.min(round.rest()));
        wait(&mut self.poll, &mut self.events, most)?;
        let Self { events, clients, buffers, tallies, batches, slowed, slow, .. } = self;
        for event in &*events {
            let client = &mut clients[event.token().0];
            if event.is_readable() && !(*slowed && client.group < slow.len()) {
                let tally = &mut tallies[client.group];
                gone += usize::from(client.read(buffers, usize::MAX, *batches, tally)? == News::Gone);
            }
        }
        // Late or not, each of them has had as many turns as it was to have.
        for _ in 0..PARTS {
            if !self.slowed || Instant::now() < self.next.0 {
                break;
            }
            let part = self.next.1;
            self.next = (self.next.0 + PART, (part + 1) % PARTS);
            gone += self.sip(part, PARTS)?;
        }
        let Self { clients, tallies, round, .. } = self;
        while let Some(who) = round.as_mut().and_then(Round::next) {
            let client = &mut clients[who];
            client.ask(&mut tallies[client.group])?;
        }
        Ok(gone)
    }

    /// Of those that are slow, one in `every` reads what it may.
    fn sip(&mut self, first: usize, every: usize) -> Result<usize, LoadError> {
        let Self { clients, buffers, tallies, batches, slow, slowed, .. } = self;
        let mut gone = 0;
        for client in clients.iter_mut().skip(first).step_by(every) {
            let Some(group) = slow.get(client.group) else { break };
            let most = if *slowed { group.bytes_per_second / SIPS_PER_SECOND } else { u32::MAX };
            let tally = &mut tallies[client.group];
            let news = client.read(buffers, usize::try_from(most).unwrap_or(usize::MAX), *batches, tally)?;
            gone += usize::from(news == News::Gone);
        }
        Ok(gone)
    }

    /// Those that are to be slow become so, or read on as the others do.
    ///
    /// # Errors
    /// The system refuses something.
    pub fn slow(&mut self, slowed: bool) -> Result<(), LoadError> {
        self.slowed = slowed;
        self.next.0 = Instant::now();
        // Nobody tells again of what waits already.
        if slowed { Ok(()) } else { self.sip(0, 1).map(drop) }
    }

    /// Asks everybody for the ledger, and waits until all have been held to what came.
    ///
    /// # Errors
    /// The system refuses something.
    pub fn settle(&mut self, patience: Duration) -> Result<(), LoadError> {
        self.slow(false)?;
        for client in self.clients.iter_mut().filter(|client| client.is_live()) {
            client.send("{\"op\":\"ledger\"}")?;
        }
        let until = Instant::now() + patience;
        while self.clients.iter().any(Client::owes) && Instant::now() < until {
            self.read_once(SIP)?;
        }
        Ok(())
    }

    /// Where the promise was broken: of every client that was caught, hung up on or, once the ledgers were
    /// asked for, got none.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.clients.iter().filter_map(|client| client.fault().or(client.owes().then_some(&Fault::Silence)))
    }

    /// What came to each group, as far as it was checked.
    #[must_use]
    pub fn totals(&self) -> Vec<Totals> {
        let mut totals = vec![Totals::default(); self.tallies.len()];
        for client in &self.clients {
            if let Some(account) = client.account() {
                totals[client.group] += account.totals();
            }
        }
        totals
    }

    /// How many are gone.
    #[must_use]
    pub fn gone(&self) -> usize {
        self.clients.iter().filter(|client| client.fault().is_some()).count()
    }

    /// Forgets what was counted; from here on the age of one record in `every` is looked at.
    pub fn restart(&mut self, every: u64) {
        self.tallies.iter_mut().for_each(|tally| tally.restart(every));
    }
}

/// While connections are opened by a ramp.
const SHORT: Duration = Duration::from_millis(1);

fn wait(poll: &mut Poll, events: &mut Events, most: Duration) -> Result<(), LoadError> {
    match poll.poll(events, Some(most)) {
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Open files that this process may have, less some for other things than clients.
///
/// # Errors
/// The system does not say.
pub fn sockets_max() -> std::io::Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Ok(soft.unwrap_or(usize::MAX).saturating_sub(FILES_KEPT))
}

const FILES_KEPT: usize = 200;
