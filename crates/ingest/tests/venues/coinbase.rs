//! Coinbase Exchange, the older interface of two.

use crate::play::Play;

#[test]
fn messages_of_the_exchange() {
    let mut play = Play::new("coinbase");
    let change = |side: &str| {
        format!(
            r#"{{"type":"l2update","product_id":"BTC-USD","changes":[["{side}","1.5","2"]],"time":"1970-01-01T00:00:00.000001Z"}}"#
        )
    };
    assert_eq!(play.frame(r#"{"type":"subscriptions","channels":[]}"#), "-");
    assert_eq!(play.frame(&change("buy")), "-", "before its snapshot");
    let whole = r#"{"type":"snapshot","product_id":"BTC-USD","bids":[["1.0","1"]],"asks":[["2.0","1"]]}"#;
    assert_eq!(play.frame(whole), "S Q");
    let of = "coinbase:BTC-USD/BTC-USD";
    assert_eq!(play.full(&change("buy")), format!("D {of} 1.5x2|@1000; Q {of} 1.5x2|2.0x1@1000;"));
    assert_eq!(play.frame(&change("sell")), "D Q");
    // The maker sold: the taker bought.
    let matched = r#"{"type":"match","trade_id":10,"sequence":50,"time":"1970-01-01T00:00:00.000001Z","product_id":"BTC-USD","size":"5.2","price":"400.20","side":"sell"}"#;
    assert_eq!(play.full(matched), format!("T {of} buy400.20x5.2#10@1000;"));
    let ticker = r#"{"type":"ticker","product_id":"BTC-USD","price":"1.9","open_24h":"1.0","volume_24h":"7","low_24h":"1","high_24h":"3","best_bid":"1.5","best_bid_size":"2","best_ask":"2.0","best_ask_size":"1","time":"1970-01-01T00:00:00.000001Z","last_size":"0.1"}"#;
    assert!(play.full(ticker).contains(&format!("t {of} 1.9")), "{}", play.full(ticker));
    assert_eq!(play.frame(r#"{"type":"error","message":"Failed to subscribe"}"#), "xrefused");
    assert_eq!(play.frame(r#"{"type":"match","product_id":"BTC-USD"}"#), "xshape");
}

/// What is written alike is read once, but read.
#[test]
fn times_that_are_none() {
    let update = r#"{"side":"bid","event_time":"","price_level":"1","new_quantity":"1"}"#;
    let frame = format!(
        r#"{{"channel":"l2_data","timestamp":"2026-11-20T14:30:00Z","sequence_num":0,"events":[{{"type":"snapshot","product_id":"BTC-USD","updates":[{update}]}}]}}"#
    );
    assert!(Play::new("coinbase").frame(&frame).starts_with('x'));
}
