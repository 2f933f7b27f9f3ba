//! Replays: recordings played to a session beside what is live, by clocks of their own.
//!
//! A [`Tape`] reads, where waiting for a disk harms nobody; a [`Stage`] makes messages of what is read; the
//! [`Replay`] between them knows when. It is polled by the shard whenever its session's socket can take more, so it
//! is as fast as the client at most, and what waits is bounded however slow that is.

mod clock;
mod deck;
mod stage;
mod tape;
mod told;
mod wishes;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use model::{Speed, UnixNanos};
use wire::{Control, Cursor, Epoch, ReplayDigest, ReplayState};

use clock::Clock;
pub(crate) use stage::Sink;
pub(crate) use tape::{Opened, Tape, before};
pub(crate) use told::told;
pub(crate) use wishes::Wishes;

use crate::limits::{REPLAY_BYTES_PER_ROUND, REPLAY_EVENTS_PER_ROUND, REPLAY_TOLD};
use crate::recordings::Playing;
use deck::Deck;
use stage::{Stage, Taken, nanos};
use store::At;
use tape::{Begin, Piece, Played};

/// A recording that is played to one session.
pub(crate) struct Replay {
    /// What its session calls it.
    pub(crate) name: String,
    wishes: Arc<Wishes>,
    /// It goes by its clock between two records, too.
    timed: bool,
    /// From where to where it goes.
    span: (UnixNanos, UnixNanos),
    stage: Stage,
    deck: Deck,
    /// Read, and not due yet.
    queue: VecDeque<Played>,
    /// Nothing more is to be read; what all of it came to.
    ended: Option<ReplayDigest>,
    clock: Clock,
    /// Records to be played although the clock stands.
    steps: u64,
    /// Another place is to be looked for.
    seek: Option<Target>,
    /// To be said once all is out that was played.
    fences: Vec<String>,
    state: ReplayState,
    /// What was said last, and when.
    told: Option<(ReplayState, Duration)>,
    /// Records since it began or was sought.
    records: u64,
    /// What these come to at the end of the last full page; whether that is to be said.
    page: (Option<ReplayDigest>, bool),
    /// By how much a record was late, at most.
    late: Duration,
    damages: Vec<String>,
    /// Why it goes no further.
    fault: Option<String>,
    _playing: Playing,
}

/// A place that is looked for, and what time it is there.
#[derive(Clone, Copy)]
struct Target {
    at: At,
    time: Option<UnixNanos>,
}

/// How a replay is to begin.
pub(crate) struct Start {
    pub(crate) name: String,
    pub(crate) wishes: Arc<Wishes>,
    pub(crate) speed: Speed,
    pub(crate) paused: bool,
    pub(crate) playing: Playing,
}

/// What a replay waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Room.
    More,
    /// This moment, or its tape.
    Until(Option<Duration>),
}

impl Rest {
    /// What both wait for.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::More, _) | (_, Self::More) => Self::More,
            (Self::Until(one), Self::Until(two)) => Self::Until([one, two].into_iter().flatten().min()),
        }
    }
}

impl Replay {
    pub(crate) fn new(start: Start, opened: Opened, now: Duration) -> Self {
        let Start { name, wishes, speed, paused, playing } = start;
        let Opened { tape, begin, span, .. } = opened;
        let mut replay = Self {
            stage: Stage::new(&name),
            name,
            timed: wishes.is_timed(),
            wishes,
            span,
            deck: Deck::Idle(tape),
            queue: VecDeque::new(),
            ended: None,
            clock: Clock::new(speed, !paused, now, span.0),
            steps: 0,
            seek: None,
            fences: Vec::new(),
            state: ReplayState::Seeking,
            told: None,
            records: 0,
            page: (None, false),
            late: Duration::ZERO,
            damages: Vec::new(),
            fault: None,
            _playing: playing,
        };
        replay.begin(&begin, Some(span.0), now);
        replay
    }

    /// Input: it waits; `ack` is said once all is out that was played.
    pub(crate) fn pause(&mut self, ack: String, now: Duration) {
        self.clock.run(false, now);
        self.steps = 0;
        self.fences.push(ack);
        self.settle();
    }

    /// Input: it goes on.
    pub(crate) fn resume(&mut self, now: Duration) {
        self.steps = 0;
        self.clock.run(true, now);
        self.settle();
    }

    /// Input: so many records more, and it waits.
    pub(crate) fn step(&mut self, records: u64, now: Duration) {
        self.clock.run(false, now);
        self.steps = self.steps.saturating_add(records);
        self.settle();
    }

    /// Input: it goes on at another speed.
    pub(crate) fn set_speed(&mut self, speed: Speed, now: Duration) {
        self.clock.set_speed(speed, now);
        // A page or a second later it would be said anyway.
        self.told = None;
    }

    /// Input: it goes on from another place.
    pub(crate) fn seek(&mut self, at: At, time: Option<UnixNanos>) {
        self.seek = Some(Target { at, time });
        self.queue.clear();
        self.stage = Stage::new(&self.name);
        (self.ended, self.steps, self.state) = (None, 0, ReplayState::Seeking);
    }

    /// The account of each of its streams.
    pub(crate) fn ledgers(&self) -> (Vec<fanout::Ledger>, &fanout::Fanout) {
        self.stage.ledgers()
    }

    /// Whether nothing can become of it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.fault.is_some() && self.told.is_some_and(|(state, _)| state == ReplayState::Failed)
    }

    /// Output: what is due, as far as there is room.
    pub(crate) fn play(&mut self, cx: &mut Context<'_>, now: Duration, sink: &mut Sink<'_>) -> Rest {
        loop {
            self.poll_deck(cx, now);
            if sink.room == 0 {
                return Rest::More;
            }
            if self.stage.drain(sink) {
                continue;
            }
            if let Some(text) = self.word(now) {
                sink.message(text.into());
                continue;
            }
            if self.fault.is_some() {
                return Rest::Until(None);
            }
            if self.feed(now, sink) || self.finish() {
                continue;
            }
            return Rest::Until(self.due());
        }
    }

    fn begin(&mut self, begin: &Begin, time: Option<UnixNanos>, now: Duration) {
        self.stage = Stage::set(&self.name, begin, &self.wishes);
        self.queue.clear();
        (self.ended, self.records, self.page, self.late) = (None, 0, (None, false), Duration::ZERO);
        self.damages.extend(begin.damages.iter().map(ToString::to_string));
        self.clock.set(now, time.unwrap_or(begin.clock));
        self.state = ReplayState::Paused;
        self.settle();
    }

    /// Its state is what its clock does.
    fn settle(&mut self) {
        if matches!(self.state, ReplayState::Paused | ReplayState::Playing) {
            let plays = self.clock.runs() || self.steps > 0;
            self.state = if plays { ReplayState::Playing } else { ReplayState::Paused };
        }
    }

    fn take(&mut self, piece: Piece) {
        self.damages.extend(piece.damages.iter().map(ToString::to_string));
        self.queue.extend(piece.events);
        if piece.ended {
            let (records, sha256) = piece.digest;
            self.ended = Some(ReplayDigest { records, sha256 });
        }
    }

    /// Input: it goes no further.
    pub(crate) fn fail(&mut self, why: String) {
        self.fault = Some(why);
        self.state = ReplayState::Failed;
        self.queue.clear();
    }

    /// Plays what is due; false where nothing is.
    fn feed(&mut self, now: Duration, sink: &mut Sink<'_>) -> bool {
        let most = if self.timed { 1 } else { REPLAY_EVENTS_PER_ROUND };
        let (mut fed, mut weight) = (0, 0);
        while fed < most
            && weight < REPLAY_BYTES_PER_ROUND
            && let Some(next) = self.queue.front()
        {
            let due = self.clock.due(next.clock);
            if self.steps == 0 && due.is_none_or(|due| due > now) {
                break;
            }
            if self.timed && self.stage.wind(nanos(next.clock)) {
                return true;
            }
            match self.stage.take(&next.event, next.clock, &self.wishes) {
                Taken::Hole if fed > 0 => break,
                Taken::Hole => {
                    self.stage.lose(&next.event, sink);
                    return true;
                }
                Taken::Yes | Taken::Twice => {}
            }
            let Some(played) = self.queue.pop_front() else { break };
            fed += 1;
            weight += played.event.weight();
            self.records += 1;
            if self.steps > 0 || self.clock.speed() == Speed::MAX {
                self.clock.set(now, played.clock);
            } else if let Some(due) = due {
                self.late = self.late.max(now.saturating_sub(due));
            }
            self.steps = self.steps.saturating_sub(1);
            let stops = self.steps == 0 && !self.clock.runs();
            if stops {
                self.settle();
            }
            let ends_page = played.digest.is_some();
            if let Some(sha256) = played.digest {
                // It is said where it holds.
                self.page = (Some(ReplayDigest { records: self.records, sha256 }), true);
            }
            if stops || ends_page {
                break;
            }
        }
        fed > 0 || self.timed && self.stage.wind(self.until(now))
    }

    /// How far time has gone by itself.
    fn until(&self, now: Duration) -> Duration {
        if self.ended.is_some() && self.queue.is_empty() {
            return Duration::MAX;
        }
        if self.clock.runs() { nanos(self.clock.time(now)) } else { Duration::ZERO }
    }

    /// Notes that all was played.
    fn finish(&mut self) -> bool {
        let over = self.ended.is_some() && self.queue.is_empty() && self.seek.is_none();
        let is_new = over && matches!(self.state, ReplayState::Playing | ReplayState::Paused);
        if is_new {
            self.page = (self.ended.clone(), false);
            self.state = ReplayState::Finished;
        }
        is_new
    }

    /// When something is to be done.
    fn due(&self) -> Option<Duration> {
        let next = self.queue.front().and_then(|next| self.clock.due(next.clock));
        let timed = self.stage.due().filter(|_| self.timed);
        let timed = timed
            .and_then(|due| self.clock.due(UnixNanos(u64::try_from(due.as_nanos()).unwrap_or(u64::MAX))));
        let told = self.told.filter(|_| self.state == ReplayState::Playing).map(|(_, at)| at + REPLAY_TOLD);
        [next, timed, told].into_iter().flatten().min()
    }

    /// The next thing to say, if there is one. All is out that was played.
    fn word(&mut self, now: Duration) -> Option<String> {
        if !self.fences.is_empty() {
            return Some(self.fences.remove(0));
        }
        let told = self.told.filter(|(state, _)| *state == self.state).map(|(_, at)| at);
        let again = self.state == ReplayState::Playing && told.is_some_and(|at| now >= at + REPLAY_TOLD);
        if told.is_some() && !again && !self.page.1 {
            return None;
        }
        self.told = Some((self.state, now));
        self.page.1 = false;
        Some(self.message(now))
    }

    fn message(&mut self, now: Duration) -> String {
        let position = match self.state {
            ReplayState::Finished => self.span.1,
            _ => self.clock.time(now).min(self.span.1.max(self.span.0)),
        };
        let cursor = Cursor { epoch: Epoch::of_replay(&self.name), position: self.stage.cursor };
        let late = std::mem::take(&mut self.late);
        let late_ms = u64::try_from(late.as_millis()).ok().filter(|_| !late.is_zero());
        let progress =
            if self.state == ReplayState::Finished { 1.0 } else { told::progress(position, self.span) };
        Control::Replay(Box::new(wire::Replay {
            replay: self.name.clone(),
            state: self.state,
            position: position.to_string(),
            cursor: cursor.to_string(),
            speed: told(self.clock.speed()),
            progress,
            records: self.records,
            digest: self.page.0.clone(),
            late_ms,
            damages: std::mem::take(&mut self.damages),
            message: self.fault.clone(),
            ts_sent: crate::clock::wall().to_string(),
        }))
        .to_json()
    }
}
