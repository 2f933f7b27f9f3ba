//! Scenes that are no steady rate: idle, stalled, stormed.

use std::time::{Duration, Instant};

use load::Group;

use super::Stage;
use super::scene::{Figure, figure};
use super::steady::ages;
use crate::schedule::since;

/// After the last connection, before memory is looked at.
const SETTLE: Duration = Duration::from_secs(2);
const IDLE_LOOK: Duration = Duration::from_secs(5);

/// Connections that have nothing to do: their memory.
pub(super) fn idle(stage: &mut Stage<'_>, count: usize) -> anyhow::Result<Vec<Figure>> {
    let before = stage.subject.resident_kb()?;
    let (mut crowd, _) = stage.connect(count, 1, &[])?;
    crowd.read(SETTLE)?;
    let after = stage.subject.resident_kb()?;
    let cpu = stage.subject.cpu()?;
    crowd.read(IDLE_LOOK)?;
    let cpu = stage.subject.cpu()?.saturating_sub(cpu);
    Ok(vec![
        figure("bytes/connection", after.saturating_sub(before) as f64 * 1024.0 / count as f64),
        figure("connections", count as f64),
        figure("MB before", before as f64 / 1e3),
        figure("MB after", after as f64 / 1e3),
        figure("core", cpu.as_secs_f64() / IDLE_LOOK.as_secs_f64()),
        figure("cut off", crowd.gone() as f64),
    ])
}

const STALL_RATE: u32 = 150;
const STALL: (usize, usize) = (1_000, 100);
const WARM: Duration = Duration::from_secs(2);
/// After the stall.
const RESUMED: Duration = Duration::from_secs(3);

/// Some stop reading for a while: what it does to the others, and what they get.
pub(super) fn stall(stage: &mut Stage<'_>, span: Duration) -> anyhow::Result<Vec<Figure>> {
    let (mut crowd, _) = stage.connect(STALL.0, 1, &[Group { count: STALL.1, bytes_per_second: 0 }])?;
    stage.subject.rate(STALL_RATE)?;
    crowd.read(WARM)?;
    let before = stage.subject.resident_kb()?;
    let (began, mut peak) = (Instant::now(), before);
    crowd.slow(true)?;
    crowd.restart(1);
    let ages = ages(&mut crowd, span, |_| {
        peak = peak.max(stage.subject.resident_kb()?);
        Ok(())
    })?;
    let due = f64::from(STALL_RATE) * since(began);
    let kept = crowd.tallies[1].records as f64 / (due * (STALL.0 - STALL.1) as f64);
    crowd.slow(false)?;
    crowd.read(RESUMED)?;
    peak = peak.max(stage.subject.resident_kb()?);
    let slow = &crowd.tallies[0];
    let due = f64::from(STALL_RATE) * since(began) * STALL.1 as f64;
    Ok(vec![
        figure("healthy p99 ms", ages.p99),
        figure("healthy p50 ms", ages.p50),
        figure("healthy got/due", kept),
        figure("MB before", before as f64 / 1e3),
        figure("MB peak", peak as f64 / 1e3),
        figure("stalled got/due", slow.records as f64 / due),
        figure("stalled p50 s", slow.ages.value_at_quantile(0.5) as f64 / 1e6),
        figure("stalled oldest s", slow.ages.max() as f64 / 1e6),
        figure("cut off", crowd.gone() as f64),
    ])
}

/// All connect at once.
pub(super) fn storm(stage: &mut Stage<'_>, count: usize) -> anyhow::Result<Vec<Figure>> {
    let (began, before) = (Instant::now(), stage.subject.cpu()?);
    let (crowd, _) = stage.connect(count, 1, &[])?;
    let seconds = since(began);
    let cpu = stage.subject.cpu()?.saturating_sub(before);
    let opening = |quantile: f64| crowd.opening.value_at_quantile(quantile) as f64 / 1e3;
    Ok(vec![
        figure("CPU µs/connect", cpu.as_secs_f64() * 1e6 / count as f64),
        figure("connects/s", count as f64 / seconds),
        figure("p50 ms", opening(0.5)),
        figure("p99 ms", opening(0.99)),
        figure("connections", count as f64),
    ])
}
