//! Kraken WebSocket v1: arrays, with a CRC-32 on every book update.
//!
//! Source: Kraken, "WebSockets 1.9", book and checksum chapters. The book is cut back to the
//! subscribed depth after every update; the checksum covers the ten best levels of each side.

use std::borrow::Cow;

use model::{FeedGap, GapReason, Level, Levels, Price, Side, Size, Tick, Ticker, Trade, UnixNanos};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Link, Normaliser, gap, names};
use crate::board::{Board, Slot};
use crate::error::FeedError;
use crate::json::{PriceText, SizeText};
use crate::quick;

pub(crate) struct Kraken {
    board: Board,
}

impl Default for Kraken {
    fn default() -> Self {
        Self { board: Board::new("kraken", names::kraken) }
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "event")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    pair: Option<Cow<'a, str>>,
    #[serde(borrow)]
    subscription: Option<Subscription<'a>>,
}

#[derive(Deserialize)]
struct Subscription<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct BookLevel<'a>(
    PriceText,
    SizeText,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(default)]
    #[expect(dead_code, reason = "a fourth part marks a level sent again, which says nothing new")]
    Option<IgnoredAny>,
);

#[derive(Deserialize)]
struct BookPart<'a> {
    #[serde(borrow, rename = "as")]
    ask_snapshot: Option<Vec<BookLevel<'a>>>,
    #[serde(borrow, rename = "bs")]
    bid_snapshot: Option<Vec<BookLevel<'a>>>,
    #[serde(borrow, default)]
    a: Vec<BookLevel<'a>>,
    #[serde(borrow, default)]
    b: Vec<BookLevel<'a>>,
    #[serde(borrow)]
    c: Option<Cow<'a, str>>,
}

/// Price, volume, time, side, order type, misc.
#[derive(Deserialize)]
struct TradeRow<'a>(
    PriceText,
    SizeText,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    IgnoredAny,
    IgnoredAny,
);

#[derive(Deserialize)]
struct TickerBody {
    a: (PriceText, IgnoredAny, SizeText),
    b: (PriceText, IgnoredAny, SizeText),
    c: (PriceText, SizeText),
    /// Today, and the last 24 hours.
    v: (SizeText, SizeText),
    l: (PriceText, PriceText),
    h: (PriceText, PriceText),
    o: (PriceText, PriceText),
}

impl Kraken {
    fn event(&mut self, text: &str) -> Result<(), FeedError> {
        let event: Event<'_> = quick::from_str(text)?;
        if event.status == "error" || event.kind == "error" {
            return Err(FeedError::refused(text));
        }
        if event.kind == "subscriptionStatus"
            && event.status == "subscribed"
            && let (Some(pair), Some(subscription)) = (event.pair, event.subscription)
            && matches!(subscription.name.as_ref(), "ticker" | "spread")
        {
            let slot = self.board.slot(&pair)?;
            self.board.expect_quotes(slot);
        }
        Ok(())
    }

    fn book(
        &mut self,
        link: &Link<'_>,
        slot: Slot,
        depth: usize,
        parts: &[&RawValue],
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        self.board.comes_over(slot, link.conn);
        let mut event = None;
        let mut levels = Levels::default();
        let (mut is_snapshot, mut checksum) = (false, None);
        for part in parts {
            let part: BookPart<'_> = quick::from_str(part.get())?;
            is_snapshot |= part.ask_snapshot.is_some() || part.bid_snapshot.is_some();
            let asks = part.ask_snapshot.into_iter().flatten().chain(part.a);
            let bids = part.bid_snapshot.into_iter().flatten().chain(part.b);
            take(&mut levels.asks, asks, &mut event)?;
            take(&mut levels.bids, bids, &mut event)?;
            if let Some(text) = part.c {
                checksum = Some(text.parse::<u32>().map_err(|_| FeedError::Missing("c"))?);
            }
        }
        let times = link.times(event);
        if is_snapshot {
            self.board.snapshot(slot, times, levels, out);
        } else if self.board.is_valid(slot) {
            let is_right = |book: &model::Book| checksum.is_none_or(|sum| book.checksum(usize::MAX) == sum);
            if !self.board.checked_delta(slot, times, levels, depth, is_right, out) {
                self.board.void(slot, times, gap(GapReason::Checksum), out);
            }
        }
        Ok(())
    }

    fn trades(
        &mut self,
        link: &Link<'_>,
        slot: Slot,
        part: &RawValue,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let rows: Vec<TradeRow<'_>> = quick::from_str(part.get())?;
        for TradeRow(price, size, time, side, ..) in rows {
            let side = match side.as_ref() {
                "b" => Side::Buy,
                "s" => Side::Sell,
                _ => Side::Unknown,
            };
            let times = link.times(Some(UnixNanos::from_decimal_seconds(&time)?));
            self.board.trade(slot, times, Trade { price: price.0, size: size.0, side, id: None }, false, out);
        }
        Ok(())
    }

    fn ticker(
        &mut self,
        link: &Link<'_>,
        slot: Slot,
        part: &RawValue,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let body: TickerBody = quick::from_str(part.get())?;
        let times = link.times(None);
        let bid = Some(Level { price: body.b.0.0, size: body.b.2.0 });
        let ask = Some(Level { price: body.a.0.0, size: body.a.2.0 });
        self.board.quote(slot, times, bid, ask, out);
        let ticker = Ticker {
            last_price: Some(body.c.0.0),
            last_size: Some(body.c.1.0),
            bid,
            ask,
            open: Some(body.o.1.0),
            high: Some(body.h.1.0),
            low: Some(body.l.1.0),
            volume: Some(body.v.1.0.value()),
            change: None,
            change_percent: None,
        };
        self.board.ticker(slot, times, ticker.with_change(), out);
        Ok(())
    }

    /// Bid, ask, time, bid volume, ask volume.
    fn spread(
        &mut self,
        link: &Link<'_>,
        slot: Slot,
        part: &RawValue,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let (bid, ask, time, bid_size, ask_size): (PriceText, PriceText, Cow<'_, str>, SizeText, SizeText) =
            quick::from_str(part.get())?;
        let times = link.times(Some(UnixNanos::from_decimal_seconds(&time)?));
        let level = |price: Price, size: Size| Some(Level { price, size });
        self.board.quote(slot, times, level(bid.0, bid_size.0), level(ask.0, ask_size.0), out);
        Ok(())
    }
}

/// Collects levels and the newest of their times.
fn take<'a>(
    side: &mut Vec<Level>,
    rows: impl Iterator<Item = BookLevel<'a>>,
    newest: &mut Option<UnixNanos>,
) -> Result<(), FeedError> {
    for BookLevel(price, size, time, _) in rows {
        *newest = (*newest).max(Some(UnixNanos::from_decimal_seconds(&time)?));
        side.push(Level { price: price.0, size: size.0 });
    }
    Ok(())
}

impl Normaliser for Kraken {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        let lost: FeedGap = gap(GapReason::Reconnect);
        self.board.void_all(link.conn, link.times(None), lost, out);
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        if !text.starts_with('[') {
            return self.event(text);
        }
        let array: Vec<&RawValue> = quick::from_str(text)?;
        // Channel id, one part or two, channel name, pair.
        let [_, parts @ .., channel, pair] = array.as_slice() else {
            return Err(FeedError::Missing("channel"));
        };
        let (channel, pair): (Cow<'_, str>, Cow<'_, str>) =
            (quick::from_str(channel.get())?, quick::from_str(pair.get())?);
        let slot = self.board.slot(&pair)?;
        let first = parts.first().ok_or(FeedError::Missing("payload"))?;
        match channel.split_once('-').unwrap_or((&channel, "")) {
            ("book", depth) => {
                let depth = depth.parse().map_err(|_| FeedError::Missing("depth"))?;
                self.book(link, slot, depth, parts, out)
            }
            ("trade", _) => self.trades(link, slot, first, out),
            ("ticker", _) => self.ticker(link, slot, first, out),
            ("spread", _) => self.spread(link, slot, first, out),
            _ => Ok(()),
        }
    }
}
