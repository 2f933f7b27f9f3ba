//! Which fields and which records, and options that change while the stream flows.

use serde_json::{Value, json};

use super::{Visit, short};

fn keys(record: &Value) -> Vec<&str> {
    record.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn only_the_fields_asked_for() {
    let mut visit = Visit::new();
    visit.reads(&["trades", "quotes"], "A", &json!({"fields": ["price", "bid_price"]}));
    visit.happens("tA qA");
    let said = visit.turn();
    assert_eq!(keys(&said[0]["data"][0]), ["price", "sequence", "symbol"]);
    assert_eq!(keys(&said[1]["data"][0]), ["bid_price", "sequence", "symbol"]);
    // Another session's view is its own, at the same place of the same stream.
    visit.reads(&["trades"], "A", &json!({"fields": ["size"]}));
    visit.happens("tA");
    assert_eq!(keys(&visit.turn()[0]["data"][0]), ["sequence", "size", "symbol"]);
}

/// Two sessions at the same places share what is made for them; what differs is made for each.
#[test]
fn a_frame_is_shared_only_by_those_who_want_the_same() {
    let mut visit = Visit::new();
    visit.reads(&["trades"], "A", &json!({}));
    let wants = |visit: &mut Visit, symbol: &str, more: Value| {
        let (arrival, line) = super::arrival();
        let other = super::Member::new(arrival, &mut visit.core, &visit.wakes);
        let first = std::mem::replace(&mut visit.member, other);
        let first_line = std::mem::replace(&mut visit.line, line);
        visit.write(false);
        visit.reads(&["trades"], symbol, &more);
        (std::mem::replace(&mut visit.member, first), std::mem::replace(&mut visit.line, first_line))
    };
    let same = wants(&mut visit, "A", json!({}));
    let elsewhere = wants(&mut visit, "B", json!({}));
    let narrow = wants(&mut visit, "A", json!({"fields": ["size"]}));
    let stamped = wants(&mut visit, "A", json!({"stamp": true}));
    let also_stamped = wants(&mut visit, "A", json!({"stamp": true}));
    visit.happens("tA tB");
    let whole = visit.turn();
    assert_eq!(
        keys(&whole[0]["data"][0]),
        ["price", "sequence", "side", "size", "symbol", "ts_event", "ts_recv"]
    );
    let mut turn = |(member, line)| {
        (visit.member, visit.line) = (member, line);
        visit.turn().remove(0)
    };
    assert_eq!(turn(same), whole[0]);
    assert_eq!(turn(elsewhere)["data"][0]["symbol"], "B");
    assert_eq!(keys(&turn(narrow)["data"][0]), ["sequence", "size", "symbol"]);
    let sent = [turn(stamped), turn(also_stamped)].map(|message| message["ts_sent"].clone());
    assert!(sent[0].is_string() && sent[0] != sent[1], "{sent:?}");
}

/// Sizes go 2, 3, 1 and so on: what is below 3 lies in the range of the next that is not.
#[test]
fn a_filter_hides_and_accounts() {
    let mut visit = Visit::new();
    visit.reads(&["trades"], "A", &json!({"filter": {"min_size": "3"}}));
    visit.happens("tA*9");
    let said = visit.turn();
    let sizes: Vec<_> = said[0]["data"].as_array().unwrap().iter().map(|record| &record["size"]).collect();
    assert_eq!((short(&said), sizes), ("t3(1)+t6(2)+t9(2)".to_owned(), vec![&json!("3"); 3]));
    let account = &visit.ask(&json!({"op": "ledger"}))["subscriptions"][0];
    let counts = ["published", "delivered", "coalesced", "skipped", "pending"]
        .map(|name| account[name].as_u64().unwrap());
    assert_eq!(counts, [9, 3, 5, 0, 1]);
    let list = visit.ask(&json!({"op": "list"}));
    assert_eq!(list["subscriptions"][0]["filter"], json!({"min_size": "3"}));
}

#[test]
fn a_changed_filter_holds_once_what_waits_is_sent() {
    let mut visit = Visit::new();
    visit.reads(&["trades"], "A", &json!({"filter": {"min_size": "3"}}));
    visit.happens("tA*3");
    let subscribe = |more: Value| {
        let mut request =
            json!({"op": "subscribe", "channels": ["trades"], "symbols": ["A"], "snapshot": false});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    // What the old filter hid stays hidden, and what waits for it goes first.
    assert_eq!(short(&visit.send(&subscribe(json!({"filter": {"min_size": "2"}})))), "ack t3(1)");
    visit.happens("tA*3");
    assert_eq!(short(&visit.turn()), "t5(1)+t6");
    assert_eq!(short(&visit.send(&subscribe(json!({})))), "ack");
    visit.happens("tA*2");
    assert_eq!(short(&visit.turn()), "t8(1)+t9");
}

/// Every message says where the client stands who has handled it, and no more.
#[test]
fn each_message_has_its_own_cursor() {
    let mut visit = Visit::new();
    visit.reads(&["trades", "quotes"], "A", &json!({}));
    visit.happens("tA qA tA qA");
    let said = visit.turn();
    let cursors: Vec<_> = said.iter().map(|message| message["cursor"].as_str().unwrap()).collect();
    assert_eq!((short(&said), cursors), ("t2 q2 t3 q3".to_owned(), vec!["7:7", "7:8", "7:9", "7:10"]));
}
