//! What an operator asks of a shard: who is there, and to do something about one of them.

use std::net::SocketAddr;
use std::sync::Arc;

use fanout::{Event, Kept, Ledger};
use serde::Serialize;
use tokio::sync::oneshot;
use wire::LedgerEntry;

use super::Core;
use super::member::Member;
use super::wanted::{Place, Rates, Tallies, Tally, Wanted};
use crate::socket::Encoding;

/// Something asked of a shard.
pub(crate) enum Order {
    /// What its sessions have been sent so far, by name.
    Tally { wanted: Wanted, reply: oneshot::Sender<Tallies> },
    /// Its sessions: how many are wanted, and the first of them.
    List { wanted: Wanted, reply: oneshot::Sender<(usize, Vec<Report>)> },
    /// One session, after something has been done about it; `None` where it is not here.
    One { session: String, change: Change, reply: oneshot::Sender<Option<Report>> },
    /// What its logs keep, at most so many events of a stream and about so many in all; `None` where it has not
    /// come as far as `since`.
    Estate { since: u64, most: usize, all: usize, reply: oneshot::Sender<Option<Estate>> },
}

/// Where the logs stand in the total order, and what they keep.
pub(crate) type Estate = (u64, Vec<Kept<Arc<Event>>>);

/// What is done about a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// It ends.
    pub(crate) kick: bool,
    /// It has so many bytes a second at most; 0 = any number.
    pub(crate) ceiling: Option<u64>,
    /// What it sends and is sent is logged.
    pub(crate) trace: Option<bool>,
}

/// How a session is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    /// Where it stands among those that are listed.
    #[serde(skip)]
    pub(crate) place: Place,
    pub(crate) session: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<SocketAddr>,
    pub(crate) door: &'static str,
    pub(crate) encoding: &'static str,
    pub(crate) open_seconds: u64,
    pub(crate) subscriptions: usize,
    pub(crate) mode: &'static str,
    pub(crate) oldest_pending_ms: u64,
    pub(crate) source_lag_ms: u64,
    pub(crate) requests: u64,
    pub(crate) flushes: u64,
    pub(crate) sent_bytes: u64,
    /// As the client asked, or as an operator said if that is less; 0 = any number.
    pub(crate) bytes_per_second: u64,
    pub(crate) delivered: u64,
    pub(crate) coalesced: u64,
    pub(crate) skipped: u64,
    pub(crate) pending: u64,
    pub(crate) trace: bool,
    /// What it is sent in a second, where it was looked at for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rates: Option<Rates>,
    /// Stream by stream, where one session was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ledger: Option<Vec<LedgerEntry>>,
}

impl Order {
    /// Carries it out. Whoever has gone meanwhile needs no reply.
    pub(super) fn obey<'a>(
        self,
        members: impl Iterator<Item = &'a mut Member>,
        core: &mut Core,
    ) -> Option<usize> {
        match self {
            Self::Tally { wanted, reply } => {
                let here: Vec<_> = members.filter(|member| wanted.covers(member)).collect();
                // Where what is sent does not decide who comes first, it matters of those who do.
                let here = if wanted.sort.is_by_rate() { here } else { wanted.first(here, core) };
                let tally = |member: &mut Member| (member.session.name.clone(), member.tally(core));
                let _ = reply.send(here.into_iter().map(tally).collect());
                None
            }
            Self::List { wanted, reply } => {
                let here: Vec<_> = members.filter(|member| wanted.covers(member)).collect();
                let count = here.len();
                let reports = wanted.first(here, core).into_iter().map(|member| {
                    let (place, rates) = (wanted.place(member, core), wanted.rates(member, core));
                    Report { place, rates, ..member.report(core, false) }
                });
                let _ = reply.send((count, reports.collect()));
                None
            }
            Self::One { session, change, reply } => {
                let mut members = members;
                let member = members.find(|member| member.session.name == session);
                let changed =
                    member.as_ref().filter(|_| change != Change::default()).map(|member| member.key());
                let _ = reply.send(member.map(|member| {
                    member.change(change, core);
                    member.report(core, true)
                }));
                changed
            }
            Self::Estate { since, most, all, reply } => {
                let position = core.fanout.position();
                let kept = || {
                    let most = most.min(all / core.fanout.topic_count().max(1)).max(1);
                    (position, core.fanout.kept(most))
                };
                let _ = reply.send((position >= since).then(kept));
                None
            }
        }
    }
}

impl Member {
    fn change(&mut self, change: Change, core: &mut Core) {
        let Change { kick, ceiling, trace } = change;
        if let Some(ceiling) = ceiling {
            self.session.pace.set_ceiling(ceiling, core.now);
        }
        if let Some(trace) = trace {
            self.trace = trace;
        }
        if kick {
            self.session.handle_kick();
        }
    }

    /// What it has been sent so far.
    pub(super) fn tally(&self, core: &mut Core) -> Tally {
        let mut tally = Tally { sent_bytes: self.sent_bytes, ..Tally::default() };
        for ledger in core.ctx().fanout.ledgers(self.session.id) {
            tally.delivered += ledger.delivered;
            tally.coalesced += ledger.coalesced;
            tally.skipped += ledger.skipped;
        }
        tally
    }

    fn report(&self, core: &mut Core, whole: bool) -> Report {
        let (now, ctx) = (core.now, core.ctx());
        let ledgers = ctx.fanout.ledgers(self.session.id);
        let lag = ctx.fanout.lag(self.session.id, now);
        let sum = |part: fn(&Ledger) -> u64| ledgers.iter().map(part).sum();
        Report {
            place: Place::default(),
            session: self.session.name.clone(),
            subject: self.session.subject().map(str::to_owned),
            tenant: self.session.tenant().map(str::to_owned),
            address: self.origin.from,
            door: self.socket.door(),
            encoding: match self.socket.encoding() {
                Encoding::Json => "json",
                Encoding::MessagePack => "msgpack",
            },
            open_seconds: now.saturating_sub(self.opened).as_secs(),
            subscriptions: ledgers.len(),
            mode: if self.session.closing().is_some() {
                "closing"
            } else if self.is_stalled(lag) {
                "stalled"
            } else if lag.coalescing {
                "coalescing"
            } else {
                "keeping_up"
            },
            oldest_pending_ms: lag.oldest_pending_ms,
            source_lag_ms: lag.source_lag_ms,
            requests: self.received,
            flushes: self.sent,
            sent_bytes: self.sent_bytes,
            bytes_per_second: self.session.pace.bytes_per_second(),
            delivered: sum(|ledger| ledger.delivered),
            coalesced: sum(|ledger| ledger.coalesced),
            skipped: sum(|ledger| ledger.skipped),
            pending: sum(|ledger| ledger.pending),
            trace: self.trace,
            rates: None,
            ledger: whole.then(|| self.session.ledger(&ctx)),
        }
    }
}
