//! A real browser against the real server: what no library does quite as it does.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, text};

/// Browsers always offer compression; whether the stream takes it is the configuration's matter.
fn browse(server: &str, compressed: &str) {
    let (Some(packages), Some(browser)) = (common::node_packages(), common::browser()) else { return };
    let plant =
        Plant::start_with(server, "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 2000\n");
    plant.wait_for("/readyz", 200);
    let (profile, script) = (tempfile::tempdir().unwrap(), "crates/tickwire/tests/node/browser.js");
    let mut node = Command::new("node");
    node.arg(common::top().join(script)).arg(&plant.address).arg(plant.ca()).arg(browser).arg(profile.path());
    node.arg(compressed).env("NODE_PATH", packages).env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m"));
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn chromium_with_compression_of_the_stream() {
    browse("compression = true\n", "yes");
}

#[test]
fn chromium_without_compression_of_the_stream() {
    browse("", "no");
}
