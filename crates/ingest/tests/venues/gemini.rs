//! Gemini: a book at the beginning, then changes that nothing numbers.

use crate::play::Play;

const FIRST: &str = r#"{"auction_events":[],"changes":[["buy","77.34","14.3"],["sell","78.15","14.5"]],"symbol":"SOLUSDCPERP","trades":[{"event_id":17,"price":"73.555","quantity":"2.0","side":"sell","symbol":"SOLUSDCPERP","tid":1893456010836639,"timestamp":1786305428385,"type":"trade"}],"type":"l2_updates"}"#;

fn change(side: &str) -> String {
    format!(r#"{{"changes":[["{side}","77.34","0.0"]],"symbol":"SOLUSDCPERP","type":"l2_updates"}}"#)
}

#[test]
fn books_begin_with_old_trades() {
    let mut play = Play::new("gemini");
    assert_eq!(play.frame(&change("buy")), "-", "no book yet");
    let of = "gemini:SOL-USDC-PERP/SOLUSDCPERP";
    assert_eq!(
        play.full(FIRST),
        format!(
            "O {of} sell73.555x2.0#1893456010836639@1786305428385000000; S {of} 77.34x14.3|78.15x14.5; \
             Q {of} 77.34x14.3|78.15x14.5;"
        )
    );
    assert_eq!(play.full(&change("buy")), format!("D {of} 77.34x0.0|; Q {of} |78.15x14.5;"));
    assert_eq!(play.frame(&change("hold")), "xshape");
    // An instrument without trades begins, too.
    let none = FIRST.replace("SOLUSDCPERP", "BTCGBP");
    let none = format!("{}[]{}", none.split_once("[{").unwrap().0, none.split_once("}]").unwrap().1);
    assert_eq!(play.frame(&none), "S Q");
    assert_eq!(play.connect("c"), "G(reconnect) !suspect G(reconnect) !suspect");
    assert_eq!(play.frame(&change("buy")), "-");
    assert_eq!(play.frame(FIRST), "O S !open Q");
}

#[test]
fn trades_and_the_rest() {
    let mut play = Play::new("gemini");
    let trade = r#"{"event_id":18,"price":"1.50","quantity":"0.1","side":"buy","symbol":"PAXGUSD","timestamp":5,"type":"trade"}"#;
    assert_eq!(play.full(trade), "T gemini:PAXG-USD/PAXGUSD buy1.50x0.1#18@5000000;");
    for other in [
        r#"{"timestamp":1786313195331,"type":"heartbeat"}"#,
        r#"{"type":"candles_1m_updates","symbol":"BTCUSD","changes":[[1,1,1,1,1,1]]}"#,
        r#"{"type":"auction_result","symbol":"BTCUSD","time_ms":1,"result":"success","auction_price":"1"}"#,
        r#"{"type":"auction_indicative","symbol":"BTCUSD","indicative_price":"1"}"#,
    ] {
        assert_eq!(play.frame(other), "-", "{other}");
    }
    assert_eq!(play.frame(r#"{"result":"error","reason":"InvalidSymbol","message":"x"}"#), "xrefused");
    assert_eq!(play.frame(&trade.replace("1.50", "1.5.0")), "xnumber");
}
