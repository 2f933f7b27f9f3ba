//! How much and how often a session is sent data: a byte rate, credit, and an interval that adapts.
//!
//! A state machine without a clock: it is asked before each flush and told what came of it.

use std::time::Duration;

/// What a session has asked for. Most ask for nothing.
#[derive(Default)]
pub(crate) struct Pace {
    rate: Option<Box<Rate>>,
    credit: Option<u32>,
    adaptive: Option<Box<Adaptive>>,
}

/// A bucket that fills with time and may be overdrawn by one flush.
struct Rate {
    /// What counts: the smallest of the three below that is not 0.
    bytes_per_second: u64,
    asked: u64,
    ceiling: u64,
    share: u64,
    /// The bound that the share is of.
    bound: &'static str,
    /// When all that was sent has been paid for.
    paid: Duration,
}

/// The interval between flushes that a connection keeps up with: longer at once where the socket was
/// full, shorter again little by little while it is not.
#[derive(Default)]
struct Adaptive {
    interval: Duration,
    flushed: Duration,
}

/// A flush has about so much of a second's bytes: small enough to be even, large enough to merge.
const SHARE_OF_SECOND: u64 = 10;
/// A flush with fewer bytes is not worth its call.
const FLUSH_BYTES_MIN: u64 = 512;
/// The shortest interval that is kept; below it the socket itself paces.
const INTERVAL_MIN: Duration = Duration::from_millis(10);
const INTERVAL_MAX: Duration = Duration::from_secs(2);
/// What a full socket does to the interval, and what each flush does that it took whole. Some eleven
/// good flushes make up for one bad one, so the interval moves around the right one and not away.
const WIDEN: f64 = 1.4;
const NARROW: f64 = 0.97;

impl Pace {
    pub(crate) fn set_rate(&mut self, asked: u64, now: Duration) {
        self.limit(|rate| rate.asked = asked, now);
    }

    /// What the client may ask for at most; 0 = anything.
    pub(crate) fn set_ceiling(&mut self, ceiling: u64, now: Duration) {
        self.limit(|rate| rate.ceiling = ceiling, now);
    }

    /// Its part of what others have with it; 0 = anything. `bound` is the name of that.
    pub(crate) fn set_share(&mut self, share: u64, bound: &'static str, now: Duration) {
        if self.rate.as_ref().map_or(0, |rate| rate.share) != share {
            self.limit(|rate| (rate.share, rate.bound) = (share, bound), now);
        }
    }

    /// Whether it is bounded by what it shares with others.
    pub(crate) fn is_shared(&self) -> bool {
        self.rate.as_ref().is_some_and(|rate| rate.share > 0)
    }

    /// The bound that keeps it from being sent more now, where that is one it shares.
    pub(crate) fn shared_bound(&self) -> Option<&'static str> {
        self.rate.as_ref().filter(|rate| rate.share == rate.bytes_per_second).map(|rate| rate.bound)
    }

    fn limit(&mut self, change: impl FnOnce(&mut Rate), now: Duration) {
        // Whoever owes something goes on owing it.
        let none =
            || Box::new(Rate { bytes_per_second: 0, asked: 0, ceiling: 0, share: 0, bound: "", paid: now });
        let mut rate = self.rate.take().unwrap_or_else(none);
        change(&mut rate);
        let bounds = [rate.asked, rate.ceiling, rate.share].into_iter().filter(|bytes| *bytes > 0);
        self.rate = bounds.min().map(|least| {
            rate.bytes_per_second = least;
            rate
        });
    }

    pub(crate) fn set_adaptive(&mut self, adaptive: bool) {
        if adaptive != self.adaptive.is_some() {
            self.adaptive = adaptive.then(Box::default);
        }
    }

    pub(crate) fn set_credit(&mut self, credit: bool) {
        if credit != self.credit.is_some() {
            self.credit = credit.then_some(0);
        }
    }

    /// Allows flushes; how many there are then, or `None` where they need no credit.
    pub(crate) fn add_credit(&mut self, flushes: u32) -> Option<u32> {
        let credit = self.credit.as_mut()?;
        *credit = credit.saturating_add(flushes);
        Some(*credit)
    }

    pub(crate) fn bytes_per_second(&self) -> u64 {
        self.rate.as_ref().map_or(0, |rate| rate.bytes_per_second)
    }

    pub(crate) const fn is_adaptive(&self) -> bool {
        self.adaptive.is_some()
    }

    /// The credit left, where there is need of it.
    pub(crate) const fn credit(&self) -> Option<u32> {
        self.credit
    }

    /// How many bytes a flush may have now, at most `most`; `None` where there may be none.
    pub(crate) fn budget(&self, most: usize, now: Duration) -> Option<usize> {
        if self.credit == Some(0) || self.due().is_some_and(|due| now < due) {
            return None;
        }
        let share =
            self.rate.as_ref().map(|rate| (rate.bytes_per_second / SHARE_OF_SECOND).max(FLUSH_BYTES_MIN));
        Some(share.map_or(most, |share| most.min(usize::try_from(share).unwrap_or(most))))
    }

    /// When the next flush may be, where time decides that.
    pub(crate) fn due(&self) -> Option<Duration> {
        let rate = self.rate.as_ref().map(|rate| rate.paid);
        let adaptive = self.adaptive.as_ref().filter(|adaptive| !adaptive.interval.is_zero());
        rate.max(adaptive.map(|adaptive| adaptive.flushed + adaptive.interval))
    }

    /// A flush of so many bytes was made.
    pub(crate) fn flushed(&mut self, bytes: usize, now: Duration) {
        if let Some(rate) = &mut self.rate {
            let nanos = u128::from(bytes as u64) * 1_000_000_000 / u128::from(rate.bytes_per_second);
            let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            rate.paid = rate.paid.max(now).saturating_add(cost);
        }
        if let Some(credit) = &mut self.credit {
            *credit = credit.saturating_sub(1);
        }
        if let Some(adaptive) = &mut self.adaptive {
            adaptive.flushed = now;
            let shorter = adaptive.interval.mul_f64(NARROW);
            adaptive.interval = if shorter < INTERVAL_MIN { Duration::ZERO } else { shorter };
        }
    }

    /// The socket did not take a flush whole.
    pub(crate) fn blocked(&mut self) {
        if let Some(adaptive) = &mut self.adaptive {
            adaptive.interval = adaptive.interval.mul_f64(WIDEN).clamp(INTERVAL_MIN * 2, INTERVAL_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_rate_is_kept_over_time() {
        let mut pace = Pace::default();
        pace.set_rate(10_000, Duration::ZERO);
        let mut sent = 0;
        for ms in 0..10_000 {
            if let Some(budget) = pace.budget(1 << 20, MS * ms) {
                // Every flush is a little more than was allowed.
                sent += budget + 100;
                pace.flushed(budget + 100, MS * ms);
            }
        }
        assert!((99_000..=102_000).contains(&sent), "{sent}");
        pace.set_rate(0, Duration::ZERO);
        assert_eq!(pace.budget(7, Duration::ZERO), Some(7));
    }

    #[test]
    fn the_least_of_three_counts() {
        let mut pace = Pace::default();
        let rates = |pace: &Pace| (pace.bytes_per_second(), pace.shared_bound());
        pace.set_share(900, "a", Duration::ZERO);
        assert_eq!((rates(&pace), pace.is_shared()), ((900, Some("a")), true));
        pace.set_rate(800, Duration::ZERO);
        assert_eq!(rates(&pace), (800, None));
        pace.set_ceiling(700, Duration::ZERO);
        pace.flushed(1_400, Duration::ZERO);
        // What is owed stays owed, whoever joins or leaves.
        pace.set_share(100, "b", MS);
        assert_eq!((rates(&pace), pace.due()), ((100, Some("b")), Some(2_000 * MS)));
        pace.set_share(0, "", MS);
        assert_eq!((rates(&pace), pace.is_shared()), ((700, None), false));
        pace.set_ceiling(0, MS);
        pace.set_rate(0, MS);
        assert_eq!((rates(&pace), pace.due()), ((0, None), None));
    }

    #[test]
    fn without_credit_nothing_flows() {
        let mut pace = Pace::default();
        assert_eq!(pace.add_credit(1), None);
        pace.set_credit(true);
        assert_eq!(pace.budget(9, Duration::ZERO), None);
        assert_eq!(pace.add_credit(2), Some(2));
        for _ in 0..2 {
            assert_eq!(pace.budget(9, Duration::ZERO), Some(9));
            pace.flushed(5, Duration::ZERO);
        }
        assert_eq!(pace.budget(9, Duration::ZERO), None);
        pace.set_credit(false);
        assert_eq!(pace.budget(9, Duration::ZERO), Some(9));
    }

    /// A line of a given capacity with a small buffer, and a market that always has something to say
    /// and merges what waits: a flush has what came in since the last one, at most 4,000 bytes.
    #[test]
    fn the_interval_finds_the_line_and_stays_there() {
        for bytes_per_ms in [5.0, 40.0] {
            let mut pace = Pace::default();
            pace.set_adaptive(true);
            let (mut buffered, mut full, mut intervals) = (0.0_f64, 0, Vec::new());
            for ms in 0..60_000 {
                let now = MS * ms;
                buffered = (buffered - bytes_per_ms).max(0.0);
                if buffered > 16_000.0 {
                    full += u32::from(ms >= 30_000);
                    continue;
                }
                if pace.budget(1 << 20, now).is_some() {
                    buffered += 4_000.0;
                    pace.flushed(4_000, now);
                    if buffered > 16_000.0 {
                        pace.blocked();
                    }
                }
                if ms >= 30_000 {
                    intervals.push(pace.adaptive.as_ref().unwrap().interval);
                }
            }
            // What the line takes: 4,000 bytes in so many milliseconds.
            let right = MS.mul_f64(4_000.0 / bytes_per_ms);
            let (min, max) = (intervals.iter().min().unwrap(), intervals.iter().max().unwrap());
            assert!(
                *min >= right.mul_f64(0.6) && *max <= right.mul_f64(1.7),
                "{min:?} to {max:?}, not {right:?}"
            );
            assert!(full < 1_500, "the line was full for {full} of 30,000 ms");
        }
    }
}
