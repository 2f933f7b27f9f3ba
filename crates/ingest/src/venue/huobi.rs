//! Huobi (HTX): frames packed with gzip; spot, swaps and futures.
//!
//! Source: Huobi, "Spot API", "Coin margined swap", "USDT margined contracts" and "Futures API". `depth.stepN` and
//! `mbp.refresh.N` are whole books. `mbp.N` are changes whose `prevSeqNum` is the `seqNum` before, on top of the
//! answer to a request (`rep`). `depth.size_N.high_freq` of derivatives counts `version` up by one from its
//! `snapshot`. Of an instrument that is no longer listed, books come without sides.

use std::borrow::Cow;

use model::{GapReason, Level, Levels, Price, Tick, Ticker, Trade};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::sync::{Diff, Fit, Stand, Sync};
use super::unpack::gunzip;
use super::{Link, Normaliser, gap, names, side};
use crate::board::{Board, PerSlot};
use crate::error::FeedError;
use crate::json::{Millis, NumberPair, PriceNumber, SizeNumber, number_levels, text_of};
use crate::quick;

/// Levels a side of `depth.step0`.
const STEP_LEVELS: u32 = 150;

pub(crate) struct Huobi {
    spot: Market,
    swap: Market,
    linear: Market,
    futures: Market,
}

struct Market {
    board: Board,
    books: PerSlot<Sync>,
}

impl Default for Huobi {
    fn default() -> Self {
        let market = |name, rename| Market { board: Board::new(name, rename), books: PerSlot::default() };
        Self {
            spot: market("huobi", names::huobi),
            swap: market("huobi-swap", names::huobi_derivative),
            linear: market("huobi-linear-swap", names::huobi_derivative),
            futures: market("huobi-futures", names::huobi_derivative),
        }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    ch: Option<Cow<'a, str>>,
    /// What a request was for that this answers.
    #[serde(borrow)]
    rep: Option<Cow<'a, str>>,
    #[serde(borrow)]
    subbed: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    status: Cow<'a, str>,
    ts: Option<Millis>,
    #[serde(borrow)]
    tick: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Book<'a> {
    bids: Option<Vec<NumberPair>>,
    asks: Option<Vec<NumberPair>>,
    ts: Option<Millis>,
    seq_num: Option<u64>,
    prev_seq_num: Option<u64>,
    version: Option<u64>,
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Trades<'a> {
    #[serde(borrow)]
    data: Vec<TradeRow<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TradeRow<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    trade_id: Option<&'a RawValue>,
    ts: Millis,
    amount: SizeNumber,
    price: PriceNumber,
    #[serde(borrow, default)]
    direction: Cow<'a, str>,
}

/// `bbo`, `ticker` and `detail`, of spot and of derivatives, which write a side as price and size.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    #[serde(borrow)]
    bid: Option<&'a RawValue>,
    bid_size: Option<SizeNumber>,
    #[serde(borrow)]
    ask: Option<&'a RawValue>,
    ask_size: Option<SizeNumber>,
    open: Option<PriceNumber>,
    high: Option<PriceNumber>,
    low: Option<PriceNumber>,
    close: Option<PriceNumber>,
    last_size: Option<SizeNumber>,
    amount: Option<SizeNumber>,
    #[serde(alias = "quoteTime")]
    ts: Option<Millis>,
}

/// A part of a message, and where it came from.
struct Part<'a> {
    link: &'a Link<'a>,
    sent: Option<Millis>,
    symbol: &'a str,
    /// What follows the symbol in the channel's name.
    channel: &'a str,
    /// The answer to a request, not what was subscribed to.
    is_answer: bool,
    text: &'a str,
}

impl Huobi {
    /// The market is told by how it writes its symbols.
    fn market(&mut self, symbol: &str) -> &mut Market {
        if symbol.chars().any(|c| c.is_ascii_lowercase()) {
            return &mut self.spot;
        }
        match symbol.split('-').nth(1) {
            None => &mut self.futures,
            Some("USD") => &mut self.swap,
            Some(_) => &mut self.linear,
        }
    }
}

impl Market {
    fn part(&mut self, part: &Part<'_>, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let mut words = part.channel.split('.');
        let (first, second) = (words.next(), words.next());
        let step = second.and_then(|word| word.strip_prefix("step"));
        match (first, second) {
            // Each step puts more prices together.
            (Some("depth"), _) if let Some(step) = step => {
                let joined = step.parse().unwrap_or(STEP_LEVELS);
                self.whole(part, STEP_LEVELS.saturating_sub(joined), out)
            }
            (Some("mbp"), Some("refresh")) => {
                let depth = words.next().and_then(|depth| depth.parse().ok());
                self.whole(part, depth.unwrap_or(0), out)
            }
            (Some("mbp"), Some(_)) => self.changes(part, out),
            (Some("depth"), Some(_)) => self.versions(part, out),
            (Some("trade"), _) => self.trades(part, out),
            (Some("bbo" | "ticker" | "detail"), None) => self.summary(part, out),
            _ => Ok(()),
        }
    }

    fn whole(&mut self, part: &Part<'_>, depth: u32, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let book: Book<'_> = quick::from_str(part.text)?;
        let Some((times, levels)) = book.levels(part) else { return Ok(()) };
        let slot = self.board.slot(part.symbol)?;
        if self.board.takes(slot, part.link.conn, depth, true) {
            self.books.at(slot).whole((&mut self.board, slot), times, levels, out);
        }
        Ok(())
    }

    /// `mbp.N`.
    fn changes(&mut self, part: &Part<'_>, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let book: Book<'_> = quick::from_str(part.text)?;
        let number = book.seq_num.ok_or(FeedError::Missing("seqNum"))?;
        let previous = book.prev_seq_num;
        let Some((times, levels)) = book.levels(part) else { return Ok(()) };
        let slot = self.board.slot(part.symbol)?;
        self.board.comes_over(slot, part.link.conn);
        let (book, whole) = (self.books.at(slot), (&mut self.board, slot));
        if part.is_answer {
            book.snapshot(whole, linked, (number, times), levels, out);
        } else {
            let first = previous.unwrap_or(number).saturating_add(1).min(number);
            let diff = Diff { first, last: number, previous, times, levels, numbers: None };
            book.diff(whole, linked, diff, out);
        }
        Ok(())
    }

    /// `depth.size_N.high_freq`.
    fn versions(&mut self, part: &Part<'_>, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let book: Book<'_> = quick::from_str(part.text)?;
        let number = book.version.ok_or(FeedError::Missing("version"))?;
        let is_snapshot = book.event.as_deref().is_none_or(|event| event == "snapshot");
        let Some((times, levels)) = book.levels(part) else { return Ok(()) };
        let slot = self.board.slot(part.symbol)?;
        self.board.comes_over(slot, part.link.conn);
        let (book, whole) = (self.books.at(slot), (&mut self.board, slot));
        if is_snapshot {
            // It may begin anew with lower numbers.
            book.forget();
            book.snapshot(whole, linked, (number, times), levels, out);
        } else {
            let previous = Some(number.saturating_sub(1));
            let diff = Diff { first: number, last: number, previous, times, levels, numbers: None };
            book.diff(whole, linked, diff, out);
        }
        Ok(())
    }

    fn trades(&mut self, part: &Part<'_>, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let rows: Vec<TradeRow<'_>> = if part.is_answer {
            quick::from_str(part.text)?
        } else {
            quick::from_str::<Trades<'_>>(part.text)?.data
        };
        let slot = self.board.slot(part.symbol)?;
        for row in rows {
            let trade = Trade {
                price: row.price.0,
                size: row.amount.0,
                side: side(&row.direction),
                id: row.trade_id.or(row.id).and_then(text_of).map(Into::into),
            };
            self.board.trade(slot, part.link.times(Some(row.ts.0)), trade, part.is_answer, out);
        }
        Ok(())
    }

    fn summary(&mut self, part: &Part<'_>, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let data: Summary<'_> = quick::from_str(part.text)?;
        let slot = self.board.slot(part.symbol)?;
        let times = part.times(data.ts);
        let (bid, ask) = (level(data.bid, data.bid_size)?, level(data.ask, data.ask_size)?);
        if data.bid.is_some() && data.ask.is_some() {
            self.board.quote(slot, times, bid, ask, out);
        }
        if data.close.is_some() {
            let price = |price: Option<PriceNumber>| price.map(|price| price.0);
            let ticker = Ticker {
                last_price: price(data.close),
                last_size: data.last_size.map(|size| size.0),
                bid,
                ask,
                open: price(data.open),
                high: price(data.high),
                low: price(data.low),
                volume: data.amount.map(|size| size.0.value()),
                ..Ticker::default()
            };
            self.board.ticker(slot, times, ticker.with_change(), out);
        }
        Ok(())
    }
}

impl Part<'_> {
    fn times(&self, event: Option<Millis>) -> crate::board::Times {
        self.link.times(event.or(self.sent).map(|at| at.0))
    }
}

impl Book<'_> {
    /// None where neither side is told. A change may tell one.
    fn levels(self, part: &Part<'_>) -> Option<(crate::board::Times, Levels)> {
        if self.bids.is_none() && self.asks.is_none() {
            return None;
        }
        let side = |side: Option<Vec<NumberPair>>| side.map(number_levels).unwrap_or_default();
        Some((part.times(self.ts), Levels { bids: side(self.bids), asks: side(self.asks) }))
    }
}

/// A side as `[price,size]`, or as a price with its size beside it.
fn level(side: Option<&RawValue>, size: Option<SizeNumber>) -> Result<Option<Level>, FeedError> {
    let Some(text) = side.and_then(text_of) else { return Ok(None) };
    let level = if text.starts_with('[') {
        Some(quick::from_str::<NumberPair>(text)?.0)
    } else {
        let price = Price::parse(text)?;
        size.map(|size| Level { price, size: size.0 })
    };
    Ok(level.filter(|level| !level.size.is_zero()))
}

fn linked(stand: Stand, diff: &Diff) -> Fit {
    let at = stand.at();
    if diff.last <= at {
        return Fit::Stale;
    }
    let previous = diff.previous.unwrap_or(diff.first.saturating_sub(1));
    let follows = match stand {
        // The answer to a request may stand between two changes.
        Stand::Snapshot(_) => previous <= at,
        Stand::Diff(_) => previous == at,
    };
    Fit::follows_if(follows, at.saturating_add(1), previous)
}

/// Symbol and the rest of a channel's name, `market.btcusdt.depth.step0`.
fn split(channel: &str) -> Option<(&str, &str)> {
    channel.strip_prefix("market.")?.split_once('.')
}

impl Normaliser for Huobi {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        for market in [&mut self.spot, &mut self.swap, &mut self.linear, &mut self.futures] {
            for slot in market.board.slots_over(link.conn) {
                market.books.at(slot).forget();
            }
            market.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
        }
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: Message<'_> = quick::from_str(text)?;
        if message.status == "error" {
            return Err(FeedError::refused(text));
        }
        if let Some((symbol, "bbo" | "ticker")) = message.subbed.as_deref().and_then(split) {
            let board = &mut self.market(symbol).board;
            let slot = board.slot(symbol)?;
            board.expect_quotes(slot);
        }
        let is_answer = message.rep.is_some();
        let body = if is_answer { message.data.or(message.tick) } else { message.tick };
        let named = message.ch.or(message.rep);
        let (Some((symbol, channel)), Some(body)) = (named.as_deref().and_then(split), body) else {
            return Ok(());
        };
        let part = Part { link, sent: message.ts, symbol, channel, is_answer, text: body.get() };
        self.market(symbol).part(&part, out)
    }

    fn handle_binary(&mut self, link: &Link<'_>, bytes: &[u8], out: &mut Vec<Tick>) -> Result<(), FeedError> {
        self.handle_frame(link, &gunzip(bytes)?, out)
    }
}
