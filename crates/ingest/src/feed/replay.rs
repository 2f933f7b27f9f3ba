//! A recording played back, paced by its receive times.

use std::time::{Duration, Instant};

use model::{Speed, Tick, UnixNanos};
use tokio::sync::mpsc::Sender;

use super::outlet::{Closed, Outlet, wall_now};
use super::place::{Place, Progress, Source};
use super::script::{Cue, Script};
use super::survey::Survey;
use super::{Batch, FeedSpec, Gate, ReplaySpec, Stop};
use crate::reader::reader;

/// What is played, and how.
pub(super) struct Recorded<'a> {
    pub(super) replay: &'a ReplaySpec,
    pub(super) survey: &'a Survey,
}

pub(super) fn run(
    spec: &FeedSpec,
    recorded: &Recorded<'_>,
    sink: Sender<Batch>,
    (gate, stop): (&Gate, &Stop),
    place: Option<Place>,
) -> Option<Place> {
    let Recorded { replay, survey } = *recorded;
    let (outlet, progress) = match place {
        Some(Place { deriver, health, source: Source::Replay { progress, .. }, .. }) => {
            (Outlet::resumed(spec, sink, deriver, health), Some(progress))
        }
        _ => (Outlet::new(spec, sink), None),
    };
    let mut player = Player { outlet, replay, survey, stop, progress: progress.unwrap_or_default() };
    // The only way out before `stop` is that nobody receives any more, which needs no word.
    let begun = player.play(gate, progress.is_some()).ok()?;
    tracing::info!(feed = spec.name, "replay ended");
    let Player { outlet, progress, .. } = player;
    begun.then(|| outlet.into_place(Source::replay(replay, progress))).flatten()
}

struct Player<'a> {
    outlet: Outlet,
    replay: &'a ReplaySpec,
    survey: &'a Survey,
    stop: &'a Stop,
    progress: Progress,
}

/// Where the recording stands against the wall clock.
struct Pace {
    speed: Speed,
    began: Instant,
    first: Option<UnixNanos>,
}

/// What was played before, and is only read again: that makes the normaliser what it was.
struct Played {
    progress: Progress,
    newest: Option<UnixNanos>,
}

impl Player<'_> {
    /// Plays to the end, or until told to stop; false where it never began.
    fn play(&mut self, gate: &Gate, resumed: bool) -> Result<bool, Closed> {
        let (first, last) = self.survey.span.unwrap_or((wall_now(), wall_now()));
        if !resumed {
            self.outlet.announce(&self.survey.instruments, "the replay has not begun", first)?;
        }
        while !resumed && self.replay.wait_for_subscriber && !gate.wait(Duration::from_millis(100)) {
            if self.stop.is_stopped() {
                return Ok(false);
            }
        }
        while !self.progress.ended {
            self.round()?;
            if self.stop.is_handed_over() {
                return Ok(true);
            }
            let end = last.later(self.progress.shift);
            if !self.replay.repeat || self.stop.is_stopped() {
                self.progress.ended = true;
                self.outlet.end("the replay has ended", end)?;
                return Ok(true);
            }
            // The next round follows a second after this one, so that time never goes back.
            let length = last.since(first).saturating_add(1_000_000_000);
            self.progress =
                Progress { shift: self.progress.shift.saturating_add(length), ..Progress::default() };
        }
        Ok(true)
    }

    /// The recording once through.
    fn round(&mut self) -> Result<(), Closed> {
        // The survey had one of these, too.
        let Ok(mut reader) = reader(&self.replay.feed, &self.replay.options) else { return Ok(()) };
        let mut pace = Pace { speed: self.replay.speed, began: Instant::now(), first: None };
        let (mut ticks, mut played) = (Vec::new(), Played { progress: self.progress, newest: None });
        for (path, connections) in self.replay.files.iter().zip(&self.survey.files) {
            let mut script = match Script::open(&mut reader, path, connections) {
                Ok(script) => script,
                Err(error) => {
                    tracing::error!("{}: {error}", path.display());
                    continue;
                }
            };
            while let Some(cue) = script.next(&mut reader, &mut ticks) {
                if played.progress.lines > 0 {
                    if self.stop.is_stopped() {
                        return Ok(());
                    }
                    played.progress.lines -= 1;
                    played.pass(&cue, &mut pace, &mut ticks);
                    continue;
                }
                if let Some(newest) = played.newest.take() {
                    pace.go_on(newest);
                }
                if let Some(at) = cue.at
                    && !self.wait(&mut pace, at)?
                {
                    return Ok(());
                }
                self.outlet.hear(cue.at.map(|at| at.later(self.progress.shift)));
                if let Some((spot, error)) = cue.fault {
                    self.outlet.fault(path, spot, &error);
                }
                for tick in ticks.drain(..).skip(std::mem::take(&mut played.progress.ticks)) {
                    // Without receive times the venue's own time paces the replay.
                    if let (None, Some(at)) = (tick.ts_recv, tick.ts_event)
                        && !self.wait(&mut pace, at)?
                    {
                        return Ok(());
                    }
                    self.outlet.push(self.shifted(tick))?;
                    self.progress.ticks += 1;
                }
                self.progress.lines += 1;
                self.progress.ticks = 0;
            }
        }
        self.outlet.flush()
    }

    /// Waits until what came at that time is due; false when told to stop.
    fn wait(&mut self, pace: &mut Pace, at: UnixNanos) -> Result<bool, Closed> {
        let first = *pace.first.get_or_insert(at);
        let due = pace.began + pace.speed.played(at.since(first));
        if due <= Instant::now() {
            return Ok(!self.stop.is_stopped());
        }
        self.outlet.flush()?;
        loop {
            let now = Instant::now();
            if due <= now {
                return Ok(true);
            }
            if !self.stop.sleep_until(due.min(self.outlet.deadline())) {
                return Ok(false);
            }
            if due > Instant::now() {
                let played =
                    first.later(self.progress.shift).later(pace.speed.recorded(pace.began.elapsed()));
                self.outlet.idle(played)?;
            }
        }
    }

    fn shifted(&self, mut tick: Tick) -> Tick {
        let later = |at: UnixNanos| at.later(self.progress.shift);
        tick.ts_event = tick.ts_event.map(later);
        tick.ts_source = tick.ts_source.map(later);
        tick.ts_recv = tick.ts_recv.map(later);
        tick
    }
}

impl Played {
    /// Passes over what was read for the sake of the normaliser; faults were counted when it was played.
    fn pass(&mut self, cue: &Cue, pace: &mut Pace, ticks: &mut Vec<Tick>) {
        let without = ticks.drain(..).filter(|tick| tick.ts_recv.is_none()).filter_map(|tick| tick.ts_event);
        for at in cue.at.into_iter().chain(without) {
            pace.first.get_or_insert(at);
            self.newest = self.newest.max(Some(at));
        }
    }
}

impl Pace {
    /// Everything up to `at` was played: what comes next is due as long after now as it came after that.
    fn go_on(&mut self, at: UnixNanos) {
        let played = self.speed.played(at.since(self.first.unwrap_or(at)));
        let now = Instant::now();
        self.began = now.checked_sub(played).unwrap_or(now);
    }
}
