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
        let kind = Kind::Gap { range: Some((from, to)), cause: GapCause::FeedGap(None) };
        Some(Item { topic: id, position: event.position - 1, look: state.options.look, kind })
    }

    /// Whether all that a stream had after `position` in the total order is kept, for who has these options.
    pub fn holds(&mut self, id: TopicId, options: &Options, position: u64) -> bool {
        let topic = self.topics.get_mut(id.index()).and_then(Option::as_mut);
        topic.is_none_or(|topic| topic.backlog(options, position).is_some())
    }

    /// Input: what is told of a book that has these options is kept from here on, though nobody reads it yet.
    pub fn keep_view(&mut self, id: TopicId, options: &Options) {
        let now = self.now;
        if let Some(topic) = self.topics.get_mut(id.index()).and_then(Option::as_mut) {
            topic.keep_view(options, now);
        }
    }

    /// Input: a session that has come back to a stream has had it up to `place`: what its view of it did not show
    /// since lies in the range of the next record.
    pub fn rejoin(&mut self, session: SessionId, id: TopicId, place: Seq) {
        if let Some(sub) = self.sessions.get(session).and_then(|state| state.find(id)) {
            let state = self.sessions.sub_mut(session, sub);
            if state.snapshot_due.is_none() {
                state.account.rejoin(place);
            }
        }
    }
}
