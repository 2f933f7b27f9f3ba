//! What an operator sees and does, on the admin port.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;
use std::time::Duration;

use common::{Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 400\n";

#[test]
fn an_operator_looks_and_acts() {
    let mut plant = Plant::start_with("drain = \"1s\"\n", SIM);
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/admin.py");
    let mut python = Command::new(common::python());
    python.arg(script).arg(&plant.address).arg(plant.ca()).arg(&plant.admin);
    for (name, scope) in [("alice", "stream:*"), ("bob", "stream:*"), ("olga", "admin")] {
        python.env(name.to_uppercase(), plant.token_of(name, "main", &[scope], "10m"));
    }
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    // The last thing asked for was that the server goes.
    assert!(plant.wait(Duration::from_secs(30)).success());
}
