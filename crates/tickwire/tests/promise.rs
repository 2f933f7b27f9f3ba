//! The promise, held to from outside: every update is delivered, folded or named, whatever breaks and
//! however slowly somebody reads. The checker is Python's and believes nothing.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::{Command, Stdio};

use serde_json::Value;

use common::{Guard, Plant, python, text, tickwire, top};

fn check(plant: &Plant, mode: &str, more: &[&str]) -> Value {
    let mut command = Command::new(python());
    command.arg(top().join("crates/tickwire/tests/python/promise.py")).arg(mode);
    command.arg(plant.url()).arg(plant.ca()).arg(plant.token(&["stream:*"], "10m")).args(more);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Connections break twelve times; each time the client comes back with its cursor, now and then on a
/// second connection before the first is closed.
#[test]
fn nothing_is_lost_over_lost_connections() {
    let plant = Plant::start("[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 6\nrate = 150\n");
    let told = check(&plant, "lost", &[]);
    assert_eq!(told["filled"], 12, "at this rate all is kept: {told}");
    assert_eq!(told["skipped"], 0, "{told}");
    for some in ["delivered", "checksums"] {
        assert!(told[some].as_u64().unwrap() > 500, "{told}");
    }
}

/// Six clients with every option, some slow, some paused, some paced: what their ledgers add up to is
/// what Prometheus is told, channel by channel.
#[test]
fn the_metrics_are_the_sum_of_the_ledgers() {
    let plant = Plant::start("[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 6\nrate = 3000\n");
    let told = check(&plant, "counted", &[&plant.admin]);
    for some in ["delivered", "coalesced"] {
        assert!(told[some].as_u64().unwrap() > 500, "{told}");
    }
}

/// Some read nothing for a while and some little, on a market that is too much for them: everybody is told
/// everything, says the load that they are part of, and say clients of another make among them.
#[test]
fn slow_readers_are_told_everything() {
    let plant = Plant::start("[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 6\nrate = 1500\n");
    let mut bench = tickwire();
    bench.args(["bench", "--clients", "200", "--each", "1", "--frozen-share", "0.1", "--slow-share", "0.1"]);
    bench.args([
        "-c",
        "trades,quotes,book",
        "--ramp",
        "0",
        "--duration",
        "5s",
        "--url",
        &plant.url(),
        "--ca",
    ]);
    bench.arg(plant.ca()).env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m"));
    let json = plant.folder.path().join("bench.json");
    bench.arg("--json").arg(&json).stdin(Stdio::null()).stdout(Stdio::null());
    let mut bench = Guard(bench.spawn().unwrap());
    let told = check(&plant, "slow", &["6", "3", "3", "5"]);
    assert_eq!(told["ledgers"], 12, "{told}");
    assert!(told["delivered"].as_u64().unwrap() > 0 && told["checksums"].as_u64().unwrap() > 0, "{told}");
    assert!(bench.0.wait().unwrap().success());
    let told: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(told["faults"], Value::Array(Vec::new()), "{told}");
    for (group, clients) in [("healthy", 160), ("slow", 20), ("frozen", 20)] {
        let group = &told["groups"][group];
        assert!(group["clients"] == clients && group["delivered"].as_u64().unwrap() > 0, "{told}");
    }
    let frozen = &told["groups"]["frozen"];
    assert!(frozen["coalesced"].as_u64().unwrap() > 0, "5 s of it are more than the kernel holds: {told}");
}
