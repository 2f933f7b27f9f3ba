//! A live feed as a value: what happened goes in with its time, what is to be done comes out. No socket, no clock.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Instrument, Tick, UnixNanos};

use super::books::{Books, Remedy};
use super::budget::Budget;
use super::dialect::{Bounds, Dialect, Want};
use super::effect::{Answer, Count, Effect, Input, Loss, Raw};
use super::group::Group;
use super::guard::{Guard, Part, Seen};
use super::line::Line;
use super::{LiveError, LiveSpec};
use crate::sim::Random;
use crate::venue::{Link, Normaliser, normaliser};

/// A deadline that is missed by so much was missed by us.
const LATE: Duration = Duration::from_secs(1);

/// A live feed.
pub(super) struct Session {
    pub(super) spec: LiveSpec,
    pub(super) dialect: Box<dyn Dialect>,
    pub(super) bounds: Bounds,
    normaliser: Box<dyn Normaliser>,
    pub(super) groups: Vec<Group>,
    pub(super) books: Books,
    pub(super) guard: Guard,
    connects: Budget,
    weight: Budget,
    random: Random,
    /// Numbers of connections, requests and messages.
    pub(super) number: u64,
    /// Requests under way, with the book they are for.
    requests: HashMap<u64, (String, String)>,
    pub(super) effects: VecDeque<Effect>,
    /// When and at what wall time it last heard something.
    pub(super) now: Instant,
    pub(super) wall: UnixNanos,
}

impl Session {
    /// A session that has not begun; `seed` decides its waits.
    pub(super) fn new(spec: LiveSpec, name: &str, seed: u64, now: Instant) -> Result<Self, LiveError> {
        spec.check()?;
        let dialect = spec.dialect()?;
        let normaliser = normaliser(&spec.feed).ok_or_else(|| LiveError::Feed(spec.feed.clone()))?;
        let instruments: Vec<Arc<Instrument>> = spec.instruments()?;
        let routes = dialect.routes(&spec).into_iter().enumerate();
        let groups: Vec<Group> =
            routes.map(|(index, route)| Group::new(index, route, spec.arbitration, now)).collect();
        let mut books = Books::default();
        for (index, group) in groups.iter().enumerate() {
            group.books().for_each(|symbol| books.add(symbol, index));
        }
        let bounds = dialect.bounds();
        Ok(Self {
            dialect,
            bounds,
            normaliser,
            groups,
            books,
            guard: Guard::new(name, &instruments),
            connects: Budget::new(bounds.connects),
            weight: Budget::new(bounds.weight),
            random: Random::new(seed),
            number: 0,
            requests: HashMap::new(),
            effects: VecDeque::new(),
            now,
            wall: UnixNanos(0),
            spec,
        })
    }

    /// Says that nothing is connected yet.
    pub(super) fn begin(&mut self, wall: UnixNanos) {
        self.wall = wall;
        for index in 0..self.groups.len() {
            self.mark_down(index, "not connected yet");
        }
    }

    /// Input: something happened.
    pub(super) fn handle(&mut self, now: Instant, wall: UnixNanos, input: Input<'_>) {
        (self.now, self.wall) = (now, wall);
        match input {
            Input::Opened { line } => self.opened(line),
            Input::Lost { line, why } => self.lost(line, &why),
            Input::Text { line, text, bytes } => {
                self.count(Count::Message(bytes));
                self.text(line, text);
            }
            Input::Binary { line, bytes } => {
                self.count(Count::Message(bytes));
                if let Some((_, line)) = self.find(line) {
                    line.heard(now, false);
                    self.count(Count::Fault("binary"));
                }
            }
            Input::Pong { line } => {
                if let Some((_, line)) = self.find(line) {
                    line.heard(now, false);
                }
            }
            Input::Answer { ask, answer } => self.answer(ask, answer),
        }
    }

    /// Input: time passed.
    pub(super) fn tick(&mut self, now: Instant, wall: UnixNanos) {
        (self.now, self.wall) = (now, wall);
        self.wake(now);
        for index in 0..self.groups.len() {
            self.release(index);
            self.tend(index);
        }
        while let Some(remedy) = self.books.poll(now, &self.spec.timing) {
            match remedy {
                Remedy::Ask(symbol) => self.resync(&symbol),
                Remedy::Reconnect(group) => self.cut_all(group, "no_snapshot"),
            }
        }
    }

    /// Whoever was not looked after for so long was stopped: what the venue said meanwhile is still to be read, and
    /// no connection is to be blamed for that.
    fn wake(&mut self, now: Instant) {
        let late = self.deadline().map_or(Duration::ZERO, |due| now.saturating_duration_since(due));
        if late >= LATE {
            self.note(true, format!("nothing was done for {} s: deadlines begin anew", late.as_secs()));
            self.groups.iter_mut().flat_map(Group::lines).for_each(|line| line.spare(late, now));
        }
    }

    /// Output: when [`Self::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let timing = &self.spec.timing;
        let groups = self.groups.iter().flat_map(|group| {
            let legs = group.legs.iter().flat_map(move |leg| {
                let lines = leg.line.iter().chain(&leg.next).map(|line| line.deadline(timing));
                lines.chain(leg.retry).chain(leg.renew_at)
            });
            legs.chain(group.merge.deadline(timing.hold)).chain(self.takeover(group))
        });
        groups.chain(self.books.deadline()).min()
    }

    /// Output: what is to be done; call until there is nothing.
    pub(super) fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Whether no connection stands.
    pub(super) fn is_down(&self) -> bool {
        self.groups.iter().all(|group| group.open() == 0)
    }

    pub(super) fn find(&mut self, id: u64) -> Option<(usize, &mut Line)> {
        self.groups.iter_mut().enumerate().find_map(|(index, group)| Some((index, group.line(id)?)))
    }

    /// Whether the venue's messages are kept.
    pub(super) const fn keeps(&self) -> bool {
        self.spec.raw.is_some()
    }

    pub(super) fn count(&mut self, count: Count) {
        self.effects.push_back(Effect::Count(count));
    }

    pub(super) fn note(&mut self, worse: bool, text: String) {
        self.effects.push_back(Effect::Note { worse, text });
    }

    pub(super) fn count_connected(&mut self) {
        let connected = self.groups.iter().map(Group::open).sum();
        self.count(Count::Connected(connected));
    }

    /// Opens a connection at a place, or says when that may be.
    pub(super) fn connect(&mut self, group: usize, leg: usize, as_next: bool) {
        let place = &mut self.groups[group].legs[leg];
        if let Err(later) = self.connects.spend(1, self.now) {
            *(if as_next { &mut place.renew_at } else { &mut place.retry }) = Some(later);
            return;
        }
        self.number += 1;
        let line = Line::new(self.number, self.now);
        let id = line.id;
        if as_next {
            place.renew_at = None;
            place.next = Some(line);
        } else {
            place.retry = None;
            place.line = Some(line);
        }
        self.effects.push_back(Effect::Open { line: id, url: self.groups[group].route.url.clone() });
    }

    /// A connection is gone: waits, and lets another take over.
    pub(super) fn lost(&mut self, id: u64, why: &Loss) {
        let Some((index, _)) = self.find(id) else { return };
        let (now, timing) = (self.now, self.spec.timing);
        let group = &mut self.groups[index];
        let Some(leg) = group.leg_of(id) else { return };
        let leg = &mut group.legs[leg];
        if leg.line.as_ref().is_some_and(|line| line.id == id) {
            let line = leg.line.take();
            if line.is_some_and(|line| line.open && line.age(now) >= timing.stable_after) {
                leg.backoff.reset();
            }
            leg.line = leg.next.take();
            leg.renew_at = None;
        } else {
            leg.next = None;
        }
        let again = leg.backoff.failed(now, &timing, &mut self.random);
        let again = Some(again.max(why.retry_after.map_or(now, |wait| now + wait)));
        match &leg.line {
            None => leg.retry = again,
            // The one that was to take over is gone, or already has.
            Some(_) => leg.renew_at = leg.renew_at.or(again),
        }
        let name = leg.name.clone();
        if let Some(wait) = why.retry_after {
            self.connects.shut(now + wait);
        }
        self.count(Count::Reconnect(why.reason));
        self.note(true, format!("connection {name} is gone: {}: {}", why.reason, why.detail));
        self.count_connected();
        if self.groups[index].leader == Some(id) {
            self.groups[index].leader = None;
            match self.groups[index].candidate(now) {
                Some(next) => self.promote(index, next),
                None => self.gone(index, &why.detail),
            }
        }
    }

    /// No connection of the group stands any more.
    fn gone(&mut self, index: usize, detail: &str) {
        self.groups[index].merge.clear();
        self.books.away(index);
        self.mark_down(index, &format!("not connected: {detail}"));
    }

    fn mark_down(&mut self, index: usize, reason: &str) {
        let symbols = self.groups[index].route.symbols.clone();
        for symbol in &symbols {
            self.mark(symbol, Part::Route(index), reason);
        }
    }

    /// A part of an instrument's source is gone.
    pub(super) fn mark(&mut self, symbol: &str, part: Part, reason: &str) {
        let mut ticks = Vec::new();
        self.guard.down(symbol, part, reason, self.wall, &mut ticks);
        self.effects.extend(ticks.into_iter().map(Effect::Tick));
    }

    /// A part of an instrument's source is there again.
    pub(super) fn unmark(&mut self, symbol: &str, part: &Part) {
        let (mut ticks, whole) = (Vec::new(), self.books.is_whole(symbol));
        self.guard.up(symbol, part, whole, self.wall, &mut ticks);
        self.effects.extend(ticks.into_iter().map(Effect::Tick));
    }

    /// Cuts every connection of a group.
    pub(super) fn cut_all(&mut self, index: usize, reason: &'static str) {
        let lines: Vec<u64> = self.groups[index].lines().map(|line| line.id).collect();
        for line in lines {
            self.cut(line, reason);
        }
    }

    /// Cuts a connection, as if it had been lost.
    pub(super) fn cut(&mut self, line: u64, reason: &'static str) {
        self.effects.push_back(Effect::Close { line });
        self.lost(line, &Loss { reason, detail: reason.replace('_', " "), retry_after: None });
    }

    /// Asks for the snapshot of a book.
    fn resync(&mut self, symbol: &str) {
        if let Some(snapshot) = self.dialect.snapshot(&self.spec, symbol) {
            if let Err(later) = self.weight.spend(snapshot.weight, self.now) {
                self.books.wanted(symbol, later);
                return;
            }
            self.count(Count::Resync);
            self.number += 1;
            self.requests.insert(self.number, (symbol.to_owned(), snapshot.url.clone()));
            self.effects.push_back(Effect::Get { ask: self.number, url: snapshot.url });
            return;
        }
        self.count(Count::Resync);
        let is_its = |want: &&Want| want.book && want.symbol == symbol;
        for index in 0..self.groups.len() {
            let wants: Vec<Want> = self.groups[index].route.wants.iter().filter(is_its).cloned().collect();
            let Some(leader) = self.groups[index].leader.filter(|_| !wants.is_empty()) else { continue };
            self.groups[index].merge.forget(symbol);
            let mut texts = self.dialect.unsubscribe(&wants, &mut self.number);
            let asks = self.dialect.subscribe(&wants, &mut self.number);
            let (now, bounds, timing) = (self.now, self.bounds, self.spec.timing);
            if let Some(line) = self.groups[index].line(leader) {
                line.tell(std::mem::take(&mut texts));
                line.ask(asks, now, &bounds, &timing);
            }
            self.drive(leader);
        }
    }

    /// An HTTP answer: the book that a request was for.
    fn answer(&mut self, ask: u64, answer: Result<Answer, &'static str>) {
        let Some((symbol, url)) = self.requests.remove(&ask) else { return };
        if !self.books.waits(&symbol) {
            return;
        }
        let (now, timing) = (self.now, self.spec.timing);
        let answer = match answer {
            Ok(answer) if answer.status == 200 => answer,
            Ok(answer) => {
                let limited = matches!(answer.status, 403 | 418 | 429);
                let wait = answer.retry_after.or(limited.then_some(timing.backoff_max));
                let until = wait.map(|wait| now + wait);
                if let Some(until) = until.filter(|_| limited) {
                    self.weight.shut(until);
                }
                let reason = match answer.status {
                    _ if limited => "rest_limited",
                    400..=499 => "rest_refused",
                    _ => "rest_status",
                };
                self.count(Count::Fault(reason));
                self.note(
                    true,
                    format!("{symbol}: no snapshot: status {}: {}", answer.status, brief(&answer.body)),
                );
                if reason == "rest_refused" {
                    let told = format!("the venue refuses it: {}", brief(&answer.body));
                    self.mark(&symbol, Part::Book, &told);
                }
                self.books.failed(&symbol, now, until, &timing);
                return;
            }
            Err(reason) => {
                self.count(Count::Fault(reason));
                self.note(true, format!("{symbol}: no snapshot: {reason}"));
                self.books.failed(&symbol, now, None, &timing);
                return;
            }
        };
        let link = Link { conn: "", recv: Some(self.wall) };
        let mut ticks = Vec::new();
        let read = self.normaliser.handle_answer(&link, &url, &answer.body, &mut ticks);
        let raw = Raw::Http { url, body: answer.body, at: self.wall };
        self.effects.push_back(Effect::Keep(raw));
        let is_read = read.is_ok();
        if let Err(error) = read {
            self.count(Count::Fault(error.reason()));
            self.note(true, format!("{symbol}: the snapshot is broken: {error}"));
        }
        self.hand_on(ticks);
        if !self.books.is_whole(&symbol) {
            if is_read {
                // Older than what it must fit to.
                self.count(Count::Fault("rest_stale"));
            }
            self.books.failed(&symbol, now, None, &timing);
        }
    }

    /// A message for the normaliser.
    pub(super) fn normalise(&mut self, index: usize, line: u64, text: &str, at: UnixNanos) {
        let conn = self.groups[index].conn(line);
        let (link, mut ticks) = (Link { conn: &conn, recv: Some(at) }, Vec::new());
        let read = self.normaliser.handle_frame(&link, text, &mut ticks);
        if self.keeps() {
            self.effects.push_back(Effect::Keep(Raw::Recv { conn, text: text.to_owned(), at }));
        }
        if let Err(error) = read {
            self.count(Count::Fault(error.reason()));
            self.note(true, format!("a message is refused: {error}: {}", brief(text)));
        }
        self.hand_on(ticks);
    }

    /// Tells the normaliser of a connection.
    pub(super) fn introduce(&mut self, index: usize, line: u64) {
        let (conn, addr) = (self.groups[index].conn(line), self.groups[index].route.url.clone());
        let mut ticks = Vec::new();
        self.normaliser.handle_connect(&Link { conn: &conn, recv: Some(self.wall) }, &addr, &mut ticks);
        self.effects.push_back(Effect::Keep(Raw::Connect { conn, addr, at: self.wall }));
        self.hand_on(ticks);
    }

    /// The venue began anew without a word: so does everything here.
    pub(super) fn restart(&mut self) {
        self.count(Count::Fault("sequence_reset"));
        self.note(true, "the venue's numbering went back: everything is connected anew".to_owned());
        if let Some(fresh) = normaliser(&self.spec.feed) {
            self.normaliser = fresh;
        }
        let mut ticks = Vec::new();
        self.guard.void_all(self.wall, &mut ticks);
        self.effects.extend(ticks.into_iter().map(Effect::Tick));
        self.effects.push_back(Effect::Keep(Raw::Anew));
        for index in 0..self.groups.len() {
            self.cut_all(index, "sequence_reset");
        }
    }

    fn hand_on(&mut self, ticks: Vec<Tick>) {
        for tick in ticks {
            let symbol = tick.instrument.venue_symbol.clone();
            let (whole, strikes) = (self.books.is_whole(&symbol), self.books.strikes(&symbol));
            let mut out = Vec::new();
            match self.guard.look(tick, whole, strikes, &mut out) {
                Seen::Whole => self.books.whole(&symbol, self.now),
                Seen::Void => self.void(&symbol),
                Seen::Crossed => {
                    self.count(Count::Fault("crossed"));
                    self.void(&symbol);
                }
                Seen::Unasked => self.count(Count::Fault("unasked")),
                Seen::Nothing => {}
            }
            self.effects.extend(out.into_iter().map(Effect::Tick));
        }
    }

    fn void(&mut self, symbol: &str) {
        self.books.void(symbol, self.now, &self.spec.timing);
    }
}

/// The beginning of a text, for the log.
fn brief(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}
