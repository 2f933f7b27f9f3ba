//! Subscribing again: place and ledger stay, the new options hold.

use std::time::Duration;

use ::model::Interval;

use super::script::Play;
use crate::{Depth, Options, Stream, TopicId};

fn topic(play: &Play, stream: Stream) -> TopicId {
    TopicId { symbol: play.fanout.symbol("A").unwrap(), stream }
}

#[test]
fn a_second_subscribe_keeps_the_place() {
    let mut play = Play::new(&Options::default());
    play.run("tA tA");
    let a = play.fanout.symbol("A").unwrap();
    let trades = TopicId { symbol: a, stream: Stream::Trades };
    play.fanout.subscribe(play.session, trades, Options::default()).unwrap();
    let book = TopicId { symbol: a, stream: Stream::Book };
    play.run("bA");
    play.fanout.subscribe(play.session, book, Options { snapshot: false, ..Options::default() }).unwrap();
    play.run("+ bA +");
    assert_eq!(play.said.join(" "), "t1 t2 St1-2 b2 b3");
    play.said.clear();
    // Another depth brings the book of that depth, also unasked.
    let other = Options { snapshot: false, depth: Depth::Top(5), ..Options::default() };
    play.run("bA");
    play.fanout.subscribe(play.session, book, other).unwrap();
    play.run("+ bA*20 +");
    assert_eq!(play.said[0], "S4");
    let ledger = play.fanout.ledgers(play.session).into_iter().find(|l| l.topic == book).unwrap();
    assert_eq!((ledger.published, ledger.skipped), (23, 1));
}

#[test]
fn a_state_asked_for_again_does_not_wait_and_nothing_else_hurries() {
    let slow = Options { conflate: Duration::from_millis(100), ..Options::default() };
    for (letter, stream, sent) in [
        ('q', Stream::Quotes, "q1 Sq1-1 q4(2)"),
        ('t', Stream::Trades, "t1 St1-1 T2-4"),
        ('c', Stream::Candles(Interval::M1), "c1 Sc1-1 c4(2)"),
    ] {
        let mut play = Play::new(&slow);
        play.run(&format!("@100 {letter}A + {letter}A {letter}A @5 +"));
        let topic = topic(&play, stream);
        play.fanout.subscribe(play.session, topic, slow.clone()).unwrap();
        play.run(&format!("+ {letter}A + @94 + @1 +"));
        assert_eq!(play.said.join(" "), sent);
        // Without a snapshot asked for, nothing comes before its time.
        play.run(&format!("{letter}A"));
        play.fanout.subscribe(play.session, topic, Options { snapshot: false, ..slow.clone() }).unwrap();
        play.said.clear();
        play.run("+ @99 +");
        assert_eq!(play.said.join(" "), "");
    }
}

#[test]
fn a_checksum_asked_for_later_brings_no_snapshot() {
    let mut play = Play::new(&Options::default());
    play.run("bA bA +");
    play.said.clear();
    let book = topic(&play, Stream::Book);
    let with = Options { snapshot: false, checksum: true, ..Options::default() };
    play.fanout.subscribe(play.session, book, with).unwrap();
    play.run("+ bA +");
    assert_eq!(play.said.join(" "), "b4");
}

/// What happened before the first snapshot is in it, and in no account.
#[test]
fn an_account_begins_with_the_first_snapshot() {
    let mut play = Play::new(&Options::default());
    play.run("bA");
    let book = topic(&play, Stream::Book);
    let other = play.fanout.open_session();
    play.fanout.subscribe(other, book, Options::default()).unwrap();
    play.run("bA*5");
    drop(play.fanout.drain(other, usize::MAX, Duration::ZERO));
    let ledger = play.fanout.ledgers(other)[0];
    assert_eq!((ledger.published, ledger.skipped, ledger.last_sequence.0), (0, 0, 7));
    play.run("bA*2");
    drop(play.fanout.drain(other, usize::MAX, Duration::ZERO));
    let ledger = play.fanout.ledgers(other)[0];
    assert_eq!((ledger.published, ledger.delivered, ledger.skipped), (2, 2, 0));
}
