//! Deribit, JSON-RPC: books whose changes name the change before them.
//!
//! Source: Deribit, "JSON-RPC API v2", `book`, `trades`, `ticker` and `quote`. A `snapshot` begins a book, the
//! `prev_change_id` of each `change` is the `change_id` before it. Channels with a grouping and a depth send
//! whole books. A side without orders has a best price and amount of 0, or `null`.

use std::borrow::Cow;

use model::{GapReason, Level, Levels, Size, Tick, Ticker, Trade};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Link, Normaliser, gap, names, sequence_gap, side};
use crate::board::{Board, PerSlot};
use crate::error::FeedError;
use crate::json::{MarkedNumbers, Millis, NumberPair, PriceNumber, SizeNumber, number_levels, text_of};
use crate::quick;

pub(crate) struct Deribit {
    board: Board,
    /// The last `change_id` of each book.
    last: PerSlot<u64>,
}

impl Default for Deribit {
    fn default() -> Self {
        Self { board: Board::new("deribit", names::deribit), last: PerSlot::default() }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    params: Option<Params<'a>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Book<'a> {
    #[serde(borrow)]
    instrument_name: Cow<'a, str>,
    timestamp: Millis,
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    change_id: u64,
    prev_change_id: Option<u64>,
    #[serde(borrow)]
    bids: Vec<MarkedNumbers<'a>>,
    #[serde(borrow)]
    asks: Vec<MarkedNumbers<'a>>,
}

#[derive(Deserialize)]
struct WholeBook<'a> {
    #[serde(borrow)]
    instrument_name: Cow<'a, str>,
    timestamp: Millis,
    bids: Vec<NumberPair>,
    asks: Vec<NumberPair>,
}

#[derive(Deserialize)]
struct TradeRow<'a> {
    #[serde(borrow)]
    instrument_name: Cow<'a, str>,
    #[serde(borrow)]
    trade_id: &'a RawValue,
    timestamp: Millis,
    price: PriceNumber,
    amount: SizeNumber,
    #[serde(borrow, default)]
    direction: Cow<'a, str>,
}

#[derive(Deserialize)]
struct TickerData<'a> {
    #[serde(borrow)]
    instrument_name: Cow<'a, str>,
    timestamp: Millis,
    best_bid_price: Option<PriceNumber>,
    best_bid_amount: Option<SizeNumber>,
    best_ask_price: Option<PriceNumber>,
    best_ask_amount: Option<SizeNumber>,
    last_price: Option<PriceNumber>,
    stats: Option<Stats>,
}

#[derive(Deserialize)]
struct Stats {
    volume: Option<SizeNumber>,
    low: Option<PriceNumber>,
    high: Option<PriceNumber>,
    /// In per cent.
    price_change: Option<PriceNumber>,
}

/// How deep a book channel is, by what follows the instrument in its name. The changes of one and of another
/// are numbered apart, and whole books are not deeper than changes.
fn depth(rest: &str) -> u32 {
    match rest {
        "raw" => u32::MAX,
        "100ms" => u32::MAX - 1,
        "agg2" => u32::MAX - 2,
        _ => rest.rsplit('.').nth(1).and_then(|depth| depth.parse().ok()).unwrap_or(0),
    }
}

impl Deribit {
    fn book(
        &mut self,
        link: &Link<'_>,
        channel: &str,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        // Neither the names of instruments nor those of intervals have dots; groupings do not stand in `raw`.
        let (_, rest) = channel.split_once('.').unwrap_or((channel, ""));
        if rest.contains('.') {
            return self.whole(link, depth(rest), data, out);
        }
        let book: Book<'_> = quick::from_str(data)?;
        let slot = self.board.slot(&book.instrument_name)?;
        let is_snapshot = book.r#type.as_deref() == Some("snapshot");
        if !self.board.takes(slot, link.conn, depth(rest), is_snapshot) {
            return Ok(());
        }
        let times = link.times(Some(book.timestamp.0));
        let levels = Levels { bids: changed(book.bids), asks: changed(book.asks) };
        let last = self.last.at(slot);
        if is_snapshot {
            *last = book.change_id;
            self.board.snapshot(slot, times, levels, out);
        } else if self.board.is_valid(slot) && book.change_id > *last {
            let before = std::mem::replace(last, book.change_id);
            match book.prev_change_id {
                Some(previous) if previous != before => {
                    let lost = sequence_gap(before.saturating_add(1), previous.max(before.saturating_add(1)));
                    self.board.void(slot, times, lost, out);
                }
                _ => self.board.delta(slot, times, levels, out),
            }
        }
        Ok(())
    }

    fn whole(
        &mut self,
        link: &Link<'_>,
        depth: u32,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let book: WholeBook<'_> = quick::from_str(data)?;
        let slot = self.board.slot(&book.instrument_name)?;
        if self.board.takes(slot, link.conn, depth, true) {
            let levels = Levels { bids: number_levels(book.bids), asks: number_levels(book.asks) };
            self.board.snapshot(slot, link.times(Some(book.timestamp.0)), levels, out);
        }
        Ok(())
    }

    fn trades(&mut self, link: &Link<'_>, data: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let rows: Vec<TradeRow<'_>> = quick::from_str(data)?;
        for row in rows {
            let slot = self.board.slot(&row.instrument_name)?;
            let trade = Trade {
                price: row.price.0,
                size: row.amount.0,
                side: side(&row.direction),
                id: text_of(row.trade_id).map(Into::into),
            };
            self.board.trade(slot, link.times(Some(row.timestamp.0)), trade, false, out);
        }
        Ok(())
    }

    /// `ticker`, and `quote`, which has the best prices only.
    fn ticker(&mut self, link: &Link<'_>, data: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let data: TickerData<'_> = quick::from_str(data)?;
        let slot = self.board.slot(&data.instrument_name)?;
        let times = link.times(Some(data.timestamp.0));
        let level = |price: Option<PriceNumber>, size: Option<SizeNumber>| {
            let level = price.zip(size).map(|(price, size)| Level { price: price.0, size: size.0 });
            level.filter(|level| !level.size.is_zero())
        };
        let bid = level(data.best_bid_price, data.best_bid_amount);
        let ask = level(data.best_ask_price, data.best_ask_amount);
        self.board.quote(slot, times, bid, ask, out);
        if let Some(stats) = data.stats {
            let ticker = Ticker {
                last_price: data.last_price.map(|price| price.0),
                bid,
                ask,
                high: stats.high.map(|price| price.0),
                low: stats.low.map(|price| price.0),
                volume: stats.volume.map(|size| size.0.value()),
                change_percent: stats.price_change.map(|change| change.0.value()),
                ..Ticker::default()
            };
            self.board.ticker(slot, times, ticker, out);
        }
        Ok(())
    }

    /// The answer to a subscription: the names of its channels.
    fn subscribed(&mut self, result: &str) -> Result<(), FeedError> {
        let Ok(channels) = quick::from_str::<Vec<Cow<'_, str>>>(result) else { return Ok(()) };
        for channel in channels {
            let quoted = channel.strip_prefix("ticker.").or_else(|| channel.strip_prefix("quote."));
            if let Some(instrument) = quoted.and_then(|rest| rest.split('.').next()) {
                let slot = self.board.slot(instrument)?;
                self.board.expect_quotes(slot);
            }
        }
        Ok(())
    }
}

/// `new`, `change` and `delete`, whose amount says nothing.
fn changed(rows: Vec<MarkedNumbers<'_>>) -> Vec<Level> {
    let level = |MarkedNumbers(word, level): MarkedNumbers<'_>| {
        if word == "delete" { Level { size: Size::ZERO, ..level } } else { level }
    };
    rows.into_iter().map(level).collect()
}

impl Normaliser for Deribit {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        self.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: Message<'_> = quick::from_str(text)?;
        if message.error.is_some() {
            return Err(FeedError::refused(text));
        }
        if let Some(result) = message.result {
            return self.subscribed(result.get());
        }
        let Some(Params { channel, data: Some(data) }) = message.params else { return Ok(()) };
        match channel.split_once('.') {
            Some(("book", channel)) => self.book(link, channel, data.get(), out),
            Some(("trades", _)) => self.trades(link, data.get(), out),
            Some(("ticker" | "quote", _)) => self.ticker(link, data.get(), out),
            _ => Ok(()),
        }
    }
}
