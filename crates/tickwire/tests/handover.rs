//! A server that is replaced while it runs.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;
mod crowd;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use common::{Guard, PATIENCE, Plant};
use serde_json::Value;

const SERVER: &str = "drain = \"3s\"\nhandover = \"handover.sock\"\n";
const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 6\nrate = 200\n";

/// Clients that check every sequence and every checksum; they end when they were sent away so often.
fn riders(plant: &Plant, clients: u32, moves: u32) -> (Guard, BufReader<std::process::ChildStdout>) {
    let script = common::top().join("crates/tickwire/tests/python/handover.py");
    let mut python = Command::new(common::python());
    python.arg(script).arg(plant.url()).arg(plant.ca()).arg(plant.token(&["stream:*"], "10m"));
    python.args([clients.to_string(), moves.to_string()]).stdout(Stdio::piped());
    let mut child = Guard(python.spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap());
    assert_eq!(line(&mut lines)["begun"], clients);
    (child, lines)
}

fn line(lines: &mut impl BufRead) -> Value {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    serde_json::from_str(&line).expect("the clients end well")
}

/// Two restarts: everybody comes back to the same port, nobody misses or gets twice what was sequenced, and books
/// go on from where they were.
#[test]
fn nobody_notices_a_restart() {
    let mut plant = Plant::start_with(SERVER, SIM);
    plant.wait_for("/readyz", 200);
    let (mut clients, mut said) = riders(&plant, 12, 2);
    for _ in 0..2 {
        let next = plant.again();
        assert_eq!((&next.address, &next.admin), (&plant.address, &plant.admin));
        next.wait_for("/readyz", 200);
        assert!(plant.wait(PATIENCE).success());
        plant = next;
        plant.wait_for_log("its feeds go on here");
    }
    let told = line(&mut said);
    assert!(clients.0.wait().unwrap().success());
    assert_eq!(
        (&told["clients"], &told["moves"], &told["epochs"]),
        (&12.into(), &24.into(), &1.into()),
        "{told}"
    );
    for none in ["missing", "skipped"] {
        assert_eq!(told[none], 0, "{told}");
    }
    for some in ["delivered", "checksums"] {
        assert!(told[some].as_u64().unwrap() > 500, "{told}");
    }
}

/// What asks and then goes away, or speaks otherwise, changes nothing; and only the same user can ask.
#[test]
fn whoever_only_asks_changes_nothing() {
    let mut plant = Plant::start_with(SERVER, SIM);
    plant.wait_for("/readyz", 200);
    let path = plant.folder.path().join("handover.sock");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for (words, answer) in [
        ("rubbish\n", false),
        ("{\"hello\":{\"version\":99}}\n", true),
        ("\"ready\"\n", false),
        ("{\"hello\":{\"version\":1}}\n", true),
    ] {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(words.as_bytes()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut first = [0; 64];
        let read = stream.read(&mut first).unwrap_or(0);
        assert_eq!(read > 0, answer, "{words}");
    }
    let (mut clients, mut said) = riders(&plant, 3, 1);
    let next = plant.again();
    assert!(plant.wait(PATIENCE).success());
    assert_eq!(line(&mut said)["missing"], 0);
    assert!(clients.0.wait().unwrap().success());
    assert_eq!(next.wait_for("/readyz", 200).matches("open").count(), 1);
}

/// Whoever asked and is gone does not keep a server from ending, also where nothing happens that would tell.
#[test]
fn whoever_is_gone_is_not_waited_for() {
    let quiet = SIM.replace("rate = 200", "rate = 1");
    let mut plant = Plant::start_with("drain = \"1s\"\nhandover = \"handover.sock\"\n", &quiet);
    plant.wait_for("/readyz", 200);
    let path = plant.folder.path().join("handover.sock");
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"{\"hello\":{\"version\":1}}\n").unwrap();
    plant.wait_for_log("somebody takes over");
    let told = Command::new("kill").arg("-TERM").arg(plant.id().to_string()).status().unwrap();
    assert!(told.success());
    plant.wait_for_log("draining");
    drop(stream);
    plant.wait(PATIENCE);
    plant.again().wait_for("/readyz", 200);
}

/// A successor that dies when clients were sent to it can be followed by another one while the first server is there.
#[test]
fn a_second_successor_comes_in_time() {
    let mut plant = Plant::start_with("drain = \"8s\"\nhandover = \"handover.sock\"\n", SIM);
    plant.wait_for("/readyz", 200);
    let (_clients, _said) = riders(&plant, 3, 2);
    let dies = plant.again();
    plant.wait_for_log("draining");
    drop(dies);
    plant.wait_for_log("nobody takes over");
    let next = plant.again();
    next.wait_for("/readyz", 200);
    assert!(plant.wait(PATIENCE).success());
    next.wait_for_log("its feeds go on here");
    assert!(next.wait_for("/readyz", 200).contains("open"));
}

/// A predecessor that dies in the middle may have told its clients what nobody else knows: its successor says so
/// and ends, and the next one begins anew, in the place that they left.
#[test]
fn a_predecessor_that_dies_leaves_nothing_to_go_on_with() {
    let plant = Plant::start_with("drain = \"60s\"\nhandover = \"handover.sock\"\n", SIM);
    plant.wait_for("/readyz", 200);
    let (clients, _said) = riders(&plant, 3, 1);
    let mut next = plant.again();
    next.wait_for_log("all that is kept is here");
    plant.wait_for_log("draining");
    let killed = Command::new("kill").arg("-KILL").arg(plant.id().to_string()).status().unwrap();
    assert!(killed.success());
    next.wait_for_log("ended before its time");
    drop(clients);
    assert!(!next.wait(PATIENCE).success());
    let anew = plant.again();
    anew.wait_for("/readyz", 200);
    assert!(!anew.log().contains("taking over"));
}

/// Many clients at once. As many as a machine has room for, over a whole drain window, take a minute:
/// `TICKWIRE_CROWD=10000 cargo test -p tickwire --test handover crowd -- --nocapture`.
#[test]
#[expect(clippy::print_stderr, reason = "what it has to say")]
fn a_crowd_moves() {
    let clients = std::env::var("TICKWIRE_CROWD").map_or(400, |clients| clients.parse().unwrap());
    let window = if clients > 1_000 { 30 } else { 5 };
    let server = format!("drain = \"{window}s\"\nhandover = \"handover.sock\"\n");
    let mut plant =
        Plant::start_plain(&server, "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 40\n");
    plant.wait_for("/readyz", 200);
    let token = plant.token(&["stream:*"], "1h");
    let endpoint = client::Endpoint { url: plant.url(), token: Some(token), ca: None };
    let moved = crowd::run(endpoint, clients, || {
        let next = plant.again();
        assert!(plant.wait(PATIENCE * 2).success());
        next
    });
    assert_eq!((moved.clients, moved.missing, moved.holes, moved.doubled), (clients, 0, 0, 0), "{moved:?}");
    // Of the moments that they were told, no tenth of a second has twice the mean.
    assert!(moved.fullest < 2.0, "{moved:?}");
    eprintln!("{moved:?}");
}
