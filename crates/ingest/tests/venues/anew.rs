//! Books that a venue itself begins anew, each with its reason, and what venues say of instruments.

use crate::play::Play;

#[test]
fn bybit_restarts() {
    let whole = |u: u64| {
        format!(
            r#"{{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":9,"data":{{"s":"BTCUSDT","b":[["10","1"]],"a":[],"u":{u},"seq":1}},"cts":8}}"#
        )
    };
    let mut play = Play::new("bybit");
    play.connect("c");
    assert_eq!(play.frame(&whole(1)), "S Q", "nothing was before");
    assert_eq!(play.frame(&whole(7)), "S", "a book that is just repeated");
    assert_eq!(play.frame(&whole(1)), "G(restart) S");
}

fn pair(status: &str, step: &str) -> String {
    format!(
        r#"{{"channel":"instrument","type":"update","data":{{"assets":[],"pairs":[{{"symbol":"BTC/USD","base":"BTC","quote":"USD","status":"{status}","price_precision":1,"price_increment":{step},"qty_increment":0.00000001}}]}}}}"#
    )
}

const KRAKEN: &str = r#"{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":10.0,"qty":1.0}],"asks":[]}]}"#;

#[test]
fn kraken_has_states_and_steps() {
    let mut play = Play::new("kraken-v2");
    assert_eq!(play.frame(&pair("online", "0.1")), "-");
    assert_eq!(play.frame(KRAKEN), "S Q");
    assert_eq!(play.frame(&pair("online", "0.1")), "-");
    assert_eq!(play.frame(&pair("online", "0.5")), "G(tick_size) S");
    assert_eq!(play.frame(&pair("maintenance", "0.5")), "G(maintenance) !suspect !halted");
    assert_eq!(play.frame(&pair("maintenance", "0.5")), "-");
    assert_eq!(play.frame(&pair("online", "0.5")), "!open");
    assert_eq!(play.frame(KRAKEN), "S !open Q");
    assert_eq!(play.frame(&pair("delisted", "0.5")), "G(delisted) !closed Q");
}

#[test]
fn binance_changes_a_step() {
    let info = |step: &str| {
        format!(
            r#"{{"symbols":[{{"symbol":"BTCUSDT","baseAsset":"BTC","quoteAsset":"USDT","filters":[{{"filterType":"PRICE_FILTER","tickSize":"{step}"}},{{"filterType":"LOT_SIZE","stepSize":"0.00001"}}]}}]}}"#
        )
    };
    let depth =
        r#"{"stream":"btcusdt@depth5@100ms","data":{"lastUpdateId":1,"bids":[["10","1"]],"asks":[]}}"#;
    let mut play = Play::new("binance-spot");
    let url = "https://api.binance.com/api/v3/exchangeInfo";
    assert_eq!(play.answer(url, &info("0.01000000")), "-");
    assert_eq!(play.frame(depth), "S Q");
    assert_eq!(play.answer(url, &info("0.01000000")), "-");
    assert_eq!(play.answer(url, &info("0.10000000")), "G(tick_size) S");
}
