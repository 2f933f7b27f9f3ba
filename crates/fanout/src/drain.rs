//! Draining a session: who may send how much, in which order.

use std::time::Duration;

use crate::coalesce::{self, Early, Rest, Room};
use crate::fanout::Fanout;
use crate::ids::SessionId;
use crate::item::{Batch, Notice};
use crate::limits::TURN_BYTES_MIN;
use crate::session::{Due, Overflow, Slow, Sub, SubId};

impl Fanout {
    /// Output: what `session` should be sent now, at most about `budget` bytes; what has fallen
    /// behind is coalesced here. Empty when nothing waits.
    ///
    /// All that waits is sent event by event where it fits. Where it does not, the budget is shared
    /// out: no stream gets less because another has more to say, and what does not fit into its
    /// stream's share is coalesced. Cost: O(streams for which something waits + what is returned).
    pub fn drain(&mut self, session: SessionId, budget: usize, now: Duration) -> Batch {
        let mut batch = Batch { cursor: self.position, ..Batch::default() };
        if self.sessions.get(session).is_none() {
            return batch;
        }
        self.sessions.session_mut(session).drained();
        let (queued_bytes, share) = self.shares(session, budget);
        let oldest = self.sessions.session_mut(session).oldest_waiting();
        let (mut spent, mut slow, mut coalesced, mut skipped) = (0, false, 0, 0);
        let mut turns = self.sessions.session_mut(session).turns();
        let mut subs = Vec::new();
        while turns > 0 && (spent < budget || batch.items.is_empty()) && !batch.overrun {
            turns -= 1;
            self.sessions.session_mut(session).pop(&mut subs);
            let until = self.horizon(session, &subs, share);
            for sub in subs.drain(..) {
                let due = self.sessions.sub(session, sub).is_due(now);
                let room = Room { bytes: share, until, due };
                let (turn, counted) = self.turn(session, sub, room, now, &mut batch);
                spent += turn.weight;
                slow |= turn.slow && counted.0 + counted.1 > 0;
                coalesced += counted.0;
                skipped += counted.1;
                batch.overrun |= turn.rest == Rest::Overrun;
            }
        }
        batch.items.sort_by_key(|item| item.position);

        let state = self.sessions.session_mut(session);
        let waited = oldest.map_or(0, |(_, since)| millis(now.saturating_sub(since)));
        if slow && state.slow.is_none() {
            // It began when the oldest of what waits did not go out.
            let since = oldest.map_or(now, |(_, since)| since.min(now));
            state.slow = Some(Slow { since, coalesced: 0, skipped: 0 });
            batch.started = Some(Notice { queued_bytes, millis: waited, coalesced: 0, skipped: 0 });
        }
        if let Some(mut slow) = state.slow.take() {
            slow.coalesced += coalesced;
            slow.skipped += skipped;
            if state.turns() == 0 {
                let Slow { since, coalesced, skipped } = slow;
                let millis = millis(now.saturating_sub(since));
                batch.ended = Some(Notice { queued_bytes: 0, millis, coalesced, skipped });
            } else {
                state.slow = Some(slow);
            }
        }
        let stands = state.oldest_waiting().map_or(self.position, |(position, _)| position - 1);
        state.cursor = state.cursor.max(stands);
        batch.cursor = state.cursor;
        batch.more = state.turns() > 0;
        batch
    }

    /// About how many bytes wait, and how many of them each stream may send: as in a contest for a
    /// cake, who wants little gets it, and the rest share what is left.
    fn shares(&self, session: SessionId, budget: usize) -> (usize, usize) {
        let Some(state) = self.sessions.get(session) else { return (0, 0) };
        let mut wants: Vec<usize> = state.ready_subs().map(|sub| self.weight(sub, u64::MAX)).collect();
        let all = wants.iter().sum();
        if all <= budget {
            return (all, budget);
        }
        wants.sort_unstable();
        let (mut left, mut count) = (budget, wants.len());
        for want in wants {
            if want > left / count {
                break;
            }
            left -= want;
            count -= 1;
        }
        (all, left / count.max(1))
    }

    /// About how many bytes wait for a subscription, up to a place in the total order.
    fn weight(&self, sub: &Sub, until: u64) -> usize {
        let topic = self.topics[sub.topic.index()].as_ref();
        topic.map_or(0, |topic| coalesce::weight(topic, sub.account.place, until, &sub.options))
    }

    /// How far streams of which nothing may be dropped can be sent within their share: all of them
    /// to the same place in the total order, so that none runs ahead of another.
    fn horizon(&self, session: SessionId, subs: &[SubId], share: usize) -> u64 {
        let Some(state) = self.sessions.get(session) else { return u64::MAX };
        let lossless =
            |sub: &&Sub| sub.options.overflow == Overflow::Disconnect && sub.options.conflate.is_zero();
        let subs: Vec<_> = subs.iter().map(|&id| state.sub(id)).filter(lossless).collect();
        let room = share.max(TURN_BYTES_MIN).saturating_mul(subs.len());
        let fits = |until: u64| subs.iter().map(|sub| self.weight(sub, until)).sum::<usize>() <= room;
        if fits(u64::MAX) {
            return u64::MAX;
        }
        // Whatever its size, the oldest event must go.
        let next = |sub: &&Sub| {
            let topic = self.topics[sub.topic.index()].as_ref()?;
            coalesce::next_position(topic, sub.account.place, &sub.options)
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
        room: Room,
        now: Duration,
        batch: &mut Batch,
    ) -> (coalesce::Turn, (u64, u64)) {
        let sub = self.sessions.sub_mut(session, id);
        let (options, place_in_lane, due) = (sub.options, sub.place_in_lane, sub.snapshot_due.take());
        let (before, mut account) = (sub.account, sub.account);
        let channel = sub.topic.stream.channel();
        let Some(topic) = self.topics[sub.topic.index()].as_mut() else { return Default::default() };
        let (mut turn, begin) = (coalesce::Turn::default(), batch.items.len());
        // Subscribed to again between two updates: a state that was asked for goes at once, what waits
        // goes on waiting.
        let early = if room.due || due == Some(Due::First) {
            Early::No
        } else {
            coalesce::early(topic, &options, account.place)
        };
        if due == Some(Due::First) || (due == Some(Due::Again) && early != Early::No) {
            turn = coalesce::snapshot(topic, &options, &mut account, &mut batch.items);
        }
        if early != Early::No
            && let Some((position, _)) = sub.waiting
        {
            // After all that was sent, and right before what waits: its newest part may be older.
            let state = batch.items[begin..].iter_mut();
            state.for_each(|item| item.position = item.position.max(position - 1));
        }
        if early == Early::Alone && account.place < topic.head {
            turn.rest = Rest::ForInterval;
        } else {
            let rest = coalesce::collect(topic, &options, room, &mut account, &mut batch.items);
            turn = coalesce::Turn { weight: turn.weight + rest.weight, ..rest };
        }
        let again = due == Some(Due::Again) && early == Early::No;
        if again && turn.rest == Rest::None {
            turn.weight += coalesce::snapshot(topic, &options, &mut account, &mut batch.items).weight;
        }
        // A snapshot or a gap stands no later than what follows it in its stream.
        let mut latest = u64::MAX;
        for item in batch.items[begin..].iter_mut().rev() {
            item.position = item.position.min(latest);
            latest = item.position;
        }
        let (delivered, coalesced, skipped) = account.since(&before);
        self.stats.count(channel, delivered, coalesced, skipped);

        let state = self.sessions.session_mut(session);
        state.sub_mut(id).account = account;
        match turn.rest {
            Rest::None => {
                topic.caught_up(place_in_lane, &options);
                state.sent(id, now);
            }
            Rest::ForRoom | Rest::Overrun => state.push(id),
            Rest::ForInterval => self.sessions.wait(session, id),
        }
        if turn.rest != Rest::None {
            self.sessions.sub_mut(session, id).snapshot_due = due.filter(|_| again);
        }
        (turn, (coalesced, skipped))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
