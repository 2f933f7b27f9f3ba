//! A token bucket: so many requests a second on average, twice as many at once.

use std::time::Duration;

/// How much time may be owed at once.
const DEPTH: Duration = Duration::from_secs(2);

pub(super) struct Bucket {
    /// Time one request costs.
    cost: Duration,
    /// Time owed for requests that were taken; it passes by itself.
    owed: Duration,
    at: Duration,
}

impl Bucket {
    pub(super) fn new(per_second: u32, now: Duration) -> Self {
        Self { cost: Duration::from_secs(1) / per_second.max(1), owed: Duration::ZERO, at: now }
    }

    /// Takes one request, or tells how long to wait.
    pub(super) fn take(&mut self, now: Duration) -> Option<Duration> {
        self.owed = self.owed.saturating_sub(now.saturating_sub(self.at));
        self.at = now;
        let owed = self.owed + self.cost;
        if owed > DEPTH {
            return Some(owed.saturating_sub(DEPTH));
        }
        self.owed = owed;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_rate_at_once_then_the_rate() {
        // Also in the first moment of a server's life.
        let mut now = Duration::ZERO;
        let mut bucket = Bucket::new(20, now);
        assert_eq!((0..100).take_while(|_| bucket.take(now).is_none()).count(), 40);
        assert_eq!(bucket.take(now), Some(Duration::from_millis(50)));
        now += Duration::from_secs(1);
        assert_eq!((0..100).take_while(|_| bucket.take(now).is_none()).count(), 20);
    }
}
