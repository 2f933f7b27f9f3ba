//! Kraken WebSocket v2: objects whose prices are JSON numbers, with a CRC-32 on every book message.
//!
//! Source: Kraken, "WebSocket API v2" and the guide "Book checksum (WebSocket v2)". The trailing
//! zeros of the numbers belong to the checksum. The book is cut back to the subscribed depth.

use std::borrow::Cow;

use model::{Definition, GapReason, InstrumentKind, Level, Levels, State, Tick, Ticker, Trade, UnixNanos};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Link, Normaliser, gap, names, side};
use crate::board::{Board, PerSlot};
use crate::error::FeedError;
use crate::json::{PriceNumber, SizeNumber};
use crate::quick;

/// Depths that can be subscribed to.
const DEPTHS: [usize; 5] = [10, 25, 100, 500, 1_000];

pub(crate) struct KrakenV2 {
    board: Board,
    /// Depth of each book.
    depths: PerSlot<usize>,
    /// What the venue said last of each pair, where that is not that it trades.
    states: PerSlot<String>,
}

impl Default for KrakenV2 {
    fn default() -> Self {
        Self {
            board: Board::new("kraken", names::kraken),
            depths: PerSlot::default(),
            states: PerSlot::default(),
        }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    /// Of the answer to a request.
    success: Option<bool>,
    #[serde(borrow, default)]
    channel: Cow<'a, str>,
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<Subscribed<'a>>,
}

/// The answer to a subscription.
#[derive(Deserialize)]
struct Subscribed<'a> {
    #[serde(borrow, default)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    symbol: Option<Cow<'a, str>>,
    depth: Option<usize>,
}

#[derive(Deserialize)]
struct BookData {
    symbol: String,
    #[serde(default)]
    bids: Vec<BookLevel>,
    #[serde(default)]
    asks: Vec<BookLevel>,
    checksum: Option<u32>,
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct BookLevel {
    price: PriceNumber,
    qty: SizeNumber,
}

#[derive(Deserialize)]
struct TradeData {
    symbol: String,
    side: String,
    price: PriceNumber,
    qty: SizeNumber,
    trade_id: Option<u64>,
    timestamp: String,
}

#[derive(Deserialize)]
struct TickerData {
    symbol: String,
    bid: PriceNumber,
    bid_qty: SizeNumber,
    ask: PriceNumber,
    ask_qty: SizeNumber,
    last: Option<PriceNumber>,
    volume: Option<SizeNumber>,
    low: Option<PriceNumber>,
    high: Option<PriceNumber>,
    change: Option<PriceNumber>,
    change_pct: Option<PriceNumber>,
    timestamp: Option<String>,
}

/// What the venue says of its pairs.
#[derive(Deserialize)]
struct Instruments {
    pairs: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    symbol: String,
    base: String,
    quote: String,
    price_precision: Option<u32>,
    price_increment: Option<PriceNumber>,
    qty_increment: Option<SizeNumber>,
    status: Option<String>,
}

impl KrakenV2 {
    fn define(&mut self, link: &Link<'_>, data: &RawValue, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let instruments: Instruments = quick::from_str(data.get())?;
        for pair in instruments.pairs {
            let definition = Definition {
                tick_size: pair.price_increment.map(|step| step.0.value()),
                lot_size: pair.qty_increment.map(|step| step.0.value()),
                price_scale: pair.price_precision,
                kind: Some(InstrumentKind::Spot),
                base: Some(names::kraken(&pair.base).into()),
                quote: Some(names::kraken(&pair.quote).into()),
                expiry: None,
            };
            self.board.define(&pair.symbol, link.times(None), &definition, out);
            if let Some(status) = &pair.status {
                self.enter(link, &pair.symbol, status, out);
            }
        }
        Ok(())
    }

    /// A pair enters a state, where it was in another one.
    fn enter(&mut self, link: &Link<'_>, pair: &str, status: &str, out: &mut Vec<Tick>) {
        let Some(slot) = self.board.known(pair) else { return };
        let status = if status == "online" { "" } else { status };
        let before = self.states.at(slot);
        if before == status {
            return;
        }
        status.clone_into(before);
        let times = link.times(None);
        match status {
            "delisted" => self.board.delist(slot, times, out),
            "maintenance" => {
                self.board.void(slot, times, gap(GapReason::Maintenance), out);
                self.board.state(slot, times, State::Halted, status, out);
            }
            "cancel_only" | "work_in_progress" => {
                self.board.state(slot, times, State::Halted, status, out);
            }
            // It trades, if not with every sort of order.
            _ => self.board.state(slot, times, State::Open, status, out),
        }
    }

    fn subscribed(&mut self, result: &Subscribed<'_>) -> Result<(), FeedError> {
        let Some(symbol) = &result.symbol else { return Ok(()) };
        let slot = self.board.slot(symbol)?;
        match result.channel.as_ref() {
            "ticker" => self.board.expect_quotes(slot),
            "book" => *self.depths.at(slot) = result.depth.unwrap_or(DEPTHS[0]),
            _ => {}
        }
        Ok(())
    }

    fn book(
        &mut self,
        link: &Link<'_>,
        is_snapshot: bool,
        data: BookData,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(&data.symbol)?;
        self.board.comes_over(slot, link.conn);
        let times = link.times(time(data.timestamp.as_deref())?);
        let side = |rows: Vec<BookLevel>| {
            rows.into_iter().map(|row| Level { price: row.price.0, size: row.qty.0 }).collect::<Vec<_>>()
        };
        let levels = Levels { bids: side(data.bids), asks: side(data.asks) };
        let sum = data.checksum;
        let is_right = |book: &model::Book| sum.is_none_or(|sum| book.checksum(usize::MAX) == sum);
        if is_snapshot {
            if !is_right(&model::Book::from_levels(&levels)) {
                self.board.void(slot, times, gap(GapReason::Checksum), out);
                return Ok(());
            }
            let depth = self.depths.at(slot);
            if *depth == 0 {
                // A recording without the answer to the subscription: the snapshot fills the depth.
                let seen = levels.bids.len().max(levels.asks.len());
                *depth = DEPTHS.into_iter().find(|&depth| depth >= seen).unwrap_or(seen);
            }
            self.board.snapshot(slot, times, levels, out);
        } else if self.board.is_valid(slot) {
            let depth = *self.depths.at(slot);
            if !self.board.checked_delta(slot, times, levels, depth, is_right, out) {
                self.board.void(slot, times, gap(GapReason::Checksum), out);
            }
        }
        Ok(())
    }

    fn trade(
        &mut self,
        link: &Link<'_>,
        old: bool,
        data: &TradeData,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(&data.symbol)?;
        let times = link.times(time(Some(&data.timestamp))?);
        let id = data.trade_id.map(|id| id.to_string().into());
        self.board.trade(
            slot,
            times,
            Trade { price: data.price.0, size: data.qty.0, side: side(&data.side), id },
            old,
            out,
        );
        Ok(())
    }

    fn ticker(&mut self, link: &Link<'_>, data: &TickerData, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let slot = self.board.slot(&data.symbol)?;
        let times = link.times(time(data.timestamp.as_deref())?);
        let bid = Some(Level { price: data.bid.0, size: data.bid_qty.0 });
        let ask = Some(Level { price: data.ask.0, size: data.ask_qty.0 });
        self.board.quote(slot, times, bid, ask, out);
        let ticker = Ticker {
            last_price: data.last.map(|price| price.0),
            bid,
            ask,
            high: data.high.map(|price| price.0),
            low: data.low.map(|price| price.0),
            volume: data.volume.map(|size| size.0.value()),
            change: data.change.map(|price| price.0.value()),
            change_percent: data.change_pct.map(|price| price.0.value()),
            ..Ticker::default()
        };
        self.board.ticker(slot, times, ticker, out);
        Ok(())
    }
}

fn time(text: Option<&str>) -> Result<Option<UnixNanos>, FeedError> {
    Ok(text.map(UnixNanos::from_rfc3339).transpose()?)
}

fn list<T: DeserializeOwned>(data: &RawValue) -> Result<Vec<T>, FeedError> {
    Ok(quick::from_str(data.get())?)
}

impl Normaliser for KrakenV2 {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        self.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: Message<'_> = quick::from_str(text)?;
        if message.success == Some(false) {
            return Err(FeedError::refused(text));
        }
        if let Some(result) = &message.result {
            return self.subscribed(result);
        }
        let Some(data) = message.data else { return Ok(()) };
        let is_snapshot = message.r#type == "snapshot";
        match message.channel.as_ref() {
            "book" => list(data)?.into_iter().try_for_each(|book| self.book(link, is_snapshot, book, out)),
            "trade" => list(data)?.iter().try_for_each(|trade| self.trade(link, is_snapshot, trade, out)),
            "ticker" => list(data)?.iter().try_for_each(|ticker| self.ticker(link, ticker, out)),
            "instrument" => self.define(link, data, out),
            _ => Ok(()),
        }
    }
}
