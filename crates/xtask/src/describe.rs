//! `cargo xtask describe`: writes the descriptions of the protocol that machines read.

use crate::step::{Done, cargo, run as step};

/// Each is made by a test, which knows the types and compares at all other times. The second takes its schemas
/// from the first.
pub(crate) fn run() -> Done {
    for (name, words) in [
        ("asyncapi.json", "test --locked --quiet --package wire --lib describe"),
        ("openapi.json", "test --locked --quiet --package gateway --lib describe"),
        ("deploy/metrics.md", "test --locked --quiet --package tickwire --test metrics the_page"),
    ] {
        step(name, cargo(words).env("TICKWIRE_DESCRIBE", "write"))?;
    }
    Ok(())
}
