//! The clock of a replay: which time of the recording it is.

use std::time::Duration;

use model::{Speed, UnixNanos};

/// Runs, or stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    speed: Speed,
    runs: bool,
    /// A moment, and the time of the recording then.
    since: (Duration, UnixNanos),
}

impl Clock {
    pub(crate) const fn new(speed: Speed, runs: bool, now: Duration, at: UnixNanos) -> Self {
        Self { speed, runs, since: (now, at) }
    }

    pub(crate) const fn speed(&self) -> Speed {
        self.speed
    }

    pub(crate) const fn runs(&self) -> bool {
        self.runs
    }

    /// The time of the recording; as fast as it is read, that is wherever it was set.
    pub(crate) fn time(&self, now: Duration) -> UnixNanos {
        let (then, at) = self.since;
        if !self.runs || self.speed == Speed::MAX {
            return at;
        }
        at.later(self.speed.recorded(now.saturating_sub(then)))
    }

    /// When its turn comes; `None` where it stands.
    pub(crate) fn due(&self, time: UnixNanos) -> Option<Duration> {
        let (then, at) = self.since;
        self.runs.then(|| then.saturating_add(self.speed.played(time.since(at))))
    }

    /// It is that time now.
    pub(crate) const fn set(&mut self, now: Duration, at: UnixNanos) {
        self.since = (now, at);
    }

    /// Goes on, or stands.
    pub(crate) fn run(&mut self, runs: bool, now: Duration) {
        self.since = (now, self.time(now));
        self.runs = runs;
    }

    /// Goes on at another speed.
    pub(crate) fn set_speed(&mut self, speed: Speed, now: Duration) {
        self.since = (now, self.time(now));
        self.speed = speed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const T0: UnixNanos = UnixNanos(1_000_000_000_000);

    #[test]
    fn it_runs_stands_and_changes_speed() {
        let mut clock = Clock::new("10".parse().unwrap(), true, SECOND, T0);
        let after = |seconds: u64| T0.later(seconds * 1_000_000_000);
        assert_eq!(clock.time(SECOND * 3), after(20));
        assert_eq!(clock.due(after(20)), Some(SECOND * 3));
        assert_eq!(clock.due(UnixNanos(0)), Some(SECOND), "what is past is due");
        clock.run(false, SECOND * 3);
        assert_eq!((clock.time(SECOND * 99), clock.due(after(20))), (after(20), None));
        clock.set_speed("0.5".parse().unwrap(), SECOND * 99);
        clock.run(true, SECOND * 100);
        assert_eq!(clock.time(SECOND * 102), after(21));
        clock.set_speed(Speed::MAX, SECOND * 102);
        assert_eq!(clock.time(SECOND * 999), after(21));
        assert_eq!(clock.due(after(1_000)), Some(SECOND * 102));
    }
}
