//! Every door and every encoding, from outside.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 2000\n";

fn run(script: &str, plant: &Plant) {
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python").join(script);
    let mut python = Command::new(common::python());
    python.arg(script).arg(&plant.address).arg(plant.ca());
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
