//! OKX v5: books with a CRC-32, or with `seqId`/`prevSeqId` since the checksum is no longer sent.
//!
//! Source: OKX, "Order book channel". The checksum is a signed 32-bit number over 25 levels of each
//! side, bid and ask in turn, as `price:size` joined by colons, from the raw texts. Since June 2026
//! it is sent as 0, and `prevSeqId` must equal the last `seqId`.

use std::borrow::Cow;

use model::{Book, GapReason, Level, Levels, Tick, Ticker, Trade};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Link, Normaliser, checksum, gap, names, side};
use crate::board::{Board, PerSlot, Slot};
use crate::error::FeedError;
use crate::json::{Millis, Pair, PriceText, SizeText, levels};
use crate::quick;

pub(crate) struct Okx {
    board: Board,
    /// The last `seqId` of each book.
    last: PerSlot<Option<i64>>,
}

/// Levels a side of a book channel; 0 for what is none.
fn levels_of(channel: &str) -> u32 {
    match channel {
        "books" | "books-l2-tbt" => 400,
        "books50-l2-tbt" => 50,
        "books5" => 5,
        _ => 0,
    }
}

impl Default for Okx {
    fn default() -> Self {
        Self { board: Board::new("okx", names::okx), last: PerSlot::default() }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arg: Option<Arg<'a>>,
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Arg<'a> {
    #[serde(borrow, default)]
    channel: Cow<'a, str>,
    #[serde(borrow, rename = "instId")]
    inst_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BookData {
    bids: Vec<Pair>,
    asks: Vec<Pair>,
    ts: Millis,
    checksum: Option<i32>,
    seq_id: Option<i64>,
    prev_seq_id: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TradeData<'a> {
    #[serde(borrow)]
    inst_id: Cow<'a, str>,
    #[serde(borrow)]
    trade_id: Cow<'a, str>,
    px: PriceText,
    sz: SizeText,
    #[serde(borrow)]
    side: Cow<'a, str>,
    ts: Millis,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TickerData<'a> {
    #[serde(borrow)]
    inst_id: Cow<'a, str>,
    #[serde(borrow)]
    last: Cow<'a, str>,
    #[serde(borrow)]
    last_sz: Cow<'a, str>,
    #[serde(borrow)]
    ask_px: Cow<'a, str>,
    #[serde(borrow)]
    ask_sz: Cow<'a, str>,
    #[serde(borrow)]
    bid_px: Cow<'a, str>,
    #[serde(borrow)]
    bid_sz: Cow<'a, str>,
    #[serde(borrow)]
    open24h: Cow<'a, str>,
    #[serde(borrow)]
    high24h: Cow<'a, str>,
    #[serde(borrow)]
    low24h: Cow<'a, str>,
    #[serde(borrow)]
    vol24h: Cow<'a, str>,
    ts: Millis,
}

impl Okx {
    fn books(
        &mut self,
        link: &Link<'_>,
        message: &Message<'_>,
        arg: &Arg<'_>,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(arg.inst_id.as_deref().ok_or(FeedError::Missing("instId"))?)?;
        let rows: Vec<BookData> = quick::from_str(message.data.map_or("[]", RawValue::get))?;
        // Channels of whole books (books5) name no action.
        let is_snapshot = message.action.as_deref().is_none_or(|action| action == "snapshot");
        if !self.board.takes(slot, link.conn, levels_of(&arg.channel), is_snapshot) {
            return Ok(());
        }
        for row in rows {
            self.book(link, slot, is_snapshot, row, out);
        }
        Ok(())
    }

    fn book(&mut self, link: &Link<'_>, slot: Slot, is_snapshot: bool, row: BookData, out: &mut Vec<Tick>) {
        let times = link.times(Some(row.ts.0));
        let levels = Levels { bids: levels(row.bids), asks: levels(row.asks) };
        let wanted = row.checksum.filter(|&sum| sum != 0);
        let is_right = |book: &Book| wanted.is_none_or(|wanted| checksum::of_texts(book) == wanted);
        let last = self.last.at(slot);
        if is_snapshot {
            *last = row.seq_id;
            if is_right(&Book::from_levels(&levels)) {
                self.board.snapshot(slot, times, levels, out);
            } else {
                self.board.void(slot, times, gap(GapReason::Checksum), out);
            }
            return;
        }
        if !self.board.is_valid(slot) {
            return;
        }
        let follows = row.prev_seq_id.zip(*last).is_none_or(|(previous, last)| previous == last);
        *last = row.seq_id;
        if !follows {
            self.board.void(slot, times, gap(GapReason::Sequence), out);
        } else if !self.board.checked_delta(slot, times, levels, usize::MAX, is_right, out) {
            self.board.void(slot, times, gap(GapReason::Checksum), out);
        }
    }

    fn best(
        &mut self,
        link: &Link<'_>,
        message: &Message<'_>,
        arg: &Arg<'_>,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(arg.inst_id.as_deref().ok_or(FeedError::Missing("instId"))?)?;
        let rows: Vec<BookData> = quick::from_str(message.data.map_or("[]", RawValue::get))?;
        for row in rows {
            let first = |side: &[Pair]| side.first().map(|pair| pair.0).filter(|level| !level.size.is_zero());
            self.board.quote(slot, link.times(Some(row.ts.0)), first(&row.bids), first(&row.asks), out);
        }
        Ok(())
    }

    fn trades(&mut self, link: &Link<'_>, data: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let rows: Vec<TradeData<'_>> = quick::from_str(data)?;
        for row in rows {
            let slot = self.board.slot(&row.inst_id)?;
            let (side, id) = (side(&row.side), Some(row.trade_id.as_ref().into()));
            let trade = Trade { price: row.px.0, size: row.sz.0, side, id };
            self.board.trade(slot, link.times(Some(row.ts.0)), trade, false, out);
        }
        Ok(())
    }

    fn tickers(&mut self, link: &Link<'_>, data: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let rows: Vec<TickerData<'_>> = quick::from_str(data)?;
        for row in rows {
            let slot = self.board.slot(&row.inst_id)?;
            let times = link.times(Some(row.ts.0));
            let bid = level(&row.bid_px, &row.bid_sz)?;
            let ask = level(&row.ask_px, &row.ask_sz)?;
            if bid.is_some() && ask.is_some() {
                self.board.quote(slot, times, bid, ask, out);
            }
            let price = |text: &str| known(text).map(model::Price::parse).transpose();
            let size = |text: &str| known(text).map(model::Size::parse).transpose();
            let ticker = Ticker {
                last_price: price(&row.last)?,
                last_size: size(&row.last_sz)?,
                bid,
                ask,
                open: price(&row.open24h)?,
                high: price(&row.high24h)?,
                low: price(&row.low24h)?,
                volume: size(&row.vol24h)?.map(model::Size::value),
                change: None,
                change_percent: None,
            };
            self.board.ticker(slot, times, ticker.with_change(), out);
        }
        Ok(())
    }
}

/// OKX writes what it does not know as an empty text.
fn known(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn level(price: &str, size: &str) -> Result<Option<Level>, FeedError> {
    let (Some(price), Some(size)) = (known(price), known(size)) else { return Ok(None) };
    Ok(Some(Level { price: model::Price::parse(price)?, size: model::Size::parse(size)? }))
}

impl Normaliser for Okx {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        self.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
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
        if let Some(event) = &message.event {
            if event == "subscribe"
                && matches!(arg.channel.as_ref(), "tickers" | "bbo-tbt")
                && let Some(instrument) = &arg.inst_id
            {
                let slot = self.board.slot(instrument)?;
                self.board.expect_quotes(slot);
            }
            return Ok(());
        }
        match (arg.channel.as_ref(), message.data) {
            (channel, _) if levels_of(channel) > 0 => self.books(link, &message, arg, out),
            ("bbo-tbt", _) => self.best(link, &message, arg, out),
            ("trades" | "trades-all", Some(data)) => self.trades(link, data.get(), out),
            ("tickers", Some(data)) => self.tickers(link, data.get(), out),
            _ => Ok(()),
        }
    }
}
