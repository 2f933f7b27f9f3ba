//! Whether a server goes on: for whoever looks after the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use model::State;
use tokio::sync::watch;

use crate::hub::Feeds;

/// How often a shard has looked at its timers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beat(Arc<AtomicU64>);

/// It will not do so again, and need not.
const OVER: u64 = u64::MAX;

impl Beat {
    pub(crate) fn turn(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.0.store(OVER, Ordering::Relaxed);
    }
}

/// What a service manager is told of a server.
pub struct Vitals {
    /// Of each shard, and what it had counted when somebody looked last.
    pub(crate) beats: Vec<(Beat, u64)>,
    pub(crate) feeds: Feeds,
    pub(crate) serving: watch::Receiver<bool>,
    pub(crate) leaving: watch::Receiver<bool>,
    /// True while another process leads.
    pub(crate) follows: Arc<AtomicBool>,
}

impl Vitals {
    /// Whether every shard has had its turn since this was asked last. Shards do the hub's work, too: one that waits
    /// for it stands still.
    pub fn has_moved(&mut self) -> bool {
        let mut all = true;
        for (beat, seen) in &mut self.beats {
            let now = beat.0.load(Ordering::Relaxed);
            all &= now == OVER || now != *seen;
            *seen = now;
        }
        all
    }

    /// Feeds that are live, of those that have said anything.
    #[must_use]
    pub fn feeds(&self) -> (usize, usize) {
        let states = self.feeds.states();
        (states.values().filter(|state| **state == State::Open).count(), states.len())
    }

    /// Whether clients and operators are let in.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        *self.serving.borrow()
    }

    /// Whether it is this process that feeds the streams, and not another one that it is to go on for.
    #[must_use]
    pub fn leads(&self) -> bool {
        !self.follows.load(Ordering::Relaxed)
    }

    /// Whether the server sends its clients away.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        *self.leaving.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_stands_still_is_enough() {
        let beats = [Beat::default(), Beat::default()];
        let mut vitals = Vitals {
            beats: beats.iter().map(|beat| (beat.clone(), 0)).collect(),
            feeds: Feeds::default(),
            serving: watch::channel(true).1,
            leaving: watch::channel(false).1,
            follows: Arc::default(),
        };
        assert!(!vitals.has_moved(), "none has begun");
        beats.iter().for_each(Beat::turn);
        assert!(vitals.has_moved());
        beats[0].turn();
        assert!(!vitals.has_moved());
        beats[1].end();
        beats[0].turn();
        assert!(vitals.has_moved(), "one that is over is not waited for");
        assert!(!vitals.has_moved());
    }
}
