//! KuCoin: diffs with ranges of numbers, with the snapshot over REST; spot and futures.
//!
//! Source: KuCoin, "Level2 market data" and "How to build a local order book": of a diff what is at or below
//! the snapshot's sequence is dropped, `sequenceStart` may be at most one above what came before, and a price
//! of 0 only advances the sequence. Futures number each change and write it as `price,side,size`.
//! `level2Depth5` and `level2Depth50` are whole books.

use std::borrow::Cow;

use model::{Level, Levels, Price, Size, Tick, Ticker, Trade};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::sync::{Diff, Fit, Stand, Sync};
use super::{Link, Normaliser, names, side};
use crate::board::{Board, PerSlot};
use crate::error::FeedError;
use crate::json::{
    Millis, Nanos, NumberPair, Pair, PriceNumber, PriceText, SizeNumber, SizeText, Whole, known,
    number_levels,
};
use crate::quick;

pub(crate) struct Kucoin {
    spot: Market,
    futures: Market,
}

struct Market {
    board: Board,
    books: PerSlot<Sync>,
}

impl Default for Kucoin {
    fn default() -> Self {
        let market = |name, rename| Market { board: Board::new(name, rename), books: PerSlot::default() };
        Self {
            spot: market("kucoin", names::kucoin),
            futures: market("kucoin-futures", names::kucoin_futures),
        }
    }
}

/// In messages about books of the spot market.
const SPOT_CHANGES: &str = "\"sequenceStart\"";

#[derive(Deserialize)]
struct Message<'a, T> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    topic: Cow<'a, str>,
    #[serde(borrow, default)]
    subject: Cow<'a, str>,
    data: Option<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    sequence_start: u64,
    sequence_end: u64,
    changes: Sides<Change>,
    time: Option<Millis>,
}

#[derive(Deserialize)]
struct Sides<T> {
    asks: Vec<T>,
    bids: Vec<T>,
}

#[derive(Deserialize)]
struct Change(PriceText, SizeText, Whole);

#[derive(Deserialize)]
struct FuturesChange<'a> {
    sequence: u64,
    /// Price, side, size.
    #[serde(borrow)]
    change: Cow<'a, str>,
    timestamp: Option<Millis>,
}

#[derive(Deserialize)]
struct WholeBook {
    asks: Vec<NumberPair>,
    bids: Vec<NumberPair>,
    sequence: Option<Whole>,
    #[serde(alias = "time")]
    timestamp: Option<Millis>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    code: Cow<'a, str>,
    data: Option<WholeBook>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match<'a> {
    #[serde(borrow, default)]
    side: Cow<'a, str>,
    price: PriceNumber,
    size: SizeNumber,
    #[serde(borrow)]
    trade_id: Option<Cow<'a, str>>,
    #[serde(alias = "ts")]
    time: Nanos,
}

/// Of spot and of futures.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    #[serde(default, deserialize_with = "known", alias = "bestBidPrice")]
    best_bid: Option<PriceNumber>,
    #[serde(default, deserialize_with = "known")]
    best_bid_size: Option<SizeNumber>,
    #[serde(default, deserialize_with = "known", alias = "bestAskPrice")]
    best_ask: Option<PriceNumber>,
    #[serde(default, deserialize_with = "known")]
    best_ask_size: Option<SizeNumber>,
    #[serde(default, deserialize_with = "known")]
    price: Option<PriceNumber>,
    #[serde(default, deserialize_with = "known")]
    size: Option<SizeNumber>,
    #[serde(alias = "Time")]
    time: Option<Millis>,
    ts: Option<Nanos>,
}

/// `level1`: best ask and bid, each as price and size.
#[derive(Deserialize)]
struct Level1 {
    asks: Pair,
    bids: Pair,
    timestamp: Option<Millis>,
}

/// `/market/snapshot`: the day.
#[derive(Deserialize)]
struct Day {
    data: DayData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DayData {
    last_traded_price: Option<PriceNumber>,
    open: Option<PriceNumber>,
    high: Option<PriceNumber>,
    low: Option<PriceNumber>,
    vol: Option<SizeNumber>,
    datetime: Option<Millis>,
}

impl Market {
    fn changes(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        Update { sequence_start, sequence_end, changes, time }: Update,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(symbol)?;
        let (bids, bid_numbers) = parts(changes.bids);
        let (asks, ask_numbers) = parts(changes.asks);
        let diff = Diff {
            first: sequence_start,
            last: sequence_end,
            previous: None,
            times: link.times(time.map(|at| at.0)),
            levels: Levels { bids, asks },
            numbers: Some([bid_numbers, ask_numbers]),
        };
        self.books.at(slot).diff((&mut self.board, slot), in_ranges, diff, out);
        Ok(())
    }

    fn futures_change(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let data: FuturesChange<'_> = quick::from_str(data)?;
        let slot = self.board.slot(symbol)?;
        let mut parts = data.change.split(',');
        let (Some(price), Some(word), Some(size)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(FeedError::Missing("change"));
        };
        let level = Level { price: Price::parse(price)?, size: Size::parse(size)? };
        let mut levels = Levels::default();
        match word {
            _ if level.price.value().is_zero() => {}
            "buy" => levels.bids.push(level),
            "sell" => levels.asks.push(level),
            _ => return Err(FeedError::Missing("side")),
        }
        let (first, times) = (data.sequence, link.times(data.timestamp.map(|at| at.0)));
        let diff = Diff { first, last: first, previous: None, times, levels, numbers: None };
        self.books.at(slot).diff((&mut self.board, slot), in_ranges, diff, out);
        Ok(())
    }

    fn whole(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        (depth, data): (u32, &str),
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let data: WholeBook = quick::from_str(data)?;
        let slot = self.board.slot(symbol)?;
        let times = link.times(data.timestamp.map(|at| at.0));
        if self.board.takes(slot, link.conn, depth, true) {
            let levels = Levels { bids: number_levels(data.bids), asks: number_levels(data.asks) };
            self.books.at(slot).whole((&mut self.board, slot), times, levels, out);
        }
        Ok(())
    }

    fn trade(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let data: Match<'_> = quick::from_str(data)?;
        let slot = self.board.slot(symbol)?;
        let id = data.trade_id.map(|id| id.as_ref().into());
        let trade = Trade { price: data.price.0, size: data.size.0, side: side(&data.side), id };
        self.board.trade(slot, link.times(Some(data.time.0)), trade, false, out);
        Ok(())
    }

    fn best(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let data: Summary = quick::from_str(data)?;
        let slot = self.board.slot(symbol)?;
        let times = link.times(data.ts.map(|at| at.0).or(data.time.map(|at| at.0)));
        let level = |price: Option<PriceNumber>, size: Option<SizeNumber>| {
            let level = price.zip(size).map(|(price, size)| Level { price: price.0, size: size.0 });
            level.filter(|level| !level.size.is_zero())
        };
        let (bid, ask) = (level(data.best_bid, data.best_bid_size), level(data.best_ask, data.best_ask_size));
        self.board.quote(slot, times, bid, ask, out);
        if let Some(price) = data.price {
            let last_size = data.size.map(|size| size.0);
            let ticker = Ticker { last_price: Some(price.0), last_size, bid, ask, ..Ticker::default() };
            self.board.ticker(slot, times, ticker, out);
        }
        Ok(())
    }

    fn level1(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let data: Level1 = quick::from_str(data)?;
        let slot = self.board.slot(symbol)?;
        let some = |pair: Pair| Some(pair.0).filter(|level| !level.size.is_zero());
        let times = link.times(data.timestamp.map(|at| at.0));
        self.board.quote(slot, times, some(data.bids), some(data.asks), out);
        Ok(())
    }

    fn day(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let Day { data } = quick::from_str(data)?;
        let slot = self.board.slot(symbol)?;
        let price = |price: Option<PriceNumber>| price.map(|price| price.0);
        let ticker = Ticker {
            last_price: price(data.last_traded_price),
            open: price(data.open),
            high: price(data.high),
            low: price(data.low),
            volume: data.vol.map(|size| size.0.value()),
            ..Ticker::default()
        };
        let times = link.times(data.datetime.map(|at| at.0));
        self.board.ticker(slot, times, ticker.with_change(), out);
        Ok(())
    }
}

/// Levels and their numbers. A price of 0 is no level.
fn parts(changes: Vec<Change>) -> (Vec<Level>, Vec<u64>) {
    let levels = changes.into_iter().map(|Change(price, size, number)| {
        let level = Level { price: price.0, size: size.0 };
        (level, number.0)
    });
    levels.filter(|(level, _)| !level.price.value().is_zero()).unzip()
}

fn in_ranges(stand: Stand, diff: &Diff) -> Fit {
    let at = stand.at();
    if diff.last <= at {
        return Fit::Stale;
    }
    let next = at.saturating_add(1);
    Fit::follows_if(diff.first <= next, next, diff.first.saturating_sub(1))
}

/// A subscription of all instruments names each of them as the subject.
fn named<'a>(symbol: &'a str, subject: &'a str) -> &'a str {
    if symbol == "all" { subject } else { symbol }
}

impl Normaliser for Kucoin {
    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        // What most messages are is read at once.
        if text.contains(SPOT_CHANGES)
            && let Ok(Message { r#type, topic, subject, data: Some(update) }) =
                quick::from_str::<Message<'_, _>>(text)
            && r#type != "error"
            && let Some(("/market/level2", symbol)) = topic.split_once(':')
        {
            return self.spot.changes(link, named(symbol, &subject), update, out);
        }
        let message: Message<'_, &RawValue> = quick::from_str(text)?;
        if message.r#type == "error" {
            return Err(FeedError::refused(text));
        }
        let (Some(data), Some((path, symbol))) = (message.data, message.topic.split_once(':')) else {
            return Ok(());
        };
        let (symbol, data) = (named(symbol, &message.subject), data.get());
        match path {
            "/market/level2" => self.spot.changes(link, symbol, quick::from_str(data)?, out),
            "/contractMarket/level2" => self.futures.futures_change(link, symbol, data, out),
            "/spotMarket/level2Depth5" => self.spot.whole(link, symbol, (5, data), out),
            "/spotMarket/level2Depth50" => self.spot.whole(link, symbol, (50, data), out),
            "/contractMarket/level2Depth5" => self.futures.whole(link, symbol, (5, data), out),
            "/contractMarket/level2Depth50" => self.futures.whole(link, symbol, (50, data), out),
            "/market/match" => self.spot.trade(link, symbol, data, out),
            "/contractMarket/execution" => self.futures.trade(link, symbol, data, out),
            "/market/ticker" => self.spot.best(link, symbol, data, out),
            "/contractMarket/ticker" | "/contractMarket/tickerV2" => {
                self.futures.best(link, symbol, data, out)
            }
            "/spotMarket/level1" => self.spot.level1(link, symbol, data, out),
            "/market/snapshot" => self.spot.day(link, symbol, data, out),
            _ => Ok(()),
        }
    }

    fn handle_answer(
        &mut self,
        link: &Link<'_>,
        url: &str,
        body: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        // Whole, or so many levels a side.
        let of_spot =
            ["/market/orderbook/level2", "/market/orderbook/level2_100", "/market/orderbook/level2_20"];
        let of_futures = ["/level2/snapshot", "/level2/depth100", "/level2/depth20"];
        let market = if of_spot.iter().any(|end| path.ends_with(end)) {
            &mut self.spot
        } else if of_futures.iter().any(|end| path.ends_with(end)) {
            &mut self.futures
        } else {
            return Ok(());
        };
        let symbol = query.split('&').find_map(|pair| pair.strip_prefix("symbol="));
        let symbol = symbol.ok_or(FeedError::Missing("symbol"))?;
        let answer: Answer<'_> = quick::from_str(body)?;
        let Some(data) = answer.data.filter(|_| answer.code == "200000") else {
            return Err(FeedError::refused(body));
        };
        let number = data.sequence.ok_or(FeedError::Missing("sequence"))?.0;
        let slot = market.board.slot(symbol)?;
        let levels = Levels { bids: number_levels(data.bids), asks: number_levels(data.asks) };
        let numbered = (number, link.times(data.timestamp.map(|at| at.0)));
        market.books.at(slot).snapshot((&mut market.board, slot), in_ranges, numbered, levels, out);
        Ok(())
    }
}
