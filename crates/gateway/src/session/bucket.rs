//! A token bucket: so many requests a second on average, twice as many at once.

use std::time::Duration;

pub(super) struct Bucket {
    /// Time one request costs.
    cost: Duration,
    /// The bucket is full when it lies this far ahead.
    depth: Duration,
    /// The moment up to which time has been spent.
    spent: Duration,
}

impl Bucket {
    pub(super) fn new(per_second: u32, now: Duration) -> Self {
        let cost = Duration::from_secs(1) / per_second.max(1);
        let depth = Duration::from_secs(2);
        Self { cost, depth, spent: now.saturating_sub(depth) }
    }

    /// Takes one request, or tells how long to wait.
    pub(super) fn take(&mut self, now: Duration) -> Option<Duration> {
        let spent = self.spent.max(now.saturating_sub(self.depth)) + self.cost;
        if spent > now {
            return Some(spent.saturating_sub(now));
        }
        self.spent = spent;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_rate_at_once_then_the_rate() {
        let mut now = Duration::from_secs(100);
        let mut bucket = Bucket::new(20, now);
        assert_eq!((0..100).take_while(|_| bucket.take(now).is_none()).count(), 40);
        assert_eq!(bucket.take(now), Some(Duration::from_millis(50)));
        now += Duration::from_secs(1);
        assert_eq!((0..100).take_while(|_| bucket.take(now).is_none()).count(), 20);
    }
}
