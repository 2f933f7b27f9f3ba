//! A venue of our own making, which nobody trades at: the example of `crates/ingest/README.md`.
//!
//! | `type` | says | with |
//! |---|---|---|
//! | `levels` | levels changed; `whole`: all of the book | `bids`, `asks`: pairs of price and size |
//! | `best` | best bid and offer | `bid`, `ask`: one pair each, `at` |
//! | `trades` | executions | `trades` |
//! | `error` | what was asked for cannot be | `message` |
//!
//! Nothing is numbered, so that a connection that is opened again voids the books.

use std::borrow::Cow;

use model::{GapReason, Levels, Tick, Trade, UnixNanos};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Link, Normaliser, gap, side};
use crate::board::Board;
use crate::error::FeedError;
use crate::json::{Millis, Pair, PriceText, SizeText, levels, text_of};
use crate::quick;

pub(crate) struct Example {
    board: Board,
}

impl Default for Example {
    fn default() -> Self {
        Self { board: Board::new("example", str::to_ascii_uppercase) }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    instrument: Cow<'a, str>,
    #[serde(borrow, default, rename = "message")]
    why: Cow<'a, str>,
    #[serde(default)]
    whole: bool,
    ms: Option<Millis>,
    #[serde(default)]
    bids: Vec<Pair>,
    #[serde(default)]
    asks: Vec<Pair>,
    at: Option<Cow<'a, str>>,
    bid: Option<Pair>,
    ask: Option<Pair>,
    #[serde(borrow, default)]
    trades: Vec<TradeMessage<'a>>,
}

#[derive(Deserialize)]
struct TradeMessage<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    ms: Millis,
    price: PriceText,
    qty: SizeText,
    #[serde(borrow)]
    taker: Cow<'a, str>,
}

impl Normaliser for Example {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        self.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        if text == "pong" {
            return Ok(());
        }
        let message: Message<'_> = quick::from_str(text)?;
        match message.r#type.as_ref() {
            "levels" => {
                let slot = self.board.slot(&message.instrument)?;
                self.board.comes_over(slot, link.conn);
                // It sends quotes, too: none are to be made from the book.
                self.board.expect_quotes(slot);
                let times = link.times(message.ms.map(|ms| ms.0));
                let levels = Levels { bids: levels(message.bids), asks: levels(message.asks) };
                if message.whole {
                    self.board.snapshot(slot, times, levels, out);
                } else if self.board.is_valid(slot) {
                    self.board.delta(slot, times, levels, out);
                }
            }
            "best" => {
                let slot = self.board.slot(&message.instrument)?;
                let at = message.at.as_deref().map(UnixNanos::from_rfc3339).transpose()?;
                let level = |pair: Option<Pair>| pair.map(|pair| pair.0);
                self.board.quote(slot, link.times(at), level(message.bid), level(message.ask), out);
            }
            "trades" => {
                let slot = self.board.slot(&message.instrument)?;
                for row in message.trades {
                    let (price, size, side) = (row.price.0, row.qty.0, side(&row.taker));
                    let trade = Trade { price, size, side, id: text_of(row.id).map(Into::into) };
                    self.board.trade(slot, link.times(Some(row.ms.0)), trade, false, out);
                }
            }
            "error" => return Err(FeedError::refused(&message.why)),
            // What a venue may add one day is not a fault.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{Definition, Instrument};

    use super::*;
    use crate::capture::Input;
    use crate::{Map, Options, Step, reader};

    const CAPTURE: &str = include_str!("../../../../feeds/recordings/messages.jsonl");
    const MAPPING: &str = include_str!("../../../../feeds/recordings/messages.map.toml");
    const PAGE: &str = include_str!("../../README.md");

    fn read(mut step: impl FnMut(&mut Vec<Tick>) -> Step) -> Vec<Tick> {
        let mut ticks = Vec::new();
        loop {
            match step(&mut ticks) {
                Step::Ticks => {}
                Step::Broken { spot, error } => panic!("{spot}: {error}"),
                Step::End => return ticks,
            }
        }
    }

    fn input() -> Input {
        Input::new(Box::new(CAPTURE.as_bytes()), None).unwrap()
    }

    /// The code and the mapping are two ways to say one thing: so they must say the same of a capture.
    #[test]
    fn it_says_what_its_mapping_says() {
        let mut normaliser = Example::default();
        let mut recording = crate::recording::Recording::new(input());
        let mut by_code = read(|ticks| recording.step(&mut normaliser, ticks));
        for tick in &mut by_code {
            // Code knows how its venue makes names; a mapping does not guess what they say.
            let instrument = Instrument { definition: Definition::default(), ..(*tick.instrument).clone() };
            tick.instrument = Arc::new(instrument);
        }
        let map = Some(Map { name: "messages".to_owned(), text: MAPPING.to_owned() });
        let mut reader = reader("json", &Options { map, ..Options::default() }).unwrap();
        reader.open(input());
        let by_mapping = read(|ticks| reader.step(ticks));
        assert!(by_code.len() > 15, "{}", by_code.len());
        assert_eq!(by_code, by_mapping);
    }

    /// What the page shows is what is compiled here.
    #[test]
    fn the_page_shows_this_file() {
        let code = include_str!("example.rs").split("\n#[cfg(test)]\nmod tests").next().unwrap();
        let shown = PAGE.split("```rust\n").nth(1).unwrap().split("```\n").next().unwrap();
        assert_eq!(shown, code);
    }
}
