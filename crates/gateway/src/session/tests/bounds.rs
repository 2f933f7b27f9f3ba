//! How many sessions a subject has, and how much of a stream a token gives.

use serde_json::{Value, json};

use super::{Talk, codes};
use crate::auth::Grant;
use crate::settings::Over;

#[test]
fn a_subject_has_its_sessions() {
    let mut talk = Talk::stranger();
    talk.limit(|limits| limits.subject_connections = Some(1));
    let elsewhere = talk.roster.take(&Grant::for_tests("alice"), &talk.settings.limits.now()).unwrap();
    let auth = json!({"op": "auth", "token": talk.token("alice", &["stream:*"], 3_600)});
    let said = talk.send(&auth);
    assert_eq!(codes(&said), ["connection_limit"]);
    assert_eq!(said[0]["message"], "alice has as many sessions as it may: 1. Close one of them.");
    assert_eq!(talk.close_code(), Some(4503));
    drop(elsewhere);

    // Where the oldest makes room, it is told so.
    let mut talk = Talk::stranger();
    talk.limit(|limits| {
        (limits.subject_connections, limits.subject_connections_over) = (Some(1), Over::Evict);
    });
    assert_eq!(talk.send(&auth)[0]["type"], "ack");
    assert_eq!((codes(&talk.later(1)), talk.close_code()), (vec![], None));
    let _newer = talk.roster.take(&Grant::for_tests("alice"), &talk.settings.limits.now()).unwrap();
    assert_eq!((codes(&talk.later(1)), talk.close_code()), (vec!["connection_limit"], Some(4503)));
}

#[test]
fn what_the_token_gives_less_of_is_served_so_and_said() {
    let mut talk = Talk::new(&["stream:BTC-*/book?depth=5", "stream:*?conflate_ms=500"]);
    talk.limit(|limits| limits.symbols = 10);
    let ask = json!({"op": "subscribe", "channels": ["book", "status"], "symbols": ["BTC-USD", "ETH-*"], "depth": 5});
    let ack = talk.ask(&ask);
    assert_eq!(
        ack["narrowed"],
        json!([{"channel": "book", "depth": 5, "conflate_ms": 500, "symbols": ["ETH-USD", "ETH-EUR"]}])
    );
    let list = talk.ask(&json!({"op": "list"}));
    let conflated = |ack: &Value| {
        let entries = ack["subscriptions"].as_array().unwrap().iter();
        entries
            .map(|entry| (entry["symbols"].to_string(), entry["conflate_ms"].as_u64().unwrap()))
            .collect::<Vec<_>>()
    };
    let [btc, eth] = [r#"["BTC-USD"]"#, r#"["ETH-EUR","ETH-USD"]"#].map(str::to_owned);
    let states = r#"["BTC-USD","ETH-EUR","ETH-USD"]"#.to_owned();
    assert_eq!(conflated(&list), [(btc.clone(), 0), (eth.clone(), 500), (states.clone(), 0)]);
    // The offers are not mixed, and what is asked within one of them is had.
    let ack =
        talk.ask(&json!({"op": "subscribe", "channels": ["book"], "symbols": ["BTC-USD"], "depth": 50}));
    assert_eq!(ack["narrowed"][0]["conflate_ms"], 500, "deeper, and slower for it");
    let ack = talk
        .ask(&json!({"op": "subscribe", "channels": ["book"], "symbols": ["ETH-USD"], "conflate_ms": 500}));
    assert_eq!(ack["narrowed"], json!(null));
    // A symbol listed later, and a new token, are held to it, too.
    talk.list("ETH-BTC");
    talk.said();
    let narrower = talk.token("alice", &["stream:*?conflate_ms=2000&depth=1"], 3_600);
    talk.ask(&json!({"op": "auth", "token": narrower}));
    let list = talk.ask(&json!({"op": "list"}));
    let books = r#"["BTC-USD","ETH-BTC","ETH-EUR","ETH-USD"]"#.to_owned();
    let states = r#"["BTC-USD","ETH-BTC","ETH-EUR","ETH-USD"]"#.to_owned();
    assert_eq!(conflated(&list), [(books, 2_000), (states, 0)]);
    assert_eq!(list["subscriptions"][0]["depth"], 1);
}
