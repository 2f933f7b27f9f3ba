//! Coinbase Exchange, the older of the venue's two interfaces: each message says by its `type` what it is.
//!
//! Source: Coinbase, "Exchange WebSocket channels": `level2` (`snapshot`, `l2update`), `matches` (`match`, `last_match`),
//! `ticker`. Updates of books have no numbers. The `side` of a match is the maker's; the last one is repeated when a
//! subscription begins.

use std::borrow::Cow;

use model::{Level, Levels, Tick, Ticker, Trade, UnixNanos};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::board::Board;
use crate::error::FeedError;
use crate::json::{Marked, Pair, PriceText, SizeText, levels, text_of};
use crate::quick;
use crate::venue::{Link, side};

#[derive(Deserialize)]
struct Snapshot<'a> {
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    bids: Vec<Pair>,
    asks: Vec<Pair>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Update<'a> {
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    #[serde(borrow)]
    changes: Vec<Marked<'a>>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Match<'a> {
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    #[serde(borrow)]
    trade_id: Option<&'a RawValue>,
    price: PriceText,
    size: SizeText,
    #[serde(borrow)]
    side: Cow<'a, str>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Summary<'a> {
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    price: PriceText,
    last_size: Option<SizeText>,
    open_24h: Option<PriceText>,
    high_24h: Option<PriceText>,
    low_24h: Option<PriceText>,
    volume_24h: Option<SizeText>,
    best_bid: Option<PriceText>,
    best_bid_size: Option<SizeText>,
    best_ask: Option<PriceText>,
    best_ask_size: Option<SizeText>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
}

fn instant(time: Option<&str>) -> Result<Option<UnixNanos>, FeedError> {
    Ok(time.map(UnixNanos::from_rfc3339).transpose()?)
}

/// Reads a message of one of its types; what is of none says nothing of a market.
pub(super) fn read(
    board: &mut Board,
    link: &Link<'_>,
    kind: &str,
    text: &str,
    out: &mut Vec<Tick>,
) -> Result<(), FeedError> {
    match kind {
        "snapshot" => {
            let Snapshot { product_id, bids, asks, time } = quick::from_str(text)?;
            let slot = board.slot(&product_id)?;
            board.comes_over(slot, link.conn);
            let levels = Levels { bids: levels(bids), asks: levels(asks) };
            board.snapshot(slot, link.times(instant(time.as_deref())?), levels, out);
        }
        "l2update" => {
            let Update { product_id, changes, time } = quick::from_str(text)?;
            let slot = board.slot(&product_id)?;
            let mut levels = Levels::default();
            for Marked(word, level) in changes {
                if word == "buy" { levels.bids.push(level) } else { levels.asks.push(level) }
            }
            if board.is_valid(slot) {
                board.delta(slot, link.times(instant(time.as_deref())?), levels, out);
            }
        }
        "match" | "last_match" => {
            let row: Match<'_> = quick::from_str(text)?;
            let slot = board.slot(&row.product_id)?;
            let (side, id) = (side(&row.side).opposite(), row.trade_id.and_then(text_of).map(Into::into));
            let trade = Trade { price: row.price.0, size: row.size.0, side, id };
            let times = link.times(instant(row.time.as_deref())?);
            board.trade(slot, times, trade, kind == "last_match", out);
        }
        "ticker" => summary(board, link, &quick::from_str(text)?, out)?,
        _ => {}
    }
    Ok(())
}

fn summary(
    board: &mut Board,
    link: &Link<'_>,
    row: &Summary<'_>,
    out: &mut Vec<Tick>,
) -> Result<(), FeedError> {
    let slot = board.slot(&row.product_id)?;
    let times = link.times(instant(row.time.as_deref())?);
    let level = |price: Option<PriceText>, size: Option<SizeText>| {
        price.zip(size).map(|(price, size)| Level { price: price.0, size: size.0 })
    };
    let (bid, ask) = (level(row.best_bid, row.best_bid_size), level(row.best_ask, row.best_ask_size));
    if bid.is_some() && ask.is_some() {
        board.quote(slot, times, bid, ask, out);
    }
    let price = |price: Option<PriceText>| price.map(|price| price.0);
    let ticker = Ticker {
        last_price: Some(row.price.0),
        last_size: row.last_size.map(|size| size.0),
        bid,
        ask,
        open: price(row.open_24h),
        high: price(row.high_24h),
        low: price(row.low_24h),
        volume: row.volume_24h.map(|size| size.0.value()),
        ..Ticker::default()
    };
    board.ticker(slot, times, ticker.with_change(), out);
    Ok(())
}
