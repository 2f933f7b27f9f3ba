//! Streams that a token gives with a delay.

use fanout::TopicId;
use serde_json::{Value, json};

use super::{Talk, codes};

const QUARTER: u64 = 900_000;

fn subscribe(channels: &[&str], symbols: &[&str]) -> Value {
    json!({"op": "subscribe", "channels": channels, "symbols": symbols})
}

impl Talk {
    /// Which twin is served, stream by stream.
    fn twins(&self) -> Vec<(String, usize)> {
        let name = |(topic, _): (TopicId, _)| {
            let symbol = &self.fanout.instrument(topic.symbol).symbol;
            (format!("{}/{symbol}", topic.stream.channel()), self.fanout.twin_number(topic.symbol))
        };
        let mut twins: Vec<_> = self.fanout.subscriptions(self.session.id).into_iter().map(name).collect();
        twins.sort_unstable();
        twins
    }
}

fn served(twins: &[(&str, usize)]) -> Vec<(String, usize)> {
    twins.iter().map(|(name, twin)| ((*name).to_owned(), *twin)).collect()
}

#[test]
fn each_symbol_is_as_late_as_the_token_says() {
    let scopes = ["stream:BTC-*", "stream:*?delay_ms=900000", "stream:ETH-EUR/status?delay_ms=5"];
    let mut talk = Talk::with_delays(&scopes, &[1_000, QUARTER]);
    let ack = talk.ask(&subscribe(&["quotes", "status"], &["*"]));
    assert_eq!(ack["symbols"], json!(["BTC-USD", "ETH-EUR", "ETH-USD"]), "each once");
    let late = |channel: &str, delay: u64, symbols: &[&str]| json!({"channel": channel, "conflate_ms": 0, "delay_ms": delay, "symbols": symbols});
    assert_eq!(
        ack["narrowed"],
        json!([
            late("quotes", QUARTER, &["ETH-USD", "ETH-EUR"]),
            // The next longer one that there is.
            late("status", 1_000, &["ETH-EUR"]),
            late("status", QUARTER, &["ETH-USD"]),
        ])
    );
    assert_eq!(
        talk.twins(),
        served(&[
            ("quotes/BTC-USD", 0),
            ("quotes/ETH-EUR", 2),
            ("quotes/ETH-USD", 2),
            ("status/BTC-USD", 0),
            ("status/ETH-EUR", 1),
            ("status/ETH-USD", 2),
        ])
    );
    let list = talk.ask(&json!({"op": "list"}));
    let delays: Vec<_> =
        list["subscriptions"].as_array().unwrap().iter().map(|entry| entry["delay_ms"].as_u64()).collect();
    assert_eq!(delays, [Some(QUARTER), None, Some(1_000), Some(QUARTER), None]);
    // Three symbols are what a session may have here: a twin is none of them.
    let again = talk.ask(&subscribe(&["trades"], &["ETH-USD"]));
    assert_eq!((&again["symbols"], &again["rejected"]), (&json!(["ETH-USD"]), &json!([])));
    let ended = talk
        .ask(&json!({"op": "unsubscribe", "channels": ["quotes", "status", "trades"], "symbols": ["ETH-*"]}));
    assert_eq!(ended["ledger"].as_array().unwrap().len(), 5);
    assert_eq!(talk.twins(), served(&[("quotes/BTC-USD", 0), ("status/BTC-USD", 0)]));
}

#[test]
fn a_twin_has_no_name() {
    let mut talk = Talk::with_delays(&["stream:*?delay_ms=1000"], &[1_000]);
    talk.limit(|limits| limits.symbols = 10);
    assert_eq!(talk.fanout.symbols().count(), 3);
    let ack = talk.ask(&subscribe(&["quotes"], &["BTC-USDD", "*"]));
    assert_eq!(ack["rejected"][0]["message"], "Unknown symbol BTC-USDD. Did you mean BTC-USD?");
    // What is listed later joins, and is as late.
    talk.list("SOL-USD");
    let said = talk.said();
    assert_eq!((said.len(), &said[0]["symbols"]), (1, &json!(["SOL-USD"])));
    assert_eq!(said[0]["narrowed"][0]["delay_ms"], 1_000);
    assert!(talk.twins().iter().all(|(_, twin)| *twin == 1));
}

#[test]
fn a_delay_that_there_is_none_of_is_named() {
    let mut talk = Talk::with_delays(&["stream:*?delay_ms=1800000", "stream:BTC-*/trades"], &[QUARTER]);
    let ack = talk.ask(&subscribe(&["trades", "quotes"], &["BTC-USD"]));
    assert_eq!(ack["symbols"], json!(["BTC-USD"]), "what can be had is");
    let refused = |ack: &Value| (ack["rejected"][0]["code"].clone(), ack["rejected"][0]["message"].clone());
    let message =
        "Your token covers BTC-USD on quotes with delay_ms=1800000, and 900000 ms is the longest here.";
    assert_eq!(refused(&ack), (json!("forbidden"), json!(message)));
    let ack = talk.ask(&subscribe(&["quotes"], &["*"]));
    assert_eq!(
        (&ack["symbols"], ack["rejected"].as_array().unwrap().len()),
        (&json!([]), 1),
        "once a pattern"
    );
    assert_eq!(ack["rejected"][0]["symbol"], "*");

    let mut talk = Talk::new(&["stream:*?delay_ms=1"]);
    let ack = talk.ask(&subscribe(&["quotes"], &["ETH-USD"]));
    let message = "Your token covers ETH-USD on quotes with delay_ms=1, and this server delays nothing.";
    assert_eq!(refused(&ack), (json!("forbidden"), json!(message)));
}

/// Another delay is another stream: what was served ends with its account, and the other begins with its state.
#[test]
fn a_new_token_moves_what_it_gives_later_or_sooner() {
    let mut talk = Talk::with_delays(&["stream:*"], &[1_000, QUARTER]);
    talk.ask(&json!({"op": "subscribe", "channels": ["book"], "symbols": ["BTC-USD", "ETH-USD"], "depth": 10, "conflate_ms": 100}));
    talk.ask(&subscribe(&["quotes"], &["BTC-USD"]));
    talk.ask(&json!({"op": "pause", "channels": ["quotes"], "symbols": ["BTC-USD"]}));
    let renew = |talk: &mut Talk, scopes: &[&str]| {
        let token = talk.token("alice", scopes, 3_600);
        let said = talk.send(&json!({"op": "auth", "token": token}));
        assert_eq!(codes(&said), vec!["-"; said.len()], "that is no fault of the client");
        said
    };
    let said = renew(&mut talk, &["stream:ETH-*", "stream:BTC-*?delay_ms=900000&depth=5"]);
    let ops: Vec<_> = said.iter().map(|ack| (&ack["op"], &ack["channels"][0], &ack["symbols"])).collect();
    let (auth, [quotes, book]) = (json!("auth"), ["quotes", "book"].map(|name| json!(name)));
    let (ended, begun) = (json!("unsubscribe"), json!("subscribe"));
    let (btc, null) = (json!(["BTC-USD"]), Value::Null);
    assert_eq!(
        ops,
        [
            (&auth, &null, &null),
            (&ended, &quotes, &btc),
            (&ended, &book, &btc),
            (&begun, &quotes, &btc),
            (&begun, &book, &btc)
        ]
    );
    assert_eq!(said[2]["ledger"][0]["channel"], "book");
    assert_eq!(
        said[4]["narrowed"],
        json!([{"channel": "book", "depth": 5, "conflate_ms": 100, "delay_ms": QUARTER, "symbols": ["BTC-USD"]}])
    );
    let late = served(&[("book/BTC-USD", 2), ("book/ETH-USD", 0), ("quotes/BTC-USD", 2)]);
    assert_eq!(talk.twins(), late);
    let list = talk.ask(&json!({"op": "list"}));
    assert_eq!(
        (&list["subscriptions"][0]["channel"], &list["subscriptions"][0]["paused"]),
        (&quotes, &json!(true))
    );

    // The same again changes nothing; a better one brings it live.
    assert_eq!(renew(&mut talk, &["stream:ETH-*", "stream:BTC-*?delay_ms=900000&depth=5"]).len(), 1);
    assert_eq!(talk.twins(), late);
    let said = renew(&mut talk, &["stream:*"]);
    assert_eq!((said.len(), &said[4]["narrowed"]), (5, &Value::Null));
    assert!(talk.twins().iter().all(|(_, twin)| *twin == 0));

    // What is given only later than this server can is not covered.
    let token = talk.token("alice", &["stream:ETH-*", "stream:BTC-*?delay_ms=900001"], 3_600);
    let said = talk.send(&json!({"op": "auth", "token": token}));
    assert_eq!(
        said[1]["message"],
        "The new token does not cover what was subscribed; ended: quotes of BTC-USD, book of BTC-USD."
    );
    assert_eq!(talk.twins(), served(&[("book/ETH-USD", 0)]));
}
