//! Coinbase Advanced Trade.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use model::BookSide;
use serde_json::{Value, json};

use super::{Request, State, Sub, Venue, instant, text};

pub(crate) struct Coinbase;

fn sub(topic: &str, symbol: &str) -> Sub {
    Sub { market: String::new(), topic: topic.to_owned(), symbol: symbol.to_owned() }
}

impl Venue for Coinbase {
    fn sub_of(&self, frame: &str) -> Option<Sub> {
        let value: Value = serde_json::from_str(frame).ok()?;
        let event = &value["events"][0];
        match value["channel"].as_str()? {
            "l2_data" => Some(sub("level2", event["product_id"].as_str()?)),
            "market_trades" => Some(sub("market_trades", event["trades"][0]["product_id"].as_str()?)),
            "ticker" => Some(sub("ticker", event["tickers"][0]["product_id"].as_str()?)),
            _ => None,
        }
    }

    fn open(&self, path: &str) -> Option<Vec<Sub>> {
        (path == "/").then(Vec::new)
    }

    fn beat(&self, count: u64, millis: u64) -> Option<String> {
        let at = instant(millis);
        Some(format!(
            r#"{{"channel":"heartbeats","client_id":"","timestamp":"{at}","sequence_num":0,"events":[{{"current_time":"","heartbeat_counter":{count}}}]}}"#
        ))
    }

    fn request(&self, message: &str) -> Request {
        let Ok(value) = serde_json::from_str::<Value>(message) else { return Request::Unknown };
        let topic = text(&value, "channel");
        let products = value["product_ids"].as_array().into_iter().flatten();
        let mut subs: Vec<Sub> =
            products.filter_map(Value::as_str).map(|symbol| sub(topic, symbol)).collect();
        if topic == "heartbeats" {
            subs = vec![sub(topic, "")];
        }
        match text(&value, "type") {
            "subscribe" => Request::Subscribe { number: String::new(), subs },
            "unsubscribe" => Request::Unsubscribe { number: String::new(), subs },
            _ => Request::Unknown,
        }
    }

    fn is_book(&self, sub: &Sub) -> bool {
        sub.topic == "level2"
    }

    fn knows(&self, sub: &Sub, held: &BTreeSet<Sub>) -> bool {
        let known = matches!(&*sub.topic, "level2" | "market_trades" | "ticker");
        sub.topic == "heartbeats" || known && held.iter().any(|held| held.symbol == sub.symbol)
    }

    fn accepted(&self, _number: &str, _subs: &[Sub], held: &[Sub], millis: u64) -> Vec<String> {
        let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for sub in held {
            let symbol = if sub.topic == "heartbeats" { "heartbeats" } else { &sub.symbol };
            lists.entry(&sub.topic).or_default().push(symbol);
        }
        let (at, lists) = (instant(millis), json!(lists));
        vec![format!(
            r#"{{"channel":"subscriptions","client_id":"","timestamp":"{at}","sequence_num":0,"events":[{{"subscriptions":{lists}}}]}}"#
        )]
    }

    fn refused(&self, _number: &str, sub: &Sub) -> String {
        format!(r#"{{"type":"error","message":"{} is not a valid product for {}"}}"#, sub.symbol, sub.topic)
    }

    fn position(&self, _frame: &str) -> Option<i64> {
        None
    }

    fn snapshot(&self, sub: &Sub, state: &State<'_>) -> Option<String> {
        let (at, mut updates) = (instant(state.millis), String::new());
        for (side, word) in [(BookSide::Bid, "bid"), (BookSide::Ask, "offer")] {
            for level in state.book.iter(side) {
                let comma = if updates.is_empty() { "" } else { "," };
                // Writing to memory does not fail.
                let _ = write!(
                    updates,
                    r#"{comma}{{"side":"{word}","event_time":"{at}","price_level":"{}","new_quantity":"{}"}}"#,
                    level.price, level.size
                );
            }
        }
        Some(format!(
            r#"{{"channel":"l2_data","client_id":"","timestamp":"{at}","sequence_num":0,"events":[{{"type":"snapshot","product_id":"{}","updates":[{updates}]}}]}}"#,
            sub.symbol
        ))
    }

    fn number_keys(&self) -> &'static [&'static str] {
        &["sequence_num"]
    }

    fn numbered(&self, frame: String, number: u64) -> String {
        let key = r#""sequence_num":"#;
        let Some(at) = frame.find(key).map(|at| at + key.len()) else { return frame };
        let end = frame[at..].find(|c: char| !c.is_ascii_digit()).map_or(frame.len(), |end| at + end);
        format!("{}{number}{}", &frame[..at], &frame[end..])
    }
}
