//! Every kind of key, and every way to bring a token.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::process::Command;

use base64::Engine;
use common::{Plant, text, tickwire};
use rcgen::PublicKeyData;
use serde_json::json;

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 500\n";

/// What a command says, on standard output and on standard error.
fn said(command: &mut Command) -> [String; 2] {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    [text(&output.stdout).trim().to_owned(), text(&output.stderr)]
}

#[test]
fn every_kind_of_key_and_every_way_to_bring_a_token() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let part = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    // 0x04, and both coordinates.
    let raw = pair.der_bytes();
    let key =
        json!({"kty": "EC", "crv": "P-256", "kid": "idp", "x": part(&raw[1..33]), "y": part(&raw[33..])});
    let set = json!({ "keys": [key] }).to_string();
    let mut fixed = tickwire();
    let [robot, table] =
        said(fixed.args(["token", "fixed", "--sub", "robot", "--scope", "stream:BTC-*", "--scope", "admin"]));
    let (_, table) = table.split_once('\n').unwrap();
    assert!(!table.contains(&robot), "{table}");
    let auth = "[auth]\ncookie = \"tw\"\njwks_file = \"jwks.json\"\n";
    let plant = Plant::start_among(&[("jwks.json", &set)], auth, &format!("{table}{SIM}"));
    plant.wait_for("/readyz", 200);
    fs::write(plant.folder.path().join("idp.pem"), pair.serialize_pem()).unwrap();
    let mut mint = tickwire();
    mint.args([
        "token",
        "mint",
        "--sub",
        "alice",
        "--kid",
        "idp",
        "--algorithm",
        "ES256",
        "--scope",
        "stream:*",
    ]);
    let [alice, _] = said(mint.arg("--key-file").arg(plant.folder.path().join("idp.pem")));
    let script = common::top().join("crates/tickwire/tests/python/keys.py");
    let mut python = Command::new(common::python());
    python.arg(script).args([&plant.address, &plant.admin]).arg(plant.ca()).arg(plant.folder.path());
    python.arg(plant.id().to_string()).env("ALICE", alice).env("ROBOT", robot);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
