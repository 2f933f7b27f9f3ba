//! Coming back: what is still kept is sent record by record, what is not is named.

use fanout::limits::LogLimits;
use serde_json::{Value, json};

use super::{Visit, short};

fn resume(visit: &mut Visit, channels: &[&str], cursor: &Value) -> Vec<Value> {
    visit.comes_back();
    visit.send(&json!({"op": "subscribe", "id": 1, "channels": channels, "symbols": ["A"], "resume": cursor}))
}

/// What a client has seen, to the cursor of the last message that it handled.
fn handled(visit: &mut Visit, channels: &[&str]) -> Value {
    visit.send(&json!({"op": "subscribe", "channels": channels, "symbols": ["A"]}));
    visit.happens("tA qA bA");
    visit.turn().pop().unwrap()["cursor"].clone()
}

#[test]
fn filled_is_everything_one_by_one() {
    let mut visit = Visit::new();
    let cursor = handled(&mut visit, &["trades", "quotes", "book"]);
    assert_eq!(cursor, "7:9");
    visit.happens("tA*2 qA bA tB qA");
    let said = resume(&mut visit, &["trades", "quotes", "book"], &cursor);
    assert_eq!(short(&said), "ack t3+t4 q3 b3 q4");
    let ack = &said[0];
    assert_eq!((&ack["resumed"], &ack["cursor"]), (&json!(true), &cursor));
    let states: Vec<_> =
        ack["streams"].as_array().unwrap().iter().map(|s| (&s["channel"], &s["state"])).collect();
    let filled = json!("filled");
    let channels = [json!("trades"), json!("quotes"), json!("book")];
    assert_eq!(states, channels.iter().map(|channel| (channel, &filled)).collect::<Vec<_>>());
    // Each message is as far as whoever breaks off after it may come back.
    for (handled, message) in said.iter().enumerate().skip(1) {
        let again = resume(&mut visit, &["trades", "quotes", "book"], &message["cursor"]);
        let (mut lacked, got) = (sequences(&said[handled + 1..]), sequences(&again[1..]));
        lacked.retain(|record| !got.contains(record));
        assert_eq!(lacked, [], "after {handled} messages");
    }
    assert_eq!(said.last().unwrap()["cursor"], "7:15");
}

/// Channel and sequence of every record.
fn sequences(said: &[Value]) -> Vec<(String, u64)> {
    let of = |message: &Value| {
        let channel = message["channel"].to_string();
        let data = message["data"].as_array().cloned().unwrap_or_default();
        data.into_iter().map(move |record| (channel.clone(), record["sequence"].as_u64().unwrap()))
    };
    said.iter().flat_map(of).collect()
}

#[test]
fn missing_names_the_exact_range() {
    let mut visit = Visit::with(LogLimits { events: 8, ..LogLimits::default() });
    let cursor = handled(&mut visit, &["trades", "quotes"]);
    visit.happens("tA*20 qA*3");
    let said = resume(&mut visit, &["trades", "quotes"], &cursor);
    assert_eq!(said[0]["resumed"], false);
    assert_eq!(said[0]["streams"][0]["state"], "missing");
    assert_eq!(said[0]["streams"][1], json!({"channel": "quotes", "state": "filled", "symbols": ["A"]}));
    let gap = said.iter().find(|message| message["type"] == "gap").unwrap();
    assert_eq!(
        (&gap["channel"], &gap["from_sequence"], &gap["to_sequence"], &gap["count"], &gap["reason"]),
        (&json!("trades"), &json!(3), &json!(22), &json!(20), &json!("cursor_expired"))
    );
    // The newest trades follow as a snapshot, and then all goes on.
    let kept = (15..=22).map(|sequence| format!("t{sequence}")).collect::<Vec<_>>().join("+");
    assert_eq!(short(&said), format!("ack G3-22 S{kept} q3+q4+q5"));
    visit.happens("tA");
    assert_eq!(short(&visit.turn()), "t23");
}

/// More than may be sent again counts as gone; coming back with what was got then ends.
#[test]
fn what_is_too_much_becomes_a_snapshot_and_cannot_loop() {
    let logs = LogLimits { events: 1 << 17, bytes: 64 << 20, ..LogLimits::default() };
    let mut visit = Visit::with(logs);
    let cursor = handled(&mut visit, &["trades", "quotes"]);
    // Some 210 bytes each: more than 8 MiB.
    visit.happens("tA*42000 qA");
    let said = resume(&mut visit, &["trades", "quotes"], &cursor);
    let newest = (41_953..=42_002).map(|sequence| format!("t{sequence}")).collect::<Vec<_>>().join("+");
    // The range may begin before where the client stands: that far back the place is known about.
    assert_eq!(short(&said), format!("ack G1-42002 S{newest} q3"));
    let last = said.last().unwrap()["cursor"].clone();
    let said = resume(&mut visit, &["trades", "quotes"], &last);
    assert_eq!((short(&said), &said[0]["resumed"]), ("ack".to_owned(), &json!(true)));
}

#[test]
fn a_cursor_of_another_life_has_no_range() {
    let mut visit = Visit::new();
    for cursor in ["8:3", "7:999"] {
        let said = resume(&mut visit, &["trades"], &json!(cursor));
        assert_eq!(short(&said), "ack G? St1", "{cursor}");
        assert_eq!(said[0]["streams"][0]["state"], "missing");
    }
}
