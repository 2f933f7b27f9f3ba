//! A steady rate for a while.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use load::Crowd;

use super::Stage;
use super::scene::{Figure, figure};
use crate::process::run_time;
use crate::schedule::since;

/// What was seen in a while, of those that are healthy.
pub(super) struct Seen {
    pub(super) records: f64,
    /// Deliveries that were due.
    pub(super) due: f64,
    pub(super) frames: f64,
    pub(super) bytes: f64,
    /// Bytes that the clients sent.
    pub(super) sent: f64,
    pub(super) seconds: f64,
    /// Processor seconds of the server, and ours.
    pub(super) cpu: [f64; 2],
    pub(super) ages: Ages,
}

/// Ages in milliseconds.
///
/// The machine is shared: a second that somebody else had must not decide. So the median and the p99 are
/// taken of each second, and what is told is the median of the seconds.
pub(super) struct Ages {
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// Of the whole span, whoever had the machine.
    pub(super) p99_whole: f64,
}

/// Before anything is measured.
pub(super) const WARM: Duration = Duration::from_secs(2);
/// Ages that are looked at in a second, about.
const AGES: u64 = 50_000;

pub(super) fn run(
    stage: &mut Stage<'_>,
    crowd: &mut Crowd,
    rate: u32,
    readers: u32,
) -> anyhow::Result<Vec<Figure>> {
    let span = Duration::from_secs(stage.seconds);
    let seen = look(stage, crowd, rate, readers, [WARM, span])?;
    Ok(vec![
        figure("CPU µs/delivery", seen.cpu[0] * 1e6 / seen.records),
        figure("delivered/due", seen.records / seen.due),
        figure("p50 ms", seen.ages.p50),
        figure("p99 ms", seen.ages.p99),
        figure("p99 whole ms", seen.ages.p99_whole),
        figure("M delivered/s", seen.records / seen.seconds / 1e6),
        figure("records/frame", seen.records / seen.frames),
        figure("bytes/record", seen.bytes / seen.records),
        figure("core", seen.cpu[0] / seen.seconds),
        figure("generator", seen.cpu[1] / seen.seconds),
        figure("cut off", crowd.gone() as f64),
    ])
}

/// The same figures, with what was delivered in front.
pub(super) fn flooded(mut figures: Vec<Figure>) -> Vec<Figure> {
    if let Some(at) = figures.iter().position(|figure| figure.name == "M delivered/s") {
        let delivered = figures.remove(at);
        figures.insert(0, delivered);
    }
    figures
}

/// Publishes at a rate and looks, after a while, for a while.
pub(super) fn look(
    stage: &mut Stage<'_>,
    crowd: &mut Crowd,
    rate: u32,
    readers: u32,
    [warm, span]: [Duration; 2],
) -> anyhow::Result<Seen> {
    stage.subject.rate(rate)?;
    crowd.read(warm)?;
    let per_second = u64::from(rate) * u64::from(readers);
    // Every age where few are due.
    crowd.restart((per_second / AGES).max(1));
    let recorder = stage.record(span)?;
    let (began, before) = (Instant::now(), [stage.subject.cpu()?, run_time(std::process::id())?]);
    let ages = ages(crowd, span, |_| Ok(()))?;
    let after = [stage.subject.cpu()?, run_time(std::process::id())?];
    let seconds = since(began);
    if let Some(mut recorder) = recorder {
        recorder.wait()?;
    }
    let tally = &crowd.tallies[0];
    // What is known of some is true of all.
    let share = tally.bytes as f64 / tally.seen as f64;
    Ok(Seen {
        records: tally.records as f64 * share,
        due: per_second as f64 * seconds,
        frames: tally.frames as f64 * share,
        bytes: tally.bytes as f64,
        sent: tally.sent as f64,
        seconds,
        cpu: [0, 1].map(|who| after[who].saturating_sub(before[who]).as_secs_f64()),
        ages,
    })
}

/// Lets the crowd read for so long, and looks at what it gets, second by second; so does `glance`.
pub(super) fn ages(
    crowd: &mut Crowd,
    span: Duration,
    mut glance: impl FnMut(&mut Crowd) -> anyhow::Result<()>,
) -> anyhow::Result<Ages> {
    let (began, mut laps) = (Instant::now(), [const { Vec::new() }; 2]);
    while let Some(left) = span.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
        crowd.read(left.min(LAP))?;
        glance(crowd)?;
        let healthy = crowd.tallies.last_mut().context("a group")?;
        for (laps, age) in laps.iter_mut().zip(healthy.lap([0.5, 0.99])) {
            laps.push(age);
        }
    }
    let [p50, p99] = laps.map(|mut laps| {
        laps.sort_unstable();
        laps.get(laps.len() / 2).map_or(f64::NAN, |&age| age as f64 / 1e3)
    });
    let healthy = crowd.tallies.last().context("a group")?;
    Ok(Ages { p50, p99, p99_whole: healthy.ages.value_at_quantile(0.99) as f64 / 1e3 })
}

const LAP: Duration = Duration::from_secs(1);

/// Looks of the profiler in a second.
const LOOKS: &str = "499";

impl Stage<'_> {
    /// Lets the profiler look at the server, where that was asked for.
    fn record(&self, span: Duration) -> anyhow::Result<Option<Child>> {
        let Some(folder) = self.perf else { return Ok(None) };
        let mut command = Command::new("perf");
        command.args(["record", "-q", "-e", "cpu-clock", "-F", LOOKS, "--call-graph", "dwarf,4096", "-p"]);
        command
            .arg(self.subject.id().to_string())
            .arg("-o")
            .arg(folder.join(&self.name).with_extension("data"));
        command.args(["--", "sleep"]).arg(span.as_secs_f64().to_string());
        Ok(Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }
}
