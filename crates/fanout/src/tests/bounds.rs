//! Bounds that the laws do not reach.

use super::script::Play;
use crate::item::{Batch, Kind};
use crate::limits::{CUT_BYTES_MAX, VIEW_KEPT};
use crate::{Depth, Options, Resumed, Stream, TopicId};

/// The moments of the snapshots in a batch, which has nothing else, and what they come to.
fn moments(batch: &Batch) -> (Vec<u64>, usize) {
    let of = |kind: &Kind| match kind {
        Kind::Snapshot { as_of: Some(position), state: crate::Snapshot::Events(events) } => {
            (*position, events.iter().map(|event| event.weight()).sum::<usize>())
        }
        other => panic!("{other:?}"),
    };
    let (moments, weights): (Vec<_>, Vec<_>) = batch.items.iter().map(|item| of(&item.kind)).unzip();
    (moments, weights.into_iter().sum())
}

/// However small the budget, states that are asked for together are of one moment, up to a bound.
#[test]
fn states_asked_for_together_are_of_one_moment() {
    let mut play = Play::new(&Options::default());
    let names: Vec<_> = (0..200).map(|n| format!("S{n}")).collect();
    for name in &names {
        play.run(&format!("t{name}*12"));
    }
    for wanted in [5, names.len()] {
        let session = play.fanout.open_session();
        for name in &names[..wanted] {
            let topic = TopicId { symbol: play.fanout.symbol(name).unwrap(), stream: Stream::Trades };
            play.fanout.subscribe(session, topic, Options::default()).unwrap();
        }
        let (mut begun, mut told) = (Vec::new(), 0);
        while told < wanted {
            let now = play.fanout.position;
            let batch = play.fanout.drain(session, 1_000, std::time::Duration::ZERO);
            let (moments, weight) = moments(&batch);
            assert!(moments.iter().all(|&moment| moment == now), "{moments:?}");
            assert!(weight < CUT_BYTES_MAX + 20_000, "{weight}");
            assert!(!batch.more || weight >= CUT_BYTES_MAX, "{weight} and more waits");
            told += moments.len();
            begun.push(now);
            play.run("tA");
        }
        assert_eq!(begun.len() > 1, wanted > 5, "{begun:?}");
    }
}

/// Whoever comes back to a book finds the log of its depth, if not too late.
#[test]
fn the_log_of_a_depth_outlives_its_last_reader() {
    let options = Options { depth: Depth::Top(5), ..Options::default() };
    for (late, expected) in [(false, Resumed::Filled), (true, Resumed::Missing)] {
        let mut play = Play::new(&options);
        play.run("BA bA +");
        let cursor = play.fanout.cursor(play.session);
        play.fanout.close_session(play.session);
        let away = VIEW_KEPT.as_millis() + u128::from(late) * 2 - 1;
        play.run(&format!("@{away} bA"));
        let book = TopicId { symbol: play.fanout.symbol("A").unwrap(), stream: Stream::Book };
        let session = play.fanout.open_session();
        let room = &mut usize::MAX.clone();
        let resumed = play.fanout.resume(session, book, options.clone(), Some(cursor), room);
        assert_eq!(resumed.unwrap(), expected);
    }
}
