//! The loop itself, polled when something woke it and never else: no clock helps it on.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use model::Tick;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio_stream::Stream;
use wire::Epoch;

use super::line::{Gone, Line, Saying};
use super::{Feed, arrival};
use crate::delay::{self, Delays};
use crate::doors::Catalogue;
use crate::hub::{Feeds, Hub};
use crate::limits::{ARRIVALS_QUEUED, CONTROL_BYTES_MAX, EVENTS_PER_ROUND, EVENTS_QUEUED, READS_PER_TURN};
use crate::queue::queue;
use crate::recordings::Recordings;
use crate::settings::{Limits, Settings};
use crate::shard::{Arrival, Doors, Intake, ROUNDS_MAX, SERVED_PER_LOOK, Shard, Surroundings};

/// A shard and its hub, and all that can wake them but time.
pub(super) struct Floor {
    shard: Shard,
    /// Until it has ended.
    hub: Option<Pin<Box<dyn Future<Output = ()>>>>,
    pub(super) feed: Feed,
    pub(super) ticks: Ticks,
    door: mpsc::Sender<Arrival>,
    shutdown: watch::Sender<bool>,
    woken: Arc<Woken>,
    hub_woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What the feeds send: a batch at a time, and the next one comes when nobody looks.
#[derive(Clone, Default)]
pub(super) struct Ticks(Arc<Mutex<Drips>>);

#[derive(Default)]
struct Drips {
    batches: VecDeque<Vec<Tick>>,
    /// One came, and the next one has not yet.
    dry: bool,
    /// All that is left is there, and the end of it.
    over: bool,
    waker: Option<Waker>,
}

impl Ticks {
    pub(super) fn drip(&self, batch: Vec<Tick>) {
        let mut drips = self.0.lock().unwrap();
        drips.batches.push_back(batch);
        drips.waker.take().into_iter().for_each(Waker::wake);
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().batches.len()
    }

    pub(super) fn end(&self) {
        let mut drips = self.0.lock().unwrap();
        drips.over = true;
        drips.waker.take().into_iter().for_each(Waker::wake);
    }
}

impl Stream for Ticks {
    type Item = Vec<Tick>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<Tick>>> {
        let mut drips = self.0.lock().unwrap();
        drips.dry = drips.over || !drips.dry;
        match drips.batches.pop_front() {
            Some(batch) if drips.dry => return Poll::Ready(Some(batch)),
            Some(batch) => {
                drips.batches.push_front(batch);
                cx.waker().wake_by_ref();
            }
            None if drips.over => return Poll::Ready(None),
            None => drips.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

/// A runtime whose clock stands still: nobody drives it.
pub(super) fn still() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

impl Floor {
    fn open() -> Self {
        Self::with(Delays::default())
    }

    pub(super) fn with(delays: Delays) -> Self {
        let limits = Limits { requests_per_second: 10_000, ..Limits::default() };
        let line = delay::Line::new(delays.clone(), limits.delayed_events);
        let settings = Arc::new(Settings { delays, limits: limits.into(), ..Settings::for_tests() });
        let (inlet, events) = queue(EVENTS_QUEUED);
        let hub = Hub::new(vec![inlet], line, Arc::default(), Feeds::default(), Catalogue::default());
        let ticks = Ticks::default();
        let intake = Intake { events, pump: hub.pump() };
        let (door, arrivals) = mpsc::channel(ARRIVALS_QUEUED);
        let inlets = Doors { arrivals, orders: mpsc::channel(1).1, reads: mpsc::channel(1).1 };
        let (shutdown, leaving) = watch::channel(false);
        let (subscribing, _) = watch::channel(false);
        let (roster, recordings, epoch) = (Arc::default(), Recordings::default(), Epoch::from_seed(7));
        let surroundings = Surroundings { settings, roster, recordings, alerts: Arc::default(), epoch };
        let shard = Shard::new(surroundings, intake, inlets, leaving, subscribing);
        let hub: Option<Pin<Box<dyn Future<Output = ()>>>> = Some(Box::pin(hub.run(ticks.clone())));
        let [woken, hub_woken] = [(); 2].map(|()| Arc::new(Woken(true.into())));
        let mut floor = Self { shard, hub, feed: Feed::default(), ticks, door, shutdown, woken, hub_woken };
        assert!(floor.settle().is_pending());
        floor
    }

    /// Polls as long as something wakes the shard or its hub.
    pub(super) fn settle(&mut self) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self.woken));
        loop {
            self.run_hub();
            if !self.woken.0.swap(false, Ordering::SeqCst) {
                return Poll::Pending;
            }
            if self.shard.poll(&mut Context::from_waker(&waker)).is_ready() {
                return Poll::Ready(());
            }
        }
    }

    /// Polls the shard, and goes on as long as something wakes it; nobody runs the hub.
    fn run_shard(&mut self) {
        let waker = Waker::from(Arc::clone(&self.woken));
        self.woken.0.store(true, Ordering::SeqCst);
        while self.woken.0.swap(false, Ordering::SeqCst) {
            assert!(self.shard.poll(&mut Context::from_waker(&waker)).is_pending());
        }
    }

    /// Polls the hub as long as something wakes it.
    fn run_hub(&mut self) {
        let waker = Waker::from(Arc::clone(&self.hub_woken));
        while let Some(hub) = &mut self.hub
            && self.hub_woken.0.swap(false, Ordering::SeqCst)
        {
            if hub.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                self.hub = None;
            }
        }
    }

    fn enter(&mut self) -> Line {
        self.let_in(arrival())
    }

    pub(super) fn let_in(&mut self, (arrival, line): (Arrival, Line)) -> Line {
        assert!(self.door.try_send(arrival).is_ok());
        assert!(self.settle().is_pending());
        assert_eq!(line.said()[0]["type"], "welcome");
        line
    }

    fn publish(&mut self, count: usize) {
        self.ticks.drip((0..count).map(|_| self.feed.tick('q', "A")).collect());
    }
}

#[test]
fn whoever_asks_much_is_answered_to_the_end() {
    let (runtime, asked) = (still(), READS_PER_TURN * (ROUNDS_MAX + 8));
    let _inside = runtime.enter();
    let mut floor = Floor::open();
    let line = floor.enter();
    for id in 0..asked {
        line.comes_in(Saying::Text(json!({"op": "echo", "id": id}).to_string()));
    }
    assert!(floor.settle().is_pending());
    let ids: Vec<_> = line.said().iter().map(|said| said["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..asked as u64).collect::<Vec<_>>());
}

/// Who does not read its answers is not read from, and read from again when it does.
#[test]
fn answers_that_wait_hold_questions_back() {
    let runtime = still();
    let _inside = runtime.enter();
    let mut floor = Floor::open();
    let line = floor.enter();
    let payload = "x".repeat(CONTROL_BYTES_MAX / 8);
    line.set_full(true);
    for id in 0..40 {
        line.comes_in(Saying::Text(json!({"op": "echo", "id": id, "payload": payload}).to_string()));
        assert!(floor.settle().is_pending());
    }
    assert!(line.unread() > 20, "{} are not read", line.unread());
    line.set_full(false);
    assert!(floor.settle().is_pending());
    assert_eq!((line.said().len(), line.unread()), (40, 0));
}

/// Somebody who has all quotes of A from here on.
fn reader(floor: &mut Floor) -> Line {
    let line = floor.enter();
    line.comes_in(Saying::Text(
        json!({"op": "subscribe", "channels": ["quotes"], "symbols": ["A"], "snapshot": false}).to_string(),
    ));
    assert!(floor.settle().is_pending());
    line.said();
    line
}

/// Also where more comes than there is room for on the way to a shard.
#[test]
fn a_backlog_of_events_is_taken_in_to_the_end() {
    const BATCHES: usize = 3 + EVENTS_QUEUED / EVENTS_PER_ROUND;
    let runtime = still();
    let _inside = runtime.enter();
    let mut floor = Floor::open();
    floor.publish(1);
    let line = reader(&mut floor);
    for _ in 0..BATCHES {
        floor.publish(EVENTS_PER_ROUND);
    }
    floor.run_hub();
    assert!(floor.ticks.left() > 0, "the hub waits for the shard");
    assert!(floor.settle().is_pending());
    let said = line.said();
    let records = said.iter().flat_map(|message| message["data"].as_array().into_iter().flatten());
    let mut last = 1;
    for record in records {
        let sequence = record["sequence"].as_u64().unwrap();
        assert_eq!(record["prev_sequence"].as_u64().unwrap_or(sequence - 1), last, "once, and in order");
        last = sequence;
    }
    assert_eq!(last, (1 + BATCHES * EVENTS_PER_ROUND) as u64);
}

/// A busy shard lets nobody else run in its thread, so it looks for news itself.
#[test]
fn those_served_last_get_what_came_meanwhile() {
    let runtime = still();
    let _inside = runtime.enter();
    let mut floor = Floor::open();
    floor.publish(1);
    let lines: Vec<_> = (0..3 * SERVED_PER_LOOK).map(|_| reader(&mut floor)).collect();
    floor.publish(1);
    floor.publish(1);
    floor.run_shard();
    let messages = |line: &Line| line.said().len();
    assert_eq!((messages(&lines[0]), messages(&lines[lines.len() - 1])), (2, 1));
}

/// The hub ends with its feeds, and where nobody is left to send to.
#[test]
fn the_hub_ends() {
    let runtime = still();
    let _inside = runtime.enter();
    let full = || {
        let mut floor = Floor::open();
        for _ in 0..=EVENTS_QUEUED / EVENTS_PER_ROUND {
            floor.publish(EVENTS_PER_ROUND);
        }
        floor.run_hub();
        assert!(floor.ticks.left() > 0, "the hub waits for the shard");
        floor
    };
    let mut floor = full();
    floor.ticks.end();
    while floor.ticks.left() > 0 {
        floor.run_shard();
    }
    floor.run_hub();
    assert!(floor.hub.is_none(), "it is told of the end that the shard saw");

    let Floor { shard, hub, hub_woken, .. } = full();
    drop(shard);
    assert!(hub_woken.0.load(Ordering::SeqCst), "which is gone");
    let waker = Waker::from(Arc::clone(&hub_woken));
    assert!(hub.unwrap().as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
}

/// Also who comes in while the server leaves is told, and the last to go ends the shard.
#[test]
fn a_shutdown_wakes_and_ends() {
    let runtime = still();
    let _inside = runtime.enter();
    let mut floor = Floor::open();
    let early = floor.enter();
    let is_told = |line: &Line| {
        assert_eq!(line.said().last().unwrap()["type"], "draining");
        assert_eq!(line.closed(), Some(1012));
    };
    floor.shutdown.send_replace(true);
    assert!(floor.settle().is_pending());
    is_told(&early);
    let (arrival, late) = arrival();
    assert!(floor.door.try_send(arrival).is_ok());
    assert!(floor.settle().is_pending());
    is_told(&late);
    early.comes_in(Saying::Gone(Gone::Left));
    assert!(floor.settle().is_pending(), "somebody is there");
    late.comes_in(Saying::Gone(Gone::Left));
    assert!(floor.settle().is_ready());
}
