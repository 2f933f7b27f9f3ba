//! Cases: what is published and drained, and what one reader is sent.
//!
//! Published: `q` quote, `t` trade, `k` ticker, `b` book change, `B` whole book, `X` feed gap,
//! `s` status, `c` bar, `C` closed bar, each with a symbol (`qA`) and perhaps a count (`qA*9`).
//! `+` drains with room for everything, `~` with room for one turn, `@5` lets 5 ms pass.
//!
//! Sent: the same letters with the sequence; `(2)` = stands for two more; `T1-7` summary, `b1-3`
//! merged change, `G4-6` gap, `S9` snapshot as of 9, `S-` snapshot of nothing. `!` and `.` are the
//! notices that coalescing began and ended. Streams of B are marked `'`.

use std::sync::Arc;
use std::time::Duration;

use ::model::{
    Body, BookChange, Candle, Correction, FeedGap, GapReason, Instrument, Interval, Level, Levels, Price,
    Quote, Side, Size, State, StatusChange, Symbol, Tick, Trade, UnixNanos, Venue,
};
use rust_decimal::Decimal;

use crate::limits::LogLimits;
use crate::{
    Batch, Depth, Fanout, Item, Kind, Options, Overflow, Sequencer, SessionId, Snapshot, Stream,
    SubscribeError, TopicId,
};

pub(super) fn level(price: i64, size: i64) -> Level {
    Level { price: Price::new(Decimal::new(price, 1)), size: Size::new(Decimal::new(size, 1)).unwrap() }
}

pub(super) fn body(letter: char, n: i64) -> Body {
    match letter {
        't' => Body::Trade(Trade {
            price: level(100 + n % 7, 0).price,
            size: level(0, 1 + n % 5).size,
            side: [Side::Buy, Side::Sell, Side::Unknown][usize::try_from(n % 3).unwrap()],
            id: None,
        }),
        'x' => {
            Body::Correction(Box::new(Correction { id: n.to_string().into(), original: None, becomes: None }))
        }
        'q' => Body::Quote(Quote::of(Some(level(n, 1 + n % 5)), None, false)),
        'k' => Body::Ticker(Box::default()),
        'b' => {
            Body::Book(BookChange::Delta(Levels { bids: vec![level(90 + n % 10, 1 + n % 3)], asks: vec![] }))
        }
        'B' => Body::Book(BookChange::Snapshot(Levels {
            bids: (0..8).map(|at| level(90 + at, 1 + (n + at) % 4)).collect(),
            asks: (0..8).map(|at| level(110 + at, 1)).collect(),
        })),
        'X' => Body::Book(BookChange::Gap(FeedGap {
            reason: GapReason::Sequence,
            venue_from: None,
            venue_to: None,
        })),
        's' => Body::Status(Box::new(StatusChange {
            state: State::Open,
            reason: "".into(),
            feed: "".into(),
            since: None,
        })),
        'c' | 'C' => {
            let (price, volume) = (level(100, 0).price, Decimal::ONE);
            let (interval, start, closed) = (Interval::M1, UnixNanos(0), letter == 'C');
            let (open, high, low, close) = (price, price, price, price);
            Body::Candle(Box::new(Candle {
                interval,
                start,
                open,
                high,
                low,
                close,
                volume,
                trades: 1,
                closed,
                corrected: false,
            }))
        }
        other => panic!("no such event: {other}"),
    }
}

pub(super) fn instrument(symbol: &str) -> Arc<Instrument> {
    Arc::new(Instrument::named(Symbol::parse(symbol).unwrap(), Venue::new("test"), symbol))
}

pub(super) struct Play {
    sequencer: Sequencer,
    pub(super) fanout: Fanout,
    pub(super) session: SessionId,
    now: Duration,
    published: i64,
    pub(super) said: Vec<String>,
}

impl Play {
    /// A session that reads every stream of A and B. Their books are known, at sequence 1.
    pub(super) fn new(options: &Options) -> Self {
        let limits = LogLimits { events: 12, closed_bars: 4, ..LogLimits::default() };
        let mut fanout = Fanout::new(limits);
        let session = fanout.open_session();
        let (sequencer, now) = (Sequencer::default(), Duration::ZERO);
        let mut play = Self { sequencer, fanout, session, now, published: 0, said: Vec::new() };
        for symbol in ["A", "B"] {
            play.publish('B', symbol);
            let id = play.fanout.symbol(symbol).unwrap();
            for stream in [
                Stream::Trades,
                Stream::Quotes,
                Stream::Ticker,
                Stream::Book,
                Stream::Status,
                Stream::Candles(Interval::M1),
            ] {
                let options = Options { snapshot: stream == Stream::Book, ..options.clone() };
                play.fanout.subscribe(session, TopicId { symbol: id, stream }, options).unwrap();
            }
        }
        play.drain(usize::MAX);
        play.said.clear();
        play
    }

    fn publish(&mut self, letter: char, symbol: &str) {
        self.published += 1;
        let at = UnixNanos(u64::try_from(self.published).unwrap());
        let tick = Tick {
            instrument: instrument(symbol),
            ts_event: Some(at),
            ts_source: None,
            ts_recv: Some(at),
            body: body(letter, self.published),
        };
        let event = self.sequencer.push(tick, at).unwrap().unwrap();
        self.fanout.publish(&event, self.now);
    }

    pub(super) const fn published(&self) -> i64 {
        self.published
    }

    pub(super) fn drain(&mut self, budget: usize) -> Batch {
        self.fanout.handle_timeout(self.now);
        let batch = self.fanout.drain(self.session, budget, self.now);
        let batch = super::spelled_out(&self.fanout, batch);
        self.said.extend(batch.started.map(|_| "!".into()));
        let items: Vec<_> = batch.items.iter().map(|item| self.say(item)).collect();
        self.said.extend(items);
        self.said.extend(batch.ended.map(|_| ".".into()));
        if batch.overrun {
            self.said.push("overrun".into());
        }
        batch
    }

    fn say(&self, item: &Item) -> String {
        let letter = match item.topic.stream {
            Stream::Trades => "t",
            Stream::Quotes => "q",
            Stream::Ticker => "k",
            Stream::Book => "b",
            Stream::Status => "s",
            Stream::Candles(_) => "c",
        };
        let said = match &item.kind {
            Kind::Event { event, prev } if prev.next() == event.seq => format!("{letter}{}", event.seq),
            Kind::Event { event, prev } => format!("{letter}{}({})", event.seq, event.seq.since(*prev) - 1),
            Kind::Summary { record, prev } => format!("T{}-{}", prev.next(), record.last.seq),
            Kind::Book { record, prev } if prev.next() == record.seq => format!("b{}", record.seq),
            Kind::Book { record, prev } => format!("b{}-{}", prev.next(), record.seq),
            Kind::Gap { range: Some((from, to)), .. } => format!("G{from}-{to}"),
            Kind::Gap { range: None, .. } => "G?".into(),
            Kind::Snapshot { state: Snapshot::Empty(_), .. } => "S-".into(),
            Kind::Snapshot { state: Snapshot::Book(book), .. } => format!("S{}", book.seq),
            Kind::Snapshot { state: Snapshot::Events(events), .. } => {
                format!("S{letter}{}-{}", events.first().unwrap().seq, events.last().unwrap().seq)
            }
        };
        let symbol = &self.fanout.instrument(item.topic.symbol).symbol;
        if symbol.as_str() == "B" { said + "'" } else { said }
    }

    pub(super) fn run(&mut self, script: &str) {
        for word in script.split_whitespace() {
            match word {
                "+" => drop(self.drain(usize::MAX)),
                "~" => drop(self.drain(1)),
                _ => {
                    if let Some((_, millis)) = word.split_once('@') {
                        self.now += Duration::from_millis(millis.parse().unwrap());
                    } else {
                        let (event, count) = word.split_once('*').unwrap_or((word, "1"));
                        let (letter, symbol) = event.split_at(1);
                        for _ in 0..count.parse().unwrap() {
                            self.publish(letter.chars().next().unwrap(), symbol);
                        }
                    }
                }
            }
        }
    }
}

#[track_caller]
fn check_with(options: &Options, script: &str, sent: &str) {
    let mut play = Play::new(options);
    play.run(script);
    assert_eq!(play.said.join(" "), sent, "{script}");
}

#[track_caller]
fn check(script: &str, sent: &str) {
    check_with(&Options::default(), script, sent);
}

#[test]
fn who_keeps_up_gets_every_event() {
    check("qA + qA +", "q1 q2");
    check("qA qA qA +", "q1 q2 q3");
    check("tA qA tB bA kA cA sA +", "t1 q1 t1' b2 k1 c1 s1");
    check("tA*9 qB*9 +", "t1 t2 t3 t4 t5 t6 t7 t8 t9 q1' q2' q3' q4' q5' q6' q7' q8' q9'");
}

#[test]
fn who_is_slow_gets_the_newest_quote() {
    check("qA*9 ~", "! q9(8) .");
    check("qA*9 ~ qA +", "! q9(8) . q10");
    check("kA*9 ~", "! k9(8) .");
}

#[test]
fn trades_are_conserved_and_the_newest_shown() {
    check("tA*9 ~", "! T1-7 t8 t9 .");
    // Beyond the log of twelve: a summary of what left it too.
    check("tA*40 ~", "! T1-38 t39 t40 .");
    check("tA*40 ~ tA ~", "! T1-38 t39 t40 . t41");
}

#[test]
fn the_order_of_the_source_is_kept() {
    check("qA tA qA tA +", "q1 t1 q2 t2");
    // A merged record stands where its newest part stands.
    check("qA*4 tA qA*4 tA ~", "! t1 q8(7) t2 .");
}

#[test]
fn no_summary_spans_a_status_change() {
    check("tA*20 sA tA*20 ~", "! T1-20 s1 T21-38 t39 t40 .");
    check("tA*3 sA tA*30 + ", "! T1-3 s1 T4-21 t22 t23 t24 t25 t26 t27 t28 t29 t30 t31 t32 t33 .");
    check("tA sA tA*20 +", "! t1 s1 T2-9 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t20 t21 .");
}

#[test]
fn no_summary_spans_a_correction() {
    check("tA xA tA +", "t1 t2 t3");
    check("tA*20 xA tA*20 ~", "! T1-20 t21 T22-39 t40 t41 .");
    let options = Options { conflate: Duration::from_millis(100), ..Options::default() };
    check_with(&options, "tA*3 xA tA*2 @100 +", "T1-3 t4 T5-6");
}

#[test]
fn symbols_take_turns() {
    // One turn each: the first drain serves A's quotes, the second B's.
    check("qA*9 qB*9 ~ ~", "! q9(8) q9(8)' .");
    // A stream that wants little gets it, whatever another wants.
    let mut play = Play::new(&Options::default());
    play.run("qA*11 qB");
    play.drain(1_500);
    assert_eq!(play.said.join(" "), "! q11(10) q1' .");
}

#[test]
fn book_changes_merge() {
    check("bA bA bA +", "b2 b3 b4");
    check("bA*9 ~", "! b2-10 .");
    check("bA*40 +", "! b2-41 .");
    check("bA*40 + bA +", "! b2-41 . b42");
    // A whole book over a known one is a change.
    check("BA +", "b2");
}

#[test]
fn a_feed_gap_is_told_and_healed_by_a_snapshot() {
    check("bA XA bA bA BA bA +", "b2 G3-3 S6 b7");
    check("bA XA +", "b2 G3-3");
    // What came before the newest snapshot of the feed is void, the rest is in ours.
    check("XA BA bA*30 +", "! G2-3 S33 .");
    // Slow, and the gap among what waits.
    check("bA*5 XA BA bA*3 ~", "! G2-7 S11 .");
    check("bA*5 XA ~", "! G2-7 .");
}

#[test]
fn closed_bars_and_states_always_come() {
    check("cA cA CA cA cA CA cA +", "c1 c2 c3 c4 c5 c6 c7");
    check("cA cA CA cA cA CA cA ~", "! c3(2) c6(2) c7 .");
    // Four closed bars are kept; what is beyond is told.
    check("CA*6 ~", "! G1-2 c3 c4 c5 c6 .");
    check("sA*9 ~ ~ ~", "s1 s2 s3 s4 s5 s6 s7 s8 s9");
    check("sA*14 +", "! G1-2 s3 s4 s5 s6 s7 s8 s9 s10 s11 s12 s13 s14 .");
}

#[test]
fn overflow_gap_drops_and_says_what() {
    let options = Options { overflow: Overflow::Gap, ..Options::default() };
    check_with(&options, "tA*9 ~ tA +", "! G1-9 . t10");
    check_with(&options, "qA*9 ~", "! G1-9 .");
    check_with(&options, "bA*9 ~ bA +", "! G2-10 S10 . b11");
    check_with(&options, "cA*3 CA cA*3 ~", "! c4(3) c7(2) .");
    check_with(&options, "sA*9 ~ ~ ~", "s1 s2 s3 s4 s5 s6 s7 s8 s9");
    check_with(&options, "tA*4 +", "t1 t2 t3 t4");
}

#[test]
fn overflow_disconnect_drops_nothing() {
    let options = Options { overflow: Overflow::Disconnect, ..Options::default() };
    check_with(&options, "tA*9 ~ ~ ~", "t1 t2 t3 t4 t5 t6 t7 t8 t9");
    check_with(&options, "bA*9 ~ ~ ~", "b2 b3 b4 b5 b6 b7 b8 b9 b10");
    check_with(&options, "tA*12 +", "t1 t2 t3 t4 t5 t6 t7 t8 t9 t10 t11 t12");
    check_with(&options, "tA*13 +", "overrun");
    check_with(&options, "tA*9 ~ tA*9 ~", "t1 t2 t3 t4 overrun");
    check_with(&options, "bA*13 ~", "overrun");
}

#[test]
fn conflation_is_one_record_an_interval() {
    let options = Options { conflate: Duration::from_millis(100), ..Options::default() };
    check_with(&options, "@100 qA + qA qA + @99 qA + @1 + @100 + qA +", "q1 q4(2) q5");
    check_with(&options, "@100 tA + tA tA tA + @100 +", "t1 T2-4");
    check_with(&options, "@100 tA*5 sA tA*5 +", "T1-5 s1 T6-10");
    check_with(&options, "@100 bA bA +", "b2-3");
    // Closed bars, states and gaps do not wait; what they wake goes with them.
    check_with(&options, "@100 cA + cA + CA +", "c1 c3(1)");
    check_with(&options, "@100 sA + sA +", "s1 s2");
    check_with(&options, "@100 bA + bA XA +", "b2 G3-4");
}

#[test]
fn depth_hides_what_lies_behind_it() {
    // The best bid is 9.7; changes at 9.0 to 9.9 reach the first level now and then.
    let options = Options { depth: Depth::Top(1), ..Options::default() };
    let mut play = Play::new(&options);
    play.run("bA*30");
    let mut seen = play.drain(usize::MAX).items.len();
    assert!(seen > 0);
    seen = play.said.len();
    assert!(seen < 30, "{seen}");
    let ledger =
        play.fanout.ledgers(play.session).into_iter().find(|l| l.topic.stream == Stream::Book).unwrap();
    assert_eq!(ledger.published, 30);
    assert_eq!(ledger.delivered + ledger.coalesced + ledger.skipped + ledger.pending, 30);
}

#[test]
fn an_unsubscribe_is_a_fence() {
    let mut play = Play::new(&Options::default());
    play.run("tA*3 tB");
    let trades = TopicId { symbol: play.fanout.symbol("A").unwrap(), stream: Stream::Trades };
    let ledger = play.fanout.unsubscribe(play.session, trades).unwrap();
    assert_eq!((ledger.published, ledger.delivered, ledger.pending), (3, 0, 3));
    play.run("tA +");
    assert_eq!(play.said.join(" "), "t1'");
    assert_eq!(play.fanout.unsubscribe(play.session, trades), None);
}

#[test]
fn a_book_begins_with_a_snapshot() {
    let mut play = Play::new(&Options::default());
    let other = play.fanout.open_session();
    let book = TopicId { symbol: play.fanout.symbol("A").unwrap(), stream: Stream::Book };
    let without = Options { snapshot: false, ..Options::default() };
    assert_eq!(play.fanout.subscribe(other, book, without), Err(SubscribeError::SnapshotNeeded));
    // Nothing known yet: an empty snapshot, and the book when it comes.
    play.run("XA");
    play.session = other;
    play.fanout.subscribe(other, book, Options::default()).unwrap();
    play.run("+ bA BA bA +");
    assert_eq!(play.said.join(" "), "S- S4 b5");
}

#[test]
fn snapshots_of_every_stream() {
    let mut play = Play::new(&Options::default());
    play.run("tA*60 qA*3 cA CA cA CA cA kA sA +");
    play.said.clear();
    play.session = play.fanout.open_session();
    let id = play.fanout.symbol("A").unwrap();
    for stream in
        [Stream::Trades, Stream::Quotes, Stream::Ticker, Stream::Status, Stream::Candles(Interval::M1)]
    {
        let topic = TopicId { symbol: id, stream };
        play.fanout
            .subscribe(play.session, topic, Options { snapshot_limit: Some(2), ..Options::default() })
            .unwrap();
    }
    let empty = TopicId { symbol: id, stream: Stream::Candles(Interval::D1) };
    play.fanout.subscribe(play.session, empty, Options::default()).unwrap();
    play.run("+");
    play.said.sort_unstable();
    assert_eq!(play.said.join(" "), "S- Sc4-5 Sk1-1 Sq3-3 Ss1-1 St59-60");
}

#[test]
fn the_cursor_is_the_low_water_mark() {
    let mut play = Play::new(&Options { overflow: Overflow::Disconnect, ..Options::default() });
    let start = play.fanout.cursor(play.session);
    play.run("tA*9 qA");
    // Nine trades fit, in their order; the quote behind them has to wait.
    assert_eq!(play.drain(1).cursor, start + 9);
    assert_eq!(play.drain(usize::MAX).cursor, start + 10);
    play.run("qA");
    assert_eq!(play.fanout.cursor(play.session), start + 10);
}

#[test]
fn a_session_that_is_gone_is_nobody() {
    let mut play = Play::new(&Options::default());
    play.run("tA");
    play.fanout.close_session(play.session);
    let mut ready = Vec::new();
    play.fanout.take_ready(&mut ready);
    assert_eq!(ready, []);
    play.run("tA*40 bA*40 +");
    assert_eq!(play.said, [""; 0]);
}

#[test]
fn totals_that_do_not_fit_make_two_records() {
    let mut play = Play::new(&Options::default());
    for _ in 0..9 {
        play.published += 1;
        let trade = Trade {
            price: Price::new(Decimal::MAX),
            size: Size::new(Decimal::ONE).unwrap(),
            side: Side::Buy,
            id: None,
        };
        let tick = Tick {
            instrument: instrument("A"),
            ts_event: None,
            ts_source: None,
            ts_recv: None,
            body: Body::Trade(trade),
        };
        let event = play.sequencer.push(tick, UnixNanos(1)).unwrap().unwrap();
        play.fanout.publish(&event, play.now);
    }
    play.run("~");
    // Two notionals of that size do not fit into one sum: nothing is merged, nothing is wrong.
    assert_eq!(play.said.join(" "), "t1 t2 t3 t4 t5 t6 t7 t8 t9");
}
