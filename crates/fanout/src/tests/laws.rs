//! The laws of the protocol's accounting, on generated scripts of publishes, drains and stalls.

use std::sync::Arc;
use std::time::Duration;

use ::model::{Body, BookChange, Filter, Interval, Levels, Seq, Side, Tick, UnixNanos};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::client::Client;
use super::reader::Reader;
use super::script::{body, instrument, level};
use super::source::Source;
use crate::limits::LogLimits;
use crate::{
    Depth, Event, Fanout, Options, Overflow, Priority, Resumed, Sequencer, SessionId, Stream, SubscribeError,
    TopicId,
};

/// One step of a script; what the numbers mean is told in [`World::step`].
type Step = (u8, u8, u8, u8);

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
    limits: LogLimits,
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
        let ready = [false; 3];
        let mut world = Self { limits, sequencer, fanout, source, sessions, ready, now, published: 0 };
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
        let tick = Tick {
            instrument: instrument(symbol),
            ts_event: Some(at),
            ts_source: None,
            ts_recv: Some(at),
            body,
        };
        let event: Arc<Event> = self.sequencer.push(tick, at).unwrap().unwrap();
        self.source.publish(&event, self.now);
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

    fn step(&mut self, (kind, a, b, c): Step) {
        let symbol = SYMBOLS[usize::from(a) % 2];
        match kind {
            // Publish: many trades and book changes, fewer of the rest.
            0..=3 => (0..=(b % 8)).for_each(|i| self.publish(symbol, 't', a.wrapping_add(i))),
            4..=7 => {
                (0..=(b % 8)).for_each(|i| self.publish(symbol, 'b', a.wrapping_add(i.wrapping_mul(37))));
            }
            8 => (0..=(b % 12)).for_each(|_| self.publish(symbol, 'q', a)),
            9 => self.publish(symbol, ['k', 'c', 'C', 's', 'B', 'X', 'x'][usize::from(b) % 7], a),
            10 => (0..=(b / 32))
                .for_each(|i| self.publish(symbol, ['B', 'c', 'C', 'k'][usize::from(b % 32 + i) % 4], a)),
            // Drain: with room for everything, or for little.
            11 | 12 => _ = self.drain(usize::from(a) % 3, usize::MAX),
            13 => _ = self.drain(usize::from(a) % 3, usize::from(b) * 16),
            14 => {
                self.now += Duration::from_millis(u64::from(b));
                self.fanout.handle_timeout(self.now);
            }
            15 | 16 => self.subscribe(usize::from(a) % 3, self.topic(a / 3), b, c),
            17 => self.unsubscribe(usize::from(a) % 3, self.topic(b)),
            18 => self.merge_from_now_on(usize::from(a) % 3),
            19 => self.pause(usize::from(a) % 3, self.topic(b), c < 128),
            20 => self.come_back(usize::from(a) % 3, b),
            21 => self.hand_over([1, 3, usize::MAX][usize::from(a) % 3]),
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
                ..reader.options().clone()
            };
            self.fanout.subscribe(*session, topic, options.clone()).unwrap();
            reader.change(&self.source, options);
        }
    }

    fn subscribe(&mut self, index: usize, topic: TopicId, detail: u8, spice: u8) {
        let options = options(topic, detail, spice);
        let (session, client) = &mut self.sessions[index];
        let first = !client.readers.contains_key(&topic);
        match self.fanout.subscribe(*session, topic, options.clone()) {
            Ok(()) if first => {
                let head = self.place(index, topic);
                let (_, client) = &mut self.sessions[index];
                client.readers.insert(topic, Reader::new(topic, options, head));
            }
            Ok(()) => {
                client.readers.get_mut(&topic).unwrap().change(&self.source, options);
            }
            Err(error) => {
                assert_eq!(error, SubscribeError::SnapshotNeeded);
                assert!(first && topic.stream == Stream::Book && !options.snapshot);
            }
        }
        self.note_hurry(index);
    }

    /// Where the fan-out says that a subscription stands.
    fn place(&self, index: usize, topic: TopicId) -> Seq {
        let ledgers = self.fanout.ledgers(self.sessions[index].0);
        let ledger = ledgers.into_iter().find(|ledger| ledger.topic == topic).unwrap();
        Seq(self.source.head(topic).0 - ledger.pending)
    }

    /// Quotes go when a trade makes them go.
    fn note_hurry(&mut self, index: usize) {
        let (_, client) = &mut self.sessions[index];
        let safe = client.readers.values().filter(|reader| reader.options().trade_safe);
        let safe: Vec<_> = safe.map(|reader| reader.topic.symbol).collect();
        for (topic, reader) in &mut client.readers {
            let hurried = topic.stream == Stream::Quotes && safe.contains(&topic.symbol);
            reader.hurried |= hurried;
            reader.merges |= hurried;
        }
    }

    fn pause(&mut self, index: usize, topic: TopicId, paused: bool) {
        let (session, client) = &mut self.sessions[index];
        let reader = client.readers.get_mut(&topic);
        assert_eq!(self.fanout.pause(*session, topic, paused), reader.is_some());
        if let Some(reader) = reader {
            reader.pause(paused);
        }
    }

    /// The connection is lost; the client comes back with its cursor, or an older one, or one of another life.
    fn come_back(&mut self, index: usize, detail: u8) {
        let (old, client) = &mut self.sessions[index];
        let client = std::mem::take(client);
        self.fanout.close_session(*old);
        *old = self.fanout.open_session();
        let session = *old;
        let position = match detail % 8 {
            0 | 1 => None,
            2 => Some(client.cursor / 2),
            _ => Some(client.cursor),
        };
        let known = position.filter(|&position| position <= client.cursor);
        let now_at = self.source.position();
        self.sessions[index].1 = Client::returned(known.unwrap_or(0).min(now_at));
        let mut room = if detail.is_multiple_of(3) { 1_500 } else { usize::MAX };
        for (topic, reader) in client.readers {
            let options = reader.options().clone();
            if !reader.is_worth_keeping() {
                let fresh = Options { snapshot: true, ..options };
                self.fanout.subscribe(session, topic, fresh.clone()).unwrap();
                let place = self.place(index, topic);
                self.sessions[index].1.readers.insert(topic, Reader::new(topic, fresh, place));
                continue;
            }
            let resumed = self.fanout.resume(session, topic, options.clone(), position, &mut room).unwrap();
            let place = self.place(index, topic);
            // Where a view hides events, only its log tells where the reader stood.
            let told = known.is_some() && options.filter.is_none() && topic.stream != Stream::Book;
            if let Some(position) = known.filter(|_| told || resumed == Resumed::Filled) {
                let stood = self.source.place_at(topic, position);
                assert!(place <= stood, "never above");
                assert!(!told || resumed == Resumed::Missing || place == stood);
            }
            assert!(known.is_some() || resumed == Resumed::Missing);
            let reader = reader.resumed(resumed, place, told, now_at);
            self.sessions[index].1.readers.insert(topic, reader);
        }
        self.note_hurry(index);
    }

    /// Another process goes on with what this one has kept; everybody comes back there.
    fn hand_over(&mut self, most: usize) {
        let estate = self.fanout.kept(most);
        self.fanout = Fanout::new(self.limits);
        self.ready = [false; 3];
        for kept in &estate {
            self.fanout.restore(kept, self.now);
        }
        for index in 0..3 {
            self.sessions[index].0 = self.fanout.open_session();
            self.come_back(index, 7);
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
        let batch = super::spelled_out(&self.fanout, batch);
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
                let current = reader.is_current(&self.source, self.now);
                assert!(current, "{topic:?} {:?} starves", reader.options());
            }
        }
        self.check();
    }
}

/// Any options, by two numbers.
fn options(topic: TopicId, detail: u8, spice: u8) -> Options {
    let filters = [
        Filter { min_size: Some(level(0, 3).size), ..Filter::default() },
        Filter { side: Some(Side::Buy), ..Filter::default() },
        Filter { max_price: Some(level(103, 0).price), ..Filter::default() },
    ];
    let filter = filters.into_iter().nth(usize::from(spice) % 8);
    let filterable = matches!(topic.stream, Stream::Trades | Stream::Quotes);
    let max_age = [None, None, None, Some(Duration::from_millis(40))][usize::from(spice / 8) % 4];
    let overflow = [Overflow::Coalesce, Overflow::Coalesce, Overflow::Gap, Overflow::Disconnect]
        [usize::from(detail / 2) % 4];
    Options {
        snapshot: !detail.is_multiple_of(4),
        snapshot_limit: [None, Some(1), Some(3)][usize::from(detail) % 3],
        depth: [Depth::All, Depth::Top(1), Depth::Top(5)][usize::from(detail / 4) % 3],
        checksum: detail.is_multiple_of(5),
        conflate: Duration::from_millis([0, 0, 0, 20][usize::from(detail / 8) % 4]),
        // What must not be lost may be old.
        overflow: if max_age.is_some() { Overflow::Coalesce } else { overflow },
        max_age,
        trade_safe: spice & 32 != 0 && topic.stream == Stream::Trades,
        priority: [Priority::Normal, Priority::High, Priority::Low][usize::from(spice / 64) % 3],
        filter: filter.filter(|_| filterable).map(Arc::new),
        ..Options::default()
    }
}

/// `ample`: the logs keep enough beyond their events that nobody who coalesces ever gets a gap.
fn obey(limits: LogLimits, ample: bool, steps: &[Step]) {
    let mut world = World::new(limits);
    world.source.ample = ample;
    for index in 0..3 {
        for (at, detail) in [(0, 1), (2, 1), (6, 5), (8, 1), (10, 1)] {
            world.subscribe(index, world.topic(at), detail + u8::try_from(index).unwrap() * 4, 4);
        }
    }
    for &step in steps {
        world.step(step);
    }
    world.settle();
}

fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..23_u8, any::<u8>(), any::<u8>(), any::<u8>()), 1..length)
}

const TINY: LogLimits =
    LogLimits { events: 4, bytes: 1 << 20, closed_bars: 2, trade_parts: 3, book_levels: 24 };
const SMALL: LogLimits =
    LogLimits { events: 16, bytes: 4_000, closed_bars: 4, trade_parts: 64, book_levels: 4_096 };

/// The same runs every time, so that a red test is about the change. Others, for an hour or a night:
/// `for seed in $(seq 1000); do PROPTEST_RNG_SEED=$seed cargo test --release -p fanout laws || break; done`.
fn runs(cases: u32) -> ProptestConfig {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    match config.rng_seed {
        RngSeed::Random => ProptestConfig { rng_seed: RngSeed::Fixed(0), ..config },
        RngSeed::Fixed(_) => config,
    }
}

proptest! {
    #![proptest_config(runs(50_000))]

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
    #![proptest_config(runs(2_000))]

    /// Long scripts on logs of the real size.
    #[test]
    fn laws_hold_over_long_runs(steps in steps(600)) {
        obey(LogLimits::default(), true, &steps);
    }
}

/// Any number as the beginning of a run: the same number, the same run.
fn seeded(seed: u64) -> Vec<Step> {
    // SplitMix64 (Steele, Lea, Flood 2014).
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    };
    let length = usize::from(next()[0]) + 20;
    (0..length).map(|_| next()).map(|[kind, a, b, c, ..]| (kind % 23, a, b, c)).collect()
}

/// Publishes, stalls, lost connections, changed options and resumes, by seed. `TICKWIRE_SEED=7 cargo
/// test -p fanout simulation` runs the one that failed.
#[test]
fn simulation_from_ten_thousand_seeds() {
    let one = std::env::var("TICKWIRE_SEED").ok().map(|seed| seed.parse().unwrap());
    for seed in one.map_or(0..10_000, |seed| seed..seed + 1) {
        let (limits, ample) =
            [(TINY, false), (SMALL, true), (LogLimits::default(), true)][usize::try_from(seed % 3).unwrap()];
        let run = std::panic::catch_unwind(|| obey(limits, ample, &seeded(seed)));
        assert!(run.is_ok(), "seed {seed}");
    }
}
