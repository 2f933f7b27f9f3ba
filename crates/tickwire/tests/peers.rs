//! WebSocket libraries that are not ours against the real server, with and without compression.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::process::Command;

use common::{Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 500\n";

/// Runs a client to its end, and is told how it went.
fn run(client: &mut Command, plant: &Plant) {
    let token = plant.token(&["stream:*"], "10m");
    let output = client.env("TICKWIRE_TOKEN", token).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

fn python(plant: &Plant, compressed: &str) {
    let script = common::top().join("crates/tickwire/tests/python/peers.py");
    run(
        Command::new(common::python()).arg(script).arg(&plant.address).arg(plant.ca()).arg(compressed),
        plant,
    );
}

/// The most memory that the plant ever had, in KiB.
fn peak(plant: &Plant) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", plant.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn python_without_compression_of_the_stream() {
    let plant = Plant::start(SIM);
    plant.wait_for("/readyz", 200);
    python(&plant, "no");
}

/// With the script's 60 MiB that come as 60 KiB.
#[test]
fn python_with_compression_of_the_stream() {
    let plant = Plant::start_with("compression = true\n", SIM);
    plant.wait_for("/readyz", 200);
    python(&plant, "yes");
    let peak = peak(&plant);
    assert!(peak < 60 << 10, "{peak} KiB");
}

#[test]
fn node() {
    let Some(packages) = common::node_packages() else { return };
    let plant = Plant::start_with("compression = true\n", SIM);
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/node/peers.js");
    let mut node = Command::new("node");
    run(node.arg(script).arg(&plant.address).arg(plant.ca()).env("NODE_PATH", packages), &plant);
}

/// Much fits into a frame of little: the limit ends it, and what is beyond is never made.
#[test]
fn a_bomb_is_cut_at_the_limit() {
    let plant = Plant::start_with("compression = true\n", SIM);
    plant.wait_for("/readyz", 200);
    let before = peak(&plant);
    let script = common::top().join("crates/tickwire/tests/python/bomb.py");
    for (path, mebibytes) in [("/v1/stream", "1"), ("/v1/stream", "60"), ("/echo", "60")] {
        run(
            Command::new(common::python())
                .arg(script.clone())
                .arg(&plant.address)
                .arg(plant.ca())
                .args([path, mebibytes]),
            &plant,
        );
    }
    let grown = peak(&plant).saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more");
}
