//! Bybit v5.

use std::collections::BTreeSet;

use model::BookSide;
use serde_json::Value;

use super::{Request, State, Sub, Venue, number, pairs, text};

pub(crate) struct Bybit;

fn sub(topic: &str) -> Sub {
    let (topic, symbol) = topic.rsplit_once('.').unwrap_or((topic, ""));
    Sub { market: String::new(), topic: topic.to_owned(), symbol: symbol.to_owned() }
}

impl Venue for Bybit {
    fn sub_of(&self, frame: &str) -> Option<Sub> {
        let value: Value = serde_json::from_str(frame).ok()?;
        value["topic"].as_str().map(sub)
    }

    fn market_of(&self, addr: &str) -> String {
        addr.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
    }

    fn market_named(&self, venue: &str) -> String {
        venue.trim_start_matches("bybit-").to_owned()
    }

    fn open(&self, path: &str) -> Option<Vec<Sub>> {
        path.starts_with("/v5/public/").then(Vec::new)
    }

    fn request(&self, message: &str) -> Request {
        let Ok(value) = serde_json::from_str::<Value>(message) else { return Request::Unknown };
        let args = value["args"].as_array().into_iter().flatten();
        let subs = args.filter_map(Value::as_str).map(sub).collect();
        let number = number(&value["req_id"]);
        match text(&value, "op") {
            "subscribe" => Request::Subscribe { number, subs },
            "unsubscribe" => Request::Unsubscribe { number, subs },
            "ping" => Request::Ping(
                r#"{"success":true,"ret_msg":"pong","conn_id":"emulated","req_id":"","op":"ping"}"#
                    .to_owned(),
            ),
            _ => Request::Unknown,
        }
    }

    fn is_book(&self, sub: &Sub) -> bool {
        sub.topic.starts_with("orderbook.") && sub.topic != "orderbook.1"
    }

    fn knows(&self, sub: &Sub, held: &BTreeSet<Sub>) -> bool {
        let is_book = self.is_book(sub);
        matches!(&*sub.topic, "publicTrade" | "tickers" | "orderbook.1")
            && held.iter().any(|held| held.symbol == sub.symbol)
            || is_book && held.iter().any(|held| held.symbol == sub.symbol && held.topic == sub.topic)
    }

    fn accepted(&self, number: &str, _subs: &[Sub], _held: &[Sub], _millis: u64) -> Vec<String> {
        vec![format!(
            r#"{{"success":true,"ret_msg":"","conn_id":"emulated","req_id":"{number}","op":"subscribe"}}"#
        )]
    }

    fn refused(&self, number: &str, sub: &Sub) -> String {
        format!(
            r#"{{"success":false,"ret_msg":"error:handler not found,topic:{}.{}","conn_id":"emulated","req_id":"{number}","op":"subscribe"}}"#,
            sub.topic, sub.symbol
        )
    }

    fn position(&self, frame: &str) -> Option<i64> {
        let value: Value = serde_json::from_str(frame).ok()?;
        value["data"]["u"].as_i64()
    }

    fn snapshot(&self, sub: &Sub, state: &State<'_>) -> Option<String> {
        let depth = sub.topic.rsplit('.').next()?.parse().ok()?;
        let (bids, asks) =
            (pairs(state.book, BookSide::Bid, depth, ""), pairs(state.book, BookSide::Ask, depth, ""));
        Some(format!(
            r#"{{"topic":"{}.{}","type":"snapshot","ts":{at},"data":{{"s":"{}","b":[{bids}],"a":[{asks}],"u":{},"seq":1}},"cts":{at}}}"#,
            sub.topic,
            sub.symbol,
            sub.symbol,
            state.position,
            at = state.millis
        ))
    }

    fn number_keys(&self) -> &'static [&'static str] {
        &["u"]
    }
}
