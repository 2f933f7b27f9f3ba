//! Files of ticks through their mappings, compared row by row with what independent programs found in them.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "answers/ticks.rs"]
mod answers;

use std::path::PathBuf;

use answers::shared;
use ingest::capture::Input;
use ingest::table::shipped;
use ingest::{Map, Options, Step, reader};
use model::Tick;

/// Everything that a mapping makes of files; no mapping: the one that their columns tell.
fn play(map: Option<&str>, files: &[PathBuf]) -> Vec<Tick> {
    let map = map.map(|name| {
        let known = shipped().iter().find(|shipped| shipped.name == name).unwrap();
        Map { name: name.to_owned(), text: known.text.to_owned() }
    });
    let mut reader = reader("csv", &Options { map, ..Options::default() }).unwrap();
    let mut ticks = Vec::new();
    for file in files {
        reader.open(Input::open(file).unwrap());
        loop {
            match reader.step(&mut ticks) {
                Step::Ticks => {}
                Step::End => break,
                Step::Broken { spot, error } => panic!("{}: {spot}: {error}", file.display()),
            }
        }
    }
    ticks
}

#[test]
fn lobster() {
    let Some(data) = shared() else { return };
    answers::lobster(&data, &play);
}

#[test]
fn lobster_files_that_stand_alone() {
    let Some(data) = shared() else { return };
    answers::lobster_files_that_stand_alone(&data, &play);
}

#[test]
fn dukascopy() {
    let Some(data) = shared() else { return };
    answers::dukascopy(&data, &play);
}

#[test]
fn truefx() {
    let Some(data) = shared() else { return };
    answers::truefx(&data, &play);
}

#[test]
fn lean_equity_trades() {
    let Some(data) = shared() else { return };
    answers::lean_equity_trades(&data, &play);
}

#[test]
fn lean_equity_quotes() {
    let Some(data) = shared() else { return };
    answers::lean_equity_quotes(&data, &play);
}

#[test]
fn lean_forex_quotes() {
    let Some(data) = shared() else { return };
    answers::lean_forex_quotes(&data, &play);
}

#[test]
fn freqtrade() {
    let Some(data) = shared() else { return };
    let columns: &[&str] = if cfg!(feature = "columns") { &["parquet", "feather"] } else { &[] };
    answers::freqtrade(&data, &play, &[&["json.gz"], columns].concat());
}

#[test]
fn trades_of_a_collector() {
    let Some(data) = shared() else { return };
    answers::trades_of_a_collector(&data, &play);
}
