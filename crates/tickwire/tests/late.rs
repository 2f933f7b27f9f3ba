//! Streams with a delay, from outside: by every door, beside those who have them live.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Command;

use common::{Plant, text};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 500\n";

#[test]
fn nothing_of_the_last_second_and_then_what_everybody_had() {
    let plant = Plant::start(&format!("[streams]\ndelays = [\"1s\", \"15m\"]\n{SIM}"));
    plant.wait_for("/readyz", 200);
    let mut python = Command::new(common::python());
    python.arg(common::top().join("crates/tickwire/tests/python/late.py"));
    python.arg(&plant.address).arg(plant.ca());
    python.env("LIVE", plant.token(&["stream:*"], "10m"));
    // What the server does not have is served with the next longer delay.
    python.env("LATE", plant.token(&["stream:*?delay_ms=700"], "10m"));
    python.env("MIXED", plant.token(&["stream:BTC-USD", "stream:*?delay_ms=1000"], "10m"));
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let metrics = common::get(&plant.admin, "/metrics").1;
    let count = |name: &str| {
        let value =
            metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{metrics}"));
        value.trim().parse::<f64>().unwrap()
    };
    // Each event is published once, and once more by the shorter delay; the longer one has had none yet.
    let published = count("tickwire_updates_published_total ");
    let late = count("tickwire_delayed_updates_published_total ");
    assert!(late > published / 2.0 && late <= published, "{late} of {published}");
    assert!(count("tickwire_delayed_updates ") <= published);
    assert!(count("tickwire_delayed_updates_missed_total ") == 0.0, "{metrics}");
}
