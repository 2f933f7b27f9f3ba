//! The hub: where the ticks of all feeds become one total order, and go to every shard.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use fanout::{CONSOLIDATED, Consolidator, Event, Kept, Sequencer, SymbolTaken};
use model::{Body, Placed, State, Symbol, Tick};
use tokio_stream::{Stream, StreamExt};

use crate::alerts::Alerts;
use crate::clock;
use crate::delay::Line;
use crate::doors::Catalogue;
use crate::handover::Teller;
use crate::metrics::{CONFLICTS, PUBLISHED};
use crate::queue::{self, Events};
use crate::recorder::Tape;
use crate::traces::Traces;

/// Sequences the ticks of a stream and hands them to the shards of a server.
pub struct Hub(Arc<Mutex<Inner>>);

/// A shard's handle of the hub.
///
/// A shard that is busy serves all its sessions before anybody else runs in its thread. So it takes in
/// itself what has come meanwhile: left to the task of the hub, that would reach it a whole round later
/// where there is no core to spare.
pub(crate) struct Pump(Arc<Mutex<Inner>>);

/// Looks at what the hub has done.
#[derive(Clone)]
pub(crate) struct Probe(Arc<Mutex<Inner>>);

struct Inner {
    /// What the feeds send, while the hub runs.
    news: Option<Pin<Box<dyn Stream<Item = News> + Send>>>,
    /// There will be no more.
    over: bool,
    /// Wakes the task of the hub, whoever pumps: a tick that comes finds that task or a pump that has not
    /// looked for the last time.
    waker: Waker,
    sequencer: Sequencer,
    consolidator: Consolidator,
    /// What is to be sequenced once more, later.
    line: Line,
    shards: Vec<queue::Sender>,
    published: metrics::Counter,
    /// Another process that goes on with this one's work.
    successor: Option<Teller>,
    /// What records it.
    tape: Option<Tape>,
    alerts: Arc<Alerts>,
    traces: Option<Traces>,
    feeds: Feeds,
    catalogue: Catalogue,
    /// Which edition of the instruments is in it.
    edition: u64,
    /// Symbols whose conflict was logged.
    conflicts: Vec<Symbol>,
}

/// What comes in.
enum News {
    /// From a feed.
    Ticks(Vec<Tick>),
    /// From another process, which has sequenced it.
    Placed(Vec<Placed>),
}

/// What the feeds say of themselves, for readiness.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feeds(Arc<Mutex<BTreeMap<Box<str>, State>>>);

impl Feeds {
    pub(crate) fn states(&self) -> BTreeMap<Box<str>, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, feed: &str, state: State) {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if feeds.get(feed) != Some(&state) {
            feeds.insert(feed.into(), state);
        }
    }
}

impl Hub {
    pub(crate) fn new(
        shards: Vec<queue::Sender>,
        line: Line,
        alerts: Arc<Alerts>,
        feeds: Feeds,
        catalogue: Catalogue,
    ) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            news: None,
            over: false,
            waker: Waker::noop().clone(),
            sequencer: Sequencer::with_twins(line.twins()),
            consolidator: Consolidator::default(),
            line,
            shards,
            published: metrics::counter!(PUBLISHED),
            successor: None,
            tape: None,
            alerts,
            traces: None,
            feeds,
            catalogue,
            edition: 0,
            conflicts: Vec::new(),
        })))
    }

    /// Adds what follows from the quotes of several venues, from here on.
    pub(crate) fn consolidate(&self, consolidator: Consolidator) {
        lock(&self.0).consolidator = consolidator;
    }

    /// Records what is sequenced from here on.
    pub(crate) fn record(&self, tape: Tape) {
        lock(&self.0).tape = Some(tape);
    }

    /// Tells of what is followed from here on.
    pub(crate) fn trace(&self, traces: Traces) {
        lock(&self.0).traces = Some(traces);
    }

    /// Goes on where another process was; returns its events.
    pub(crate) fn adopt(&self, estate: Vec<Kept<Placed>>) -> Result<Vec<Kept<Arc<Event>>>, SymbolTaken> {
        lock(&self.0).adopt(estate)
    }

    pub(crate) fn pump(&self) -> Pump {
        Pump(Arc::clone(&self.0))
    }

    pub(crate) fn probe(&self) -> Probe {
        Probe(Arc::clone(&self.0))
    }

    /// Takes batches of ticks until the stream ends or the shards are gone. It waits where a shard
    /// has not taken what went before; no shard ever waits for a subscriber.
    pub async fn run(self, ticks: impl Stream<Item = Vec<Tick>> + Send + 'static) {
        self.run_after(tokio_stream::empty(), ticks).await;
    }

    /// The same, after what another process has sequenced.
    pub async fn run_after(
        self,
        placed: impl Stream<Item = Vec<Placed>> + Send + 'static,
        ticks: impl Stream<Item = Vec<Tick>> + Send + 'static,
    ) {
        lock(&self.0).news = Some(Box::pin(placed.map(News::Placed).chain(ticks.map(News::Ticks))));
        std::future::poll_fn(|cx| {
            // Waits for whoever pumps: that one may have looked right before the tick came that woke us.
            let mut inner = lock(&self.0);
            if !inner.waker.will_wake(cx.waker()) {
                inner.waker.clone_from(cx.waker());
            }
            inner.pump()
        })
        .await;
    }
}

impl Probe {
    /// How many events each symbol has had.
    pub(crate) fn counts(&self) -> Vec<(Symbol, u64)> {
        lock(&self.0).sequencer.counts().map(|(symbol, count)| (symbol.clone(), count)).collect()
    }
}

impl Pump {
    /// Hands all that has come to the shards; false where somebody does so already.
    pub(crate) fn try_pump(&self) -> bool {
        self.0.try_lock().is_ok_and(|mut inner| {
            // The end of the ticks is for the task of the hub.
            let _ = inner.pump();
            true
        })
    }

    /// From here on a successor is told all that is sequenced; returns where that begins.
    pub(crate) fn attach(&self, successor: Teller) -> u64 {
        let mut inner = lock(&self.0);
        inner.successor = Some(successor);
        inner.sequencer.position()
    }

    /// There is no successor any more.
    pub(crate) fn detach(&self) {
        lock(&self.0).successor = None;
    }

    /// The same, after whoever does so: who has nothing to do must not leave it to one that stopped because
    /// there was no room a moment ago.
    pub(crate) fn pump(&self) {
        let _ = lock(&self.0).pump();
    }
}

impl Drop for Pump {
    /// The hub may wait for the shard that ends.
    fn drop(&mut self) {
        lock(&self.0).waker.wake_by_ref();
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// Ready where there is nothing more to do, ever. Where a shard has no room it stops: that shard has
    /// events to take, and pumps on when it has taken them.
    fn pump(&mut self) -> Poll<()> {
        let waker = self.waker.clone();
        let Some(mut news) = self.news.take() else {
            return if self.over { Poll::Ready(()) } else { Poll::Pending };
        };
        while self.shards.iter().all(queue::Sender::has_room) {
            self.over = self.successor.is_none() && self.shards.iter().all(queue::Sender::is_gone);
            let late = self.repeat();
            let polled = match news.as_mut().poll_next(&mut Context::from_waker(&waker)) {
                // What is delayed still comes when the feeds have ended.
                Poll::Ready(None) if !self.line.is_empty() => {
                    news = Box::pin(tokio_stream::empty());
                    Poll::Pending
                }
                polled => polled,
            };
            let batch = match polled {
                _ if self.over => None,
                Poll::Pending if late => continue,
                Poll::Pending => {
                    self.line.set_alarm(&waker);
                    break;
                }
                Poll::Ready(batch) => batch,
            };
            let Some(batch) = batch else {
                // Whoever sees the end, the task of the hub ends.
                self.over = true;
                if let Some(successor) = self.successor.take() {
                    successor.end();
                }
                waker.wake();
                return Poll::Ready(());
            };
            let events: Events = self.sequence(batch).into();
            if let Some(tape) = &mut self.tape {
                tape.take(&events);
            }
            self.send(&events);
        }
        self.news = Some(news);
        Poll::Pending
    }

    /// Hands events to the shards; false where there are none. A successor is told before anybody else, so that
    /// nobody comes to it who knows more.
    fn send(&mut self, events: &Events) -> bool {
        if events.is_empty() {
            return false;
        }
        self.successor.take_if(|successor| !successor.tell(events));
        // Before anybody knows of them: an alert begins with a value that is not behind anybody's.
        self.alerts.look(events);
        if let Some(traces) = &self.traces {
            events.iter().for_each(|event| traces.sequenced(event));
        }
        self.shards.iter().for_each(|shard| shard.send(events));
        true
    }

    /// Sequences once more what was delayed until now; false where nothing was.
    fn repeat(&mut self) -> bool {
        if self.line.is_empty() {
            return false;
        }
        let events = self.line.due(clock::now(), &mut self.sequencer);
        for event in &events {
            if let Body::Status(change) = &event.body {
                self.catalogue.note(event.topic.symbol, change.state);
            }
        }
        self.send(&events.into())
    }

    fn sequence(&mut self, news: News) -> Vec<Arc<Event>> {
        let mut events;
        match news {
            News::Ticks(ticks) => {
                let now = clock::wall();
                events = Vec::with_capacity(ticks.len());
                let mut follows = Vec::new();
                for tick in ticks {
                    let sequenced = self.sequencer.push(tick, now);
                    let event = sequenced.unwrap_or_else(|taken| self.refuse(taken));
                    if let Some(event) = &event {
                        self.consolidator.handle(event, &mut follows);
                    }
                    events.extend(event);
                    for tick in follows.drain(..) {
                        let sequenced = self.sequencer.push(tick, now);
                        events.extend(sequenced.unwrap_or_else(|taken| self.refuse(taken)));
                    }
                }
            }
            News::Placed(placed) => {
                events = Vec::with_capacity(placed.len());
                for placed in placed {
                    let followed = self.sequencer.follow(placed).map(Some);
                    let event = followed.unwrap_or_else(|taken| self.refuse(taken));
                    if let Some(event) = &event {
                        self.consolidator.note(event);
                    }
                    events.extend(event);
                }
            }
        }
        self.published.increment(events.len() as u64);
        self.note(&events);
        if self.line.twins() > 0 {
            self.line.take_in(&events, clock::now());
        }
        events
    }

    /// Goes on where another process was.
    fn adopt(&mut self, estate: Vec<Kept<Placed>>) -> Result<Vec<Kept<Arc<Event>>>, SymbolTaken> {
        let adopted = self.sequencer.adopt(estate)?;
        let newest = adopted.iter().filter_map(|kept| kept.events.last().cloned());
        let mut newest: Vec<_> = newest.collect();
        newest.sort_by_key(|event| event.position);
        for event in &newest {
            self.consolidator.note(event);
        }
        self.note(&newest);
        self.alerts.look(&newest);
        if let Some(tape) = &mut self.tape {
            // What follows is told from how things stood.
            tape.take(&newest.into());
        }
        Ok(adopted)
    }

    /// What events say of feeds and instruments.
    fn note(&mut self, events: &[Arc<Event>]) {
        let mut states = Vec::new();
        for event in events {
            if let Body::Status(change) = &event.body {
                if event.instrument.venue.as_str() != CONSOLIDATED {
                    self.note_feed(&change.feed, change.state);
                }
                states.push((event.topic.symbol, change.state));
            }
        }
        if self.sequencer.edition() != self.edition {
            self.edition = self.sequencer.edition();
            self.catalogue.list(self.sequencer.instruments());
        }
        for (symbol, state) in states {
            self.catalogue.note(symbol, state);
        }
    }

    /// A symbol may be halted while its feed is well: only what is said of whole feeds counts.
    fn note_feed(&self, feed: &str, state: State) {
        let health = match state {
            State::Stale | State::SourceDown => state,
            _ => State::Open,
        };
        self.feeds.note(feed, health);
    }

    /// No event: its symbol is another instrument's.
    fn refuse(&mut self, taken: SymbolTaken) -> Option<Arc<Event>> {
        metrics::counter!(CONFLICTS).increment(1);
        if !self.conflicts.contains(&taken.symbol) {
            tracing::error!("{taken}");
            self.conflicts.push(taken.symbol);
        }
        None
    }
}
