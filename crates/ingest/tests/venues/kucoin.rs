//! KuCoin: ranges of numbers, spot and futures.

use crate::play::Play;

const URL: &str = "https://api.kucoin.com/api/v3/market/orderbook/level2?symbol=BTC-USDT";

fn message(topic: &str, subject: &str, data: &str) -> String {
    format!(r#"{{"type":"message","topic":"{topic}","subject":"{subject}","data":{data}}}"#)
}

fn diff(first: u64, last: u64, bids: &str) -> String {
    let data = format!(
        r#"{{"sequenceStart":{first},"sequenceEnd":{last},"symbol":"BTC-USDT","changes":{{"asks":[],"bids":[{bids}]}}}}"#
    );
    message("/market/level2:BTC-USDT", "trade.l2update", &data)
}

fn snapshot(sequence: u64) -> String {
    format!(
        r#"{{"code":"200000","data":{{"time":3,"sequence":"{sequence}","bids":[["1.0","1"]],"asks":[["2.0","1"]]}}}}"#
    )
}

#[test]
fn what_the_snapshot_has_is_dropped() {
    let mut play = Play::new("kucoin");
    assert_eq!(play.frame(&diff(9, 10, r#"["1.0","7","10"]"#)), "-");
    assert_eq!(play.answer(URL, &snapshot(10)), "S Q");
    // Half of it is in the snapshot.
    assert_eq!(
        play.full(&diff(10, 12, r#"["0.9","9","10"],["0.8","8","11"],["1.0","2","12"]"#)),
        "D kucoin:BTC-USDT/BTC-USDT 0.8x8,1.0x2|; Q kucoin:BTC-USDT/BTC-USDT 1.0x2|2.0x1;"
    );
    // Price 0: nothing but the number.
    assert_eq!(play.frame(&diff(13, 13, r#"["0","0","13"]"#)), "-");
    assert_eq!(play.frame(&diff(14, 14, r#"["1.0","3","14"]"#)), "D Q");
    assert_eq!(play.frame(&diff(13, 14, r#"["1.0","3","14"]"#)), "-", "sent twice");
    assert_eq!(play.frame(&diff(16, 17, r#"["1.0","4","16"]"#)), "G15-15 !suspect");
    assert_eq!(play.frame(&diff(18, 18, r#"["1.0","5","18"]"#)), "-");
    assert_eq!(play.answer(URL, &snapshot(14)), "-", "too old for what waits");
    assert_eq!(play.answer(URL, &snapshot(17)), "S !open Q D Q");
    // Spot numbers what a connection does not: a new one loses nothing by itself.
    assert_eq!(play.connect("c"), "");
    assert_eq!(play.frame(&diff(19, 19, r#"["1.0","6","19"]"#)), "D Q");
}

#[test]
fn refusals_and_rubbish() {
    let mut play = Play::new("kucoin");
    let refused = diff(1, 1, "").replacen("message", "error", 1);
    assert_eq!(play.frame(&refused), "xrefused", "whatever it carries");
    for path in ["level2_20", "level2_100"] {
        assert_eq!(Play::new("kucoin").answer(&URL.replace("level2", path), &snapshot(10)), "S Q");
    }
    assert_eq!(play.answer(URL, r#"{"code":"429000","msg":"Too Many Requests"}"#), "xrefused");
    assert_eq!(play.answer("https://api.kucoin.com/api/v1/symbols", "{}"), "-");
    assert_eq!(play.answer(URL, r#"{"code":"200000","data":{"bids":[],"asks":[]}}"#), "xshape");
    let error = r#"{"id":"1","type":"error","code":404,"data":"topic /market/x is not found"}"#;
    assert_eq!(play.frame(error), "xrefused");
    for other in
        [r#"{"id":"a","type":"welcome"}"#, r#"{"id":"1","type":"ack"}"#, r#"{"id":"1","type":"pong"}"#]
    {
        assert_eq!(play.frame(other), "-");
    }
    assert_eq!(play.frame(&message("/market/candles:BTC-USDT_1min", "trade.candles.add", "{}")), "-");
    assert_eq!(play.frame(&diff(1, 1, r#"["1.0","x","1"]"#)), "xnumber");
    assert_eq!(play.frame(&diff(1, 1, r#"["1.0","1","x"]"#)), "xshape");
}

#[test]
fn trades_and_quotes() {
    let mut play = Play::new("kucoin");
    let of = "kucoin:BSV-USDT/BCHSV-USDT";
    let matched = r#"{"symbol":"BCHSV-USDT","sequence":"1","side":"buy","size":"81.88","price":"0.10","takerOrderId":"a","time":"1619378327739050725","type":"match","makerOrderId":"b","tradeId":"6085c0"}"#;
    assert_eq!(
        play.full(&message("/market/match:BCHSV-USDT", "trade.l3match", matched)),
        format!("T {of} buy0.10x81.88#6085c0@1619378327739050725;")
    );
    let ticker = r#"{"sequence":"1","bestAsk":"0.12","size":"0.5","bestBidSize":"3.70","price":"0.11","time":5,"bestAskSize":"14","bestBid":"0.10"}"#;
    let told = format!("q {of} 0.10x3.70|0.12x14@5000000; t {of} 0.11,,,,,@5000000;");
    assert_eq!(play.full(&message("/market/ticker:BCHSV-USDT", "trade.ticker", ticker)), told);
    assert_eq!(play.full(&message("/market/ticker:all", "BCHSV-USDT", ticker)), told);
    let empty = r#"{"bestAsk":null,"bestBidSize":"3","bestAskSize":"","bestBid":"0.10","time":5}"#;
    let told = play.full(&message("/market/ticker:BCHSV-USDT", "trade.ticker", empty));
    assert_eq!(told, format!("q {of} 0.10x3|@5000000;"));
    let level1 = r#"{"asks":["0.12","1"],"bids":["0.10","2"],"timestamp":5}"#;
    assert_eq!(
        play.full(&message("/spotMarket/level1:BCHSV-USDT", "level1", level1)),
        format!("q {of} 0.10x2|0.12x1@5000000;")
    );
    let day = r#"{"sequence":"1","data":{"symbol":"BCHSV-USDT","lastTradedPrice":0.11,"open":0.10,"high":0.2,"low":0.05,"vol":7.5,"datetime":5}}"#;
    assert_eq!(
        play.full(&message("/market/snapshot:BCHSV-USDT", "trade.snapshot", day)),
        format!("t {of} 0.11,0.10,0.2,0.05,7.5,10@5000000;")
    );
}

#[test]
fn whole_books() {
    let mut play = Play::new("kucoin");
    let whole = |depth: u32, price: u32| {
        let data = format!(r#"{{"asks":[],"bids":[["{price}","1"]],"timestamp":5}}"#);
        message(&format!("/spotMarket/level2Depth{depth}:BTC-USDT"), "level2", &data)
    };
    assert_eq!(play.frame(&whole(5, 1)), "S Q");
    assert_eq!(play.frame(&whole(50, 2)), "S Q");
    assert_eq!(play.frame(&whole(5, 3)), "-");
    assert_eq!(play.frame(&diff(1, 1, r#"["1.0","1","1"]"#)), "-");
    assert_eq!(play.frame(&whole(50, 4)), "S Q", "the diffs wait");
    assert_eq!(play.answer(URL, &snapshot(0)), "S Q D");
    assert_eq!(play.frame(&whole(50, 4)), "-", "diffs are the book");
    assert_eq!(play.frame(&diff(9, 9, r#"["1.0","1","9"]"#)), "G2-8 !suspect");
    assert_eq!(play.frame(&whole(50, 4)), "S !open Q", "the diffs wait again");
}

#[test]
fn futures() {
    let mut play = Play::new("kucoin");
    let url = "https://api-futures.kucoin.com/api/v1/level2/snapshot?symbol=XBTUSDTM";
    let of = "kucoin-futures:BTC-USDT-PERP/XBTUSDTM";
    let change = |sequence: u64, change: &str| {
        let data = format!(r#"{{"sequence":{sequence},"change":"{change}","timestamp":5}}"#);
        message("/contractMarket/level2:XBTUSDTM", "level2", &data)
    };
    assert_eq!(play.frame(&change(11, "5000.5,buy,83")), "-");
    let body = r#"{"code":"200000","data":{"symbol":"XBTUSDTM","sequence":10,"asks":[["5001.0",7]],"bids":[[5000.0,9]],"ts":5}}"#;
    assert_eq!(play.answer(url, body), "S Q D Q");
    assert_eq!(
        play.full(&change(12, "5001.0,sell,0")),
        format!("D {of} |5001.0x0@5000000; Q {of} 5000.5x83|@5000000;")
    );
    assert_eq!(play.frame(&change(14, "5001.0,sell,1")), "G13-13 !suspect");
    assert_eq!(play.frame(&change(15, "5001.0,hold,1")), "xshape");
    assert_eq!(play.frame(&change(15, "5001.0")), "xshape");
    let execution = r#"{"symbol":"XBTUSDTM","sequence":36,"side":"sell","size":1,"price":3200.00,"takerOrderId":"a","makerOrderId":"b","tradeId":"c1","ts":1553846081210004941}"#;
    assert_eq!(
        play.full(&message("/contractMarket/execution:XBTUSDTM", "match", execution)),
        format!("T {of} sell3200.00x1#c1@1553846081210004941;")
    );
    let ticker = r#"{"symbol":"XBTUSDTM","sequence":1,"bestBidSize":795,"bestBidPrice":"3200.0","bestAskPrice":"3600.0","bestAskSize":284,"ts":1553846081210004941}"#;
    assert_eq!(
        play.full(&message("/contractMarket/tickerV2:XBTUSDTM", "tickerV2", ticker)),
        format!("q {of} 3200.0x795|3600.0x284@1553846081210004941;")
    );
}
