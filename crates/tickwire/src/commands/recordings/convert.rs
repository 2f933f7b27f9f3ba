//! `tickwire convert`: a recording in another form.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};

use anyhow::{Context, anyhow};
use model::Channel;
use store::arrow::{Format, Prices, Timestamps};
use store::parquet::{channel_folder, export};
use store::{Recording, StoreError};

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
    let path = args.output.display();
    let file = open.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!("{path} is there already; -f replaces it"),
        _ => anyhow!("{path}: {error}"),
    })?;
    let (mut out, mut line, mut failed) = (BufWriter::new(file), Vec::new(), Ok(()));
    let mut records = 0_u64;
    let damages = read_all(recording, |record| {
        if failed.is_ok() && channels(args).contains(&record.body.channel()) {
            line.clear();
            wire::line(record, &mut line);
            line.push(b'\n');
            failed = out.write_all(&line);
            records += 1;
        }
    })?;
    failed.and_then(|()| out.flush()).with_context(|| path.to_string())?;
    say(&format!("{path}: {records} records"));
    Ok(damages)
}

fn tables(args: &ConvertArgs, recording: &Recording) -> Outcome<Vec<store::Damage>> {
    let folder = args.recording.canonicalize()?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let base = args.output.join(format!("recording={name}"));
    for folder in channels(args).iter().map(|&channel| channel_folder(&base, channel)) {
        if args.force && folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
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
    let seen = |records| bar.inc(records);
    let exported = export(recording, (&args.output, &name), channels(args), format, seen);
    let exported = exported.map_err(|error| match error {
        StoreError::Exists { path } => anyhow!("{} is there already; -f replaces it", path.display()),
        error => error.into(),
    })?;
    bar.finish_and_clear();
    let (records, rows, files) = (exported.records, exported.rows, exported.files.len());
    let sizes = exported.files.iter().filter_map(|file| Some(file.metadata().ok()?.len()));
    say(&format!("{}: {}, {rows} rows, {files} files", base.display(), super::size(records, sizes.sum())));
    Ok(exported.damages)
}
