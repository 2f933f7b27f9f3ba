//! Bybit v5: topics by message, at most ten in one; our pings or it hangs up.
//!
//! Source: Bybit, "WebSocket v5: Connect" (ping every 20 s, 10 arguments a request on spot, 500 connections in
//! five minutes). An answer is about a request as a whole.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Bounds, Dialect, Heard, Route, Subject, Tag, Twins, Want, address, no_depth, quoted, wants};
use crate::live::{LiveChannel, LiveError, LiveSpec};

/// Arguments of one request.
const ARGS_MAX: usize = 10;

pub(super) struct Bybit {
    market: String,
}

impl Bybit {
    pub(super) fn new(market: Option<&str>) -> Result<Self, LiveError> {
        let known = "spot, linear or inverse";
        let market = market.filter(|market| matches!(*market, "spot" | "linear" | "inverse"));
        let market = market.ok_or_else(|| LiveError::Market { feed: "bybit".to_owned(), known })?;
        Ok(Self { market: market.to_owned() })
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    topic: Option<&'a str>,
    #[serde(borrow, default)]
    r#type: &'a str,
    #[serde(borrow)]
    op: Option<&'a str>,
    success: Option<bool>,
    #[serde(borrow)]
    ret_msg: Option<Cow<'a, str>>,
    #[serde(borrow)]
    req_id: Option<&'a str>,
    cs: Option<i64>,
    ts: Option<i64>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Numbered {
    u: i64,
}

#[derive(Deserialize)]
struct Executed<'a> {
    #[serde(borrow)]
    i: Cow<'a, str>,
}

impl Dialect for Bybit {
    fn check(&self, spec: &LiveSpec) -> Result<(), LiveError> {
        match spec.depth {
            None | Some(50 | 200 | 1_000) => Ok(()),
            Some(depth) => Err(no_depth(&spec.feed, depth, "50, 200 or 1000")),
        }
    }

    fn routes(&self, spec: &LiveSpec) -> Vec<Route> {
        let path = format!("/v5/public/{}", self.market);
        let url = address(spec.ws_url.as_ref(), "wss://stream.bybit.com", &path);
        let depth = spec.depth.unwrap_or(50);
        let mut list = Vec::new();
        for symbol in &spec.symbols {
            if wants(spec, LiveChannel::Book) {
                list.push(Want::book(format!("orderbook.{depth}"), symbol));
            }
            if wants(spec, LiveChannel::Trades) {
                list.push(Want::new("publicTrade", symbol));
            }
            // Tickers of derivatives carry the best bid and offer, those of spot do not.
            let quoted = self.market != "spot";
            if wants(spec, LiveChannel::Quotes) && !quoted {
                list.push(Want::new("orderbook.1", symbol));
            }
            if wants(spec, LiveChannel::Ticker) || (wants(spec, LiveChannel::Quotes) && quoted) {
                list.push(Want::new("tickers", symbol));
            }
        }
        let symbols = spec.symbols.clone();
        vec![Route { url, wants: list, books: Vec::new(), symbols, twins: Twins::Merge }]
    }

    fn parts<'w>(&self, wants: &'w [Want]) -> Vec<&'w [Want]> {
        wants.chunks(ARGS_MAX).collect()
    }

    fn message(&self, op: &str, wants: &[Want], number: u64) -> String {
        let topics: Vec<String> =
            wants.iter().map(|want| format!("{}.{}", want.topic, want.symbol)).collect();
        let args = quoted(topics.iter().map(String::as_str));
        format!(r#"{{"req_id":"{number}","op":"{op}","args":[{args}]}}"#)
    }

    fn hear<'a>(&self, text: &'a str) -> Heard<'a> {
        let Ok(message) = serde_json::from_str::<Message<'a>>(text) else { return Heard::Foreign };
        if let Some(topic) = message.topic {
            return data(topic, &message);
        }
        let number = message.req_id.and_then(|id| id.parse().ok());
        match (message.op, message.success) {
            // Spot and linear answer a ping by "ping" again, with "pong" in `ret_msg`.
            (Some("ping" | "pong"), _) => Heard::Pong,
            (Some("subscribe"), Some(true)) => {
                Heard::Accepted(vec![Subject { number, ..Subject::default() }])
            }
            (Some("subscribe"), Some(false)) => {
                let subject = Subject { number, ..Subject::default() };
                Heard::Refused(subject, message.ret_msg.unwrap_or_default())
            }
            (Some(_), _) => Heard::Other,
            (None, _) => Heard::Foreign,
        }
    }

    fn ping(&self, _number: u64) -> Option<String> {
        Some(r#"{"op":"ping"}"#.to_owned())
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            send_every: Duration::from_millis(20),
            connects: (500, Duration::from_secs(300)),
            weight: (600, Duration::from_secs(5)),
            ping_every: Duration::from_secs(15),
            lifetime: None,
        }
    }
}

fn data<'a>(topic: &'a str, message: &Message<'a>) -> Heard<'a> {
    let (channel, symbol) = topic.rsplit_once('.').unwrap_or((topic, ""));
    let (symbol, raw) = (Cow::Borrowed(symbol), message.data.map_or("null", RawValue::get));
    let tag = match channel {
        "publicTrade" => match serde_json::from_str::<Vec<Executed<'a>>>(raw) {
            Ok(rows) => Tag::Trades { symbol, ids: rows.into_iter().map(|row| row.i).collect() },
            Err(_) => Tag::Bare { book: None },
        },
        "tickers" => match message.cs.or(message.ts) {
            Some(key) => Tag::Newest { symbol, topic: channel, key },
            None => Tag::Bare { book: None },
        },
        book if book.starts_with("orderbook.") => match serde_json::from_str::<Numbered>(raw) {
            Ok(Numbered { u }) if message.r#type == "snapshot" => {
                Tag::Start { symbol, topic: channel, last: u }
            }
            Ok(Numbered { u }) => Tag::Chain { symbol, topic: channel, previous: u - 1, last: u },
            Err(_) => Tag::Bare { book: Some(symbol) },
        },
        _ => Tag::Bare { book: None },
    };
    Heard::Data(tag)
}
