//! Bars of a recording, page by page: what a chart of a replay is scrolled back to.

use axum::response::Response;
use model::{Body, Channel, Interval, Placed, UnixNanos};
use serde::Serialize;
use store::{At, Bars, BarsWanted, Recording, State};
use wire::{ErrorCode, Stamp, Writer};

use super::super::recordings::{blocking, may_replay, missing, near, unreadable};
use super::asked::Asked;
use crate::auth::{Bounds, Grant};
use crate::clock;
use crate::limits::DAMAGES_TOLD;
use crate::problem::Problem;
use crate::recordings::Found;
use crate::replay;
use crate::routes::App;

/// What is told beside the records.
#[derive(Serialize)]
struct Head<'a> {
    channel: &'static str,
    symbol: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<&'static str>,
    recording: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    damages: Vec<String>,
}

/// Answers with a page of the bars of the recording of that name.
pub(super) async fn respond(app: &App, grant: &Grant, asked: Asked, name: &str) -> Result<Response, Problem> {
    may_replay(grant)?;
    let found = app.recordings.find(Some(name)).map_err(missing)?;
    let (symbol, channel) = (&asked.symbol, Channel::Candles);
    // Closed bars are held back for nobody, and a book is not asked for: only how late they are had counts.
    let had = grant.narrow(symbol, channel, Bounds::default(), &app.settings.delays).ok_or_else(|| {
        Problem::of(ErrorCode::Forbidden, format!("Your token does not cover {symbol} on {channel}."))
    })?;
    let delay = u64::try_from(had.delay.as_nanos()).unwrap_or(u64::MAX);
    // What is received while it is read counts, where nothing is late.
    let until = if delay == 0 { u64::MAX } else { clock::wall().0.saturating_sub(delay) };
    let playing = app.recordings.play(grant).map_err(missing)?;
    let whose = grant.clone();
    let body = blocking(move || {
        let page = page(&found, &asked, UnixNanos(until), &whose);
        drop(playing);
        page
    });
    Ok(app.charge(grant, app.room.respond(body.await??)?))
}

fn page(found: &Found, asked: &Asked, until: UnixNanos, grant: &Grant) -> Result<Vec<u8>, Problem> {
    let recording = Recording::open(&found.folder).map_err(unreadable)?;
    let wanted = BarsWanted {
        symbol: asked.symbol.clone(),
        interval: asked.stream.interval().unwrap_or(Interval::M1),
        from: asked.from.unwrap_or(UnixNanos(0)),
        to: asked.to.unwrap_or(UnixNanos(u64::MAX)),
        backwards: asked.backwards,
        most: asked.limit,
        until,
    };
    let bars = recording.bars(&wanted).map_err(unreadable)?;
    if bars.bars.is_empty() {
        let (state, _) = recording.seek(At::Position(u64::MAX), &mut Vec::new()).map_err(unreadable)?;
        is_listed(&state, asked, grant)?;
    }
    Ok(write(asked, found, bars))
}

/// Whether the recording has the symbol.
fn is_listed(state: &State, asked: &Asked, grant: &Grant) -> Result<(), Problem> {
    let (symbol, instruments) = (&asked.symbol, state.instruments());
    if instruments.iter().any(|known| known.symbol == *symbol) {
        return Ok(());
    }
    let hint = near(symbol, &instruments, Channel::Candles, grant);
    Err(Problem::of(ErrorCode::UnknownSymbol, format!("{symbol} is not in the recording.{hint}")))
}

fn write(asked: &Asked, found: &Found, Bars { bars, more, damages }: Bars) -> Vec<u8> {
    let last = bars.last().filter(|_| more);
    let head = Head {
        channel: asked.channel().as_str(),
        symbol: asked.symbol.as_str(),
        interval: asked.stream.interval().map(Interval::as_str),
        recording: found.name.as_str(),
        next: last.map(|last| asked.beyond(start_of(last))),
        damages: damages.iter().take(DAMAGES_TOLD).map(replay::damage).collect(),
    };
    let mut body = serde_json::to_vec(&head).expect("it has text keys and no failing parts");
    body.pop();
    body.extend_from_slice(b",\"data\":[");
    for (n, bar) in bars.iter().enumerate() {
        if n > 0 {
            body.push(b',');
        }
        let stamp = Stamp {
            symbol: &asked.symbol,
            seq: bar.seq,
            prev: bar.seq.prev(),
            ts_event: Some(bar.ts_event),
            ts_source: None,
            ts_seq: None,
            ts_recv: Some(bar.ts_recv),
        };
        Writer::new(&mut body).body(&stamp, &bar.body);
    }
    body.extend_from_slice(b"]}");
    body
}

fn start_of(bar: &Placed) -> UnixNanos {
    if let Body::Candle(candle) = &bar.body { candle.start } else { bar.ts_event }
}
