//! Binance: its markets told apart.

use std::io::Cursor;

use ingest::capture::Input;
use ingest::{Options, Spot, Step, Unit, reader};

use crate::play::Play;

const DIFF: &str = r#"{"e":"depthUpdate","E":1,"s":"BTCUSD","U":11,"u":12,"b":[["1.0","2"]],"a":[]}"#;
const SNAPSHOT: &str = r#"{"lastUpdateId":10,"bids":[["1.0","1"]],"asks":[]}"#;

fn trade(symbol: &str, of_spot: bool) -> String {
    let ending = if of_spot { r#","M":true"# } else { "" };
    format!(r#"{{"e":"aggTrade","E":1,"s":"{symbol}","a":7,"p":"1.50","q":"2","T":3,"m":true{ending}}}"#)
}

#[test]
fn the_header_names_the_market() {
    for (exchange, told) in [
        ("BINANCE", "binance:BTC-USD/BTCUSD"),
        ("BINANCE_US", "binance-us:BTC-USD/BTCUSD"),
        ("BINANCE_FUTURES", "binance-usdm:BTC-USD-PERP/BTCUSD"),
        ("BINANCE_DELIVERY", "binance-coinm:BTC-USD-PERP/BTCUSD"),
    ] {
        let mut play = Play::new("binance-json");
        play.0.handle_header(exchange);
        assert_eq!(play.full(&trade("BTCUSD", true)), format!("T {told} sell1.50x2#7@3000000;"));
    }
}

#[test]
fn addresses_name_the_market_whatever_the_header_says() {
    for (addr, venue) in [
        ("wss://stream.binance.com:9443/stream?streams=x", "binance"),
        ("wss://data-stream.binance.vision/ws/x", "binance"),
        ("wss://stream.binance.us:9443/stream?streams=x", "binance-us"),
        ("wss://fstream.binance.com/stream?streams=x", "binance-usdm"),
        ("wss://dstream.binance.com/stream?streams=x", "binance-coinm"),
    ] {
        let mut play = Play::new("binance-json");
        play.0.handle_header("BINANCE_DELIVERY");
        assert_eq!(play.connect_to("c", addr), "");
        assert!(play.full(&trade("BTCUSDT", true)).starts_with(&format!("T {venue}:")), "{addr}");
    }
}

/// Without a header and an address each message says it.
#[test]
fn messages_name_the_market() {
    let mut play = Play::new("binance-json");
    for (frame, venue) in [
        (trade("BTCUSDT", true), "binance:BTC-USDT/"),
        (trade("BTCUSDT", false), "binance-usdm:BTC-USDT-PERP/"),
        (trade("BTCUSD_PERP", false), "binance-coinm:BTC-USD-PERP/"),
        (trade("BTCUSD_240628", false), "binance-coinm:BTC-USD-240628/"),
        (trade("BTCUSDT_240628", false), "binance-usdm:BTC-USDT-240628/"),
        (r#"{"stream":"x","data":{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}}"#.into(), "binance:"),
        (
            r#"{"e":"bookTicker","u":1,"E":1,"T":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}"#.into(),
            "binance-usdm:",
        ),
    ] {
        let told = play.full(&frame);
        assert!(told.split(' ').nth(1).unwrap().starts_with(venue), "{frame}: {told}");
    }
}

#[test]
fn books_of_two_markets_are_two() {
    let mut play = Play::new("binance-json");
    assert_eq!(play.answer("https://api.binance.us/api/v3/depth?symbol=BTCUSD&limit=1000", SNAPSHOT), "S Q");
    assert_eq!(play.answer("https://api.binance.com/api/v3/depth?symbol=BTCUSD&limit=1000", SNAPSHOT), "S Q");
    assert_eq!(play.connect_to("u", "wss://stream.binance.us:9443/stream?streams=btcusd@depth"), "");
    assert_eq!(play.frame_on("u", DIFF), "D Q");
    assert_eq!(play.frame_on("c", DIFF), "D Q");
    assert_eq!(play.frame_on("u", &DIFF.replace("11", "14").replace("12", "15")), "G13-13 !suspect");
    assert_eq!(play.frame_on("c", &DIFF.replace("11", "13").replace("12", "15")), "D");
}

#[test]
fn refusals_are_told() {
    for frame in [
        r#"{"error":{"code":2,"msg":"Invalid request: unknown stream"},"id":1}"#,
        r#"{"code":-1121,"msg":"Invalid symbol."}"#,
    ] {
        let mut play = Play::new("binance-json");
        assert_eq!(play.frame(frame), "xrefused");
        assert_eq!(play.frame(r#"{"result":null,"id":1}"#), "-");
        assert_eq!(play.answer("https://api.binance.com/api/v3/depth?symbol=X", frame), "xrefused");
        assert_eq!(play.answer("https://api.binance.com/api/v3/exchangeInfo", frame), "xrefused");
        assert_eq!(play.answer("https://api.binance.com/api/v3/ping", frame), "-");
    }
}

/// Numbers at the end of what can be counted overflow nothing.
#[test]
fn the_largest_numbers() {
    let max = u64::MAX.to_string();
    for feed in ["binance-spot", "binance-usdm"] {
        let mut play = Play::new(feed);
        assert_eq!(play.frame(&SNAPSHOT.replace(":10,", &format!(":{max},"))), "xsnapshot");
        let snapshot = SNAPSHOT.replace(":10,", &format!(r#":{max},"symbol":"BTCUSD","#));
        assert_eq!(play.frame(&snapshot), "S Q");
        let followed = if feed == "binance-spot" { "-" } else { "D Q" };
        assert_eq!(play.frame(&DIFF.replace("12", &max)), followed);
        assert_eq!(play.frame(&DIFF.replace("12", &max)), "-");
    }
}

#[test]
fn what_the_venue_says_is_told_in_one_harmless_line() {
    let capture = concat!(
        r#"{"t":"header","format":2,"exchange":"BINANCE"}"#,
        "\n",
        r#"{"t":"recv","conn":"c","ts":1,"data":"{\"error\":\r\n{\"code\":2,\"msg\":\"no\"}}"}"#,
        "\n"
    );
    let mut reader = reader("binance-json", &Options::default()).unwrap();
    reader.open(Input::new(Box::new(Cursor::new(capture)), None).unwrap());
    assert!(matches!(reader.step(&mut Vec::new()), Step::Ticks));
    let Step::Broken { spot, error } = reader.step(&mut Vec::new()) else { panic!() };
    assert_eq!(spot, Spot { unit: Unit::Line, number: 2 });
    let wanted = r#"the venue answers with an error: {"error":  {"code":2,"msg":"no"}}"#;
    assert_eq!((error.to_string().as_str(), error.is_refusal()), (wanted, true));
}

/// What its fund or a liquidation takes over is in no total of the venue's.
#[test]
fn trades_that_are_not_of_the_market() {
    let mut play = Play::new("binance-usdm");
    let of = |kind: &str| {
        format!(r#"{{"e":"trade","E":1,"s":"BTCUSDT","t":7,"p":"1.50","q":"2","T":3,"m":true,"X":"{kind}"}}"#)
    };
    assert_eq!(play.frame(&of("MARKET")), "T");
    assert_eq!(play.frame(&of("INSURANCE_FUND")), "-");
    assert_eq!(play.frame(&of("NA")), "-");
}

/// A connection of one stream names it in its address alone.
#[test]
fn one_stream_alone() {
    let mut play = Play::new("binance-spot");
    assert_eq!(play.connect_to("c", "wss://stream.binance.com:9443/ws/btcusdt@depth20@100ms"), "");
    let book = r#"{"lastUpdateId":1,"bids":[["1.0","1"]],"asks":[["2.0","1"]]}"#;
    assert!(play.full(book).starts_with("S binance:BTC-USDT/BTCUSDT 1.0x1|2.0x1;"), "{}", play.full(book));
}
