//! What the kernel says a process uses.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// Memory in kB and processor time so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) resident_kb: u64,
    pub(crate) cpu: Duration,
}

/// Clock ticks a second in `/proc`: fixed on Linux.
const TICKS: u64 = 100;

pub(crate) fn usage(pid: u32) -> anyhow::Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let resident_kb = resident.trim().trim_end_matches(" kB").parse()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before it may hold anything, spaces too.
    let (_, fields) = stat.rsplit_once(") ").context("stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Usage { resident_kb, cpu: Duration::from_millis(ticks * 1_000 / TICKS) })
}

/// Processor time of a process so far, from the scheduler: ticks would miss short bursts. What threads
/// that have ended used is not in it.
pub(crate) fn run_time(pid: u32) -> anyhow::Result<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end in between.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        sum += text.split(' ').next().context("schedstat")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(sum))
}
