//! How a venue's clock stands against ours.
//!
//! A message cannot come before it was sent. So of all differences between the time of receipt and the venue's own,
//! the smallest is the closest to that between the clocks: what it has on top is the quickest way here. The smallest
//! of late counts, so that a clock that drifts is followed.

use model::UnixNanos;

/// The smallest differences of a few spans of time, the newest last.
#[derive(Default)]
pub(super) struct Clock {
    spans: [Option<i64>; SPANS],
    /// Number of the newest span.
    newest: u64,
}

/// What counts as of late: so many spans of so many nanoseconds.
const SPANS: usize = 6;
const SPAN: u64 = 10_000_000_000;

impl Clock {
    /// Takes in when something was by the venue's clock, and when it was received.
    pub(super) fn note(&mut self, venue: UnixNanos, recv: UnixNanos) {
        let number = recv.0 / SPAN;
        if number > self.newest {
            let passed = usize::try_from(number - self.newest).unwrap_or(usize::MAX).min(SPANS);
            self.spans.rotate_left(passed);
            self.spans[SPANS - passed..].fill(None);
            self.newest = number;
        }
        let late = i64::try_from(i128::from(recv.0) - i128::from(venue.0)).unwrap_or(i64::MAX);
        let span = &mut self.spans[SPANS - 1];
        *span = Some(span.map_or(late, |known| known.min(late)));
    }

    /// The venue's clock minus ours, in nanoseconds: at least that much.
    pub(super) fn offset(&self) -> Option<i64> {
        self.spans.iter().flatten().min().map(|late| late.saturating_neg())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_of_late_tells() {
        let mut clock = Clock::default();
        assert_eq!(clock.offset(), None);
        let second = 1_000_000_000;
        // The venue's clock is 1.25 s ahead; the way takes 20 to 50 ms.
        for (n, way) in [40, 20, 50].into_iter().enumerate() {
            let recv = (100 + n as u64) * second;
            clock.note(UnixNanos(recv + 1_250_000_000 - way * 1_000_000), UnixNanos(recv));
        }
        assert_eq!(clock.offset(), Some(1_230_000_000));
        // It was set right since: a minute later nothing else counts.
        let recv = 170 * second;
        clock.note(UnixNanos(recv - 30_000_000), UnixNanos(recv));
        assert_eq!(clock.offset(), Some(-30_000_000));
    }
}
