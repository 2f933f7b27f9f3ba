//! Fuzz targets of the readers, built and run by `cargo xtask fuzz`. `FUZZ_TARGET` is a feed, or `lines` for all whose
//! files are lines.

#![no_main]

mod garbage;
mod seeds;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<String> = LazyLock::new(|| std::env::var("FUZZ_TARGET").unwrap_or_default());

fuzz_target!(|data: &[u8]| {
    let (feed, data) = match (TARGET.as_str(), data) {
        ("lines", [which, data @ ..]) => {
            let lines: Vec<_> =
                ingest::FEEDS.into_iter().filter(|feed| ingest::normaliser(feed).is_some()).collect();
            (lines[usize::from(*which) % lines.len()], data)
        }
        ("lines", []) => return,
        (feed, data) => (feed, data),
    };
    if let Some(file) = garbage::garbage(feed, data) {
        garbage::check(feed, &file);
    }
});
