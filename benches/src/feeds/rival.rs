//! Rivals in processes of their own, which read a file into memory and time themselves.

use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;

/// What they print.
#[derive(Deserialize)]
struct Told {
    messages: usize,
    /// Of the quickest round.
    seconds: f64,
}

/// Seconds of a rival's quickest round through so many messages.
pub(super) fn seconds(command: &mut Command, messages: usize) -> anyhow::Result<f64> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", said.lines().last().unwrap_or_default());
    let told: Told = serde_json::from_slice(&output.stdout)?;
    ensure!(told.messages == messages, "{} messages there, {messages} here", told.messages);
    Ok(told.seconds)
}
