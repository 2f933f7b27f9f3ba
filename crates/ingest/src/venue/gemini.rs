//! Gemini, market data v2: each subscription begins with the whole book and the last trades.
//!
//! Source: Gemini, "Market Data Version 2". The first `l2_updates` of an instrument carries `trades` and
//! `auction_events` beside the book, later ones only changes. Nothing is numbered, so that a connection that
//! is opened again voids the books. Auctions and candles are not trades.

use std::borrow::Cow;

use model::{GapReason, Level, Levels, Tick, Trade};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Link, Normaliser, gap, names, side};
use crate::board::Board;
use crate::error::FeedError;
use crate::json::{Marked, Millis, PriceText, SizeText, leading};
use crate::quick;

pub(crate) struct Gemini {
    board: Board,
}

impl Default for Gemini {
    fn default() -> Self {
        Self { board: Board::new("gemini", names::gemini) }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    result: Cow<'a, str>,
}

#[derive(Deserialize)]
struct BookMessage<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow, default)]
    changes: Vec<Marked<'a>>,
    /// Only in the first message of an instrument.
    #[serde(borrow)]
    trades: Option<Vec<TradeMessage<'a>>>,
}

#[derive(Deserialize)]
struct TradeMessage<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    tid: Option<&'a RawValue>,
    #[serde(borrow)]
    event_id: Option<&'a RawValue>,
    timestamp: Millis,
    price: PriceText,
    quantity: SizeText,
    #[serde(borrow, default)]
    side: Cow<'a, str>,
}

impl Gemini {
    fn book(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: BookMessage<'_> = quick::from_str(text)?;
        let slot = self.board.slot(&message.symbol)?;
        self.board.comes_over(slot, link.conn);
        let is_snapshot = message.trades.is_some();
        for trade in message.trades.into_iter().flatten() {
            self.trade(link, &trade, true, out)?;
        }
        let mut levels = Levels::default();
        for Marked(word, level) in message.changes {
            side_of(&word, &mut levels)?.push(level);
        }
        if is_snapshot {
            self.board.snapshot(slot, link.times(None), levels, out);
        } else if self.board.is_valid(slot) {
            self.board.delta(slot, link.times(None), levels, out);
        }
        Ok(())
    }

    fn trade(
        &mut self,
        link: &Link<'_>,
        message: &TradeMessage<'_>,
        old: bool,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let slot = self.board.slot(&message.symbol)?;
        let trade = Trade {
            price: message.price.0,
            size: message.quantity.0,
            side: side(&message.side),
            id: message.tid.or(message.event_id).map(|id| id.get().trim_matches('"').into()),
        };
        self.board.trade(slot, link.times(Some(message.timestamp.0)), trade, old, out);
        Ok(())
    }
}

fn side_of<'a>(word: &str, levels: &'a mut Levels) -> Result<&'a mut Vec<Level>, FeedError> {
    match word {
        "buy" => Ok(&mut levels.bids),
        "sell" => Ok(&mut levels.asks),
        _ => Err(FeedError::Missing("side")),
    }
}

impl Normaliser for Gemini {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        self.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        if leading(text, "type") == Some("l2_updates") {
            return self.book(link, text, out);
        }
        let message: Message<'_> = quick::from_str(text)?;
        match message.r#type.as_ref() {
            "l2_updates" => self.book(link, text, out),
            "trade" => {
                let trade: TradeMessage<'_> = quick::from_str(text)?;
                self.trade(link, &trade, false, out)
            }
            "" if message.result == "error" => Err(FeedError::refused(text)),
            _ => Ok(()),
        }
    }
}
