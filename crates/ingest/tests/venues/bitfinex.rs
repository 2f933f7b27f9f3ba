//! Bitfinex: numbered channels on numbered connections.

use ingest::INSTRUMENTS_MAX;

use crate::play::Play;

const HELLO: &str = r#"{"event":"info","version":2,"serverId":"a","platform":{"status":1}}"#;

fn subscribed(channel: &str, id: u64, symbol: &str) -> String {
    format!(
        r#"{{"event":"subscribed","channel":"{channel}","chanId":{id},"symbol":"{symbol}","prec":"P0","freq":"F0","len":"25"}}"#
    )
}

/// A connection with a book on channel 1.
fn begun() -> Play {
    let mut play = Play::new("bitfinex");
    assert_eq!(play.connect("c"), "");
    assert_eq!(play.frame(HELLO), "-");
    assert_eq!(play.frame(r#"{"event":"conf","status":"OK","flags":65536}"#), "-");
    assert_eq!(play.frame(&subscribed("book", 1, "tBTCUSD")), "-");
    play
}

const BOOK: &str = "[1,[[10,1,0.5],[9,2,1.5],[11,1,-0.25]],1]";

#[test]
fn rows_of_a_book() {
    let mut play = begun();
    let of = "bitfinex:BTC-USD/tBTCUSD";
    assert_eq!(play.frame("[1,[9,1,2],1]"), "-", "no book yet");
    assert_eq!(
        play.full("[1,[[10,1,0.5],[9,2,1.5],[11,1,-0.25]],2]"),
        format!("S {of} 10x0.5,9x1.5|11x0.25; Q {of} 10x0.5|11x0.25;")
    );
    // A count of 0 removes; the amount says the side only.
    assert_eq!(play.full("[1,[10,0,1],3]"), format!("D {of} 10x0|; Q {of} 9x1.5|11x0.25;"));
    assert_eq!(play.full("[1,[11,0,-1],4]"), format!("D {of} |11x0; Q {of} 9x1.5|;"));
    assert_eq!(play.frame("[1,\"hb\",5]"), "-");
    // Without numbers nothing is counted; a time may stand at the end.
    assert_eq!(play.full("[1,[8,1,1.5],1618677543829]"), format!("D {of} 8x1.5|@1618677543829000000;"));
    assert_eq!(play.frame("[1,[[10,1,0.5]],6]"), "S Q", "a list is a new book");
    assert_eq!(play.frame("[1,[],7]"), "S Q", "so is an empty one");
}

#[test]
fn lists_are_changes_where_the_connection_says_so() {
    let mut play = begun();
    assert_eq!(play.frame(r#"{"event":"conf","status":"OK","flags":536936448}"#), "-");
    assert_eq!(play.frame(BOOK), "S Q");
    assert_eq!(play.frame("[1,[[10,0,1],[9,0,1]],2]"), "D Q");
    assert_eq!(play.frame(&subscribed("book", 1, "tBTCUSD")), "-");
    assert_eq!(play.frame("[1,[[10,1,1]],3]"), "S Q");
}

#[test]
fn a_number_that_is_missing_voids_the_books_of_the_connection() {
    let mut play = begun();
    assert_eq!(play.frame(&subscribed("book", 2, "tETHUSD")), "-");
    assert_eq!(play.frame(BOOK), "S Q");
    assert_eq!(play.frame("[2,[[10,1,1]],2]"), "S Q");
    assert_eq!(play.frame_on("d", &subscribed("book", 1, "tLTCUSD")), "-");
    assert_eq!(play.frame_on("d", "[1,[[10,1,1]],9]"), "S Q");
    assert_eq!(play.frame("[1,[10,1,2],2]"), "-", "sent twice");
    assert_eq!(play.frame("[2,\"hb\",5]"), "G3-4 !suspect G3-4 !suspect");
    assert_eq!(play.frame("[1,[10,1,2],6]"), "-");
    assert_eq!(play.frame_on("d", "[1,[10,1,2],10]"), "D Q");
    assert_eq!(play.frame(&subscribed("book", 1, "tBTCUSD")), "-");
    assert_eq!(play.frame("[1,[[10,1,3]],7]"), "S !open Q");
}

#[test]
fn another_connection_has_other_channels() {
    let mut play = begun();
    assert_eq!(play.frame(BOOK), "S Q");
    assert_eq!(play.connect("c"), "G(reconnect) !suspect");
    assert_eq!(play.frame("[1,[10,1,2],1]"), "xchannel");
    assert_eq!(play.frame(&subscribed("book", 7, "tBTCUSD")), "-");
    assert_eq!(play.frame("[7,[[10,1,2]],2]"), "S !open Q");
    // Frames alone tell it, too: by what a connection says first, and by its numbers.
    assert_eq!(play.frame(HELLO), "G(reconnect) !suspect");
    assert_eq!(play.frame(&subscribed("book", 8, "tBTCUSD")), "-");
    assert_eq!(play.frame("[8,[[10,1,3]],1]"), "S !open Q");
    assert_eq!(play.frame("[8,[10,1,4],2]"), "D Q");
    assert_eq!(play.frame("[8,[10,1,5],1]"), "G(reconnect) !suspect");
    let maintenance = r#"{"event":"info","code":20060,"msg":"Entering in Maintenance mode"}"#;
    assert_eq!(play.frame("[8,[[10,1,3]],2]"), "S !open Q");
    assert_eq!(play.frame(maintenance), "G(maintenance) !suspect");
}

#[test]
fn heartbeats_may_come_before_their_channel() {
    let mut play = Play::new("bitfinex");
    assert_eq!(play.frame("[5,\"hb\",1]"), "-");
    assert_eq!(play.frame("[5,[1,2,3],2]"), "xchannel");
    assert_eq!(play.frame(&subscribed("book", 5, "tBTCUSD")), "-");
    assert_eq!(play.frame("[5,[[10,1,3]],3]"), "S Q");
    assert_eq!(play.frame(r#"{"event":"unsubscribed","status":"OK","chanId":5}"#), "-");
    assert_eq!(play.frame("[5,[10,1,4],4]"), "-");
}

#[test]
fn checksums() {
    let sum = |text: &str| crc32fast::hash(text.as_bytes()).cast_signed();
    let mut play = begun();
    assert_eq!(play.frame("[1,[[10.5,1,0.5],[0.0000015,2,1.5e-7],[11,1,-0.25]],1]"), "S Q");
    let right = sum("10.5:0.5:11:-0.25:0.0000015:1.5e-7");
    assert_eq!(play.frame(&format!("[1,\"cs\",{right},2]")), "-");
    assert_eq!(play.frame(&format!("[1,\"cs\",{},3]", right ^ 1)), "G(checksum) !suspect");
    assert_eq!(play.frame(&format!("[1,\"cs\",{right},4]")), "-", "there is no book to check");
    assert_eq!(play.frame("[1,[[2e-8,1,3]],5]"), "S !open Q");
    assert_eq!(play.frame(&format!("[1,\"cs\",{},6]", sum("2e-8:3"))), "-");
    assert_eq!(play.frame("[9,\"cs\",1,7]"), "xchannel");
    assert_eq!(play.frame("[1,\"cs\",99999999999,8]"), "xshape");
}

#[test]
fn trades_and_tickers() {
    let mut play = begun();
    for (channel, id, symbol) in
        [("trades", 2, "tBTCF0:USTF0"), ("ticker", 3, "tBTCUST"), ("ticker", 4, "fUSD")]
    {
        assert_eq!(play.frame(&subscribed(channel, id, symbol)), "-");
    }
    let of = "bitfinex:BTC-USDT-PERP/tBTCF0:USTF0";
    assert_eq!(
        play.full("[2,[[401597395,1574694478808,0.005,7245.3],[401597394,1574694478807,-0.5,7245.0]],1]"),
        format!(
            "O {of} buy7245.3x0.005#401597395@1574694478808000000; O {of} sell7245.0x0.5#401597394@1574694478807000000;"
        )
    );
    assert_eq!(
        play.full("[2,\"te\",[401597396,1574694478900,-0.25,7245.5],2]"),
        format!("T {of} sell7245.5x0.25#401597396@1574694478900000000;")
    );
    assert_eq!(play.frame("[2,\"tu\",[401597396,1574694478900,-0.25,7245.5],3]"), "-", "told already");
    let of = "bitfinex:BTC-USDT/tBTCUST";
    assert_eq!(
        play.full("[3,[7000.5,1.25,7001,0.5,-66,-0.0262,7000.75,32.5,7100,6900],4]"),
        format!("q {of} 7000.5x1.25|7001x0.5; t {of} 7000.75,,7100,6900,32.5,-2.6200;")
    );
    assert_eq!(
        play.full("[3,[null,null,7001,0.5,null,null,null,0,null,null],5]"),
        format!("q {of} |7001x0.5; t {of} ,,,,0,;")
    );
    // Funding is no market of ours.
    assert_eq!(play.frame("[4,[0.0003,30,0.0002,30,1,1,1,1,1,1,1,1,1,null,null,1],6]"), "-");
}

#[test]
fn channels_are_bounded() {
    let mut play = begun();
    for id in 2..=u64::try_from(INSTRUMENTS_MAX).unwrap() {
        assert_eq!(play.frame(&subscribed("candles", id, "tBTCUSD")), "-");
    }
    assert_eq!(play.frame(&subscribed("candles", 0, "tBTCUSD")), "xlimit");
    assert_eq!(play.frame(&subscribed("trades", 1, "tBTCUSD")), "-", "known already");
}

#[test]
fn refusals_and_rubbish() {
    let mut play = begun();
    let error =
        r#"{"channel":"book","symbol":"tX","event":"error","msg":"symbol: invalid","code":10300,"pair":"X"}"#;
    assert_eq!(play.frame(error), "xrefused");
    assert_eq!(play.frame(r#"{"event":"pong","ts":1,"cid":1}"#), "-");
    for (frame, reason) in [
        ("[", "xjson"),
        ("[]", "xshape"),
        ("[1]", "xshape"),
        ("[1,\"te\"]", "xshape"),
        ("[\"a\",[1,2,3]]", "xshape"),
        ("[1,[1,2]]", "xshape"),
        ("[1,[1,1,79228162514264337593543950336]]", "xnumber"),
        ("[1,[1,1,\"a\"]]", "xnumber"),
        ("[1,[1,1,1],-5]", "xshape"),
        ("[1,[1,1,1],18446744073709551615]", "xtime"),
    ] {
        assert_eq!(play.frame(frame), reason, "{frame}");
    }
    assert_eq!(play.frame(BOOK), "S Q");
}
