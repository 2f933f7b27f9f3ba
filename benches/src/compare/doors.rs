//! The same subscription by each door of Tickwire: what an update costs there.

use std::time::Duration;

use anyhow::bail;
use load::Crowd;

use super::Stage;
use super::scene::{Figure, figure};
use super::steady::{WARM, look};

pub(super) fn run(
    stage: &mut Stage<'_>,
    crowd: &mut Crowd,
    rate: u32,
    readers: u32,
) -> anyhow::Result<Vec<Figure>> {
    let span = Duration::from_secs(stage.seconds);
    let seen = look(stage, crowd, rate, readers, [WARM, span])?;
    // A client that was refused something would make its door look cheap.
    if let Some(fault) = crowd.faults().next() {
        bail!("{} clients met a fault, one of them: {fault}", crowd.gone());
    }
    Ok(vec![
        figure("CPU µs/update", seen.cpu[0] * 1e6 / seen.records),
        figure("bytes/update", seen.bytes / seen.records),
        figure("sent bytes/update", seen.sent / seen.records),
        figure("delivered/due", seen.records / seen.due),
        figure("p50 ms", seen.ages.p50),
        figure("p99 ms", seen.ages.p99),
        figure("p99 whole ms", seen.ages.p99_whole),
        figure("messages/update", seen.frames / seen.records),
        figure("core", seen.cpu[0] / seen.seconds),
        figure("generator", seen.cpu[1] / seen.seconds),
    ])
}
