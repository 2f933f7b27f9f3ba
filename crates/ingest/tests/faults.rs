//! Feeds that lose, repeat or break messages: the book is marked, waits, and is whole again;
//! nothing is guessed.

#![expect(clippy::unwrap_used, reason = "a test")]

mod play;

use ingest::Link;
use model::{Body, BookChange};
use play::Play;

#[test]
fn binance_spot() {
    let mut play = Play::new("binance-spot");
    let diff = |first: u64, last: u64| {
        format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{first},"u":{last},"b":[["1.0","{last}"]],"a":[]}}}}"#
        )
    };
    let snapshot = |id: u64| format!(r#"{{"lastUpdateId":{id},"bids":[["1.0","1"]],"asks":[["2.0","1"]]}}"#);
    assert_eq!(play.frame(&diff(8, 10)), "-");
    assert_eq!(play.frame(&diff(11, 12)), "-");
    // Too old for the first diff that waits: a newer one must come.
    assert_eq!(play.frame(&snapshot(6)), "-");
    assert_eq!(play.frame(&snapshot(10)), "S Q D Q");
    assert_eq!(play.frame(&diff(13, 13)), "D Q");
    assert_eq!(play.frame(&diff(13, 13)), "-");
    // 14 is lost. What follows waits for a snapshot.
    assert_eq!(play.frame(&diff(15, 16)), "G14-14 !suspect");
    assert_eq!(play.frame(&diff(17, 18)), "-");
    assert_eq!(play.frame(&snapshot(13)), "-");
    assert_eq!(play.frame(&snapshot(16)), "S !open Q D Q");
    assert_eq!(play.frame(&diff(19, 19)), "D Q");
    // An older snapshot changes nothing.
    assert_eq!(play.frame(&snapshot(17)), "-");
}

#[test]
fn binance_futures() {
    let mut play = Play::new("binance-usdm");
    let diff = |first: u64, last: u64, previous: u64| {
        format!(
            r#"{{"stream":"btcusdt@depth@0ms","data":{{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":{first},"u":{last},"pu":{previous},"b":[["1.0","{last}"]],"a":[]}}}}"#
        )
    };
    let snapshot = |id: u64| format!(r#"{{"lastUpdateId":{id},"E":1,"T":1,"bids":[["1.0","1"]],"asks":[]}}"#);
    assert_eq!(play.frame(&diff(1, 9, 0)), "-");
    assert_eq!(play.frame(&diff(12, 20, 9)), "-");
    assert_eq!(play.frame(&snapshot(15)), "S Q D Q");
    // Ids may jump: only `pu` counts.
    assert_eq!(play.frame(&diff(30, 40, 20)), "D Q");
    assert_eq!(play.frame(&diff(60, 70, 50)), "G41-50 !suspect");
    assert_eq!(play.frame(&snapshot(65)), "S !open Q D Q");
    // A diff that follows the snapshot by its own word.
    let mut play = Play::new("binance-usdm");
    assert_eq!(play.frame(&diff(90, 99, 80)), "-");
    assert_eq!(play.frame(&snapshot(100)), "S Q");
    assert_eq!(play.frame(&diff(101, 105, 100)), "D Q");
}

/// Of several book channels of one instrument the deepest is the book.
#[test]
fn okx_books_of_two_depths() {
    let mut play = Play::new("okx");
    let frame = |channel: &str, action: &str, seq: i64, prev: i64| {
        format!(
            r#"{{"arg":{{"channel":"{channel}","instId":"BTC-USDT"}},{action}"data":[{{"asks":[],"bids":[["1","{}"]],"ts":"1","seqId":{seq},"prevSeqId":{prev}}}]}}"#,
            seq + 1
        )
    };
    let (snapshot, update) = (r#""action":"snapshot","#, r#""action":"update","#);
    assert_eq!(play.frame(&frame("books5", "", 9, -1)), "S Q");
    assert_eq!(play.frame(&frame("books", snapshot, 10, -1)), "S Q");
    assert_eq!(play.frame(&frame("books5", "", 12, -1)), "-");
    assert_eq!(play.frame(&frame("books", update, 14, 10)), "D Q");
    assert_eq!(play.frame(&frame("books", update, 20, 15)), "G(sequence) !suspect");
    assert_eq!(play.frame(&frame("books5", "", 21, -1)), "S !open Q");
}

/// A session that was cut in files without the lines of its connections.
#[test]
fn coinbase_numbers_that_begin_anew() {
    let mut play = Play::new("coinbase");
    let frame = |number: u64, kind: &str| {
        format!(
            r#"{{"channel":"l2_data","timestamp":"2026-01-01T00:00:00Z","sequence_num":{number},"events":[{{"type":"{kind}","product_id":"A-USD","updates":[{{"side":"bid","event_time":"2026-01-01T00:00:00Z","price_level":"1","new_quantity":"{}"}}]}}]}}"#,
            number + 1
        )
    };
    assert_eq!(play.frame(&frame(5, "snapshot")), "S Q");
    assert_eq!(play.frame(&frame(6, "update")), "D Q");
    assert_eq!(play.frame(&frame(6, "update")), "-");
    assert_eq!(play.frame(&frame(0, "snapshot")), "G(reconnect) !suspect S !open Q");
    assert_eq!(play.frame(&frame(1, "update")), "D Q");
}

#[test]
fn bybit_comes_back_with_another_depth() {
    let mut play = Play::new("bybit");
    let frame = |depth: u32, kind: &str, u: u64| {
        format!(
            r#"{{"topic":"orderbook.{depth}.BTCUSDT","type":"{kind}","ts":1,"data":{{"s":"BTCUSDT","b":[["1","{u}"]],"a":[],"u":{u},"seq":1}}}}"#
        )
    };
    assert_eq!(play.connect("c"), "");
    assert_eq!(play.frame(&frame(200, "snapshot", 1)), "S Q");
    assert_eq!(play.frame(&frame(50, "snapshot", 7)), "-");
    assert_eq!(play.frame(&frame(200, "delta", 2)), "D Q");
    assert_eq!(play.connect("c"), "G(reconnect) !suspect");
    assert_eq!(play.frame(&frame(50, "delta", 8)), "-");
    assert_eq!(play.frame(&frame(50, "snapshot", 9)), "S !open Q");
    assert_eq!(play.frame(&frame(50, "delta", 10)), "D Q");
}

#[test]
fn a_snapshot_that_could_be_for_several_books_is_refused() {
    let mut play = Play::new("binance-spot");
    for symbol in ["AUSDT", "BUSDT"] {
        let diff = format!(r#"{{"e":"depthUpdate","E":1,"s":"{symbol}","U":5,"u":9,"b":[],"a":[]}}"#);
        assert_eq!(play.frame(&diff), "-");
    }
    assert_eq!(play.frame(r#"{"lastUpdateId":7,"bids":[],"asks":[]}"#), "xsnapshot");
}

#[test]
fn kraken_checksums() {
    let mut play = Play::new("kraken-v2");
    let book = |kind: &str, side: &str, checksum: u32| {
        format!(
            r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD",{side},"checksum":{checksum}}}]}}"#
        )
    };
    // CRC-32 of "45285.2" and "0.001" as digits: asks 452852 100000, bids 452835 10000000.
    let levels = r#""bids":[{"price":45283.5,"qty":0.10000000}],"asks":[{"price":45285.2,"qty":0.00100000}]"#;
    let sum = crc32fast::hash(b"45285210000045283510000000");
    assert_eq!(play.frame(&book("snapshot", levels, sum)), "S Q");
    let update = r#""bids":[],"asks":[{"price":45285.2,"qty":0.00200000}]"#;
    let after = crc32fast::hash(b"45285220000045283510000000");
    assert_eq!(play.frame(&book("update", update, after)), "D Q");
    // The same update once more is harmless; another checksum voids the book.
    assert_eq!(play.frame(&book("update", update, after)), "D");
    assert_eq!(play.frame(&book("update", update, after + 1)), "G(checksum) !suspect");
    assert_eq!(play.frame(&book("update", update, after)), "-");
    assert_eq!(play.frame(&book("snapshot", levels, sum + 1)), "-");
    assert_eq!(play.frame(&book("snapshot", levels, sum)), "S !open Q");
}

#[test]
fn kraken_cuts_to_the_depth() {
    let mut play = Play::new("kraken");
    let rows = |from: u32| {
        (from..from + 10).map(|n| format!(r#"["{n}.0","1.0","1.5"]"#)).collect::<Vec<_>>().join(",")
    };
    let snapshot = format!(r#"[1,{{"as":[{}],"bs":[]}},"book-10","XBT/USD"]"#, rows(100));
    assert_eq!(play.frame(&snapshot), "S Q");
    let mut out = Vec::new();
    let update = r#"[1,{"a":[["99.0","1.0","1.6","r"]]},"book-10","XBT/USD"]"#;
    play.0.handle_frame(&Link { conn: "c", recv: None }, update, &mut out).unwrap();
    let Body::Book(BookChange::Delta(levels)) = &out[0].body else { panic!("{out:?}") };
    let asks: Vec<_> = levels.asks.iter().map(|level| format!("{} {}", level.price, level.size)).collect();
    assert_eq!(asks, ["99.0 1.0", "109.0 0"]);
    assert_eq!(out[0].instrument.symbol.as_str(), "BTC-USD");
}

#[test]
fn coinbase_numbers_the_whole_connection() {
    let mut play = Play::new("coinbase");
    let book = |number: u64, kind: &str, product: &str| {
        format!(
            r#"{{"channel":"l2_data","timestamp":"2026-08-09T21:05:48Z","sequence_num":{number},"events":[{{"type":"{kind}","product_id":"{product}","updates":[{{"side":"bid","event_time":"2026-08-09T21:05:48Z","price_level":"{}","new_quantity":"1"}}]}}]}}"#,
            number + 1
        )
    };
    assert_eq!(play.frame(&book(0, "snapshot", "BTC-USD")), "S Q");
    assert_eq!(play.frame(&book(1, "snapshot", "ETH-USD")), "S Q");
    assert_eq!(play.frame(&book(2, "update", "BTC-USD")), "D Q");
    assert_eq!(play.frame(&book(2, "update", "BTC-USD")), "-");
    // Another connection has a numbering of its own.
    assert_eq!(play.frame_on("d", &book(9, "snapshot", "SOL-USD")), "S Q");
    let lost = "G3-4 !suspect G3-4 !suspect";
    assert_eq!(play.frame(&book(5, "update", "BTC-USD")), lost);
    assert_eq!(play.frame(&book(6, "snapshot", "ETH-USD")), "S !open Q");
    assert_eq!(play.frame(&book(7, "update", "BTC-USD")), "-");
    assert_eq!(play.connect("c"), "G(reconnect) !suspect");
    assert_eq!(play.frame(&book(0, "snapshot", "BTC-USD")), "S !open Q");
}

#[test]
fn bybit() {
    let mut play = Play::new("bybit");
    let book = |kind: &str, u: u64| {
        format!(
            r#"{{"topic":"orderbook.50.BTCUSDT","type":"{kind}","ts":1,"data":{{"s":"BTCUSDT","b":[["1.0","{u}"]],"a":[],"u":{u},"seq":1}},"cts":1}}"#
        )
    };
    play.connect("c");
    assert_eq!(play.frame(&book("delta", 4)), "-");
    assert_eq!(play.frame(&book("snapshot", 5)), "S Q");
    assert_eq!(play.frame(&book("delta", 6)), "D Q");
    assert_eq!(play.frame(&book("delta", 6)), "-");
    assert_eq!(play.frame(&book("delta", 9)), "G7-8 !suspect");
    assert_eq!(play.frame(&book("delta", 10)), "-");
    // A restart of the service: a snapshot with u 1.
    assert_eq!(play.frame(&book("snapshot", 1)), "S !open Q");
    assert_eq!(play.frame(&book("delta", 2)), "D Q");
    let ticker = |fields: &str| {
        format!(
            r#"{{"topic":"tickers.BTCUSDT","type":"delta","ts":1,"data":{{"symbol":"BTCUSDT",{fields}}}}}"#
        )
    };
    assert_eq!(play.frame(&ticker(r#""bid1Price":"1.0","bid1Size":"1""#)), "-");
    assert_eq!(play.frame(&ticker(r#""ask1Price":"2.0","ask1Size":"1""#)), "q");
    assert_eq!(play.frame(&ticker(r#""lastPrice":"2.0""#)), "t");
    assert_eq!(play.frame(&ticker(r#""markPrice":"2.0""#)), "-");
    // From now on the venue's quotes are the quotes.
    assert_eq!(play.frame(&book("delta", 3)), "D");
}

#[test]
fn okx() {
    let mut play = Play::new("okx");
    let book = |action: &str, previous: i64, id: i64, checksum: i64| {
        format!(
            r#"{{"arg":{{"channel":"books","instId":"BTC-USDT"}},"action":"{action}","data":[{{"asks":[["8476.98","415","0","13"]],"bids":[["8476.97","256","0","12"]],"ts":"1597026383085","checksum":{checksum},"prevSeqId":{previous},"seqId":{id}}}]}}"#
        )
    };
    let sum = i64::from(crc32fast::hash(b"8476.97:256:8476.98:415").cast_signed());
    assert_eq!(play.frame(&book("snapshot", -1, 5, sum)), "S Q");
    assert_eq!(play.frame(&book("update", 5, 9, sum)), "D");
    // No checksum any more: the numbering holds alone.
    assert_eq!(play.frame(&book("update", 9, 12, 0)), "D");
    assert_eq!(play.frame(&book("update", 13, 14, 0)), "G(sequence) !suspect");
    assert_eq!(play.frame(&book("update", 14, 15, 0)), "-");
    assert_eq!(play.frame(&book("snapshot", -1, 20, 0)), "S !open Q");
    assert_eq!(play.frame(&book("update", 20, 21, sum + 1)), "G(checksum) !suspect");
}

/// A subscription that fails is no broken message, and is told.
#[test]
fn refusals_are_told() {
    for (feed, frame) in [
        (
            "kraken",
            r#"{"errorMessage":"Currency pair not supported X/Y","event":"subscriptionStatus","pair":"X/Y","status":"error","subscription":{"name":"book"}}"#,
        ),
        ("kraken", r#"{"errorMessage":"Malformed request","event":"error"}"#),
        (
            "kraken-v2",
            r#"{"error":"Currency pair not supported X/Y","method":"subscribe","success":false,"symbol":"X/Y","time_in":"a","time_out":"b"}"#,
        ),
        ("coinbase", r#"{"type":"error","message":"authentication failure"}"#),
        (
            "bybit",
            r#"{"success":false,"ret_msg":"error:handler not found,topic:x","conn_id":"a","req_id":"","op":"subscribe"}"#,
        ),
        (
            "okx",
            r#"{"event":"error","code":"60018","msg":"Wrong URL or channel:x,instId:X doesn't exist","connId":"a"}"#,
        ),
    ] {
        assert_eq!(Play::new(feed).frame(frame), "xrefused", "{feed}");
    }
    for (feed, frame) in [
        ("kraken", r#"{"connectionID":1,"event":"systemStatus","status":"online","version":"1.9.0"}"#),
        ("kraken-v2", r#"{"method":"subscribe","result":{"channel":"trade","symbol":"X/Y"},"success":true}"#),
        ("bybit", r#"{"success":true,"ret_msg":"","conn_id":"a","req_id":"","op":"subscribe"}"#),
    ] {
        assert_eq!(Play::new(feed).frame(frame), "-", "{feed}");
    }
}

#[test]
fn every_venue_refuses_rubbish_and_lives_on() {
    for feed in ingest::FEEDS.into_iter().filter(|feed| ingest::normaliser(feed).is_some()) {
        let mut play = Play::new(feed);
        for (text, reason) in [("{", "xjson"), ("\u{0}\u{1}", "xjson")] {
            assert_eq!(play.frame(text), reason, "{feed}");
        }
        // What a venue may add one day is not a fault.
        assert_eq!(
            play.frame(r#"{"e":"news","s":"A","t":1,"channel":"news","topic":"news"}"#),
            "-",
            "{feed}"
        );
    }
    let mut binance = Play::new("binance-spot");
    let trade = |price: &str, symbol: &str| {
        format!(r#"{{"e":"trade","E":1,"s":"{symbol}","t":1,"p":{price},"q":"1","T":1,"m":true}}"#)
    };
    assert_eq!(binance.frame(&trade("\"1.0\"", "BTCUSDT")), "T");
    assert_eq!(binance.frame(&trade("\"NaN\"", "BTCUSDT")), "xnumber");
    assert_eq!(binance.frame(&trade("\"0.00000000000000000000000000001\"", "BTCUSDT")), "xnumber");
    assert_eq!(binance.frame(&trade("1.0", "BTCUSDT")), "xshape");
    assert_eq!(binance.frame(&trade("\"1.0\"", "\u{412}TCUSDT")), "xsymbol");
    assert_eq!(binance.frame(&trade("\"1.0\"", "BTCUSDT")), "T");
}
