//! Coinbase Advanced Trade: one channel a message; heartbeats; one numbering for all of a connection.
//!
//! Source: Coinbase, "Advanced Trade WebSocket": subscribe within five seconds or be cut, 8 connections and 8
//! messages a second without a token. A connection numbers whatever it sends, so books have one of their own: what
//! is taken from the other of two connections must not look like a loss.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;

use super::{
    Bounds, Dialect, Heard, Route, Subject, Tag, Twins, Want, address, by_topic, no_depth, quoted, wants,
};
use crate::live::{LiveChannel, LiveError, LiveSpec};

/// Instruments of one request.
const SYMBOLS_MAX: usize = 50;

pub(super) struct Coinbase;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    channel: Option<&'a str>,
    #[serde(borrow)]
    r#type: Option<&'a str>,
    #[serde(borrow, rename = "message")]
    words: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    product_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    trades: Vec<Trade<'a>>,
    #[serde(borrow, default)]
    subscriptions: HashMap<Cow<'a, str>, Vec<Cow<'a, str>>>,
}

#[derive(Deserialize)]
struct Trade<'a> {
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    #[serde(borrow)]
    trade_id: Cow<'a, str>,
}

impl Dialect for Coinbase {
    fn check(&self, spec: &LiveSpec) -> Result<(), LiveError> {
        match spec.depth {
            None => Ok(()),
            Some(depth) => Err(no_depth(&spec.feed, depth, "all levels, take the key away")),
        }
    }

    fn routes(&self, spec: &LiveSpec) -> Vec<Route> {
        let url = address(spec.ws_url.as_ref(), "wss://advanced-trade-ws.coinbase.com", "/");
        let all = |topic: &'static str| spec.symbols.iter().map(move |symbol| Want::new(topic, symbol));
        let mut rest = Vec::new();
        if wants(spec, LiveChannel::Trades) {
            rest.extend(all("market_trades"));
        }
        if wants(spec, LiveChannel::Quotes) || wants(spec, LiveChannel::Ticker) {
            rest.extend(all("ticker"));
        }
        let books: Vec<Want> = if wants(spec, LiveChannel::Book) {
            spec.symbols.iter().map(|symbol| Want::book("level2", symbol)).collect()
        } else {
            Vec::new()
        };
        let route = |(mut wants, twins): (Vec<Want>, Twins)| {
            wants.push(Want::new("heartbeats", ""));
            Route { url: url.clone(), wants, books: Vec::new(), symbols: spec.symbols.clone(), twins }
        };
        let lists = [(books, Twins::Lead), (rest, Twins::Mix)];
        lists.into_iter().filter(|(wants, _)| !wants.is_empty()).map(route).collect()
    }

    fn parts<'w>(&self, wants: &'w [Want]) -> Vec<&'w [Want]> {
        by_topic(wants, SYMBOLS_MAX)
    }

    fn message(&self, kind: &str, wants: &[Want], _number: u64) -> String {
        let topic = wants.first().map_or("", |want| &want.topic);
        let products =
            quoted(wants.iter().map(|want| want.symbol.as_str()).filter(|symbol| !symbol.is_empty()));
        let products = if products.is_empty() { products } else { format!(r#""product_ids":[{products}],"#) };
        format!(r#"{{"type":"{kind}",{products}"channel":"{topic}"}}"#)
    }

    fn hear<'a>(&self, text: &'a str) -> Heard<'a> {
        let Ok(message) = serde_json::from_str::<Message<'a>>(text) else { return Heard::Foreign };
        match (message.channel, message.r#type) {
            (Some("heartbeats"), _) => Heard::Beat,
            (Some("subscriptions"), _) => {
                let lists = message.events.into_iter().flat_map(|event| event.subscriptions);
                let subjects = lists.flat_map(|(topic, symbols)| {
                    symbols.into_iter().map(move |symbol| {
                        // Heartbeats belong to no instrument.
                        let symbol = if topic == "heartbeats" { Cow::Borrowed("") } else { symbol };
                        Subject { number: None, topic: Some(topic.clone()), symbol: Some(symbol) }
                    })
                });
                Heard::Accepted(subjects.collect())
            }
            (Some("l2_data"), _) => {
                let book = message.events.into_iter().next();
                Heard::Data(Tag::Bare { book: book.and_then(|event| event.product_id) })
            }
            (Some("market_trades"), _) => {
                let rows: Vec<Trade<'_>> =
                    message.events.into_iter().flat_map(|event| event.trades).collect();
                let symbol = rows.first().map(|row| row.product_id.clone()).unwrap_or_default();
                let id = |row: Trade<'_>| Cow::Owned(format!("{} {}", row.product_id, row.trade_id));
                Heard::Data(Tag::Trades { symbol, ids: rows.into_iter().map(id).collect() })
            }
            (Some(_), _) => Heard::Data(Tag::Bare { book: None }),
            (None, Some("error")) => Heard::Refused(Subject::default(), message.words.unwrap_or_default()),
            (None, _) => Heard::Foreign,
        }
    }

    fn ping(&self, _number: u64) -> Option<String> {
        None
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            send_every: Duration::from_millis(130),
            connects: (8, Duration::from_secs(1)),
            weight: (10, Duration::from_secs(1)),
            ping_every: Duration::from_secs(15),
            lifetime: None,
        }
    }
}
