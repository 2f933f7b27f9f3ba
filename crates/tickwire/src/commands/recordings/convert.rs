//! `tickwire convert`: a recording in another form.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use model::Channel;
use store::Recording;
use store::parquet::{Format, Prices, Timestamps, export};

use super::{bar, read_all, say};
use crate::cli::{ConvertArgs, recordings};
use crate::exit::{Failure, Outcome};

pub(crate) fn run(args: &ConvertArgs) -> Outcome {
    let recording = Recording::open(&args.recording)?;
    let damages = match args.output.extension().and_then(|end| end.to_str()) {
        Some("ndjson" | "jsonl") => lines(args, &recording)?,
        Some(other @ ("csv" | "parquet" | "json" | "twj")) => {
            let error = anyhow!(
                "-o: {other:?} cannot be written; name a file that ends in .ndjson, or a folder for Parquet"
            );
            return Err(Failure::usage(error));
        }
        _ => tables(args, &recording)?,
    };
    for damage in &damages {
        say(&damage.to_string());
    }
    if damages.is_empty() { Ok(()) } else { Err(Failure::told()) }
}

fn channels(args: &ConvertArgs) -> &[Channel] {
    if args.channels.is_empty() { &Channel::ALL } else { &args.channels }
}

fn lines(args: &ConvertArgs, recording: &Recording) -> Outcome<Vec<store::Damage>> {
    let open = if args.force { File::create(&args.output) } else { File::create_new(&args.output) };
    let file = open.with_context(|| format!("{}; -f replaces what is there", args.output.display()))?;
    let (mut out, mut line, mut failed) = (BufWriter::new(file), Vec::new(), Ok(()));
    let damages = read_all(recording, |record| {
        if failed.is_ok() && channels(args).contains(&record.body.channel()) {
            line.clear();
            wire::line(record, &mut line);
            line.push(b'\n');
            failed = out.write_all(&line);
        }
    })?;
    failed.and_then(|()| out.flush()).with_context(|| args.output.display().to_string())?;
    Ok(damages)
}

fn tables(args: &ConvertArgs, recording: &Recording) -> Outcome<Vec<store::Damage>> {
    let folder = args.recording.canonicalize()?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let base = args.output.join(format!("recording={name}"));
    if args.force && base.exists() {
        remove(&base)?;
    }
    let format = Format {
        prices: match args.prices {
            recordings::Prices::Decimal => Prices::Decimal,
            recordings::Prices::Float => Prices::Float,
            recordings::Prices::Fixed => Prices::Fixed,
        },
        timestamps: match args.timestamps {
            recordings::Timestamps::Utc => Timestamps::Utc,
            recordings::Timestamps::Naive => Timestamps::Naive,
            recordings::Timestamps::Int64 => Timestamps::Int64,
        },
    };
    let bar = bar(2 * recording.span().map_or(0, |span| span.records));
    let exported =
        export(recording, (&args.output, &name), channels(args), format, |records| bar.inc(records))?;
    bar.finish_and_clear();
    let (records, rows, files) = (exported.records, exported.rows, exported.files.len());
    let sizes = exported.files.iter().filter_map(|file| Some(file.metadata().ok()?.len()));
    say(&format!("{}: {}, {rows} rows, {files} files", base.display(), super::size(records, sizes.sum())));
    Ok(exported.damages)
}

/// Removes what an earlier conversion made, and nothing else.
fn remove(base: &Path) -> Outcome {
    for channel in Channel::ALL {
        let folder = base.join(format!("channel={}", channel.as_str()));
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
    }
    fs::remove_dir(base).with_context(|| base.display().to_string())?;
    Ok(())
}
