//! A token bucket: so many requests a second on average, twice as many at once.

use std::time::Duration;

/// How much time may be owed at once.
const DEPTH: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(crate) struct Bucket {
    /// When all that was taken has been paid for.
    paid: Duration,
}

impl Bucket {
    /// Takes one request, or tells how long to wait.
    pub(crate) fn take(&mut self, per_second: u32, now: Duration) -> Option<Duration> {
        let paid = self.paid.max(now) + Duration::from_secs(1) / per_second.max(1);
        let owed = paid.saturating_sub(now);
        if owed > DEPTH {
            return Some(owed.saturating_sub(DEPTH));
        }
        self.paid = paid;
        None
    }

    /// Whether something has not been paid for.
    pub(crate) fn owes(&self, now: Duration) -> bool {
        self.paid > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_rate_at_once_then_the_rate() {
        // Also in the first moment of a server's life.
        let mut now = Duration::ZERO;
        let mut bucket = Bucket::default();
        assert_eq!((0..100).take_while(|_| bucket.take(20, now).is_none()).count(), 40);
        assert_eq!(bucket.take(20, now), Some(Duration::from_millis(50)));
        now += Duration::from_secs(1);
        assert_eq!((0..100).take_while(|_| bucket.take(20, now).is_none()).count(), 20);
    }
}
