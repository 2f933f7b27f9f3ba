//! Coming back: subscriptions that go on where a cursor was.
//!
//! What the reader lacks is sent event by event up to where the stream is at that moment, never
//! merged across it. Where it is no longer kept, a gap says exactly what is missing and the state
//! follows. What is too much counts as no longer kept, so coming back always ends.

use std::sync::Arc;

use crate::fanout::{Fanout, SubscribeError};
use crate::ids::{SessionId, TopicId};
use crate::ledger::Account;
use crate::options::Options;
use crate::session::Due;

/// How a subscription goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resumed {
    /// Nothing is missing: all that happened since is sent.
    Filled,
    /// The session has the stream already: it goes on where it is.
    Kept,
    /// What is missing is no longer kept: a gap says what it is, and the state follows.
    Missing,
}

impl Fanout {
    /// Input: a session wants a stream to go on where everything up to `position` in the total order
    /// was handled; `None` where the cursor is of another life of the order. A stream that it has
    /// already just goes on. `room` is how many bytes may be sent again, and is lowered by what this
    /// takes.
    ///
    /// # Errors
    /// [`SubscribeError::TooManyFilters`].
    pub fn resume(
        &mut self,
        session: SessionId,
        id: TopicId,
        options: Options,
        position: Option<u64>,
        room: &mut usize,
    ) -> Result<Resumed, SubscribeError> {
        if self.is_subscribed(session, id) {
            self.subscribe(session, id, Options { snapshot: false, ..options })?;
            return Ok(Resumed::Kept);
        }
        // Another shard may have been ahead of this one: what it sent comes again.
        let position = position.map(|position| position.min(self.position));
        self.open_topic(id);
        let Some(topic) = &mut self.topics[id.index()] else { return Ok(Resumed::Filled) };
        if topic.refuses(&options) {
            return Err(SubscribeError::TooManyFilters);
        }
        let backlog = position.and_then(|position| topic.backlog(&options, position));
        let backlog = backlog.filter(|(_, weight)| weight <= room);
        let ranged = position.filter(|_| topic.tells_place(&options));
        let place = match (backlog, ranged) {
            (Some((place, weight)), _) => {
                *room -= weight;
                place
            }
            (None, Some(position)) => topic.place_before(position),
            (None, None) => topic.head_of(&options),
        };
        let options = self.wanted.share(Options { snapshot: false, ..options });
        let sub = self.sessions.add_sub(session, id, Arc::clone(&options), Account::resumed(place));
        let place_in_lane = topic.join(session, sub, &options);
        let state = self.sessions.sub_mut(session, sub);
        state.place_in_lane = place_in_lane;
        if backlog.is_some() {
            state.replay = Some(self.position);
            self.stand(session, sub);
            let state = self.sessions.sub_mut(session, sub);
            if state.waiting.is_none() {
                state.replay = None;
            }
        } else {
            // Until it is told, the session does not stand beyond its place.
            state.snapshot_due = Some(Due::Lost { ranged: ranged.is_some() });
            let since = (position.unwrap_or(0) + 1, self.now);
            self.sessions.session_mut(session).waits(sub, Some(since));
        }
        self.sessions.reschedule(session, sub);
        self.sessions.session_mut(session).step_back(position.unwrap_or(self.position));
        Ok(if backlog.is_some() { Resumed::Filled } else { Resumed::Missing })
    }
}
