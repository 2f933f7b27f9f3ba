//! A real capture, replayed at ten times its speed, to a client that is not ours: Python's
//! `websockets` over wss, once reading as it likes and once reading a message a second.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that shows what it found")]

mod common;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use common::{Plant, python, shared, text, top};

const CAPTURE: &str = "binance/spot_btcusdt_20240808.gz";
const GOLDEN: &str = "golden/binance_spot_btcusdt_20240808_alone.json";

/// What the client reports of the whole replay, and what the capture's golden answer is.
fn replay(reads: &[&str]) -> Option<(Value, Value)> {
    let (capture, golden) = (shared(CAPTURE)?, shared(GOLDEN)?);
    let plant = Plant::start(&format!(
        "[[feed]]\nname = \"binance\"\nkind = \"replay\"\nfeed = \"binance-spot\"\nfiles = [\"{}\"]\n\
         speed = \"10x\"\nwait_for_subscriber = true\n",
        capture.canonicalize().unwrap().display()
    ));
    // Listed before anybody subscribes.
    plant.wait_for("/readyz", 200);
    let mut client = Command::new(python());
    client.arg(top().join("crates/tickwire/tests/python/dashboard.py"));
    client.arg(plant.url()).arg(plant.ca()).arg("BTC-USDT").args(reads);
    client.env("TICKWIRE_TOKEN", plant.token(&["stream:BTC-*"], "10m"));
    let output = client.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    println!("{}", text(&output.stdout));
    Some((serde_json::from_slice(&output.stdout).unwrap(), read(&golden)))
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Every record's place, the checksums and the ledger are held by the client itself.
fn hold(report: &Value, golden: &Value) {
    let trades = &golden["trades"];
    assert_eq!(report["totals"]["trades"], trades["count"].to_string());
    for (ours, theirs) in [
        ("volume", "volume"),
        ("notional", "notional"),
        ("buy_volume", "taker_buy_volume"),
        ("sell_volume", "taker_sell_volume"),
    ] {
        assert_eq!(report["totals"][ours], trades[theirs], "{ours}");
    }
    for side in ["bids", "asks"] {
        let ours = report["top10"][side].as_array().unwrap();
        let theirs = golden["book"]["final_top10"][side].as_array().unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(
                ours.as_array().unwrap().iter().map(plain).collect::<Vec<_>>(),
                *theirs.as_array().unwrap()
            );
        }
    }
    // One event per quote of the venue, and per update of the book besides the snapshot.
    assert_eq!(report["streams"]["quotes"][1], golden["book_ticker"]["count"]);
    assert_eq!(report["streams"]["book"][1], golden["book"]["updates"]);
}

/// The golden answers leave trailing zeros out.
fn plain(value: &Value) -> Value {
    let text = value.as_str().unwrap();
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    text.into()
}

#[test]
fn every_sequence_once_and_the_book_right() {
    let Some((report, golden)) = replay(&[]) else { return };
    hold(&report, &golden);
}

/// The replay takes 35 of the 45 seconds.
#[test]
fn a_message_a_second_is_enough_for_the_truth() {
    let Some((report, golden)) = replay(&["--pace", "1", "--for", "45"]) else { return };
    hold(&report, &golden);
    assert!(report["merged"].as_u64().unwrap() > 10_000, "most of it was merged: {report}");
    assert!(report["summaries"].as_u64().unwrap() > 0, "trades too: {report}");
    assert_eq!(report["notices"][0], "started");
    assert_eq!(report["notices"].as_array().unwrap().last().unwrap(), "ended");
}
