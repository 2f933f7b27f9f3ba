//! The line with made-up time: nothing early, nothing changed, nothing lost in silence.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fanout::{Event, Sequencer, Stream, TopicId};
use model::{Body, Book, BookChange, UnixNanos};

use super::{Delays, DelaysError, Line};
use crate::shard::tests::Feed;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn delays(all: &[u64]) -> Delays {
    Delays::new(all.iter().map(|&delay| millis(delay)).collect()).unwrap()
}

/// An event, and when it was there.
type Timed = (Duration, Arc<Event>);

/// A line, what goes in and what comes out.
struct Belt {
    sequencer: Sequencer,
    feed: Feed,
    line: Line,
    /// What was sequenced, and when.
    live: Vec<Timed>,
    late: Vec<Timed>,
}

impl Belt {
    fn new(all: &[u64], most: usize) -> Self {
        let (line, feed) = (Line::new(delays(all), most), Feed::default());
        Self { sequencer: Sequencer::with_twins(all.len()), feed, line, live: Vec::new(), late: Vec::new() }
    }

    /// Words such as `tA` or `bB*9` happen together.
    fn happens(&mut self, words: &str, at: u64) {
        let mut events = Vec::new();
        for word in words.split(' ') {
            let (word, count) = word.split_once('*').unwrap_or((word, "1"));
            for _ in 0..count.parse().unwrap() {
                let mut tick = self.feed.tick(word.chars().next().unwrap(), &word[1..]);
                // The venue's clock is not ours.
                tick.ts_event = (!at.is_multiple_of(3)).then_some(UnixNanos(at * 7));
                events.push(self.sequencer.push(tick, UnixNanos(at)).unwrap().unwrap());
            }
        }
        self.line.take_in(&events, millis(at));
        self.live.extend(events.into_iter().map(|event| (millis(at), event)));
    }

    fn look(&mut self, at: u64) {
        loop {
            let due = self.line.due(millis(at), &mut self.sequencer);
            if due.is_empty() {
                break;
            }
            self.late.extend(due.into_iter().map(|event| (millis(at), event)));
        }
        assert!(self.line.poll_timeout().is_none_or(|due| due > millis(at)));
    }

    /// What one twin has had, by the stream that it repeats.
    fn twin(&self, number: usize, count: usize) -> BTreeMap<(usize, Stream), Vec<&Timed>> {
        let mut streams = BTreeMap::<_, Vec<_>>::new();
        let of = |topic: TopicId| (topic.symbol.index() / (count + 1), topic.stream);
        let late = self.late.iter().filter(|(_, event)| event.topic.symbol.index() % (count + 1) == number);
        late.for_each(|entry| streams.entry(of(entry.1.topic)).or_default().push(entry));
        streams
    }

    /// The book that those who read a stream have, where it is known.
    fn book<'a>(events: impl Iterator<Item = &'a Arc<Event>>) -> Option<Book> {
        events.fold(None, |book, event| match (&event.body, book) {
            (Body::Book(BookChange::Snapshot(levels)), _) => Some(Book::from_levels(levels)),
            (Body::Book(BookChange::Delta(levels)), Some(mut book)) => {
                book.apply(levels);
                Some(book)
            }
            (Body::Book(_), _) => None,
            (_, book) => book,
        })
    }
}

/// Numbers that look random, and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[test]
fn nothing_is_early_and_each_delay_has_all() {
    let mut belt = Belt::new(&[500, 100], 100);
    belt.happens("qA tA", 0);
    belt.happens("qA", 50);
    assert_eq!(belt.line.poll_timeout(), Some(millis(100)));
    belt.look(99);
    assert!(belt.late.is_empty());
    belt.look(100);
    assert_eq!((belt.late.len(), belt.line.poll_timeout()), (2, Some(millis(150))));
    belt.look(499);
    assert_eq!((belt.late.len(), belt.line.poll_timeout()), (3, Some(millis(500))));
    belt.look(549);
    assert_eq!(belt.late.len(), 5);
    belt.look(550);
    let places: Vec<_> = belt
        .late
        .iter()
        .map(|(_, event)| (event.topic.symbol.index(), event.seq.0, event.position))
        .collect();
    assert_eq!(places, [(1, 1, 4), (1, 1, 5), (1, 2, 6), (2, 1, 7), (2, 1, 8), (2, 2, 9)]);
    assert!(belt.line.is_empty() && belt.line.poll_timeout().is_none());
}

/// The law: a twin is its symbol's streams, later. Only its place in the total order is its own.
#[test]
fn a_twin_is_its_symbol_later() {
    let all = [40, 130, 400];
    for seed in 0..300 {
        let (mut belt, mut dice, mut now) = (Belt::new(&all, usize::MAX / 2), Dice(seed), 0);
        for _ in 0..200 {
            now += dice.roll(20);
            if dice.roll(3) == 0 {
                belt.look(now);
                continue;
            }
            let word = |dice: &mut Dice| {
                let letter = b"tqbBgho"[usize::try_from(dice.roll(7)).unwrap()] as char;
                format!(
                    "{letter}{}*{}",
                    ["A", "B", "C"][usize::try_from(dice.roll(3)).unwrap()],
                    1 + dice.roll(3)
                )
            };
            let words: Vec<_> = (0..=dice.roll(3)).map(|_| word(&mut dice)).collect();
            belt.happens(&words.join(" "), now);
        }
        belt.look(now + all[2]);
        let positions: Vec<_> = belt.late.iter().map(|(_, event)| event.position).collect();
        assert!(positions.is_sorted(), "one total order");
        for (number, delay) in (1..).zip(all) {
            let mut twins = belt.twin(number, all.len());
            let mut streams = BTreeMap::<_, Vec<_>>::new();
            for entry in &belt.live {
                let topic = entry.1.topic;
                streams.entry((topic.symbol.index() / 4, topic.stream)).or_default().push(entry);
            }
            for (stream, live) in streams {
                let twin = twins.remove(&stream).unwrap();
                assert_eq!(live.len(), twin.len());
                for ((at, event), (out, again)) in live.into_iter().zip(twin) {
                    assert!(*out >= *at + millis(delay), "seed {seed}: early");
                    assert_eq!((event.seq, &event.body), (again.seq, &again.body));
                    assert_eq!((event.ts_event, event.ts_recv), (again.ts_event, again.ts_recv));
                    let quote = |event: &Event| event.quote.as_ref().map(|quote| quote.seq);
                    assert_eq!(quote(event), quote(again), "the quote before a trade");
                }
            }
            assert!(twins.is_empty());
        }
    }
}

fn reasons(belt: &Belt) -> Vec<String> {
    let reason = |(_, event): &Timed| match &event.body {
        Body::Status(change) => {
            Some(format!("{} {} {}", event.instrument.symbol, change.state, change.reason))
        }
        _ => None,
    };
    belt.late.iter().filter_map(reason).collect()
}

/// What there is no room for is said, before and after; a book comes out right all the same, and of quotes the
/// newest.
#[test]
fn what_is_too_much_is_missed_and_said() {
    let mut belt = Belt::new(&[1_000], 16);
    belt.happens("oA BA bA qA tA*3", 0);
    belt.happens("tB*9", 100);
    // Full. States still go in.
    belt.happens("tA*2 bA*2 qA*2 hA", 200);
    belt.happens("bA qB", 900);
    belt.look(1_000);
    assert_eq!((belt.late.len(), reasons(&belt)), (7, vec!["A open ".to_owned()]), "nothing is early");
    belt.look(1_100);
    // There is room again.
    belt.happens("bA tA", 1_150);
    for at in [1_200, 1_900, 2_149] {
        belt.look(at);
    }
    assert_eq!(
        reasons(&belt)[1..],
        [
            "A stale what follows is missing: more is delayed than this server keeps",
            "A halted ",
            "B stale what follows is missing: more is delayed than this server keeps",
        ]
    );
    belt.look(2_150);
    assert_eq!(
        reasons(&belt)[4..],
        [
            "A halted 7 updates before this were too many to be delayed",
            "B open 1 updates before this were too many to be delayed",
        ]
    );
    let streams = belt.twin(1, 1);
    let stream = |symbol, stream| streams[&(symbol, stream)].iter().map(|(_, event)| event);
    let is_of = |number: usize| {
        move |event: &&Arc<Event>| event.topic.symbol.index() == number && event.topic.stream == Stream::Book
    };
    let live = Belt::book(belt.live.iter().map(|(_, event)| event).filter(is_of(0)));
    assert_eq!(Belt::book(stream(0, Stream::Book)), live);
    let newest = |events: &[Timed], symbol| {
        let quote =
            |event: &Arc<Event>| event.topic.stream == Stream::Quotes && event.topic.symbol.index() == symbol;
        events.iter().rev().find(|(_, event)| quote(event)).map(|(_, event)| event.body.clone())
    };
    for symbol in [0, 2] {
        assert_eq!(newest(&belt.live, symbol), newest(&belt.late, symbol + 1));
    }
    let trades = |symbol| stream(symbol, Stream::Trades).count();
    assert_eq!((trades(0), trades(1)), (4, 9), "two of A are missing for good");
    assert!(belt.line.is_empty());
}

/// Changes of a book that were missed come as one, also where it was lost meanwhile.
#[test]
fn a_book_that_was_missed_comes_out_right() {
    for (missed, known) in
        [("bA*5", true), ("BA bA*2", true), ("gA bA*3", false), ("gA bA BA bA", true), ("BA gA", false)]
    {
        let mut belt = Belt::new(&[10], 8);
        belt.happens("BA bA*7", 0);
        belt.happens(missed, 1);
        belt.look(10);
        belt.happens("bA", 20);
        belt.look(30);
        let [live, late] = [&belt.live, &belt.late].map(|all| {
            Belt::book(all.iter().map(|(_, event)| event).filter(|event| matches!(event.body, Body::Book(_))))
        });
        assert_eq!((late.is_some(), live), (known, late), "{missed}");
        // It is over, and begins anew.
        belt.happens("bA*8", 40);
        belt.happens("tA", 41);
        assert_eq!(reasons(&belt).len(), 2, "{missed}");
        belt.look(60);
        assert_eq!(reasons(&belt).len(), 3, "{missed}");
    }
}

/// Who is woken once is not held up by all that is due.
#[test]
fn a_backlog_comes_piece_by_piece() {
    let mut belt = Belt::new(&[10], 10_000);
    (0..3_000).for_each(|_| belt.happens("qA", 0));
    assert_eq!(belt.line.due(millis(10), &mut belt.sequencer).len(), crate::limits::DUE_PER_LOOK);
    belt.look(10);
    assert_eq!(belt.late.len(), 3_000 - crate::limits::DUE_PER_LOOK);
}

#[test]
fn which_delays_there_can_be() {
    let some = delays(&[900_000, 1_000, 900_000]);
    let twins = [0, 1, 1_000, 1_001, 900_000, 900_001].map(|delay| some.twin(millis(delay)));
    assert_eq!(twins, [Some(0), Some(1), Some(1), Some(2), Some(2), None]);
    assert_eq!([0, 1, 2].map(|twin| some.of(twin)), [0, 1_000, 900_000].map(millis));
    for none in [Duration::ZERO, Duration::from_micros(1_500), millis(24 * 3_600_000 + 1)] {
        assert_eq!(Delays::new(vec![none]), Err(DelaysError::Range), "{none:?}");
    }
    assert_eq!(Delays::new((1..=9).map(millis).collect()), Err(DelaysError::TooMany));
    assert_eq!(DelaysError::Range.to_string(), "a delay is a whole number of milliseconds, from 1ms to 24h");
}
