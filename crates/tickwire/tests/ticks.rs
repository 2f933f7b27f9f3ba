//! Files of ticks through the program, compared row by row with what independent programs found in them: as `normalize`
//! prints them, and as `replay` prints them of the recording that `record` made.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "../../ingest/tests/answers/ticks.rs"]
mod answers;
mod common;

use std::path::PathBuf;
use std::process::Command;

use answers::{Play, shared};
use common::{text, tickwire};
use model::{
    Body, BookChange, Instrument, Level, Levels, Price, Quote, Side, Size, Symbol, Tick, Trade, UnixNanos,
    Venue,
};
use serde_json::Value;

/// What a program prints, which must end well.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn given(command: &mut Command, map: Option<&str>, files: &[PathBuf]) {
    command.args(["--feed", "csv"]).args(map.map(|map| ["--map", map]).into_iter().flatten()).args(files);
}

fn normalised(map: Option<&str>, files: &[PathBuf]) -> Vec<Tick> {
    let mut command = tickwire();
    given(command.arg("normalize"), map, files);
    printed(&mut command).lines().filter_map(tick).collect()
}

fn replayed(map: Option<&str>, files: &[PathBuf]) -> Vec<Tick> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("r");
    let mut record = tickwire();
    given(record.arg("record").arg("-o").arg(&folder), map, files);
    printed(&mut record);
    printed(tickwire().arg("replay").arg(&folder)).lines().filter_map(tick).collect()
}

/// A line as a tick; `None` where it is about something else than trades, quotes and books.
fn tick(line: &str) -> Option<Tick> {
    let record: Value = serde_json::from_str(line).unwrap();
    let name = |key: &str| record[key].as_str();
    let body = match name("channel").unwrap() {
        "trades" => Body::Trade(Trade {
            price: Price::parse(name("price").unwrap()).unwrap(),
            size: Size::parse(name("size").unwrap()).unwrap(),
            side: match name("side").unwrap() {
                "buy" => Side::Buy,
                "sell" => Side::Sell,
                _ => Side::Unknown,
            },
            id: name("trade_id").map(Into::into),
        }),
        "quotes" => {
            let side = |price, size| {
                Some(Level {
                    price: Price::parse(name(price)?).unwrap(),
                    size: Size::parse(name(size).unwrap()).unwrap(),
                })
            };
            let (bid, ask) = (side("bid_price", "bid_size"), side("ask_price", "ask_size"));
            Body::Quote(Quote::of(bid, ask, record["derived"] == true))
        }
        "book" if record["snapshot"] == true => {
            let levels = |key: &str| record[key].as_array().into_iter().flatten().map(level).collect();
            Body::Book(BookChange::Snapshot(Levels { bids: levels("bids"), asks: levels("asks") }))
        }
        _ => return None,
    };
    let symbol = Symbol::parse(name("symbol").unwrap()).unwrap();
    let instrument =
        Instrument::named(symbol, Venue::new(name("venue").unwrap()), name("venue_symbol").unwrap());
    let time = |key| name(key).map(|time| UnixNanos::from_rfc3339(time).unwrap());
    Some(Tick {
        instrument: instrument.into(),
        ts_event: time("ts_event"),
        ts_source: time("ts_source"),
        ts_recv: time("ts_recv"),
        body,
    })
}

fn level(pair: &Value) -> Level {
    let part = |at: usize| pair[at].as_str().unwrap();
    Level { price: Price::parse(part(0)).unwrap(), size: Size::parse(part(1)).unwrap() }
}

/// Compares one kind of file through both ways.
fn check(answers: impl Fn(&std::path::Path, Play<'_>)) {
    let Some(data) = shared() else { return };
    answers(&data, &normalised);
    answers(&data, &replayed);
}

#[test]
fn lobster() {
    check(answers::lobster);
}

#[test]
fn lobster_files_that_stand_alone() {
    check(answers::lobster_files_that_stand_alone);
}

#[test]
fn dukascopy() {
    check(answers::dukascopy);
}

#[test]
fn truefx() {
    check(answers::truefx);
}

#[test]
fn lean_equity_trades() {
    check(answers::lean_equity_trades);
}

#[test]
fn lean_equity_quotes() {
    check(answers::lean_equity_quotes);
}

#[test]
fn lean_forex_quotes() {
    check(answers::lean_forex_quotes);
}

#[test]
fn freqtrade() {
    check(|data, play| answers::freqtrade(data, play, &["json.gz", "parquet", "feather"]));
}

#[test]
fn trades_of_a_collector() {
    check(answers::trades_of_a_collector);
}
