//! Coinbase Advanced Trade: one numbering over all messages of a connection.
//!
//! Source: Coinbase, "Advanced Trade WebSocket", channels `level2` (sent as `l2_data`),
//! `market_trades`, `ticker`. A jump in `sequence_num` means lost messages of any channel, so it
//! voids every book of the connection. The `side` of a trade is the maker's. Messages of Coinbase Exchange, which have
//! no channel, are read as well.

mod exchange;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use model::{GapReason, Level, Levels, Tick, Ticker, TimeError, Trade, UnixNanos};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::numbering::{Numbering, Order};
use super::{Link, Normaliser, gap, sequence_gap, side};
use crate::board::Board;
use crate::error::FeedError;
use crate::json::{PriceText, SizeText};
use crate::quick;

pub(crate) struct Coinbase {
    board: Board,
    numbering: Numbering,
}

impl Default for Coinbase {
    fn default() -> Self {
        Self { board: Board::new("coinbase", str::to_ascii_uppercase), numbering: Numbering::from(0) }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    /// Of errors, and of what Coinbase Exchange sends.
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    sequence_num: Option<u64>,
    #[serde(borrow, default)]
    events: Vec<Event<'a>>,
}

/// The union of the channels' events.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    product_id: Option<Cow<'a, str>>,
    #[serde(default)]
    updates: Updates,
    #[serde(borrow, default)]
    trades: Vec<TradeRow<'a>>,
    #[serde(borrow, default)]
    tickers: Vec<TickerRow<'a>>,
    #[serde(borrow, default)]
    subscriptions: HashMap<Cow<'a, str>, Vec<Cow<'a, str>>>,
}

#[derive(Deserialize)]
struct Update<'a> {
    #[serde(borrow)]
    side: Cow<'a, str>,
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    price_level: PriceText,
    new_quantity: SizeText,
}

/// The changes of a book, as they are read: a snapshot has tens of thousands.
#[derive(Default)]
struct Updates {
    levels: Levels,
    /// The newest of their times, or what is wrong with one.
    newest: Option<Result<UnixNanos, TimeError>>,
}

impl<'de> Deserialize<'de> for Updates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Updates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of updates")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Updates, A::Error> {
                let (mut all, mut written) = (Updates::default(), None);
                while let Some(update) = list.next_element::<Update<'de>>()? {
                    // Most of a message have the same.
                    if written.as_ref() != Some(&update.event_time) {
                        all.note(UnixNanos::from_rfc3339(&update.event_time));
                        written = Some(update.event_time);
                    }
                    let level = Level { price: update.price_level.0, size: update.new_quantity.0 };
                    let is_bid = update.side == "bid";
                    if is_bid { all.levels.bids.push(level) } else { all.levels.asks.push(level) }
                }
                Ok(all)
            }
        }
        deserializer.deserialize_seq(Each)
    }
}

impl Updates {
    fn note(&mut self, at: Result<UnixNanos, TimeError>) {
        self.newest = match (self.newest, at) {
            (Some(Ok(newest)), Ok(at)) => Some(Ok(at.max(newest))),
            (Some(Err(error)), _) => Some(Err(error)),
            (_, at) => Some(at),
        };
    }
}

#[derive(Deserialize)]
struct TradeRow<'a> {
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    #[serde(borrow)]
    trade_id: Cow<'a, str>,
    price: PriceText,
    size: SizeText,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    side: Cow<'a, str>,
}

#[derive(Deserialize)]
struct TickerRow<'a> {
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    price: PriceText,
    volume_24_h: Option<SizeText>,
    low_24_h: Option<PriceText>,
    high_24_h: Option<PriceText>,
    best_bid: Option<PriceText>,
    best_bid_quantity: Option<SizeText>,
    best_ask: Option<PriceText>,
    best_ask_quantity: Option<SizeText>,
}

impl Coinbase {
    fn book(&mut self, link: &Link<'_>, event: Event<'_>, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let product = event.product_id.ok_or(FeedError::Missing("product_id"))?;
        let slot = self.board.slot(&product)?;
        self.board.comes_over(slot, link.conn);
        let Updates { levels, newest } = event.updates;
        let newest = newest.transpose()?;
        if event.r#type == "snapshot" {
            self.board.snapshot(slot, link.times(newest), levels, out);
        } else if self.board.is_valid(slot) {
            self.board.delta(slot, link.times(newest), levels, out);
        }
        Ok(())
    }

    fn trades(&mut self, link: &Link<'_>, event: Event<'_>, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let old = event.r#type == "snapshot";
        for row in event.trades {
            let slot = self.board.slot(&row.product_id)?;
            let trade = Trade {
                price: row.price.0,
                size: row.size.0,
                side: side(&row.side).opposite(),
                id: Some(row.trade_id.as_ref().into()),
            };
            let times = link.times(Some(UnixNanos::from_rfc3339(&row.time)?));
            self.board.trade(slot, times, trade, old, out);
        }
        Ok(())
    }

    fn tickers(
        &mut self,
        link: &Link<'_>,
        at: Option<UnixNanos>,
        event: Event<'_>,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        for row in event.tickers {
            let slot = self.board.slot(&row.product_id)?;
            let level = |price: Option<PriceText>, size: Option<SizeText>| {
                price.zip(size).map(|(price, size)| Level { price: price.0, size: size.0 })
            };
            let bid = level(row.best_bid, row.best_bid_quantity);
            let ask = level(row.best_ask, row.best_ask_quantity);
            if bid.is_some() && ask.is_some() {
                self.board.quote(slot, link.times(at), bid, ask, out);
            }
            let ticker = Ticker {
                last_price: Some(row.price.0),
                bid,
                ask,
                high: row.high_24_h.map(|price| price.0),
                low: row.low_24_h.map(|price| price.0),
                volume: row.volume_24_h.map(|size| size.0.value()),
                ..Ticker::default()
            };
            self.board.ticker(slot, link.times(at), ticker, out);
        }
        Ok(())
    }

    fn subscribed(&mut self, event: &Event<'_>) -> Result<(), FeedError> {
        for channel in ["ticker", "ticker_batch"] {
            for product in event.subscriptions.get(channel).into_iter().flatten() {
                let slot = self.board.slot(product)?;
                self.board.expect_quotes(slot);
            }
        }
        Ok(())
    }
}

impl Normaliser for Coinbase {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        if self.numbering.reset(link.conn) {
            self.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
        }
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: Message<'_> = quick::from_str(text)?;
        if message.r#type == "error" {
            return Err(FeedError::refused(text));
        }
        if message.channel.is_empty() {
            return exchange::read(&mut self.board, link, &message.r#type, text, out);
        }
        let at = message.timestamp.as_deref().map(UnixNanos::from_rfc3339).transpose()?;
        let number = message.sequence_num;
        match number.map_or(Order::Next, |number| self.numbering.order(link.conn, number)) {
            Order::Next => {}
            Order::Repeated => return Ok(()),
            Order::Anew => self.board.void_all(link.conn, link.times(at), gap(GapReason::Reconnect), out),
            Order::Lost { from, to } => {
                self.board.void_all(link.conn, link.times(at), sequence_gap(from, to), out);
            }
        }
        for event in message.events {
            match message.channel.as_ref() {
                "l2_data" => self.book(link, event, out)?,
                "market_trades" => self.trades(link, event, out)?,
                "ticker" | "ticker_batch" => self.tickers(link, at, event, out)?,
                "subscriptions" => self.subscribed(&event)?,
                _ => {}
            }
        }
        Ok(())
    }
}
