//! A server that goes away: who is told what, and when it is gone.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Guard, PATIENCE, Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 1000\n";

fn terminate(plant: &Plant) {
    let killed = Command::new("kill").arg("-TERM").arg(plant.id().to_string()).status().unwrap();
    assert!(killed.success());
}

/// Told at once, spread over the window, served to the end.
#[test]
fn clients_leave_one_after_the_other() {
    let mut plant = Plant::start_with("drain = \"4s\"\n", SIM);
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/drain.py");
    let mut python = Command::new(common::python());
    python.arg(script).arg(&plant.address).arg(plant.ca()).arg(&plant.admin).arg(plant.id().to_string());
    let output = python.arg("4").env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m")).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(plant.wait(PATIENCE).success());
}

/// Who has nobody to wait for does not wait, and a second signal waits for nobody.
#[test]
fn a_server_goes_when_it_can_and_when_it_must() {
    let mut plant = Plant::start_with("drain = \"60s\"\n", SIM);
    plant.wait_for("/readyz", 200);
    let began = Instant::now();
    terminate(&plant);
    assert!(plant.wait(PATIENCE).success());
    assert!(began.elapsed() < Duration::from_secs(30), "nobody was there");

    let mut plant = Plant::start_with("drain = \"60s\"\n", SIM);
    plant.wait_for("/readyz", 200);
    let mut reader = common::tickwire();
    reader.args(["sub", "-c", "trades", "-s", "*", "--url", &plant.url(), "--ca"]).arg(plant.ca());
    reader.env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m")).stdout(Stdio::piped());
    let mut reader = Guard(reader.stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(reader.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let began = Instant::now();
    terminate(&plant);
    plant.wait_for("/readyz", 503);
    terminate(&plant);
    assert!(!plant.wait(PATIENCE).success());
    assert!(began.elapsed() < Duration::from_secs(30), "it was told twice");
}
