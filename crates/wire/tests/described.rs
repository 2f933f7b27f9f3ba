//! `asyncapi.json` is true: every example of `PROTOCOL.md` is what its schema says, what is broken is not, and
//! the server takes the requests that the schemas allow and no others.

#![expect(clippy::unwrap_used, reason = "a test")]

mod judge;

use judge::Judge;
use serde_json::{Map, Value, json};
use wire::Request;

const PAGE: &str = include_str!("../PROTOCOL.md");

/// The lines of all blocks of JSON.
fn examples() -> impl Iterator<Item = &'static str> {
    let blocks = PAGE.split("```json\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    blocks.flat_map(str::lines)
}

fn read(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn every_example_is_what_its_schema_says() {
    let judge = Judge::new();
    let (mut messages, mut requests) = (0, 0);
    for example in examples().map(read) {
        if example.get("op").is_some() && example.get("type").is_none() {
            // Some of them are there to be refused.
            let taken = Request::parse(&example.to_string()).is_ok();
            assert_eq!(judge.request(&example).is_ok(), taken, "{example}: {:?}", judge.request(&example));
            requests += 1;
        } else {
            judge.message(&example).unwrap_or_else(|why| panic!("{why}: {example}"));
            messages += 1;
        }
    }
    assert!(messages >= 35 && requests >= 15, "{messages} and {requests}: are they still found?");
}

/// The first example that has this in it.
fn example(part: &str) -> Value {
    read(examples().find(|line| line.contains(part)).unwrap())
}

#[test]
fn what_is_broken_is_refused() {
    let judge = Judge::new();
    let changed = |part: &str, path: &str, value: Value| {
        let mut example = example(part);
        *example.pointer_mut(path).unwrap() = value;
        example
    };
    let without = |part: &str, path: &str, name: &str| {
        let mut example = example(part);
        example.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        example
    };
    for broken in [
        changed("\"trade_id\"", "/data/0/price", json!(68900.5)),
        changed("\"trade_id\"", "/data/0/size", json!("-1.5")),
        changed("\"trade_id\"", "/data/0/side", json!("long")),
        changed("\"trade_id\"", "/data/0/ts_recv", json!("2026-11-20T14:30:00Z")),
        changed("\"trade_id\"", "/channel", json!("trade")),
        changed("\"summary\":true", "/data/0/trades", json!("276")),
        changed("\"derived\":true", "/data/0/ask_price", json!(true)),
        changed("\"depth\":20,\"bids\"", "/data/0/sequence", json!(-1)),
        changed("\"as_of\"", "/cursor", json!(918_231)),
        changed("\"welcome\"", "/heartbeat_ms", json!("5000")),
        changed("\"token_expired\"", "/code", json!("token_gone")),
        without("\"trade_id\"", "/data/0", "sequence"),
        without("\"trade_id\"", "", "cursor"),
        without("\"interval\":\"1m\"", "/data/0", "start"),
        without("\"flushed\"", "", "credit"),
        without("\"cursor_expired\"", "", "reason"),
        json!({ "type": "ack", "op": "subscribe" }),
        json!({ "type": "no_such_type" }),
    ] {
        assert!(judge.open(&broken).is_err(), "{broken}");
        assert!(judge.message(&broken).is_err(), "{broken}");
    }
    for broken in [
        json!({ "op": "subscribe", "channels": ["trades"], "symbols": ["*"], "symbol": ["*"] }),
        json!({ "op": "subscribe", "channels": ["trade"], "symbols": ["*"] }),
        json!({ "op": "subscribe", "channels": ["trades"] }),
        json!({ "op": "subscribe", "channels": ["trades"], "symbols": ["*"], "filter": { "min_size": 0.5 } }),
        json!({ "op": "subscribr" }),
    ] {
        assert!(judge.request(&broken).is_err(), "{broken}");
    }
    // What comes later is no fault, but a test of ours sees it.
    let mut newer = example("\"trade_id\"");
    newer["data"][0]["venue_flags"] = json!([]);
    assert!(judge.open(&newer).is_ok() && judge.message(&newer).is_err());
    // Where any field may be left out, a trade could be a quote that came later.
    let strange = changed("\"trade_id\"", "/channel", json!("quotes"));
    assert!(judge.open(&strange).is_ok() && judge.message(&strange).is_err());
    // A record of some fields only is one, too.
    let some = without("\"trade_id\"", "/data/0", "price");
    assert!(judge.open(&some).is_ok() && judge.message(&some).is_err());
}

/// Requests in all the shapes that their fields can have.
fn requests() -> Vec<Value> {
    let streams = |op: &str| json!({ "op": op, "id": "a", "channels": ["trades", "book"], "symbols": ["*"] });
    let values = [
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(20),
        json!(499),
        json!(500),
        json!(501),
        json!(3_600_000),
        json!(3_600_001),
        json!(1_000_001),
        json!(100_000_000_001_u64),
        json!(9_007_199_254_740_992_u64),
        json!(9_007_199_254_740_993_u64),
        json!(""),
        json!("1m"),
        json!("2m"),
        json!("gap"),
        json!("low"),
        json!("trades"),
        json!("k3f9:1"),
        json!("k3f9"),
        json!("x".repeat(64)),
        json!("x".repeat(65)),
        json!([]),
        json!([""]),
        json!(["trades"]),
        json!(["price", "sequence"]),
        json!(["prize"]),
        json!([5]),
        json!(vec!["*"; 1_001]),
        json!(["x".repeat(65)]),
        json!({}),
        json!({ "min_size": "0.50", "side": "buy" }),
        json!({ "min_size": 1 }),
        json!({ "min_price": "-1e3" }),
        json!({ "min_size": "-1" }),
        json!({ "max_price": ".5" }),
        json!({ "side": "unknown" }),
        json!({ "size": "1" }),
    ];
    let document: Value = read(wire::ASYNCAPI);
    let described = document["components"]["schemas"].as_object().unwrap().iter();
    let names: Map<String, Value> = described
        .filter(|(name, _)| name.ends_with("Request"))
        .flat_map(|(_, schema)| schema["properties"].as_object().unwrap().clone())
        .filter(|(name, _)| name != "op")
        .collect();
    let mut all = Vec::new();
    for whole in [
        json!({ "op": "auth", "token": "x" }),
        streams("subscribe"),
        streams("unsubscribe"),
        streams("pause"),
        streams("unpause"),
        json!({ "op": "pace" }),
        json!({ "op": "credit" }),
        json!({ "op": "list" }),
        json!({ "op": "ledger" }),
        json!({ "op": "ping" }),
        json!({ "op": "echo" }),
    ] {
        all.push(whole.clone());
        for name in whole.as_object().unwrap().keys() {
            let mut less = whole.clone();
            less.as_object_mut().unwrap().remove(name);
            all.push(less);
        }
        for name in names.keys().map(String::as_str).chain(["colour"]) {
            for value in &values {
                let mut more = whole.clone();
                more[name] = value.clone();
                all.push(more);
            }
        }
    }
    all
}

/// Neither more nor less than the server takes.
#[test]
fn the_server_takes_what_the_schemas_allow() {
    let judge = Judge::new();
    let (mut taken, mut refused) = (0, 0);
    for request in requests() {
        let parsed = Request::parse(&request.to_string());
        let judged = judge.request(&request);
        assert_eq!(parsed.is_ok(), judged.is_ok(), "{request}: {parsed:?}, {judged:?}");
        if parsed.is_ok() { taken += 1 } else { refused += 1 }
    }
    assert!(taken > 200 && refused > 5_000, "{taken} {refused}");
}
