//! Live venues from end to end: an emulated venue, a server that is connected to it, a client; and a recording of it.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use common::{Guard, PATIENCE, Plant, get, run, shared, text, tickwire};
use serde_json::Value;

/// An emulated venue; it ends with the value.
fn emulate(feed: &str, speed: &str, faults: &[&str], capture: &Path) -> (Guard, String) {
    let mut command = tickwire();
    command.args(["emulate", "--feed", feed, "--speed", speed]).arg(capture);
    for fault in faults {
        command.args(["--fault", fault]);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("ws://").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    (Guard(child), address)
}

fn definition(address: &str) -> String {
    format!(
        "name = \"bybit\"\nkind = \"live\"\nfeed = \"bybit\"\nmarket = \"linear\"\nsymbols = [\"BTCUSDT\", \"ETHUSDT\"]\n\
         depth = 200\nws_url = \"ws://{address}\"\nbackoff_max = \"1s\"\nanswer_after = \"3s\"\n"
    )
}

#[test]
fn a_venue_is_served_and_mended() {
    let Some(capture) = shared("ws/bybit.jsonl.zst") else { return };
    let (_venue, address) = emulate("bybit", "4", &["drop:at=200", "reset:at=400"], &capture);
    let plant = Plant::start(&format!("[[feed]]\n{}", definition(&address)));
    let token = plant.token(&["stream:*"], "10m");
    let output = run(&[
        "sub",
        "--url",
        &plant.url(),
        "--ca",
        plant.ca().to_str().unwrap(),
        "--token",
        &token,
        "-c",
        "book",
        "-s",
        "BTC-USDT-PERP",
        "--count",
        "50",
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let records = text(&output.stdout);
    let first: Value = serde_json::from_str(records.lines().next().unwrap()).unwrap();
    assert_eq!(first["symbol"], "BTC-USDT-PERP");
    let began = Instant::now();
    loop {
        let metrics = get(&plant.admin, "/metrics").1;
        let has = |start: &str| metrics.lines().any(|line| line.starts_with(start) && !line.ends_with(" 0"));
        if has("tickwire_feed_sequence_gaps_total{feed=\"bybit\"}")
            && has("tickwire_feed_reconnects_total{feed=\"bybit\",reason=\"broken\"}")
            && has("tickwire_feed_resyncs_total{feed=\"bybit\"}")
            && has("tickwire_feed_connections{feed=\"bybit\"} 1")
        {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{metrics}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_live_venue_is_recorded_with_its_messages() {
    let Some(capture) = shared("ws/bybit.jsonl.zst") else { return };
    let (_venue, address) = emulate("bybit", "10", &["drop:at=200"], &capture);
    let folder = tempfile::tempdir().unwrap();
    let (feed, recording) = (folder.path().join("live.toml"), folder.path().join("rec"));
    fs::write(&feed, definition(&address)).unwrap();
    let args = ["record", "-o", recording.to_str().unwrap(), "--live", feed.to_str().unwrap()];
    let output = run(&[&args[..], &["--raw", "--duration", "8s"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let verified = run(&["verify", recording.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", text(&verified.stderr));
    let raw: Vec<_> =
        fs::read_dir(recording.join("raw")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [raw] = &*raw else { panic!("{raw:?}") };
    let normalized = run(&["normalize", "--feed", "bybit", raw.to_str().unwrap()]);
    let replayed = run(&["replay", recording.to_str().unwrap()]);
    // What the market did: the same record for record, whatever follows from it.
    let market = |output: &[u8]| -> Vec<String> {
        let records = text(output);
        let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let kept = records.filter(|record| matches!(record["channel"].as_str(), Some("book" | "trades")));
        kept.map(|record| {
            let keys = [
                "channel", "symbol", "sequence", "snapshot", "bids", "asks", "price", "size", "trade_id",
                "type",
            ];
            keys.map(|key| record[key].to_string()).join(" ")
        })
        .collect()
    };
    let (one, other) = (market(&normalized.stdout), market(&replayed.stdout));
    assert!(one.len() > 200, "{} records", one.len());
    let differs = one.iter().zip(&other).find(|(one, other)| one != other);
    assert_eq!(differs, None);
    assert_eq!(one.len(), other.len());
}

#[test]
fn a_doctor_asks_the_venue() {
    let Some(capture) = shared("ws/binance.jsonl.zst") else { return };
    let (_venue, address) = emulate("binance-spot", "10", &[], &capture);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tickwire.toml");
    let feed = |ws: &str| {
        format!(
            "[[feed]]\nname = \"market\"\nkind = \"live\"\nfeed = \"binance-spot\"\nsymbols = [\"BTCUSDT\"]\n\
             channels = [\"trades\"]\nws_url = \"ws://{ws}\"\nrest_url = \"http://{address}\"\n"
        )
    };
    let told = |text_of: String| -> Vec<[String; 3]> {
        fs::write(&config, text_of).unwrap();
        let output = run(&["doctor", "--json", "-c", config.to_str().unwrap()]);
        let told: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
        let checks = told["checks"].as_array().unwrap().iter();
        let market = checks.filter(|check| check["area"] == "feeds" && check["name"] == "market");
        market
            .map(|check| ["level", "seen", "advice"].map(|key| check[key].as_str().unwrap_or("").to_owned()))
            .collect()
    };
    let fine = told(feed(&address));
    assert!(fine[0][0] == "ok" && fine[0][1].contains("answers in"), "{fine:?}");
    // A port that nobody listens at.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let away = told(feed(&free));
    assert!(away[0][0] == "warn" && away[0][1].contains("connect: "), "{away:?}");
    assert!(away[0][2].contains("firewall"), "{away:?}");
}

#[test]
fn a_venue_is_trusted_by_its_certificate() {
    // A server of our own is as good a venue: it has a certificate, and none of a venue's addresses.
    let plant = Plant::start("[[feed]]\nname = \"sim\"\nkind = \"sim\"\n");
    let host = plant.url().split('/').nth(2).unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tickwire.toml");
    let seen = |ca: &str| {
        let feed = "[[feed]]\nname = \"market\"\nkind = \"live\"\nfeed = \"okx\"\nsymbols = [\"BTC-USDT\"]\n";
        fs::write(&config, format!("{feed}ws_url = \"wss://{host}\"\n{ca}")).unwrap();
        let output = run(&["doctor", "--json", "-c", config.to_str().unwrap()]);
        let told: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
        let market =
            told["checks"].as_array().unwrap().iter().find(|check| check["name"] == "market").unwrap();
        market["seen"].as_str().unwrap().to_owned()
    };
    let stranger = seen("");
    assert!(stranger.contains("tls: invalid peer certificate"), "{stranger}");
    let known = seen(&format!("ca_file = {:?}\n", plant.ca()));
    assert!(known.contains("handshake: the venue answered 404"), "{known}");
}

#[test]
fn faults_have_names() {
    let output = run(&["emulate", "--list-faults"]);
    assert!(output.status.success());
    assert!(text(&output.stdout).lines().count() >= 40);
    let output = run(&["emulate", "--feed", "bybit", "--fault", "explode", "x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unknown fault \"explode\""), "{}", text(&output.stderr));
    let output = run(&["emulate", "--feed", "bybit", "--fault", "dorp:at=3", "x"]);
    assert!(text(&output.stderr).contains("did you mean \"drop\"?"), "{}", text(&output.stderr));
    let output = run(&["emulate", "--feed", "kraken-v1", "x"]);
    assert!(text(&output.stderr).contains("Did you mean \"kraken-v2\"?"), "{}", text(&output.stderr));
    let output = run(&["emulate", "--feed", "sim", "x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("\"sim\" is not emulated; binance-spot"),
        "{}",
        text(&output.stderr)
    );
}
