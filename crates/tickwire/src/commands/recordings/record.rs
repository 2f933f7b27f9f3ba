//! `tickwire record`: captures of a venue as a recording.

use anyhow::{Context, anyhow};
use fanout::Sequencer;
use ingest::capture::Input;
use ingest::feed::{self, FeedKind, FeedSpec, Gate, ReplaySpec, Stop};
use model::{Speed, UnixNanos};
use store::{Journal, Settings};
use tokio::sync::mpsc;

use super::{refuse_recordings, say, size};
use crate::cli::RecordArgs;
use crate::commands::source::options;
use crate::exit::{Failure, Outcome};

/// Bytes that may wait before they are written.
const WAITING_BYTES_MAX: usize = 8 << 20;

/// Plays the captures as a server would, as fast as they are taken, and keeps what it would send.
pub(crate) fn run(args: &RecordArgs) -> Outcome {
    if let Some(definition) = &args.live {
        return super::live::run(args, definition);
    }
    let feed = args.feed.as_deref().unwrap_or_default();
    let options = options(feed, &args.how)?;
    if args.files.iter().any(|file| file.as_os_str() == "-") {
        let error =
            anyhow!("standard input cannot be recorded: captures are looked through before they are played");
        return Err(Failure::usage(error));
    }
    refuse_recordings(&args.files)?;
    let replay = ReplaySpec {
        feed: feed.to_owned(),
        options,
        files: args.files.clone(),
        speed: Speed::MAX,
        repeat: false,
        wait_for_subscriber: false,
    };
    let spec = FeedSpec {
        name: feed.to_owned(),
        suffix: String::new(),
        stale_after: std::time::Duration::MAX,
        kind: FeedKind::Replay(replay),
    };
    let prepared = feed::prepare(spec).map_err(anyhow::Error::from)?;
    let faults = prepared.faults();
    let (sink, mut batches) = mpsc::channel(16);
    let settings = Settings { level: args.level, ..Settings::new(wire::line) };
    let mut journal = Journal::create(&args.output, settings)?;
    for file in args.files.iter().filter(|_| args.raw) {
        let mut input = Input::open(file).with_context(|| file.display().to_string())?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        journal.keep_raw(&name, &mut input)?;
    }
    let thread = prepared.start(sink, Gate::default(), Stop::default(), None)?;
    let (mut sequencer, mut clock) = (Sequencer::default(), UnixNanos(0));
    while let Some(batch) = batches.blocking_recv() {
        for tick in batch {
            // Whose captures have no time of receipt, its own time is the nearest to it, and the same in each run.
            clock = tick.ts_recv.or(tick.ts_event).unwrap_or(clock).max(clock);
            if let Some(event) = sequencer.push(tick, clock).map_err(anyhow::Error::from)? {
                journal.push(&event.record);
            }
        }
        if journal.waiting_bytes() > WAITING_BYTES_MAX {
            journal.sync()?;
        }
    }
    thread.join().map_err(|_| anyhow!("the feed has failed"))?;
    let manifest = journal.finish()?;
    let bytes = manifest.segments.iter().map(|segment| segment.bytes).sum();
    say(&format!("{}: {}", args.output.display(), size(manifest.records, bytes)));
    if faults == 0 {
        return Ok(());
    }
    say(&format!("{faults} broken line(s) were passed over"));
    Err(Failure::told())
}
