//! What a replay needs besides: streams that begin in the middle, holes in what was recorded, and readers that go
//! on with what happens now.

use std::sync::Arc;

use model::Seq;

use crate::event::Event;
use crate::fanout::{Fanout, SubscribeError};
use crate::ids::{SessionId, TopicId};
use crate::item::{GapCause, Item, Kind};
use crate::ledger::Account;
use crate::options::Options;
use crate::resume::Resumed;

impl Fanout {
    /// The place of a stream's newest event; `None` where nothing is known of it.
    #[must_use]
    pub fn head(&self, id: TopicId) -> Option<Seq> {
        let topic = self.topics.get(id.index())?.as_ref()?;
        (topic.head > Seq::START).then_some(topic.head)
    }

    /// The place of a session in a stream: everything up to here is accounted for.
    #[must_use]
    pub fn place(&self, session: SessionId, id: TopicId) -> Option<Seq> {
        let state = self.sessions.get(session)?;
        Some(state.sub(state.find(id)?).account.place)
    }

    /// Input: everything up to `position` in the total order has been before the first event.
    pub fn begin_at(&mut self, position: u64) {
        self.position = position;
    }

    /// Input: a stream of which nothing is known begins with `event`, whatever its sequence. The event itself is
    /// yet to be published.
    pub fn begin(&mut self, event: &Event) {
        self.list(event);
        self.open_topic(event.topic);
        if let Some(topic) = &mut self.topics[event.topic.index()] {
            topic.restart(event.seq.prev(), event.position - 1);
        }
    }

    /// Input: a session goes on with a stream at a place that it has, or was told of, without a state of it.
    ///
    /// # Errors
    /// [`SubscribeError::TooManyFilters`].
    pub fn go_on(
        &mut self,
        session: SessionId,
        id: TopicId,
        options: Options,
        place: Seq,
    ) -> Result<(), SubscribeError> {
        self.open_topic(id);
        let Some(topic) = &mut self.topics[id.index()] else { return Ok(()) };
        if topic.refuses(&options) {
            return Err(SubscribeError::TooManyFilters);
        }
        let options = self.wanted.share(Options { snapshot: false, ..options });
        let sub = self.sessions.add_sub(session, id, Arc::clone(&options), Account::open(place));
        let place_in_lane = topic.join(session, sub, &options);
        self.sessions.sub_mut(session, sub).place_in_lane = place_in_lane;
        self.stand(session, sub);
        self.sessions.reschedule(session, sub);
        Ok(())
    }

    /// Input: what came between a stream's newest event and `event` is not to be had; all before it was drained by
    /// `session`, its only reader. The gap to tell it, where it reads the stream.
    pub fn lose(&mut self, session: SessionId, event: &Event) -> Option<Item> {
        let (id, to) = (event.topic, event.seq.prev());
        let topic = self.topics[id.index()].as_mut()?;
        topic.restart(to, event.position - 1);
        let sub = self.sessions.get(session)?.find(id)?;
        let state = self.sessions.sub_mut(session, sub);
        let from = state.account.place.next();
        state.account.gap(to);
        let kind = Kind::Gap { range: Some((from, to)), cause: GapCause::FeedGap };
        Some(Item { topic: id, position: event.position - 1, look: state.options.look, kind })
    }

    /// As [`Self::resume`] at `position`, of a session that has had the stream up to `place`: what a view of it
    /// does not show lies in the range of the next record.
    ///
    /// # Errors
    /// [`SubscribeError::TooManyFilters`].
    pub fn take_over(
        &mut self,
        session: SessionId,
        id: TopicId,
        options: Options,
        (position, place): (u64, Seq),
        room: &mut usize,
    ) -> Result<Resumed, SubscribeError> {
        let resumed = self.resume(session, id, options, Some(position), room)?;
        if resumed == Resumed::Filled
            && let Some(sub) = self.sessions.get(session).and_then(|state| state.find(id))
        {
            self.sessions.sub_mut(session, sub).account.rejoin(place);
        }
        Ok(resumed)
    }
}
