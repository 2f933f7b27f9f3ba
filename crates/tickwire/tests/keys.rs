//! Every kind of key, and every way to bring a token.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::process::Command;

use base64::Engine;
use common::{Plant, text, tickwire};
use rcgen::PublicKeyData;
use serde_json::{Value, json};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 500\n";

/// What a command says, on standard output and on standard error.
fn said(command: &mut Command) -> [String; 2] {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    [text(&output.stdout).trim().to_owned(), text(&output.stderr)]
}

/// A key as a provider publishes it, and its private half.
fn published(id: &str) -> (Value, String) {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let part = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    // 0x04, and both coordinates.
    let raw = pair.der_bytes();
    let key = json!({"kty": "EC", "crv": "P-256", "kid": id, "x": part(&raw[1..33]), "y": part(&raw[33..])});
    (key, pair.serialize_pem())
}

/// A token of Alice, signed with the private half.
fn minted(plant: &Plant, id: &str, pem: &str) -> String {
    let file = plant.folder.path().join(format!("{id}.pem"));
    fs::write(&file, pem).unwrap();
    let mut mint = tickwire();
    mint.args([
        "token",
        "mint",
        "--sub",
        "alice",
        "--kid",
        id,
        "--algorithm",
        "ES256",
        "--scope",
        "stream:*",
    ]);
    said(mint.arg("--key-file").arg(file))[0].clone()
}

#[test]
fn every_kind_of_key_and_every_way_to_bring_a_token() {
    let (key, pem) = published("idp");
    let set = json!({ "keys": [key] }).to_string();
    let mut fixed = tickwire();
    let [robot, table] =
        said(fixed.args(["token", "fixed", "--sub", "robot", "--scope", "stream:BTC-*", "--scope", "admin"]));
    let (_, table) = table.split_once('\n').unwrap();
    assert!(!table.contains(&robot), "{table}");
    let auth = "[auth]\ncookie = \"tw\"\njwks_file = \"jwks.json\"\n";
    let plant = Plant::start_among(&[("jwks.json", &set)], auth, &format!("{table}{SIM}"));
    plant.wait_for("/readyz", 200);
    let alice = minted(&plant, "idp", &pem);
    let script = common::top().join("crates/tickwire/tests/python/keys.py");
    let mut python = Command::new(common::python());
    python.arg(script).args([&plant.address, &plant.admin]).arg(plant.ca()).arg(plant.folder.path());
    python.arg(plant.id().to_string()).env("ALICE", alice).env("ROBOT", robot);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn keys_change_where_they_are_published() {
    let (old_key, old) = published("old");
    let (new_key, new) = published("new");
    // The port is the provider's from here on.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let provider = listener.local_addr().unwrap();
    let auth = format!("[auth]\njwks_url = \"http://{provider}/keys\"\n");
    let plant = Plant::start_among(&[], &auth, SIM);
    plant.wait_for("/readyz", 200);
    let mut python = Command::new(common::python());
    python.arg(common::top().join("crates/tickwire/tests/python/provider.py"));
    python.args([&plant.address, &plant.admin]).arg(plant.ca()).arg(plant.id().to_string());
    python.env("OLD", minted(&plant, "old", &old)).env("NEW", minted(&plant, "new", &new));
    python.env("OLD_KEY", old_key.to_string()).env("NEW_KEY", new_key.to_string());
    // A token by a key of the configuration itself is good all the while.
    python.env("OWN", plant.token(&["stream:*"], "10m"));
    python.arg(provider.port().to_string());
    drop(listener);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
