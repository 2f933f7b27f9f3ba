//! Bybit: best prices, options, addresses.

use crate::play::Play;

fn best(kind: &str, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"topic":"orderbook.1.BTCUSDT","type":"{kind}","ts":1,"data":{{"s":"BTCUSDT","b":[{bids}],"a":[{asks}],"u":7}}}}"#
    )
}

#[test]
fn a_snapshot_of_best_prices_is_all_there_is() {
    let mut play = Play::new("bybit");
    let of = "bybit-spot:BTC-USDT/BTCUSDT";
    assert_eq!(play.connect_to("c", "wss://stream.bybit.com/v5/public/spot?max_active_time=1m"), "");
    let both = best("snapshot", r#"["1","1"]"#, r#"["2","1"]"#);
    assert_eq!(play.full(&both), format!("q {of} 1x1|2x1@1000000;"));
    assert_eq!(play.full(&best("delta", "", r#"["3","1"]"#)), format!("q {of} 1x1|3x1@1000000;"));
    assert_eq!(play.full(&best("snapshot", "", r#"["3","2"]"#)), format!("q {of} |3x2@1000000;"));
}

#[test]
fn tickers_of_options_have_names_of_their_own() {
    let mut play = Play::new("bybit");
    assert_eq!(play.connect_to("c", "wss://stream.bybit.com/v5/public/option"), "");
    let ticker = r#"{"topic":"tickers.BTC-6JAN23-17500-C","type":"snapshot","ts":1,"data":{"symbol":"BTC-6JAN23-17500-C","bidPrice":"0","bidSize":"0","askPrice":"10","askSize":"5.1","lastPrice":"10"}}"#;
    let told = play.full(ticker);
    assert!(told.contains("0x0|10x5.1"), "{told}");
}
