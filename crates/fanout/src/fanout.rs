//! The fan-out of one shard: topics on one side, sessions on the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Instrument, Seq, Symbol};

use crate::coalesce;
use crate::event::Event;
use crate::ids::{SessionId, Stream, SymbolId, TopicId};
use crate::item::Run;
use crate::ledger::{Account, Lag, Ledger, Stats};
use crate::limits::{FILTERS_MAX, LogLimits};
use crate::options::Options;
use crate::session::{Due, Sessions, SubId};
use crate::topic::Topic;
use crate::twins::Twins;

/// Who gets which update. Time is given as the duration since any fixed moment.
#[derive(Default)]
pub struct Fanout {
    limits: LogLimits,
    twins: Twins,
    pub(crate) topics: Vec<Option<Box<Topic>>>,
    listed: Vec<Arc<Instrument>>,
    by_name: BTreeMap<Symbol, SymbolId>,
    /// Other names that are in use; `None` where several symbols have one.
    by_alias: BTreeMap<Symbol, Option<SymbolId>>,
    pub(crate) sessions: Sessions,
    pub(crate) position: u64,
    pub(crate) stats: Stats,
    /// Whose fault it is if what is drained now is late.
    pub(crate) hindered: bool,
    /// The time of the last input.
    pub(crate) now: Duration,
    /// Reused between drains.
    pub(crate) turns: Vec<SubId>,
    pub(crate) wanted: Wanted,
}

/// The options that were wanted last: most streams are wanted alike, and share them.
#[derive(Default)]
pub(crate) struct Wanted(Arc<Options>);

impl Wanted {
    pub(crate) fn share(&mut self, options: Options) -> Arc<Options> {
        if *self.0 != options {
            self.0 = Arc::new(options);
        }
        Arc::clone(&self.0)
    }
}

/// Why a subscription was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// Changes of a book mean nothing to who has no book.
    #[error("a book begins with a snapshot")]
    SnapshotNeeded,
    /// Each filter in use on a stream costs a log.
    #[error("{FILTERS_MAX} filters are in use on this stream already")]
    TooManyFilters,
}

impl Fanout {
    /// A fan-out whose logs are bounded by `limits`.
    #[must_use]
    pub fn new(limits: LogLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The same, for events of a sequencer that has as many twins of each symbol.
    #[must_use]
    pub fn with_twins(limits: LogLimits, twins: usize) -> Self {
        Self { twins: Twins::new(twins), ..Self::new(limits) }
    }

    /// Input: the next event of the total order. Marks its readers; returns the symbol where this
    /// lists it. Cost: O(readers of the stream), no copy, no allocation for a reader.
    pub fn publish(&mut self, event: &Arc<Event>, now: Duration) -> Option<SymbolId> {
        let listed = self.list(event);
        (self.position, self.now) = (event.position, now);
        self.stats.published += 1;
        if event.topic.stream == Stream::Status {
            let trades = TopicId { stream: Stream::Trades, ..event.topic };
            if let Some(topic) = &mut self.topics[trades.index()] {
                topic.seal();
            }
        }
        self.open_topic(event.topic);
        if let Some(topic) = &mut self.topics[event.topic.index()] {
            topic.push(event, &mut self.sessions, now);
        }
        listed
    }

    pub(crate) fn list(&mut self, event: &Event) -> Option<SymbolId> {
        let id = event.topic.symbol;
        // Symbols are numbered in the order of their first events, so a new one is the next one. What a twin
        // repeats, its symbol has had.
        if self.twins.listed(id) < self.listed.len() {
            return None;
        }
        self.listed.push(Arc::clone(&event.instrument));
        self.by_name.insert(event.instrument.symbol.clone(), id);
        for alias in &event.instrument.aliases {
            // A name that two go by is nobody's.
            let known = self.by_alias.entry(alias.clone()).or_insert(Some(id));
            known.take_if(|known| *known != id);
        }
        let symbols = self.listed.len() * self.twins.stride();
        self.topics.resize_with(symbols * Stream::COUNT as usize, || None);
        Some(id)
    }

    pub(crate) fn open_topic(&mut self, id: TopicId) {
        let slot = &mut self.topics[id.index()];
        if slot.is_none() {
            *slot = Some(Box::new(Topic::new(id, &self.limits)));
        }
    }

    /// The symbol of that name.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<SymbolId> {
        let alias = || self.by_alias.get(name).copied().flatten();
        self.by_name.get(name).copied().or_else(alias)
    }

    /// All symbols, by name. Twins have none.
    pub fn symbols(&self) -> impl Iterator<Item = (&Symbol, SymbolId)> {
        self.by_name.iter().map(|(symbol, &id)| (symbol, id))
    }

    /// What a symbol, or the one it is a twin of, stands for.
    #[must_use]
    pub fn instrument(&self, symbol: SymbolId) -> &Arc<Instrument> {
        &self.listed[self.twins.listed(symbol)]
    }

    /// Twin number `number` of a symbol, or of the one it is a twin of; 0 = that one itself.
    #[must_use]
    pub fn twin(&self, symbol: SymbolId, number: usize) -> SymbolId {
        self.twins.twin(symbol, number)
    }

    /// Which twin of its symbol it is; 0 = it is no twin.
    #[must_use]
    pub const fn twin_number(&self, symbol: SymbolId) -> usize {
        self.twins.number(symbol)
    }

    /// The events of a run that a drain has just given, oldest first.
    pub fn run(&self, run: &Run) -> impl Iterator<Item = &Arc<Event>> {
        let topic = self.topics[run.topic.index()].as_ref();
        topic.and_then(|topic| topic.whole()).into_iter().flat_map(|whole| whole.between(run.prev, run.to))
    }

    /// Input: a session begins.
    pub fn open_session(&mut self) -> SessionId {
        self.sessions.open()
    }

    /// Input: a session ends. Harmless where it has ended.
    pub fn close_session(&mut self, session: SessionId) {
        for (topic, _) in self.subscriptions(session) {
            self.unsubscribe(session, topic);
        }
        self.stats.slow -= u64::from(self.sessions.get(session).is_some_and(|state| state.slow.is_some()));
        self.sessions.close(session);
    }

    /// Input: a session wants a stream; where it has it, the options are replaced without losing the
    /// place. Takes effect with the next drain.
    ///
    /// # Errors
    /// [`SubscribeError::SnapshotNeeded`] for a first subscription of a book without one,
    /// [`SubscribeError::TooManyFilters`] for one filter too many.
    pub fn subscribe(
        &mut self,
        session: SessionId,
        id: TopicId,
        options: Options,
    ) -> Result<(), SubscribeError> {
        let known = self.sessions.get(session).and_then(|state| state.find(id));
        if known.is_none() && id.stream == Stream::Book && !options.snapshot {
            return Err(SubscribeError::SnapshotNeeded);
        }
        self.open_topic(id);
        let Some(topic) = &mut self.topics[id.index()] else { return Ok(()) };
        if topic.refuses(&options) {
            return Err(SubscribeError::TooManyFilters);
        }
        if let Some(sub) = known {
            self.resubscribe(session, sub, options);
            return Ok(());
        }
        let (snapshot, options) = (options.snapshot, self.wanted.share(options));
        let sub = self.sessions.add_sub(session, id, Arc::clone(&options), Account::default());
        let place_in_lane = topic.join(session, sub, &options);
        let head = if snapshot { topic.head_of(&options) } else { topic.head };
        let state = self.sessions.sub_mut(session, sub);
        (state.place_in_lane, state.account) = (place_in_lane, Account::open(head));
        if snapshot {
            self.sessions.enqueue(session, sub);
        }
        Ok(())
    }

    /// The options of a subscription are replaced.
    fn resubscribe(&mut self, session: SessionId, sub: SubId, mut options: Options) {
        let state = self.sessions.sub_mut(session, sub);
        let begun = matches!(state.snapshot_due, None | Some(Due::Again));
        let unwanted = state.next_filter.take();
        let topic = self.topics[state.topic.index()].as_mut();
        if options.filter != state.options.filter && begun && state.waiting.is_some() {
            // What waits is for the old filter; the new one holds once that is sent.
            let wanted = std::mem::replace(&mut options.filter, state.options.filter.clone());
            state.next_filter = Some((wanted, options.snapshot));
            options.snapshot = false;
        }
        if let Some(topic) = topic {
            topic.reserve(state.next_filter.as_ref().and_then(|(filter, _)| filter.as_ref()));
            topic.release(unwanted.as_ref().and_then(|(filter, _)| filter.as_ref()));
        }
        let options = self.wanted.share(options);
        let before = std::mem::replace(&mut state.options, Arc::clone(&options));
        let (id, lost) = (state.topic, matches!(state.snapshot_due, Some(Due::Lost { .. })));
        if id.stream != Stream::Book {
            if before.filter != options.filter {
                self.move_over(session, sub, &before);
            }
        } else if (before.depth, before.checksum) != (options.depth, options.checksum) {
            self.move_over(session, sub, &before);
            let head = self.topics[id.index()].as_ref().map_or(Seq::START, |topic| topic.head);
            let state = self.sessions.sub_mut(session, sub);
            // What waits is for another view: the new one begins with its state. With nothing waiting
            // and the same levels, there is nothing to say.
            let stale = before.depth != options.depth || state.account.place < head;
            if !lost && (options.snapshot || stale) {
                state.snapshot_due = Some(Due::First);
            }
        }
        let state = self.sessions.sub_mut(session, sub);
        if options.snapshot {
            state.snapshot_due = state.snapshot_due.or(Some(Due::Again));
        }
        self.sessions.reschedule(session, sub);
    }

    /// A subscription is to read another view of its stream.
    fn move_over(&mut self, session: SessionId, sub: SubId, before: &Options) {
        let state = self.sessions.sub(session, sub);
        let (id, place, options) = (state.topic, state.place_in_lane, state.options.clone());
        let Some(topic) = &mut self.topics[id.index()] else { return };
        topic.leave(place, before, &mut self.sessions, self.now);
        let place = topic.join(session, sub, &options);
        let state = self.sessions.sub_mut(session, sub);
        state.place_in_lane = place;
        if id.stream != Stream::Book {
            // What the old filter hid stays hidden.
            state.account.pass(topic.head);
            if state.waiting.is_some() {
                topic.fell_behind(place, &options);
            }
        }
    }

    /// Nothing waits for a subscription any more: a filter that waited for that holds from here on.
    pub(crate) fn change_filter(&mut self, session: SessionId, sub: SubId) {
        let state = self.sessions.sub_mut(session, sub);
        let Some((filter, snapshot)) = state.next_filter.take() else { return };
        let (id, before) = (state.topic, state.options.clone());
        Arc::make_mut(&mut state.options).filter.clone_from(&filter);
        if snapshot {
            state.snapshot_due = state.snapshot_due.or(Some(Due::Again));
        }
        self.move_over(session, sub, &before);
        if let Some(topic) = &mut self.topics[id.index()] {
            topic.release(filter.as_ref());
        }
        self.sessions.reschedule(session, sub);
    }

    /// A subscription stands at its place in a log that it has not read before: notes whether it
    /// lacks something there.
    pub(crate) fn stand(&mut self, session: SessionId, sub: SubId) {
        let now = self.now;
        let state = self.sessions.sub(session, sub);
        let (place, place_in_lane) = (state.account.stands(), state.place_in_lane);
        let options = state.options.clone();
        let Some(topic) = &mut self.topics[state.topic.index()] else { return };
        let next = coalesce::lacks(topic, place, &options).map(|position| (position, now));
        let waiting = next.and(state.waiting.or(next));
        if next.is_some() {
            topic.mark(&options, place);
            topic.fell_behind(place_in_lane, &options);
        } else {
            topic.caught_up(place_in_lane, &options);
        }
        self.sessions.session_mut(session).waits(sub, waiting);
    }

    /// Input: nothing of a stream is to be sent until further notice, or again. What waits meanwhile
    /// goes by the subscription's options. False where the session is not subscribed to it.
    pub fn pause(&mut self, session: SessionId, id: TopicId, paused: bool) -> bool {
        let found = self.sessions.get(session).and_then(|state| state.find(id));
        if let Some(sub) = found {
            self.sessions.pause(session, sub, paused);
        }
        found.is_some()
    }

    /// Input: a session no longer wants a stream; returns its final account. Nothing of the stream
    /// is in a later drain.
    pub fn unsubscribe(&mut self, session: SessionId, id: TopicId) -> Option<Ledger> {
        let sub = self.sessions.get(session)?.find(id)?;
        let topic = self.topics[id.index()].as_mut()?;
        let sub = self.sessions.remove_sub(session, sub);
        topic.release(sub.next_filter.as_ref().and_then(|(filter, _)| filter.as_ref()));
        topic.leave(sub.place_in_lane, &sub.options, &mut self.sessions, self.now);
        Some(sub.account.ledger(id, topic.head))
    }

    /// What a session is subscribed to.
    #[must_use]
    pub fn subscriptions(&self, session: SessionId) -> Vec<(TopicId, Options)> {
        let state = self.sessions.get(session);
        state
            .into_iter()
            .flat_map(|state| state.subs().map(|sub| (sub.topic, Options::clone(&sub.options))))
            .collect()
    }

    /// What a session has asked for: its subscriptions with the options that hold once what waits is sent.
    #[must_use]
    pub fn wanted(&self, session: SessionId) -> Vec<(TopicId, Options)> {
        let wanted = |sub: &crate::session::Sub| {
            let filter = sub.next_filter.as_ref().map_or(&sub.options.filter, |(filter, _)| filter).clone();
            (sub.topic, Options { filter, ..Options::clone(&sub.options) })
        };
        self.sessions.get(session).into_iter().flat_map(|state| state.subs().map(wanted)).collect()
    }

    /// Whether a session is subscribed to a stream.
    #[must_use]
    pub fn is_subscribed(&self, session: SessionId, topic: TopicId) -> bool {
        self.sessions.get(session).is_some_and(|state| state.find(topic).is_some())
    }

    /// Whether nothing of a stream is sent until further notice.
    #[must_use]
    pub fn is_paused(&self, session: SessionId, topic: TopicId) -> bool {
        let state = self.sessions.get(session);
        state.is_some_and(|state| state.find(topic).is_some_and(|sub| state.sub(sub).paused))
    }

    /// How many streams a session is subscribed to.
    #[must_use]
    pub fn subscription_count(&self, session: SessionId) -> usize {
        self.sessions.get(session).map_or(0, crate::session::Session::len)
    }

    /// The account of every stream of a session.
    #[must_use]
    pub fn ledgers(&self, session: SessionId) -> Vec<Ledger> {
        let ledger = |sub: &crate::session::Sub| {
            let topic = self.topics[sub.topic.index()].as_ref()?;
            Some(sub.account.ledger(sub.topic, topic.head))
        };
        self.sessions.get(session).into_iter().flat_map(|state| state.subs().filter_map(ledger)).collect()
    }

    /// How far a session is behind.
    #[must_use]
    pub fn lag(&self, session: SessionId, now: Duration) -> Lag {
        let Some(state) = self.sessions.get(session) else {
            return Lag { oldest_pending_ms: 0, source_lag_ms: 0, coalescing: false };
        };
        let since = state.subs().filter(|sub| !sub.paused).filter_map(|sub| sub.waiting).min();
        let oldest = since.map_or(Duration::ZERO, |(_, since)| now.saturating_sub(since));
        let topics = state.subs().filter_map(|sub| self.topics[sub.topic.index()].as_ref());
        Lag {
            oldest_pending_ms: u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX),
            source_lag_ms: topics.map(|topic| topic.source_lag_ms()).max().unwrap_or(0),
            coalescing: state.slow.is_some(),
        }
    }

    /// Where a session stands: everything up to here it has or was told about.
    #[must_use]
    pub fn cursor(&self, session: SessionId) -> u64 {
        let Some(state) = self.sessions.get(session) else { return 0 };
        let stands = state.oldest_waiting().map_or(self.position, |(position, _)| position - 1);
        stands.max(state.cursor)
    }

    /// Output: appends the sessions that have become ready since the last call.
    pub fn take_ready(&mut self, ready: &mut Vec<SessionId>) {
        self.sessions.take_ready(ready);
    }

    /// Input: what is drained next waits for its client, or does not: see [`Stats::hindered`].
    pub const fn note_hindered(&mut self, hindered: bool) {
        self.hindered = hindered;
    }

    /// Input: time passed. Call at [`Self::poll_timeout`] or later.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = now;
        self.sessions.handle_timeout(now);
    }

    /// Output: when [`Self::handle_timeout`] has work to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.sessions.next_due()
    }

    /// What was counted since the start.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }
}
