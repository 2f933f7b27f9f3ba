//! Replays: recordings played to a session beside what is live, by clocks of their own.
//!
//! A [`Tape`] reads, where waiting for a disk harms nobody; a [`Stage`] makes messages of what is read; the
//! [`Replay`] between them knows when. It is polled by the shard whenever its session's socket can take more, so it
//! is as fast as the client at most, and what waits is bounded however slow that is.

mod clock;
mod deck;
mod live;
mod share;
mod stage;
mod tape;
#[cfg(test)]
mod tests;
mod told;
mod wishes;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use model::{Speed, UnixNanos};
use wire::{ReplayDigest, ReplayState};

pub(crate) use clock::Clock;
pub(crate) use share::{Role, Shares};
pub(crate) use stage::Sink;
pub(crate) use tape::{Opened, Tape, before};
pub(crate) use told::{damage, told};
pub(crate) use wishes::{Kind as WishKind, Wishes};

use crate::limits::{DAMAGES_TOLD, REPLAY_BYTES_PER_ROUND, REPLAY_EVENTS_PER_ROUND, REPLAY_TOLD};
use crate::recordings::Playing;
use deck::Deck;
use stage::{Stage, Taken, nanos};
use store::{At, Damage};
use tape::{Begin, Piece, Played};

/// A recording that is played to one session.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Replay {
    /// What its session calls it.
    pub(crate) name: String,
    /// Whose it is, for the log.
    session: Box<str>,
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
    /// The newest place in the total order that was read.
    position: u64,
    /// Its recording is to be looked at for what is new.
    refreshes: bool,
    role: Role,
    /// What the leader has played, where it follows one.
    reached: u64,
    /// At its end it goes on with what happens now.
    live: bool,
    /// When it is looked for what was recorded since.
    look: Option<Duration>,
    /// How often that was in vain.
    looks: u32,
    /// Nothing of it waits to be sent.
    is_out: bool,
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
    playing: Arc<Playing>,
}

/// A place that is looked for, and what time it is there.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) at: At,
    pub(crate) time: Option<UnixNanos>,
}

/// How a replay is to begin.
pub(crate) struct Start {
    pub(crate) name: String,
    pub(crate) wishes: Arc<Wishes>,
    pub(crate) clock: Clock,
    pub(crate) live: bool,
    pub(crate) role: Role,
    pub(crate) playing: Arc<Playing>,
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
    pub(crate) fn new(start: Start, opened: Opened, session: &str, now: Duration) -> Self {
        let Start { name, wishes, clock, live, role, playing } = start;
        let Opened { tape, begin, span, .. } = opened;
        let mut replay = Self {
            stage: Stage::new(&name),
            name,
            session: session.into(),
            timed: wishes.is_timed(),
            wishes,
            span,
            deck: Deck::Idle(tape),
            queue: VecDeque::new(),
            ended: None,
            clock,
            steps: 0,
            seek: None,
            position: 0,
            refreshes: false,
            role,
            reached: 0,
            live,
            look: None,
            looks: 0,
            is_out: false,
            state: ReplayState::Seeking,
            told: None,
            records: 0,
            page: (None, false),
            late: Duration::ZERO,
            damages: Vec::new(),
            fault: None,
            playing,
        };
        let time = if matches!(replay.role, Role::Follows(..)) { None } else { Some(span.0) };
        replay.begin(&begin, time, now);
        replay
    }

    /// Input: it waits. What was played is out: only what merges goes on waiting, for its clock.
    pub(crate) fn pause(&mut self, now: Duration) {
        self.clock.run(false, now);
        self.steps = 0;
        self.settle();
    }

    /// Input: it goes on.
    pub(crate) fn resume(&mut self, now: Duration) {
        self.steps = 0;
        self.clock.run(true, now);
        self.settle();
        self.say_finished();
    }

    /// Input: so many records more, and it waits.
    pub(crate) fn step(&mut self, records: u64, now: Duration) {
        self.clock.run(false, now);
        if self.state != ReplayState::Finished {
            self.steps = self.steps.saturating_add(records);
        }
        self.settle();
        self.say_finished();
    }

    /// Who has something done where nothing is left is told so again, and does not wait for what never comes.
    fn say_finished(&mut self) {
        if self.state == ReplayState::Finished {
            self.told = None;
        }
    }

    /// Input: it goes on at another speed.
    pub(crate) fn set_speed(&mut self, speed: Speed, now: Duration) {
        self.clock.set_speed(speed, now);
        // A page or a second later it would be said anyway.
        self.told = None;
    }

    /// Whether another replay has its clock.
    pub(crate) const fn follows(&self) -> bool {
        matches!(self.role, Role::Follows(..))
    }

    /// Input: it goes on from another place.
    pub(crate) fn seek(&mut self, target: Target) {
        self.seek = Some(target);
        (self.look, self.looks) = (None, 0);
        if let Role::Leads(baton) = &self.role {
            baton.seek(target);
        }
        self.queue.clear();
        // Until it is there, it stands where it stood.
        let cursor = self.stage.cursor;
        self.stage = Stage::new(&self.name);
        self.stage.cursor = cursor;
        (self.ended, self.steps, self.state) = (None, 0, ReplayState::Seeking);
        // However soon it is there, that is said.
        self.told = None;
    }

    /// The account of each of its streams.
    pub(crate) fn ledgers(&self) -> (Vec<fanout::Ledger>, &fanout::Fanout) {
        self.stage.ledgers()
    }

    /// Whether nothing can become of it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.state == ReplayState::Live
            || self.fault.is_some() && self.told.is_some_and(|(state, _)| state == ReplayState::Failed)
    }

    /// Whether it does nothing before something is asked of it.
    #[cfg(test)]
    const fn is_at_rest(&self) -> bool {
        matches!(self.state, ReplayState::Finished | ReplayState::Failed)
            && matches!(self.deck, Deck::Idle(_))
    }

    /// Output: what is due, as far as there is room.
    pub(crate) fn play(&mut self, cx: &mut Context<'_>, now: Duration, sink: &mut Sink<'_>) -> Rest {
        loop {
            self.follow(cx);
            self.poll_deck(cx, now);
            self.is_out = false;
            if sink.room == 0 || sink.events == 0 {
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
            if self.feed(now, sink) || self.finish(now) {
                continue;
            }
            self.is_out = true;
            return Rest::Until(self.due());
        }
    }

    fn begin(&mut self, begin: &Begin, time: Option<UnixNanos>, now: Duration) {
        self.stage = Stage::set(&self.name, begin, &self.wishes);
        self.queue.clear();
        (self.ended, self.records, self.page, self.late) = (None, 0, (None, false), Duration::ZERO);
        self.note(&begin.damages);
        if !self.follows() {
            self.clock.set(now, time.unwrap_or(begin.clock));
        }
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

    /// What does not read is named, as far as there is room for names.
    fn note(&mut self, damages: &[Damage]) {
        for damage in damages {
            match self.damages.len() {
                DAMAGES_TOLD.. => {}
                _ => self.damages.push(told::damage(damage)),
            }
        }
    }

    fn take(&mut self, piece: Piece) {
        self.note(&piece.damages);
        self.queue.extend(piece.events);
        self.position = piece.position;
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
        let most = if self.timed { 1 } else { REPLAY_EVENTS_PER_ROUND.min(sink.events) };
        let (mut fed, mut weight, mut position) = (0, 0, 0);
        while fed < most
            && weight < REPLAY_BYTES_PER_ROUND
            && let Some(next) = self.queue.front()
        {
            let due = self.clock.due(next.clock);
            let is_due = match &self.role {
                Role::Follows(..) => share::is_due(next, &self.clock, self.reached, now),
                _ => self.steps > 0 || due.is_some_and(|due| due <= now),
            };
            if !is_due {
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
            position = played.event.position;
            if self.follows() {
                // Its leader keeps the time.
            } else if self.steps > 0 || self.clock.speed() == Speed::MAX {
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
        if let Role::Leads(baton) = &self.role {
            baton.set_clock(self.clock);
            // What it passes over itself, others may play; where a clock tells when, that does.
            let passes = self.queue.is_empty() && self.clock.runs() && self.clock.speed() == Speed::MAX;
            let reached = match (passes, &self.ended) {
                (true, Some(_)) => u64::MAX,
                (true, None) => self.position,
                (false, _) => position,
            };
            if self.seek.is_none() && self.state != ReplayState::Seeking {
                baton.reach(reached);
            }
        }
        sink.events = sink.events.saturating_sub(fed);
        fed > 0 || self.timed && self.stage.wind(self.until(now))
    }

    /// How far time has gone by itself: not beyond what is to be played next, be it read or not.
    fn until(&self, now: Duration) -> Duration {
        match self.queue.front() {
            None if self.ended.is_some() && self.clock.runs() => Duration::MAX,
            Some(next) if self.clock.runs() => nanos(self.clock.time(now).min(next.clock)),
            _ => Duration::ZERO,
        }
    }

    /// Does as its leader does, where it has one.
    fn follow(&mut self, cx: &Context<'_>) {
        let Role::Follows(baton, seen) = &mut self.role else { return };
        match baton.follow(seen, cx.waker()) {
            share::Lead::Plays(clock, reached) => {
                (self.clock, self.reached) = (clock, reached);
                self.settle();
            }
            share::Lead::Seeks(target) => self.seek(target),
            share::Lead::Gone if self.fault.is_none() => {
                self.fail("The replay whose clock this was is over.".to_owned());
            }
            share::Lead::Gone => {}
        }
    }

    /// Notes that all was played.
    fn finish(&mut self, now: Duration) -> bool {
        if self.look.is_some_and(|look| now >= look) {
            self.look = None;
            // Its tape is looked at anew.
            self.ended = None;
            self.refreshes = true;
            return true;
        }
        if self.live {
            return false;
        }
        let over = self.ended.is_some() && self.queue.is_empty() && self.seek.is_none();
        let over = over && self.stage.due().is_none();
        let is_new = over && matches!(self.state, ReplayState::Playing | ReplayState::Paused);
        if is_new {
            self.page = (self.ended.clone(), false);
            self.state = ReplayState::Finished;
        }
        is_new
    }

    /// When something is to be done.
    fn due(&self) -> Option<Duration> {
        // Who follows a leader that is as fast as it is read, is woken by it.
        let told_when = !(self.follows() && self.clock.speed() == Speed::MAX);
        let next = self.queue.front().filter(|_| told_when).and_then(|next| self.clock.due(next.clock));
        let timed = self.stage.due().filter(|_| self.timed);
        let timed = timed
            .and_then(|due| self.clock.due(UnixNanos(u64::try_from(due.as_nanos()).unwrap_or(u64::MAX))));
        let told = self.told.filter(|_| self.state == ReplayState::Playing).map(|(_, at)| at + REPLAY_TOLD);
        [next, timed, told, self.look].into_iter().flatten().min()
    }
}
