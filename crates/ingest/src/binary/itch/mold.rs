//! `MoldUDP64`: the sessions and numbers of messages in datagrams, and which datagrams are none of it.

use model::{Tick, UnixNanos};

use super::super::error::BinaryError;
use super::super::net::{Arrived, Block, Faults, Protocol, Stream, Target};
use super::day::Day;
use super::exchange::Exchange;
use super::market::Market;
use super::message;
use crate::note::Note;

/// Session, number of the first message, and how many there are.
const HEADER_BYTES: usize = 20;
const SESSION_BYTES: usize = 10;
/// Instead of how many: the session is over.
const END: u16 = 0xffff;
/// Groups that carry one session: two, and who answers requests.
const GROUPS_MAX: usize = 64;
/// Sessions that are remembered to be over.
const OVER_MAX: usize = 64;
/// A session says that it is alive every second: one that says nothing for so long is over.
const SILENCE_MAX: u64 = 600_000_000_000;

type Session = [u8; SESSION_BYTES];

pub(super) struct Mold {
    session: Option<Session>,
    /// Where it came, of which each carries all of it: a copy of a message is known by its number.
    groups: Vec<Target>,
    stream: Stream,
    /// It said that it is over.
    ended: bool,
    /// When its newest datagram came.
    newest: Option<UnixNanos>,
    /// Sessions that another one followed.
    over: Vec<Session>,
    pub(super) market: Market,
    /// Nothing says of which day the messages are.
    dayless: bool,
    /// Datagrams of something else.
    foreign: u64,
    /// Datagrams of other sessions than the one that is read.
    elsewhere: u64,
}

impl Mold {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self {
            session: None,
            groups: Vec::new(),
            stream: Stream::new(true),
            ended: false,
            newest: None,
            over: Vec::new(),
            market: Market::new(exchange),
            dayless: false,
            foreign: 0,
            elsewhere: 0,
        }
    }
}

impl Protocol for Mold {
    fn handle(&mut self, arrived: &Arrived<'_>, out: &mut Vec<Tick>, faults: &mut Faults) {
        let &Arrived { to, payload, lacks, at, packet } = arrived;
        let known = self.groups.contains(&to);
        let Some(header) = header(payload) else {
            if !known {
                self.foreign += 1;
                return;
            }
            let len = payload.len();
            let short = BinaryError::Short { what: "a MoldUDP64 datagram", len, least: HEADER_BYTES };
            return faults.push(packet, short);
        };
        let Header { session, first, count } = header;
        let messages = &payload[HEADER_BYTES..];
        // Captures that were put together by hand have no numbers.
        let unnumbered = first == 0 && session == [0; SESSION_BYTES];
        // Who asks for messages again has none, and is no part of what he asks for.
        let asks = messages.is_empty() && lacks == 0 && !matches!(count, 0 | END);
        let ours = known && (unnumbered || self.session == Some(session));
        if asks || !(ours || header.is_plausible(messages, lacks > 0)) {
            self.foreign += 1;
            return;
        }
        if !self.market.day.is_known(at) {
            self.dayless = true;
            return faults.push(packet, BinaryError::NoDay);
        }
        if !unnumbered && !self.enter(arrived, session, out, faults) {
            self.elsewhere += 1;
            return;
        }
        if !self.groups.contains(&to) && self.groups.len() < GROUPS_MAX {
            self.groups.push(to);
        }
        if lacks > 0 {
            faults.push(packet, BinaryError::Lacks(lacks));
        }
        // Where nothing is carried, the number tells what comes next.
        let block = Block { first, count: if count == END { 0 } else { count.into() }, messages, at, packet };
        if unnumbered {
            self.stream.read(block, 0, &mut self.market, out, faults);
            return;
        }
        self.ended |= count == END;
        self.newest = at.max(self.newest);
        self.stream.receive(block, &mut self.market, out, faults);
    }

    fn finish(&mut self, out: &mut Vec<Tick>, faults: &mut Faults) {
        self.stream.finish(&mut self.market, out, faults);
    }
}

impl Mold {
    /// A capture begins, of messages of that day.
    pub(super) fn open(&mut self, day: Day) {
        (self.market.day, self.dayless) = (day, false);
    }

    /// Whether nothing says of which day messages are.
    pub(super) const fn has_no_day(&self) -> bool {
        self.dayless
    }

    /// What is to be said of what was read so far.
    pub(super) fn notes(&self) -> Vec<Note> {
        [Note::Foreign(self.foreign), Note::Elsewhere(self.elsewhere)]
            .into_iter()
            .chain(self.market.notes())
            .filter(|note| !note.is_nothing())
            .collect()
    }

    /// Whether a datagram's session is the one that is read, from now on at the latest.
    ///
    /// Both lines of a feed carry the same session, and so do answers to requests: it is not the group that tells
    /// streams apart. Another session on a group that carried ours follows it. On another group it is another
    /// market's at the same time: its orders have the same numbers as ours and its shares the same names, and books
    /// of both would be nobody's. It is left alone as long as ours goes on.
    fn enter(
        &mut self,
        arrived: &Arrived<'_>,
        session: Session,
        out: &mut Vec<Tick>,
        faults: &mut Faults,
    ) -> bool {
        if self.session == Some(session) {
            return true;
        }
        if self.over.contains(&session) {
            return false;
        }
        if let Some(before) = self.session {
            if !self.groups.contains(&arrived.to) && !self.is_over(arrived.at) {
                return false;
            }
            self.stream.finish(&mut self.market, out, faults);
            self.market.restart(arrived.at, out);
            if self.over.len() == OVER_MAX {
                self.over.remove(0);
            }
            self.over.push(before);
            self.groups.clear();
            self.ended = false;
        }
        self.session = Some(session);
        self.stream.restart();
        true
    }

    /// Whether nothing more can come of the session that is read.
    fn is_over(&self, at: Option<UnixNanos>) -> bool {
        let silent = match (self.newest, at) {
            (Some(newest), Some(at)) => at > newest.later(SILENCE_MAX),
            _ => false,
        };
        self.ended || silent
    }
}

/// What stands before the messages of a datagram.
#[derive(Clone, Copy)]
struct Header {
    session: Session,
    first: u64,
    count: u16,
}

fn header(payload: &[u8]) -> Option<Header> {
    let (head, _) = payload.split_at_checked(HEADER_BYTES)?;
    let (session, rest) = head.split_first_chunk()?;
    let (first, rest) = rest.split_first_chunk()?;
    let count = u16::from_be_bytes(*rest.first_chunk()?);
    Some(Header { session: *session, first: u64::from_be_bytes(*first), count })
}

impl Header {
    /// Whether this can be what it seems, of which nothing is known yet: a session has a name, and its messages fill
    /// the datagram and begin with one of ours. Of a datagram that was cut, this holds as far as it goes.
    fn is_plausible(&self, messages: &[u8], cut: bool) -> bool {
        let named = self.session.iter().all(|byte| matches!(byte, b' '..=b'~'));
        match self.count {
            0 | END => named && messages.is_empty() && !cut,
            count => (named || self.session == [0; SESSION_BYTES]) && are_ours(messages, count, cut),
        }
    }
}

fn are_ours(messages: &[u8], count: u16, cut: bool) -> bool {
    let mut rest = messages;
    for at in 0..count {
        let Some((len, behind)) = rest.split_first_chunk() else { return cut && at > 0 };
        let len = usize::from(u16::from_be_bytes(*len));
        let least = behind.first().and_then(|&of| message::bytes(of));
        if at == 0 && least.is_none_or(|least| len < least) {
            return false;
        }
        let Some(behind) = behind.get(len..) else { return cut };
        rest = behind;
    }
    rest.is_empty()
}
