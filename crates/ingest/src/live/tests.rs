//! Sessions by script: what happens and when goes in, what is done comes out, in words.

use std::time::{Duration, Instant};

use model::{Body, BookChange, UnixNanos};

use super::effect::{Answer, Count, Effect, Input, Loss};
use super::session::Session;
use super::{LiveChannel, LiveSpec, Timing};

/// 2026-11-20T14:30:00Z.
const WALL: u64 = 1_795_185_000_000_000_000;

fn spec(feed: &str, symbol: &str) -> LiveSpec {
    LiveSpec {
        feed: feed.to_owned(),
        market: (feed == "bybit").then(|| "linear".to_owned()),
        symbols: vec![symbol.to_owned()],
        channels: vec![LiveChannel::Book],
        depth: None,
        ws_url: Some("ws://venue".to_owned()),
        rest_url: feed.starts_with("binance").then(|| "http://venue".to_owned()),
        ca: None,
        arbitration: 1,
        raw: None,
        timing: Timing::default(),
    }
}

struct Play {
    session: Session,
    now: Instant,
    wall: UnixNanos,
}

impl Play {
    fn new(spec: LiveSpec) -> Self {
        let now = Instant::now();
        let session = Session::new(spec, "feed", 1, now).unwrap();
        let mut play = Self { session, now, wall: UnixNanos(WALL) };
        play.session.begin(play.wall);
        play
    }

    /// Time passes, by both clocks.
    fn wait(&mut self, time: Duration) -> Vec<String> {
        // In steps, as the shell does.
        let until = self.now + time;
        let mut said = Vec::new();
        while self.now < until {
            let due = self.session.deadline().unwrap_or(until);
            let next = due.max(self.now + Duration::from_millis(1)).min(until);
            self.wall.0 += u64::try_from((next - self.now).as_nanos()).unwrap();
            self.now = next;
            self.session.tick(self.now, self.wall);
            said.extend(self.said());
        }
        said
    }

    fn happens(&mut self, input: Input<'_>) -> Vec<String> {
        self.session.handle(self.now, self.wall, input);
        self.session.tick(self.now, self.wall);
        self.said()
    }

    fn hears(&mut self, line: u64, text: &str) -> Vec<String> {
        self.happens(Input::Text { line, text, bytes: text.len() })
    }

    fn said(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(effect) = self.session.poll() {
            said.extend(word(&effect));
        }
        said
    }

    /// Connects, and says what was sent; the number of the connection.
    fn connect(&mut self) -> (u64, Vec<String>) {
        let said = self.wait(Duration::from_millis(1));
        let opened = said.iter().find_map(|word| word.strip_prefix("open ")).expect("it connects");
        let line = opened.split(' ').next().unwrap().parse().unwrap();
        (line, self.happens(Input::Opened { line }))
    }
}

fn word(effect: &Effect) -> Option<String> {
    Some(match effect {
        Effect::Open { line, url } => format!("open {line} {url}"),
        Effect::Send { line, text } => format!("send {line} {text}"),
        Effect::Ping { line } => format!("ping {line}"),
        Effect::Close { line } => format!("close {line}"),
        Effect::Get { ask, url } => format!("get {ask} {url}"),
        Effect::Count(Count::Fault(reason)) => format!("fault {reason}"),
        Effect::Count(Count::Reconnect(reason)) => format!("lost {reason}"),
        Effect::Count(Count::Duplicate) => "duplicate".to_owned(),
        Effect::Tick(tick) => match &tick.body {
            Body::Book(BookChange::Snapshot(_)) => "snapshot".to_owned(),
            Body::Book(BookChange::Delta(_)) => "delta".to_owned(),
            Body::Book(BookChange::Gap(gap)) => format!("gap {}", gap.reason.as_str()),
            Body::Status(change) => format!("{}: {}", change.state, change.reason),
            _ => return None,
        },
        _ => return None,
    })
}

const SUBSCRIBE: &str = r#"{"req_id":"2","op":"subscribe","args":["orderbook.50.BTCUSDT"]}"#;

fn book(kind: &str, u: u64, price: u64) -> String {
    format!(
        r#"{{"topic":"orderbook.50.BTCUSDT","type":"{kind}","ts":1,"data":{{"s":"BTCUSDT","b":[["{price}","1"]],"a":[["900","1"]],"u":{u}}}}}"#
    )
}

fn acked(number: u64) -> String {
    format!(r#"{{"success":true,"ret_msg":"","req_id":"{number}","op":"subscribe"}}"#)
}

#[test]
fn a_book_is_subscribed_to_and_mended() {
    let mut play = Play::new(spec("bybit", "BTCUSDT"));
    assert_eq!(play.said(), ["source_down: not connected yet"]);
    let (line, sent) = play.connect();
    assert_eq!((line, &*sent), (1, &[format!("send 1 {SUBSCRIBE}")][..]));
    assert!(play.hears(1, &acked(2)).is_empty());
    assert_eq!(play.hears(1, &book("snapshot", 5, 100)), ["open: the source is back", "snapshot"]);
    assert_eq!(play.hears(1, &book("delta", 6, 101)), ["delta"]);
    assert_eq!(play.hears(1, &book("delta", 6, 101)), ["duplicate"]);
    // Eight is early; what belongs before it comes within the time, or does not.
    assert_eq!(play.hears(1, &book("delta", 8, 103)), ["fault early"]);
    assert_eq!(play.hears(1, &book("delta", 7, 102)), ["delta", "delta"]);
    assert_eq!(play.hears(1, &book("delta", 10, 105)), ["fault early"]);
    let mended = play.wait(Duration::from_millis(200));
    assert_eq!(
        mended,
        [
            "gap sequence",
            "suspect: book updates were lost (sequence), waiting for a snapshot",
            r#"send 1 {"req_id":"3","op":"unsubscribe","args":["orderbook.50.BTCUSDT"]}"#,
            r#"send 1 {"req_id":"4","op":"subscribe","args":["orderbook.50.BTCUSDT"]}"#,
        ]
    );
    play.hears(1, &acked(4));
    assert_eq!(play.hears(1, &book("snapshot", 20, 110)), ["snapshot", "open: the book is whole again"]);
    // Bid above offer: no update of the venue's can have made that.
    assert_eq!(
        play.hears(1, &book("delta", 21, 901))[..3],
        [
            "fault crossed",
            "gap checksum",
            "suspect: the best bid is not below the best offer, waiting for a snapshot"
        ]
    );
}

#[test]
fn a_connection_that_falls_silent_is_cut_and_comes_back() {
    let mut play = Play::new(spec("bybit", "BTCUSDT"));
    play.said();
    play.connect();
    play.hears(1, &acked(2));
    play.hears(1, &book("snapshot", 5, 100));
    let said = play.wait(Duration::from_secs(16));
    assert_eq!(said[0], r#"send 1 {"op":"ping"}"#);
    let at = said.iter().position(|word| word == "close 1").expect("it is cut");
    assert_eq!(said[at + 1..at + 3], ["lost silent", "source_down: not connected: silent"]);
    let back = play.wait(Duration::from_secs(1));
    let back = [&said[at..], &back].concat();
    assert!(
        back.iter().any(|word| word.starts_with("open ") && word.contains("ws://venue/v5/public/linear"))
    );
}

const TRADE: &str = r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":1,"qty":1,"ord_type":"market","trade_id":1,"timestamp":"2026-11-20T14:30:00.000000Z"}]}"#;

/// Two connections of Kraken's, one for books and one for executions, both answered.
fn two_routes() -> Play {
    let mut spec = spec("kraken-v2", "BTC/USD");
    spec.channels = vec![LiveChannel::Trades, LiveChannel::Book];
    let mut play = Play::new(spec);
    play.said();
    play.wait(Duration::from_millis(1));
    for line in [1, 2] {
        let sent = play.happens(Input::Opened { line });
        let number = sent[0].split("\"req_id\":").nth(1).unwrap().trim_end_matches('}').parse().unwrap();
        let said = play.hears(line, &kraken_acked(number));
        assert!(said.is_empty(), "the book is not there yet: {said:?}");
    }
    assert_eq!(play.hears(1, &kraken_book()), ["open: the source is back", "snapshot"]);
    play
}

fn kraken_acked(number: u64) -> String {
    format!(
        r#"{{"method":"subscribe","result":{{"channel":"x","symbol":"BTC/USD"}},"success":true,"req_id":{number}}}"#
    )
}

/// A snapshot; its checksum is right.
fn kraken_book() -> String {
    let crc = crc32fast::hash(b"1011991");
    format!(
        r#"{{"channel":"book","type":"snapshot","data":[{{"symbol":"BTC/USD","bids":[{{"price":99,"qty":1}}],"asks":[{{"price":101,"qty":1}}],"checksum":{crc}}}]}}"#
    )
}

#[test]
fn a_symbol_is_open_when_all_of_it_is_back_and_not_before() {
    let mut play = two_routes();
    let why = Loss { reason: "broken", detail: "reset".into(), retry_after: None };
    assert_eq!(
        play.happens(Input::Lost { line: 2, why }),
        ["lost broken", "source_down: not connected: reset"]
    );
    // Its book goes on meanwhile, which says nothing of its executions.
    let update = r#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":98,"qty":1}],"asks":[],"checksum":@}]}"#;
    let crc = crc32fast::hash(b"1011991981").to_string();
    assert_eq!(play.hears(1, &update.replace('@', &crc)), ["delta"]);
    let said = play.wait(Duration::from_secs(1));
    let line = said.iter().find_map(|word| word.strip_prefix("open ")?.split(' ').next()?.parse().ok());
    let line = line.expect("it connects again");
    let sent = play.happens(Input::Opened { line });
    let number = sent[0].split("\"req_id\":").nth(1).unwrap().trim_end_matches('}').parse().unwrap();
    // Nothing is traded, and yet it is there.
    assert_eq!(play.hears(line, &kraken_acked(number)), ["open: the source is back"]);
    assert!(play.hears(line, TRADE).is_empty());
}

#[test]
fn whoever_was_stopped_blames_no_connection() {
    let mut play = two_routes();
    // The process stood still for half a minute, and what came meanwhile is still in the sockets.
    play.now += Duration::from_secs(30);
    play.wall.0 += 30_000_000_000;
    play.session.tick(play.now, play.wall);
    let said = play.said();
    assert!(said.iter().all(|word| word.contains("ping")), "{said:?}");
    // What is silent from here on is.
    let said = play.wait(Duration::from_secs(16));
    assert!(said.contains(&"lost silent".to_owned()), "{said:?}");
}

#[test]
fn what_comes_again_without_a_number_is_known() {
    let mut play = two_routes();
    assert_eq!(play.hears(1, &kraken_book()), ["duplicate"]);
}

#[test]
fn an_answer_that_nobody_waits_for_any_more_is_none() {
    let mut play = Play::new(spec("binance-usdm", "BTCUSDT"));
    play.said();
    let (line, _) = play.connect();
    let said = play.wait(Duration::from_secs(2));
    let ask = said.iter().find_map(|word| word.strip_prefix("get ")?.split(' ').next()?.parse().ok());
    let why = Loss { reason: "broken", detail: "reset".into(), retry_after: None };
    play.happens(Input::Lost { line, why });
    let body = r#"{"lastUpdateId":10,"bids":[["99","1"]],"asks":[["101","1"]]}"#.to_owned();
    let answer = Ok(Answer { status: 200, retry_after: None, body });
    assert!(play.happens(Input::Answer { ask: ask.expect("it asks"), answer }).is_empty());
}

#[test]
fn pongs_alone_do_not_keep_a_connection() {
    let mut spec = spec("bybit", "BTCUSDT");
    spec.timing.idle_after = Duration::from_secs(60);
    let mut play = Play::new(spec);
    play.said();
    play.connect();
    play.hears(1, &acked(2));
    play.hears(1, &book("snapshot", 5, 100));
    let mut said = Vec::new();
    for _ in 0..12 {
        said.extend(play.wait(Duration::from_secs(5)));
        said.extend(play.hears(1, r#"{"success":true,"ret_msg":"pong","op":"ping"}"#));
    }
    assert!(said.contains(&"lost idle".to_owned()), "{said:?}");
}

#[test]
fn an_answer_that_stays_away_is_a_reason_to_connect_anew() {
    let mut play = Play::new(spec("bybit", "BTCUSDT"));
    play.said();
    play.connect();
    play.hears(1, &book("snapshot", 5, 100));
    let said = play.wait(Duration::from_secs(10));
    assert!(said.contains(&"lost no_answer".to_owned()), "{said:?}");
}

#[test]
fn a_refusal_is_told_and_tried_again_later() {
    let mut play = Play::new(spec("bybit", "BTCUSDX"));
    play.said();
    play.connect();
    let refusal = r#"{"success":false,"ret_msg":"Invalid symbol","req_id":"2","op":"subscribe"}"#;
    assert_eq!(
        play.hears(1, refusal),
        ["fault refused", "source_down: the venue refuses orderbook.50 BTCUSDX: Invalid symbol"]
    );
    let mut later = Vec::new();
    for _ in 0..7 {
        later.extend(play.wait(Duration::from_secs(5)));
        later.extend(play.hears(1, r#"{"op":"pong"}"#));
    }
    assert!(later.iter().any(|word| word.contains("orderbook.50.BTCUSDX")), "{later:?}");
}

#[test]
fn snapshots_over_rest_wait_for_updates_and_mind_the_venue() {
    let mut play = Play::new(spec("binance-usdm", "BTCUSDT"));
    play.said();
    let (line, sent) = play.connect();
    assert!(sent.is_empty(), "the address has subscribed");
    let diff = |previous: u64, u: u64| {
        format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":{u},"u":{u},"pu":{previous},"b":[["100","1"]],"a":[]}}}}"#
        )
    };
    let url = "http://venue/fapi/v1/depth?symbol=BTCUSDT&limit=1000";
    assert_eq!(play.hears(line, &diff(9, 10)), [format!("get 2 {url}")]);
    let retry_after = Some(Duration::from_secs(7));
    let answer = Ok(Answer { status: 429, retry_after, body: "slow down".into() });
    assert_eq!(play.happens(Input::Answer { ask: 2, answer }), ["fault rest_limited"]);
    assert!(!play.wait(Duration::from_millis(6_900)).iter().any(|word| word.starts_with("get")));
    play.hears(line, &diff(10, 11));
    let said = play.wait(Duration::from_millis(200));
    let ask = said.iter().find_map(|word| word.strip_prefix("get ")?.strip_suffix(url)?.trim().parse().ok());
    let ask = ask.expect("it asks again");
    let body = r#"{"lastUpdateId":10,"bids":[["99","1"]],"asks":[["101","1"]]}"#.to_owned();
    let said =
        play.happens(Input::Answer { ask, answer: Ok(Answer { status: 200, retry_after: None, body }) });
    assert_eq!(said, ["open: the source is back", "snapshot", "delta", "delta"]);
}

#[test]
fn another_connection_stands_before_the_day_is_over() {
    let mut play = Play::new(spec("binance-spot", "BTCUSDT"));
    play.said();
    let (first, _) = play.connect();
    let diff = |u: u64| {
        format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{u},"u":{u},"b":[["{u}","1"]],"a":[]}}}}"#
        )
    };
    let ask = play.hears(first, &diff(10))[0].split(' ').nth(1).unwrap().parse().unwrap();
    let body = r#"{"lastUpdateId":9,"bids":[["9","1"]],"asks":[["99999999","1"]]}"#.to_owned();
    play.happens(Input::Answer { ask, answer: Ok(Answer { status: 200, retry_after: None, body }) });
    let (mut said, mut u) = (Vec::new(), 10);
    for _ in 0..23 * 360 {
        u += 1;
        said.extend(play.wait(Duration::from_secs(10)));
        play.hears(first, &diff(u));
    }
    let opened: Vec<&String> = said.iter().filter(|word| word.starts_with("open ")).collect();
    assert_eq!(opened.len(), 1, "one takes over after 23 hours: {opened:?}");
    assert!(!said.iter().any(|word| word.starts_with("close")));
    let next = opened[0].split(' ').nth(1).unwrap().parse().unwrap();
    let swapped = play.happens(Input::Opened { line: next });
    assert_eq!(swapped, [format!("close {first}"), "lost renewed".to_owned()]);
    assert_eq!(play.hears(next, &diff(u)), ["duplicate"]);
    assert_eq!(play.hears(next, &diff(u + 1)), ["delta"]);
}

#[test]
fn of_two_connections_one_may_freeze() {
    let mut spec = spec("bybit", "BTCUSDT");
    spec.arbitration = 2;
    let mut play = Play::new(spec);
    play.said();
    let said = play.wait(Duration::from_millis(1));
    assert_eq!(said.iter().filter(|word| word.starts_with("open")).count(), 2);
    play.happens(Input::Opened { line: 1 });
    play.happens(Input::Opened { line: 2 });
    for (line, number) in [(1, 3), (2, 4)] {
        play.hears(line, &acked(number));
    }
    assert_eq!(play.hears(1, &book("snapshot", 5, 100)), ["open: the source is back", "snapshot"]);
    assert_eq!(play.hears(2, &book("snapshot", 5, 100)), ["duplicate"]);
    let mut said = Vec::new();
    // The first says nothing any more, and is cut for it; nobody notices.
    for u in 6..30 {
        said.extend(play.wait(Duration::from_secs(1)));
        assert_eq!(play.hears(2, &book("delta", u, 100 + u)), ["delta"]);
    }
    assert!(said.contains(&"lost silent".to_owned()));
    assert!(!said.iter().any(|word| word.contains("down") || word.contains("gap")), "{said:?}");
}

#[test]
fn where_numbers_are_missing_another_connection_takes_over() {
    let mut spec = spec("kraken-v2", "BTC/USD");
    spec.arbitration = 2;
    let mut play = Play::new(spec);
    play.said();
    play.wait(Duration::from_millis(1));
    let sent = play.happens(Input::Opened { line: 1 });
    assert!(sent[0].contains("\"book\""), "the first leads: {sent:?}");
    assert!(play.happens(Input::Opened { line: 2 }).is_empty(), "the second waits");
    let beat = r#"{"channel":"heartbeat"}"#;
    let (mut said, mut cut) = (Vec::new(), 0);
    for second in 0..9 {
        said.extend(play.wait(Duration::from_secs(1)));
        play.hears(2, beat);
        if second < 2 {
            play.hears(1, beat);
        } else if said.iter().any(|word| word == "lost takeover") && cut == 0 {
            cut = second;
        }
    }
    assert!((3..6).contains(&cut), "{cut}: {said:?}");
    let taken = said.iter().position(|word| word == "close 1").unwrap();
    assert!(
        said[taken..].iter().any(|word| word.starts_with("send 2") && word.contains("\"book\"")),
        "{said:?}"
    );
    assert!(!said.iter().any(|word| word.contains("source_down")), "{said:?}");
}

#[test]
fn a_clock_that_jumps_changes_no_connection() {
    const HOUR: i64 = 3_600_000_000_000;
    for jump in [24 * HOUR, -24 * HOUR, 2 * HOUR, -2 * HOUR] {
        let mut play = Play::new(spec("bybit", "BTCUSDT"));
        play.said();
        play.connect();
        play.hears(1, &acked(2));
        play.hears(1, &book("snapshot", 5, 100));
        play.wall.0 = play.wall.0.saturating_add_signed(jump);
        for u in 6..40 {
            let said = play.wait(Duration::from_millis(500));
            assert!(said.iter().all(|word| word.contains("ping")), "{said:?}");
            assert_eq!(play.hears(1, &book("delta", u, 100 + u)), ["delta"]);
        }
    }
}

#[test]
fn a_venue_that_wants_to_be_left_alone_is() {
    let mut play = Play::new(spec("bybit", "BTCUSDT"));
    play.said();
    play.wait(Duration::from_millis(1));
    let retry_after = Some(Duration::from_secs(90));
    let why = Loss { reason: "limited", detail: "429".into(), retry_after };
    play.happens(Input::Lost { line: 1, why });
    assert!(play.wait(Duration::from_secs(89)).iter().all(|word| !word.starts_with("open")));
    assert!(play.wait(Duration::from_secs(2)).iter().any(|word| word.starts_with("open")));
}
