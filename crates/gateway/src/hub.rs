//! The hub: where the ticks of all feeds become one total order, and go to every shard.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use fanout::{Event, Sequencer, SymbolTaken};
use model::{Body, State, Symbol, Tick};
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt};

use crate::clock;
use crate::metrics::{CONFLICTS, Census, PUBLISHED};
use crate::shard::Events;

/// Sequences the ticks of a stream and hands them to the shards of a server.
pub struct Hub {
    sequencer: Sequencer,
    shards: Vec<mpsc::Sender<Events>>,
    feeds: Feeds,
    census: Census,
    symbols: usize,
    /// Symbols whose conflict was logged.
    conflicts: Vec<Symbol>,
}

/// What the feeds say of themselves, for readiness.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feeds(Arc<Mutex<BTreeMap<Box<str>, State>>>);

impl Feeds {
    pub(crate) fn states(&self) -> BTreeMap<Box<str>, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, feed: &str, state: State) {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if feeds.get(feed) != Some(&state) {
            feeds.insert(feed.into(), state);
        }
    }
}

impl Hub {
    pub(crate) fn new(shards: Vec<mpsc::Sender<Events>>, feeds: Feeds, census: Census) -> Self {
        Self { sequencer: Sequencer::default(), shards, feeds, census, symbols: 0, conflicts: Vec::new() }
    }

    /// Takes batches of ticks until the stream ends or the shards are gone. It waits where a shard
    /// has not taken what went before; no shard ever waits for a subscriber.
    pub async fn run(mut self, ticks: impl Stream<Item = Vec<Tick>>) {
        let mut ticks = std::pin::pin!(ticks);
        while let Some(batch) = ticks.next().await {
            let events = self.sequence(batch);
            if events.is_empty() {
                continue;
            }
            let events: Events = events.into();
            for shard in &self.shards {
                if shard.send(Arc::clone(&events)).await.is_err() {
                    return;
                }
            }
        }
    }

    fn sequence(&mut self, batch: Vec<Tick>) -> Vec<Arc<Event>> {
        let now = clock::wall();
        let mut events = Vec::with_capacity(batch.len());
        for tick in batch {
            if let Body::Status(change) = &tick.body {
                self.note_feed(&change.feed, change.state);
            }
            match self.sequencer.push(tick, now) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => {}
                Err(taken) => self.refuse(taken),
            }
        }
        metrics::counter!(PUBLISHED).increment(events.len() as u64);
        let symbols = self.sequencer.symbols();
        if symbols != self.symbols {
            self.symbols = symbols;
            self.census.note(symbols);
        }
        events
    }

    /// A symbol may be halted while its feed is well: only what is said of whole feeds counts.
    fn note_feed(&self, feed: &str, state: State) {
        let health = match state {
            State::Stale | State::SourceDown => state,
            _ => State::Open,
        };
        self.feeds.note(feed, health);
    }

    fn refuse(&mut self, taken: SymbolTaken) {
        metrics::counter!(CONFLICTS).increment(1);
        if !self.conflicts.contains(&taken.symbol) {
            tracing::error!("{taken}");
            self.conflicts.push(taken.symbol);
        }
    }
}
