//! SIGHUP: other keys, revocations, another certificate and other limits, while clients read.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 1000\n";
const OLD: &str = "[[auth.keys]]\nid = \"old\"\nalgorithm = \"HS256\"\nsecret_file = \"old.key\"\n";

#[test]
fn who_is_revoked_ends_and_the_others_read_on() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = [
        ("revoked.txt", ""),
        ("old.key", "another secret of at least thirty-two bytes"),
        ("other.pem", &made.cert.pem()),
        ("other.key", &made.signing_key.serialize_pem()),
    ];
    let auth = "[auth]\nrevoked_file = \"revoked.txt\"\n";
    let plant = Plant::start_among(&files, auth, &format!("{OLD}{SIM}"));
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/reload.py");
    let mut python = Command::new(common::python());
    python
        .arg(script)
        .arg(&plant.address)
        .arg(plant.ca())
        .arg(plant.folder.path())
        .arg(plant.id().to_string());
    for (name, kid) in [("alice", "main"), ("bob", "main"), ("carol", "old")] {
        python.env(name.to_uppercase(), plant.token_of(name, kid, &["stream:*"], "10m"));
    }
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let (_, metrics) = common::get(&plant.admin, "/metrics");
    assert!(metrics.contains("tickwire_reloads_total{result=\"ok\"} 2"), "{metrics}");
    assert!(metrics.contains("tickwire_reloads_total{result=\"refused\"} 3"), "{metrics}");
}

#[test]
fn limits_become_others_for_what_comes_after() {
    let limits = "[limits]\nsymbols = 5\nsubject_connections = 5\n";
    let server = "allowed_origins = [\"https://old.example\"]\nshards = 1\n";
    let plant = Plant::start_with(server, &format!("{limits}{SIM}"));
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/limited_anew.py");
    let mut python = Command::new(common::python());
    python.arg(script).args([&plant.address, &plant.admin]).arg(plant.ca()).arg(plant.folder.path());
    python.arg(plant.id().to_string());
    python.env("TICKWIRE_TOKEN", plant.token(&["stream:*", "admin"], "10m"));
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let log = plant.log();
    let said: Vec<_> = log.lines().filter(|line| line.contains(": takes a restart")).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("logs.events: takes a restart"), "{said:?}");
    assert!(said[1].contains("server.shards: takes a restart"), "{said:?}");
}
