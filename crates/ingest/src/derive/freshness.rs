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
    /// The state each symbol has by its venue's word.
    states: HashMap<Symbol, State>,
    last: UnixNanos,
}

impl Freshness {
    pub(super) fn new(feed: &str) -> Self {
        Self { feed: feed.into(), health: Health::Live, states: HashMap::new(), last: UnixNanos(0) }
    }

    /// Says whose word a change of state is.
    pub(super) fn sign(&self, change: &mut StatusChange) {
        change.feed.clone_from(&self.feed);
    }

    /// A symbol seen for the first time is open, unless its first tick says otherwise.
    pub(super) fn handle(&mut self, tick: &Tick, at: UnixNanos, out: &mut Vec<Tick>) {
        self.last = self.last.max(at);
        let said = match &tick.body {
            Body::Status(change) => Some(change.state),
            _ => None,
        };
        match (self.states.get_mut(&tick.instrument.symbol), said) {
            (Some(state), Some(said)) => *state = said,
            (Some(_), None) => {}
            (None, said) => {
                self.states.insert(tick.instrument.symbol.clone(), said.unwrap_or(State::Open));
                if said.is_none() {
                    out.push(self.tick(&tick.instrument, State::Open, "first event", at, None));
                }
            }
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
            let own = self.states.get(&instrument.symbol).copied().unwrap_or(State::Open);
            let (state, since) = match health {
                Health::Live => (own, None),
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
            ts_recv: Some(at),
            body: Body::Status(Box::new(change)),
        }
    }
}
