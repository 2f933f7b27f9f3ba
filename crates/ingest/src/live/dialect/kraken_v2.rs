//! Kraken v2: instruments by message; a heartbeat every second; checksums instead of numbers.
//!
//! Source: Kraken, "WebSocket API v2": `subscribe`, `ping`, `status`, `heartbeat`. Each instrument is answered
//! on its own. Books have no numbering, so they cannot be merged: one connection leads.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Bounds, Dialect, Heard, Route, Subject, Tag, Twins, Want, address, by_topic, no_depth, quoted, wants,
};
use crate::live::{LiveChannel, LiveError, LiveSpec};

/// Instruments of one request.
const SYMBOLS_MAX: usize = 50;

pub(super) struct KrakenV2;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    channel: Option<&'a str>,
    #[serde(borrow)]
    method: Option<&'a str>,
    success: Option<bool>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
    #[serde(borrow)]
    symbol: Option<Cow<'a, str>>,
    req_id: Option<u64>,
    #[serde(borrow)]
    result: Option<Subscribed<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Subscribed<'a> {
    #[serde(borrow)]
    channel: Option<Cow<'a, str>>,
    #[serde(borrow)]
    symbol: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    trade_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct System<'a> {
    #[serde(borrow)]
    system: Option<Cow<'a, str>>,
}

impl Dialect for KrakenV2 {
    fn check(&self, spec: &LiveSpec) -> Result<(), LiveError> {
        match spec.depth {
            None | Some(10 | 25 | 100 | 500 | 1_000) => Ok(()),
            Some(depth) => Err(no_depth(&spec.feed, depth, "10, 25, 100, 500 or 1000")),
        }
    }

    fn routes(&self, spec: &LiveSpec) -> Vec<Route> {
        let url = address(spec.ws_url.as_ref(), "wss://ws.kraken.com", "/v2");
        let depth = spec.depth.unwrap_or(100);
        let (mut books, mut rest) = (Vec::new(), Vec::new());
        for symbol in &spec.symbols {
            if wants(spec, LiveChannel::Book) {
                books.push(Want::book(format!("book {depth}"), symbol));
            }
        }
        if wants(spec, LiveChannel::Trades) {
            rest.extend(spec.symbols.iter().map(|symbol| Want::new("trade", symbol)));
        }
        if wants(spec, LiveChannel::Quotes) || wants(spec, LiveChannel::Ticker) {
            rest.extend(spec.symbols.iter().map(|symbol| Want::new("ticker", symbol)));
        }
        let route = |wants, twins| {
            let symbols = spec.symbols.clone();
            Route { url: url.clone(), wants, books: Vec::new(), symbols, twins }
        };
        let routes = [route(books, Twins::Lead), route(rest, Twins::Mix)];
        routes.into_iter().filter(|route| !route.wants.is_empty()).collect()
    }

    fn parts<'w>(&self, wants: &'w [Want]) -> Vec<&'w [Want]> {
        by_topic(wants, SYMBOLS_MAX)
    }

    fn message(&self, method: &str, wants: &[Want], number: u64) -> String {
        let symbols = quoted(wants.iter().map(|want| want.symbol.as_str()));
        let topic = wants.first().map_or("", |want| &want.topic);
        let (channel, depth) = topic.split_once(' ').unwrap_or((topic, ""));
        let more = match (channel, method) {
            ("book", _) => format!(r#","depth":{depth}"#),
            // Every change of the best prices, not only trades.
            ("ticker", _) => r#","event_trigger":"bbo""#.to_owned(),
            ("trade", "subscribe") => r#","snapshot":false"#.to_owned(),
            _ => String::new(),
        };
        format!(
            r#"{{"method":"{method}","params":{{"channel":"{channel}","symbol":[{symbols}]{more}}},"req_id":{number}}}"#
        )
    }

    fn hear<'a>(&self, text: &'a str) -> Heard<'a> {
        let Ok(message) = serde_json::from_str::<Message<'a>>(text) else { return Heard::Foreign };
        let raw = message.data.map_or("null", RawValue::get);
        match (message.channel, message.method) {
            (Some("heartbeat"), _) => Heard::Beat,
            (Some("status"), _) => status(raw),
            (Some("book"), _) => Heard::Data(Tag::Bare { book: Some(first(raw)) }),
            (Some("trade"), _) => Heard::Data(trades(raw)),
            (Some(_), _) => Heard::Data(Tag::Bare { book: None }),
            (None, Some("pong")) => Heard::Pong,
            (None, Some("subscribe")) => {
                let result = message.result.unwrap_or(Subscribed { channel: None, symbol: None });
                let topic = result.channel.filter(|_| message.req_id.is_none());
                let subject =
                    Subject { number: message.req_id, topic, symbol: result.symbol.or(message.symbol) };
                if message.success == Some(false) {
                    return Heard::Refused(subject, message.error.unwrap_or_default());
                }
                Heard::Accepted(vec![subject])
            }
            (None, Some(_)) => Heard::Other,
            (None, None) => Heard::Foreign,
        }
    }

    fn ping(&self, number: u64) -> Option<String> {
        Some(format!(r#"{{"method":"ping","req_id":{number}}}"#))
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            send_every: Duration::from_millis(50),
            connects: (150, Duration::from_secs(600)),
            weight: (60, Duration::from_secs(60)),
            ping_every: Duration::from_secs(15),
            lifetime: None,
        }
    }
}

fn first(raw: &str) -> Cow<'_, str> {
    let rows: Vec<Row<'_>> = serde_json::from_str(raw).unwrap_or_default();
    rows.into_iter().next().map(|row| row.symbol).unwrap_or_default()
}

fn trades(raw: &str) -> Tag<'_> {
    let Ok(rows) = serde_json::from_str::<Vec<Row<'_>>>(raw) else { return Tag::Bare { book: None } };
    let symbol = rows.first().map(|row| row.symbol.clone()).unwrap_or_default();
    let id = |row: Row<'_>| row.trade_id.map(|id| Cow::Owned(format!("{} {id}", row.symbol)));
    match rows.into_iter().map(id).collect() {
        Some(ids) => Tag::Trades { symbol, ids },
        None => Tag::Bare { book: None },
    }
}

/// `online` is how it should be; `maintenance` ends the connection, the other two are the market's.
fn status(raw: &str) -> Heard<'_> {
    let rows: Vec<System<'_>> = serde_json::from_str(raw).unwrap_or_default();
    match rows.into_iter().next().and_then(|row| row.system) {
        Some(system) if system == "maintenance" => Heard::Leaving(system),
        _ => Heard::Other,
    }
}
