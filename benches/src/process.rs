//! What the kernel says a process uses.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// Memory that is resident, in kB.
pub(crate) fn resident_kb(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(resident.trim().trim_end_matches(" kB").parse()?)
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
