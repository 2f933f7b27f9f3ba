//! Binary feeds: made days of a share market, to ticks with full books. The libraries read only the fields.

use std::io::{Cursor, Write};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use ingest::capture::Input;
use ingest::{Options, Step};
use model::{Body, Date};

use super::{FeedsArgs, TURNS, day, rival, shown, spent};

pub(super) fn run(args: &FeedsArgs) -> anyhow::Result<()> {
    println!("\n| feed | messages | ours, full books: M/s | library, fields only: M/s |\n|---|---|---|---|");
    let date = Date::parse("2024-01-02").ok();
    let feeds = [
        ("ITCH (itchy)", "itch", Options { date, ..Options::default() }, day::itch as fn(usize) -> Vec<u8>),
        ("DBN MBO (dbn)", "dbn", Options::default(), day::dbn),
    ];
    for (name, feed, options, make) in feeds {
        let bytes: Arc<[u8]> = make(args.messages).into();
        let mut file = tempfile::NamedTempFile::new()?;
        if args.decoders.is_some() {
            file.write_all(&bytes)?;
        }
        let (mut ours, mut theirs, mut messages) = (Duration::MAX, f64::INFINITY, 0);
        for _ in 0..TURNS {
            for _ in 0..args.rounds {
                let began = spent();
                messages = read(feed, &options, &bytes)?;
                ours = ours.min(spent().saturating_sub(began));
            }
            ensure!(messages >= args.messages, "{name}: {messages} messages of {}", args.messages);
            if let Some(decoders) = &args.decoders {
                let mut command = Command::new(decoders);
                command.arg(feed).arg(file.path()).arg(args.rounds.to_string());
                theirs = theirs.min(rival::seconds(&mut command, messages)?);
            }
        }
        let [each, other] =
            [ours.as_secs_f64(), theirs].map(|seconds| shown(messages as f64 / seconds / 1e6));
        println!("| {name} | {messages} | {each} | {other} |");
    }
    Ok(())
}

/// Reads everything through the reader of a feed, and says how many messages that were.
fn read(feed: &str, options: &Options, bytes: &Arc<[u8]>) -> anyhow::Result<usize> {
    let mut reader = ingest::reader(feed, options)?;
    reader.open(Input::new(Box::new(Cursor::new(Arc::clone(bytes))), None)?);
    let (mut ticks, mut books) = (Vec::new(), 0);
    loop {
        match reader.step(&mut ticks) {
            Step::Ticks => {}
            Step::End => break,
            Step::Broken { error, .. } => return Err(error.into()),
        }
        books += ticks.iter().filter(|tick| matches!(tick.body, Body::Book(_))).count();
        ticks.clear();
    }
    ensure!(books > 0, "no books");
    Ok(usize::try_from(reader.spot().number)?)
}
