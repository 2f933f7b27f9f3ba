//! Binance: combined streams, with the depth snapshot over REST.
//!
//! A book begins with a REST snapshot and goes on with diffs that were buffered meanwhile. Source of
//! the rules: Binance, "How to manage a local order book correctly", spot and futures.
//!
//! | | stale, dropped | first diff kept | then |
//! |---|---|---|---|
//! | spot | `u <= lastUpdateId` | `U <= lastUpdateId + 1 <= u` | `U == previous u + 1` |
//! | futures | `u < lastUpdateId` | `U <= lastUpdateId <= u` | `pu == previous u` |

mod definitions;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use model::{Level, Levels, Side, Tick, Ticker, Trade};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::sync::{Diff, Fit, Rule, Stand, Sync};
use super::{Link, Normaliser, names};
use crate::board::{Board, PerSlot, Slot};
use crate::error::FeedError;
use crate::json::{Millis, Pair, PriceText, SizeText, leading, levels};
use crate::quick;

/// A market of Binance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Market {
    Spot,
    Us,
    UsdM,
    CoinM,
}

pub(crate) struct Binance {
    market: Market,
    board: Board,
    books: PerSlot<Sync>,
    /// The stream of a connection that has one alone, which its messages do not name.
    alone: HashMap<Box<str>, Arc<str>>,
}

#[derive(Deserialize)]
struct Combined<'a> {
    #[serde(borrow)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow, default)]
    e: Cow<'a, str>,
    #[serde(rename = "lastUpdateId")]
    last_update_id: Option<u64>,
    u: Option<u64>,
    error: Option<IgnoredAny>,
    /// Of an error that stands alone.
    msg: Option<IgnoredAny>,
}

impl Kind<'_> {
    const fn is_refusal(&self) -> bool {
        self.error.is_some() || self.msg.is_some()
    }
}

#[derive(Deserialize)]
struct Depth<'a> {
    #[serde(rename = "E")]
    event: Millis,
    #[serde(rename = "T")]
    matched: Option<Millis>,
    #[serde(borrow)]
    s: Cow<'a, str>,
    #[serde(rename = "U")]
    first: u64,
    u: u64,
    pu: Option<u64>,
    b: Vec<Pair>,
    a: Vec<Pair>,
}

#[derive(Deserialize)]
struct Snapshot<'a> {
    #[serde(rename = "lastUpdateId")]
    last_update_id: u64,
    #[serde(rename = "T")]
    matched: Option<Millis>,
    #[serde(borrow)]
    symbol: Option<Cow<'a, str>>,
    bids: Vec<Pair>,
    asks: Vec<Pair>,
}

#[derive(Deserialize)]
struct TradeMessage<'a> {
    #[serde(borrow)]
    s: Cow<'a, str>,
    #[serde(borrow)]
    a: Option<&'a RawValue>,
    #[serde(borrow)]
    t: Option<&'a RawValue>,
    p: PriceText,
    q: SizeText,
    #[serde(rename = "T")]
    traded: Millis,
    #[serde(rename = "E")]
    event: Option<Millis>,
    /// Whether the buyer was the maker: then the taker sold.
    m: bool,
    /// Of derivatives: what is not of the market, as the insurance fund's, is in no total of the venue's.
    #[serde(borrow, rename = "X")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct BookTicker<'a> {
    #[serde(borrow)]
    s: Cow<'a, str>,
    b: PriceText,
    #[serde(rename = "B")]
    bid_size: SizeText,
    a: PriceText,
    #[serde(rename = "A")]
    ask_size: SizeText,
    #[serde(rename = "T")]
    matched: Option<Millis>,
    #[serde(rename = "E")]
    event: Option<Millis>,
}

#[derive(Deserialize)]
struct DayTicker<'a> {
    #[serde(rename = "E")]
    event: Millis,
    #[serde(borrow)]
    s: Cow<'a, str>,
    c: PriceText,
    #[serde(rename = "Q")]
    last_size: Option<SizeText>,
    o: PriceText,
    h: PriceText,
    l: PriceText,
    v: SizeText,
    b: Option<PriceText>,
    #[serde(rename = "B")]
    bid_size: Option<SizeText>,
    a: Option<PriceText>,
    #[serde(rename = "A")]
    ask_size: Option<SizeText>,
}

impl Binance {
    pub(crate) fn new(market: Market) -> Self {
        let board = match market {
            Market::Spot => Board::new("binance", names::spot),
            Market::Us => Board::new("binance-us", names::spot),
            Market::UsdM => Board::new("binance-usdm", names::derivative),
            Market::CoinM => Board::new("binance-coinm", names::derivative),
        };
        Self { market, board, books: PerSlot::default(), alone: HashMap::new() }
    }

    fn rule(&self) -> Rule {
        match self.market {
            Market::Spot | Market::Us => spot,
            Market::UsdM | Market::CoinM => futures,
        }
    }

    fn message(
        &mut self,
        link: &Link<'_>,
        stream: &str,
        text: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        if text.starts_with('[') {
            let list: Vec<&RawValue> = quick::from_str(text)?;
            return list.iter().try_for_each(|one| self.message(link, stream, one.get(), out));
        }
        match leading(text, "e") {
            Some("depthUpdate") => return self.depth(link, stream, quick::from_str(text)?, out),
            Some("bookTicker") => return self.book_ticker(link, &quick::from_str(text)?, out),
            _ => {}
        }
        let kind: Kind<'_> = quick::from_str(text)?;
        match (kind.e.as_ref(), kind.last_update_id) {
            ("depthUpdate", _) => self.depth(link, stream, quick::from_str(text)?, out),
            ("trade" | "aggTrade", _) => self.trade(link, text, out),
            ("bookTicker", _) => self.book_ticker(link, &quick::from_str(text)?, out),
            ("24hrTicker", _) => self.day_ticker(link, text, out),
            // Spot sends best bid and offer without saying what it is.
            ("", None) if kind.u.is_some() => self.book_ticker(link, &quick::from_str(text)?, out),
            ("", Some(_)) => self.snapshot(link, stream, None, text, out),
            ("", None) if kind.is_refusal() => Err(FeedError::refused(text)),
            _ => Ok(()),
        }
    }

    fn depth(
        &mut self,
        link: &Link<'_>,
        stream: &str,
        depth: Depth<'_>,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(&depth.s)?;
        let times = link.times(Some(depth.matched.unwrap_or(depth.event).0)).sent(depth.event.0);
        let levels = Levels { bids: levels(depth.b), asks: levels(depth.a) };
        let (rule, book) = (self.rule(), (&mut self.board, slot));
        if is_partial(stream) {
            self.books.at(slot).whole(book, times, levels, out);
            return Ok(());
        }
        let (first, last, previous) = (depth.first, depth.u, depth.pu);
        let diff = Diff { first, last, previous, times, levels, numbers: None };
        self.books.at(slot).diff(book, rule, diff, out);
        Ok(())
    }

    fn snapshot(
        &mut self,
        link: &Link<'_>,
        stream: &str,
        url_symbol: Option<&str>,
        text: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let snapshot: Snapshot<'_> = quick::from_str(text)?;
        let times = link.times(snapshot.matched.map(|at| at.0));
        let id = snapshot.last_update_id;
        let stream_symbol = stream.split_once('@').map(|(symbol, _)| symbol.to_ascii_uppercase());
        let named = snapshot.symbol.as_deref().or(url_symbol).or(stream_symbol.as_deref());
        let slot = match named {
            Some(symbol) => self.board.slot(symbol)?,
            None => self.waiting_for(id)?,
        };
        let levels = Levels { bids: levels(snapshot.bids), asks: levels(snapshot.asks) };
        let (rule, book) = (self.rule(), (&mut self.board, slot));
        if is_partial(stream) {
            self.books.at(slot).whole(book, times, levels, out);
        } else {
            self.books.at(slot).snapshot(book, rule, (id, times), levels, out);
        }
        Ok(())
    }

    /// The book that a snapshot without a name must be for: the only one there is, or the one that
    /// waits with diffs around it.
    fn waiting_for(&self, id: u64) -> Result<Slot, FeedError> {
        let mut all = self.board.slots();
        let mut fitting = self.books.iter().filter(|(_, book)| book.waits_around(id)).map(|(slot, _)| slot);
        match (all.next(), all.next(), fitting.next(), fitting.next()) {
            (Some(slot), None, ..) | (_, _, Some(slot), None) => Ok(slot),
            _ => Err(FeedError::StraySnapshot),
        }
    }

    fn trade(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: TradeMessage<'_> = quick::from_str(text)?;
        if message.kind.is_some_and(|kind| kind != "MARKET") {
            return Ok(());
        }
        let slot = self.board.slot(&message.s)?;
        let trade = Trade {
            price: message.p.0,
            size: message.q.0,
            side: if message.m { Side::Sell } else { Side::Buy },
            id: message.a.or(message.t).map(|id| id.get().trim_matches('"').into()),
        };
        let times = link.times(Some(message.traded.0));
        let times = message.event.map_or(times, |at| times.sent(at.0));
        self.board.trade(slot, times, trade, false, out);
        Ok(())
    }

    fn book_ticker(
        &mut self,
        link: &Link<'_>,
        message: &BookTicker<'_>,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(&message.s)?;
        let times = link.times(message.matched.or(message.event).map(|at| at.0));
        let times = message.event.map_or(times, |at| times.sent(at.0));
        let (bid, ask) = (level(message.b, message.bid_size), level(message.a, message.ask_size));
        self.board.quote(slot, times, bid, ask, out);
        Ok(())
    }

    fn day_ticker(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: DayTicker<'_> = quick::from_str(text)?;
        let slot = self.board.slot(&message.s)?;
        let times = link.times(Some(message.event.0));
        let side =
            |price: Option<PriceText>, size: Option<SizeText>| price.zip(size).and_then(|(p, s)| level(p, s));
        let bid = side(message.b, message.bid_size);
        let ask = side(message.a, message.ask_size);
        if message.b.is_some() && message.a.is_some() {
            self.board.quote(slot, times, bid, ask, out);
        }
        let ticker = Ticker {
            last_price: Some(message.c.0),
            last_size: message.last_size.map(|size| size.0),
            bid,
            ask,
            open: Some(message.o.0),
            high: Some(message.h.0),
            low: Some(message.l.0),
            volume: Some(message.v.0.value()),
            change: None,
            change_percent: None,
        };
        self.board.ticker(slot, times, ticker.with_change(), out);
        Ok(())
    }
}

fn spot(stand: Stand, diff: &Diff) -> Fit {
    let at = stand.at();
    if diff.last <= at {
        return Fit::Stale;
    }
    let next = at.saturating_add(1);
    let follows = match stand {
        Stand::Snapshot(_) => diff.first <= next,
        Stand::Diff(_) => diff.first == next,
    };
    Fit::follows_if(follows, next, diff.first.saturating_sub(1))
}

fn futures(stand: Stand, diff: &Diff) -> Fit {
    let lost = diff.previous.unwrap_or(diff.first.saturating_sub(1));
    match stand {
        Stand::Snapshot(at) if diff.last < at => Fit::Stale,
        // What follows the snapshot by its own word follows it, too.
        Stand::Snapshot(at) => Fit::follows_if(diff.first <= at || diff.previous == Some(at), at, lost),
        // A diff that was applied already, sent twice, is as stale as one before the snapshot.
        Stand::Diff(at) if diff.last <= at => Fit::Stale,
        Stand::Diff(at) => Fit::follows_if(diff.previous == Some(at), at.saturating_add(1), lost),
    }
}

/// The stream of a combined message and what seems to be its data: nothing of that has been read.
fn wrapped(text: &str) -> Option<(&str, &str)> {
    let stream = leading(text, "stream")?;
    let rest = text.split_at_checked("{\"stream\":\"".len() + stream.len())?.1;
    Some((stream, rest.strip_prefix("\",\"data\":")?.strip_suffix('}')?))
}

/// An empty side is written as zeros.
fn level(price: PriceText, size: SizeText) -> Option<Level> {
    (!size.0.is_zero()).then_some(Level { price: price.0, size: size.0 })
}

/// `btcusdt@depth20@100ms`: a number behind `depth` means whole books of that many levels.
fn is_partial(stream: &str) -> bool {
    stream.split('@').filter_map(|part| part.strip_prefix("depth")).any(|levels| !levels.is_empty())
}

impl Normaliser for Binance {
    fn handle_connect(&mut self, link: &Link<'_>, addr: &str, _out: &mut Vec<Tick>) {
        let streams = addr.split_once("streams=").or_else(|| addr.split_once("/ws/"));
        let streams = streams.map_or("", |(_, streams)| streams);
        if addr.contains("/ws/") && streams.contains('@') && !streams.contains('/') {
            self.alone.insert(link.conn.into(), streams.into());
        } else {
            self.alone.remove(link.conn);
        }
        for stream in streams.split('/') {
            if let Some(symbol) = stream.strip_suffix("@bookTicker")
                && let Ok(slot) = self.board.slot(&symbol.to_ascii_uppercase())
            {
                self.board.expect_quotes(slot);
            }
        }
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        // What most messages are is read at once; whatever is otherwise, or wrong, is looked at step by step.
        if let Some((stream, data)) = wrapped(text) {
            match leading(data, "e") {
                Some("depthUpdate") if let Ok(depth) = quick::from_str(data) => {
                    return self.depth(link, stream, depth, out);
                }
                Some("bookTicker") if let Ok(ticker) = quick::from_str(data) => {
                    return self.book_ticker(link, &ticker, out);
                }
                _ => {}
            }
        }
        let combined: Combined<'_> = if text.starts_with('[') {
            Combined { stream: None, data: None }
        } else {
            quick::from_str(text)?
        };
        if let (Some(stream), Some(data)) = (combined.stream, combined.data) {
            return self.message(link, &stream, data.get(), out);
        }
        let stream = self.alone.get(link.conn).cloned();
        self.message(link, stream.as_deref().unwrap_or_default(), text, out)
    }

    fn handle_answer(
        &mut self,
        link: &Link<'_>,
        url: &str,
        body: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let is_info = path.ends_with("/exchangeInfo");
        if !is_info && !path.ends_with("/depth") {
            return Ok(());
        }
        if quick::from_str::<Kind<'_>>(body)?.is_refusal() {
            return Err(FeedError::refused(body));
        }
        if is_info {
            return definitions::read(self.market, &mut self.board, link.times(None), body, out);
        }
        let symbol = query.split('&').find_map(|pair| pair.strip_prefix("symbol="));
        self.snapshot(link, "", symbol, body, out)
    }
}
