//! `tickwire sub`: a subscription's records, one a line.

use std::io::{self, BufWriter, Write};

use anyhow::anyhow;
use client::{Connection, Endpoint};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use wire::{Control, ErrorCode, ServerMessage};

use crate::cli::SubArgs;
use crate::exit::{Failure, Outcome};
use crate::plant::runtime;

pub(crate) fn run(args: SubArgs) -> Outcome {
    let request = request(&args);
    runtime()?.block_on(stream(args, request))
}

fn request(args: &SubArgs) -> Value {
    let mut request = json!({
        "op": "subscribe", "id": 1, "channels": args.channels, "symbols": args.symbols, "snapshot": !args.no_snapshot,
    });
    if let Some(depth) = args.depth {
        request["depth"] = depth.into();
    }
    if let Some(interval) = &args.interval {
        request["interval"] = interval.as_str().into();
    }
    if let Some(conflate) = args.conflate {
        request["conflate_ms"] = u64::try_from(conflate.as_millis()).unwrap_or(u64::MAX).into();
    }
    request
}

/// A data message, its records as they came.
#[derive(Deserialize)]
struct Records<'a> {
    #[serde(borrow, default)]
    data: Vec<&'a RawValue>,
}

async fn stream(args: SubArgs, request: Value) -> Outcome {
    let count = args.count.unwrap_or(u64::MAX);
    let endpoint = Endpoint::from(args.server);
    let mut connection = Connection::open(&endpoint).await?;
    connection.send(&request).await?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut printed = 0;
    while printed < count {
        let incoming = connection.next().await?;
        match &incoming.message {
            ServerMessage::Control(control) => heed(control)?,
            ServerMessage::Snapshot(_) | ServerMessage::Update(_) | ServerMessage::Unknown(_) => {}
        }
        if args.raw {
            writeln!(out, "{}", incoming.text)?;
            printed += 1;
        } else if let Ok(records) = serde_json::from_str::<Records<'_>>(&incoming.text) {
            for record in records.data {
                if printed < count {
                    writeln!(out, "{record}")?;
                    printed += 1;
                }
            }
        }
        out.flush()?;
    }
    connection.close().await;
    Ok(())
}

/// What the server says beside data: refusals end the command, the rest is told on standard error.
pub(super) fn heed(control: &Control) -> Outcome {
    match control {
        Control::Error(error) if error.code == ErrorCode::Unauthenticated => {
            Err(Failure::auth(anyhow!("the server wants a token: --token, or TICKWIRE_TOKEN")))
        }
        Control::Error(error) if error.op.is_some() => Err(Failure::usage(anyhow!("{}", error.message))),
        Control::Error(error) => {
            tracing::error!("{}", error.message);
            Ok(())
        }
        Control::Ack { ack: wire::Ack::Subscribe { rejected, symbols, .. }, .. } => {
            for rejected in rejected {
                tracing::warn!("{}", rejected.message);
            }
            if !symbols.is_empty() {
                return Ok(());
            }
            let nothing = || anyhow!("nothing of what was asked for can be had");
            match rejected.first() {
                Some(first) if first.code == ErrorCode::Forbidden => Err(Failure::auth(nothing())),
                Some(_) => Err(Failure::usage(nothing())),
                None => {
                    tracing::warn!("no symbol fits yet; those that are listed later will");
                    Ok(())
                }
            }
        }
        Control::Gap(gap) => {
            let count = gap.count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
            tracing::warn!("{count} events of {} {} are missing ({})", gap.channel, gap.symbol, gap.reason);
            Ok(())
        }
        Control::Notice(notice) => {
            if let Some(message) = &notice.message {
                tracing::warn!("{message}");
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
