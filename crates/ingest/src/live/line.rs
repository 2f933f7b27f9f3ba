//! One connection: what waits to be sent, what waits for an answer, and whether it is alive.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Timing;
use super::dialect::{Ask, Bounds, Subject, Want};

/// A connection, from its first packet to its last.
pub(super) struct Line {
    pub(super) id: u64,
    pub(super) open: bool,
    since: Instant,
    /// Anything came.
    heard: Instant,
    /// Data or a heartbeat of the venue came.
    lively: Instant,
    ping_at: Instant,
    asks: Vec<Pending>,
    outbox: VecDeque<String>,
    send_at: Instant,
    /// Refused; to be asked for again later.
    refused: Vec<(Instant, Want)>,
}

struct Pending {
    number: u64,
    wants: Vec<Want>,
    due: Instant,
}

/// What a line needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Need {
    Send(String),
    Ping,
    /// What was refused is to be tried again.
    Again(Vec<Want>),
    /// It is to be cut, for this reason.
    Cut(&'static str),
}

impl Line {
    pub(super) const fn new(id: u64, now: Instant) -> Self {
        Self {
            id,
            open: false,
            since: now,
            heard: now,
            lively: now,
            ping_at: now,
            asks: Vec::new(),
            outbox: VecDeque::new(),
            send_at: now,
            refused: Vec::new(),
        }
    }

    /// It stands.
    pub(super) fn opened(&mut self, now: Instant, bounds: &Bounds, timing: &Timing) {
        self.open = true;
        (self.since, self.heard, self.lively) = (now, now, now);
        self.ping_at = now + Self::ping_every(bounds, timing);
    }

    /// Sends what subscribes, and expects the answers.
    pub(super) fn ask(&mut self, asks: Vec<Ask>, now: Instant, bounds: &Bounds, timing: &Timing) {
        for ask in asks {
            // What waits for its turn is not late yet.
            let waits = u32::try_from(self.outbox.len()).unwrap_or(u32::MAX);
            let due = now + timing.answer_after + bounds.send_every.saturating_mul(waits);
            self.outbox.push_back(ask.text);
            self.asks.push(Pending { number: ask.number, wants: ask.wants, due });
        }
    }

    /// Sends something that nobody answers.
    pub(super) fn tell(&mut self, texts: Vec<String>) {
        self.outbox.extend(texts);
    }

    /// Something came; `lively` if it was more than an answer to a ping.
    pub(super) fn heard(&mut self, now: Instant, lively: bool) {
        self.heard = now;
        if lively {
            self.lively = now;
        }
    }

    /// Takes out what an answer is about. One that names nothing is about the oldest request.
    pub(super) fn settle(&mut self, subject: &Subject<'_>) -> Vec<Want> {
        if *subject == Subject::default() {
            return if self.asks.is_empty() { Vec::new() } else { self.asks.remove(0).wants };
        }
        let mut settled = Vec::new();
        for ask in &mut self.asks {
            let number = ask.number;
            settled.extend(ask.wants.extract_if(.., |want| subject.covers(number, want)));
        }
        self.asks.retain(|ask| !ask.wants.is_empty());
        settled
    }

    /// It was not looked after for so long: its deadlines are moved by that.
    pub(super) fn spare(&mut self, late: Duration, now: Instant) {
        for at in [&mut self.since, &mut self.heard, &mut self.lively] {
            *at = (*at + late).min(now);
        }
        self.asks.iter_mut().for_each(|ask| ask.due += late);
    }

    /// Whether an answer about an instrument is still to come.
    pub(super) fn awaits(&self, symbol: &str) -> bool {
        self.asks.iter().flat_map(|ask| &ask.wants).any(|want| want.symbol == symbol)
    }

    /// Whether all that it asked for was answered.
    pub(super) fn is_settled(&self) -> bool {
        self.open && self.asks.is_empty()
    }

    /// The venue does not give this, for now.
    pub(super) fn refuse(&mut self, want: Want, again: Instant) {
        self.refused.push((again, want));
    }

    /// How long nothing came that says that it works.
    pub(super) fn idle_for(&self, now: Instant) -> Duration {
        now.duration_since(self.lively)
    }

    pub(super) fn silent_for(&self, now: Instant) -> Duration {
        now.duration_since(self.heard)
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.duration_since(self.since)
    }

    /// What is to be done by now; call until there is nothing.
    pub(super) fn poll(&mut self, now: Instant, bounds: &Bounds, timing: &Timing) -> Option<Need> {
        if !self.open {
            return (now >= self.since + timing.answer_after).then_some(Need::Cut("connect_timeout"));
        }
        if now >= self.heard + timing.silence_after {
            return Some(Need::Cut("silent"));
        }
        if now >= self.lively + timing.idle_after {
            return Some(Need::Cut("idle"));
        }
        if self.asks.iter().any(|ask| ask.due <= now) {
            return Some(Need::Cut("no_answer"));
        }
        if self.refused.iter().any(|(again, _)| *again <= now) {
            let due = self.refused.extract_if(.., |(again, _)| *again <= now);
            return Some(Need::Again(due.map(|(_, want)| want).collect()));
        }
        if now >= self.send_at
            && let Some(text) = self.outbox.pop_front()
        {
            self.send_at = now + bounds.send_every;
            return Some(Need::Send(text));
        }
        if now >= self.ping_at {
            self.ping_at = now + Self::ping_every(bounds, timing);
            return Some(Need::Ping);
        }
        None
    }

    fn ping_every(bounds: &Bounds, timing: &Timing) -> Duration {
        bounds.ping_every.min(timing.silence_after / 3)
    }

    pub(super) fn deadline(&self, timing: &Timing) -> Instant {
        if !self.open {
            return self.since + timing.answer_after;
        }
        let alive = (self.heard + timing.silence_after).min(self.lively + timing.idle_after);
        let answers = self.asks.iter().map(|ask| ask.due).min();
        let sends = (!self.outbox.is_empty()).then_some(self.send_at);
        let again = self.refused.iter().map(|(again, _)| *again).min();
        [Some(alive), answers, sends, again, Some(self.ping_at)].into_iter().flatten().min().unwrap_or(alive)
    }
}
