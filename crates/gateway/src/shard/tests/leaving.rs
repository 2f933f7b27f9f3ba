//! The server goes away.

use std::time::Duration;

use serde_json::json;

use super::Visit;
use crate::drain::Departure;

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_session_leaves_when_it_is_to_and_not_when_it_next_has_something_to_do() {
    let mut visit = Visit::new();
    visit.send(&json!({"op": "subscribe", "channels": ["trades"], "symbols": ["A"]}));
    visit.happens("tA");
    assert_eq!(visit.turn()[0]["type"], "update");
    let leaves = Departure { reconnect_after: 200 * MS, close_after: 700 * MS };
    visit.member.shut_down(leaves, &mut visit.core);
    let told = visit.turn();
    assert_eq!((&told[0]["type"], &told[0]["reconnect_after_ms"]), (&json!("draining"), &json!(200)));
    let now = visit.core.now;
    assert!((now + 699 * MS..=now + 700 * MS).contains(&visit.member.due()));
}
