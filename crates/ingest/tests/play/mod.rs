//! Scripts of frames: what a normaliser is fed, and in short what came of it.

#![allow(dead_code, reason = "not all who ask need all of it")]

use ingest::{FeedError, Link, Normaliser, normaliser};
use model::{Body, BookChange, GapReason, Level, State, Tick, UnixNanos};

/// Feeds frames and tells in short what came of each: `S` snapshot, `D` delta, `Q` derived quote,
/// `q` quote of the venue, `T` trade, `t` ticker, `X` correction, `G…` gap, `!…` state, `x…` refused,
/// `-` nothing.
pub(crate) struct Play(pub(crate) Box<dyn Normaliser>);

impl Play {
    pub(crate) fn new(feed: &str) -> Self {
        Self(normaliser(feed).unwrap())
    }

    pub(crate) fn frame(&mut self, text: &str) -> String {
        self.frame_on("c", text)
    }

    pub(crate) fn frame_on(&mut self, conn: &str, text: &str) -> String {
        self.told(say, |it, out| it.handle_frame(&link(conn), text, out))
    }

    /// What came of a frame, with its numbers.
    pub(crate) fn full(&mut self, text: &str) -> String {
        self.told(say_all, |it, out| it.handle_frame(&link("c"), text, out))
    }

    pub(crate) fn binary(&mut self, bytes: &[u8]) -> String {
        self.told(say, |it, out| it.handle_binary(&link("c"), bytes, out))
    }

    pub(crate) fn answer(&mut self, url: &str, body: &str) -> String {
        self.told(say, |it, out| it.handle_answer(&link(""), url, body, out))
    }

    pub(crate) fn connect(&mut self, conn: &str) -> String {
        self.connect_to(conn, "wss://x/v5/public/linear")
    }

    pub(crate) fn connect_to(&mut self, conn: &str, addr: &str) -> String {
        let mut out = Vec::new();
        self.0.handle_connect(&link(conn), addr, &mut out);
        out.iter().map(say).collect::<Vec<_>>().join(" ")
    }

    fn told(
        &mut self,
        say: fn(&Tick) -> String,
        feed: impl FnOnce(&mut dyn Normaliser, &mut Vec<Tick>) -> Result<(), FeedError>,
    ) -> String {
        let mut out = Vec::new();
        let result = feed(&mut *self.0, &mut out);
        let mut said: Vec<_> = out.iter().map(say).collect();
        said.extend(result.err().map(|error| format!("x{}", error.reason())));
        if said.is_empty() { "-".into() } else { said.join(" ") }
    }
}

fn link(conn: &str) -> Link<'_> {
    Link { conn, recv: Some(UnixNanos(1)) }
}

/// With whose and which it is: `venue:SYMBOL/venue symbol`, then levels as `1.0x2`, bids before the bar.
fn say_all(tick: &Tick) -> String {
    let level = |level: &Level| format!("{}x{}", level.price, level.size);
    let side = |side: &[Level]| side.iter().map(level).collect::<Vec<_>>().join(",");
    let one = |side: Option<Level>| side.as_ref().map(level).unwrap_or_default();
    let text = |value: Option<String>| value.unwrap_or_default();
    let what = match &tick.body {
        Body::Trade(trade) | Body::OldTrade(trade) => {
            let id = trade.id.as_deref().unwrap_or_default();
            format!("{}{}x{}#{id}", trade.side.as_str(), trade.price, trade.size)
        }
        Body::Quote(quote) => format!("{}|{}", one(quote.bid), one(quote.ask)),
        Body::Ticker(ticker) => [
            ticker.last_price.map(|price| price.to_string()),
            ticker.open.map(|price| price.to_string()),
            ticker.high.map(|price| price.to_string()),
            ticker.low.map(|price| price.to_string()),
            ticker.volume.map(|volume| volume.to_string()),
            ticker.change_percent.map(|percent| percent.to_string()),
        ]
        .map(text)
        .join(","),
        Body::Book(BookChange::Snapshot(levels) | BookChange::Delta(levels)) => {
            format!("{}|{}", side(&levels.bids), side(&levels.asks))
        }
        _ => String::new(),
    };
    let of = &tick.instrument;
    let at = tick.ts_event.map_or_else(String::new, |at| format!("@{}", at.0));
    format!("{} {}:{}/{} {what}{at};", say(tick), of.venue.as_str(), of.symbol, of.venue_symbol)
}

fn say(tick: &Tick) -> String {
    match &tick.body {
        Body::Trade(_) => "T".into(),
        Body::OldTrade(_) => "O".into(),
        Body::Quote(quote) => if quote.derived { "Q" } else { "q" }.into(),
        Body::Ticker(_) => "t".into(),
        Body::Book(BookChange::Snapshot(_)) => "S".into(),
        Body::Book(BookChange::Delta(_)) => "D".into(),
        Body::Book(BookChange::Gap(gap)) => match (gap.reason, gap.venue_from, gap.venue_to) {
            (GapReason::Sequence, Some(from), Some(to)) => format!("G{from}-{to}"),
            (reason, ..) => format!("G({})", reason.as_str()),
        },
        Body::Status(change) => {
            if change.state == State::Open {
                "!open".into()
            } else {
                format!("!{}", change.state)
            }
        }
        Body::Candle(_) => "C".into(),
        Body::Correction(_) => "X".into(),
    }
}
