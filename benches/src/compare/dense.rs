//! The rate is raised until the server's core is full.

use std::time::Duration;

use load::Crowd;

use super::Stage;
use super::scene::{Figure, figure};
use super::steady::{Seen, look};

const FIRST: u32 = 250;
const LAST: u32 = 64_000;
/// Warming up and looking, at each rate.
const STEP: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(1_500)];
/// Less of what is due is overload.
const KEPT: f64 = 0.9;
/// After an overload, a few times so long at a low rate, until what waited is gone.
const REST: [Duration; 2] = [Duration::from_millis(1_000), Duration::from_millis(200)];
const RESTS: usize = 8;
/// Updates of that age in milliseconds did not wait.
const FRESH: f64 = 50.0;

pub(super) fn run(stage: &mut Stage<'_>, crowd: &mut Crowd, readers: u32) -> anyhow::Result<Vec<Figure>> {
    let per_second = |seen: &Seen| seen.records / seen.seconds;
    let (mut rate, mut best) = (FIRST, None);
    let mut overloaded = false;
    let perf = stage.perf.take();
    // Doubled until it is too much, then a half of that step back.
    while rate <= LAST {
        let seen = look(stage, crowd, rate, readers, STEP)?;
        overloaded = seen.records < KEPT * seen.due;
        if best.as_ref().is_none_or(|(_, known)| per_second(known) < per_second(&seen)) {
            best = Some((rate, seen));
        }
        if overloaded {
            break;
        }
        rate *= 2;
    }
    if overloaded {
        rest(stage, crowd, readers)?;
        rate = rate * 7 / 10;
        let seen = look(stage, crowd, rate, readers, STEP)?;
        if best.as_ref().is_none_or(|(_, known)| per_second(known) < per_second(&seen)) {
            best = Some((rate, seen));
        }
    }
    let Some((rate, seen)) = best else { return Ok(Vec::new()) };
    if perf.is_some() {
        rest(stage, crowd, readers)?;
        stage.perf = perf;
        look(stage, crowd, rate, readers, [STEP[0], Duration::from_secs(5)])?;
    }
    Ok(vec![
        figure("M delivered/s", seen.records / seen.seconds / 1e6),
        figure("CPU µs/delivery", seen.cpu[0] * 1e6 / seen.records),
        figure("at updates/s", f64::from(rate)),
        figure("delivered/due", seen.records / seen.due),
        figure("p50 ms", seen.ages.p50),
        figure("p99 ms", seen.ages.p99),
        figure("records/frame", seen.records / seen.frames),
        figure("bytes/record", seen.bytes / seen.records),
        figure("core", seen.cpu[0] / seen.seconds),
        figure("generator", seen.cpu[1] / seen.seconds),
        figure("cut off", crowd.gone() as f64),
    ])
}

/// Waits until an overload is over.
fn rest(stage: &mut Stage<'_>, crowd: &mut Crowd, readers: u32) -> anyhow::Result<()> {
    for _ in 0..RESTS {
        let seen = look(stage, crowd, FIRST, readers, REST)?;
        if seen.records >= KEPT * seen.due && seen.ages.p50 < FRESH {
            break;
        }
    }
    Ok(())
}
