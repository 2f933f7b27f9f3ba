//! Some of what a session has is delayed: one connection, one cursor.

use std::future::poll_fn;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::line::Saying;
use super::turns::{Floor, Ticks, still};
use super::{Feed, arrival_with};
use crate::clock;
use crate::delay::{self, Delays};
use crate::doors::Catalogue;
use crate::hub::{Feeds, Hub};
use crate::queue::queue;

const DELAY: Duration = Duration::from_millis(60);

impl Floor {
    fn happen(&mut self, words: &str) {
        let tick = |word: &str| self.feed.tick(word.chars().next().unwrap(), &word[1..]);
        self.ticks.drip(words.split(' ').map(tick).collect());
        assert!(self.settle().is_pending());
    }
}

/// `A q3` is the third quote of A, `A S` a state of it.
fn records(said: &[Value]) -> Vec<String> {
    let of_message = |message: &Value| {
        let kind =
            if message["type"] == "snapshot" { "S" } else { &message["channel"].as_str().unwrap()[..1] };
        let record = |record: &Value| {
            format!("{} {kind}{}", record["symbol"].as_str().unwrap(), record["sequence"].as_u64().unwrap())
        };
        message["data"].as_array().unwrap().iter().map(record).collect::<Vec<_>>()
    };
    said.iter().flat_map(of_message).collect()
}

#[test]
fn live_and_late_in_one_session() {
    let runtime = still();
    let _inside = runtime.enter();
    let mut floor = Floor::with(Delays::new(vec![DELAY]).unwrap());
    floor.happen("qA qB");
    let delay_ms = DELAY.as_millis();
    let line = floor.let_in(arrival_with(&["stream:A", &format!("stream:*?delay_ms={delay_ms}")]));
    let request = json!({"op": "subscribe", "channels": ["quotes", "trades"], "symbols": ["*"]});
    line.comes_in(Saying::Text(request.to_string()));
    assert!(floor.settle().is_pending());
    let said = line.said();
    assert_eq!(said[0]["symbols"], json!(["A", "B"]));
    let late =
        |channel: &str| json!({"channel": channel, "conflate_ms": 0, "delay_ms": delay_ms, "symbols": ["B"]});
    assert_eq!(said[0]["narrowed"], json!([late("trades"), late("quotes")]));
    // Nothing is known of B yet: what happened of it is as late as all that will.
    assert_eq!(records(&said[1..]), ["A S1"]);
    let empty: Vec<_> =
        said[1..].iter().filter_map(|message| message["symbols"].as_array()).flatten().collect();
    assert_eq!(empty, ["A", "B", "B"]);

    floor.happen("qA qB tA tB qB");
    assert_eq!(records(&line.said()), ["A q2", "A t1"]);
    thread::sleep(DELAY);
    // The next thing that happens wakes the hub; its own alarm needs a runtime that goes on.
    floor.happen("qA");
    let said = line.said();
    let mut late = records(&said);
    late.sort_unstable();
    assert_eq!(late, ["A q3", "B q1", "B q2", "B q3", "B t1"]);
    let cursors: Vec<u64> = said
        .iter()
        .map(|message| message["cursor"].as_str().unwrap().split_once(':').unwrap().1.parse().unwrap())
        .collect();
    assert!(cursors.is_sorted(), "{cursors:?}");
    assert_eq!(cursors.last(), Some(&15), "eight that happened, and seven of them once more");
}

/// Nothing comes any more, and what is delayed still does: the hub wakes by itself, and ends after that.
#[test]
fn an_idle_hub_wakes_for_what_is_due() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let delays = Delays::new(vec![DELAY, 2 * DELAY]).unwrap();
    let (inlet, mut events) = queue(10);
    let line = delay::Line::new(delays, 100);
    let (hub, ticks) = (
        Hub::new(vec![inlet], line, std::sync::Arc::default(), Feeds::default(), Catalogue::default()),
        Ticks::default(),
    );
    ticks.drip(vec![Feed::default().tick('q', "A")]);
    runtime.block_on(async {
        let (began, fed) = (clock::now(), ticks.clone());
        let hub = tokio::spawn(hub.run(fed));
        for twin in [0, 1, 2] {
            let batch = poll_fn(|cx| events.poll_recv(cx)).await.unwrap();
            assert_eq!((batch.len(), batch[0].topic.symbol.index()), (1, twin));
            assert!(clock::now() >= began + DELAY * u32::try_from(twin).unwrap(), "early");
            if twin == 1 {
                ticks.end();
            }
        }
        hub.await.unwrap();
    });
}
