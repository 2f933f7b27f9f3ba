//! The loop itself, polled when something woke it and never else: no clock helps it on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use wire::Epoch;

use super::line::{Line, Saying};
use super::{Feed, arrival};
use crate::limits::{CONTROL_BYTES_MAX, EVENTS_PER_ROUND, READS_PER_TURN, SHARD_BATCHES};
use crate::settings::{Limits, Settings};
use crate::shard::{Arrival, Events, ROUNDS_MAX, Shard};

/// A shard, and all that can wake it but time.
struct Floor {
    shard: Shard,
    feed: Feed,
    events: mpsc::Sender<Events>,
    door: mpsc::Sender<Arrival>,
    shutdown: watch::Sender<bool>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A runtime whose clock stands still: nobody drives it.
fn still() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

impl Floor {
    fn open() -> Self {
        let limits = Limits { requests_per_second: 10_000, ..Limits::default() };
        let settings = Arc::new(Settings { limits, ..Settings::for_tests() });
        let (events, events_out) = mpsc::channel(SHARD_BATCHES);
        let (door, arrivals) = mpsc::channel(SHARD_BATCHES);
        let (shutdown, leaving) = watch::channel(false);
        let (subscribing, _) = watch::channel(false);
        let shard = Shard::new(settings, Epoch::from_seed(7), events_out, arrivals, leaving, subscribing);
        let mut floor = Self { shard, feed: Feed::default(), events, door, shutdown, woken: Arc::default() };
        floor.woken.0.store(true, Ordering::SeqCst);
        assert!(floor.settle().is_pending());
        floor
    }

    /// Polls as long as something wakes the shard.
    fn settle(&mut self) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut polled = Poll::Pending;
        while polled.is_pending() && self.woken.0.swap(false, Ordering::SeqCst) {
            polled = self.shard.poll(&mut Context::from_waker(&waker));
        }
        polled
    }

    fn enter(&mut self) -> Line {
        let (arrival, line) = arrival();
        assert!(self.door.try_send(arrival).is_ok());
        assert!(self.settle().is_pending());
        assert_eq!(line.said()[0]["type"], "welcome");
        line
    }

    fn publish(&mut self, count: usize) {
        let events: Vec<_> = (0..count).map(|_| self.feed.event('q', "A")).collect();
        self.events.try_send(events.into()).unwrap();
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

#[test]
fn a_backlog_of_events_is_taken_in_to_the_end() {
    let runtime = still();
    let _inside = runtime.enter();
    let mut floor = Floor::open();
    floor.publish(1);
    let line = floor.enter();
    line.comes_in(Saying::Text(
        json!({"op": "subscribe", "channels": ["quotes"], "symbols": ["A"], "snapshot": false}).to_string(),
    ));
    assert!(floor.settle().is_pending());
    line.said();
    for _ in 0..3 {
        floor.publish(EVENTS_PER_ROUND);
    }
    assert!(floor.settle().is_pending());
    let said = line.said();
    let records = said.iter().flat_map(|message| message["data"].as_array().into_iter().flatten());
    let mut last = 1;
    for record in records {
        let sequence = record["sequence"].as_u64().unwrap();
        assert_eq!(record["prev_sequence"].as_u64().unwrap_or(sequence - 1), last, "once, and in order");
        last = sequence;
    }
    assert_eq!(last, 1 + 3 * EVENTS_PER_ROUND as u64);
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
    early.comes_in(Saying::Gone);
    assert!(floor.settle().is_pending(), "somebody is there");
    late.comes_in(Saying::Gone);
    assert!(floor.settle().is_ready());
}
