//! Pausing and going on.

use serde_json::json;

use super::{Visit, short};

#[test]
fn what_happens_meanwhile_waits_and_other_streams_go_on() {
    let mut visit = Visit::new();
    visit.reads(&["trades", "quotes"], "A", &json!({}));
    visit.happens("tA qA");
    assert_eq!(short(&visit.turn()), "t2 q2");
    // A fence: what waits when the request comes is not sent after its answer.
    visit.happens("tA");
    let pause = json!({"op": "pause", "id": 1, "channels": ["trades"], "symbols": ["*"]});
    let said = visit.send(&pause);
    assert_eq!(short(&said), "ack");
    let fence = (&said[0]["id"], &said[0]["op"], &said[0]["symbols"]);
    assert_eq!(fence, (&json!(1), &json!("pause"), &json!(["A"])));
    visit.happens("tA*3 qA");
    assert_eq!(short(&visit.turn()), "q3");
    let list = visit.ask(&json!({"op": "list"}));
    assert_eq!(list["subscriptions"][0]["paused"], true);
    let account = visit.ask(&json!({"op": "ledger"}));
    let trades = &account["subscriptions"][0];
    assert_eq!((&trades["pending"], &trades["last_sequence"]), (&json!(4), &json!(2)));

    let said = visit.send(&json!({"op": "unpause", "channels": ["trades"], "symbols": ["A"]}));
    assert_eq!(short(&said), "ack t3+t4+t5+t6");
    // Twice is once.
    visit.send(&json!({"op": "unpause", "channels": ["trades"], "symbols": ["A"]}));
    visit.happens("tA");
    assert_eq!(short(&visit.turn()), "t7");
}

/// Whoever comes back with the cursor of a moment in which something was paused misses nothing.
#[test]
fn the_cursor_waits_with_what_is_paused() {
    let mut visit = Visit::new();
    visit.reads(&["trades", "quotes"], "A", &json!({}));
    visit.send(&json!({"op": "pause", "channels": ["trades"], "symbols": ["A"]}));
    visit.happens("tA qA");
    let said = visit.turn();
    assert_eq!((short(&said), &said[0]["cursor"]), ("q2".to_owned(), &json!("7:6")));
    let cursor = said[0]["cursor"].clone();
    visit.comes_back();
    let resume =
        json!({"op": "subscribe", "channels": ["trades", "quotes"], "symbols": ["A"], "resume": cursor});
    assert_eq!(short(&visit.send(&resume)), "ack t2 q2");
}

#[test]
fn nothing_of_others_is_paused() {
    let mut visit = Visit::new();
    visit.reads(&["trades"], "A", &json!({}));
    let said = visit.ask(&json!({"op": "pause", "channels": ["trades"], "symbols": ["B", "A"]}));
    assert_eq!(said["symbols"], json!(["A"]));
    assert_eq!(said["rejected"][0]["message"], "Not subscribed to B on these channels.");
}
