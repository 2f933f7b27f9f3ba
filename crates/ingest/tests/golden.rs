//! Real captures through the normalisers, compared event by event with the golden answers.

#![expect(clippy::unwrap_used, reason = "a test")]

mod answers;

use std::collections::BTreeMap;
use std::path::Path;

use ingest::capture::{Input, Lines};
use ingest::{Options, Step, reader};
use model::{Body, BookChange, Tick};

use answers::{BYBIT_ZIP, CASES, SeenOf, check_bybit_zip, check_kraken_v2, shared};

/// Everything that `feed` makes of `files`, by venue and venue symbol.
fn play(data: &Path, feed: &str, files: &[&str]) -> SeenOf {
    let mut reader = reader(feed, &Options::default()).unwrap();
    let mut seen = SeenOf::new();
    let (mut ticks, mut before) = (Vec::<Tick>::new(), 0);
    for file in files {
        let first_diffs = first_diffs(&data.join(file));
        reader.open(Input::open(&data.join(file)).unwrap());
        loop {
            match reader.step(&mut ticks) {
                Step::Ticks => {}
                Step::End => break,
                other @ Step::Broken { .. } => panic!("{file}: {other:?}"),
            }
            let position = before + reader.spot().number;
            let joined = ticks.iter().any(|tick| matches!(tick.body, Body::Book(BookChange::Delta(_))));
            for tick in ticks.drain(..) {
                let instrument = &tick.instrument;
                let key = (instrument.venue.to_string(), instrument.venue_symbol.to_string());
                let entry = seen.entry(key.clone()).or_default();
                entry.take(&tick.body, tick.ts_event.unwrap_or_default().0);
                if let Body::Book(change) = &tick.body {
                    let at = first_diffs.get(&key.1).map_or(position, |&first| position.max(first));
                    // A snapshot that buffered diffs join is noted with the first of them.
                    if !(joined && matches!(change, BookChange::Snapshot(_))) {
                        entry.note_best(at);
                    }
                }
            }
        }
        before += reader.spot().number;
    }
    seen
}

/// In captures all REST answers stand first; the golden books take a snapshot when the first diff of
/// its symbol arrives, so that is the line they name.
fn first_diffs(file: &Path) -> BTreeMap<String, u64> {
    let mut first = BTreeMap::new();
    let name = file.file_name().unwrap().to_str().unwrap();
    // What stands before the symbol in the lines of diffs.
    let marks = match name.split(['.', '_']).next() {
        Some("binance") => ["depthUpdate", r#"\"s\":\""#],
        Some("kucoin") => ["sequenceStart", r#"\"symbol\":\""#],
        Some("bitstamp") => ["microtimestamp", "diff_order_book_"],
        _ => return first,
    };
    let mut lines = Lines::new(Input::open(file).unwrap());
    while let Some(line) = lines.next_line().unwrap() {
        let line = str::from_utf8(line).unwrap();
        let rest = line.split_once(marks[0]).and_then(|(_, rest)| rest.split_once(marks[1]));
        if let Some((_, rest)) = rest {
            let symbol = rest.split_once('\\').unwrap().0.to_owned();
            let number = lines.number();
            first.entry(symbol).or_insert(number);
        }
    }
    first
}

fn check(feed: &str) {
    let Some(data) = shared() else { return };
    for case in CASES.iter().filter(|case| case.feed == feed) {
        case.check(&data, &play(&data, feed, case.files), true);
    }
}

#[test]
fn binance_spot() {
    check("binance-spot");
}

#[test]
fn binance_usdm() {
    check("binance-usdm");
}

#[test]
fn binance_coinm() {
    check("binance-coinm");
}

#[test]
fn binance_json() {
    check("binance-json");
}

#[test]
fn bitfinex() {
    check("bitfinex");
}

#[test]
fn bitget() {
    check("bitget");
}

#[test]
fn bitstamp() {
    check("bitstamp");
}

#[test]
fn deribit() {
    check("deribit");
}

#[test]
fn gemini() {
    check("gemini");
}

#[test]
fn huobi() {
    check("huobi");
}

#[test]
fn kucoin() {
    check("kucoin");
}

#[test]
fn kraken() {
    check("kraken");
}

#[test]
fn coinbase() {
    check("coinbase");
}

#[test]
fn bybit() {
    check("bybit");
}

#[test]
fn okx() {
    check("okx");
}

#[test]
fn kraken_v2() {
    let Some(data) = shared() else { return };
    check_kraken_v2(&data, true, |file| play(&data, "kraken-v2", &[file]));
}

#[test]
fn bybit_raw_frames_in_a_zip() {
    let Some(data) = shared() else { return };
    check_bybit_zip(&data, &play(&data, "bybit", &[BYBIT_ZIP]), true);
}
