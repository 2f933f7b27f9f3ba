//! Bitget: checksums, and three versions of its channels.

use crate::play::Play;

fn message(instrument: &str, channel: &str, action: &str, data: &str) -> String {
    format!(
        r#"{{"action":"{action}","arg":{{"instType":"{instrument}","channel":"{channel}","instId":"BTCUSDT"}},"data":[{data}],"ts":9}}"#
    )
}

fn sum(text: &str) -> i32 {
    crc32fast::hash(text.as_bytes()).cast_signed()
}

fn book(bids: &str, asks: &str, checksum: i32) -> String {
    format!(r#"{{"asks":[{asks}],"bids":[{bids}],"checksum":{checksum},"ts":"7"}}"#)
}

#[test]
fn checksums_hold_the_book() {
    let mut play = Play::new("bitget");
    let (bid, ask) = (r#"["8476.90","256"]"#, r#"["8476.98","415"]"#);
    let right = sum("8476.90:256:8476.98:415");
    let frame = |action, data: &str| message("sp", "books", action, data);
    assert_eq!(play.frame(&frame("update", &book(bid, ask, right))), "-", "no snapshot yet");
    assert_eq!(
        play.frame(&frame("snapshot", &book(bid, ask, right + 1))),
        "G(checksum) !suspect",
        "a wrong one is none"
    );
    assert_eq!(play.frame(&frame("snapshot", &book(bid, ask, right))), "S !open Q");
    let more = r#"["8476.90","1.50"],["8476.8","0"]"#;
    assert_eq!(play.frame(&frame("update", &book(more, "", sum("8476.90:1.50:8476.98:415")))), "D Q");
    // Channels of whole books send none.
    assert_eq!(play.frame(&frame("update", &book(bid, "", 0))), "D Q");
    assert_eq!(play.frame(&frame("update", &book(bid, "", right + 1))), "G(checksum) !suspect");
    assert_eq!(play.frame(&frame("update", &book(bid, "", right))), "-");
    assert_eq!(play.frame(&frame("snapshot", &book(bid, ask, right))), "S !open Q");
    assert_eq!(play.connect("c"), "G(reconnect) !suspect");
}

/// One record for each element.
#[test]
fn several_changes_in_one_message() {
    let mut play = Play::new("bitget");
    let two = format!("{},{}", book(r#"["1","1"]"#, "", 0), book(r#"["1","2"]"#, "", 0));
    assert_eq!(play.frame(&message("mc", "books", "snapshot", &book("", "", 0))), "S");
    assert_eq!(play.frame(&message("mc", "books", "update", &two)), "D Q D Q");
}

#[test]
fn of_several_channels_the_deepest_is_the_book() {
    let mut play = Play::new("bitget");
    let row = book(r#"["1","1"]"#, r#"["2","1"]"#, 0);
    assert_eq!(play.frame(&message("SPOT", "books5", "snapshot", &row)), "S Q");
    assert_eq!(play.frame(&message("SPOT", "books15", "snapshot", &row)), "S");
    assert_eq!(play.frame(&message("SPOT", "books5", "snapshot", &row)), "-");
    assert_eq!(play.frame(&message("SPOT", "books", "snapshot", &row)), "S");
    assert_eq!(play.frame(&message("SPOT", "books15", "snapshot", &row)), "-");
    // The best bid and offer is a quote.
    assert_eq!(
        play.full(&message("USDT-FUTURES", "books1", "snapshot", &row)),
        "q bitget-futures:BTC-USDT-PERP/BTCUSDT 1x1|2x1@7000000;"
    );
}

#[test]
fn version_1() {
    let mut play = Play::new("bitget");
    let trade = r#"["1649290076333","0.00003507","271967","sell"]"#;
    let told = "bitget-spot:BTC-USDT/BTCUSDT sell0.00003507x271967#@1649290076333000000;";
    assert_eq!(play.full(&message("sp", "trade", "snapshot", trade)), format!("O {told}"));
    assert_eq!(play.full(&message("sp", "trade", "update", trade)), format!("T {told}"));
    let ticker = r#"{"instId":"BTCUSDT","last":"9.9710","bestAsk":"9.971","bestBid":"9.966","high24h":"10.4280","low24h":"9.9030","priceChangePercent":"-0.0399","systemTime":1649290107338,"baseVolume":"313119"}"#;
    assert_eq!(
        play.full(&message("mc", "ticker", "snapshot", ticker)),
        "t bitget-futures:BTC-USDT-PERP/BTCUSDT 9.9710,,10.4280,9.9030,313119,-3.9900@1649290107338000000;"
    );
}

#[test]
fn version_2() {
    let mut play = Play::new("bitget");
    let trade = r#"{"ts":"5","price":"27000.50","size":"0.001","side":"buy","tradeId":"1111111111"}"#;
    assert_eq!(
        play.full(&message("USDT-FUTURES", "trade", "update", trade)),
        "T bitget-futures:BTC-USDT-PERP/BTCUSDT buy27000.50x0.001#1111111111@5000000;"
    );
    let ticker = r#"{"instId":"BTCUSDT","lastPr":"27000.5","bidPr":"27000","askPr":"27001","bidSz":"2.71","askSz":"8.76","open24h":"27000","high24h":"30668.5","low24h":"26999.0","change24h":"-0.00002","baseVolume":"15.15","quoteVolume":"1","ts":"5"}"#;
    let of = "bitget-spot:BTC-USDT/BTCUSDT";
    assert_eq!(
        play.full(&message("SPOT", "ticker", "snapshot", ticker)),
        format!(
            "q {of} 27000x2.71|27001x8.76@5000000; t {of} 27000.5,27000,30668.5,26999.0,15.15,0.0019@5000000;"
        )
    );
}

/// Before anybody has traded or asked.
#[test]
fn empty_fields_are_unknown() {
    let mut play = Play::new("bitget");
    let ticker = r#"{"instId":"BTCUSDT","lastPr":"5","bidPr":"4","askPr":"","bidSz":"2","askSz":"","open24h":"","high24h":null,"change24h":"","baseVolume":"0","ts":"5"}"#;
    let told = "t bitget-spot:BTC-USDT/BTCUSDT 5,,,,0,@5000000;";
    assert_eq!(play.full(&message("SPOT", "ticker", "snapshot", ticker)), told);
    let wrong = ticker.replace(r#""askSz":"""#, r#""askSz":"x""#);
    assert_eq!(play.full(&message("SPOT", "ticker", "snapshot", &wrong)), "xnumber");
}

#[test]
fn version_3() {
    let mut play = Play::new("bitget");
    let arg = r#""arg":{"instType":"usdt-futures","topic":"TOPIC","symbol":"BTCUSDT"}"#;
    let frame = |topic: &str, action: &str, data: &str| {
        format!(r#"{{"action":"{action}",{},"data":[{data}],"ts":9}}"#, arg.replace("TOPIC", topic))
    };
    let book = |seq: u64, pseq: u64| {
        format!(r#"{{"a":[["2","1"]],"b":[["1","{seq}"]],"pseq":{pseq},"seq":{seq},"ts":"7"}}"#)
    };
    assert_eq!(play.frame(&frame("books", "snapshot", &book(20, 0))), "S Q");
    assert_eq!(play.frame(&frame("books", "update", &book(25, 20))), "D Q");
    assert_eq!(play.frame(&frame("books", "update", &book(40, 30))), "G26-30 !suspect");
    assert_eq!(play.frame(&frame("books", "update", &book(50, 40))), "-");
    assert_eq!(play.frame(&frame("books", "snapshot", &book(60, 0))), "S !open Q");
    let trade = r#"{"i":"77","p":"1.5","v":"2","S":"sell","T":"5"}"#;
    assert_eq!(
        play.full(&frame("publicTrade", "update", trade)),
        "T bitget-futures:BTC-USDT-PERP/BTCUSDT sell1.5x2#77@5000000;"
    );
}

#[test]
fn refusals_and_the_rest() {
    let mut play = Play::new("bitget");
    let error = r#"{"event":"error","code":30001,"msg":"instType:sp,channel:None,instId:X doesn't exist"}"#;
    assert_eq!(play.frame(error), "xrefused");
    assert_eq!(play.frame("pong"), "-");
    let subscribed = r#"{"event":"subscribe","arg":{"instType":"sp","channel":"books1","instId":"BTCUSDT"}}"#;
    assert_eq!(play.frame(subscribed), "-");
    assert_eq!(play.frame(&message("sp", "books", "snapshot", &book(r#"["1","1"]"#, "", 0))), "S");
    assert_eq!(play.frame(&message("sp", "candle1m", "snapshot", r#"["1","2","3","4","5","6"]"#)), "-");
    assert_eq!(play.frame(&message("sp", "trade", "update", r#"["1","2","3"]"#)), "xshape");
    assert_eq!(play.frame(&message("sp", "trade", "update", r#"["1","2e99","3","buy"]"#)), "xnumber");
}
