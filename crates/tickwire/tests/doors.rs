//! Every door and every encoding, from outside.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 2000\n";

fn run(script: &str, plant: &Plant) {
    run_with(script, plant, &[]);
}

/// The same, with more tokens, each by its name.
fn run_with(script: &str, plant: &Plant, tokens: &[(&str, &str)]) {
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python").join(script);
    let mut python = Command::new(common::python());
    python.arg(script).arg(&plant.address).arg(plant.ca());
    python.envs(tokens.iter().map(|(name, scope)| (name, plant.token(&[scope], "10m"))));
    let output = python.env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m")).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// With Python's own HTTP client, and a checker that believes nothing.
#[test]
fn the_same_messages_through_every_door() {
    run("doors.py", &Plant::start_with("allowed_origins = [\"https://good.example\"]\n", SIM));
}

/// With Python's `msgpack`, beside a client that reads JSON; in plain frames and in compressed ones.
#[test]
fn the_same_records_in_every_encoding() {
    run("encodings.py", &Plant::start(SIM));
    run("encodings.py", &Plant::start_with("compression = true\n", SIM));
}

/// Beside a WebSocket, which is sent the same at the same time.
#[test]
fn the_past_in_pages() {
    let server = "allowed_origins = [\"https://good.example\"]\n";
    // Whoever pages through a dozen streams at a time asks often.
    let config = format!("[limits]\nhttp_requests_per_second = 1000\n{}", SIM.replace("20", "4"));
    let tokens = [("NARROW", "stream:AAPL/trades"), ("SLOW", "stream:*?conflate_ms=250")];
    run_with("history.py", &Plant::start_with(server, &config), &tokens);
}
