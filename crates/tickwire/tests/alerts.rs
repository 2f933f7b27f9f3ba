//! Alerts, from outside.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, text};

/// A client of Python's counts the crossings itself.
#[test]
fn no_crossing_is_missed() {
    let plant = Plant::start("[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 3\nrate = 1000\n");
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/alerts.py");
    let mut python = Command::new(common::python());
    python.arg(script).arg(&plant.address).arg(plant.ca());
    for name in ["alice", "bob"] {
        python.env(name.to_uppercase(), plant.token_of(name, "main", &["stream:*"], "10m"));
    }
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let metrics = common::get(&plant.admin, "/metrics").1;
    assert!(metrics.lines().any(|line| line == "tickwire_alerts 0"), "{metrics}");
}
