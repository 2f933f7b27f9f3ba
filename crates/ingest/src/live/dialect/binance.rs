//! Binance: streams named by the address, books over REST, a cut after 24 hours.
//!
//! Source: Binance, "WebSocket Streams" of spot, USD-M and COIN-M (combined streams, 200 of them a connection on
//! futures, 300 connections in five minutes, 24 hours), "Important WebSocket Change Notice" of USD-M (books and best
//! prices at `/public`, the rest at `/market`; anywhere else they are silent since 2026-04-23), and "Market data
//! endpoints" (weights of `depth`).

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Bounds, Dialect, Heard, Route, Snapshot, Tag, Twins, address, no_depth, wants};
use crate::live::{LiveChannel, LiveError, LiveSpec};

/// Streams of one connection.
const STREAMS_MAX: usize = 200;
/// Levels of a snapshot.
const DEPTH: u32 = 1_000;

pub(super) struct Binance {
    market: Market,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Market {
    Spot,
    UsdM,
    CoinM,
}

impl Binance {
    pub(super) fn new(feed: &str) -> Self {
        let market = match feed {
            "binance-usdm" => Market::UsdM,
            "binance-coinm" => Market::CoinM,
            _ => Market::Spot,
        };
        Self { market }
    }

    /// Where which streams are to be had.
    fn doors(&self) -> Vec<(&'static str, Vec<Kind>)> {
        use LiveChannel::{Book, Quotes, Ticker, Trades};
        let trades = if self.market == Market::Spot { "trade" } else { "aggTrade" };
        let public = vec![(Book, "depth@100ms"), (Quotes, "bookTicker")];
        let market = vec![(Trades, trades), (Ticker, "ticker")];
        match self.market {
            Market::UsdM => vec![("/public", public), ("/market", market)],
            Market::Spot | Market::CoinM => vec![("", [public, market].concat())],
        }
    }
}

/// A channel of ours, and what the stream of it is called.
type Kind = (LiveChannel, &'static str);

/// The connections that carry these streams of all instruments.
fn routes_at(spec: &LiveSpec, own: &str, door: &str, kinds: &[&str]) -> Vec<Route> {
    let route = |symbols: &[String]| {
        let streams = symbols.iter().flat_map(|symbol| {
            let symbol = symbol.to_ascii_lowercase();
            kinds.iter().map(move |kind| format!("{symbol}@{kind}"))
        });
        let streams = streams.collect::<Vec<_>>().join("/");
        let books = if kinds.contains(&"depth@100ms") { symbols.to_vec() } else { Vec::new() };
        let url = address(spec.ws_url.as_ref(), own, &format!("{door}/stream?streams={streams}"));
        Route { url, wants: Vec::new(), books, symbols: symbols.to_vec(), twins: Twins::Merge }
    };
    if kinds.is_empty() {
        return Vec::new();
    }
    spec.symbols.chunks(STREAMS_MAX / kinds.len()).map(route).collect()
}

#[derive(Deserialize)]
struct Combined<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    e: &'a str,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default)]
    e: &'a str,
    #[serde(rename = "E")]
    at: Option<i64>,
    #[serde(borrow, default)]
    s: &'a str,
    #[serde(rename = "U")]
    first: Option<i64>,
    u: Option<i64>,
    pu: Option<i64>,
    #[serde(borrow)]
    a: Option<&'a RawValue>,
    #[serde(borrow)]
    t: Option<&'a RawValue>,
}

impl Dialect for Binance {
    fn check(&self, spec: &LiveSpec) -> Result<(), LiveError> {
        let spot = self.market == Market::Spot;
        match spec.depth {
            None | Some(100 | 500 | 1_000) => Ok(()),
            Some(5_000) if spot => Ok(()),
            Some(depth) if spot => Err(no_depth(&spec.feed, depth, "100, 500, 1000 or 5000")),
            Some(depth) => Err(no_depth(&spec.feed, depth, "100, 500 or 1000")),
        }
    }

    fn routes(&self, spec: &LiveSpec) -> Vec<Route> {
        let own = match self.market {
            Market::Spot => "wss://stream.binance.com:9443",
            Market::UsdM => "wss://fstream.binance.com",
            Market::CoinM => "wss://dstream.binance.com",
        };
        let route = |(door, kinds): (&str, Vec<Kind>)| {
            let kinds = kinds.into_iter().filter_map(|(channel, kind)| wants(spec, channel).then_some(kind));
            routes_at(spec, own, door, &kinds.collect::<Vec<_>>())
        };
        self.doors().into_iter().flat_map(route).collect()
    }

    fn hear<'a>(&self, text: &'a str) -> Heard<'a> {
        let Ok(combined) = serde_json::from_str::<Combined<'a>>(text) else { return Heard::Foreign };
        if combined.e == "serverShutdown" {
            return Heard::Leaving(Cow::Borrowed("the server shuts down"));
        }
        let Some(data) = combined.data else { return Heard::Other };
        let Ok(event) = serde_json::from_str::<Event<'a>>(data.get()) else {
            return Heard::Data(Tag::Bare { book: None });
        };
        Heard::Data(tag(&event))
    }

    fn ping(&self, _number: u64) -> Option<String> {
        None
    }

    fn snapshot(&self, spec: &LiveSpec, symbol: &str) -> Option<Snapshot> {
        let depth = spec.depth.unwrap_or(DEPTH);
        let (own, path) = match self.market {
            Market::Spot => ("https://api.binance.com", "/api/v3/depth"),
            Market::UsdM => ("https://fapi.binance.com", "/fapi/v1/depth"),
            Market::CoinM => ("https://dapi.binance.com", "/dapi/v1/depth"),
        };
        let weight = match (self.market, depth) {
            (Market::Spot, 0..=100) | (_, 51..=100) => 5,
            (Market::Spot, 101..=500) => 25,
            (Market::Spot, 501..=1_000) => 50,
            (Market::Spot, _) => 250,
            (_, 0..=50) => 2,
            (_, 101..=500) => 10,
            _ => 20,
        };
        let path = format!("{path}?symbol={symbol}&limit={depth}");
        Some(Snapshot { url: address(spec.rest_url.as_ref(), own, &path), weight })
    }

    fn bounds(&self) -> Bounds {
        // Half of what the venue allows: others may use the same address.
        let weight = if self.market == Market::Spot { 3_000 } else { 1_200 };
        Bounds {
            send_every: Duration::from_millis(250),
            connects: (300, Duration::from_secs(300)),
            weight: (weight, Duration::from_secs(60)),
            ping_every: Duration::from_secs(15),
            lifetime: Some(Duration::from_secs(24 * 3_600)),
        }
    }
}

fn tag<'a>(event: &Event<'a>) -> Tag<'a> {
    let symbol = Cow::Borrowed(event.s);
    let bare = Tag::Bare { book: None };
    match event.e {
        "depthUpdate" => match (event.pu.or(event.first.map(|first| first - 1)), event.u) {
            (Some(previous), Some(last)) => Tag::Chain { symbol, topic: "depth", previous, last },
            _ => Tag::Bare { book: Some(symbol) },
        },
        "trade" | "aggTrade" => match event.a.filter(|_| event.e == "aggTrade").or(event.t) {
            Some(id) => Tag::Trades { symbol, ids: vec![Cow::Borrowed(id.get())] },
            None => bare,
        },
        "24hrTicker" => event.at.map_or(bare, |key| Tag::Newest { symbol, topic: "ticker", key }),
        "" | "bookTicker" => event.u.map_or(bare, |key| Tag::Newest { symbol, topic: "bookTicker", key }),
        _ => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Timing;

    /// The addresses of a feed that wants everything, and which of them bring books.
    fn addresses(feed: &str) -> Vec<(String, usize)> {
        let spec = LiveSpec {
            feed: feed.to_owned(),
            market: None,
            symbols: vec!["AB".to_owned(), "CD".to_owned()],
            channels: vec![LiveChannel::Trades, LiveChannel::Quotes, LiveChannel::Ticker, LiveChannel::Book],
            depth: None,
            ws_url: None,
            rest_url: None,
            ca: None,
            arbitration: 1,
            raw: None,
            timing: Timing::default(),
        };
        let routes = Binance::new(feed).routes(&spec).into_iter();
        routes.map(|route| (route.url.trim_start_matches("wss://").to_owned(), route.books.len())).collect()
    }

    #[test]
    fn each_stream_is_asked_for_where_it_is() {
        let usdm = addresses("binance-usdm");
        let public = "ab@depth@100ms/ab@bookTicker/cd@depth@100ms/cd@bookTicker";
        let market = "ab@aggTrade/ab@ticker/cd@aggTrade/cd@ticker";
        assert_eq!(usdm[0], (format!("fstream.binance.com/public/stream?streams={public}"), 2));
        assert_eq!(usdm[1], (format!("fstream.binance.com/market/stream?streams={market}"), 0));
        let spot = addresses("binance-spot");
        let all =
            "ab@depth@100ms/ab@bookTicker/ab@trade/ab@ticker/cd@depth@100ms/cd@bookTicker/cd@trade/cd@ticker";
        assert_eq!(spot, [(format!("stream.binance.com:9443/stream?streams={all}"), 2)]);
        let [(coinm, 2)] = &*addresses("binance-coinm") else { panic!("one connection") };
        assert!(coinm.starts_with("dstream.binance.com/stream?streams="), "{coinm}");
    }
}
