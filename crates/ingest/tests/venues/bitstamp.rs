//! Bitstamp: ordered by time, nothing else.

use crate::play::Play;

const URL: &str = "https://www.bitstamp.net/api/v2/order_book/btcusd/?group=1";

fn diff(micros: u64, bids: &str) -> String {
    format!(
        r#"{{"data":{{"timestamp":"1","microtimestamp":"{micros}","bids":[{bids}],"asks":[]}},"channel":"diff_order_book_btcusd","event":"data"}}"#
    )
}

fn snapshot(micros: u64) -> String {
    format!(r#"{{"timestamp":"1","microtimestamp":"{micros}","bids":[["1.0","1"]],"asks":[["2.0","1"]]}}"#)
}

#[test]
fn what_is_not_newer_than_the_snapshot_is_stale() {
    let mut play = Play::new("bitstamp");
    for micros in [4, 5, 6] {
        assert_eq!(play.frame(&diff(micros, &format!(r#"["1.0","{micros}"]"#))), "-");
    }
    assert_eq!(play.answer(URL, &snapshot(5)), "S Q D Q");
    assert_eq!(play.frame(&diff(6, r#"["1.0","9"]"#)), "-");
    // A diff without levels says nothing but counts.
    assert_eq!(play.frame(&diff(8, "")), "-");
    assert_eq!(play.frame(&diff(7, r#"["1.0","9"]"#)), "-");
    assert_eq!(
        play.full(&diff(9, r#"["1.0","0.00000000"],["0.9","3.0"]"#)),
        "D bitstamp:BTC-USD/btcusd 1.0x0.00000000,0.9x3.0|@9000; Q bitstamp:BTC-USD/btcusd 0.9x3.0|2.0x1@9000;"
    );
    // An older snapshot changes nothing.
    assert_eq!(play.answer(URL, &snapshot(8)), "-");
    // Books of single orders, and other answers.
    assert_eq!(play.answer(&URL.replace("group=1", "group=2"), &snapshot(90)), "-");
    assert_eq!(play.answer("https://www.bitstamp.net/api/v2/trading-pairs-info/", "[]"), "-");
    assert_eq!(play.answer(URL, r#"{"status":"error","reason":"x"}"#), "xshape");
}

/// What there was no room for is missing in every snapshot that is older.
#[test]
fn more_diffs_than_may_wait() {
    let mut play = Play::new("bitstamp");
    for micros in 1..=10_001 {
        assert_eq!(play.frame(&diff(micros, &format!(r#"["1.0","{micros}"]"#))), "-");
    }
    assert_eq!(play.answer(URL, &snapshot(0)), "-");
    assert_eq!(play.answer(URL, &snapshot(1)).matches('D').count(), 10_000);
}

/// Nothing tells of what was lost meanwhile.
#[test]
fn a_reconnect_needs_a_new_snapshot() {
    let mut play = Play::new("bitstamp");
    assert_eq!(play.answer(URL, &snapshot(5)), "S Q");
    assert_eq!(play.connect("c"), "", "the first one of all");
    assert_eq!(play.frame(&diff(6, r#"["1.0","9"]"#)), "D Q");
    assert_eq!(play.connect("d"), "", "another one");
    assert_eq!(play.connect("c"), "G(reconnect) !suspect");
    assert_eq!(play.frame(&diff(7, r#"["1.0","8"]"#)), "-");
    assert_eq!(play.frame(&diff(9, r#"["1.0","7"]"#)), "-");
    assert_eq!(play.answer(URL, &snapshot(8)), "S !open Q D Q");
    // What waits when it happens again waits for nothing.
    assert_eq!(play.connect("c"), "G(reconnect) !suspect");
    assert_eq!(play.frame(&diff(10, r#"["1.0","6"]"#)), "-");
    assert_eq!(play.connect("c"), "");
    assert_eq!(play.answer(URL, &snapshot(9)), "S !open Q");
}

#[test]
fn trades_whole_books_and_the_rest() {
    let mut play = Play::new("bitstamp");
    let trade = r#"{"data":{"id":216000477,"timestamp":"1","amount":0.0792,"amount_str":"0.07920000","price":3805.4,"price_str":"3805.40","type":1,"microtimestamp":"1641343699596123"},"channel":"live_trades_btcusd-perp","event":"trade"}"#;
    assert_eq!(
        play.full(trade),
        "T bitstamp:BTC-USD-PERP/btcusd-perp sell3805.40x0.07920000#216000477@1641343699596123000;"
    );
    let whole = |micros| diff(micros, r#"["1.0","1"]"#).replace("diff_order_book", "order_book");
    assert_eq!(play.frame(&whole(1)), "S Q");
    assert_eq!(play.frame(&whole(2)), "S");
    // Beside diffs they say nothing, once these have their snapshot.
    assert_eq!(play.frame(&diff(3, r#"["1.0","1"]"#)), "-");
    assert_eq!(play.frame(&whole(4)), "S");
    assert_eq!(play.answer(URL, &snapshot(5)), "S Q");
    assert_eq!(play.frame(&whole(6)), "-");
    for other in [
        r#"{"event":"bts:subscription_succeeded","channel":"live_trades_btcusd","data":{}}"#,
        r#"{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}"#,
        r#"{"event":"bts:request_reconnect","channel":"","data":""}"#,
        r#"{"event":"data","channel":"detail_order_book_btcusd","data":{}}"#,
        r#"{"event":"order_created","channel":"live_orders_btcusd","data":{"id":1}}"#,
    ] {
        assert_eq!(play.frame(other), "-", "{other}");
    }
    let error =
        r#"{"event":"bts:error","channel":"","data":{"code":null,"message":"Bad subscription string."}}"#;
    assert_eq!(play.frame(error), "xrefused");
    assert_eq!(play.frame(&diff(4, r#"["1.0","1e-99"]"#)), "xnumber");
    assert_eq!(play.frame(&diff(4, r#"["1.0","-1"]"#)), "xnumber");
    assert_eq!(play.frame(&diff(4, r#"["1.0"]"#)), "xshape");
}

/// What is asked for before the connection stands is the snapshot of what comes over it.
#[test]
fn a_second_session_with_its_snapshot_first() {
    let mut play = Play::new("bitstamp");
    assert_eq!(play.answer(URL, &snapshot(5)), "S Q");
    assert_eq!(play.connect("c"), "");
    assert_eq!(play.frame(&diff(6, r#"["1.0","2"]"#)), "D Q");
    assert_eq!(play.answer(URL, &snapshot(100)), "S Q");
    assert_eq!(play.connect("c"), "");
    assert_eq!(play.frame(&diff(101, r#"["1.0","3"]"#)), "D Q");
    assert_eq!(play.connect("c"), "G(reconnect) !suspect", "nothing was asked for since");
    assert_eq!(play.frame(&diff(102, r#"["1.0","4"]"#)), "-");
}
