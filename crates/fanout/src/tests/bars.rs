//! Bars whose corrections come late.

use std::sync::Arc;
use std::time::Duration;

use ::model::{Body, Seq, Tick, UnixNanos};

use super::script::{body, instrument};
use crate::Sequencer;
use crate::candles::Bars;
use crate::event::Event;
use crate::fold::Seen;
use crate::ring::Bounds;

/// `o1` a state of the open bar that starts at 1, `c0` a closed one.
fn bars(script: &str) -> (Bars, impl Fn(Vec<Arc<Event>>) -> Vec<u64>) {
    let mut bars = Bars::new(Bounds { events: 100, bytes: 1 << 20, units: 100 }, 10);
    let (mut sequencer, instrument) = (Sequencer::default(), instrument("A"));
    for word in script.split(' ') {
        let letter = if word.starts_with('c') { 'C' } else { 'c' };
        let Body::Candle(mut candle) = body(letter, 0) else { panic!("a bar") };
        candle.start = UnixNanos(word[1..].parse().unwrap());
        let body = Body::Candle(candle);
        let tick = Tick {
            instrument: Arc::clone(&instrument),
            ts_event: None,
            ts_source: None,
            ts_recv: None,
            body,
        };
        let event = sequencer.push(tick, UnixNanos(1)).unwrap().unwrap();
        bars.note(&event);
        bars.lane.ring.push(Seen { prev: event.seq.prev(), event }, Duration::ZERO, |_| ());
    }
    (bars, |events: Vec<Arc<Event>>| events.iter().map(|event| event.seq.0).collect())
}

#[test]
fn a_late_correction_leaves_the_open_bar_open() {
    let (bars, seqs) = bars("o0 c0 o1 o1 c0");
    assert_eq!(seqs(bars.since(Seq(2))), [4, 5]);
    assert_eq!(seqs(bars.since(Seq(4))), [5]);
    // What was told first of a bar is none of its states any more.
    assert_eq!(seqs(bars.last_until(Seq(5), 9)), [4, 5]);
    assert_eq!(seqs(bars.last_until(Seq(4), 9)), [2, 4]);
    assert_eq!(seqs(bars.last_until(Seq(3), 9)), [2, 3]);
    assert_eq!(seqs(bars.last_until(Seq(2), 9)), [2]);
}
