//! Sessions: subscriptions, what waits for them, and since when.
//!
//! A symbol's streams take their turn together, so that its records keep the order of the source
//! across channels.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use model::Filter;
use slab::Slab;

use crate::ids::{SessionId, Stream, TopicId};
use crate::index::{self, Index};
use crate::lane::News;
use crate::ledger::{Account, Slow};
use crate::options::Options;
use crate::turns::{Place, Turns};

/// A subscription of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SubId(pub(crate) u32);

impl SubId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

pub(crate) struct Sub {
    pub(crate) topic: TopicId,
    pub(crate) options: Arc<Options>,
    pub(crate) account: Account,
    /// Its place in the list of its log's readers.
    pub(crate) place_in_lane: usize,
    /// The state is to be sent.
    pub(crate) snapshot_due: Option<Due>,
    pub(crate) turn: Place,
    /// When its conflation interval ends, while it waits for that.
    due: Option<Duration>,
    /// When it last sent something.
    flushed: Option<Duration>,
    /// The oldest thing that waits: its place in the total order, and since when.
    pub(crate) waiting: Option<(u64, Duration)>,
    /// The filter that is to hold once all that waits is sent, and whether the state is wanted then.
    pub(crate) next_filter: Option<(Option<Arc<Filter>>, bool)>,
    /// It resumed: up to this place in the total order everything is sent event by event.
    pub(crate) replay: Option<u64>,
    /// Nothing is sent until the client says so.
    pub(crate) paused: bool,
    /// It had its turn coming when it was paused, or since: that is no matter of its interval.
    held: bool,
    /// It was paused, and has not caught up since: what is merged is not for slowness.
    pub(crate) rested: bool,
}

/// When the state is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Before anything else: the reader has nothing yet.
    First,
    /// After what waits: the reader asked again.
    Again,
    /// Before anything else: what the reader lacks since it left is gone, and a gap says so; where
    /// not even its place is known, the gap has no range.
    Lost {
        /// Whether its place is known.
        ranged: bool,
    },
}

#[derive(Default)]
pub(crate) struct Session {
    subs: Slab<Sub>,
    by_topic: Index<TopicId, SubId>,
    turns: Turns,
    /// Subscriptions for which something waits, also such as may not send yet.
    waiting: usize,
    /// It was reported ready and not drained since.
    reported: bool,
    /// Coalescing because of slowness, since when, and what came of it.
    pub(crate) slow: Option<Slow>,
    /// Where it stood at the end of the last drain; never goes back.
    pub(crate) cursor: u64,
}

/// All sessions of a shard.
#[derive(Default)]
pub(crate) struct Sessions {
    all: Slab<Session>,
    ready: Vec<SessionId>,
    /// Subscriptions that wait for the end of their conflation interval.
    timers: BTreeSet<(Duration, SessionId, SubId)>,
}

impl Sub {
    /// All its events may go as they are, and nothing else is to be told.
    pub(crate) fn takes_runs(&self) -> bool {
        let options = &self.options;
        self.account.place == self.account.stands()
            && options.conflate.is_zero()
            && options.filter.is_none()
            && options.max_age.is_none()
            && !options.trade_safe
            && self.snapshot_due.is_none()
            && self.replay.is_none()
            && self.next_filter.is_none()
            && !self.rested
    }

    pub(crate) fn is_trades(&self) -> bool {
        self.topic.stream == Stream::Trades
    }

    /// When its conflation interval ends.
    fn next_due(&self) -> Option<Duration> {
        let conflate = self.options.conflate;
        self.flushed.filter(|_| !conflate.is_zero()).map(|flushed| flushed + conflate)
    }

    /// Whether its conflation interval has passed, if it has one.
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.next_due().is_none_or(|due| due <= now)
    }
}

impl Session {
    pub(crate) fn sub(&self, id: SubId) -> &Sub {
        &self.subs[id.index()]
    }

    pub(crate) fn sub_mut(&mut self, id: SubId) -> &mut Sub {
        &mut self.subs[id.index()]
    }

    pub(crate) fn find(&self, topic: TopicId) -> Option<SubId> {
        self.by_topic.find(topic)
    }

    pub(crate) fn subs(&self) -> impl Iterator<Item = &Sub> {
        self.by_topic.values().map(|id| self.sub(id))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_topic.len()
    }

    /// Those that have their turn, in the order of their memory; for a list of turns each entry must be
    /// fetched before it says where the next one is.
    pub(crate) fn queued(&self) -> impl Iterator<Item = &Sub> {
        self.subs.iter().map(|(_, sub)| sub).filter(|sub| sub.turn.is_queued())
    }

    /// The oldest thing that waits for this session, in the total order.
    pub(crate) fn oldest_waiting(&self) -> Option<(u64, Duration)> {
        if self.waiting == 0 {
            return None;
        }
        self.subs.iter().filter_map(|(_, sub)| sub.waiting).min()
    }

    /// Notes what waits for a subscription, if anything.
    pub(crate) fn waits(&mut self, id: SubId, waiting: Option<(u64, Duration)>) {
        let before = std::mem::replace(&mut self.sub_mut(id).waiting, waiting);
        self.waiting = self.waiting + usize::from(waiting.is_some()) - usize::from(before.is_some());
    }

    /// A subscription has sent all it had.
    pub(crate) fn sent(&mut self, id: SubId, now: Duration) {
        let sub = self.sub_mut(id);
        let waited = sub.waiting.take().is_some();
        sub.flushed = Some(now);
        sub.rested = false;
        self.waiting -= usize::from(waited);
    }

    /// The client goes on from an earlier place.
    pub(crate) fn step_back(&mut self, position: u64) {
        self.cursor = self.cursor.min(position);
    }

    /// It may be reported ready again.
    pub(crate) fn drained(&mut self) {
        self.reported = false;
    }

    /// How many symbols wait for their turn.
    pub(crate) const fn turns(&self) -> usize {
        self.turns.len()
    }

    /// The subscriptions that may send now, symbol by symbol.
    pub(crate) fn ready(&self) -> impl Iterator<Item = impl Iterator<Item = &Sub>> {
        self.turns.iter(&self.subs).map(|group| group.map(|id| self.sub(id)))
    }

    /// Appends the subscriptions of the symbol whose turn it is.
    pub(crate) fn pop(&mut self, turn: &mut Vec<SubId>) {
        self.turns.pop(&mut self.subs, turn);
    }

    pub(crate) fn push(&mut self, id: SubId) {
        self.turns.push(&mut self.subs, id);
    }
}

impl Sessions {
    pub(crate) fn open(&mut self) -> SessionId {
        SessionId(self.all.insert(Session::default()))
    }

    pub(crate) fn close(&mut self, id: SessionId) {
        self.all.try_remove(id.0);
        self.ready.retain(|ready| *ready != id);
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.all.get(id.0)
    }

    pub(crate) fn session_mut(&mut self, id: SessionId) -> &mut Session {
        &mut self.all[id.0]
    }

    pub(crate) fn sub(&self, session: SessionId, sub: SubId) -> &Sub {
        self.all[session.0].sub(sub)
    }

    pub(crate) fn sub_mut(&mut self, session: SessionId, sub: SubId) -> &mut Sub {
        self.all[session.0].sub_mut(sub)
    }

    pub(crate) fn add_sub(
        &mut self,
        session: SessionId,
        topic: TopicId,
        options: Arc<Options>,
        account: Account,
    ) -> SubId {
        let session = &mut self.all[session.0];
        let turn = session.turns.join(topic.symbol);
        let snapshot_due = options.snapshot.then_some(Due::First);
        let id = SubId(index::insert(
            &mut session.subs,
            Sub {
                topic,
                turn,
                options,
                account,
                place_in_lane: 0,
                snapshot_due,
                due: None,
                flushed: None,
                waiting: None,
                next_filter: None,
                replay: None,
                paused: false,
                held: false,
                rested: false,
            },
        ));
        session.by_topic.insert(topic, id);
        id
    }

    pub(crate) fn remove_sub(&mut self, session: SessionId, id: SubId) -> Sub {
        let session_id = session;
        let session = &mut self.all[session.0];
        session.turns.remove(&mut session.subs, id);
        let sub = session.subs.remove(id.index());
        session.by_topic.remove(sub.topic);
        session.waiting -= usize::from(sub.waiting.is_some());
        session.turns.leave(sub.turn, sub.topic.symbol);
        if let Some(due) = sub.due {
            self.timers.remove(&(due, session_id, id));
        }
        sub
    }

    /// Reads what waking and draining a subscription will need, to have it near by then.
    pub(crate) fn warm(&self, session: SessionId, id: SubId) {
        let owner = &self.all[session.0];
        black_box((owner.turns.len(), owner.waiting, owner.slow.is_some(), owner.cursor));
        let sub = &owner.subs[id.index()];
        black_box((sub.turn.is_queued(), sub.waiting.is_some(), sub.flushed.is_some(), sub.options.conflate));
        black_box((sub.account.place, sub.topic, sub.place_in_lane));
        owner.turns.warm(sub.turn);
    }

    /// Reads what draining a session that wants little will need, to have it near by then.
    pub(crate) fn warm_first(&self, session: SessionId) {
        if let Some(first) = self.get(session).and_then(|state| state.turns.first()) {
            self.warm(session, first);
        }
    }

    /// Something waits for a subscription that had everything.
    pub(crate) fn wake(&mut self, session: SessionId, id: SubId, news: News) {
        let owner = &mut self.all[session.0];
        let sub = &mut owner.subs[id.index()];
        if sub.waiting.is_none() {
            sub.waiting = Some((news.position, news.now));
            owner.waiting += 1;
        }
        if sub.turn.is_queued() {
            return;
        }
        if news.urgent || sub.is_due(news.now) {
            self.enqueue(session, id);
        } else {
            self.wait(session, id);
        }
    }

    /// What waits for a subscription is to be sent when its conflation interval ends.
    pub(crate) fn wait(&mut self, session: SessionId, id: SubId) {
        let sub = self.sub_mut(session, id);
        let next = sub.next_due();
        if let Some(before) = std::mem::replace(&mut sub.due, next) {
            self.timers.remove(&(before, session, id));
        }
        if let Some(due) = next {
            self.timers.insert((due, session, id));
        }
    }

    /// Some of what waits for a subscription was sent before its time; the rest begins at `next`.
    pub(crate) fn hurried(&mut self, session: SessionId, id: SubId, next: Option<u64>) {
        let owner = &mut self.all[session.0];
        let sub = owner.sub_mut(id);
        let waiting = next.zip(sub.waiting).map(|(next, (_, since))| (next, since));
        if let (None, Some(due)) = (next, sub.due) {
            sub.due = None;
            self.timers.remove(&(due, session, id));
        }
        owner.waits(id, waiting);
    }

    /// What waits for a subscription must not wait for its conflation interval.
    pub(crate) fn hurry(&mut self, session: SessionId, id: SubId) {
        if let Some(due) = self.sub_mut(session, id).due.take() {
            self.timers.remove(&(due, session, id));
            self.enqueue(session, id);
        }
    }

    /// Nothing of a subscription is sent until it is let go on.
    pub(crate) fn pause(&mut self, session: SessionId, id: SubId, paused: bool) {
        let owner = &mut self.all[session.0];
        let was = std::mem::replace(&mut owner.sub_mut(id).paused, paused);
        if paused {
            let queued = owner.turns.remove(&mut owner.subs, id);
            owner.sub_mut(id).held |= queued;
        } else if was {
            owner.sub_mut(id).rested = true;
            self.reschedule(session, id);
        }
    }

    /// The options of a subscription have changed: what waits goes by the new ones.
    pub(crate) fn reschedule(&mut self, session: SessionId, id: SubId) {
        let sub = self.sub_mut(session, id);
        let (waits, at_once) = (sub.waiting.is_some(), sub.snapshot_due.is_some());
        if let Some(due) = sub.due.take() {
            self.timers.remove(&(due, session, id));
        }
        let sub = self.sub_mut(session, id);
        let held = std::mem::take(&mut sub.held);
        if at_once || (waits && (held || sub.next_due().is_none() || sub.replay.is_some())) {
            self.enqueue(session, id);
        } else if waits && !sub.turn.is_queued() {
            self.wait(session, id);
        }
    }

    pub(crate) fn enqueue(&mut self, id: SessionId, sub: SubId) {
        let session = &mut self.all[id.0];
        let state = session.sub_mut(sub);
        if state.paused {
            state.held = true;
            return;
        }
        if let Some(due) = session.sub_mut(sub).due.take() {
            self.timers.remove(&(due, id, sub));
        }
        session.push(sub);
        if !session.reported {
            session.reported = true;
            self.ready.push(id);
        }
    }

    pub(crate) fn take_ready(&mut self, ready: &mut Vec<SessionId>) {
        ready.append(&mut self.ready);
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.timers.first().map(|&(due, ..)| due)
    }

    pub(crate) fn handle_timeout(&mut self, now: Duration) {
        while let Some(&(due, session, sub)) = self.timers.first()
            && due <= now
        {
            self.timers.pop_first();
            self.sub_mut(session, sub).due = None;
            self.enqueue(session, sub);
        }
    }
}
