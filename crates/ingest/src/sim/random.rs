//! Pseudo-random numbers: `SplitMix64` (Steele, Lea, Flood 2014), whose stream is the same
//! everywhere and for ever, which a library's generator does not promise.

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A whole number below `bound` (which is not 0). The bias of the remainder is below 2^-32.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Whether something happens that happens once in `times`.
    pub(crate) const fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// 0 half of the time, 1 a quarter of the time, 2 an eighth, and so on.
    pub(crate) const fn geometric(&mut self) -> i64 {
        self.next().leading_zeros() as i64
    }

    /// About exponentially distributed with the given mean: `-log2` of a uniform number, straight
    /// between powers of two.
    pub(crate) fn exponential(&mut self, mean: u64) -> u64 {
        let bits = self.next();
        let whole = u64::from(bits.leading_zeros());
        let fraction = (bits << (whole + 1).min(63)) >> 48;
        // whole + (1 - fraction) has mean 1.5; fraction has 16 bits.
        let log2 = (whole << 16) + (0xffff - fraction);
        u64::try_from((u128::from(log2) * u128::from(mean) * 2 / 3) >> 16).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_fixed() {
        let mut random = Random::new(1_234_567);
        let first = [random.next(), random.next(), random.next()];
        // The reference values of the algorithm's authors for this seed.
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn the_mean_is_the_mean() {
        let mut random = Random::new(5);
        let sum: u64 = (0..100_000).map(|_| random.exponential(1_000)).sum();
        assert!((98_000_000..102_000_000).contains(&sum), "{sum}");
    }
}
