//! However a session ends, one line of the log says so, and all lines together say what the metrics do.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use common::recorded::until;
use common::{Guard, PATIENCE, Plant};
use serde_json::Value;

const CONFIG: &str = "[logs]\nevents = 512\n[limits]\nping = \"1s\"\nsilence = \"4s\"\n\
    [[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 3000\n";

/// What series are told apart by: each has few values.
const LABELS: [&str; 14] = [
    "transport",
    "reason",
    "channel",
    "result",
    "le",
    "feed",
    "kind",
    "limit",
    "op",
    "code",
    "waited_for",
    "version",
    "revision",
    "when",
];

/// Lines of the log that say how a session was, by its name.
fn closed(plant: &Plant) -> BTreeMap<String, Vec<Value>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for line in plant.log().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["message"] == "session closed" {
            found.entry(line["session"].as_str().unwrap().to_owned()).or_default().push(line);
        }
    }
    found
}

/// What lines of the log say, and metrics too.
const SUMS: [(&str, &str); 5] = [
    ("bytes", "tickwire_sent_bytes_total"),
    ("flushes", "tickwire_flushes_total"),
    ("delivered", "tickwire_updates_delivered_total"),
    ("coalesced", "tickwire_updates_coalesced_total"),
    ("skipped", "tickwire_updates_skipped_total"),
];

fn sum(lines: &BTreeMap<String, Vec<Value>>, field: &str) -> u64 {
    lines.values().flatten().map(|line| line[field].as_u64().unwrap()).sum()
}

/// Of all series of a metric with such labels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
fn total(metrics: &str, name: &str, label: &str) -> u64 {
    let lines = metrics.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label)
    });
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum::<f64>() as u64
}

#[test]
fn each_session_leaves_one_line() {
    let mut plant = Plant::start_plain("drain = \"3s\"\n", CONFIG);
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/endings.py");
    let mut python = Command::new(common::python());
    python.arg(script).args([&plant.address, &plant.admin]).stdin(Stdio::piped()).stdout(Stdio::piped());
    python.env("TOKEN", plant.token(&["stream:*"], "10m")).env("SHORT", plant.token(&["stream:*"], "4s"));
    python.env("ADMIN_TOKEN", plant.token(&["admin"], "10m"));
    let mut clients = Guard(python.spawn().unwrap());
    let mut said = BufReader::new(clients.0.stdout.take().unwrap());
    let mut heard = || {
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        line
    };
    assert_eq!(heard(), "ended\n");
    until("seven have ended", || closed(&plant).len() == 7);
    // Shards tell what they have counted twenty times a second.
    let (lines, mut told) = (closed(&plant), String::new());
    until("what the lines say is counted", || {
        told = common::get(&plant.admin, "/metrics").1;
        total(&told, "tickwire_connections_closed_total", "") == 7
            && SUMS.iter().all(|(field, name)| sum(&lines, field) == total(&told, name, ""))
    });
    for reason in
        ["client", "gone", "kicked", "slow_consumer", "token_expired", "protocol_error", "ping_timeout"]
    {
        let label = format!("reason=\"{reason}\"");
        assert_eq!(total(&told, "tickwire_connections_closed_total", &label), 1, "{reason}: {lines:?}");
    }
    for (name, count) in [
        ("tickwire_connections", 0),
        ("tickwire_connections_opened_total", 7),
        ("tickwire_connection_duration_seconds_count", 7),
        ("tickwire_requests_total", 7),
        ("tickwire_slow_consumers", 0),
    ] {
        assert_eq!(total(&told, name, ""), count, "{name}: {told}");
    }

    clients.0.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert_eq!(heard(), "served\n");
    Command::new("kill").args(["-TERM", &plant.id().to_string()]).status().unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(plant.wait(PATIENCE).success());
    let lines = closed(&plant);
    let clients: Vec<Value> = serde_json::from_str(&rest).unwrap();
    assert_eq!(clients.len(), 10);
    for client in clients {
        let name = client["session"].as_str().unwrap();
        let [line] = lines[name].as_slice() else { panic!("{name}: {:?}", lines[name]) };
        assert_eq!(line["reason"], client["reason"], "{line}");
        assert_eq!((&line["level"], &line["door"]), (&"INFO".into(), &"websocket".into()), "{line}");
        let is_mute = line["reason"] == "ping_timeout";
        let streams = if is_mute { 5 } else { 10 };
        assert_eq!((&line["subject"], &line["streams"]), (&"alice".into(), &streams.into()), "{line}");
        assert!(line["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
        for some in ["bytes", "flushes", "messages_received", "delivered", "duration_ms"] {
            assert!(line[some].as_u64().unwrap() > 0 || is_mute, "{some}: {line}");
        }
        // Who has read to the end has been sent what the line says; others have left some of it lying.
        if ["shutdown", "token_expired"].contains(&client["reason"].as_str().unwrap()) {
            assert!(line["delivered"].as_u64() >= client["records"].as_u64(), "{line}: {client}");
        }
    }
    assert_eq!(lines.len(), 10, "and nobody else");
}

/// Neither symbols nor sessions are labels: with ten thousand of the one and hundreds of the other there are hardly more
/// series than with a few.
#[test]
fn metrics_do_not_grow_with_symbols_and_sessions() {
    let few = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 2000\n";
    let series = |config: &str, clients: &str| {
        let plant = Plant::start_plain("drain = \"0s\"\n", config);
        plant.wait_for("/readyz", 200);
        let mut bench = common::tickwire();
        bench.args(["bench", "--clients", clients, "--each", "2", "-s", "*", "-c", "trades,quotes,book"]);
        bench.args(["--ramp", "0", "--duration", "2s", "--url", &plant.url()]);
        bench.env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m"));
        assert!(bench.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success());
        let told = common::get(&plant.admin, "/metrics").1;
        let names = told.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let names = names.map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
        (names.collect::<std::collections::BTreeSet<_>>(), told.len())
    };
    let (small, _) = series(few, "2");
    let (large, bytes) = series(&few.replace("symbols = 5", "symbols = 10000"), "300");
    // What had not happened before: a full socket, another way to end.
    let more: Vec<_> = large.difference(&small).collect();
    assert!(more.len() < 20 && large.len() < 400, "{more:?}");
    for series in &large {
        for label in series
            .split_once('{')
            .map_or("", |(_, labels)| labels)
            .split("\",")
            .filter(|label| !label.is_empty())
        {
            let name = label.split('=').next().unwrap();
            assert!(LABELS.contains(&name), "{series}");
        }
    }
    assert!(bytes < 64 << 10, "{bytes} bytes");
}
