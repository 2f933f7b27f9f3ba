//! A session with its socket, from request to record: what a client is sent, on a clock moved by hand.

mod again;
mod late;
mod leaving;
mod line;
mod options;
mod pace;
mod pause;
mod stalls;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use fanout::limits::LogLimits;
use fanout::{Fanout, Sequencer};
use model::{
    Body, BookChange, FeedGap, GapReason, Instrument, Level, Levels, Price, Quote, Side, Size, State,
    StatusChange, Symbol, Tick, Trade, UnixNanos, Venue,
};
use serde_json::{Value, json};
use wire::Epoch;

use super::member::{Member, Verdict};
use super::{Arrival, Core, Pass};
use crate::asked::Origin;
use crate::auth::{Grant, Scope};
use crate::clock;
use crate::metrics::ShardMetrics;
use crate::places::Places;
use crate::settings::Settings;
use crate::socket::Slot;
use crate::wakes::Wakes;
use line::{Line, Saying};

/// One client of a shard.
struct Visit {
    core: Core,
    feed: Feed,
    wakes: Arc<Wakes>,
    metrics: ShardMetrics,
    member: Member,
    line: Line,
}

/// Where events come from: `t` trades and `q` quotes, each a little dearer than the one before, `B` whole
/// books, `b` changes of them and `g` their loss, `h` halts and `o` their ends.
#[derive(Default)]
pub(crate) struct Feed {
    sequencer: Sequencer,
    count: i64,
}

impl Feed {
    pub(crate) fn event(&mut self, letter: char, symbol: &str) -> Arc<fanout::Event> {
        let tick = self.tick(letter, symbol);
        self.sequencer.push(tick, UnixNanos(1)).unwrap().unwrap()
    }

    pub(crate) fn tick(&mut self, letter: char, symbol: &str) -> Tick {
        self.count += 1;
        let n = self.count;
        let level = |price: i64, size: i64| Level {
            price: Price::parse(&price.to_string()).unwrap(),
            size: Size::parse(&size.to_string()).unwrap(),
        };
        let body = match letter {
            't' => {
                let Level { price, size } = level(100 + n, 1 + n % 3);
                Body::Trade(Trade { price, size, side: Side::Buy, id: None })
            }
            'q' => Body::Quote(Quote::of(Some(level(n, 1)), Some(level(n + 1, 2)), false)),
            'b' => Body::Book(BookChange::Delta(Levels { bids: vec![level(90 + n % 5, n)], asks: vec![] })),
            'B' => Body::Book(BookChange::Snapshot(Levels {
                bids: (0..5).map(|at| level(90 + at, 1)).collect(),
                asks: vec![level(101, 1)],
            })),
            'g' => Body::Book(BookChange::Gap(FeedGap {
                reason: GapReason::Reconnect,
                venue_from: None,
                venue_to: None,
            })),
            'h' => status(State::Halted),
            'o' => status(State::Open),
            other => panic!("no such event: {other}"),
        };
        let instrument = Arc::new(Instrument::named(Symbol::parse(symbol).unwrap(), Venue::new("v"), symbol));
        Tick { instrument, ts_event: None, ts_source: None, ts_recv: None, body }
    }
}

fn status(state: State) -> Body {
    Body::Status(Box::new(StatusChange { state, reason: "".into(), feed: "f".into(), since: None }))
}

fn core(logs: LogLimits) -> Core {
    Core {
        fanout: Fanout::new(logs),
        settings: Arc::new(Settings { logs, ..Settings::for_tests() }),
        roster: Arc::default(),
        recordings: crate::recordings::Recordings::default(),
        alerts: Arc::default(),
        epoch: Epoch::from_seed(7),
        tracks: None,
        scratch: Vec::new(),
        encoder: crate::encode::Encoder::default(),
        batch: fanout::Batch::default(),
        outbox: crate::socket::Outbox::default(),
        appointments: std::collections::BTreeSet::new(),
        full: Vec::new(),
        stalled: 0,
        now: clock::now(),
        wall: UnixNanos(1_795_000_000_000_000_000),
    }
}

/// Somebody who may see everything, and how to watch the other end of the socket.
fn arrival() -> (Arrival, Line) {
    arrival_with(&["stream:*"])
}

/// The same of somebody who may see this.
fn arrival_with(scopes: &[&str]) -> (Arrival, Line) {
    let line = Line::default();
    let scopes = scopes.iter().map(|scope| Scope::parse(scope).unwrap()).collect();
    let grant = Grant { scopes, ..Grant::for_tests("alice") };
    let slot = Arc::<Places>::default().take(1).map(|place| Slot::new(place, None));
    let socket = Box::new(line.clone());
    (
        Arrival {
            socket,
            pass: Some(Pass { grant, seat: None }),
            name: "s1".to_owned(),
            origin: Origin::default(),
            slot,
        },
        line,
    )
}

impl Visit {
    fn new() -> Self {
        Self::with(LogLimits::default())
    }

    fn with(logs: LogLimits) -> Self {
        let (mut core, wakes) = (core(logs), Arc::default());
        let (arrival, line) = arrival();
        let member = Member::new(arrival, &mut core, &wakes);
        let (feed, metrics) = (Feed::default(), ShardMetrics::default());
        let mut visit = Self { core, feed, wakes, metrics, member, line };
        visit.happens("qA tA BA qB tB BB");
        assert_eq!(visit.write(false)[0]["type"], "welcome");
        visit
    }

    /// The client comes back: another session, another socket.
    fn comes_back(&mut self) {
        let (arrival, line) = arrival();
        self.member = Member::new(arrival, &mut self.core, &self.wakes);
        self.line = line;
        assert_eq!(self.write(false)[0]["type"], "welcome");
    }

    /// Publishes words such as `tA` or `qB*9`.
    fn happens(&mut self, words: &str) {
        for word in words.split(' ') {
            let (event, count) = word.split_once('*').unwrap_or((word, "1"));
            let (letter, symbol) = event.split_at(1);
            for _ in 0..count.parse().unwrap() {
                let event = self.feed.event(letter.chars().next().unwrap(), symbol);
                self.core.fanout.publish(&event, self.core.now);
            }
        }
    }

    /// Sends a request; what comes back, with all else that waited.
    fn send(&mut self, request: &Value) -> Vec<Value> {
        self.line.comes_in(Saying::Text(request.to_string()));
        self.member.read(&mut self.core, &self.metrics);
        self.write(false)
    }

    /// Sends a request; its answer, which is the first thing that comes.
    fn ask(&mut self, request: &Value) -> Value {
        self.send(request).remove(0)
    }

    /// The shard looks at the session because something may wait for it.
    fn turn(&mut self) -> Vec<Value> {
        self.core.fanout.handle_timeout(self.core.now);
        self.write(true)
    }

    fn write(&mut self, idle: bool) -> Vec<Value> {
        assert_eq!(self.member.write(&mut self.core, &mut self.metrics, idle), Verdict::GoesOn);
        self.line.said()
    }

    /// Time passes, and the shard looks.
    fn after(&mut self, millis: u64) -> Vec<Value> {
        self.core.now += Duration::from_millis(millis);
        self.turn()
    }

    /// Subscribes without a snapshot, and gets nothing but the ack.
    fn reads(&mut self, channels: &[&str], symbol: &str, more: &Value) -> Value {
        let mut request =
            json!({"op": "subscribe", "channels": channels, "symbols": [symbol], "snapshot": false});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let said = self.send(&request);
        assert_eq!((said.len(), &said[0]["type"]), (1, &json!("ack")), "{said:?}");
        said[0].clone()
    }
}

/// Messages in short: `t3` is trade 3, `t5(2)` stands for two more, `t1+t2` come in one message, `S` is a
/// snapshot and `G4-9` a gap; other messages by their type.
pub(crate) fn short(said: &[Value]) -> String {
    let of_record = |channel: &str, record: &Value| {
        let sequence = record["sequence"].as_u64().unwrap();
        let prev = record["prev_sequence"].as_u64().unwrap_or(sequence - 1);
        let more = sequence - prev - 1;
        format!("{channel}{sequence}{}", if more > 0 { format!("({more})") } else { String::new() })
    };
    let of_message = |message: &Value| {
        let kind = message["type"].as_str().unwrap();
        let channel = message["channel"].as_str().map_or("", |channel| &channel[..1]);
        let records = message["data"].as_array().into_iter().flatten();
        let records: Vec<_> = records.map(|record| of_record(channel, record)).collect();
        match kind {
            "update" => records.join("+"),
            "snapshot" => format!("S{}", records.join("+")),
            "gap" if message["from_sequence"].is_null() => "G?".to_owned(),
            "gap" => format!("G{}-{}", message["from_sequence"], message["to_sequence"]),
            "notice" => message["state"].as_str().unwrap().to_owned(),
            other => other.to_owned(),
        }
    };
    said.iter().map(of_message).collect::<Vec<_>>().join(" ")
}
