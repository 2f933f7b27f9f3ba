//! Draining a session: who may send how much, in which order.

use std::sync::Arc;
use std::time::Duration;

use crate::coalesce::{self, Early, Rest, Room, Turn};
use crate::event::Event;
use crate::fanout::Fanout;
use crate::ids::{SessionId, Stream, TopicId};
use crate::item::{Batch, Kind, Notice};
use crate::ledger::{Account, Slow};
use crate::limits::{CUT_BYTES_MAX, TURN_BYTES_MIN};
use crate::options::{Overflow, Priority};
use crate::replay;
use crate::session::{Due, Sub, SubId};

/// What a drain has come to so far.
#[derive(Default)]
struct Sum {
    spent: usize,
    slow: bool,
    coalesced: u64,
    skipped: u64,
    overrun: bool,
}

/// What waits for a session.
#[derive(Clone, Copy, Default)]
struct Waits {
    /// About how many bytes.
    bytes: usize,
    /// Since when the oldest of it.
    since: Option<Duration>,
    /// States are to be given as of one moment.
    cut: bool,
}

/// How many bytes each stream may send, by its priority.
#[derive(Clone, Copy)]
struct Shares([usize; 3]);

impl Shares {
    fn of(&self, sub: &Sub) -> usize {
        self.0[sub.options.priority as usize]
    }
}

impl Fanout {
    /// Output: what `session` should be sent now, at most about `budget` bytes; what has fallen
    /// behind is coalesced here. Empty when nothing waits.
    ///
    /// All that waits is sent event by event where it fits. Where it does not, the budget is shared
    /// out: no stream gets less because another of its priority has more to say, and what does not
    /// fit into its stream's share is coalesced. Cost: O(streams for which something waits + what is
    /// returned).
    pub fn drain(&mut self, session: SessionId, budget: usize, now: Duration) -> Batch {
        let mut batch = Batch::default();
        self.drain_into(session, budget, now, &mut batch);
        batch
    }

    /// As [`Self::drain`], into a batch whose memory is used again.
    pub fn drain_into(&mut self, session: SessionId, budget: usize, now: Duration, batch: &mut Batch) {
        batch.clear(self.position);
        self.now = now;
        if self.sessions.get(session).is_none() {
            return;
        }
        self.sessions.session_mut(session).drained();
        let mut sum = Sum::default();
        let waits = if self.drain_runs(session, budget, batch) {
            Waits::default()
        } else {
            self.drain_all(session, budget, batch, &mut sum)
        };
        batch.overrun = sum.overrun;

        let state = self.sessions.session_mut(session);
        if sum.slow && state.slow.is_none() {
            // It began when the oldest of what waits did not go out.
            let since = waits.since.map_or(now, |since| since.min(now));
            state.slow = Some(Slow { since, coalesced: 0, skipped: 0 });
            self.stats.slow += 1;
            let millis = millis(now.saturating_sub(since));
            batch.started = Some(Notice { queued_bytes: waits.bytes, millis, coalesced: 0, skipped: 0 });
        }
        if let Some(mut slow) = state.slow.take() {
            slow.coalesced += sum.coalesced;
            slow.skipped += sum.skipped;
            if state.turns() == 0 {
                let Slow { since, coalesced, skipped } = slow;
                let millis = millis(now.saturating_sub(since));
                self.stats.slow -= 1;
                batch.ended = Some(Notice { queued_bytes: 0, millis, coalesced, skipped });
            } else {
                state.slow = Some(slow);
            }
        }
        let stands = state.oldest_waiting().map_or(self.position, |(position, _)| position - 1);
        state.cursor = state.cursor.max(stands);
        batch.cursor = state.cursor;
        batch.more = state.turns() > 0;
    }

    fn drain_all(&mut self, session: SessionId, budget: usize, batch: &mut Batch, sum: &mut Sum) -> Waits {
        let mut turns = self.sessions.session_mut(session).turns();
        if turns == 0 {
            return Waits::default();
        }
        let (waits, shares) = self.shares(session, budget);
        let stop = if waits.cut { budget.max(CUT_BYTES_MAX) } else { budget };
        let mut subs = std::mem::take(&mut self.turns);
        subs.clear();
        while turns > 0 && (sum.spent < stop || batch.items.is_empty()) && !sum.overrun {
            turns -= 1;
            self.sessions.session_mut(session).pop(&mut subs);
            self.group(session, &mut subs, shares, batch, sum);
        }
        self.turns = subs;
        batch.items.sort_by_key(|item| item.position);
        waits
    }

    /// The turn of one symbol's streams.
    fn group(
        &mut self,
        session: SessionId,
        subs: &mut Vec<SubId>,
        shares: Shares,
        batch: &mut Batch,
        sum: &mut Sum,
    ) {
        let until = self.horizon(session, subs, shares);
        // Trades first where quotes must go before them: they tell which.
        let Some(state) = self.sessions.get(session) else { return };
        subs.sort_by_key(|&id| !state.sub(id).options.trade_safe || !state.sub(id).is_trades());
        let mut quotes = Vec::new();
        for &sub in &*subs {
            let state = self.sessions.sub(session, sub);
            let (due, bytes) = (state.is_due(self.now), shares.of(state));
            // A filter that is to hold once all is sent waits for no newer update: there may be none.
            let max_age = state.options.max_age.filter(|_| state.next_filter.is_none());
            let fresh_since = max_age.map_or(Duration::ZERO, |age| self.now.saturating_sub(age));
            let safe = state.is_trades() && state.options.trade_safe;
            let topic = state.topic;
            let before: &[_] = if topic.stream == Stream::Quotes { &quotes } else { &[] };
            let room = Room { bytes, until, due, fresh_since, quotes: before };
            let begin = batch.items.len();
            let (turn, counted) = self.turn(session, sub, room, batch);
            sum.spent += turn.weight;
            sum.slow |= turn.slow && counted.0 + counted.1 > 0;
            sum.coalesced += counted.0;
            sum.skipped += counted.1;
            sum.overrun |= turn.rest == Rest::Overrun;
            if safe {
                quotes = batch.items[begin..].iter().filter_map(|item| quote_before(&item.kind)).collect();
                sum.spent += self.before_trades(session, topic, subs, &quotes, batch);
            }
        }
        subs.clear();
    }

    /// Sends the quotes that must go before trades where their stream does not have its turn with them.
    fn before_trades(
        &mut self,
        session: SessionId,
        trades: TopicId,
        turns: &[SubId],
        quotes: &[Arc<Event>],
        batch: &mut Batch,
    ) -> usize {
        let id = TopicId { stream: Stream::Quotes, ..trades };
        let found = self.sessions.get(session).and_then(|state| state.find(id));
        let Some(sub) = found.filter(|sub| !turns.contains(sub)) else { return 0 };
        let state = self.sessions.sub_mut(session, sub);
        let begun = matches!(state.snapshot_due, None | Some(Due::Again)) && state.replay.is_none();
        let begun = begun && !state.paused;
        let Some(topic) = self.topics[id.index()].as_mut().filter(|_| begun) else { return 0 };
        let before = state.account;
        let turn =
            coalesce::before_trades(topic, &state.options, quotes, &mut state.account, &mut batch.items);
        let (delivered, coalesced, skipped) = state.account.since(&before);
        self.stats.count(model::Channel::Quotes, delivered, coalesced, skipped);
        if delivered > 0 {
            let mut next = coalesce::lacks(topic, state.account.stands(), &state.options);
            // Where the log begins later than what it lacks, that is not where it stands.
            if let Some(sent) = batch.items.last()
                && coalesce::is_overrun(topic, state.account.stands(), &state.options)
            {
                next = next.map(|next| next.min(sent.position + 1));
            }
            if next.is_none() {
                topic.caught_up(state.place_in_lane, &state.options);
            }
            self.sessions.hurried(session, sub, next);
            if next.is_none() {
                self.change_filter(session, sub);
            }
        }
        turn.weight
    }

    /// What waits, and how many bytes of it each stream may send, as in a contest for a cake: who wants
    /// little gets it, and the rest share what is left, the higher priorities before the others.
    fn shares(&self, session: SessionId, budget: usize) -> (Waits, Shares) {
        let Some(state) = self.sessions.get(session) else { return (Waits::default(), Shares([0; 3])) };
        let mut waits = Waits::default();
        for sub in state.ready().flatten() {
            waits.bytes += self.weight(sub, u64::MAX);
            waits.cut |= sub.snapshot_due == Some(Due::First);
            let since = sub.waiting.map(|(_, since)| since);
            waits.since =
                waits.since.map_or(since, |oldest| since.map(|since| since.min(oldest)).or(waits.since));
        }
        if waits.bytes <= budget {
            return (waits, Shares([budget; 3]));
        }
        let mut wants: Vec<(Priority, usize)> =
            state.ready().flatten().map(|sub| (sub.options.priority, self.weight(sub, u64::MAX))).collect();
        wants.sort_unstable();
        let mut left = budget;
        let shares = [Priority::High, Priority::Normal, Priority::Low].map(|class| {
            let wants = wants.iter().filter(|&&(priority, _)| priority == class);
            let mut count = wants.clone().count();
            for &(_, want) in wants {
                if want > left / count {
                    return std::mem::take(&mut left) / count;
                }
                left -= want;
                count -= 1;
            }
            // Each has what it wants.
            budget
        });
        (waits, Shares(shares))
    }

    /// About how many bytes wait for a subscription, up to a place in the total order.
    fn weight(&self, sub: &Sub, until: u64) -> usize {
        let topic = self.topics[sub.topic.index()].as_ref();
        topic.map_or(0, |topic| coalesce::weight(topic, sub.account.stands(), until, &sub.options))
    }

    /// How far streams of which nothing may be dropped can be sent within their share: all of them
    /// to the same place in the total order, so that none runs ahead of another.
    fn horizon(&self, session: SessionId, subs: &[SubId], shares: Shares) -> u64 {
        let Some(state) = self.sessions.get(session) else { return u64::MAX };
        let lossless = |sub: &&Sub| {
            sub.replay.is_some()
                || (sub.options.overflow == Overflow::Disconnect && sub.options.conflate.is_zero())
        };
        let subs: Vec<_> = subs.iter().map(|&id| state.sub(id)).filter(lossless).collect();
        let room =
            subs.iter().fold(0_usize, |sum, sub| sum.saturating_add(shares.of(sub).max(TURN_BYTES_MIN)));
        let fits = |until: u64| subs.iter().map(|sub| self.weight(sub, until)).sum::<usize>() <= room;
        if fits(u64::MAX) {
            return u64::MAX;
        }
        // Whatever its size, the oldest event must go.
        let next = |sub: &&Sub| {
            let topic = self.topics[sub.topic.index()].as_ref()?;
            coalesce::lacks(topic, sub.account.stands(), &sub.options)
        };
        let (mut low, mut high) = (subs.iter().filter_map(next).min().unwrap_or(0), self.position);
        while low < high {
            let middle = u64::midpoint(low, high) + (high - low) % 2;
            if fits(middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// One subscription's turn; returns what was coalesced and skipped in it.
    fn turn(
        &mut self,
        session: SessionId,
        id: SubId,
        room: Room<'_>,
        batch: &mut Batch,
    ) -> (Turn, (u64, u64)) {
        let (position, now) = (self.position, self.now);
        let sub = self.sessions.sub_mut(session, id);
        let (place_in_lane, due) = (sub.place_in_lane, sub.snapshot_due.take());
        let (before, mut account) = (sub.account, sub.account);
        let channel = sub.topic.stream.channel();
        let Some(topic) = self.topics[sub.topic.index()].as_mut() else { return Default::default() };
        let (options, items) = (&*sub.options, &mut batch.items);
        let (mut turn, begin) = (Turn::default(), items.len());
        if due == Some(Due::First) && !account.has_begun() {
            // The account begins with the state as of this moment.
            account = Account::open(topic.head_of(options));
            account.pass(topic.head);
        }
        // Subscribed to again between two updates: a state that was asked for goes at once, what waits
        // goes on waiting.
        let first = matches!(due, Some(Due::First | Due::Lost { .. }));
        let early = if room.due || first || sub.replay.is_some() {
            Early::No
        } else {
            coalesce::early(topic, options, account.place)
        };
        match due {
            Some(Due::Lost { ranged }) => {
                turn = replay::lost(topic, options, ranged, &mut account, items);
                // What is sent again of other streams follows, so that the session gets on.
                let at = sub.waiting.map_or(position, |(position, _)| position);
                items[begin..].iter_mut().for_each(|item| item.position = item.position.min(at));
            }
            Some(Due::First) => turn = coalesce::snapshot(topic, options, &mut account, items),
            Some(Due::Again) if early != Early::No => {
                turn = coalesce::snapshot(topic, options, &mut account, items);
            }
            _ => {}
        }
        if first && let Some(Kind::Snapshot { as_of, .. }) = items.last_mut().map(|item| &mut item.kind) {
            *as_of = Some(position);
        }
        if early != Early::No
            && let Some((position, _)) = sub.waiting
        {
            // After all that was sent, and right before what waits.
            items[begin..].iter_mut().for_each(|item| item.position = position - 1);
        }
        if let Some(end) = sub.replay {
            turn = replay::replay(topic, options, room.until.min(end), &mut account, items);
            let next = coalesce::lacks(topic, account.stands(), options);
            sub.replay = next.filter(|&next| next <= end).and(Some(end));
            if sub.replay.is_none() {
                turn.weight +=
                    coalesce::before_trades(topic, options, room.quotes, &mut account, items).weight;
                if coalesce::lacks(topic, account.stands(), options).is_none() {
                    turn.rest = Rest::None;
                }
            }
        } else if early == Early::Alone && account.stands() < topic.head {
            turn.weight += coalesce::before_trades(topic, options, room.quotes, &mut account, items).weight;
            let lacks = coalesce::lacks(topic, account.stands(), options);
            turn.rest = if lacks.is_some() { Rest::ForInterval } else { Rest::None };
        } else {
            let rest = coalesce::collect(topic, options, room, &mut account, items);
            turn = Turn { weight: turn.weight + rest.weight, ..rest };
        }
        turn.slow &= !sub.rested;
        let waits = due.filter(|_| due == Some(Due::Again) && early == Early::No);
        if waits.is_some() && matches!(turn.rest, Rest::None | Rest::Withheld) {
            turn.weight += coalesce::snapshot(topic, options, &mut account, items).weight;
            if coalesce::lacks(topic, account.stands(), options).is_none() {
                turn.rest = Rest::None;
            }
        }
        // A snapshot or a gap stands no later than what follows it in its stream.
        let mut latest = u64::MAX;
        for item in items[begin..].iter_mut().rev() {
            item.position = item.position.min(latest);
            latest = item.position;
        }
        if let (Some(last), Some((next, _))) = (items[begin..].last(), &mut sub.waiting)
            && account.stands() > before.stands()
        {
            *next = (*next).max(last.position + 1);
        }
        let (delivered, coalesced, skipped) = account.since(&before);
        self.stats.count(channel, delivered, coalesced, skipped);
        if let Some((_, since)) = sub.waiting.filter(|_| due.is_none() && options.conflate.is_zero()) {
            self.stats.waited(self.hindered, now.saturating_sub(since), delivered);
        }
        self.stats.withheld += u64::from(turn.rest == Rest::Withheld);
        sub.account = account;
        match turn.rest {
            Rest::None => topic.caught_up(place_in_lane, options),
            Rest::Withheld => topic.doze(place_in_lane, options),
            _ => {}
        }
        if !matches!(turn.rest, Rest::None | Rest::Withheld) {
            sub.snapshot_due = waits;
        }
        self.rest(session, id, turn.rest, now);
        (turn, (coalesced, skipped))
    }

    /// What a subscription could not send goes on waiting for what it needs.
    fn rest(&mut self, session: SessionId, id: SubId, rest: Rest, now: Duration) {
        let state = self.sessions.session_mut(session);
        match rest {
            Rest::None => {
                state.sent(id, now);
                self.change_filter(session, id);
            }
            Rest::ForRoom | Rest::Overrun => state.push(id),
            Rest::ForInterval => self.sessions.wait(session, id),
            Rest::Withheld => {}
        }
    }
}

/// The quote that was current before a trade.
fn quote_before(kind: &Kind) -> Option<Arc<Event>> {
    match kind {
        Kind::Event { event, .. } => event.quote.clone(),
        Kind::Summary { record, .. } => record.last.quote.clone(),
        _ => None,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
