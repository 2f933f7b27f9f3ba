//! Bounds on connections, streams and bytes: of a subject, of a tenant, of an address, of the system.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 500\n";

fn run(what: &str, limits: &str) -> String {
    let plant = Plant::start(&format!("[limits]\n{limits}{SIM}"));
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/limits.py");
    let mut python = Command::new(common::python());
    python.arg(script).arg(what).arg(&plant.address).arg(plant.ca());
    for name in ["alice", "bob"] {
        python.env(name.to_uppercase(), plant.token_of(name, "main", &["stream:*"], "10m"));
        python.env(format!("{}_ACME", name.to_uppercase()), plant.token_within("acme", name, &["stream:*"]));
    }
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    common::get(&plant.admin, "/metrics").1
}

fn has(metrics: &str, sample: &str) -> bool {
    metrics.lines().any(|line| line == sample)
}

#[test]
fn a_subject_with_too_many_sessions_is_refused() {
    let metrics = run("refuse", "subject_connections = 2\n");
    assert!(has(&metrics, "tickwire_handshake_failures_total{reason=\"connection_limit\"} 2"), "{metrics}");
    assert!(
        has(
            &metrics,
            "tickwire_connections_closed_total{transport=\"websocket\",reason=\"connection_limit\"} 1"
        ),
        "{metrics}"
    );
}

#[test]
fn or_its_oldest_session_makes_room() {
    let metrics = run("evict", "subject_connections = 2\nsubject_connections_over = \"evict\"\n");
    assert!(
        has(
            &metrics,
            "tickwire_connections_closed_total{transport=\"websocket\",reason=\"connection_limit\"} 3"
        ),
        "{metrics}"
    );
}

#[test]
fn an_address_has_its_connections() {
    let metrics = run("address", "address_connections = 3\n");
    assert!(has(&metrics, "tickwire_handshake_failures_total{reason=\"address_limit\"} 1"), "{metrics}");
}

#[test]
fn an_address_has_its_attempts() {
    let metrics = run("attempts", "address_attempts_per_second = 5\n");
    assert!(metrics.contains("tickwire_handshake_failures_total{reason=\"attempt_limit\"}"), "{metrics}");
}

#[test]
fn a_tenant_has_its_sessions() {
    let metrics = run("tenant", "tenant_connections = 2\n");
    assert!(has(&metrics, "tickwire_limits_reached_total{limit=\"tenant_connections\"} 2"), "{metrics}");
}

#[test]
fn a_tenant_has_its_streams() {
    let metrics = run("streams", "tenant_subscriptions = 6\n");
    assert!(metrics.contains("tickwire_limits_reached_total{limit=\"tenant_subscriptions\"}"), "{metrics}");
}

#[test]
fn a_subject_has_its_bytes() {
    let metrics = run("bytes", "subject_bytes_per_second = \"16KiB\"\n");
    assert!(
        metrics.contains("tickwire_limits_reached_total{limit=\"subject_bytes_per_second\"}"),
        "{metrics}"
    );
}

#[test]
fn a_tenant_has_its_bytes() {
    let metrics = run("tenant_bytes", "tenant_bytes_per_second = \"16KiB\"\n");
    assert!(
        metrics.contains("tickwire_limits_reached_total{limit=\"tenant_bytes_per_second\"}"),
        "{metrics}"
    );
}

/// Where the system gives no more files, who is one too many is told so, and nobody waits once there are some again.
#[test]
fn a_system_has_its_files() {
    let plant = Plant::start_poor(128, SIM);
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/files.py");
    let mut python = Command::new(common::python());
    python.arg(script).arg(&plant.address).arg(plant.id().to_string());
    let output = python.env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m")).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(plant.log().contains("the limit on open files (ulimit -n) allows no more"), "{}", plant.log());
    let metrics = common::get(&plant.admin, "/metrics").1;
    assert!(metrics.contains("tickwire_handshake_failures_total{reason=\"connection_limit\"}"), "{metrics}");
}
