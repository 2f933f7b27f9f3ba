//! What a group of clients got.

use hdrhistogram::Histogram;

use crate::clock::{Stamp, age};

/// What a group of clients got.
#[derive(Debug)]
pub struct Tally {
    /// Frames that were looked at.
    pub frames: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Those of them that were looked at: of a crowd over TLS, some clients' may be read and not deciphered.
    pub seen: u64,
    /// Bytes that were sent.
    pub sent: u64,
    /// Records in what was looked at.
    pub records: u64,
    /// Of records when read, in microseconds.
    pub ages: Histogram<u64>,
    /// The same, since [`Self::lap`] was called.
    lap: Histogram<u64>,
    stamp: Stamp,
    /// Nanoseconds that the server's clock is before ours.
    ahead: i64,
    /// One record in so many has its age looked at.
    every: u64,
    next: u64,
}

/// Longest age that is told from longer ones, in microseconds.
pub(crate) const AGE_MAX: u64 = 600_000_000;

pub(crate) fn ages() -> Histogram<u64> {
    Histogram::new_with_bounds(1, AGE_MAX, 3).expect("bounds in their order")
}

impl Tally {
    pub(crate) fn new(stamp: Stamp, ahead: i64) -> Self {
        let never = u64::MAX;
        Self {
            frames: 0,
            bytes: 0,
            seen: 0,
            sent: 0,
            records: 0,
            ages: ages(),
            lap: ages(),
            stamp,
            ahead,
            every: never,
            next: never,
        }
    }

    /// Forgets what it counted, and looks at one record in `every` from here on.
    pub(crate) fn restart(&mut self, every: u64) {
        (self.frames, self.bytes, self.seen, self.sent, self.records) = (0, 0, 0, 0, 0);
        (self.every, self.next) = (every, every);
        self.ages.reset();
        self.lap.reset();
    }

    /// The ages at these quantiles, in microseconds, of what came since it was last asked.
    pub fn lap<const N: usize>(&mut self, quantiles: [f64; N]) -> [u64; N] {
        let ages = quantiles.map(|quantile| self.lap.value_at_quantile(quantile));
        self.lap.reset();
        ages
    }

    /// A record begins here.
    pub(crate) fn record(&mut self, text: &[u8]) {
        self.records += 1;
        if self.records >= self.next
            && let Some(age) = age(text, self.stamp, self.ahead)
        {
            self.ages.saturating_record(age);
            self.lap.saturating_record(age);
            self.next = self.records + self.every;
        }
    }
}
