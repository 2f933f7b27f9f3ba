//! What the runtime's threads have worked, up to now: the runtime itself tells of a thread's work when that next has none,
//! which for one that has more to do than it can is never.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::RuntimeMetrics;

/// What was seen of each thread, and what was told of all.
static SEEN: Mutex<(Vec<Busy>, Duration)> = Mutex::new((Vec::new(), Duration::ZERO));

/// What was seen of a thread that runs tasks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Busy {
    /// How often it had lain down or got up.
    turns: u64,
    /// What it had worked, as the runtime says.
    told: Duration,
    /// Since when it has neither lain down nor told more.
    since: Instant,
}

impl Busy {
    /// What all threads of a runtime have worked; never less than the last time.
    pub(super) fn of(runtime: &RuntimeMetrics) -> Duration {
        let now = Instant::now();
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        let (threads, told) = &mut *seen;
        let mut sum = Duration::ZERO;
        for worker in 0..runtime.num_workers() {
            let looked = Self {
                turns: runtime.worker_park_unpark_count(worker),
                told: runtime.worker_total_busy_duration(worker),
                since: now,
            };
            if threads.len() <= worker {
                threads.push(looked);
            }
            sum += threads[worker].go_on(looked);
        }
        *told = sum.max(*told);
        *told
    }

    /// What it has worked, as it looks now.
    fn go_on(&mut self, now: Self) -> Duration {
        if (self.turns, self.told) != (now.turns, now.told) {
            *self = now;
        }
        // Who is up, and has not lain down since the last look, has worked all the while.
        let is_up = self.turns.is_multiple_of(2);
        let more = if is_up { now.since.saturating_duration_since(self.since) } else { Duration::ZERO };
        self.told + more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_lie_down_works() {
        let second = Duration::from_secs(1);
        let began = Instant::now();
        let at = |turns, told: u32, seconds: u32| Busy {
            turns,
            told: second * told,
            since: began + second * seconds,
        };
        let mut thread = at(2, 5, 0);
        assert_eq!(thread.go_on(at(2, 5, 0)), second * 5);
        assert_eq!(thread.go_on(at(2, 5, 3)), second * 8, "up all the while");
        assert_eq!(thread.go_on(at(2, 5, 4)), second * 9);
        assert_eq!(thread.go_on(at(3, 9, 5)), second * 9, "it has lain down, and told");
        assert_eq!(thread.go_on(at(3, 9, 9)), second * 9, "and rests");
        assert_eq!(thread.go_on(at(4, 9, 10)), second * 9, "when it got up, nobody knows");
        assert_eq!(thread.go_on(at(4, 9, 12)), second * 11);
    }
}
