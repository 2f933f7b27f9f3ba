//! Two signals between the plant and its feed threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Opens once: what waits for it (a replay that should not begin before somebody listens) goes on.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Signal>);

/// Ends every feed that has it.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    signal: Arc<Signal>,
    /// Somebody goes on where they are.
    goes_on: Arc<AtomicBool>,
}

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

    /// Waits until it is open or the time is over; whether it is open.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> bool {
        self.0.wait(timeout)
    }
}

impl Stop {
    /// Ends the feeds.
    pub fn stop(&self) {
        self.signal.give();
    }

    /// Ends the feeds without a word to anybody: another process goes on where they are.
    pub fn hand_over(&self) {
        self.goes_on.store(true, Ordering::Release);
        self.signal.give();
    }

    /// Whether another process goes on where they are.
    pub(crate) fn is_handed_over(&self) -> bool {
        self.goes_on.load(Ordering::Acquire)
    }

    /// Whether the feeds are to end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.signal.wait(Duration::ZERO)
    }

    /// Sleeps until `due`; false when woken to stop.
    #[must_use]
    pub fn sleep_until(&self, due: Instant) -> bool {
        !self.signal.wait(due.saturating_duration_since(Instant::now()))
    }
}
