//! SIGHUP: other keys, revocations and another certificate, while clients read.

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
