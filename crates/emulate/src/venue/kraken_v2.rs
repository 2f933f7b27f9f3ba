//! Kraken v2.

use std::collections::BTreeSet;

use model::{BookSide, Level};
use serde_json::{Value, json};

use super::{Request, State, Sub, Venue, instant, text};

pub(crate) struct KrakenV2;

impl Venue for KrakenV2 {
    fn sub_of(&self, frame: &str) -> Option<Sub> {
        let value: Value = serde_json::from_str(frame).ok()?;
        let topic =
            value["channel"].as_str().filter(|topic| matches!(*topic, "book" | "trade" | "ticker"))?;
        let symbol = value["data"][0]["symbol"].as_str()?;
        Some(Sub { market: String::new(), topic: topic.to_owned(), symbol: symbol.to_owned() })
    }

    fn open(&self, path: &str) -> Option<Vec<Sub>> {
        path.starts_with("/v2").then(Vec::new)
    }

    fn hello(&self) -> Option<String> {
        let data = r#"[{"version":"2.0.9","system":"online","api_version":"v2","connection_id":12345678901234567890}]"#;
        Some(format!(r#"{{"channel":"status","type":"update","data":{data}}}"#))
    }

    fn beat(&self, _count: u64, _millis: u64) -> Option<String> {
        Some(r#"{"channel":"heartbeat"}"#.to_owned())
    }

    fn request(&self, message: &str) -> Request {
        let Ok(value) = serde_json::from_str::<Value>(message) else { return Request::Unknown };
        let params = &value["params"];
        let symbols = params["symbol"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let sub = |symbol: &str| Sub {
            market: params["depth"].as_u64().map(|depth| depth.to_string()).unwrap_or_default(),
            topic: text(params, "channel").to_owned(),
            symbol: symbol.to_owned(),
        };
        let (subs, number) = (symbols.map(sub).collect(), value["req_id"].to_string());
        match text(&value, "method") {
            "subscribe" => Request::Subscribe { number, subs },
            "unsubscribe" => Request::Unsubscribe { number, subs },
            "ping" => Request::Ping(format!(r#"{{"method":"pong","req_id":{number}}}"#)),
            _ => Request::Unknown,
        }
    }

    /// A client's depth stands where others have the market.
    fn same(&self, asked: &Sub, held: &Sub) -> bool {
        asked.topic == held.topic && asked.symbol == held.symbol
    }

    fn is_book(&self, sub: &Sub) -> bool {
        sub.topic == "book"
    }

    fn knows(&self, sub: &Sub, held: &BTreeSet<Sub>) -> bool {
        matches!(&*sub.topic, "book" | "trade" | "ticker")
            && held.iter().any(|held| held.symbol == sub.symbol)
    }

    fn depth_of(&self, frame: &str) -> Option<usize> {
        let value: Value =
            serde_json::from_str(frame).ok().filter(|value: &Value| value["type"] == "snapshot")?;
        let levels = |side| value["data"][0][side].as_array().map_or(0, Vec::len);
        let seen = levels("bids").max(levels("asks"));
        [10, 25, 100, 500, 1_000].into_iter().find(|depth| *depth >= seen).filter(|_| seen > 0)
    }

    fn accepted(&self, number: &str, subs: &[Sub], _held: &[Sub], _millis: u64) -> Vec<String> {
        let one = |sub: &Sub| {
            let depth =
                if sub.market.is_empty() { String::new() } else { format!(r#""depth":{},"#, sub.market) };
            let result = format!(
                r#"{{"channel":"{}",{depth}"snapshot":true,"symbol":{}}}"#,
                sub.topic,
                json!(sub.symbol)
            );
            format!(r#"{{"method":"subscribe","result":{result},"success":true,"req_id":{number}}}"#)
        };
        subs.iter().map(one).collect()
    }

    fn refused(&self, number: &str, sub: &Sub) -> String {
        format!(
            r#"{{"error":"Currency pair not supported {symbol}","method":"subscribe","req_id":{number},"success":false,"symbol":{}}}"#,
            json!(sub.symbol),
            symbol = sub.symbol
        )
    }

    fn position(&self, _frame: &str) -> Option<i64> {
        None
    }

    fn snapshot(&self, sub: &Sub, state: &State<'_>) -> Option<String> {
        let depth = sub.market.parse().unwrap_or(usize::MAX);
        let side = |side| {
            let row = |level: Level| format!(r#"{{"price":{},"qty":{}}}"#, level.price, level.size);
            state.book.iter(side).take(depth).map(row).collect::<Vec<_>>().join(",")
        };
        Some(format!(
            r#"{{"channel":"book","type":"snapshot","data":[{{"symbol":{},"bids":[{}],"asks":[{}],"checksum":{},"timestamp":"{}"}}]}}"#,
            json!(sub.symbol),
            side(BookSide::Bid),
            side(BookSide::Ask),
            state.book.checksum(usize::MAX),
            instant(state.millis)
        ))
    }

    fn number_keys(&self) -> &'static [&'static str] {
        &[]
    }

    fn leaving(&self) -> Option<&'static str> {
        Some(r#"{"channel":"status","type":"update","data":[{"system":"maintenance","api_version":"v2"}]}"#)
    }
}
