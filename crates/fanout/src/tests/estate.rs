//! A second fan-out goes on where the first one was.

use std::sync::Arc;
use std::time::Duration;

use ::model::{Interval, Placed, Tick, UnixNanos};

use super::script::{body, instrument};
use crate::{
    Depth, Event, Fanout, Item, Kept, Kind, Options, Resumed, Sequencer, SessionId, Stream, TopicId,
};

const NOW: Duration = Duration::ZERO;

fn tick(symbol: &str, letter: char, n: u64) -> Tick {
    let at = UnixNanos(n);
    let body = body(letter, n.cast_signed());
    Tick { instrument: instrument(symbol), ts_event: Some(at), ts_source: None, ts_recv: Some(at), body }
}

fn placed(event: &Arc<Event>) -> Placed {
    Placed {
        instrument: Arc::clone(&event.instrument),
        seq: event.seq,
        position: event.position,
        ts_event: event.ts_event,
        ts_source: event.ts_source,
        ts_recv: event.ts_recv,
        body: event.body.clone(),
    }
}

fn written(kept: &Kept<Arc<Event>>) -> Kept<Placed> {
    let Kept { events, closed, lost, trail, views } = kept;
    let [events, closed] = [events, closed].map(|events| events.iter().map(placed).collect());
    Kept { events, closed, lost: *lost, trail: trail.clone(), views: views.clone() }
}

/// What was sent, as stream and place; a gap as none.
fn drained(fanout: &mut Fanout, session: SessionId) -> Vec<(TopicId, Option<u64>)> {
    let batch = fanout.drain(session, usize::MAX, NOW);
    let told = |item: &Item| match &item.kind {
        Kind::Event { event, .. } => (item.topic, Some(event.seq.0)),
        Kind::Book { record, .. } => (item.topic, Some(record.seq.0)),
        _ => (item.topic, None),
    };
    super::spelled_out(fanout, batch).items.iter().map(told).collect()
}

/// Who has everything that the first one knew is sent what came after it by the second one, each once, also of a
/// book of which it sees a part.
#[test]
fn whoever_is_current_misses_nothing() {
    let streams = [
        (Stream::Trades, Options::default()),
        (Stream::Quotes, Options::default()),
        (Stream::Status, Options::default()),
        (Stream::Candles(Interval::M1), Options::default()),
        (Stream::Book, Options { depth: Depth::Top(5), checksum: true, ..Options::default() }),
    ];
    let (mut sequencer, mut first) = (Sequencer::default(), Fanout::default());
    // B is heard of first, so numbers follow neither names nor the oldest event that is kept.
    for (n, (symbol, letter)) in [("B", 's'), ("A", 's'), ("B", 'k'), ("A", 'B')].into_iter().enumerate() {
        let event = sequencer.push(tick(symbol, letter, n as u64), UnixNanos(0)).unwrap().unwrap();
        first.publish(&event, NOW);
    }
    let session = first.open_session();
    for (n, letter) in "tqcCbtXqbBbt".repeat(200).chars().enumerate() {
        let event = sequencer.push(tick("A", letter, n as u64), UnixNanos(0)).unwrap().unwrap();
        first.publish(&event, NOW);
    }
    let a = first.symbol("A").unwrap();
    let topics = streams.map(|(stream, options)| (TopicId { symbol: a, stream }, options));
    for (topic, options) in &topics {
        first.subscribe(session, *topic, options.clone()).unwrap();
    }
    drained(&mut first, session);
    let cursor = first.cursor(session);
    assert_eq!(cursor, first.position());

    let (mut follower, mut second) = (Sequencer::default(), Fanout::default());
    let kept = first.kept(8);
    assert!(kept.iter().all(|kept| kept.events.len() <= 8 && kept.closed.len() <= 8));
    for kept in follower.adopt(kept.iter().map(written).collect()).unwrap() {
        second.restore(&kept, NOW);
    }
    assert_eq!(second.symbols().collect::<Vec<_>>(), first.symbols().collect::<Vec<_>>());

    let mut expected = Vec::new();
    for (n, letter) in "tqcbCXtBb".chars().enumerate() {
        let event = sequencer.push(tick("A", letter, 9_000 + n as u64), UnixNanos(0)).unwrap().unwrap();
        first.publish(&event, NOW);
        second.publish(&follower.follow(placed(&event)).unwrap(), NOW);
    }
    expected.extend(drained(&mut first, session));
    assert!(expected.len() > 6);

    let returned = second.open_session();
    for (topic, options) in topics {
        let resumed = second.resume(returned, topic, options, Some(cursor), &mut usize::MAX.clone());
        assert_eq!(resumed, Ok(Resumed::Filled), "{topic:?}");
    }
    assert_eq!(drained(&mut second, returned), expected);

    // Who was further behind is told so.
    let late = second.open_session();
    let trades = TopicId { symbol: a, stream: Stream::Trades };
    let resumed = second.resume(late, trades, Options::default(), Some(cursor / 2), &mut usize::MAX.clone());
    assert_eq!(resumed, Ok(Resumed::Missing));
    let gap = |fanout: &mut Fanout, session| match fanout.drain(session, usize::MAX, NOW).items.first() {
        Some(Item { kind: Kind::Gap { range, .. }, .. }) => range.map(|(from, _)| from.0),
        other => panic!("{other:?}"),
    };
    let at_home = first.open_session();
    let small = &mut 0;
    first.resume(at_home, trades, Options::default(), Some(cursor / 2), small).unwrap();
    assert_eq!(gap(&mut second, late), gap(&mut first, at_home));
}
