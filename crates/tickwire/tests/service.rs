//! The program as a service: what its manager is told, and what it takes from it. The manager is a script.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::process::Command;

use common::{SECRET, text};
use serde_json::Value;

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 3\nrate = 200\n";

fn scene(name: &str, server: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret.key"), SECRET).unwrap();
    let always = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\ndrain = \"1s\"\n";
    let keys = "[[auth.keys]]\nid = \"main\"\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n";
    fs::write(folder.path().join("tickwire.toml"), format!("{always}{server}{keys}{SIM}")).unwrap();
    let script = common::top().join("crates/tickwire/tests/python/manager.py");
    let mut python = Command::new(common::python());
    let output =
        python.arg(script).arg(name).arg(env!("CARGO_BIN_EXE_tickwire")).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Ready when clients and feeds are, reloading while it reads, alive while its shards go on, stopping when it drains.
#[test]
#[expect(clippy::print_stderr, reason = "what was not tried")]
fn the_manager_knows_how_it_is() {
    let told = scene("lives", "");
    if told["wedge"] != "held" {
        eprintln!("a server that stands still was not tried: {}", told["wedge"]);
    }
}

/// Who comes between two runs is served; what is passed must be what the configuration says.
#[test]
fn sockets_of_the_manager_are_served() {
    let told = scene("sockets", "");
    for (why, said) in [
        ("name", "passes a socket \\\"tickwire.socket\\\": FileDescriptorName= is one of clients, operators"),
        ("twice", "passes two sockets \\\"clients\\\""),
        ("elsewhere", "say the same in both places"),
    ] {
        assert_ne!(told[why]["code"], 0, "{told}");
        let log = told[why]["said"].as_str().unwrap();
        assert!(log.contains(said) || log.contains(&said.replace('\\', "")), "{why}: {log}");
    }
}

/// A hand-over under a manager: the service goes on as another process.
#[test]
fn the_manager_is_told_who_goes_on() {
    scene("hands_over", "handover = \"handover.sock\"\n");
}

/// What systemd hands over (`LoadCredential=`) is found where it says: files that nobody else can read, in a folder whose
/// name only the service is told.
#[test]
fn secrets_are_found_among_the_credentials() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("credentials/tickwire.service");
    fs::create_dir_all(&credentials).unwrap();
    let secret = credentials.join("secret.key");
    fs::write(&secret, common::SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o400)).unwrap();
    let config = folder.path().join("tickwire.toml");
    let key = "[[auth.keys]]\nalgorithm = \"HS256\"\nsecret_file = \"$CREDENTIALS_DIRECTORY/secret.key\"\n";
    fs::write(&config, format!("{key}[[feed]]\nname = \"sim\"\nkind = \"sim\"\n")).unwrap();
    let check = |credentials: Option<&std::path::Path>| {
        let mut tickwire = common::tickwire();
        tickwire.args(["serve", "--check-config", "-c"]).arg(&config).env_remove("CREDENTIALS_DIRECTORY");
        tickwire.envs(credentials.map(|folder| ("CREDENTIALS_DIRECTORY", folder)));
        tickwire.output().unwrap()
    };
    let good = check(Some(&credentials));
    assert!(good.status.success(), "{}", common::text(&good.stderr));
    let none = check(None);
    let told = common::text(&none.stderr);
    assert_eq!(none.status.code(), Some(2), "{told}");
    assert!(told.contains("systemd sets it for a service with LoadCredential="), "{told}");
    let empty = check(Some(folder.path()));
    let told = common::text(&empty.stderr);
    assert!(told.contains(&folder.path().join("secret.key").display().to_string()), "{told}");
}
