//! Alerts, as a client asks for them and is told of them.

use model::{Price, Side, Size, Trade};

use super::*;

impl Talk {
    /// A trade happens; what the client is told of it by itself.
    fn trade(&mut self, symbol: &str, price: &str) -> Vec<Value> {
        let instrument = Arc::new(Instrument::named(Symbol::parse(symbol).unwrap(), Venue::new("v"), symbol));
        let (price, size) = (Price::parse(price).unwrap(), Size::parse("1").unwrap());
        let body = Body::Trade(Trade { id: None, price, size, side: Side::Buy });
        let tick = Tick { instrument, ts_event: None, ts_source: None, ts_recv: None, body };
        let event = self.sequencer.push(tick, WALL).unwrap().unwrap();
        self.fanout.publish(&event, self.now);
        self.alerts.look(&[event]);
        self.told()
    }

    fn told(&mut self) -> Vec<Value> {
        let cx = std::task::Context::from_waker(std::task::Waker::noop());
        self.with(|session, ctx| session.poll_alerts(&cx, ctx));
        self.said()
    }
}

#[test]
fn an_alert_is_set_and_told() {
    let mut talk = Talk::new(&["stream:*"]);
    talk.trade("BTC-USD", "99.50");
    let ack = talk.send_text(
        r#"{"op":"alert_set","id":1,"alert":"up","symbol":"BTC-USD","above":"100","repeat":true}"#,
    );
    assert_eq!(ack, [json!({"type":"ack","id":1,"op":"alert_set","alert":"up","beyond":false,"sequence":1})]);
    assert!(talk.trade("BTC-USD", "100").is_empty());
    let told = talk.trade("BTC-USD", "100.50");
    assert_eq!(told.len(), 1, "{told:?}");
    let alert = &told[0];
    assert_eq!(alert["type"], "alert");
    assert_eq!(
        (&alert["alert"], &alert["above"], &alert["state"]),
        (&json!("up"), &json!("100"), &json!("beyond"))
    );
    assert_eq!((&alert["fired"], &alert["last"]["value"]), (&json!(1), &json!("100.50")));
    // To and fro in no time: told once, with how often.
    for _ in 0..5 {
        assert!(talk.trade("BTC-USD", "99").is_empty());
        assert!(talk.trade("BTC-USD", "101").is_empty());
    }
    let due = talk.with(|session, ctx| session.poll_timeout(true, ctx));
    assert_eq!(due, talk.now + crate::limits::ALERTS_APART);
    talk.now = due;
    let told = talk.told();
    assert_eq!((told.len(), &told[0]["fired"]), (1, &json!(6)));
    let list = talk.send_text(r#"{"op":"alert_list","id":2}"#);
    assert_eq!(list[0]["alerts"][0]["fired"], 6);
    let gone = talk.send_text(r#"{"op":"alert_clear","id":3,"alert":"up"}"#);
    assert_eq!(gone, [json!({"type":"ack","id":3,"op":"alert_clear","alert":"up","fired":6})]);
    assert_eq!(talk.send_text(r#"{"op":"alert_clear","id":4,"alert":"up"}"#)[0]["code"], "unknown_alert");
}

/// They are the subject's, and outlive its sessions.
#[test]
fn an_alert_outlives_its_session() {
    let mut talk = Talk::new(&["stream:*"]);
    talk.trade("BTC-USD", "99.50");
    talk.send_text(r#"{"op":"alert_set","id":1,"alert":"down","symbol":"BTC-USD","below":"90"}"#);
    let grant = talk.session.grant.clone();
    talk.session = talk.with(|_, ctx| Session::open("s2".into(), None, ctx));
    talk.session.grant = grant;
    talk.said();
    assert!(talk.trade("BTC-USD", "89").is_empty(), "nobody has asked");
    let list = talk.send_text(r#"{"op":"alert_list","id":1}"#);
    let entry = &list[0]["alerts"][0];
    assert_eq!(
        (&entry["state"], &entry["fired"], &entry["last"]["value"]),
        (&json!("done"), &json!(1), &json!("89"))
    );
    assert!(talk.told().is_empty(), "that was told");
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let mut talk = Talk::new(&["stream:BTC-*/trades"]);
    let mut code = |request: &str| talk.send_text(request)[0]["code"].clone();
    for (request, wanted) in [
        (r#"{"op":"alert_set","alert":"a","symbol":"BTC-USDD","above":"1"}"#, "unknown_symbol"),
        (r#"{"op":"alert_set","alert":"a","symbol":"ETH-USD","above":"1"}"#, "forbidden"),
        (r#"{"op":"alert_set","alert":"a","symbol":"BTC-USD","field":"bid_price","above":"1"}"#, "forbidden"),
        (r#"{"op":"alert_set","alert":"a","symbol":"BTC-USD"}"#, "invalid_request"),
        (r#"{"op":"alert_set","alert":"a","symbol":"BTC-USD","above":"1","below":"2"}"#, "invalid_request"),
        (r#"{"op":"alert_set","alert":"a","symbol":"BTC-USD","above":1}"#, "invalid_request"),
        (r#"{"op":"alert_set","alert":"a b","symbol":"BTC-USD","above":"1"}"#, "invalid_request"),
    ] {
        assert_eq!(code(request), wanted, "{request}");
    }
}

/// A token that covers less shows less, and a later one is told of its own stream.
#[test]
fn an_alert_is_told_to_whom_its_stream_is_given() {
    let mut talk = Talk::new(&["stream:*"]);
    talk.trade("ETH-USD", "10");
    talk.send_text(r#"{"op":"alert_set","id":1,"alert":"up","symbol":"ETH-USD","above":"11"}"#);
    let token = talk.token("alice", &["stream:BTC-*"], 3_600);
    talk.send_text(&format!(r#"{{"op":"auth","id":2,"token":"{token}"}}"#));
    assert!(talk.trade("ETH-USD", "12").is_empty());
    assert_eq!(talk.send_text(r#"{"op":"alert_list","id":3}"#)[0]["alerts"], json!([]));
}
