//! Binance, whichever of its markets a recording is of.
//!
//! Which one is told by the address of a connection or of a request, else by the exchange that the recording's
//! header names, else by each message itself.

use std::borrow::Cow;
use std::collections::HashMap;

use model::Tick;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::binance::{Binance, Market};
use super::{Link, Normaliser};
use crate::error::FeedError;
use crate::quick;

#[derive(Default)]
pub(crate) struct BinanceJson {
    markets: Vec<(Market, Binance)>,
    /// What the header says.
    recorded: Option<Market>,
    /// What the addresses of the connections say.
    conns: HashMap<Box<str>, Market>,
}

/// Exchanges as headers name them.
const EXCHANGES: [(&str, Market); 4] = [
    ("BINANCE", Market::Spot),
    ("BINANCE_US", Market::Us),
    ("BINANCE_FUTURES", Market::UsdM),
    ("BINANCE_DELIVERY", Market::CoinM),
];

/// Parts of addresses, the first that fits.
const HOSTS: [(&str, Market); 7] = [
    ("dstream.", Market::CoinM),
    ("dapi.", Market::CoinM),
    ("fstream.", Market::UsdM),
    ("fapi.", Market::UsdM),
    (".binancefuture.", Market::UsdM),
    (".binance.us", Market::Us),
    (".binance.", Market::Spot),
];

/// What tells one market's messages from another's.
#[derive(Deserialize)]
struct Hints<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    e: Cow<'a, str>,
    #[serde(borrow, default, alias = "symbol")]
    s: Cow<'a, str>,
    /// The diff before: futures only.
    pu: Option<IgnoredAny>,
    /// A time of the matching engine: futures only, but for trades.
    #[serde(rename = "T")]
    matched: Option<IgnoredAny>,
    /// Of trades: spot only.
    #[serde(rename = "M")]
    best_match: Option<IgnoredAny>,
    /// Of the day's ticker: spot only.
    x: Option<IgnoredAny>,
}

impl BinanceJson {
    fn market(&mut self, market: Market) -> &mut Binance {
        let at = self.markets.iter().position(|(known, _)| *known == market).unwrap_or_else(|| {
            self.markets.push((market, Binance::new(market)));
            self.markets.len() - 1
        });
        &mut self.markets[at].1
    }

    fn of(&self, said: Option<Market>, message: &str) -> Market {
        said.or(self.recorded).or_else(|| market_of(message)).unwrap_or(Market::Spot)
    }
}

fn at_address(address: &str) -> Option<Market> {
    HOSTS.iter().find(|(part, _)| address.contains(part)).map(|&(_, market)| market)
}

/// The market of a message; what is no message of any is left to any.
fn market_of(message: &str) -> Option<Market> {
    if message.starts_with('[') {
        let list: Vec<&RawValue> = quick::from_str(message).ok()?;
        return market_of(list.first()?.get());
    }
    let hints: Hints<'_> = quick::from_str(message).ok()?;
    if let Some(data) = hints.data {
        return market_of(data.get());
    }
    // What is margined in the coin is quoted in USD, and always says how it ends.
    if hints.s.split_once('_').is_some_and(|(pair, _)| pair.ends_with("USD")) {
        return Some(Market::CoinM);
    }
    let futures = match hints.e.as_ref() {
        "depthUpdate" => hints.pu.is_some(),
        "trade" | "aggTrade" => hints.best_match.is_none(),
        "24hrTicker" => hints.x.is_none(),
        "bookTicker" => true,
        _ => hints.matched.is_some(),
    };
    Some(if futures { Market::UsdM } else { Market::Spot })
}

impl Normaliser for BinanceJson {
    fn handle_header(&mut self, exchange: &str) {
        self.recorded = EXCHANGES.iter().find(|(name, _)| *name == exchange).map(|&(_, market)| market);
        self.conns.clear();
    }

    fn handle_connect(&mut self, link: &Link<'_>, addr: &str, out: &mut Vec<Tick>) {
        if let Some(market) = at_address(addr) {
            self.conns.insert(link.conn.into(), market);
        }
        if let Some(market) = at_address(addr).or(self.recorded) {
            self.market(market).handle_connect(link, addr, out);
        }
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let market = self.of(self.conns.get(link.conn).copied(), text);
        self.market(market).handle_frame(link, text, out)
    }

    fn handle_answer(
        &mut self,
        link: &Link<'_>,
        url: &str,
        body: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let market = self.of(at_address(url), body);
        self.market(market).handle_answer(link, url, body, out)
    }
}
