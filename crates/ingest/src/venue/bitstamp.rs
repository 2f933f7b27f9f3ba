//! Bitstamp v2: diffs that are ordered by their time only, with the snapshot over REST.
//!
//! Source: Bitstamp, "WebSocket API v2" and "Maintaining your order book": what is not newer than the
//! snapshot by its `microtimestamp` is dropped, the rest is applied. Nothing tells of a lost diff, so that
//! a connection that is opened again voids the books. `order_book` sends the hundred best levels whole.

use std::borrow::Cow;

use model::{GapReason, Levels, Side, Tick, Trade};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::sync::{Diff, Fit, Stand, Sync};
use super::{Link, Normaliser, gap, names};
use crate::board::{Board, PerSlot};
use crate::error::FeedError;
use crate::json::{Micros, Pair, PriceText, SizeText, levels};
use crate::quick;

pub(crate) struct Bitstamp {
    board: Board,
    books: PerSlot<Sync>,
}

impl Default for Bitstamp {
    fn default() -> Self {
        Self { board: Board::new("bitstamp", names::bitstamp), books: PerSlot::default() }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BookData {
    microtimestamp: Micros,
    bids: Vec<Pair>,
    asks: Vec<Pair>,
}

#[derive(Deserialize)]
struct TradeData<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    price_str: PriceText,
    amount_str: SizeText,
    /// 0: the taker bought, 1: sold.
    r#type: Option<u8>,
    microtimestamp: Micros,
}

impl Bitstamp {
    fn diff(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let data: BookData = quick::from_str(data)?;
        let slot = self.board.slot(symbol)?;
        self.board.comes_over(slot, link.conn);
        let at = data.microtimestamp.0;
        let levels = Levels { bids: levels(data.bids), asks: levels(data.asks) };
        let times = link.times(Some(at));
        let diff = Diff { first: at.0, last: at.0, previous: None, times, levels, numbers: None };
        self.books.at(slot).diff((&mut self.board, slot), newer, diff, out);
        Ok(())
    }

    fn whole(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let data: BookData = quick::from_str(data)?;
        let slot = self.board.slot(symbol)?;
        self.board.comes_over(slot, link.conn);
        let levels = Levels { bids: levels(data.bids), asks: levels(data.asks) };
        let times = link.times(Some(data.microtimestamp.0));
        self.books.at(slot).whole((&mut self.board, slot), times, levels, out);
        Ok(())
    }

    fn trade(
        &mut self,
        link: &Link<'_>,
        symbol: &str,
        data: &str,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let data: TradeData<'_> = quick::from_str(data)?;
        let slot = self.board.slot(symbol)?;
        let side = match data.r#type {
            Some(0) => Side::Buy,
            Some(1) => Side::Sell,
            _ => Side::Unknown,
        };
        let id = Some(data.id.get().trim_matches('"').into());
        let trade = Trade { price: data.price_str.0, size: data.amount_str.0, side, id };
        self.board.trade(slot, link.times(Some(data.microtimestamp.0)), trade, false, out);
        Ok(())
    }
}

fn newer(stand: Stand, diff: &Diff) -> Fit {
    if diff.last <= stand.at() { Fit::Stale } else { Fit::Follows }
}

impl Normaliser for Bitstamp {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        for slot in self.board.slots_over(link.conn) {
            // What was asked for before the connection stands is the snapshot of what comes over it.
            if !self.books.at(slot).is_fresh() {
                self.books.at(slot).forget();
                self.board.void(slot, link.times(None), gap(GapReason::Reconnect), out);
            }
        }
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: Message<'_> = quick::from_str(text)?;
        let data = message.data.map_or("{}", RawValue::get);
        let symbol = |channel| message.channel.strip_prefix(channel);
        match message.event.as_ref() {
            "data" => {
                if let Some(symbol) = symbol("diff_order_book_") {
                    self.diff(link, symbol, data, out)
                } else if let Some(symbol) = symbol("order_book_") {
                    self.whole(link, symbol, data, out)
                } else {
                    Ok(())
                }
            }
            "trade" => symbol("live_trades_").map_or(Ok(()), |symbol| self.trade(link, symbol, data, out)),
            "bts:error" => Err(FeedError::refused(text)),
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
        let Some((_, rest)) = url.split_once("/order_book/") else { return Ok(()) };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        // Other groupings are of single orders.
        if query.split('&').any(|part| part.starts_with("group=") && part != "group=1") {
            return Ok(());
        }
        let data: BookData = quick::from_str(body)?;
        let slot = self.board.slot(path.trim_end_matches('/'))?;
        let at = data.microtimestamp.0;
        let levels = Levels { bids: levels(data.bids), asks: levels(data.asks) };
        let numbered = (at.0, link.times(Some(at)));
        self.books.at(slot).snapshot((&mut self.board, slot), newer, numbered, levels, out);
        Ok(())
    }
}
