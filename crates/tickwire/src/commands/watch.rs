//! `tickwire watch`: a live table in a terminal, plain lines in a pipe.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use client::{Endpoint, Happening, Subscriber};
use load::now;
use serde_json::json;
use wire::{Control, Data, RecordBody, ServerMessage};

use super::table::Table;
use crate::cli::WatchArgs;
use crate::exit::Outcome;
use crate::plant::runtime;

/// How often the table is drawn.
const DRAW: Duration = Duration::from_millis(250);

pub(crate) fn run(args: WatchArgs) -> Outcome {
    // Eyes do not see more than this; the server coalesces the rest and counts it.
    let request = json!({
        "op": "subscribe", "id": 1, "channels": ["ticker", "status"], "symbols": args.symbols, "conflate_ms": 200,
    });
    let subscriber = Subscriber::new(Endpoint::from(args.server), vec![request]);
    runtime()?.block_on(async {
        if io::stdout().is_terminal() { table(subscriber).await } else { lines(subscriber).await }
    })
}

async fn table(mut subscriber: Subscriber) -> Outcome {
    let mut table = Table::default();
    table.status = "connecting …".into();
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut clock = tokio::time::interval(DRAW);
    let mut drawn = 0;
    loop {
        tokio::select! {
            happening = subscriber.next() => heed(happening?, &mut table)?,
            _ = clock.tick() => {
                let size = terminal_size::terminal_size();
                let (width, height) = size.map_or((120, 40), |(w, h)| (usize::from(w.0), usize::from(h.0)));
                let lines = table.draw(now(), height, width, colour);
                drawn = redraw(&lines, drawn)?;
            }
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// Draws over what was drawn before; returns how many lines there are now.
fn redraw(lines: &[String], before: usize) -> io::Result<usize> {
    let mut out = io::stdout().lock();
    if before > 0 {
        write!(out, "\x1b[{before}A")?;
    }
    for line in lines {
        writeln!(out, "\r{line}\x1b[K")?;
    }
    for _ in lines.len()..before {
        writeln!(out, "\r\x1b[K")?;
    }
    out.flush()?;
    Ok(lines.len().max(before))
}

fn heed(happening: Happening, table: &mut Table) -> Outcome {
    match happening {
        Happening::Connected => {
            table.forget();
            table.status = "live".into();
        }
        Happening::Lost { error, retry_in } => {
            table.status = format!("reconnecting (waited {} ms): {error}", retry_in.as_millis());
        }
        Happening::Message(incoming) => match incoming.message {
            ServerMessage::Snapshot(data) | ServerMessage::Update(data) => take(&data, table),
            ServerMessage::Control(control) => match *control {
                Control::Ack { ack: wire::Ack::Subscribe { rejected, symbols, .. }, .. }
                    if !symbols.is_empty() =>
                {
                    if let Some(first) = rejected.first() {
                        table.status.clone_from(&first.message);
                    }
                }
                Control::Draining(_) => table.status = "the server goes away".into(),
                // A table has no place for warnings.
                Control::Notice(_) | Control::Gap(_) => {}
                other => super::sub::heed(&other)?,
            },
            ServerMessage::Unknown(_) => {}
        },
    }
    Ok(())
}

fn take(data: &Data, table: &mut Table) {
    for record in &data.records {
        let symbol = record.symbol.as_str();
        match &record.body {
            RecordBody::Ticker(ticker) => {
                let coalesced = record.seq.since(record.prev).saturating_sub(1);
                table.ticker(symbol, ticker, coalesced, now());
            }
            RecordBody::Status(status) => table.state(symbol, status.state),
            _ => {}
        }
    }
}

async fn lines(mut subscriber: Subscriber) -> Outcome {
    let mut out = io::stdout().lock();
    loop {
        match subscriber.next().await? {
            Happening::Message(incoming) => match incoming.message {
                ServerMessage::Snapshot(data) | ServerMessage::Update(data) => print(&data, &mut out)?,
                ServerMessage::Control(control) => super::sub::heed(&control)?,
                ServerMessage::Unknown(_) => {}
            },
            Happening::Lost { error, .. } => tracing::warn!("{error}"),
            Happening::Connected => tracing::info!("connected"),
        }
    }
}

/// One line a record: time, symbol, last price, bid, ask, or the state.
fn print(data: &Data, out: &mut impl Write) -> io::Result<()> {
    for record in &data.records {
        let at = record.ts_recv.map(|at| at.to_string()).unwrap_or_default();
        match &record.body {
            RecordBody::Ticker(ticker) => {
                let text =
                    |price: Option<model::Price>| price.map_or_else(|| "-".into(), |price| price.to_string());
                let (bid, ask) = (ticker.bid.map(|level| level.price), ticker.ask.map(|level| level.price));
                let (last, bid, ask) = (text(ticker.last_price), text(bid), text(ask));
                writeln!(out, "{at} {} {last} {bid} {ask}", record.symbol)?;
            }
            RecordBody::Status(status) => writeln!(out, "{at} {} {}", record.symbol, status.state)?,
            _ => {}
        }
    }
    out.flush()
}
