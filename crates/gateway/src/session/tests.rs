//! The session's conversations: what goes in, what comes out.

mod alerts;
mod bounds;
mod late;

use std::sync::Arc;

use fanout::Sequencer;
use model::{Body, Instrument, Quote, Symbol, Tick, Venue};
use serde_json::{Value, json};

use super::*;
use crate::alerts::Alerts;
use crate::auth::{Algorithm, Keys, Signer};
use crate::delay::Delays;
use crate::settings::Limits;

const SECRET: &[u8] = b"a secret of at least thirty-two bytes";
const WALL: UnixNanos = UnixNanos(1_795_000_000_000_000_000);

/// One session against a real fan-out, on a clock that is moved by hand.
struct Talk {
    settings: Settings,
    roster: Arc<Roster>,
    alerts: Arc<Alerts>,
    signer: Signer,
    sequencer: Sequencer,
    fanout: Fanout,
    epoch: Epoch,
    now: Duration,
    session: Session,
}

impl Talk {
    fn new(scopes: &[&str]) -> Self {
        Self::with_delays(scopes, &[])
    }

    /// With somebody whom a server serves that can delay by so many milliseconds.
    fn with_delays(scopes: &[&str], delays: &[u64]) -> Self {
        let mut talk = Self::stranger_at(delays);
        let token = talk.token("alice", scopes, 3_600);
        let grant = talk.settings.keys.check(&token, WALL).unwrap();
        talk.session.grant = Some(grant);
        talk
    }

    /// Somebody without a token.
    fn stranger() -> Self {
        Self::stranger_at(&[])
    }

    fn stranger_at(delays: &[u64]) -> Self {
        let delays = delays.iter().map(|&delay| Duration::from_millis(delay)).collect();
        let mut keys = Keys::new("tests", "tickwire", None);
        keys.add(None, Algorithm::Hs256, SECRET).unwrap();
        let signer = Signer::new(None, Algorithm::Hs256, SECRET).unwrap();
        let limits = Limits { symbols: 3, subscriptions: 8, ..Limits::default() };
        let delays = Delays::new(delays).unwrap();
        let twins = delays.count();
        let settings = Settings { keys: keys.into(), limits: limits.into(), delays, ..Settings::for_tests() };
        let mut fanout = Fanout::with_twins(settings.logs, twins);
        let (epoch, now) = (Epoch::from_seed(7), Duration::from_secs(1_000));
        let roster = Arc::default();
        let recordings = Recordings::default();
        let alerts = Arc::default();
        let mut ctx = Ctx {
            fanout: &mut fanout,
            settings: &settings,
            roster: &roster,
            recordings: &recordings,
            alerts: &alerts,
            epoch: &epoch,
            now,
            wall: WALL,
        };
        let session = Session::open("s1".into(), None, &mut ctx);
        let mut talk = Self {
            settings,
            roster,
            alerts,
            signer,
            sequencer: Sequencer::with_twins(twins),
            fanout,
            epoch,
            now,
            session,
        };
        for symbol in ["BTC-USD", "ETH-USD", "ETH-EUR"] {
            talk.list(symbol);
        }
        talk.said();
        talk
    }

    /// Other limits are in force, also for this session.
    fn limit(&mut self, change: impl FnOnce(&mut Limits)) {
        let mut limits = *self.settings.limits.now();
        change(&mut limits);
        self.settings.limits.put(limits);
        self.session.limits = self.settings.limits.now();
    }

    fn token(&self, subject: &str, scopes: &[&str], seconds: u64) -> String {
        let scopes: Vec<_> = scopes.iter().map(ToString::to_string).collect();
        self.signer
            .sign(&self.settings.keys.current(), subject, &scopes, WALL, Duration::from_secs(seconds))
            .unwrap()
    }

    fn list(&mut self, symbol: &str) {
        let instrument = Arc::new(Instrument::named(Symbol::parse(symbol).unwrap(), Venue::new("v"), symbol));
        let body = Body::Quote(Quote::of(None, None, false));
        let tick = Tick { instrument, ts_event: None, ts_source: None, ts_recv: None, body };
        let event = self.sequencer.push(tick, WALL).unwrap().unwrap();
        if let Some(listed) = self.fanout.publish(&event, self.now) {
            self.with(|session, ctx| session.handle_listed(listed, ctx));
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Session, &mut Ctx<'_>) -> T) -> T {
        let since = self.now.saturating_sub(Duration::from_secs(1_000));
        let wall = UnixNanos(WALL.0 + u64::try_from(since.as_nanos()).unwrap());
        let (fanout, settings, roster, epoch) = (&mut self.fanout, &self.settings, &self.roster, &self.epoch);
        let (recordings, alerts, now) = (&Recordings::default(), &self.alerts, self.now);
        act(&mut self.session, &mut Ctx { fanout, settings, roster, recordings, alerts, epoch, now, wall })
    }

    fn said(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.session.pop_control())
            .map(|text| serde_json::from_str(&text).unwrap())
            .collect()
    }

    fn send(&mut self, request: &Value) -> Vec<Value> {
        self.send_text(&request.to_string())
    }

    fn send_text(&mut self, text: &str) -> Vec<Value> {
        self.now += Duration::from_secs(1);
        self.with(|session, ctx| session.handle_text(text, ctx));
        self.said()
    }

    /// The one answer to a request.
    fn ask(&mut self, request: &Value) -> Value {
        let mut said = self.send(request);
        assert_eq!(said.len(), 1, "{said:?}");
        said.remove(0)
    }

    fn later(&mut self, seconds: u64) -> Vec<Value> {
        self.now += Duration::from_secs(seconds);
        assert!(self.with(|session, ctx| session.handle_timeout(true, ctx)));
        self.said()
    }

    fn close_code(&self) -> Option<u16> {
        self.session.closing().map(|goodbye| goodbye.code.number())
    }
}

fn codes(said: &[Value]) -> Vec<&str> {
    said.iter().map(|message| message["code"].as_str().unwrap_or("-")).collect()
}

#[test]
fn before_a_token_little_works() {
    let mut talk = Talk::stranger();
    let refused = talk.ask(&json!({"op": "subscribe", "id": 1, "channels": ["trades"], "symbols": ["*"]}));
    assert_eq!((refused["code"].as_str(), refused["id"].as_u64()), (Some("unauthenticated"), Some(1)));
    assert_eq!(talk.ask(&json!({"op": "list"}))["code"], "unauthenticated");
    assert_eq!(talk.ask(&json!({"op": "ping", "id": "p", "ts": "x"}))["ts"], "x");
    let echo = talk.ask(&json!({"op": "echo", "id": 9, "payload": {"any": [1, null]}}));
    assert_eq!(echo, json!({"type": "echo", "id": 9, "payload": {"any": [1, null]}}));
    let token = talk.token("alice", &["stream:BTC-*", "replay"], 60);
    let ack = talk.ask(&json!({"op": "auth", "id": 2, "token": token}));
    assert_eq!((&ack["subject"], &ack["scopes"]), (&json!("alice"), &json!(["stream:BTC-*", "replay"])));
    assert_eq!(talk.ask(&json!({"op": "list", "id": 3}))["subscriptions"], json!([]));
}

#[test]
fn nobody_may_wait_for_ever() {
    let mut talk = Talk::stranger();
    assert_eq!(codes(&talk.later(9)), ["-"]);
    assert_eq!(codes(&talk.later(1)), ["auth_timeout"]);
    assert_eq!(talk.close_code(), Some(4504));
}

#[test]
fn three_bad_tokens_are_enough() {
    let mut talk = Talk::stranger();
    for (token, code) in
        [("x", "token_invalid"), (&*talk.token("a", &[], 1), "token_expired"), ("", "token_invalid")]
    {
        talk.now += Duration::from_secs(10);
        assert_eq!(talk.ask(&json!({"op": "auth", "token": token}))["code"], code);
    }
    assert_eq!(talk.close_code(), Some(4501));
}

#[test]
fn a_subscribe_is_answered_symbol_by_symbol() {
    let mut talk = Talk::new(&["stream:BTC-*", "stream:ETH-USD/trades"]);
    let ack = talk.ask(&json!({"op": "subscribe", "id": 4, "channels": ["trades", "book"],
        "symbols": ["BTC-USD", "BTC-USDD", "ETH-USD", "ETH-EUR", "X-*"]}));
    assert_eq!(ack["symbols"], json!(["BTC-USD", "ETH-USD"]));
    let rejected: Vec<_> =
        ack["rejected"].as_array().unwrap().iter().map(|r| r["message"].as_str().unwrap()).collect();
    assert_eq!(
        rejected,
        [
            "Unknown symbol BTC-USDD. Did you mean BTC-USD?",
            "Your token does not cover ETH-USD on book.",
            "Your token does not cover ETH-EUR on trades, book.",
        ]
    );
    assert_eq!(ack["resumed"], false);
    let list = talk.ask(&json!({"op": "list", "id": 5}));
    assert_eq!(
        list["subscriptions"],
        json!([
            {"channel": "trades", "symbols": ["BTC-USD", "ETH-USD"], "conflate_ms": 0, "overflow": "coalesce", "stamp": false},
            {"channel": "book", "symbols": ["BTC-USD"], "depth": 20, "checksum": false, "conflate_ms": 0,
             "overflow": "coalesce", "stamp": false},
        ])
    );
}

#[test]
fn only_unknown_symbols_is_no_error() {
    let mut talk = Talk::new(&["stream:*"]);
    let ack = talk.ask(&json!({"op": "subscribe", "id": 1, "channels": ["trades"], "symbols": ["NOPE"]}));
    assert_eq!((&ack["type"], &ack["symbols"]), (&json!("ack"), &json!([])));
    assert_eq!(ack["rejected"][0]["code"], "unknown_symbol");
}

#[test]
fn a_pattern_stays_inside_the_scope_and_the_limits() {
    let mut talk = Talk::new(&["stream:ETH-*"]);
    let ack = talk.ask(&json!({"op": "subscribe", "channels": ["trades"], "symbols": ["*"]}));
    assert_eq!((&ack["symbols"], &ack["rejected"]), (&json!(["ETH-EUR", "ETH-USD"]), &json!([])));

    let mut talk = Talk::new(&["stream:*"]);
    talk.list("SOL-USD");
    let ack = talk.ask(&json!({"op": "subscribe", "channels": ["trades"], "symbols": ["*"]}));
    assert_eq!(ack["symbols"].as_array().unwrap().len(), 3);
    assert_eq!(ack["rejected"][0]["code"], "symbol_limit");
    assert_eq!(ack["rejected"][0]["message"], "A session may have 3 symbols; 3 of * were accepted.");

    let mut talk = Talk::new(&["stream:*"]);
    let channels = ["trades", "quotes", "ticker", "book", "status"];
    let ack = talk.ask(&json!({"op": "subscribe", "channels": channels, "symbols": ["BTC-USD", "ETH-USD"]}));
    assert_eq!(ack["symbols"], json!(["BTC-USD"]));
    assert_eq!(ack["rejected"][0]["code"], "subscription_limit");
}

#[test]
fn a_symbol_listed_later_joins_its_patterns() {
    let mut talk = Talk::new(&["stream:BTC-*"]);
    talk.ask(&json!({"op": "subscribe", "id": 1, "channels": ["quotes"], "symbols": ["*-EUR", "BTC-*"]}));
    talk.list("SOL-EUR");
    assert_eq!(talk.said(), [] as [Value; 0]);
    talk.list("BTC-EUR");
    let said = talk.said();
    assert_eq!(said.len(), 2, "both patterns ask for it");
    assert_eq!(
        (&said[0]["type"], &said[0]["op"], &said[0]["symbols"]),
        (&json!("ack"), &json!("subscribe"), &json!(["BTC-EUR"]))
    );
    assert!(said[0].get("id").is_none());
    talk.ask(&json!({"op": "unsubscribe", "channels": ["quotes"], "symbols": ["*"]}));
    talk.list("BTC-CHF");
    assert_eq!(talk.said(), [] as [Value; 0]);
}

#[test]
fn patterns_are_kept_per_stream_and_not_without_bound() {
    let mut talk = Talk::new(&["stream:*"]);
    let candles = |op: &str, symbols: &str, interval: &str| json!({"op": op, "channels": ["candles"], "symbols": [symbols], "interval": interval});
    talk.ask(&candles("subscribe", "SOL-*", "1s"));
    talk.ask(&candles("subscribe", "SOL-*", "1m"));
    talk.ask(&candles("subscribe", "SOL-U*", "5m"));
    talk.list("SOL-USD");
    assert_eq!(talk.said().len(), 3, "each interval joins");
    // What is wider ends what is narrower, of the same interval.
    talk.ask(&candles("unsubscribe", "SO*", "5m"));
    talk.ask(&candles("unsubscribe", "SOL-U*", "1s"));
    talk.list("SOL-UAH");
    assert_eq!(talk.said().len(), 2);

    let symbols: Vec<_> = (0..70).map(|n| format!("A{n}*")).collect();
    let ack = talk.ask(&json!({"op": "subscribe", "channels": ["trades"], "symbols": symbols}));
    let rejected = ack["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), 70 - (64 - 1), "one pattern is kept already");
    assert_eq!(rejected[0]["code"], "subscription_limit");
}

/// Whoever names a symbol in a thousand ways is served it once.
#[test]
fn a_symbol_counts_once_however_it_is_named() {
    let mut talk = Talk::new(&["stream:*"]);
    let symbols: Vec<_> = (1..60).map(|n| "*".repeat(n)).chain(["BTC-USD".to_owned()]).collect();
    let both = |op: &str| json!({"op": op, "channels": ["trades", "book"], "symbols": symbols});
    let ack = talk.ask(&both("subscribe"));
    assert_eq!(ack["symbols"].as_array().unwrap().len(), 3);
    let ack = talk.ask(&both("unsubscribe"));
    assert_eq!((ack["ledger"].as_array().unwrap().len(), &ack["rejected"]), (6, &json!([])));
}

#[test]
fn an_unsubscribe_brings_the_account() {
    let mut talk = Talk::new(&["stream:*"]);
    talk.ask(&json!({"op": "subscribe", "channels": ["quotes", "candles"], "symbols": ["BTC-USD"], "interval": "1s"}));
    talk.list("BTC-USD");
    let ack = talk.ask(&json!({"op": "unsubscribe", "id": 2, "channels": ["quotes", "candles"], "symbols": ["BTC-USD", "ETH-USD"]}));
    assert_eq!(ack["symbols"], json!(["BTC-USD"]));
    assert_eq!(ack["rejected"][0]["message"], "Not subscribed to ETH-USD on these channels.");
    assert_eq!(
        ack["ledger"],
        json!([
            {"channel": "quotes", "symbol": "BTC-USD", "published": 1, "delivered": 0, "coalesced": 0, "skipped": 0,
             "pending": 1, "last_sequence": 0},
            {"channel": "candles", "symbol": "BTC-USD", "interval": "1s", "published": 0, "delivered": 0, "coalesced": 0,
             "skipped": 0, "pending": 0, "last_sequence": 0},
        ])
    );
}

#[test]
fn the_ledger_on_demand() {
    let mut talk = Talk::new(&["stream:*"]);
    talk.ask(&json!({"op": "subscribe", "channels": ["quotes"], "symbols": ["BTC-USD"]}));
    let ack = talk.ask(&json!({"op": "ledger", "id": 1}));
    assert_eq!(ack["subscriptions"].as_array().unwrap().len(), 1);
    assert_eq!(ack["lag"], json!({"oldest_pending_ms": 0, "source_lag_ms": 0, "mode": "keeping_up"}));
}

#[test]
fn a_book_begins_with_a_snapshot() {
    let mut talk = Talk::new(&["stream:*"]);
    let subscribe = |snapshot: bool, channels: Value| json!({"op": "subscribe", "channels": channels, "symbols": ["BTC-USD"], "snapshot": snapshot});
    let refused = talk.ask(&subscribe(false, json!(["trades", "book"])));
    assert_eq!(
        (&refused["code"], &refused["details"]["field"]),
        (&json!("invalid_request"), &json!("snapshot"))
    );
    assert_eq!(talk.ask(&json!({"op": "list"}))["subscriptions"], json!([]), "nothing was done by halves");
    talk.ask(&subscribe(true, json!(["book"])));
    assert_eq!(talk.ask(&subscribe(false, json!(["trades", "book"])))["type"], "ack");
}

#[test]
fn offences_end_a_session() {
    let mut talk = Talk::new(&["stream:*"]);
    for _ in 0..9 {
        assert_eq!(codes(&talk.send_text("{")), ["invalid_json"]);
    }
    assert_eq!(talk.close_code(), None);
    assert_eq!(codes(&talk.send_text(r#"{"op":"subscirbe"}"#)), ["unknown_op"]);
    assert_eq!(talk.close_code(), Some(4502));

    // What a token does not cover is no offence.
    let mut talk = Talk::new(&["stream:BTC-USD"]);
    for _ in 0..30 {
        talk.now += Duration::from_secs(1);
        talk.ask(&json!({"op": "subscribe", "channels": ["trades"], "symbols": ["ETH-USD"]}));
    }
    assert_eq!(talk.close_code(), None);

    // A slip now and then is none.
    let mut talk = Talk::new(&["stream:*"]);
    for _ in 0..30 {
        talk.now += Duration::from_secs(7);
        talk.send_text("{");
    }
    assert_eq!(talk.close_code(), None);
}

#[test]
fn a_flood_is_slowed_and_then_ended() {
    let mut talk = Talk::new(&["stream:*"]);
    let mut refused = 0;
    let text = json!({"op": "ping", "id": 1}).to_string();
    while talk.close_code().is_none() {
        talk.with(|session, ctx| session.handle_text(&text, ctx));
        let said = talk.said();
        refused += u32::from(codes(&said) == ["rate_limited"]);
        if refused == 1 {
            assert_eq!(said[0]["retryable"], true);
            assert!(said[0]["details"]["retry_after_ms"].as_u64().unwrap() > 0);
        }
    }
    assert_eq!((refused, talk.close_code()), (100, Some(4429)));
}

#[test]
fn a_token_runs_out_unless_it_is_renewed() {
    let mut talk = Talk::stranger();
    let token = talk.token("alice", &["stream:*"], 100);
    talk.ask(&json!({"op": "auth", "token": token}));
    talk.ask(&json!({"op": "subscribe", "channels": ["quotes"], "symbols": ["BTC-USD", "ETH-USD"]}));
    let said = talk.later(40);
    assert_eq!(said[0]["type"], "token_expiring");
    assert!(said[0]["expires_in_ms"].as_u64().unwrap() <= 60_000);
    assert_eq!(talk.later(10)[0]["type"], "heartbeat", "it is said once");

    // Somebody else's token does not take the session over; a narrower one ends what it does not cover.
    let other = talk.token("eve", &["stream:*"], 3_600);
    assert_eq!(talk.ask(&json!({"op": "auth", "token": other}))["code"], "token_invalid");
    let narrow = talk.token("alice", &["stream:ETH-*"], 200);
    let said = talk.send(&json!({"op": "auth", "id": 2, "token": narrow}));
    assert_eq!((&said[0]["type"], &said[1]["code"]), (&json!("ack"), &json!("forbidden")));
    assert_eq!(
        said[1]["message"],
        "The new token does not cover what was subscribed; ended: quotes of BTC-USD."
    );
    let fence = (&said[2]["op"], &said[2]["symbols"], &said[2]["ledger"][0]["channel"]);
    assert_eq!(fence, (&json!("unsubscribe"), &json!(["BTC-USD"]), &json!("quotes")));
    talk.later(50);
    talk.session.hear(talk.now);
    assert_eq!(talk.close_code(), None);
    assert_eq!(codes(&talk.later(100)), ["token_expired"]);
    assert_eq!(talk.close_code(), Some(4501));
}

#[test]
fn silence_is_broken_by_heartbeats_and_pings() {
    let mut talk = Talk::new(&["stream:*"]);
    assert_eq!(talk.later(4), [] as [Value; 0]);
    let beat = talk.later(1);
    assert_eq!((&beat[0]["type"], &beat[0]["cursor"]), (&json!("heartbeat"), &json!("7:3")));
    talk.session.note_sent(talk.now);
    assert!(!talk.session.take_ping());
    talk.later(15);
    assert!(talk.session.take_ping() && !talk.session.take_ping());
    talk.now += Duration::from_secs(89);
    assert!(talk.with(|session, ctx| session.handle_timeout(true, ctx)));
    talk.now += Duration::from_secs(1);
    assert!(!talk.with(|session, ctx| session.handle_timeout(true, ctx)), "taken for gone");
}

#[test]
fn a_message_that_is_too_long() {
    let mut talk = Talk::new(&["stream:*"]);
    talk.session.handle_too_big();
    assert_eq!(codes(&talk.said()), ["message_too_big"]);
    assert_eq!(talk.close_code(), Some(1009));
}
