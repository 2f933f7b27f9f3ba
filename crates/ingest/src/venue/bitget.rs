//! Bitget: books with a CRC-32; versions 1, 2 and 3 of its channels, spot and futures.
//!
//! Source: Bitget, "Depth Channel": the checksum is a signed 32-bit number over 25 levels of each side, bid and ask
//! in turn, as `price:size` joined by colons, from the raw texts; channels of whole books send 0 or none. Version 3
//! numbers its messages: `pseq` is the `seq` before. `books1` is the best bid and offer. The first message of
//! `trade` has old trades; version 1 gives no ids, and no sizes with the best prices of a ticker.

use std::borrow::Cow;

use model::{Book, GapReason, Level, Levels, Price, Tick, Ticker, Trade};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Link, Normaliser, checksum, gap, names, per_cent, sequence_gap, side};
use crate::board::{Board, PerSlot, Slot};
use crate::error::FeedError;
use crate::json::{Millis, Pair, PriceText, SizeText, Whole, known, levels, text_of};
use crate::quick;

pub(crate) struct Bitget {
    spot: Market,
    futures: Market,
}

struct Market {
    board: Board,
    /// The last `seq` of each book.
    last: PerSlot<Option<u64>>,
}

impl Default for Bitget {
    fn default() -> Self {
        let market = |name, rename| Market { board: Board::new(name, rename), last: PerSlot::default() };
        Self { spot: market("bitget-spot", names::spot), futures: market("bitget-futures", names::contract) }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arg: Option<Arg<'a>>,
    #[serde(borrow, default)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    ts: Option<Millis>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arg<'a> {
    #[serde(borrow, default)]
    inst_type: Cow<'a, str>,
    #[serde(borrow, default, alias = "topic")]
    channel: Cow<'a, str>,
    #[serde(borrow, default, alias = "symbol")]
    inst_id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct BookData {
    #[serde(alias = "b")]
    bids: Vec<Pair>,
    #[serde(alias = "a")]
    asks: Vec<Pair>,
    ts: Option<Millis>,
    checksum: Option<i32>,
    seq: Option<Whole>,
    pseq: Option<Whole>,
}

/// Version 1: time, price, size, side.
#[derive(Deserialize)]
struct TradeList<'a>(Millis, PriceText, SizeText, #[serde(borrow)] Cow<'a, str>);

/// Versions 2 and 3.
#[derive(Deserialize)]
struct TradeData<'a> {
    #[serde(alias = "T")]
    ts: Millis,
    #[serde(alias = "p")]
    price: PriceText,
    #[serde(alias = "v")]
    size: SizeText,
    #[serde(borrow, alias = "S")]
    side: Cow<'a, str>,
    #[serde(borrow, rename = "tradeId", alias = "i")]
    id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TickerData {
    #[serde(default, deserialize_with = "known", alias = "lastPr", alias = "lastPrice")]
    last: Option<PriceText>,
    #[serde(default, deserialize_with = "known", alias = "openPrice24h")]
    open24h: Option<PriceText>,
    #[serde(default, deserialize_with = "known", alias = "highPrice24h")]
    high24h: Option<PriceText>,
    #[serde(default, deserialize_with = "known", alias = "lowPrice24h")]
    low24h: Option<PriceText>,
    #[serde(default, deserialize_with = "known", alias = "volume24h")]
    base_volume: Option<SizeText>,
    #[serde(default, deserialize_with = "known", alias = "bid1Price")]
    bid_pr: Option<PriceText>,
    #[serde(default, deserialize_with = "known", alias = "bid1Size")]
    bid_sz: Option<SizeText>,
    #[serde(default, deserialize_with = "known", alias = "ask1Price")]
    ask_pr: Option<PriceText>,
    #[serde(default, deserialize_with = "known", alias = "ask1Size")]
    ask_sz: Option<SizeText>,
    /// As a part of 1.
    #[serde(default, deserialize_with = "known", alias = "change24h", alias = "price24hPcnt")]
    price_change_percent: Option<PriceText>,
    #[serde(alias = "systemTime")]
    ts: Option<Millis>,
}

/// Levels a side of a book channel; 0 for what is none.
fn levels_of(channel: &str) -> u32 {
    match channel.strip_prefix("books") {
        Some("") => u32::MAX,
        Some(depth) => depth.parse().unwrap_or(0),
        None => 0,
    }
}

impl Bitget {
    fn market(&mut self, arg: &Arg<'_>) -> &mut Market {
        match arg.inst_type.to_ascii_uppercase().as_str() {
            "SP" | "SPOT" | "MARGIN" => &mut self.spot,
            _ => &mut self.futures,
        }
    }
}

impl Market {
    fn books(
        &mut self,
        link: &Link<'_>,
        arg: &Arg<'_>,
        (is_snapshot, sent, data): (bool, Option<Millis>, &str),
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(&arg.inst_id)?;
        let rows: Vec<BookData> = quick::from_str(data)?;
        let depth = levels_of(&arg.channel);
        for row in rows {
            let times = link.times(row.ts.or(sent).map(|at| at.0));
            if depth == 1 {
                let first =
                    |side: &[Pair]| side.first().map(|pair| pair.0).filter(|level| !level.size.is_zero());
                self.board.quote(slot, times, first(&row.bids), first(&row.asks), out);
            } else if self.board.takes(slot, link.conn, depth, is_snapshot) {
                self.book(slot, times, is_snapshot, row, out);
            }
        }
        Ok(())
    }

    fn book(
        &mut self,
        slot: Slot,
        times: crate::board::Times,
        is_snapshot: bool,
        row: BookData,
        out: &mut Vec<Tick>,
    ) {
        let levels = Levels { bids: levels(row.bids), asks: levels(row.asks) };
        let wanted = row.checksum.filter(|&sum| sum != 0);
        let is_right = |book: &Book| wanted.is_none_or(|wanted| checksum::of_texts(book) == wanted);
        let before = std::mem::replace(self.last.at(slot), row.seq.map(|number| number.0));
        if is_snapshot {
            if is_right(&Book::from_levels(&levels)) {
                self.board.snapshot(slot, times, levels, out);
            } else {
                self.board.void(slot, times, gap(GapReason::Checksum), out);
            }
        } else if self.board.is_valid(slot) {
            match (row.pseq, before) {
                (Some(Whole(previous)), Some(before)) if previous != before => {
                    let from = before.saturating_add(1);
                    self.board.void(slot, times, sequence_gap(from, previous.max(from)), out);
                }
                _ if self.board.checked_delta(slot, times, levels, usize::MAX, is_right, out) => {}
                _ => self.board.void(slot, times, gap(GapReason::Checksum), out),
            }
        }
    }

    fn trades(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        old: bool,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(symbol)?;
        let rows: Vec<&RawValue> = quick::from_str(data)?;
        for row in rows {
            let (at, price, size, word, id) = if row.get().starts_with('[') {
                let TradeList(at, price, size, word) = quick::from_str(row.get())?;
                (at, price, size, word, None)
            } else {
                let row: TradeData<'_> = quick::from_str(row.get())?;
                (row.ts, row.price, row.size, row.side, row.id.and_then(text_of).map(Into::into))
            };
            let trade = Trade { price: price.0, size: size.0, side: side(&word), id };
            self.board.trade(slot, link.times(Some(at.0)), trade, old, out);
        }
        Ok(())
    }

    fn tickers(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        (sent, data): (Option<Millis>, &str),
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(symbol)?;
        let rows: Vec<TickerData> = quick::from_str(data)?;
        for row in rows {
            let times = link.times(row.ts.or(sent).map(|at| at.0));
            let level = |price: Option<PriceText>, size: Option<SizeText>| {
                let level = price.zip(size).map(|(price, size)| Level { price: price.0, size: size.0 });
                level.filter(|level| !level.size.is_zero())
            };
            let (bid, ask) = (level(row.bid_pr, row.bid_sz), level(row.ask_pr, row.ask_sz));
            if row.bid_sz.is_some() && row.ask_sz.is_some() {
                self.board.quote(slot, times, bid, ask, out);
            }
            let price = |price: Option<PriceText>| price.map(|price| price.0);
            let ticker = Ticker {
                last_price: price(row.last),
                bid,
                ask,
                open: price(row.open24h),
                high: price(row.high24h),
                low: price(row.low24h),
                volume: row.base_volume.map(|size| size.0.value()),
                change_percent: price(row.price_change_percent).map(Price::value).and_then(per_cent),
                ..Ticker::default()
            };
            self.board.ticker(slot, times, ticker.with_change(), out);
        }
        Ok(())
    }
}

impl Normaliser for Bitget {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        for market in [&mut self.spot, &mut self.futures] {
            market.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
        }
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        if text == "pong" {
            return Ok(());
        }
        let message: Message<'_> = quick::from_str(text)?;
        if message.event.as_deref() == Some("error") {
            return Err(FeedError::refused(text));
        }
        let Some(arg) = &message.arg else { return Ok(()) };
        let market = self.market(arg);
        if message.event.is_some() {
            if arg.channel == "books1" {
                let slot = market.board.slot(&arg.inst_id)?;
                market.board.expect_quotes(slot);
            }
            return Ok(());
        }
        let Some(data) = message.data else { return Ok(()) };
        // Channels of whole books name no other action.
        let is_snapshot = message.action != "update";
        match arg.channel.as_ref() {
            channel if levels_of(channel) > 0 => {
                market.books(link, arg, (is_snapshot, message.ts, data.get()), out)
            }
            "trade" | "publicTrade" => market.trades(link, &arg.inst_id, is_snapshot, data.get(), out),
            "ticker" => market.tickers(link, &arg.inst_id, (message.ts, data.get()), out),
            _ => Ok(()),
        }
    }
}
