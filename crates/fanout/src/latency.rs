//! How long what was sent had waited: kept as counts, so that a delivery costs a few comparisons.

use std::time::Duration;

/// Upper bounds of the classes; what waited longer is in one more.
pub const BOUNDS: [Duration; 14] = [
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Records by how long the oldest event that went out with them had waited, from when it was published to when it was
/// drained. Only of subscriptions that want every event: others are late because they asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many records are in each class.
    pub counts: [u64; BOUNDS.len() + 1],
    /// All that they waited, in nanoseconds.
    pub nanos: u64,
}

impl Latency {
    pub(crate) fn count(&mut self, waited: Duration, records: u64) {
        let class = BOUNDS.iter().position(|bound| waited <= *bound).unwrap_or(BOUNDS.len());
        self.counts[class] += records;
        let nanos = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        self.nanos = self.nanos.saturating_add(nanos.saturating_mul(records));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_what_is_below_it() {
        let mut latency = Latency::default();
        for (micros, records) in [(0, 1), (500, 2), (501, 4), (10_000_000, 8), (10_000_001, 16)] {
            latency.count(Duration::from_micros(micros), records);
        }
        let told: Vec<_> =
            latency.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
        assert_eq!(told, [(0, 3), (1, 4), (13, 8), (14, 16)]);
        assert_eq!(latency.nanos / 1_000, 1_000 + 2_004 + 80_000_000 + 160_000_016);
    }
}
