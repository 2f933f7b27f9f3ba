//! Options beyond depth and overflow: freshness, order around trades, priority, filters, pauses, and
//! coming back.

use std::sync::Arc;
use std::time::Duration;

use ::model::{Filter, Interval};

use super::script::{Play, level};
use crate::limits::FILTERS_MAX;
use crate::{Options, Overflow, Priority, Resumed, Stream, TopicId};

fn topic(play: &Play, symbol: &str, stream: Stream) -> TopicId {
    TopicId { symbol: play.fanout.symbol(symbol).unwrap(), stream }
}

fn set(play: &mut Play, symbol: &str, stream: Stream, options: Options) {
    let topic = topic(play, symbol, stream);
    play.fanout.subscribe(play.session, topic, Options { snapshot: false, ..options }).unwrap();
}

#[track_caller]
fn said(play: &mut Play, script: &str, sent: &str) {
    play.said.clear();
    play.run(script);
    assert_eq!(play.said.join(" "), sent, "{script}");
}

#[test]
fn nothing_older_than_asked_for_leaves() {
    let mut play = Play::new(&Options { max_age: Some(Duration::from_millis(50)), ..Options::default() });
    said(&mut play, "qA bA @50 +", "q1 b2");
    said(&mut play, "qA kA bA @51 +", "");
    // The next one stands for what was withheld, and the ledger says so.
    said(&mut play, "qA bA +", "q3(1) b3-4");
    said(&mut play, "kA tA @99 +", "t1");
    assert_eq!(play.fanout.stats().withheld, 4);
}

#[test]
fn a_quote_goes_before_its_trade() {
    let safe = Options { trade_safe: true, ..Options::default() };
    let mut play = Play::new(&safe);
    // Merged: without it only q6 would come, after the trade.
    said(&mut play, "qA*3 tA qA*3 ~", "! q3(2) t1 q6(2) .");
    set(&mut play, "A", Stream::Quotes, Options { conflate: Duration::from_millis(100), ..safe });
    said(&mut play, "qA + qA tA +", "q8(1) t2");
    said(&mut play, "qA @99 + @1 +", "q9");
}

#[test]
fn who_matters_less_is_merged_first() {
    let mut play = Play::new(&Options::default());
    set(&mut play, "A", Stream::Trades, Options { priority: Priority::Low, ..Options::default() });
    set(&mut play, "B", Stream::Trades, Options { priority: Priority::High, ..Options::default() });
    play.run("tA*9 tB*9");
    play.drain(2_600);
    assert_eq!(play.said.join(" "), "! T1-7 t8 t9 t1' t2' t3' t4' t5' t6' t7' t8' t9' .");
}

#[test]
fn a_filter_lets_through_what_was_asked_for() {
    // Sizes go 0.1 to 0.5 and around.
    let filter = Some(Arc::new(Filter { min_size: Some(level(0, 4).size), ..Filter::default() }));
    let large = Options { filter, ..Options::default() };
    let mut play = Play::new(&Options::default());
    set(&mut play, "A", Stream::Trades, large.clone());
    let before = play.published();
    // The size of what is published as number n is 1 + n % 5 tenths.
    let large = (1..=10).filter(|n| 1 + (before + n) % 5 >= 4);
    let mut last = 0;
    let shown = large.map(|n| {
        let hidden = n - std::mem::replace(&mut last, n) - 1;
        if hidden == 0 { format!("t{n}") } else { format!("t{n}({hidden})") }
    });
    let shown = shown.collect::<Vec<_>>().join(" ");
    said(&mut play, "tA*10 +", &shown);
    let ledger = play.fanout.ledgers(play.session).into_iter();
    let ledger = ledger.into_iter().find(|ledger| ledger.topic == topic(&play, "A", Stream::Trades)).unwrap();
    assert_eq!(ledger.published, ledger.delivered + ledger.coalesced + ledger.pending);
    // What a filter hid lies in the range of the next one.
    set(&mut play, "A", Stream::Trades, Options::default());
    said(&mut play, "+ tA +", &format!("t11({})", ledger.pending));
    // Another filter holds once what waits is sent.
    let none = Some(Arc::new(Filter { min_size: Some(level(0, 99).size), ..Filter::default() }));
    play.run("tA");
    set(&mut play, "A", Stream::Trades, Options { filter: none, ..Options::default() });
    said(&mut play, "+ tA*3 +", "t12");
}

/// Counting begins where the reader begins, also where a filter hides all there was.
#[test]
fn history_that_a_filter_hides_is_in_no_account() {
    let mut play = Play::new(&Options::default());
    play.run("tA*50 +");
    let all = Some(Arc::new(Filter { min_size: Some(level(0, 99).size), ..Filter::default() }));
    let trades = topic(&play, "A", Stream::Trades);
    play.fanout.unsubscribe(play.session, trades).unwrap();
    play.fanout.subscribe(play.session, trades, Options { filter: all, ..Options::default() }).unwrap();
    said(&mut play, "+ tA*3 +", "S-");
    let ledger = play.fanout.unsubscribe(play.session, trades).unwrap();
    assert_eq!((ledger.published, ledger.pending), (3, 3));
}

#[test]
fn a_pause_keeps_the_place() {
    let mut play = Play::new(&Options::default());
    let quotes = topic(&play, "A", Stream::Quotes);
    assert!(play.fanout.pause(play.session, quotes, true));
    said(&mut play, "qA*3 tA +", "t1");
    assert!(play.fanout.pause(play.session, quotes, false));
    said(&mut play, "+", "q1 q2 q3");
    // What is merged for a pause is not for slowness, so there is no notice.
    play.fanout.pause(play.session, quotes, true);
    said(&mut play, "qA*40 +", "");
    play.fanout.pause(play.session, quotes, false);
    said(&mut play, "+", "q43(39)");
    let candles = topic(&play, "A", Stream::Candles(Interval::H1));
    assert!(!play.fanout.pause(play.session, candles, true), "not subscribed");
}

/// Of what is withheld for its age and a filter that waits for it to be sent, neither waits for the other.
#[test]
fn a_changed_filter_does_not_wait_for_what_is_too_old() {
    let filter = Some(Arc::new(Filter { min_price: Some(level(0, 0).price), ..Filter::default() }));
    let young = Options { max_age: Some(Duration::from_millis(5)), ..Options::default() };
    let mut play = Play::new(&Options::default());
    set(&mut play, "A", Stream::Quotes, Options { filter, ..young.clone() });
    said(&mut play, "qA @50 +", "");
    set(&mut play, "A", Stream::Quotes, young);
    said(&mut play, "+ qA +", "q1 q2");
}

/// A quote that goes before its trade leaves those after it where they were: who comes back with the
/// cursor gets them.
#[test]
fn a_hurried_quote_takes_no_other_along() {
    let mut play = Play::new(&Options { trade_safe: true, ..Options::default() });
    let quotes = topic(&play, "A", Stream::Quotes);
    let filter = Some(Arc::new(Filter { min_size: Some(level(0, 2).size), ..Filter::default() }));
    let options = Options { conflate: Duration::from_millis(100), filter, ..Options::default() };
    set(&mut play, "A", Stream::Quotes, options.clone());
    let last = |play: &Play, session| {
        let ledgers = play.fanout.ledgers(session).into_iter();
        ledgers.filter(|ledger| ledger.topic == quotes).map(|ledger| ledger.last_sequence).max().unwrap()
    };
    // Sizes go around, so that every pattern of shown and hidden quotes comes.
    for _ in 0..10 {
        play.run("@100 qA + qA tA qA qA tA @1 +");
        let (sent, cursor) = (last(&play, play.session), play.fanout.cursor(play.session));
        let other = play.fanout.open_session();
        play.fanout.resume(other, quotes, options.clone(), Some(cursor), &mut usize::MAX.clone()).unwrap();
        play.fanout.drain(other, 1 << 20, Duration::from_secs(3_600));
        let resumed = last(&play, other);
        play.run("@100 +");
        assert_eq!(sent.max(resumed), last(&play, play.session), "cursor {cursor}");
    }
}

#[test]
fn what_is_wanted_is_the_filter_that_is_still_to_hold() {
    let mut play = Play::new(&Options::default());
    play.run("tA");
    let filter = Some(Arc::new(Filter { side: Some(::model::Side::Buy), ..Filter::default() }));
    set(&mut play, "A", Stream::Trades, Options { filter: filter.clone(), ..Options::default() });
    let trades = topic(&play, "A", Stream::Trades);
    let of_trades =
        |all: Vec<(TopicId, Options)>| all.into_iter().find(|(topic, _)| *topic == trades).unwrap().1;
    assert_eq!(
        of_trades(play.fanout.subscriptions(play.session)).filter,
        None,
        "what waits is for the old one"
    );
    assert_eq!(of_trades(play.fanout.wanted(play.session)).filter, filter);
}

/// However many wait for it, a filter has its place from when it was asked for.
#[test]
fn filters_that_are_still_to_hold_count() {
    let mut play = Play::new(&Options::default());
    let trades = topic(&play, "A", Stream::Trades);
    let sessions: Vec<_> = (0..FILTERS_MAX + 8).map(|_| play.fanout.open_session()).collect();
    let plain = Options { snapshot: false, ..Options::default() };
    for &session in &sessions {
        play.fanout.subscribe(session, trades, plain.clone()).unwrap();
    }
    play.run("tA");
    let own = |n: usize| {
        let size = ::model::Size::new(rust_decimal::Decimal::new(i64::try_from(n).unwrap() + 1, 3)).unwrap();
        Options {
            filter: Some(Arc::new(Filter { min_size: Some(size), ..Filter::default() })),
            ..plain.clone()
        }
    };
    let mut taken = 0;
    for (n, &session) in sessions.iter().enumerate() {
        taken += usize::from(play.fanout.subscribe(session, trades, own(n)).is_ok());
    }
    assert_eq!(taken, FILTERS_MAX);
    // Who changes his mind, or leaves, makes room; also one whose filter has come to hold.
    play.fanout.subscribe(sessions[0], trades, plain.clone()).unwrap();
    play.fanout.subscribe(sessions[FILTERS_MAX], trades, own(FILTERS_MAX)).unwrap();
    play.fanout.unsubscribe(sessions[1], trades).unwrap();
    play.fanout.drain(sessions[2], 1 << 20, Duration::ZERO);
    play.fanout.unsubscribe(sessions[2], trades).unwrap();
    for (n, &session) in sessions[FILTERS_MAX + 1..FILTERS_MAX + 3].iter().enumerate() {
        play.fanout.subscribe(session, trades, own(50 + n)).unwrap();
    }
    assert!(play.fanout.subscribe(sessions[FILTERS_MAX + 3], trades, own(99)).is_err());
}

/// Comes back with another session, for one stream of A.
/// A conflation interval holds closed bars back no more after a pause than before it.
#[test]
fn a_pause_makes_nothing_urgent_wait() {
    let mut play = Play::new(&Options { conflate: Duration::from_millis(100), ..Options::default() });
    let bars = topic(&play, "A", Stream::Candles(Interval::M1));
    said(&mut play, "@100 cA +", "c1");
    // Closed before the pause, and within it.
    play.run("CA");
    play.fanout.pause(play.session, bars, true);
    said(&mut play, "cA +", "");
    play.fanout.pause(play.session, bars, false);
    said(&mut play, "+", "c2");
    play.fanout.pause(play.session, bars, true);
    said(&mut play, "cA CA cA +", "");
    play.fanout.pause(play.session, bars, false);
    said(&mut play, "+", "c5(2)");
    said(&mut play, "@99 + @1 +", "c6");
}

fn come_back(play: &mut Play, stream: Stream, options: Options, cursor: impl Into<Option<u64>>) -> Resumed {
    play.fanout.close_session(play.session);
    play.session = play.fanout.open_session();
    play.said.clear();
    let topic = topic(play, "A", stream);
    play.fanout.resume(play.session, topic, options, cursor.into(), &mut usize::MAX.clone()).unwrap()
}

#[test]
fn coming_back_gets_all_that_is_kept() {
    for (letter, stream, sent) in [
        ('t', Stream::Trades, "t3 t4 t5"),
        ('q', Stream::Quotes, "q3 q4 q5"),
        ('b', Stream::Book, "b4 b5 b6"),
        ('c', Stream::Candles(Interval::M1), "c3 c4 c5"),
    ] {
        let mut play = Play::new(&Options::default());
        play.run(&format!("{letter}A*2 +"));
        let cursor = play.fanout.cursor(play.session);
        play.run(&format!("{letter}A*3"));
        // Conflation is for what comes later.
        let options = Options { conflate: Duration::from_millis(100), ..Options::default() };
        assert_eq!(come_back(&mut play, stream, options, cursor), Resumed::Filled);
        play.run("+");
        assert_eq!(play.said.join(" "), sent);
        assert_eq!(play.fanout.cursor(play.session), play.fanout.position);
    }
}

#[test]
fn what_is_not_kept_is_named() {
    let mut play = Play::new(&Options::default());
    play.run("tA*2 +");
    let cursor = play.fanout.cursor(play.session);
    play.run("tA*20");
    assert_eq!(come_back(&mut play, Stream::Trades, Options::default(), cursor), Resumed::Missing);
    play.run("+ tA +");
    assert_eq!(play.said.join(" "), "G3-22 St11-22 t23");
    // What is too much to be sent again counts as not kept.
    let cursor = play.fanout.cursor(play.session);
    play.run("tA*5");
    play.fanout.close_session(play.session);
    play.session = play.fanout.open_session();
    let (trades, mut room) = (topic(&play, "A", Stream::Trades), 500);
    let resumed = play.fanout.resume(play.session, trades, Options::default(), Some(cursor), &mut room);
    assert_eq!((resumed.unwrap(), room), (Resumed::Missing, 500));
}

#[test]
fn a_cursor_of_another_life_gets_the_state() {
    let mut play = Play::new(&Options::default());
    play.run("tA*2 +");
    assert_eq!(come_back(&mut play, Stream::Trades, Options::default(), None), Resumed::Missing);
    said(&mut play, "+", "G? St1-2");
    // Another shard was ahead of this one.
    let future = Some(play.fanout.position + 1);
    assert_eq!(come_back(&mut play, Stream::Trades, Options::default(), future), Resumed::Filled);
    said(&mut play, "+ tA +", "t3");
    let trades = topic(&play, "A", Stream::Trades);
    let again =
        play.fanout.resume(play.session, trades, Options::default(), None, &mut usize::MAX.clone()).unwrap();
    assert_eq!(again, Resumed::Kept);
}

#[test]
fn a_stream_that_may_not_lose_anything_comes_back_too() {
    let lossless = Options { overflow: Overflow::Disconnect, ..Options::default() };
    let mut play = Play::new(&lossless);
    play.run("tA +");
    let cursor = play.fanout.cursor(play.session);
    play.run("tA*8");
    assert_eq!(come_back(&mut play, Stream::Trades, lossless, cursor), Resumed::Filled);
    play.run("~ tA ~ ~");
    assert_eq!(play.said.join(" "), "t2 t3 t4 t5 t6 t7 t8 t9 t10");
}
