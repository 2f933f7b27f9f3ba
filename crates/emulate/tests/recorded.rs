//! Recordings of venues, played by the emulator: what a live feed makes of them is what they say.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::thread;

use common::{Golden, Live, Venue, counted, shared, spec, until};
use emulate::{Fault, Kind, Script};

struct Case {
    feed: &'static str,
    /// Where the normalised instruments trade.
    market: &'static str,
    file: &'static str,
    depth: Option<u32>,
    /// Levels that are compared.
    levels: usize,
    speed: &'static str,
}

const CASES: [Case; 6] = [
    Case {
        feed: "bybit",
        market: "bybit-linear",
        file: "ws/bybit.jsonl.zst",
        depth: Some(200),
        levels: 200,
        speed: "20",
    },
    Case { feed: "okx", market: "okx", file: "ws/okx.jsonl.zst", depth: None, levels: 400, speed: "5" },
    Case {
        feed: "coinbase",
        market: "coinbase",
        file: "ws/coinbase.jsonl.zst",
        depth: None,
        levels: 50,
        speed: "5",
    },
    Case {
        feed: "kraken-v2",
        market: "kraken",
        file: "kraken_v2/kraken_v2_btcusd_2026-07-19.jsonl",
        depth: Some(10),
        levels: 10,
        speed: "2",
    },
    Case {
        feed: "binance-spot",
        market: "binance",
        file: "ws/binance.jsonl.zst",
        depth: Some(5_000),
        levels: 50,
        speed: "10",
    },
    Case {
        feed: "binance-usdm",
        market: "binance-usdm",
        file: "ws/binance_futures.jsonl.zst",
        depth: Some(1_000),
        levels: 50,
        speed: "10",
    },
];

fn play(case: &Case, kind: Option<Kind>) {
    let Some(file) = shared(case.file) else { return };
    let golden = Golden::read(case.feed, case.market, &file, case.levels);
    let script = Script::load(case.feed, &[&file]).unwrap();
    let name = format!("recorded/{}/{}", case.feed, kind.map_or("none", Kind::name));
    let symbols: Vec<String> = golden.last.keys().cloned().collect();
    let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
    let faults = kind.map(|kind| Fault { ms: 300, ..Fault::new(kind) });
    let venue = Venue::start(script, case.speed.parse().unwrap(), faults.into_iter().collect());
    let mut spec = spec(case.feed, &venue.address, &symbols);
    spec.depth = case.depth;
    let live = Live::start(&name, spec, &golden);
    let done = until(|| {
        let (played, all) = venue.watch.progress();
        played == all
            && kind.is_none_or(|kind| venue.watch.struck(kind) > 0)
            && live.seen().is_healed(&golden)
    });
    let seen = live.seen();
    assert!(done, "{name}: {:?} {:?} {:?}", venue.watch.progress(), seen.states, counted::of(&name));
    assert_eq!(seen.wrong.first(), None, "{name}");
    if kind.is_none() {
        let counts = counted::of(&name);
        assert!(!counts.contains_key("sequence_gaps"), "{name}: {counts:?}");
    }
    live.end();
}

#[test]
fn recordings_come_to_what_they_say_whatever_happens_on_the_way() {
    counted::begin();
    thread::scope(|scope| {
        for case in &CASES {
            scope.spawn(|| {
                for kind in [
                    None,
                    Some(Kind::Drop),
                    Some(Kind::Reset),
                    Some(Kind::Truncated),
                    Some(Kind::NegativeSize),
                ] {
                    play(case, kind);
                }
            });
        }
    });
}
