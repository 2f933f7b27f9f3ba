//! Two connections that carry the same, and one that takes over: what happens to one costs nothing.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Golden, Live, Venue, counted, made, spec, until};
use emulate::{Fault, Kind, Script};
use ingest::capture::Input;
use ingest::live::LiveSpec;
use ingest::{Options, Step};
use model::{Body, Speed, State, Tick};

/// A feed against a venue with one fault; what it was for, and all that the feed said.
fn play(
    name: &str,
    feed: &'static str,
    fault: Option<Fault>,
    change: impl FnOnce(&mut LiveSpec),
) -> (Golden, Vec<Tick>) {
    counted::begin();
    let frames = made::capture(feed, 11, 300);
    let golden = Golden::of(feed, &frames);
    let kind = fault.as_ref().map(|fault| fault.kind);
    let script = Script::of(feed, frames.iter().cloned()).unwrap();
    let venue = Venue::start(script, "2".parse::<Speed>().unwrap(), fault.into_iter().collect());
    let mut spec = spec(feed, &venue.address, &made::symbols(feed));
    change(&mut spec);
    let live = Live::start(name, spec, &golden);
    let done = until(|| {
        let (played, all) = venue.watch.progress();
        played == all
            && kind.is_none_or(|kind| venue.watch.struck(kind) > 0)
            && live.seen().is_healed(&golden)
    });
    let seen = live.seen();
    assert!(done, "{name}: {:?} {:?}", seen.states, counted::of(name));
    assert_eq!(seen.wrong, Vec::<String>::new(), "{name}");
    (golden, live.end())
}

/// All executions came, each once.
fn assert_whole(name: &str, golden: &Golden, ticks: &[Tick]) {
    let mut wanted: BTreeMap<&[String; 4], u32> = golden.trades.iter().map(|trade| (trade, 1)).collect();
    for tick in ticks {
        if let Body::Trade(trade) = &tick.body {
            let id = trade.id.as_deref().unwrap_or_default().to_owned();
            let symbol = tick.instrument.venue_symbol.to_string();
            let key = [symbol, id, trade.price.to_string(), trade.size.to_string()];
            let left = wanted.get_mut(&key).unwrap_or_else(|| panic!("{name}: {key:?} never was"));
            assert_eq!(*left, 1, "{name}: {key:?} came twice");
            *left = 0;
        }
    }
    let missing: Vec<_> = wanted.iter().filter(|(_, left)| **left == 1).collect();
    assert!(missing.is_empty(), "{name}: {} of {} are missing", missing.len(), wanted.len());
}

/// Nobody noticed: no symbol was marked after it had opened.
fn assert_unnoticed(name: &str, ticks: &[Tick]) {
    let mut opened = BTreeMap::new();
    let end = ticks.iter().rposition(|tick| !matches!(tick.body, Body::Status(_))).unwrap_or(0);
    for tick in &ticks[..end] {
        if let Body::Status(change) = &tick.body {
            let symbol = tick.instrument.venue_symbol.clone();
            let was = opened.insert(symbol, change.state);
            assert!(was != Some(State::Open) || change.state == State::Open, "{name}: {change:?}");
        }
    }
    assert!(opened.values().all(|state| *state == State::Open), "{name}: {opened:?}");
}

#[test]
fn of_two_numbered_connections_one_may_fail_in_any_way() {
    for feed in ["bybit", "okx", "binance-usdm"] {
        for kind in [Kind::Freeze, Kind::Drop, Kind::Delay, Kind::Cut, Kind::Reset, Kind::Lifetime] {
            let name = format!("twins/{feed}/{}", kind.name());
            let mut fault = Fault::new(kind);
            (fault.at, fault.ms) = (40, 400);
            let (golden, ticks) = play(&name, feed, Some(fault), |spec| spec.arbitration = 2);
            assert_whole(&name, &golden, &ticks);
            assert_unnoticed(&name, &ticks);
            let counts = counted::of(&name);
            assert!(!counts.contains_key("sequence_gaps"), "{name}: {counts:?}");
            assert!(counts["duplicates"] > 20, "{name}: {counts:?}");
        }
    }
}

#[test]
fn where_one_leads_the_other_takes_over() {
    for feed in ["kraken-v2", "coinbase"] {
        for kind in [Kind::Freeze, Kind::Cut] {
            let name = format!("lead/{feed}/{}", kind.name());
            let mut fault = Fault::new(kind);
            fault.at = 40;
            let (golden, ticks) = play(&name, feed, Some(fault), |spec| spec.arbitration = 2);
            assert_whole(&name, &golden, &ticks);
            assert_unnoticed(&name, &ticks);
        }
    }
}

#[test]
fn a_connection_is_replaced_before_its_time_is_over() {
    for feed in ["binance-spot", "bybit", "okx"] {
        let name = format!("renewed/{feed}");
        let renew = |spec: &mut LiveSpec| spec.timing.renew_after = Some(Duration::from_millis(300));
        let (golden, ticks) = play(&name, feed, None, renew);
        assert_whole(&name, &golden, &ticks);
        assert_unnoticed(&name, &ticks);
        let counts = counted::of(&name);
        assert!(counts["reconnects renewed"] >= 2, "{name}: {counts:?}");
        assert!(!counts.contains_key("sequence_gaps"), "{name}: {counts:?}");
    }
}

/// What a tick says of the market, in words; what follows from it, or is about the feed, is left out.
fn market(ticks: &[Tick]) -> Vec<String> {
    let said = ticks.iter().filter(|tick| matches!(tick.body, Body::Book(_) | Body::Trade(_)));
    said.map(|tick| format!("{} {:?} {:?}", tick.instrument.symbol, tick.ts_recv, tick.body)).collect()
}

#[test]
fn what_was_kept_raw_comes_to_what_was_served() {
    for (feed, kind, twins) in [
        ("bybit", Some(Kind::Drop), 1),
        ("bybit", Some(Kind::Cut), 2),
        ("kraken-v2", Some(Kind::BadChecksum), 1),
        ("kraken-v2", Some(Kind::Cut), 2),
        ("binance-usdm", Some(Kind::Drop), 1),
        ("okx", Some(Kind::NotJson), 1),
        ("coinbase", Some(Kind::Eof), 1),
    ] {
        let name = format!("raw-{feed}-{twins}-{}", kind.map_or("", Kind::name));
        let folder = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
        let (_, ticks) = play(&name, feed, kind.map(Fault::new), |spec| {
            spec.arbitration = twins;
            spec.raw = Some(folder.clone());
        });
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let [file] = &*files else { panic!("{name}: {files:?}") };
        let mut reader = ingest::reader(feed, &Options::default()).unwrap();
        reader.open(Input::open(file).unwrap());
        let mut again = Vec::new();
        while !matches!(reader.step(&mut again), Step::End) {}
        let (served, again) = (market(&ticks), market(&again));
        let differs = served.iter().zip(&again).position(|(a, b)| a != b);
        assert_eq!(differs.map(|at| (&served[at], &again[at])), None, "{name}");
        assert_eq!(served.len(), again.len(), "{name}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
