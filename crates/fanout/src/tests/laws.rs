//! The laws of the protocol's accounting, on generated scripts of publishes, drains and stalls.

use std::sync::Arc;
use std::time::Duration;

use ::model::{Body, BookChange, Interval, Levels, Tick, UnixNanos};
use proptest::prelude::*;

use super::model::{Client, Reader, Source};
use super::script::{body, instrument, level};
use crate::limits::LogLimits;
use crate::{Depth, Event, Fanout, Options, Overflow, Sequencer, SessionId, Stream, SubscribeError, TopicId};

/// One step of a script; what the numbers mean is told in [`World::step`].
type Step = (u8, u8, u8);

const SYMBOLS: [&str; 2] = ["A", "B"];
const STREAMS: [Stream; 6] = [
    Stream::Trades,
    Stream::Quotes,
    Stream::Ticker,
    Stream::Book,
    Stream::Status,
    Stream::Candles(Interval::M1),
];

struct World {
    sequencer: Sequencer,
    fanout: Fanout,
    source: Source,
    sessions: Vec<(SessionId, Client)>,
    /// Those for which something waits, by the fan-out's word.
    ready: [bool; 3],
    now: Duration,
    published: i64,
}

impl World {
    fn new(limits: LogLimits) -> Self {
        let mut fanout = Fanout::new(limits);
        let sessions = (0..3).map(|_| (fanout.open_session(), Client::default())).collect();
        let (sequencer, source, now) = (Sequencer::default(), Source::default(), Duration::ZERO);
        let mut world = Self { sequencer, fanout, source, sessions, ready: [false; 3], now, published: 0 };
        for symbol in SYMBOLS {
            world.publish(symbol, 's', 0);
        }
        world
    }

    fn publish(&mut self, symbol: &str, letter: char, detail: u8) {
        self.published += 1;
        let (n, at) = (i64::from(detail), UnixNanos(self.published.unsigned_abs()));
        let body = match letter {
            // Several levels at once, removals, prices that come and go, now and then crossed.
            'b' => {
                let bids = (0..=(n % 3)).map(|i| level(90 + (n / 3 + 5 * i) % 24, (n + i) % 4)).collect();
                let asks = (0..n % 2).map(|i| level(105 + (n / 2 + i) % 16, (n / 5) % 3)).collect();
                Body::Book(BookChange::Delta(Levels { bids, asks }))
            }
            letter => body(letter, self.published + n),
        };
        let tick = Tick { instrument: instrument(symbol), ts_event: Some(at), ts_recv: Some(at), body };
        let event: Arc<Event> = self.sequencer.push(tick, at).unwrap().unwrap();
        self.source.publish(&event);
        self.fanout.publish(&event, self.now);
    }

    fn topic(&self, detail: u8) -> TopicId {
        let symbol = self.fanout.symbol(SYMBOLS[usize::from(detail) % 2]).unwrap();
        TopicId { symbol, stream: STREAMS[usize::from(detail / 2) % STREAMS.len()] }
    }

    fn listen(&mut self) {
        let mut ready = Vec::new();
        self.fanout.take_ready(&mut ready);
        for (index, (session, _)) in self.sessions.iter().enumerate() {
            self.ready[index] |= ready.contains(session);
        }
    }

    fn step(&mut self, (kind, a, b): Step) {
        let symbol = SYMBOLS[usize::from(a) % 2];
        match kind {
            // Publish: many trades and book changes, fewer of the rest.
            0..=3 => (0..=(b % 8)).for_each(|i| self.publish(symbol, 't', a.wrapping_add(i))),
            4..=7 => {
                (0..=(b % 8)).for_each(|i| self.publish(symbol, 'b', a.wrapping_add(i.wrapping_mul(37))));
            }
            8 => (0..=(b % 12)).for_each(|_| self.publish(symbol, 'q', a)),
            9 => self.publish(symbol, ['k', 'c', 'C', 's', 'B', 'X'][usize::from(b) % 6], a),
            10 => (0..=(b / 32))
                .for_each(|i| self.publish(symbol, ['B', 'c', 'C', 'k'][usize::from(b % 32 + i) % 4], a)),
            // Drain: with room for everything, or for little.
            11 | 12 => _ = self.drain(usize::from(a) % 3, usize::MAX),
            13 => _ = self.drain(usize::from(a) % 3, usize::from(b) * 16),
            14 => {
                self.now += Duration::from_millis(u64::from(b));
                self.fanout.handle_timeout(self.now);
            }
            15 | 16 => self.subscribe(usize::from(a) % 3, self.topic(a / 3), b),
            17 => self.unsubscribe(usize::from(a) % 3, self.topic(b)),
            18 => self.merge_from_now_on(usize::from(a) % 3),
            _ => self.check(),
        }
        self.listen();
    }

    /// Whatever a session wanted before, nothing is to be dropped and nothing kept back any more.
    fn merge_from_now_on(&mut self, index: usize) {
        let (session, client) = &mut self.sessions[index];
        for (&topic, reader) in &mut client.readers {
            let options = Options {
                snapshot: false,
                conflate: Duration::ZERO,
                overflow: Overflow::Coalesce,
                ..*reader.options()
            };
            self.fanout.subscribe(*session, topic, options).unwrap();
            reader.change(options, self.source.head(topic));
        }
    }

    fn subscribe(&mut self, index: usize, topic: TopicId, detail: u8) {
        let options = Options {
            snapshot: !detail.is_multiple_of(4),
            snapshot_limit: [None, Some(1), Some(3)][usize::from(detail) % 3],
            depth: [Depth::All, Depth::Top(1), Depth::Top(5)][usize::from(detail / 4) % 3],
            checksum: detail.is_multiple_of(5),
            conflate: Duration::from_millis([0, 0, 0, 20][usize::from(detail / 8) % 4]),
            overflow: [Overflow::Coalesce, Overflow::Coalesce, Overflow::Gap, Overflow::Disconnect]
                [usize::from(detail / 2) % 4],
            stamp: false,
        };
        let (session, client) = &mut self.sessions[index];
        let first = !client.readers.contains_key(&topic);
        match self.fanout.subscribe(*session, topic, options) {
            Ok(()) if first => {
                let reader = Reader::new(topic, options, self.source.head(topic));
                client.readers.insert(topic, reader);
            }
            Ok(()) => {
                let head = self.source.head(topic);
                client.readers.get_mut(&topic).unwrap().change(options, head);
            }
            Err(error) => {
                assert_eq!(error, SubscribeError::SnapshotNeeded);
                assert!(first && topic.stream == Stream::Book && !options.snapshot);
            }
        }
    }

    fn unsubscribe(&mut self, index: usize, topic: TopicId) {
        let (session, client) = &mut self.sessions[index];
        let ledger = self.fanout.unsubscribe(*session, topic);
        let reader = client.readers.remove(&topic);
        assert_eq!(ledger.is_some(), reader.is_some());
        if let Some((ledger, reader)) = ledger.zip(reader) {
            reader.check_ledger(&self.source, &ledger);
        }
    }

    /// Tells whether more waits.
    fn drain(&mut self, index: usize, budget: usize) -> bool {
        let (session, client) = &mut self.sessions[index];
        let batch = self.fanout.drain(*session, budget, self.now);
        client.take(&self.source, &batch, self.now);
        if !batch.more {
            client.nothing_urgent_waits(&self.source);
        }
        self.ready[index] = batch.more;
        if batch.overrun {
            // What the shell does: the session ends, and the client comes back with another.
            self.fanout.close_session(*session);
            self.sessions[index] = (self.fanout.open_session(), Client::default());
        }
        batch.more && !batch.overrun
    }

    /// Every account closes; sessions for which nothing waits have everything.
    fn check(&mut self) {
        for (session, client) in &self.sessions {
            let ledgers = self.fanout.ledgers(*session);
            assert_eq!(ledgers.len(), client.readers.len());
            for ledger in ledgers {
                client.readers[&ledger.topic].check_ledger(&self.source, &ledger);
            }
        }
    }

    /// No stream starves: with room for one turn at a time, everybody is served soon.
    fn settle(&mut self) {
        self.now += Duration::from_secs(10);
        self.fanout.handle_timeout(self.now);
        for index in 0..self.sessions.len() {
            // One turn serves a symbol, or moves its lossless streams on by at least one event.
            self.listen();
            let turns = (0..4_000).take_while(|_| self.ready[index] && self.drain(index, 1)).count();
            assert!(turns < 4_000);
            let (_, client) = &self.sessions[index];
            for (topic, reader) in &client.readers {
                assert!(reader.is_current(&self.source), "{topic:?} {:?} starves", reader.options());
            }
        }
        self.check();
    }
}

/// `ample`: the logs keep enough beyond their events that nobody who coalesces ever gets a gap.
fn obey(limits: LogLimits, ample: bool, steps: &[Step]) {
    let mut world = World::new(limits);
    world.source.ample = ample;
    for index in 0..3 {
        for (at, detail) in [(0, 1), (2, 1), (6, 5), (8, 1), (10, 1)] {
            world.subscribe(index, world.topic(at), detail + u8::try_from(index).unwrap() * 4);
        }
    }
    for &step in steps {
        world.step(step);
    }
    world.settle();
}

fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..20_u8, any::<u8>(), any::<u8>()), 1..length)
}

const TINY: LogLimits =
    LogLimits { events: 4, bytes: 1 << 20, closed_bars: 2, trade_parts: 3, book_levels: 24 };
const SMALL: LogLimits =
    LogLimits { events: 16, bytes: 4_000, closed_bars: 4, trade_parts: 64, book_levels: 4_096 };

proptest! {
    #![proptest_config(ProptestConfig { cases: 50_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Logs so small that everything falls off them, and what is kept beyond them runs out too.
    #[test]
    fn laws_hold_where_logs_overflow(steps in steps(60)) {
        obey(TINY, false, &steps);
    }

    /// Logs that hold a little: all ways of falling behind meet.
    #[test]
    fn laws_hold_where_logs_hold_a_little(steps in steps(60)) {
        obey(SMALL, true, &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Long scripts on logs of the real size.
    #[test]
    fn laws_hold_over_long_runs(steps in steps(600)) {
        obey(LogLimits::default(), true, &steps);
    }
}
