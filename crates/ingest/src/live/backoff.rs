//! How long to wait before the next try: longer after each failure, by chance within that, bounded.

use std::time::{Duration, Instant};

use super::Timing;
use crate::sim::Random;

/// Waits between tries, with full jitter: any time from nothing to the bound, which doubles.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Another try has failed: when the next may begin.
    pub(super) fn failed(&mut self, now: Instant, timing: &Timing, random: &mut Random) -> Instant {
        let bound = timing.backoff_min.saturating_mul(1 << self.failures.min(16)).min(timing.backoff_max);
        self.failures = self.failures.saturating_add(1);
        let nanos = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX).max(1);
        now + Duration::from_nanos(random.below(nanos))
    }

    /// It has lasted: the next failure is a first one.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_vary_are_bounded_and_begin_anew() {
        let (now, timing, mut random) = (Instant::now(), Timing::default(), Random::new(7));
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> =
            (0..200).map(|_| backoff.failed(now, &timing, &mut random) - now).collect();
        assert!(waits[0] < timing.backoff_min && waits[1] < timing.backoff_min * 2);
        assert!(waits.iter().all(|wait| *wait < timing.backoff_max));
        let late = &waits[10..];
        let mean = late.iter().sum::<Duration>() / u32::try_from(late.len()).unwrap();
        assert!((Duration::from_secs(12)..Duration::from_secs(18)).contains(&mean), "{mean:?}");
        assert!(late.windows(2).any(|two| two[0] != two[1]));
        backoff.reset();
        assert!(backoff.failed(now, &timing, &mut random) - now < timing.backoff_min);
    }
}
