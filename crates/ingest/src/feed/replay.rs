//! A recording played back, paced by its receive times.

use std::path::Path;
use std::time::{Duration, Instant};

use model::{Tick, UnixNanos};
use tokio::sync::mpsc::Sender;

use super::outlet::{Closed, Outlet, wall_now};
use super::script::{Cue, Script};
use super::speed::Speed;
use super::survey::Survey;
use super::{Batch, FeedSpec, Gate, ReplaySpec, Stop};
use crate::recording::Reader;
use crate::venue::normaliser;

pub(super) fn run(
    spec: &FeedSpec,
    replay: &ReplaySpec,
    survey: &Survey,
    sink: Sender<Batch>,
    gate: &Gate,
    stop: &Stop,
) {
    let mut player = Player { outlet: Outlet::new(spec, sink), replay, survey, stop, shift: 0 };
    // The only way out before `stop` is that nobody receives any more, which needs no word.
    let _ = player.play(gate);
    tracing::info!(feed = spec.name, "replay ended");
}

struct Player<'a> {
    outlet: Outlet,
    replay: &'a ReplaySpec,
    survey: &'a Survey,
    stop: &'a Stop,
    /// Added to every time: how far the rounds before have come.
    shift: u64,
}

/// Where the recording stands against the wall clock.
struct Pace {
    speed: Speed,
    began: Instant,
    first: Option<UnixNanos>,
}

impl Player<'_> {
    fn play(&mut self, gate: &Gate) -> Result<(), Closed> {
        let (first, last) = self.survey.span.unwrap_or((wall_now(), wall_now()));
        self.outlet.announce(&self.survey.instruments, "the replay has not begun", first)?;
        while self.replay.wait_for_subscriber && !gate.wait(Duration::from_millis(100)) {
            if self.stop.is_stopped() {
                return Ok(());
            }
        }
        loop {
            self.round()?;
            let end = last.later(self.shift);
            if !self.replay.repeat || self.stop.is_stopped() {
                return self.outlet.end("the replay has ended", end);
            }
            // The next round follows a second after this one, so that time never goes back.
            self.shift = self.shift.saturating_add(last.since(first)).saturating_add(1_000_000_000);
        }
    }

    /// The recording once through.
    fn round(&mut self) -> Result<(), Closed> {
        let Some(normaliser) = normaliser(&self.replay.feed) else { return Ok(()) };
        let mut reader = Reader::new(normaliser);
        let mut pace = Pace { speed: self.replay.speed, began: Instant::now(), first: None };
        let mut ticks = Vec::new();
        for (path, connections) in self.replay.files.iter().zip(&self.survey.files) {
            let script = match Script::open(path, connections) {
                Ok(script) => script,
                Err(error) => {
                    tracing::error!("{}: {error}", path.display());
                    continue;
                }
            };
            for cue in script {
                if let Some(at) = cue.at
                    && !self.wait(&mut pace, at)?
                {
                    return Ok(());
                }
                self.outlet.hear(cue.at);
                self.read(&mut reader, cue, path, &mut ticks);
                for tick in ticks.drain(..) {
                    // Without receive times the venue's own time paces the replay.
                    if let (None, Some(at)) = (tick.ts_recv, tick.ts_event)
                        && !self.wait(&mut pace, at)?
                    {
                        return Ok(());
                    }
                    self.outlet.push(self.shifted(tick))?;
                }
            }
        }
        self.outlet.flush()
    }

    fn read(&self, reader: &mut Reader, cue: Cue, file: &Path, ticks: &mut Vec<Tick>) {
        let fault = match cue.line {
            Ok(line) => reader.line(cue.format, &line, ticks).err(),
            Err(error) => Some(error.into()),
        };
        if let Some(error) = fault {
            self.outlet.fault(file, cue.number, &error);
        }
    }

    /// Waits until a line of that time is due; false when told to stop.
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
                let played = first.later(self.shift).later(pace.speed.recorded(pace.began.elapsed()));
                self.outlet.idle(played)?;
            }
        }
    }

    fn shifted(&self, mut tick: Tick) -> Tick {
        let later = |at: UnixNanos| at.later(self.shift);
        tick.ts_event = tick.ts_event.map(later);
        tick.ts_recv = tick.ts_recv.map(later);
        tick
    }
}
