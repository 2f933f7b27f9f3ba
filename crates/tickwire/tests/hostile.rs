//! What the hostile send: requests that are wrong in every way, tokens that are forged in every way.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, SECRET, get, text};

const SIM: &str = "[limits]\nrequests_per_second = 1000\n\
                   [[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 100\n";

fn python(script: &str, plant: &Plant, more: &[&str]) -> String {
    let mut python = Command::new(common::python());
    python.arg(common::top().join("crates/tickwire/tests/python").join(script));
    python.arg(&plant.address).arg(plant.ca()).args(more);
    python.env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m")).env("SECRET", SECRET);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn twenty_thousand_requests_get_their_codes() {
    let plant = Plant::start(SIM);
    plant.wait_for("/readyz", 200);
    python("hostile.py", &plant, &["20261121", "20000"]);
    let (_, metrics) = get(&plant.admin, "/metrics");
    let closed = ["unknown_op", "unknown_channel", "invalid_json", "invalid_request"].map(|reason| {
        let name =
            format!("tickwire_connections_closed_total{{transport=\"websocket\",reason=\"{reason}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u64>().ok()).unwrap_or(0)
    });
    assert_eq!(closed.iter().sum::<u64>(), 2_000, "each with the tenth offence: {closed:?}");
    assert!(!plant.log().contains("panicked"), "{}", plant.log());
}

#[test]
fn a_hundred_forged_tokens_are_refused_and_not_told_of() {
    let plant = Plant::start(SIM);
    plant.wait_for("/readyz", 200);
    let token = plant.token(&["stream:*"], "10m");
    let said = python("forged.py", &plant, &[]);
    assert!(said.contains("refused"), "{said}");
    let (_, metrics) = get(&plant.admin, "/metrics");
    // Neither a good token nor any part of one that could be used again.
    for (place, told) in [("metrics", metrics), ("log", plant.log())] {
        for part in token.split('.') {
            assert!(!told.contains(part), "a token is in the {place}");
        }
        assert!(!told.contains("eyJ"), "something like a token is in the {place}: {told}");
    }
}
