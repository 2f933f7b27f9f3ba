//! Reading a stream's past, page by page, while it goes on.

use std::sync::Arc;
use std::time::Duration;

use ::model::{Body, Interval, Seq, Tick, UnixNanos};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::script::{body, instrument};
use crate::limits::LogLimits;
use crate::{Event, Excerpt, Fanout, Past, Sequencer, Stream, TopicId};

const STREAMS: [Stream; 5] =
    [Stream::Trades, Stream::Quotes, Stream::Ticker, Stream::Status, Stream::Candles(Interval::M1)];
const LETTERS: [char; 5] = ['t', 'q', 'k', 's', 'c'];

/// A market whose logs are short, and all of its events.
struct World {
    sequencer: Sequencer,
    fanout: Fanout,
    events: Vec<Arc<Event>>,
}

impl World {
    fn new() -> Self {
        let limits = LogLimits { events: 12, closed_bars: 4, ..LogLimits::default() };
        let mut world =
            Self { sequencer: Sequencer::default(), fanout: Fanout::new(limits), events: Vec::new() };
        world.publish('s');
        world
    }

    fn publish(&mut self, letter: char) {
        let at = UnixNanos(self.events.len() as u64 + 1);
        let mut body = body(letter, i64::try_from(self.events.len()).unwrap());
        if let Body::Candle(candle) = &mut body {
            candle.start = at;
        }
        let tick = Tick {
            instrument: instrument("A"),
            ts_event: Some(at),
            ts_source: None,
            ts_recv: Some(at),
            body,
        };
        let event = self.sequencer.push(tick, at).unwrap().unwrap();
        self.fanout.publish(&event, Duration::ZERO);
        self.events.push(event);
    }

    fn past(&self, stream: Stream, wanted: &Excerpt) -> Past {
        let symbol = self.fanout.symbol("A").unwrap();
        self.fanout.past(TopicId { symbol, stream }, wanted).unwrap()
    }

    fn of(&self, stream: Stream) -> impl Iterator<Item = &Arc<Event>> {
        self.events.iter().filter(move |event| event.topic.stream == stream)
    }

    /// The true place of a stream at a position in the total order.
    fn place_at(&self, stream: Stream, position: u64) -> Seq {
        self.of(stream)
            .filter(|event| event.position <= position)
            .last()
            .map_or(Seq::START, |event| event.seq)
    }
}

/// Somebody who reads a stream from its beginning, by sequence or by cursor.
struct Walker {
    stream: Stream,
    by_cursor: bool,
    /// Everything up to here it has, or was told that it is gone.
    place: Seq,
    position: u64,
}

impl Walker {
    fn page(&mut self, world: &World, most: usize) {
        let wanted = if self.by_cursor {
            Excerpt { after: self.position, most, ..Excerpt::default() }
        } else {
            Excerpt { from: self.place.next(), most, ..Excerpt::default() }
        };
        let past = world.past(self.stream, &wanted);
        // A cursor may say less than the truth where the log has forgotten, never more.
        assert!(past.from <= self.place.next(), "{past:?}");
        if self.place.next() < past.oldest {
            self.place = past.oldest.prev();
        } else {
            assert!(past.from >= past.oldest || past.from == self.place.next());
        }
        assert!(past.events.len() <= most);
        for event in &past.events {
            let is_bar = matches!(self.stream, Stream::Candles(_));
            assert!(event.seq == self.place.next() || is_bar && event.seq > self.place, "{past:?}");
            self.place = event.seq;
        }
        assert_eq!(past.more, past.events.len() == most && self.place < last_kept(world, self.stream));
        if !past.more {
            // States of an open bar that a newer one replaced are in nobody's past.
            self.place = self.place.max(past.newest);
        }
        self.position = past.position;
        assert!(world.place_at(self.stream, self.position) <= self.place, "a cursor ahead of what was given");
        assert_eq!(past.newest, world.place_at(self.stream, u64::MAX));
    }
}

fn last_kept(world: &World, stream: Stream) -> Seq {
    world.past(stream, &Excerpt::default()).events.last().map_or(Seq::START, |event| event.seq)
}

fn walk(steps: &[(u8, u8)]) {
    let mut world = World::new();
    let walkers = STREAMS.into_iter().flat_map(|stream| {
        [true, false].map(|by_cursor| Walker { stream, by_cursor, place: Seq::START, position: 0 })
    });
    let mut walkers: Vec<_> = walkers.collect();
    for &(kind, count) in steps {
        match kind {
            0..=4 => (0..=count % 5).for_each(|_| world.publish(LETTERS[usize::from(kind)])),
            5 => world.publish('C'),
            _ => {
                let index = usize::from(count) % walkers.len();
                walkers[index].page(&world, 1 + usize::from(count / 16));
            }
        }
    }
    for walker in &mut walkers {
        walker.page(&world, usize::MAX);
        assert_eq!(walker.place, world.place_at(walker.stream, u64::MAX));
    }
}

#[test]
fn pages_tile_whatever_happens_between_them() {
    let config = ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() };
    let steps = prop::collection::vec((0..9_u8, any::<u8>()), 1..300);
    proptest!(config, |(steps in steps)| walk(&steps));
}

fn seqs(past: &Past) -> Vec<u64> {
    past.events.iter().map(|event| event.seq.0).collect()
}

#[test]
fn backwards_and_between() {
    let mut world = World::new();
    (0..20).for_each(|_| world.publish('t'));
    let trades = |wanted: Excerpt| world.past(Stream::Trades, &wanted);
    let newest = trades(Excerpt { backwards: true, most: 3, ..Excerpt::default() });
    assert_eq!((seqs(&newest), newest.more, newest.position), (vec![20, 19, 18], true, 21));
    let before = trades(Excerpt { backwards: true, to: Seq(17), most: 99, ..Excerpt::default() });
    assert_eq!((seqs(&before).len(), before.oldest, before.more), (9, Seq(9), false));
    // Trade n is event n + 1 of all.
    assert_eq!(before.position, 18);
    let some = trades(Excerpt { from: Seq(12), to: Seq(14), ..Excerpt::default() });
    assert_eq!((seqs(&some), some.more, some.position), (vec![12, 13, 14], false, 15));
    for nothing in [
        Excerpt { from: Seq(15), to: Seq(14), ..Excerpt::default() },
        Excerpt { to: Seq(3), ..Excerpt::default() },
        Excerpt { from: Seq(21), ..Excerpt::default() },
        Excerpt { after: 1_000, ..Excerpt::default() },
    ] {
        assert_eq!(seqs(&trades(nothing)), Vec::<u64>::new(), "{nothing:?}");
    }
    // Who was ahead of this node's own news does not go back.
    assert_eq!(trades(Excerpt { after: 1_000, ..Excerpt::default() }).position, 1_000);
}

#[test]
fn bars_are_the_closed_ones_and_the_open_one() {
    let mut world = World::new();
    for letter in "ccCccCcCcCcCcc".chars() {
        world.publish(letter);
    }
    let bars = |wanted: Excerpt| world.past(Stream::Candles(Interval::M1), &wanted);
    let all = bars(Excerpt::default());
    assert_eq!((seqs(&all), all.oldest, all.newest), (vec![6, 8, 10, 12, 14], Seq(4), Seq(14)));
    let newest = bars(Excerpt { backwards: true, most: 2, ..Excerpt::default() });
    assert_eq!((seqs(&newest), newest.more), (vec![14, 12], true));
}

#[test]
fn a_book_has_no_past_and_silence_an_empty_one() {
    let world = World::new();
    let symbol = world.fanout.symbol("A").unwrap();
    assert!(world.fanout.past(TopicId { symbol, stream: Stream::Book }, &Excerpt::default()).is_none());
    let past = world.past(Stream::Trades, &Excerpt::default());
    assert_eq!((past.events.len(), past.oldest, past.newest, past.position), (0, Seq(1), Seq::START, 1));
}
