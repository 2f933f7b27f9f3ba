//! OKX v5.

use std::collections::BTreeSet;
use std::fmt::Write;

use model::{Book, BookSide};
use serde_json::Value;

use super::{Request, State, Sub, Venue, number, pairs, text};

pub(crate) struct Okx;

/// Levels a side that the checksum covers.
const CHECKSUM_LEVELS: usize = 25;

fn sub(arg: &Value) -> Sub {
    Sub {
        market: String::new(),
        topic: text(arg, "channel").to_owned(),
        symbol: text(arg, "instId").to_owned(),
    }
}

impl Venue for Okx {
    fn sub_of(&self, frame: &str) -> Option<Sub> {
        let value: Value = serde_json::from_str(frame).ok()?;
        (value.get("event").is_none() && value["arg"].is_object()).then(|| sub(&value["arg"]))
    }

    fn open(&self, path: &str) -> Option<Vec<Sub>> {
        path.starts_with("/ws/v5/public").then(Vec::new)
    }

    fn request(&self, message: &str) -> Request {
        if message == "ping" {
            return Request::Ping("pong".to_owned());
        }
        let Ok(value) = serde_json::from_str::<Value>(message) else { return Request::Unknown };
        let subs = value["args"].as_array().into_iter().flatten().map(sub).collect();
        let number = number(&value["id"]);
        match text(&value, "op") {
            "subscribe" => Request::Subscribe { number, subs },
            "unsubscribe" => Request::Unsubscribe { number, subs },
            _ => Request::Unknown,
        }
    }

    fn is_book(&self, sub: &Sub) -> bool {
        sub.topic == "books"
    }

    fn knows(&self, sub: &Sub, held: &BTreeSet<Sub>) -> bool {
        matches!(&*sub.topic, "books" | "trades" | "tickers" | "bbo-tbt")
            && held.iter().any(|held| held.symbol == sub.symbol)
    }

    fn accepted(&self, number: &str, subs: &[Sub], _held: &[Sub], _millis: u64) -> Vec<String> {
        let one = |sub: &Sub| {
            let arg = format!(r#"{{"channel":"{}","instId":"{}"}}"#, sub.topic, sub.symbol);
            format!(r#"{{"id":"{number}","event":"subscribe","arg":{arg},"connId":"emulated"}}"#)
        };
        subs.iter().map(one).collect()
    }

    fn refused(&self, number: &str, sub: &Sub) -> String {
        format!(
            r#"{{"id":"{number}","event":"error","code":"60018","msg":"Wrong URL or channel:{},instId:{} doesn't exist. Please use the correct URL, channel and parameters referring to API document.","connId":"emulated"}}"#,
            sub.topic, sub.symbol
        )
    }

    fn position(&self, frame: &str) -> Option<i64> {
        let value: Value = serde_json::from_str(frame).ok()?;
        value["data"].as_array()?.last()?["seqId"].as_i64()
    }

    fn snapshot(&self, sub: &Sub, state: &State<'_>) -> Option<String> {
        let more = r#","0","1""#;
        let side = |side| pairs(state.book, side, usize::MAX, more);
        let numbers = if state.position > 0 {
            format!(r#","prevSeqId":-1,"seqId":{}"#, state.position)
        } else {
            String::new()
        };
        Some(format!(
            r#"{{"arg":{{"channel":"books","instId":"{}"}},"action":"snapshot","data":[{{"asks":[{}],"bids":[{}],"ts":"{}","checksum":{}{numbers}}}]}}"#,
            sub.symbol,
            side(BookSide::Ask),
            side(BookSide::Bid),
            state.millis,
            checksum(state.book)
        ))
    }

    fn number_keys(&self) -> &'static [&'static str] {
        &["seqId", "prevSeqId"]
    }

    fn leaving(&self) -> Option<&'static str> {
        Some(
            r#"{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please reconnect.","connId":"emulated"}"#,
        )
    }
}

fn checksum(book: &Book) -> i32 {
    let mut text = String::new();
    let (mut bids, mut asks) = (book.iter(BookSide::Bid), book.iter(BookSide::Ask));
    for _ in 0..CHECKSUM_LEVELS {
        for level in [bids.next(), asks.next()].into_iter().flatten() {
            let colon = if text.is_empty() { "" } else { ":" };
            // Writing to memory does not fail.
            let _ = write!(text, "{colon}{}:{}", level.price, level.size);
        }
    }
    crc32(text.as_bytes()).cast_signed()
}

/// CRC-32 (ISO-HDLC), bit by bit: this is not in a hurry, and not the code that it checks.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
