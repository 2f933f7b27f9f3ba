//! Who comes back when, where the server goes away.

use std::time::Duration;

/// How a session leaves, counted from the beginning of the drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Departure {
    /// When it should connect again.
    pub(crate) reconnect_after: Duration,
    /// When it is closed here, connected again or not.
    pub(crate) close_after: Duration,
}

/// Between the two, so that a client has its new connection before it loses the old one.
const OVERLAP: Duration = Duration::from_secs(2);
/// Without a window all are closed at once; they come back in so long, so that whoever takes them does not
/// have them all at the same moment.
const SPREAD: (Duration, Duration) = (Duration::from_millis(250), Duration::from_millis(1_500));

/// The departure of number `n` of `count` sessions: spread evenly over the window, which ends with the last one
/// closed.
pub(crate) fn departure(window: Duration, n: usize, count: usize) -> Departure {
    let share = |span: Duration| {
        let [n, count] = [n, count.max(n + 1)].map(|number| u32::try_from(number).unwrap_or(u32::MAX / 2));
        span * (2 * n + 1) / (2 * count)
    };
    if window.is_zero() {
        return Departure { reconnect_after: SPREAD.0 + share(SPREAD.1), close_after: Duration::ZERO };
    }
    let overlap = OVERLAP.min(window / 2);
    let reconnect_after = share(window.saturating_sub(overlap));
    Departure { reconnect_after, close_after: reconnect_after + overlap }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn departures_are_spread_evenly_and_end_with_the_window() {
        for (window, count) in [(30_000, 10_000), (30_000, 7), (3_000, 40), (1_000, 1_000)] {
            let departures: Vec<_> = (0..count).map(|n| departure(MS * window, n, count)).collect();
            let mean = departures.len().div_ceil(usize::try_from(window).unwrap() / 100);
            for slot in 0..window / 100 {
                let (from, to) = (MS * slot * 100, MS * (slot + 1) * 100);
                let here =
                    departures.iter().filter(|leaves| (from..to).contains(&leaves.reconnect_after)).count();
                assert!(here <= 2 * mean, "{here} of {count} in a tenth of a second");
            }
            assert!(departures.iter().all(|leaves| leaves.reconnect_after < leaves.close_after));
            let last = departures.last().unwrap().close_after;
            assert!(last <= MS * window && (count < 40 || last > MS * (window * 9 / 10)), "{last:?}");
        }
    }

    #[test]
    fn without_a_window_all_are_closed_at_once() {
        for n in 0..100 {
            let leaves = departure(Duration::ZERO, n, 100);
            assert_eq!(leaves.close_after, Duration::ZERO);
            assert!((MS * 250..MS * 1_750).contains(&leaves.reconnect_after));
        }
    }
}
