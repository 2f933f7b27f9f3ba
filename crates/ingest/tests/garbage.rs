//! Garbage through every reader: cut, changed and random files. `cargo xtask fuzz` does the same with guidance.

#[path = "../fuzz/garbage.rs"]
mod garbage;
#[path = "../fuzz/seeds.rs"]
mod seeds;

use garbage::{check, garbage};
use proptest::prelude::*;

/// Otherwise nothing below would mean much.
#[test]
fn seeds_are_understood() {
    for feed in ingest::FEEDS {
        for seed in seeds::seeds(feed) {
            let outcome = check(feed, &seed);
            assert!(!outcome.ticks.is_empty(), "{feed}: {outcome:?}");
        }
    }
}

/// A file that is cut has no more to tell than the whole one; one that is cut inside a record says so.
#[test]
fn cut_anywhere() {
    for feed in ingest::FEEDS {
        for seed in seeds::seeds(feed) {
            let whole = check(feed, &seed);
            let step = if seed.len() > 4_000 { 97 } else { 1 };
            let mut faulty = 0;
            for len in (1..seed.len()).step_by(step) {
                let outcome = check(feed, &seed[..len]);
                assert!(outcome.ticks.len() <= whole.ticks.len(), "{feed}: cut at {len}");
                faulty += usize::from(!outcome.faults.is_empty());
            }
            assert!(faulty > 0, "{feed}: nothing was broken");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn changed_or_random(feed in prop::sample::select(&ingest::FEEDS[..]), data in prop::collection::vec(any::<u8>(), 0..400), how in 0_u8..3) {
        let data = [&[how][..], &data].concat();
        if let Some(file) = garbage(feed, &data) {
            check(feed, &file);
        }
    }

    /// No format begins with such a byte.
    #[test]
    fn what_is_nothing_is_counted(feed in prop::sample::select(&ingest::FEEDS[..]), data in prop::collection::vec(any::<u8>(), 0..400)) {
        let outcome = check(feed, &[&[0xff][..], &data].concat());
        prop_assert!(!outcome.faults.is_empty(), "{}: {:?}", feed, outcome);
    }
}
