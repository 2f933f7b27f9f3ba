//! Draining a session that lacks nothing but the newest events of its streams.

use std::hint::black_box;

use crate::fanout::Fanout;
use crate::ids::SessionId;
use crate::item::{Batch, Run};

/// Streams of which something waits, so that it is worth the while to fetch their memory together.
const WARMED_MIN: usize = 4;

impl Fanout {
    /// Reads what the next drain of `session` will need. Whoever drains many, and does something else between
    /// two of them, has the memory of some fetched together; one by one, each waits for it several times.
    pub fn warm(&self, session: SessionId) {
        self.sessions.warm_first(session);
    }

    /// The way of most drains: what waits is of one channel, at most one stream a symbol, and all of it
    /// fits as it is. Then the batch only names the events, symbol by symbol; readers at the same place
    /// can share what is made of them.
    pub(crate) fn drain_runs(&mut self, session: SessionId, budget: usize, batch: &mut Batch) -> bool {
        self.warm_runs(session);
        if !self.takes_runs(session, budget) {
            return false;
        }
        let now = self.now;
        let state = self.sessions.session_mut(session);
        self.turns.clear();
        while state.turns() > 0 {
            state.pop(&mut self.turns);
        }
        for &id in &self.turns {
            let sub = state.sub_mut(id);
            let Some(topic) = self.topics[sub.topic.index()].as_mut() else { continue };
            let (prev, to) = (sub.account.place, topic.head);
            if to > prev {
                batch.runs.push(Run { topic: sub.topic, prev, to, look: sub.options.look });
                sub.account.run(to);
                self.stats.count(sub.topic.stream.channel(), to.since(prev), 0, 0);
                // Only such as want every event have runs.
                if let Some((_, since)) = sub.waiting {
                    self.stats.waited(self.hindered, now.saturating_sub(since), to.since(prev));
                }
            }
            topic.caught_up(sub.place_in_lane, &sub.options);
            state.sent(id, now);
        }
        true
    }

    /// Reads what a drain of many streams will need, all of a kind together: one by one, each waits for
    /// memory several times.
    fn warm_runs(&self, session: SessionId) {
        let Some(state) = self.sessions.get(session).filter(|state| state.turns() >= WARMED_MIN) else {
            return;
        };
        for sub in state.queued() {
            black_box((sub.account.place, sub.waiting.is_some(), sub.options.conflate));
        }
        let topics =
            || state.queued().filter_map(|sub| Some((self.topics[sub.topic.index()].as_ref()?, sub)));
        for (topic, _) in topics() {
            black_box(topic.head);
        }
        for (topic, sub) in topics() {
            topic.warm(sub.place_in_lane);
        }
    }

    /// Whether all that a session waits for can go as it is, without an order to keep.
    fn takes_runs(&self, session: SessionId, budget: usize) -> bool {
        let Some(state) = self.sessions.get(session).filter(|state| state.slow.is_none()) else {
            return false;
        };
        let (mut kind, mut left) = (None, budget);
        for mut ready in state.ready() {
            let (Some(sub), None) = (ready.next(), ready.next()) else { return false };
            let this = (sub.topic.stream.channel(), sub.options.look);
            let topic = self.topics[sub.topic.index()].as_ref();
            let lacks = topic.and_then(|topic| topic.whole()?.lacks(sub.account.place));
            match lacks {
                Some(weight) if sub.takes_runs() && *kind.get_or_insert(this) == this && weight <= left => {
                    left -= weight;
                }
                _ => return false,
            }
        }
        kind.is_some()
    }
}
