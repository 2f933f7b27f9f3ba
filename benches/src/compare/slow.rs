//! Readers that are slow beside others that are not: what it does to them, what it costs, and whether
//! everybody's account is right.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use load::{Crowd, Group, Looks, Stamp};
use serde_json::Value;

use super::Stage;
use super::scene::{Figure, figure};
use super::steady::{Ages, ages};
use crate::subject::{PYTHON, target};

const CLIENTS: usize = 2_000;
const FROZEN: Group = Group { count: 200, bytes_per_second: 0 };
const SLOW: Group = Group { count: 200, bytes_per_second: 8_000 };
/// The clients of the independent checker, as many as it has while nobody is slow: healthy, frozen, slow.
const CHECKED: [[&str; 3]; 2] = [["30", "0", "0"], ["20", "5", "5"]];
/// Before anything is measured: by then most logs are full.
const WARM: Duration = Duration::from_secs(10);
/// How often it is asked whether the checker is ready.
const GLANCE: Duration = Duration::from_millis(500);
/// After the stall: those that were slow get what they lack.
const RESUMED: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(60);
/// One record in so many has its age looked at.
const AGES: u64 = 4;

pub(super) fn run(stage: &mut Stage<'_>) -> anyhow::Result<Vec<Figure>> {
    (stage.looks, stage.stamp) = (Looks::Check, Stamp::Received);
    let (mut crowd, _) = stage.connect(CLIENTS, 1, &[FROZEN, SLOW])?;
    let span = Duration::from_secs(stage.slow_seconds);
    crowd.read(WARM)?;
    let checker = stage.checker(CHECKED[0], span)?;
    let before = look(stage, &mut crowd, span)?;
    verdict(checker, &mut crowd)?;
    let checker = stage.checker(CHECKED[1], span)?;
    crowd.slow(true)?;
    let slowed = look(stage, &mut crowd, span)?;
    crowd.slow(false)?;
    crowd.read(RESUMED)?;
    let checked = verdict(checker, &mut crowd)?;
    crowd.settle(PATIENCE)?;
    let faults: Vec<String> = crowd.faults().map(ToString::to_string).collect();
    ensure!(faults.is_empty(), "{} accounts are wrong: {}", faults.len(), faults[0]);
    let [frozen, slow, healthy] = crowd.totals()[..] else { anyhow::bail!("three groups") };
    let stalled = (FROZEN.count + SLOW.count) as f64;
    // The memory that grew while nobody was slow would have grown on.
    let grown = (slowed.peak_kb as f64 - before.after_kb as f64)
        - (before.peak_kb as f64 - before.before_kb as f64).max(0.0);
    Ok(vec![
        figure("p99, × baseline", slowed.ages.p99 / before.ages.p99),
        figure("p50, × baseline", slowed.ages.p50 / before.ages.p50),
        figure("baseline p50 ms", before.ages.p50),
        figure("baseline p99 ms", before.ages.p99),
        figure("baseline p99 whole ms", before.ages.p99_whole),
        figure("p50 ms", slowed.ages.p50),
        figure("p99 ms", slowed.ages.p99),
        figure("p99 whole ms", slowed.ages.p99_whole),
        figure("MB before", before.after_kb as f64 / 1e3),
        figure("MB peak", slowed.peak_kb as f64 / 1e3),
        figure("kB/slow client", (grown / stalled).max(0.0)),
        figure("core before", before.cpu),
        figure("core", slowed.cpu),
        figure("healthy records", healthy.delivered as f64),
        figure("healthy coalesced", healthy.coalesced as f64),
        figure("slow records", slow.delivered as f64),
        figure("slow coalesced", slow.coalesced as f64),
        figure("frozen records", frozen.delivered as f64),
        figure("frozen coalesced", frozen.coalesced as f64),
        figure("skipped", (healthy.skipped + slow.skipped + frozen.skipped) as f64),
        figure("ledgers closed", CLIENTS as f64),
        figure("checker: ledgers closed", checked["ledgers"].as_f64().unwrap_or(0.0)),
        figure("checker: delivered", checked["delivered"].as_f64().unwrap_or(0.0)),
        figure("checker: coalesced", checked["coalesced"].as_f64().unwrap_or(0.0)),
        figure("checker: checksums", checked["checksums"].as_f64().unwrap_or(0.0)),
    ])
}

/// What was seen in a while.
struct Seen {
    /// Of the healthy.
    ages: Ages,
    before_kb: u64,
    peak_kb: u64,
    after_kb: u64,
    /// Of a core.
    cpu: f64,
}

fn look(stage: &Stage<'_>, crowd: &mut Crowd, span: Duration) -> anyhow::Result<Seen> {
    crowd.restart(AGES);
    let (began, cpu) = (Instant::now(), stage.subject.cpu()?);
    let before_kb = stage.subject.resident_kb()?;
    let mut peak_kb = before_kb;
    let ages = ages(crowd, span, |_| {
        peak_kb = peak_kb.max(stage.subject.resident_kb()?);
        Ok(())
    })?;
    let cpu = stage.subject.cpu()?.saturating_sub(cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    Ok(Seen { ages, before_kb, peak_kb, after_kb: stage.subject.resident_kb()?, cpu })
}

impl Stage<'_> {
    /// Starts the checker that knows nothing of this program, among the others' clients.
    fn checker(&self, clients: [&str; 3], span: Duration) -> anyhow::Result<Child> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/tickwire/tests/python/promise.py");
        let mut command = Command::new(target()?.join(PYTHON));
        command.args([script, "slow", &format!("ws://{}/v1/stream", self.subject.address), "-"]);
        command.arg(self.subject.token.as_deref().unwrap_or_default()).args(clients);
        command.arg(span.as_secs().to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
        command.spawn().context("the checker: target/venv, which cargo xtask bench makes")
    }
}

/// The one line of the checker. Until it comes, the others read on.
fn verdict(mut checker: Child, crowd: &mut Crowd) -> anyhow::Result<Value> {
    while checker.try_wait()?.is_none() {
        crowd.read(GLANCE)?;
    }
    let output = checker.wait_with_output()?;
    ensure!(output.status.success(), "the checker found a fault");
    Ok(serde_json::from_slice(&output.stdout)?)
}
