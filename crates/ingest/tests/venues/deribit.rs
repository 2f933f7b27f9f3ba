//! Deribit: changes that name the one before.

use crate::play::Play;

fn message(channel: &str, data: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}"#)
}

fn book(interval: &str, id: u64, previous: Option<u64>, bids: &str) -> String {
    let (kind, previous) = match previous {
        Some(previous) => ("change", format!(r#""prev_change_id":{previous},"#)),
        None => ("snapshot", String::new()),
    };
    let data = format!(
        r#"{{"type":"{kind}","timestamp":7,{previous}"instrument_name":"BTC-PERPETUAL","change_id":{id},"bids":[{bids}],"asks":[]}}"#
    );
    message(&format!("book.BTC-PERPETUAL.{interval}"), &data)
}

#[test]
fn changes_are_linked() {
    let mut play = Play::new("deribit");
    let row = r#"["new",0.0015,4714.0]"#;
    assert_eq!(play.frame(&book("raw", 20, Some(10), row)), "-", "no snapshot yet");
    assert_eq!(play.frame(&book("raw", 30, None, row)), "S Q");
    // Whatever amount stands beside it, a deleted level is gone.
    assert_eq!(
        play.full(&book("raw", 40, Some(30), r#"["delete",0.0015,4714.0],["change",1e-3,2.0]"#)),
        "D deribit:BTC-USD-PERP/BTC-PERPETUAL 0.0015x0,0.001x2.0|@7000000; \
         Q deribit:BTC-USD-PERP/BTC-PERPETUAL 0.001x2.0|@7000000;"
    );
    assert_eq!(play.frame(&book("raw", 40, Some(30), row)), "-", "sent twice");
    assert_eq!(play.frame(&book("raw", 60, Some(50), row)), "G41-50 !suspect");
    assert_eq!(play.frame(&book("raw", 70, Some(60), row)), "-");
    assert_eq!(play.frame(&book("raw", 80, None, row)), "S !open Q");
    assert_eq!(play.connect("c"), "G(reconnect) !suspect");
    assert_eq!(play.frame(&book("raw", 5, None, row)), "S !open Q");
}

/// Each interval has numbers of its own.
#[test]
fn of_several_channels_one_is_the_book() {
    let mut play = Play::new("deribit");
    let row = r#"["new",1.0,1.0]"#;
    let whole = |price: u32| {
        let data = format!(
            r#"{{"timestamp":7,"instrument_name":"BTC-PERPETUAL","change_id":9,"bids":[[{price}.5,1.0]],"asks":[]}}"#
        );
        message("book.BTC-PERPETUAL.none.20.100ms", &data)
    };
    assert_eq!(play.frame(&whole(1)), "S Q");
    assert_eq!(play.frame(&book("100ms", 20, None, row)), "S Q");
    assert_eq!(play.frame(&whole(2)), "-");
    assert_eq!(play.frame(&book("raw", 15, None, row)), "S");
    assert_eq!(play.frame(&book("100ms", 30, Some(20), row)), "-");
    assert_eq!(play.frame(&book("raw", 17, Some(16), row)), "G16-16 !suspect");
    assert_eq!(play.frame(&whole(3)), "S !open Q");
}

#[test]
fn tickers_trades_and_the_rest() {
    let mut play = Play::new("deribit");
    let listed = r#"{"jsonrpc":"2.0","id":0,"result":["ticker.BTC-PERPETUAL.raw","book.BTC-PERPETUAL.raw"],"usIn":1,"usOut":2}"#;
    assert_eq!(play.frame(listed), "-");
    // It quotes by itself.
    assert_eq!(play.frame(&book("raw", 30, None, r#"["new",1.0,1.0]"#)), "S");
    let ticker = r#"{"timestamp":7,"instrument_name":"XRP_USDC-30AUG24-0d625-C","stats":{"volume":null,"price_change":-3.25,"low":0.1,"high":0.2},"last_price":null,"best_bid_price":0.0,"best_bid_amount":0.0,"best_ask_price":0.0025,"best_ask_amount":873.0}"#;
    let of = "deribit:XRP_USDC-30AUG24-0D625-C/XRP_USDC-30AUG24-0d625-C";
    assert_eq!(
        play.full(&message("ticker.XRP_USDC-30AUG24-0d625-C.100ms", ticker)),
        format!("q {of} |0.0025x873.0@7000000; t {of} ,,0.2,0.1,,-3.25@7000000;")
    );
    let quote = r#"{"timestamp":7,"instrument_name":"SOL_USDC","best_bid_price":1.5,"best_bid_amount":2.0,"best_ask_price":null,"best_ask_amount":null}"#;
    assert_eq!(play.full(&message("quote.SOL_USDC", quote)), "q deribit:SOL-USDC/SOL_USDC 1.5x2.0|@7000000;");
    let trades = r#"[{"trade_seq":1,"trade_id":"ETH-7","timestamp":9,"price":2003.5,"instrument_name":"ETH-24SEP21","direction":"sell","amount":10.0},{"trade_seq":2,"trade_id":"48079269","timestamp":9,"price":2003.0,"instrument_name":"ETH-24SEP21","direction":"buy","amount":1.0}]"#;
    assert_eq!(
        play.full(&message("trades.future.ETH.100ms", trades)),
        "T deribit:ETH-24SEP21/ETH-24SEP21 sell2003.5x10.0#ETH-7@9000000; \
         T deribit:ETH-24SEP21/ETH-24SEP21 buy2003.0x1.0#48079269@9000000;"
    );
    for other in [
        r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":"ok"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"version":"1.2.26"}}"#,
    ] {
        assert_eq!(play.frame(other), "-", "{other}");
    }
    assert_eq!(play.frame(&message("deribit_price_index.btc_usd", r#"{"price":1.0}"#)), "-");
    let error = r#"{"jsonrpc":"2.0","id":3,"error":{"message":"Invalid params","data":{"reason":"x"},"code":-32602}}"#;
    assert_eq!(play.frame(error), "xrefused");
    assert_eq!(play.frame(&book("raw", 41, Some(30), r#"["new",1.0,-1.0]"#)), "xnumber");
    assert_eq!(play.frame(&book("raw", 41, Some(30), r#"["new","x",1.0]"#)), "xnumber");
    assert_eq!(play.frame(&book("raw", 41, Some(30), "[7]")), "xshape");
}
