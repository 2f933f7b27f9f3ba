//! Bybit v5: one market per connection, books numbered by `u`.
//!
//! Source: Bybit, "WebSocket v5 public". A `snapshot` replaces the book (also in mid-stream, with
//! `u` 1 after a restart of the service); each `delta` has the `u` after the one before. `tickers`
//! of derivatives send only the fields that changed. `orderbook.1` is the best bid and offer.

use std::borrow::Cow;
use std::collections::HashMap;

use model::{GapReason, Level, Levels, Price, Size, Tick, Ticker, Trade};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Link, Normaliser, gap, names, sequence_gap, side};
use crate::board::{Board, PerSlot, Slot};
use crate::error::FeedError;
use crate::json::{Millis, Pair, PriceText, SizeText, levels};
use crate::quick;

#[derive(Default)]
pub(crate) struct Bybit {
    markets: Vec<Market>,
    /// Which market a connection serves.
    conns: HashMap<Box<str>, usize>,
}

struct Market {
    name: &'static str,
    board: Board,
    streams: PerSlot<Streams>,
}

/// What is known of one instrument's streams.
#[derive(Default)]
struct Streams {
    /// The last `u` of its book.
    last: u64,
    ticker: Ticker,
    bid: (Option<Price>, Option<Size>),
    ask: (Option<Price>, Option<Size>),
}

/// Markets by the last part of the address; recordings without one are taken for `linear`.
const MARKETS: [(&str, &str); 4] = [
    ("linear", "bybit-linear"),
    ("spot", "bybit-spot"),
    ("inverse", "bybit-inverse"),
    ("option", "bybit-option"),
];

#[derive(Deserialize)]
struct Message<'a> {
    /// Of the answer to a subscription.
    success: Option<bool>,
    #[serde(borrow, default)]
    topic: Cow<'a, str>,
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    ts: Option<Millis>,
    cts: Option<Millis>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BookData<'a> {
    #[serde(borrow)]
    s: Cow<'a, str>,
    b: Vec<Pair>,
    a: Vec<Pair>,
    u: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct TradeData<'a> {
    t: Millis,
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    s: Cow<'a, str>,
    #[serde(rename = "v")]
    size: SizeText,
    #[serde(rename = "p")]
    price: PriceText,
    #[serde(borrow, rename = "i")]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TickerData<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    last_price: Option<PriceText>,
    prev_price24h: Option<PriceText>,
    high_price24h: Option<PriceText>,
    low_price24h: Option<PriceText>,
    volume24h: Option<SizeText>,
    #[serde(borrow, alias = "bidPrice")]
    bid1_price: Option<Cow<'a, str>>,
    #[serde(borrow, alias = "bidSize")]
    bid1_size: Option<Cow<'a, str>>,
    #[serde(borrow, alias = "askPrice")]
    ask1_price: Option<Cow<'a, str>>,
    #[serde(borrow, alias = "askSize")]
    ask1_size: Option<Cow<'a, str>>,
}

impl Bybit {
    fn market(&mut self, conn: &str, kind: &str) -> &mut Market {
        let (_, name) = MARKETS.into_iter().find(|(tail, _)| *tail == kind).unwrap_or(MARKETS[0]);
        let index = self.markets.iter().position(|market| market.name == name).unwrap_or_else(|| {
            let rename = if kind == "spot" { names::spot } else { names::contract };
            self.markets.push(Market { name, board: Board::new(name, rename), streams: PerSlot::default() });
            self.markets.len() - 1
        });
        self.conns.insert(conn.into(), index);
        &mut self.markets[index]
    }
}

impl Market {
    fn book(
        &mut self,
        link: &Link<'_>,
        message: &Message<'_>,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let book: BookData<'_> = quick::from_str(data)?;
        let depth: u32 = message.topic.split('.').nth(1).and_then(|d| d.parse().ok()).unwrap_or(0);
        let slot = self.board.slot(&book.s)?;
        let times = link.times(message.cts.or(message.ts).map(|at| at.0));
        let times = message.ts.map_or(times, |at| times.sent(at.0));
        let levels = Levels { bids: levels(book.b), asks: levels(book.a) };
        if depth == 1 {
            if message.r#type == "snapshot" {
                let streams = self.streams.at(slot);
                (streams.bid, streams.ask) = <_>::default();
            }
            self.best(slot, times, &levels, out);
            return Ok(());
        }
        let is_snapshot = message.r#type == "snapshot";
        if !self.board.takes(slot, link.conn, depth, is_snapshot) {
            return Ok(());
        }
        let streams = self.streams.at(slot);
        if is_snapshot {
            streams.last = book.u;
            if book.u == 1 {
                // So the venue says that its service began anew.
                self.board.begin_anew(slot, times, GapReason::Restart, out);
            }
            self.board.snapshot(slot, times, levels, out);
        } else if self.board.is_valid(slot) && book.u > streams.last {
            let expected = streams.last + 1;
            streams.last = book.u;
            if book.u == expected {
                self.board.delta(slot, times, levels, out);
            } else {
                self.board.void(slot, times, sequence_gap(expected, book.u - 1), out);
            }
        }
        Ok(())
    }

    /// `orderbook.1`: each message names the sides that changed.
    fn best(&mut self, slot: Slot, times: crate::board::Times, levels: &Levels, out: &mut Vec<Tick>) {
        let streams = self.streams.at(slot);
        for (side, changed) in [(&mut streams.bid, &levels.bids), (&mut streams.ask, &levels.asks)] {
            for level in changed {
                if !level.size.is_zero() {
                    *side = (Some(level.price), Some(level.size));
                } else if side.0 == Some(level.price) {
                    *side = (None, None);
                }
            }
        }
        let (bid, ask) = (both(streams.bid), both(streams.ask));
        self.board.quote(slot, times, bid, ask, out);
    }

    fn trades(&mut self, link: &Link<'_>, data: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let rows: Vec<TradeData<'_>> = quick::from_str(data)?;
        for row in rows {
            let slot = self.board.slot(&row.symbol)?;
            let (side, id) = (side(&row.s), Some(row.id.as_ref().into()));
            let trade = Trade { price: row.price.0, size: row.size.0, side, id };
            self.board.trade(slot, link.times(Some(row.t.0)), trade, false, out);
        }
        Ok(())
    }

    fn ticker(
        &mut self,
        link: &Link<'_>,
        message: &Message<'_>,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let data: TickerData<'_> = quick::from_str(data)?;
        let slot = self.board.slot(&data.symbol)?;
        let times = link.times(message.ts.map(|at| at.0));
        let streams = self.streams.at(slot);
        let mut touched = false;
        for (side, price, size) in [
            (&mut streams.bid, &data.bid1_price, &data.bid1_size),
            (&mut streams.ask, &data.ask1_price, &data.ask1_size),
        ] {
            touched |= price.is_some() || size.is_some();
            // An empty side is an empty text.
            if let Some(price) = price {
                side.0 = if price.is_empty() { None } else { Some(Price::parse(price)?) };
            }
            if let Some(size) = size {
                side.1 = if size.is_empty() { None } else { Some(Size::parse(size)?) };
            }
        }
        let (bid, ask) = (both(streams.bid), both(streams.ask));
        let ticker = &mut streams.ticker;
        let before = ticker.clone();
        ticker.last_price = data.last_price.map(|price| price.0).or(ticker.last_price);
        ticker.open = data.prev_price24h.map(|price| price.0).or(ticker.open);
        ticker.high = data.high_price24h.map(|price| price.0).or(ticker.high);
        ticker.low = data.low_price24h.map(|price| price.0).or(ticker.low);
        ticker.volume = data.volume24h.map(|size| size.0.value()).or(ticker.volume);
        let carries_more = *ticker != before || message.r#type == "snapshot";
        let ticker = Ticker { bid, ask, ..ticker.clone() }.with_change();
        if touched && bid.is_some() && ask.is_some() {
            self.board.quote(slot, times, bid, ask, out);
        }
        if carries_more {
            self.board.ticker(slot, times, ticker, out);
        }
        Ok(())
    }
}

fn both(side: (Option<Price>, Option<Size>)) -> Option<Level> {
    side.0.zip(side.1).map(|(price, size)| Level { price, size })
}

impl Normaliser for Bybit {
    fn handle_connect(&mut self, link: &Link<'_>, addr: &str, out: &mut Vec<Tick>) {
        let known = self.conns.contains_key(link.conn);
        let path = addr.split_once('?').map_or(addr, |(path, _)| path);
        let kind = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let market = self.market(link.conn, kind);
        if known {
            market.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
        }
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: Message<'_> = quick::from_str(text)?;
        if message.success == Some(false) {
            return Err(FeedError::refused(text));
        }
        let Some(data) = message.data else { return Ok(()) };
        let market = match self.conns.get(link.conn) {
            Some(&index) => &mut self.markets[index],
            None => self.market(link.conn, ""),
        };
        match message.topic.split('.').next().unwrap_or_default() {
            "orderbook" => market.book(link, &message, data.get(), out),
            "publicTrade" => market.trades(link, data.get(), out),
            "tickers" => market.ticker(link, &message, data.get(), out),
            _ => Ok(()),
        }
    }
}
