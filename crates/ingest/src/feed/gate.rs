//! Two signals between the plant and its feed threads.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Opens once: what waits for it (a replay that should not begin before somebody listens) goes on.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Signal>);

/// Ends every feed that has it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    given: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn give(&self) {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits until the signal is given or the time is over; tells whether it was given.
    fn wait(&self, timeout: Duration) -> bool {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(given, timeout, |given| !*given);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Gate {
    /// Lets everybody through, from now on.
    pub fn open(&self) {
        self.0.give();
    }

    pub(super) fn wait(&self, timeout: Duration) -> bool {
        self.0.wait(timeout)
    }
}

impl Stop {
    /// Ends the feeds.
    pub fn stop(&self) {
        self.0.give();
    }

    /// Whether the feeds are to end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.wait(Duration::ZERO)
    }

    /// Sleeps until `due`; false when woken to stop.
    pub(super) fn sleep_until(&self, due: Instant) -> bool {
        !self.0.wait(due.saturating_duration_since(Instant::now()))
    }
}
