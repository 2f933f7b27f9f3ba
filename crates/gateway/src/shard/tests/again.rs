//! Coming back: what is still kept is sent record by record, what is not is named.

use fanout::limits::LogLimits;
use serde_json::{Value, json};

use super::{Visit, short};
use crate::encode::Place;
use crate::limits::EARLY_WAIT;

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
    let said = resume(&mut visit, &["trades"], &json!("8:3"));
    assert_eq!(short(&said), "ack G? St1");
    assert_eq!(said[0]["streams"][0]["state"], "missing");
    // Told again before anything was: the session has the stream by now, which is no promise.
    let again = json!({"op": "subscribe", "channels": ["trades"], "symbols": ["A"], "resume": "8:3"});
    assert_eq!(visit.send(&again)[0]["streams"][0]["state"], "kept");
}

/// A gap names what an earlier message of the flush must not claim to have told.
#[test]
fn whoever_breaks_off_before_a_gap_still_hears_of_it() {
    let mut visit = Visit::new();
    visit.happens("qA tA");
    visit.send(&json!({"op": "subscribe", "channels": ["trades"], "symbols": ["A"], "snapshot": false}));
    let gaps = json!({"op": "subscribe", "channels": ["quotes"], "symbols": ["A"], "snapshot": false,
        "overflow": "gap"});
    visit.send(&gaps);
    visit.happens("qA tA qA*40");
    let (before, now) = (visit.core.fanout.cursor(visit.member.session.id), visit.core.now);
    let batch = visit.core.fanout.drain(visit.member.session.id, 2_000, now);
    let place = Place { epoch: &visit.core.epoch, before, fanout: &visit.core.fanout, replay: None };
    let mut said = Vec::<Value>::new();
    visit.core.encoder.encode(&batch, &place, |message| {
        said.push(serde_json::from_slice(message.payload()).unwrap());
    });
    assert_eq!(short(&said), "t3 G3-43");
    let said = resume(&mut visit, &["quotes"], &said[0]["cursor"]);
    assert_eq!((&said[0]["resumed"], said[1]["data"][0]["sequence"].as_u64()), (&json!(true), Some(3)));
}

/// What another shard or another process has told already is waited for, and does not come twice.
#[test]
fn a_cursor_that_is_ahead_waits() {
    let mut visit = Visit::new();
    let ahead = |position: u64| {
        let cursor = format!("7:{position}");
        json!({"op": "subscribe", "channels": ["trades"], "symbols": ["A"], "resume": cursor})
    };
    let looks = |visit: &mut Visit| {
        visit.member.tick(&mut visit.core);
        visit.member.read(&mut visit.core, &visit.metrics);
        short(&visit.write(false))
    };
    assert_eq!(short(&visit.send(&ahead(8))), "");
    // Nor is anything else answered before it.
    assert_eq!(short(&visit.send(&json!({"op": "ping"}))), "");
    visit.happens("tA");
    assert_eq!(looks(&mut visit), "");
    visit.happens("tA*2");
    assert_eq!(looks(&mut visit), "ack pong t4");

    // A place where nobody has been is not waited for for ever.
    visit.comes_back();
    assert_eq!(short(&visit.send(&ahead(900))), "");
    visit.core.now += EARLY_WAIT;
    assert_eq!(looks(&mut visit), "ack G? St1+t2+t3+t4");
}
