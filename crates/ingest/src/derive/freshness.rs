//! Whether a feed is alive, said for each of its symbols.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Body, Instrument, State, StatusChange, Symbol, Tick, UnixNanos};
use serde::{Deserialize, Serialize};

/// The state of a feed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    /// Messages come in.
    Live,
    /// It is connected but silent for too long.
    Stale,
    /// It is not connected, or has ended.
    Down,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Freshness {
    feed: Box<str>,
    health: Health,
    symbols: HashMap<Symbol, Known>,
    /// The newest time of an event.
    last: UnixNanos,
    /// The newest time at which anything was heard of the feed, if only a heartbeat.
    heard: UnixNanos,
    swept: UnixNanos,
}

/// What is known of a symbol.
#[derive(Serialize, Deserialize)]
struct Known {
    /// The state that it has by its venue's word.
    state: State,
    /// Its newest event.
    last: UnixNanos,
    /// Nothing is expected of it.
    quiet: bool,
}

/// A symbol of a feed that is alive is quiet after this long without an event, and until two come within less.
const QUIET_AFTER: u64 = 60_000_000_000;
/// How often symbols are looked through for such.
const SWEEP: u64 = 1_000_000_000;

impl Known {
    const fn shown(&self) -> State {
        if self.quiet { State::QuietExpected } else { self.state }
    }
}

impl Freshness {
    pub(super) fn new(feed: &str) -> Self {
        Self {
            feed: feed.into(),
            health: Health::Live,
            symbols: HashMap::new(),
            last: UnixNanos(0),
            heard: UnixNanos(0),
            swept: UnixNanos(0),
        }
    }

    /// Says whose word a change of state is.
    pub(super) fn sign(&self, change: &mut StatusChange) {
        change.feed.clone_from(&self.feed);
    }

    /// Something was heard of the feed.
    pub(super) fn hear(&mut self, at: UnixNanos) {
        self.heard = self.heard.max(at);
    }

    /// A symbol seen for the first time is open, unless its first tick says otherwise.
    pub(super) fn handle(&mut self, tick: &Tick, at: UnixNanos, out: &mut Vec<Tick>) {
        self.last = self.last.max(at);
        self.hear(at);
        let said = match &tick.body {
            Body::Status(change) => Some(change.state),
            _ => None,
        };
        match (self.symbols.get_mut(&tick.instrument.symbol), said) {
            (Some(known), Some(said)) => {
                known.state = said;
                known.quiet &= said == State::Open;
            }
            (Some(known), None) => {
                let silence = at.since(known.last);
                known.last = known.last.max(at);
                if known.quiet && silence < QUIET_AFTER {
                    known.quiet = false;
                    let state = known.state;
                    if self.health == Health::Live {
                        out.push(self.tick(&tick.instrument, state, "events again", at, None));
                    }
                }
            }
            (None, said) => {
                let state = said.unwrap_or(State::Open);
                self.symbols.insert(tick.instrument.symbol.clone(), Known { state, last: at, quiet: false });
                if said.is_none() {
                    out.push(self.tick(&tick.instrument, State::Open, "first event", at, None));
                }
            }
        }
    }

    /// Time passed: symbols that nothing has come of for long, while the feed is alive, are quiet.
    pub(super) fn advance<'a>(
        &mut self,
        instruments: impl Iterator<Item = &'a Arc<Instrument>>,
        out: &mut Vec<Tick>,
    ) {
        if self.heard.since(self.swept) < SWEEP || self.health != Health::Live {
            return;
        }
        self.swept = self.heard;
        for instrument in instruments {
            let Some(known) = self.symbols.get_mut(&instrument.symbol) else { continue };
            if known.quiet || known.state != State::Open || self.heard.since(known.last) < QUIET_AFTER {
                continue;
            }
            known.quiet = true;
            let (since, at) = (Some(known.last), self.heard);
            let reason = format!("no event for {} s, while its feed is alive", QUIET_AFTER / 1_000_000_000);
            out.push(self.tick(instrument, State::QuietExpected, &reason, at, since));
        }
    }

    pub(super) fn change<'a>(
        &mut self,
        health: Health,
        reason: &str,
        now: UnixNanos,
        instruments: impl Iterator<Item = &'a Arc<Instrument>>,
        out: &mut Vec<Tick>,
    ) {
        if health == self.health {
            return;
        }
        self.health = health;
        for instrument in instruments {
            let known = self.symbols.get(&instrument.symbol);
            let (state, since) = match health {
                Health::Live => (known.map_or(State::Open, Known::shown), None),
                Health::Stale => (State::Stale, Some(self.last)),
                Health::Down => (State::SourceDown, Some(self.last)),
            };
            out.push(self.tick(instrument, state, reason, now, since));
        }
    }

    pub(super) fn tick(
        &self,
        instrument: &Arc<Instrument>,
        state: State,
        reason: &str,
        at: UnixNanos,
        since: Option<UnixNanos>,
    ) -> Tick {
        let change = StatusChange { state, reason: reason.into(), feed: self.feed.clone(), since };
        Tick {
            instrument: Arc::clone(instrument),
            ts_event: Some(at),
            ts_source: None,
            ts_recv: Some(at),
            body: Body::Status(Box::new(change)),
        }
    }
}
