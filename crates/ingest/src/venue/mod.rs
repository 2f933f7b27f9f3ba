//! The venues: one normaliser each, pure, from their messages to ticks.

mod binance;
mod binance_json;
mod bitfinex;
mod bitget;
mod bitstamp;
mod bybit;
mod checksum;
mod coinbase;
mod deribit;
#[cfg(test)]
mod example;
mod gemini;
mod huobi;
mod kraken;
mod kraken_v2;
mod kucoin;
pub(crate) mod names;
mod numbering;
mod okx;
mod sim;
mod sync;
pub(crate) mod unpack;

use model::{FeedGap, GapReason, Side, Tick, UnixNanos};
use rust_decimal::Decimal;

pub(crate) use sim::VENUE as SIM_VENUE;
pub use sim::message as sim_message;

use crate::error::FeedError;

/// Turns one venue's messages into ticks. It opens no socket and reads no clock: the same
/// normaliser eats live frames and recordings.
pub trait Normaliser: Send {
    /// A recording begins, of the exchange that its recorder calls `exchange`; empty where it does not say.
    fn handle_header(&mut self, _exchange: &str) {}

    /// A connection was opened, or opened again.
    fn handle_connect(&mut self, _link: &Link<'_>, _addr: &str, _out: &mut Vec<Tick>) {}

    /// A message arrived. Appends what it says to `out`.
    ///
    /// # Errors
    /// The message is broken: it is skipped whole, the normaliser goes on. What was appended
    /// before the fault was found stays.
    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError>;

    /// A binary message arrived. Appends what it says to `out`.
    ///
    /// # Errors
    /// As [`Self::handle_frame`].
    fn handle_binary(
        &mut self,
        _link: &Link<'_>,
        _bytes: &[u8],
        _out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        Err(FeedError::BinaryFrame)
    }

    /// An HTTP answer arrived. Appends what it says to `out`.
    ///
    /// # Errors
    /// As [`Self::handle_frame`].
    fn handle_answer(
        &mut self,
        _link: &Link<'_>,
        _url: &str,
        _body: &str,
        _out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        Ok(())
    }
}

/// Where and when a message came in.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// Name of the connection; empty where there is only one.
    pub conn: &'a str,
    /// When it was received.
    pub recv: Option<UnixNanos>,
}

impl Link<'_> {
    pub(crate) const fn times(&self, event: Option<UnixNanos>) -> crate::board::Times {
        crate::board::Times { event, source: None, recv: self.recv }
    }
}

/// The names that [`crate::reader()`] knows.
pub const FEEDS: [&str; 22] = [
    "binance-spot",
    "binance-usdm",
    "binance-coinm",
    "binance-json",
    "kraken",
    "kraken-v2",
    "coinbase",
    "bybit",
    "okx",
    "bitfinex",
    "bitget",
    "bitstamp",
    "deribit",
    "gemini",
    "huobi",
    "kucoin",
    "csv",
    "json",
    "sim",
    "dbn",
    "itch",
    "iex",
];

/// The normaliser of a feed whose messages are text, fresh.
#[must_use]
pub fn normaliser(feed: &str) -> Option<Box<dyn Normaliser>> {
    Some(match feed {
        "binance-spot" => Box::new(binance::Binance::new(binance::Market::Spot)),
        "binance-usdm" => Box::new(binance::Binance::new(binance::Market::UsdM)),
        "binance-coinm" => Box::new(binance::Binance::new(binance::Market::CoinM)),
        "binance-json" => Box::new(binance_json::BinanceJson::default()),
        "kraken" => Box::new(kraken::Kraken::default()),
        "kraken-v2" => Box::new(kraken_v2::KrakenV2::default()),
        "coinbase" => Box::new(coinbase::Coinbase::default()),
        "bybit" => Box::new(bybit::Bybit::default()),
        "okx" => Box::new(okx::Okx::default()),
        "bitfinex" => Box::new(bitfinex::Bitfinex::default()),
        "bitget" => Box::new(bitget::Bitget::default()),
        "bitstamp" => Box::new(bitstamp::Bitstamp::default()),
        "deribit" => Box::new(deribit::Deribit::default()),
        "gemini" => Box::new(gemini::Gemini::default()),
        "huobi" => Box::new(huobi::Huobi::default()),
        "kucoin" => Box::new(kucoin::Kucoin::default()),
        "sim" => Box::new(sim::Sim::default()),
        _ => return None,
    })
}

/// How a venue's name for an instrument becomes ours.
type Naming = fn(&str) -> String;

/// How a feed's market is called, and how its names for instruments become ours.
pub(crate) fn naming(feed: &str, market: Option<&str>) -> Option<(&'static str, Naming)> {
    Some(match (feed, market) {
        ("binance-spot", None) => ("binance", names::spot),
        ("binance-usdm", None) => ("binance-usdm", names::derivative),
        ("binance-coinm", None) => ("binance-coinm", names::derivative),
        ("kraken-v2", None) => ("kraken", names::kraken),
        ("coinbase", None) => ("coinbase", str::to_ascii_uppercase),
        ("bybit", Some("spot")) => ("bybit-spot", names::spot),
        ("bybit", Some("linear")) => ("bybit-linear", names::contract),
        ("bybit", Some("inverse")) => ("bybit-inverse", names::contract),
        ("okx", None) => ("okx", names::okx),
        _ => return None,
    })
}

/// A gap of which the venue's numbering tells the range.
pub(crate) const fn sequence_gap(from: u64, to: u64) -> FeedGap {
    FeedGap { reason: GapReason::Sequence, venue_from: Some(from), venue_to: Some(to) }
}

/// A gap of which no range is known.
pub(crate) const fn gap(reason: GapReason) -> FeedGap {
    FeedGap { reason, venue_from: None, venue_to: None }
}

/// `buy` or `sell`, in whatever case.
fn side(text: &str) -> Side {
    if text.eq_ignore_ascii_case("buy") {
        Side::Buy
    } else if text.eq_ignore_ascii_case("sell") {
        Side::Sell
    } else {
        Side::Unknown
    }
}

/// What a part of 1 is in per cent.
fn per_cent(part: Decimal) -> Option<Decimal> {
    part.checked_mul(Decimal::ONE_HUNDRED)
}
