//! `tickwire emulate`: a venue, played from captures.

use std::io::{self, Write};

use anyhow::{Context, anyhow};
use emulate::{Emulator, Kind, Options, Script, ScriptError};
use ingest::live::LIVE_FEEDS;

use crate::cli::EmulateArgs;
use crate::exit::{Failure, Outcome};
use crate::plant::runtime;

pub(crate) fn run(args: &EmulateArgs) -> Outcome {
    let mut out = io::stdout().lock();
    if args.list_faults {
        for kind in Kind::ALL {
            writeln!(out, "{:18} {}", kind.name(), kind.about())?;
        }
        return Ok(());
    }
    let feed = args.feed.as_deref().unwrap_or_default();
    let script = Script::load(feed, &args.files).map_err(|error| {
        let near = match &error {
            ScriptError::Feed(given) => wire::closest(given, LIVE_FEEDS),
            _ => None,
        };
        Failure::usage(
            near.map_or_else(|| anyhow!("{error}"), |near| anyhow!("{error}. Did you mean {near:?}?")),
        )
    })?;
    let symbols = script.symbols().join(", ");
    let options =
        Options { addr: args.addr, speed: args.speed, lead: args.lead, faults: args.faults.clone() };
    let runtime = runtime()?;
    runtime.block_on(async {
        let emulator = Emulator::bind(script, options).await;
        let emulator = emulator.with_context(|| format!("cannot listen on {}", args.addr))?;
        let address = emulator.address().context("the port is not told")?;
        writeln!(
            out,
            "{feed} is played: ws_url = \"ws://{address}\", rest_url = \"http://{address}\"; {symbols}"
        )?;
        out.flush()?;
        tokio::select! {
            () = emulator.serve() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        anyhow::Ok(())
    })?;
    runtime.shutdown_background();
    Ok(())
}
