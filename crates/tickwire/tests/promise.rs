//! The promise, held to from outside: every update is delivered, folded or named, whatever breaks and
//! however slowly somebody reads. The checker is Python's and believes nothing.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::{Command, Stdio};

use serde_json::Value;

use common::{Plant, python, text, top};

fn check(plant: &Plant, mode: &str) -> Value {
    let mut command = Command::new(python());
    command.arg(top().join("crates/tickwire/tests/python/promise.py")).arg(mode);
    command.arg(plant.url()).arg(plant.ca()).arg(plant.token(&["stream:*"], "10m"));
    if mode == "counted" {
        command.arg(&plant.admin);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Connections break twelve times; each time the client comes back with its cursor, now and then on a
/// second connection before the first is closed.
#[test]
fn nothing_is_lost_over_lost_connections() {
    let plant = Plant::start("[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 6\nrate = 150\n");
    let told = check(&plant, "lost");
    assert_eq!(told["filled"], 12, "at this rate all is kept: {told}");
    assert_eq!(told["skipped"], 0, "{told}");
    for some in ["delivered", "checksums"] {
        assert!(told[some].as_u64().unwrap() > 500, "{told}");
    }
}

/// Six clients with every option, some slow, some paused, some paced: what their ledgers add up to is
/// what Prometheus is told, channel by channel.
#[test]
fn the_metrics_are_the_sum_of_the_ledgers() {
    let plant = Plant::start("[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 6\nrate = 3000\n");
    let told = check(&plant, "counted");
    for some in ["delivered", "coalesced"] {
        assert!(told[some].as_u64().unwrap() > 500, "{told}");
    }
}
