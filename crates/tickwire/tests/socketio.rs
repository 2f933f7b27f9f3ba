//! The Socket.IO door, before the clients that people use.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 2000\n";

fn run(command: &mut Command, plant: &Plant) {
    plant.wait_for("/readyz", 200);
    command.arg(&plant.address).arg(plant.ca()).env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// npm's `socket.io-client`, over polls, over WebSocket, and from the one to the other.
#[test]
fn socket_io_client_of_node() {
    let Some(packages) = common::node_packages() else { return };
    let script = common::top().join("crates/tickwire/tests/node/socketio.js");
    run(Command::new("node").arg(script).env("NODE_PATH", packages), &Plant::start(SIM));
}
