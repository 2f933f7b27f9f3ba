//! `tickwire record --live`: a venue's streams as a recording, with its messages as they came.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use fanout::Sequencer;
use ingest::capture::Input;
use ingest::feed::{self, FeedKind, FeedSpec, Gate, Stop};
use model::UnixNanos;
use store::{Journal, Settings};
use tokio::sync::mpsc;

use super::{say, size};
use crate::cli::RecordArgs;
use crate::config::{self, Feed};
use crate::exit::{Failure, Outcome};
use crate::plant::runtime;

/// How often what was recorded is made safe.
const SYNC_EVERY: Duration = Duration::from_millis(100);

/// Records until told to stop.
pub(super) fn run(args: &RecordArgs, definition: &Path) -> Outcome {
    let Feed::Read(mut spec @ FeedSpec { kind: FeedKind::Live(_), .. }) =
        config::feed(definition).map_err(Failure::usage)?
    else {
        let error = anyhow!("{}: not a live feed; captures are recorded with --feed", definition.display());
        return Err(Failure::usage(error));
    };
    let settings = Settings { level: args.level, ..Settings::new(wire::line) };
    let mut journal = Journal::create(&args.output, settings)?;
    // Beside the recording first, so that what came is there should this process be killed.
    let mut name = args.output.file_name().unwrap_or_default().to_owned();
    name.push(".raw");
    let raw = args.output.with_file_name(name);
    if let FeedKind::Live(live) = &mut spec.kind
        && args.raw
    {
        live.raw = Some(raw.clone());
    }
    let prepared = feed::prepare(spec).map_err(Failure::usage)?;
    let (sink, mut batches) = mpsc::channel(16);
    let stop = Stop::default();
    let thread = prepared.start(sink, Gate::default(), stop.clone(), None)?;
    let runtime = runtime()?;
    let duration = args.duration;
    runtime.spawn(async move {
        let over = async {
            match duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = over => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.stop();
    });
    let (mut sequencer, mut clock, mut synced) =
        (Sequencer::default(), UnixNanos(0), std::time::Instant::now());
    while let Some(batch) = batches.blocking_recv() {
        for tick in batch {
            clock = tick.ts_recv.unwrap_or(clock).max(clock);
            if let Some(event) = sequencer.push(tick, clock).map_err(anyhow::Error::from)? {
                journal.push(&event.record);
            }
        }
        if synced.elapsed() >= SYNC_EVERY {
            journal.sync()?;
            synced = std::time::Instant::now();
        }
    }
    runtime.shutdown_background();
    thread.join().map_err(|_| anyhow!("the feed has failed"))?;
    if args.raw && raw.exists() {
        keep(&mut journal, &raw)?;
    }
    let manifest = journal.finish()?;
    let bytes = manifest.segments.iter().map(|segment| segment.bytes).sum();
    say(&format!("{}: {}", args.output.display(), size(manifest.records, bytes)));
    Ok(())
}

/// Moves the captures into the recording.
fn keep(journal: &mut Journal, raw: &Path) -> Outcome {
    let told = || raw.display().to_string();
    for entry in fs::read_dir(raw).with_context(told)? {
        let path = entry.with_context(told)?.path();
        let mut input = Input::open(&path).with_context(|| path.display().to_string())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        journal.keep_raw(&name, &mut input)?;
    }
    fs::remove_dir_all(raw).with_context(told)?;
    Ok(())
}
