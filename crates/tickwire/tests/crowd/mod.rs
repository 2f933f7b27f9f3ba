//! Many clients that are sent away and come back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Connection, Endpoint};
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use wire::{Control, ServerMessage};

use crate::common::PATIENCE;

/// How they fared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moved {
    pub(crate) clients: usize,
    /// Streams that were not filled after the move.
    pub(crate) missing: usize,
    /// Records that did not follow the one before.
    pub(crate) holes: usize,
    /// Records that came twice.
    pub(crate) doubled: usize,
    records: usize,
    /// Of the tenths of a second in which they were told to come back, the fullest against the mean.
    pub(crate) fullest: f64,
    seconds: f64,
}

/// What one client has seen.
#[derive(Default)]
struct Rider {
    places: BTreeMap<String, u64>,
    cursor: Option<String>,
    seen: Moved,
    /// When it was told to come back, and how long that was then.
    due: Option<(Instant, Duration)>,
}

/// Lets so many clients subscribe, then `moves` the server away under them; returns when each has been served by
/// the next one for a while.
pub(crate) fn run<T>(endpoint: Endpoint, clients: usize, moves: impl FnOnce() -> T) -> Moved {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (endpoint, begun) = (Arc::new(endpoint), Arc::new(Semaphore::new(0)));
    let (done, mut riders) = mpsc::channel(clients);
    let thread = std::thread::spawn({
        let begun = Arc::clone(&begun);
        move || {
            runtime.block_on(async move {
                for n in 0..clients {
                    tokio::spawn(ride(n, Arc::clone(&endpoint), Arc::clone(&begun), done.clone()));
                    sleep(Duration::from_millis(1)).await;
                }
                drop(done);
                let mut all = Vec::new();
                while let Some(rider) = riders.recv().await {
                    all.push(rider);
                }
                all
            })
        }
    });
    let until = Instant::now() + PATIENCE * 5;
    while begun.available_permits() < clients {
        assert!(Instant::now() < until, "{} of {clients} have begun", begun.available_permits());
        std::thread::sleep(Duration::from_millis(50));
    }
    let next = moves();
    let riders = thread.join().unwrap();
    drop(next);
    sum(&riders)
}

fn sum(riders: &[Rider]) -> Moved {
    let mut moved = Moved { clients: riders.len(), ..Moved::default() };
    for Rider { seen, .. } in riders {
        moved.missing += seen.missing;
        moved.holes += seen.holes;
        moved.doubled += seen.doubled;
        moved.records += seen.records;
    }
    let dues: Vec<_> = riders.iter().filter_map(|rider| Some(rider.due?.1)).collect();
    if let Some(&first) = dues.iter().min() {
        let mut slots = BTreeMap::<u128, u32>::new();
        for due in &dues {
            *slots.entry(due.saturating_sub(first).as_millis() / 100).or_default() += 1;
        }
        let last = slots.last_key_value().map_or(0, |(&slot, _)| slot);
        let mean =
            f64::from(u32::try_from(dues.len()).unwrap()) / f64::from(u32::try_from(last + 1).unwrap());
        moved.fullest = f64::from(*slots.values().max().unwrap_or(&0)) / mean;
        moved.seconds = f64::from(u32::try_from(last).unwrap()) / 10.0;
    }
    moved
}

async fn ride(n: usize, endpoint: Arc<Endpoint>, begun: Arc<Semaphore>, done: mpsc::Sender<Rider>) {
    let mut rider = Rider::default();
    let mut connection = rider.come(n, &endpoint).await;
    begun.add_permits(1);
    while rider.due.is_none_or(|(due, _)| Instant::now() < due) {
        let left = rider.due.map_or(PATIENCE * 10, |(due, _)| due.saturating_duration_since(Instant::now()));
        if let Ok(incoming) = timeout(left, connection.next()).await {
            rider.take(&incoming.expect("it is served until it goes").text);
        }
    }
    // Make before break, or break off without a word.
    let old = connection;
    if n.is_multiple_of(2) {
        drop(old);
        connection = rider.come(n, &endpoint).await;
    } else {
        connection = rider.come(n, &endpoint).await;
        drop(old);
    }
    let until = Instant::now() + Duration::from_secs(5);
    while let Ok(incoming) = timeout(until.saturating_duration_since(Instant::now()), connection.next()).await
    {
        rider.take(&incoming.unwrap().text);
    }
    let _ = done.send(rider).await;
}

const SYMBOLS: [&str; 5] = ["BTC-USD", "ETH-USD", "SOL-USD", "EUR-USD", "AAPL"];

impl Rider {
    /// Connects, and goes on where it was.
    async fn come(&mut self, n: usize, endpoint: &Endpoint) -> Connection {
        let mut connection = Connection::open(endpoint).await.unwrap();
        let mut request =
            json!({"op": "subscribe", "channels": ["trades", "quotes"], "symbols": [SYMBOLS[n % 5]]});
        if let Some(cursor) = &self.cursor {
            request["resume"] = json!(cursor);
        }
        connection.send(&request).await.unwrap();
        loop {
            let incoming = timeout(PATIENCE, connection.next()).await.expect("an answer").unwrap();
            self.take(&incoming.text);
            if let ServerMessage::Control(control) = &incoming.message
                && let Control::Ack { .. } = &**control
            {
                return connection;
            }
        }
    }

    fn take(&mut self, text: &str) {
        let message: Value = serde_json::from_str(text).unwrap();
        let kind = message["type"].as_str().unwrap();
        if let Some(cursor) = message["cursor"].as_str()
            && kind != "ack"
        {
            self.cursor = Some(cursor.to_owned());
        }
        match kind {
            "ack" => {
                let streams = message["streams"].as_array().into_iter().flatten();
                self.seen.missing += streams.filter(|stream| stream["state"] != "filled").count();
            }
            "draining" => {
                let after = Duration::from_millis(message["reconnect_after_ms"].as_u64().unwrap());
                self.due = Some((Instant::now() + after, after));
            }
            "snapshot" | "update" => {
                for record in message["data"].as_array().unwrap() {
                    let key = format!("{}/{}", message["channel"], record["symbol"]);
                    let sequence = record["sequence"].as_u64().unwrap();
                    let before = record["prev_sequence"].as_u64().unwrap_or(sequence - 1);
                    if kind == "update"
                        && let Some(&place) = self.places.get(&key)
                    {
                        self.seen.records += 1;
                        self.seen.holes += usize::from(before > place);
                        self.seen.doubled += usize::from(sequence <= place);
                    }
                    let place = self.places.entry(key).or_default();
                    *place = sequence.max(*place);
                }
            }
            "gap" | "error" => panic!("{message}"),
            _ => {}
        }
    }
}
