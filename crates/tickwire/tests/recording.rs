//! The recording of our own in `feeds/recordings`: made by the simulator, so it is made again here
//! and compared byte for byte, and so is what it must normalise to.
//!
//! After a change that is meant to change them: `TICKWIRE_BLESS=1 cargo test -p tickwire --test recording`.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use ingest::sim::{Market, Settings, message};
use model::{Body, BookChange, Level, Size, Tick, UnixNanos};
use serde_json::{Value, json};

/// Of this seed, because the market of it halts and opens again within the recording.
const SEED: u64 = 599;
const SYMBOLS: usize = 3;
const RATE: u32 = 30;
const EVENTS: usize = 600;
/// 2026-11-20T14:30:00Z.
const START: UnixNanos = UnixNanos(1_795_185_000_000_000_000);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../feeds/recordings")
}

fn market() -> Vec<Tick> {
    let mut market = Market::new(&Settings { seed: SEED, symbols: SYMBOLS, rate: RATE, start: START });
    let mut ticks = Vec::new();
    while ticks.len() < EVENTS {
        market.advance(&mut ticks);
    }
    ticks
}

/// A capture envelope of format 2, as a recorder of the simulated venue would write it.
fn envelope(ticks: &[Tick]) -> String {
    let mut text = String::new();
    writeln!(text, "{}", json!({"t": "header", "format": 2, "venue": "sim"})).unwrap();
    writeln!(text, "{}", json!({"t": "connect", "conn": "sim", "ts": seconds(START), "addr": "sim"}))
        .unwrap();
    for tick in ticks {
        let (at, data) = (tick.ts_recv.unwrap(), message(tick).unwrap());
        let line = json!({"t": "recv", "conn": "sim", "ts": seconds(at), "data": data});
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// Seconds with six digits, as recorders write them.
fn seconds(at: UnixNanos) -> Value {
    let text = format!("{}.{:06}", at.0 / 1_000_000_000, at.0 % 1_000_000_000 / 1_000);
    serde_json::from_str(&text).unwrap()
}

/// The file must be `text`; with `TICKWIRE_BLESS` it becomes it.
fn hold(path: &Path, text: &str) {
    if std::env::var_os("TICKWIRE_BLESS").is_some() {
        std::fs::write(path, text).unwrap();
    }
    let held = std::fs::read_to_string(path).unwrap();
    let differs = held.lines().zip(text.lines()).position(|(held, made)| held != made);
    assert_eq!(differs.map(|line| line + 1), None, "first line that differs in {}", path.display());
    assert_eq!(held.len(), text.len(), "length of {}", path.display());
}

#[test]
fn the_recording_is_what_the_simulator_makes_and_normalises_to_what_is_expected() {
    let ticks = market();
    hold(&folder().join("sim.jsonl"), &envelope(&ticks));

    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
    let output =
        command.args(["normalize", "--feed", "sim"]).arg(folder().join("sim.jsonl")).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr)), (Some(0), "".into()));
    let text = String::from_utf8(output.stdout).unwrap();
    hold(&folder().join("sim.expected.ndjson"), &text);

    // What is expected is what happened: record by record, in the simulator's own words.
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), ticks.len());
    for (record, tick) in records.iter().zip(&ticks) {
        assert_eq!(record["symbol"], tick.instrument.symbol.as_str());
        let pairs = |levels: &[Level]| -> Vec<Value> {
            let size = |size: Size| if size.is_zero() { "0".to_owned() } else { size.to_string() };
            levels.iter().map(|level| json!([level.price.to_string(), size(level.size)])).collect()
        };
        match &tick.body {
            Body::Trade(trade) => {
                assert_eq!(record["price"], trade.price.to_string());
                assert_eq!(record["size"], trade.size.to_string());
                assert_eq!(record["trade_id"].as_str(), trade.id.as_deref());
            }
            Body::Quote(quote) => {
                assert_eq!(
                    record["bid_price"].as_str(),
                    quote.bid.map(|bid| bid.price.to_string()).as_deref()
                );
                assert_eq!(record["ask_size"].as_str(), quote.ask.map(|ask| ask.size.to_string()).as_deref());
            }
            Body::Book(BookChange::Snapshot(levels) | BookChange::Delta(levels)) => {
                assert_eq!(record["bids"], Value::from(pairs(&levels.bids)));
                assert_eq!(record["asks"], Value::from(pairs(&levels.asks)));
            }
            Body::Status(change) => assert_eq!(record["state"], change.state.as_str()),
            other => panic!("{other:?}"),
        }
    }
    let states = ticks.iter().filter(|tick| matches!(&tick.body, Body::Status(_)));
    assert_eq!(states.count(), SYMBOLS + 2, "the market opens, halts and opens again");
}
