//! Our own simulated venue: what [`crate::sim`] makes, as messages.
//!
//! | `e` | says | with |
//! |---|---|---|
//! | `book` | levels changed; `x` true: the whole book | `b`, `a`: pairs of price and size |
//! | `gap` | the book is void | `r` why: one of [`GapReason`]'s names; `f`, `l` first and last lost, where it is known |
//! | `trade` | an execution | `i` id, `p` price, `q` size, `d` taker side |
//! | `correct` | an execution is taken back, or something holds instead | `i` its id; `p`, `q`, `d` of what holds |
//! | `quote` | best bid and offer | `b`, `a`: one pair or none each |
//! | `status` | a state is entered | `w` state, `r` reason |
//!
//! Every message has `s`, the symbol, and `t`, nanoseconds since the epoch.

use std::borrow::Cow;

use model::{
    Body, BookChange, FeedGap, GapReason, Level, Levels, Side, State, StatusChange, Tick, Trade, UnixNanos,
};
use serde::Deserialize;

use super::{Link, Normaliser};
use crate::board::Board;
use crate::error::FeedError;
use crate::json::{Pair, PriceText, SizeText, levels};
use crate::quick;

/// The venue's name.
pub(crate) const VENUE: &str = "sim";

pub(crate) struct Sim {
    board: Board,
}

impl Default for Sim {
    fn default() -> Self {
        Self { board: Board::new(VENUE, str::to_owned) }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    e: Cow<'a, str>,
    #[serde(borrow)]
    s: Cow<'a, str>,
    t: u64,
    #[serde(default)]
    x: bool,
    #[serde(default)]
    b: Vec<Pair>,
    #[serde(default)]
    a: Vec<Pair>,
    #[serde(borrow)]
    i: Option<Cow<'a, str>>,
    f: Option<u64>,
    l: Option<u64>,
    p: Option<PriceText>,
    q: Option<SizeText>,
    #[serde(borrow)]
    d: Option<Cow<'a, str>>,
    #[serde(borrow)]
    w: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    r: Cow<'a, str>,
}

fn taker(side: Option<&str>) -> Side {
    match side {
        Some("buy") => Side::Buy,
        Some("sell") => Side::Sell,
        _ => Side::Unknown,
    }
}

impl Normaliser for Sim {
    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let message: Message<'_> = quick::from_str(text)?;
        let slot = self.board.slot(&message.s)?;
        self.board.expect_quotes(slot);
        let times = link.times(Some(UnixNanos(message.t)));
        match message.e.as_ref() {
            "book" => {
                let levels = Levels { bids: levels(message.b), asks: levels(message.a) };
                if message.x {
                    self.board.snapshot(slot, times, levels, out);
                } else if self.board.is_valid(slot) {
                    self.board.delta(slot, times, levels, out);
                }
            }
            "gap" => {
                let reason = GapReason::from_name(&message.r).ok_or(FeedError::Missing("r"))?;
                let gap = FeedGap { reason, venue_from: message.f, venue_to: message.l };
                match reason {
                    GapReason::Delisted => self.board.delist(slot, times, out),
                    _ => self.board.void(slot, times, gap, out),
                }
            }
            "trade" => {
                let trade = Trade {
                    price: message.p.ok_or(FeedError::Missing("p"))?.0,
                    size: message.q.ok_or(FeedError::Missing("q"))?.0,
                    side: taker(message.d.as_deref()),
                    id: message.i.map(|id| id.as_ref().into()),
                };
                self.board.trade(slot, times, trade, false, out);
            }
            "correct" => {
                let id = message.i.as_deref().ok_or(FeedError::Missing("i"))?;
                let becomes = message.p.zip(message.q).map(|(price, size)| Trade {
                    price: price.0,
                    size: size.0,
                    side: taker(message.d.as_deref()),
                    id: Some(id.into()),
                });
                self.board.correct(slot, times, id, None, becomes, out);
            }
            "quote" => {
                let first = |side: Vec<Pair>| side.first().map(|pair| pair.0);
                self.board.quote(slot, times, first(message.b), first(message.a), out);
            }
            "status" => {
                let state = message.w.as_deref().and_then(State::from_name);
                let state = state.ok_or(FeedError::Missing("w"))?;
                self.board.state(slot, times, state, &message.r, out);
            }
            _ => {}
        }
        Ok(())
    }
}

/// The message that says what a tick of the simulation says, for recordings of it. `None` for what
/// the simulated venue does not send.
#[must_use]
pub fn message(tick: &Tick) -> Option<String> {
    let symbol = &tick.instrument.venue_symbol;
    let at = tick.ts_event?.0;
    let pairs = |levels: &[Level]| {
        let pair = |level: &Level| format!("[\"{}\",\"{}\"]", level.price, level.size);
        levels.iter().map(pair).collect::<Vec<_>>().join(",")
    };
    let book = |levels: &Levels, whole: &str| {
        let (bids, asks) = (pairs(&levels.bids), pairs(&levels.asks));
        format!(r#"{{"e":"book","s":"{symbol}","t":{at}{whole},"b":[{bids}],"a":[{asks}]}}"#)
    };
    Some(match &tick.body {
        Body::Book(BookChange::Snapshot(levels)) => book(levels, r#","x":true"#),
        Body::Book(BookChange::Delta(levels)) => book(levels, ""),
        Body::Book(BookChange::Gap(gap)) => {
            let end = |name: &str, end: Option<u64>| end.map(|end| format!(r#","{name}":{end}"#));
            let ends = [end("f", gap.venue_from), end("l", gap.venue_to)].map(Option::unwrap_or_default);
            let reason = gap.reason.as_str();
            format!(r#"{{"e":"gap","s":"{symbol}","t":{at},"r":"{reason}"{}}}"#, ends.concat())
        }
        Body::Trade(Trade { price, size, side, id }) => {
            let (id, side) = (id.as_deref().unwrap_or_default(), side.as_str());
            format!(
                r#"{{"e":"trade","s":"{symbol}","t":{at},"i":"{id}","p":"{price}","q":"{size}","d":"{side}"}}"#
            )
        }
        Body::Correction(correction) => {
            let id = &correction.id;
            let becomes = correction.becomes.as_ref().map(|Trade { price, size, side, .. }| {
                format!(r#","p":"{price}","q":"{size}","d":"{}""#, side.as_str())
            });
            let becomes = becomes.unwrap_or_default();
            format!(r#"{{"e":"correct","s":"{symbol}","t":{at},"i":"{id}"{becomes}}}"#)
        }
        Body::Quote(quote) => {
            let side = |level: Option<Level>| pairs(level.as_slice());
            let (bid, ask) = (side(quote.bid), side(quote.ask));
            format!(r#"{{"e":"quote","s":"{symbol}","t":{at},"b":[{bid}],"a":[{ask}]}}"#)
        }
        Body::Status(change) => {
            let StatusChange { state, reason, .. } = &**change;
            format!(r#"{{"e":"status","s":"{symbol}","t":{at},"w":"{state}","r":"{reason}"}}"#)
        }
        _ => return None,
    })
}
