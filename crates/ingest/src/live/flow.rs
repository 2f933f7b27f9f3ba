//! What comes over connections, and how they follow one another.

use std::time::{Duration, Instant};

use super::dialect::{Heard, Subject, Tag, Twins, Want};
use super::effect::{Count, Effect, Raw};
use super::group::Group;
use super::guard::Part;
use super::line::Need;
use super::merge::{Came, Verdict};
use super::session::Session;

/// A book whose first update does not come is asked for after this.
const QUIET: Duration = Duration::from_secs(1);

impl Session {
    /// A connection stands: subscribes.
    pub(super) fn opened(&mut self, id: u64) {
        let (now, bounds, timing) = (self.now, self.bounds, self.spec.timing);
        let Some((index, _)) = self.find(id) else { return };
        let renew = timing.renew_after.or(bounds.lifetime.map(|lifetime| lifetime / 24 * 23));
        let group = &mut self.groups[index];
        let first = group.open() == 0;
        let leads = *group.leader.get_or_insert(id) == id;
        let wants = group.wants(leads);
        if let Some(leg) = group.leg_of(id) {
            group.legs[leg].renew_at = renew.map(|renew| now + renew);
        }
        if first {
            group.merge.clear();
        }
        let is_introduced = match group.route.twins {
            Twins::Merge => first,
            Twins::Lead => leads,
            Twins::Mix => true,
        };
        if is_introduced {
            self.introduce(index, id);
        }
        let asks = self.dialect.subscribe(&wants, &mut self.number);
        if let Some((_, line)) = self.find(id) {
            line.opened(now, &bounds, &timing);
            line.ask(asks, now, &bounds, &timing);
        }
        if first || (leads && self.groups[index].route.twins == Twins::Lead) {
            self.expect_books(index);
        }
        let symbols = self.groups[index].route.symbols.clone();
        for symbol in &symbols {
            self.arrived(index, id, symbol);
        }
        self.note(false, format!("connected to {}", self.groups[index].route.url));
        self.count_connected();
        self.drive(id);
    }

    /// The books of a group are to come.
    fn expect_books(&mut self, index: usize) {
        for symbol in self.groups[index].books() {
            if self.dialect.snapshot(&self.spec, symbol).is_some() {
                self.books.wanted(symbol, self.now + QUIET);
            } else {
                self.books.subscribed(symbol, self.now, &self.spec.timing);
            }
        }
    }

    /// A text came.
    pub(super) fn text(&mut self, id: u64, text: &str) {
        let now = self.now;
        let heard = self.dialect.hear(text);
        let Some((index, line)) = self.find(id) else { return };
        line.heard(now, matches!(heard, Heard::Data(_) | Heard::Beat));
        match heard {
            Heard::Pong => return,
            Heard::Data(tag) => {
                self.effects.push_back(Effect::Heard(self.wall));
                self.data(index, id, &tag, text);
                return;
            }
            Heard::Beat => self.effects.push_back(Effect::Heard(self.wall)),
            Heard::Accepted(subjects) => {
                let settled: Vec<Want> = subjects.iter().flat_map(|subject| line.settle(subject)).collect();
                self.accepted(index, id, &settled);
            }
            // The normaliser would only count it once more.
            Heard::Refused(subject, reason) => return self.refused(id, &subject, &reason),
            Heard::Leaving(reason) => self.leaving(index, id, &reason),
            Heard::Other | Heard::Foreign => {}
        }
        let group = &self.groups[index];
        if group.route.twins != Twins::Lead || group.leader == Some(id) {
            self.normalise(index, id, text, self.wall);
        }
    }

    /// Subscriptions stand.
    fn accepted(&mut self, index: usize, id: u64, settled: &[Want]) {
        for want in settled {
            self.unmark(&want.symbol, &Part::Topic((*want.topic).into()));
            self.arrived(index, id, &want.symbol);
        }
    }

    /// An instrument comes over a connection again, where nothing of it is still to be answered.
    fn arrived(&mut self, index: usize, id: u64, symbol: &str) {
        let follows = self.groups[index].route.twins == Twins::Lead && self.groups[index].leader != Some(id);
        let awaits = self.find(id).is_none_or(|(_, line)| line.awaits(symbol));
        if !follows && !awaits {
            self.unmark(symbol, &Part::Route(index));
        }
    }

    fn data(&mut self, index: usize, id: u64, tag: &Tag<'_>, text: &str) {
        let (now, at) = (self.now, self.wall);
        if tag.symbol().is_some_and(|symbol| !self.guard.is_asked(symbol)) {
            self.count(Count::Fault("unasked"));
            // Where a connection numbers all that it sends, even that must be seen.
            if self.groups[index].route.twins == Twins::Merge {
                return;
            }
        }
        if let Tag::Chain { symbol, .. } | Tag::Bare { book: Some(symbol) } = tag {
            self.books.heard(symbol, now);
        }
        let group = &mut self.groups[index];
        let leads = group.leader == Some(id);
        if group.route.twins == Twins::Lead {
            if leads && matches!(tag, Tag::Bare { book: Some(_) }) && group.merge.is_again(id, text) {
                self.count(Count::Duplicate);
            } else if leads {
                self.normalise(index, id, text, at);
            }
            return;
        }
        match group.merge.judge(&Came { line: id, text, at, now }, leads, tag) {
            Verdict::Pass => self.normalise(index, id, text, at),
            Verdict::Drop if matches!(tag, Tag::Bare { .. }) => {}
            Verdict::Drop => self.count(Count::Duplicate),
            Verdict::Hold => self.count(Count::Fault("early")),
            Verdict::Reset => self.restart(),
        }
        self.release(index);
    }

    /// What has waited long enough, or for what came meanwhile.
    pub(super) fn release(&mut self, index: usize) {
        let (now, hold) = (self.now, self.spec.timing.hold);
        while let Some(frame) = self.groups[index].merge.release(now, hold) {
            self.normalise(index, frame.line, &frame.text, frame.at);
        }
    }

    /// A subscription is refused. Of several, each is tried alone; one alone is told, and tried again later.
    fn refused(&mut self, id: u64, subject: &Subject<'_>, reason: &str) {
        let (now, bounds, timing) = (self.now, self.bounds, self.spec.timing);
        let Some((index, line)) = self.find(id) else { return };
        let mut wants = line.settle(subject);
        self.count(Count::Fault("refused"));
        if let [_] = &*wants
            && let Some(want) = wants.pop()
        {
            let told = format!("the venue refuses {} {}: {reason}", want.topic, want.symbol);
            self.mark(&want.symbol, Part::Topic((*want.topic).into()), &told);
            self.note(true, told);
            self.books.refused(&want.symbol);
            self.arrived(index, id, &want.symbol);
            if let Some((_, line)) = self.find(id) {
                line.refuse(want, now + timing.backoff_max);
            }
            return;
        }
        self.note(true, format!("the venue refuses {} subscriptions: {reason}", wants.len()));
        let asks = wants
            .iter()
            .flat_map(|want| self.dialect.subscribe(std::slice::from_ref(want), &mut self.number));
        let asks = asks.collect();
        if let Some((_, line)) = self.find(id) {
            line.ask(asks, now, &bounds, &timing);
        }
        self.drive(id);
    }

    /// The venue is about to end a connection: another one first.
    fn leaving(&mut self, index: usize, id: u64, reason: &str) {
        self.count(Count::Fault("leaving"));
        self.note(true, format!("the venue is about to end the connection: {reason}"));
        if let Some(leg) = self.groups[index].leg_of(id) {
            let leg = &mut self.groups[index].legs[leg];
            if leg.next.is_none() {
                leg.renew_at = Some(self.now);
            }
        }
        self.tend(index);
    }

    /// Does what is due for a group.
    pub(super) fn tend(&mut self, index: usize) {
        let now = self.now;
        for leg in 0..self.groups[index].legs.len() {
            let place = &self.groups[index].legs[leg];
            let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            if place.line.is_none() && place.next.is_none() && is_due(place.retry) {
                self.connect(index, leg, false);
            } else if place.next.is_none() && is_due(place.renew_at) {
                self.connect(index, leg, true);
            } else if place.next.as_ref().is_some_and(super::line::Line::is_settled) {
                self.swap(index, leg);
            }
        }
        if let Some(leader) = self.groups[index].leader
            && self.takeover(&self.groups[index]).is_some_and(|at| at <= now)
        {
            self.cut(leader, "takeover");
        }
        let lines: Vec<u64> = self.groups[index].lines().map(|line| line.id).collect();
        for line in lines {
            self.drive(line);
        }
    }

    /// When another connection takes over from one that leads and is silent.
    pub(super) fn takeover(&self, group: &Group) -> Option<Instant> {
        let after = self.spec.timing.takeover_after;
        if group.route.twins == Twins::Merge {
            return None;
        }
        let lines = || group.legs.iter().filter_map(|leg| leg.line.as_ref()).filter(|line| line.open);
        let leader = lines().find(|line| Some(line.id) == group.leader)?;
        let other = lines().any(|line| line.id != leader.id && line.idle_for(self.now) < after);
        // Without another that is alive, its own silence decides.
        other.then(|| self.now + after.saturating_sub(leader.idle_for(self.now)))
    }

    /// The next connection takes over: it stands, so the one before may go.
    fn swap(&mut self, index: usize, leg: usize) {
        let place = &mut self.groups[index].legs[leg];
        let old = std::mem::replace(&mut place.line, place.next.take());
        let Some((old, next)) = old.zip(place.line.as_ref().map(|line| line.id)) else { return };
        if self.groups[index].leader == Some(old.id) {
            self.promote(index, next);
        }
        self.effects.push_back(Effect::Close { line: old.id });
        self.count(Count::Reconnect("renewed"));
        self.count_connected();
    }

    /// This connection is followed from now on.
    pub(super) fn promote(&mut self, index: usize, id: u64) {
        let (now, bounds, timing) = (self.now, self.bounds, self.spec.timing);
        self.groups[index].leader = Some(id);
        if self.groups[index].route.twins != Twins::Lead {
            return;
        }
        self.note(false, format!("another connection to {} takes over", self.groups[index].route.url));
        self.introduce(index, id);
        let books: Vec<Want> =
            self.groups[index].route.wants.iter().filter(|want| want.book).cloned().collect();
        let asks = self.dialect.subscribe(&books, &mut self.number);
        if let Some((_, line)) = self.find(id) {
            line.ask(asks, now, &bounds, &timing);
        }
        self.expect_books(index);
        self.drive(id);
    }

    /// Sends what a connection has to send, and cuts it if it must be.
    pub(super) fn drive(&mut self, id: u64) {
        let (now, bounds, timing) = (self.now, self.bounds, self.spec.timing);
        while let Some((index, line)) = self.find(id) {
            let Some(need) = line.poll(now, &bounds, &timing) else { return };
            match need {
                Need::Send(text) => self.send(index, id, text),
                Need::Ping => {
                    self.number += 1;
                    match self.dialect.ping(self.number) {
                        Some(text) => self.effects.push_back(Effect::Send { line: id, text }),
                        None => self.effects.push_back(Effect::Ping { line: id }),
                    }
                }
                Need::Again(wants) => {
                    let asks = self.dialect.subscribe(&wants, &mut self.number);
                    for want in wants.iter().filter(|want| want.book) {
                        self.books.subscribed(&want.symbol, now, &timing);
                    }
                    if let Some((_, line)) = self.find(id) {
                        line.ask(asks, now, &bounds, &timing);
                    }
                }
                Need::Cut(reason) => {
                    self.cut(id, reason);
                    return;
                }
            }
        }
    }

    fn send(&mut self, index: usize, line: u64, text: String) {
        if self.keeps() {
            let (conn, addr) = (self.groups[index].conn(line), self.groups[index].route.url.clone());
            self.effects.push_back(Effect::Keep(Raw::Send { conn, addr, text: text.clone(), at: self.wall }));
        }
        self.effects.push_back(Effect::Send { line, text });
    }
}
