//! Huobi: packed frames, and books of four kinds.

use std::io::Write;

use ingest::FRAME_BYTES_MAX;

use crate::play::Play;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn message(channel: &str, tick: &str) -> String {
    format!(r#"{{"ch":"market.{channel}","ts":9,"tick":{tick}}}"#)
}

#[test]
fn frames_are_unpacked_within_bounds() {
    let mut play = Play::new("huobi");
    let frame =
        message("btcusdt.depth.step0", r#"{"bids":[[9.121E-7,92730.24]],"asks":[],"version":1,"ts":7}"#);
    let packed = gzip(frame.as_bytes());
    assert_eq!(play.binary(&packed), "S Q");
    assert_eq!(play.binary(&packed[..packed.len() - 3]), "xframe");
    assert_eq!(play.binary(b"rubbish"), "xframe");
    assert_eq!(play.binary(&gzip(b"\xff\xfe")), "xframe");
    assert_eq!(play.binary(&gzip(b"{")), "xjson");
    let size = usize::try_from(FRAME_BYTES_MAX).unwrap();
    assert_eq!(play.binary(&gzip(&vec![b' '; size + 1])), "xframe");
    assert_eq!(play.binary(&gzip(&[frame.as_bytes(), &vec![b' '; size - frame.len()]].concat())), "S");
    // What was unpacked by the recorder is read, too.
    assert_eq!(play.full(&frame), "S huobi:BTC-USDT/btcusdt 0.0000009121x92730.24|@7000000;");
    // Others send text.
    assert_eq!(Play::new("okx").binary(&packed), "xframe");
}

#[test]
fn changes_on_top_of_an_answer() {
    let mut play = Play::new("huobi");
    let change = |seq: u64, previous: u64| {
        let tick = format!(r#"{{"seqNum":{seq},"prevSeqNum":{previous},"asks":[[2.0,{seq}.5]]}}"#);
        message("btcusdt.mbp.150", &tick)
    };
    let answer = |seq: u64| {
        format!(
            r#"{{"id":"a","rep":"market.btcusdt.mbp.150","status":"ok","data":{{"seqNum":{seq},"bids":[[1.0,1]],"asks":[]}}}}"#
        )
    };
    assert_eq!(play.frame(&change(20, 10)), "-");
    assert_eq!(play.frame(&change(30, 20)), "-");
    assert_eq!(play.frame(&answer(5)), "-", "too old for what waits");
    assert_eq!(play.frame(&answer(20)), "S Q D Q");
    assert_eq!(play.frame(&change(40, 30)), "D Q");
    assert_eq!(play.frame(&change(40, 30)), "-", "sent twice");
    assert_eq!(play.frame(&change(60, 50)), "G41-50 !suspect");
    assert_eq!(play.frame(&answer(60)), "S !open Q");
    // Shallow whole books beside it say nothing.
    assert_eq!(play.frame(&message("btcusdt.mbp.refresh.20", r#"{"bids":[[1.0,1]],"asks":[]}"#)), "-");
    assert_eq!(play.connect("c"), "G(reconnect) !suspect");
    assert_eq!(play.frame(&change(70, 60)), "-");
    assert_eq!(play.frame(&answer(60)), "S !open Q D Q");
    assert_eq!(play.frame(&message("btcusdt.mbp.150", r#"{"asks":[]}"#)), "xshape");
}

#[test]
fn versions_count_up() {
    let mut play = Play::new("huobi");
    let frame = |event: &str, version: u64| {
        let tick = format!(
            r#"{{"asks":[],"bids":[[11756.81,{version}]],"ch":"x","event":"{event}","id":1,"mrid":1,"ts":7,"version":{version}}}"#
        );
        message("BTC-USDT.depth.size_150.high_freq", &tick)
    };
    assert_eq!(play.frame(&frame("update", 8)), "-");
    assert_eq!(play.frame(&frame("snapshot", 9)), "S Q");
    assert_eq!(play.frame(&frame("update", 10)), "D Q");
    assert_eq!(play.frame(&frame("update", 12)), "G11-11 !suspect");
    assert_eq!(play.frame(&frame("update", 13)), "-");
    assert_eq!(play.frame(&frame("snapshot", 2)), "S !open Q");
    assert_eq!(play.frame(&frame("update", 3)), "D Q");
}

#[test]
fn markets_are_told_by_their_symbols() {
    let mut play = Play::new("huobi");
    for (symbol, told) in [
        ("fil3susdt", "huobi:FIL3S-USDT/fil3susdt"),
        ("BTC-USD", "huobi-swap:BTC-USD-PERP/BTC-USD"),
        ("BTC-USDT", "huobi-linear-swap:BTC-USDT-PERP/BTC-USDT"),
        ("BTC-USDT-210625", "huobi-linear-swap:BTC-USDT-210625/BTC-USDT-210625"),
        ("BTC_CW", "huobi-futures:BTC-USD-CW/BTC_CW"),
        ("BTC210625", "huobi-futures:BTC-USD-210625/BTC210625"),
    ] {
        let tick =
            r#"{"mrid":1,"id":1,"bids":[[9829.99,1]],"asks":[[9830,625]],"ts":7,"version":1,"ch":"x"}"#;
        let told = format!("S {told} 9829.99x1|9830x625@7000000; Q {told} 9829.99x1|9830x625@7000000;");
        assert_eq!(play.full(&message(&format!("{symbol}.depth.step0"), tick)), told);
        // Of what is no longer listed, sides are missing.
        let gone =
            message(&format!("{symbol}.depth.step0"), r#"{"mrid":1,"id":1,"ts":8,"version":1,"ch":"x"}"#);
        assert_eq!(play.frame(&gone), "-");
    }
    // The finest of several is the book.
    let frame = |step: u32| message(&format!("BTC-USD.depth.step{step}"), r#"{"bids":[[1,1]],"asks":[]}"#);
    assert_eq!(play.frame(&frame(1)), "-");
    assert_eq!(play.frame(&frame(0)), "S Q");
    assert_eq!(play.connect("c").split(' ').filter(|word| *word == "!suspect").count(), 6);
}

#[test]
fn trades_have_the_best_id_there_is() {
    let mut play = Play::new("huobi");
    let spot = r#"{"id":1,"ts":7,"data":[{"id":100182534526255757567432481,"ts":7,"tradeId":100045088885,"amount":20995.880,"price":9.2E-7,"direction":"buy"}]}"#;
    assert_eq!(
        play.full(&message("btcusdt.trade.detail", spot)),
        "T huobi:BTC-USDT/btcusdt buy0.00000092x20995.880#100045088885@7000000;"
    );
    let swap = r#"{"id":1,"ts":7,"data":[{"amount":2,"ts":8,"id":1000653409820000,"price":41234.5,"direction":"sell"},{"amount":4,"ts":8,"id":"27a","price":41234.4,"direction":"sell","quantity":0.004,"trade_turnover":1.0}]}"#;
    let of = "huobi-swap:BTC-USD-PERP/BTC-USD";
    assert_eq!(
        play.full(&message("BTC-USD.trade.detail", swap)),
        format!("T {of} sell41234.5x2#1000653409820000@8000000; T {of} sell41234.4x4#27a@8000000;")
    );
    // An answer to a request tells of before.
    let answer = r#"{"rep":"market.btcusdt.trade.detail","status":"ok","id":"1","data":[{"id":1,"ts":7,"tradeId":2,"amount":1.0,"price":2.0,"direction":"sell"}]}"#;
    assert_eq!(play.frame(answer), "O");
}

#[test]
fn quotes_tickers_and_the_rest() {
    let mut play = Play::new("huobi");
    let subbed = r#"{"id":1,"status":"ok","subbed":"market.btcusdt.bbo","ts":9}"#;
    assert_eq!(play.frame(subbed), "-");
    assert_eq!(play.frame(&message("btcusdt.depth.step0", r#"{"bids":[[1.0,1]],"asks":[]}"#)), "S");
    let of = "huobi:BTC-USDT/btcusdt";
    let best =
        r#"{"seqId":1,"ask":2.5,"askSize":1.50,"bid":1.5,"bidSize":0.25,"quoteTime":7,"symbol":"btcusdt"}"#;
    assert_eq!(play.full(&message("btcusdt.bbo", best)), format!("q {of} 1.5x0.25|2.5x1.50@7000000;"));
    let ticker = r#"{"open":2,"high":4,"low":1,"close":3,"amount":13.25,"vol":40.5,"count":9,"bid":2.5,"bidSize":1,"ask":3.5,"askSize":2,"lastPrice":3,"lastSize":0.5}"#;
    assert_eq!(
        play.full(&message("btcusdt.ticker", ticker)),
        format!("q {of} 2.5x1|3.5x2@9000000; t {of} 3,2,4,1,13.25,50@9000000;")
    );
    let swap = r#"{"mrid":1,"id":1,"bid":[1.5,3],"ask":[2.5,4],"ts":7,"version":1,"ch":"x"}"#;
    assert_eq!(
        play.full(&message("BTC-USD.bbo", swap)),
        "q huobi-swap:BTC-USD-PERP/BTC-USD 1.5x3|2.5x4@7000000;"
    );
    for other in [
        r#"{"ping":1618678073643}"#,
        r#"{"ch":"market.btcusdt.kline.1min","ts":1,"tick":{"id":1,"open":1,"close":1}}"#,
        r#"{"ch":"market.overview","ts":1,"data":[]}"#,
    ] {
        assert_eq!(play.frame(other), "-", "{other}");
    }
    let error =
        r#"{"status":"error","ts":1,"id":"1","err-code":"bad-request","err-msg":"invalid topic market.x"}"#;
    assert_eq!(play.frame(error), "xrefused");
    assert_eq!(play.frame(&message("btcusdt.bbo", &best.replace("2.5", "\"x\""))), "xnumber");
}
