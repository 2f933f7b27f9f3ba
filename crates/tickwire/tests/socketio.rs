//! The Socket.IO door, before the clients that people use.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 2000\n";

fn run(command: &mut Command, plant: &Plant, more: &[String]) {
    plant.wait_for("/readyz", 200);
    let ca = if plant.url().starts_with("wss:") { plant.ca() } else { "-".into() };
    command.arg(&plant.address).arg(ca).args(more);
    let output = command.env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m")).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

fn python(script: &str, plant: &Plant, more: &[String]) {
    let script = common::top().join("crates/tickwire/tests/python").join(script);
    run(Command::new(common::python()).arg(script), plant, more);
}

/// npm's `socket.io-client`, over polls, over WebSocket, and from the one to the other.
#[test]
fn socket_io_client_of_node() {
    let Some(packages) = common::node_packages() else { return };
    let script = common::top().join("crates/tickwire/tests/node/socketio.js");
    run(Command::new("node").arg(script).env("NODE_PATH", packages), &Plant::start(SIM), &[]);
}

/// `python-socketio`, the same ways. In plain: two of its threads share a connection, and over TLS what one writes while
/// the other reads is lost now and then.
#[test]
fn python_socketio() {
    python("socketio_client.py", &Plant::start_plain("", SIM), &[]);
}

/// What the protocols say, byte by byte, and what they forbid.
#[test]
fn the_rules_of_engine_io_and_socket_io() {
    let limits = "[limits]\nping = \"300ms\"\nsilence = \"400ms\"\nauth_timeout = \"1s\"\n";
    let origins = "allowed_origins = [\"https://good.example\"]\n";
    python("socketio_rules.py", &Plant::start_with(origins, &format!("{limits}{SIM}")), &[]);
}

/// The server goes away: who is there hears of it before the connection ends.
#[test]
fn a_goodbye_reaches_every_transport() {
    let plant = Plant::start_with("drain = \"1s\"\n", SIM);
    python("socketio_rules.py", &plant, &[plant.id().to_string()]);
}
