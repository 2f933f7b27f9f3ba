//! Binance, spot and futures.

use std::collections::BTreeSet;

use model::BookSide;
use serde_json::Value;

use super::{Request, State, Sub, Venue, number, pairs, text};

pub(crate) struct Binance {
    pub(crate) market: Market,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Market {
    Spot,
    UsdM,
    CoinM,
}

/// `btcusdt@depth@100ms` is the book of BTCUSDT, however fast.
fn sub(stream: &str) -> Sub {
    let (symbol, topic) = stream.split_once('@').unwrap_or((stream, ""));
    let topic = topic.split('@').next().unwrap_or_default();
    let topic = if topic == "aggTrade" { "trade" } else { topic };
    Sub { market: String::new(), topic: topic.to_owned(), symbol: symbol.to_ascii_uppercase() }
}

impl Venue for Binance {
    fn sub_of(&self, frame: &str) -> Option<Sub> {
        let value: Value = serde_json::from_str(frame).ok()?;
        value["stream"].as_str().map(sub)
    }

    fn open(&self, path: &str) -> Option<Vec<Sub>> {
        let (door, streams) = path.split_once("/stream?streams=")?;
        let has: fn(&Sub) -> bool = match (self.market, door) {
            (Market::UsdM, "/public") => |sub| matches!(&*sub.topic, "depth" | "bookTicker"),
            (Market::UsdM, "/market") => |sub| !matches!(&*sub.topic, "depth" | "bookTicker"),
            (Market::Spot | Market::CoinM, "") => |_| true,
            _ => return None,
        };
        // At the wrong door a stream is silent.
        Some(streams.split('/').map(sub).filter(has).collect())
    }

    fn request(&self, message: &str) -> Request {
        let Ok(value) = serde_json::from_str::<Value>(message) else { return Request::Unknown };
        let params = value["params"].as_array().into_iter().flatten();
        let subs = params.filter_map(Value::as_str).map(sub).collect();
        let number = number(&value["id"]);
        match text(&value, "method") {
            "SUBSCRIBE" => Request::Subscribe { number, subs },
            "UNSUBSCRIBE" => Request::Unsubscribe { number, subs },
            _ => Request::Unknown,
        }
    }

    fn is_book(&self, sub: &Sub) -> bool {
        sub.topic == "depth"
    }

    /// Whatever is no stream is passed over without a word.
    fn knows(&self, _sub: &Sub, _held: &BTreeSet<Sub>) -> bool {
        true
    }

    fn accepted(&self, number: &str, _subs: &[Sub], _held: &[Sub], _millis: u64) -> Vec<String> {
        if number.is_empty() { Vec::new() } else { vec![format!(r#"{{"result":null,"id":{number}}}"#)] }
    }

    fn refused(&self, number: &str, _sub: &Sub) -> String {
        format!(r#"{{"error":{{"code":2,"msg":"Invalid request"}},"id":{number}}}"#)
    }

    fn position(&self, frame: &str) -> Option<i64> {
        let value: Value = serde_json::from_str(frame).ok()?;
        value["data"]["u"].as_i64().or_else(|| value["lastUpdateId"].as_i64())
    }

    fn snapshot(&self, _sub: &Sub, _state: &State<'_>) -> Option<String> {
        None
    }

    fn depth_asked(&self, path: &str) -> Option<(String, usize)> {
        let (path, query) = path.split_once('?')?;
        if !path.ends_with("/depth") {
            return None;
        }
        let value =
            |key| query.split('&').find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == key));
        let (_, symbol) = value("symbol")?;
        let limit = value("limit").and_then(|(_, limit)| limit.parse().ok()).unwrap_or(100);
        Some((symbol.to_owned(), limit))
    }

    fn depth_answer(&self, _symbol: &str, state: &State<'_>, depth: usize) -> String {
        let (bids, asks) =
            (pairs(state.book, BookSide::Bid, depth, ""), pairs(state.book, BookSide::Ask, depth, ""));
        let at = state.millis;
        let times =
            if self.market == Market::Spot { String::new() } else { format!(r#""E":{at},"T":{at},"#) };
        format!(r#"{{"lastUpdateId":{},{times}"bids":[{bids}],"asks":[{asks}]}}"#, state.position)
    }

    fn number_keys(&self) -> &'static [&'static str] {
        &["U", "u", "pu", "lastUpdateId"]
    }

    fn leaving(&self) -> Option<&'static str> {
        Some(r#"{"e":"serverShutdown","E":1700000000000}"#)
    }
}
