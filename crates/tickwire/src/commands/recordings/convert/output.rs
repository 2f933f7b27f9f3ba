//! What is written: tables, lines, or a recording again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use model::{Channel, Placed};
use store::arrow::{Format, Prices, Timestamps};
use store::tables::{CsvFile, channel_folder, export};
use store::{Cut, Journal, Lost, Recording, Settings, StoreError};

use super::super::{bar, say, size};
use super::{Input, Written, ending};
use crate::cli::{ConvertArgs, recordings};
use crate::exit::Outcome;

/// Bytes that may wait before they are written.
const WAITING_BYTES_MAX: usize = 8 << 20;
/// How hard a recording is packed, unless it is said.
const LEVEL: i32 = 9;

/// Reads the part under a bar.
fn each(recording: &Recording, cut: &Cut, mut take: impl FnMut(&Placed) -> Outcome) -> Outcome<Written> {
    let (_, mut picked) = cut.read(recording)?;
    let bar = bar(recording.span().map_or(0, |span| span.records));
    let mut written = Written::default();
    while let Some(next) = picked.next() {
        match next {
            Ok(records) => {
                written.records += records.len() as u64;
                records.iter().try_for_each(&mut take)?;
            }
            Err(damage) => written.damages.push(damage),
        }
        bar.set_position(picked.passed());
    }
    bar.finish_and_clear();
    Ok(written)
}

fn create(path: &Path, force: bool) -> Outcome<File> {
    let open = if force { File::create(path) } else { File::create_new(path) };
    let file = open.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => there(path),
        _ => anyhow!("{}: {error}", path.display()),
    })?;
    Ok(file)
}

fn there(path: &Path) -> anyhow::Error {
    anyhow!("{} is there already; -f replaces it", path.display())
}

pub(super) fn lines(args: &ConvertArgs, input: &Input, cut: &Cut) -> Outcome<Written> {
    let path = args.output.display();
    let (mut out, mut line) = (BufWriter::new(create(&args.output, args.force)?), Vec::new());
    let written = each(&input.recording, cut, |record| {
        line.clear();
        wire::placed_line(record, &mut line);
        line.push(b'\n');
        out.write_all(&line).with_context(|| path.to_string())?;
        Ok(())
    })?;
    out.flush().with_context(|| path.to_string())?;
    say(&format!("{path}: {} records", written.records));
    Ok(written)
}

pub(super) fn csv(args: &ConvertArgs, input: &Input, cut: &Cut) -> Outcome<Written> {
    let single = ending(&args.output) == "csv";
    let place = |channel: Channel| -> PathBuf {
        if single { args.output.clone() } else { args.output.join(format!("{}.csv", channel.as_str())) }
    };
    for path in cut.channels().iter().map(|&channel| place(channel)).filter(|path| path.exists()) {
        if !args.force {
            return Err(there(&path).into());
        }
        fs::remove_file(&path).with_context(|| path.display().to_string())?;
    }
    if !single {
        fs::create_dir_all(&args.output).with_context(|| args.output.display().to_string())?;
    }
    let mut files = BTreeMap::new();
    let written = each(&input.recording, cut, |record| {
        let channel = record.body.channel();
        if !files.contains_key(channel.as_str()) {
            let path = place(channel);
            let file = CsvFile::begin(create(&path, false)?, channel, timestamps(args))?;
            files.insert(channel.as_str(), (path, file));
        }
        if let Some((path, file)) = files.get_mut(channel.as_str()) {
            file.push(record).with_context(|| path.display().to_string())?;
        }
        Ok(())
    })?;
    for (path, file) in files.into_values() {
        let path = path.display();
        let rows = file.finish().with_context(|| path.to_string())?;
        say(&format!("{path}: {rows} rows"));
    }
    Ok(written)
}

fn timestamps(args: &ConvertArgs) -> Timestamps {
    match args.timestamps.unwrap_or(recordings::Timestamps::Utc) {
        recordings::Timestamps::Utc => Timestamps::Utc,
        recordings::Timestamps::Naive => Timestamps::Naive,
        recordings::Timestamps::Int64 => Timestamps::Int64,
    }
}

pub(super) fn tables(args: &ConvertArgs, input: &Input, cut: &Cut) -> Outcome<Written> {
    let base = args.output.join(format!("recording={}", input.name));
    for folder in cut.channels().iter().map(|&channel| channel_folder(&base, channel)) {
        if args.force && folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
    }
    let format = Format {
        prices: match args.prices.unwrap_or(recordings::Prices::Decimal) {
            recordings::Prices::Decimal => Prices::Decimal,
            recordings::Prices::Float => Prices::Float,
            recordings::Prices::Fixed => Prices::Fixed,
        },
        timestamps: timestamps(args),
    };
    let bar = bar(2 * input.recording.span().map_or(0, |span| span.records));
    let seen = |records| bar.set_position(records);
    let exported = export(&input.recording, (&args.output, &input.name), cut, format, seen);
    let exported = exported.map_err(|error| match error {
        StoreError::Exists { path } => there(&path),
        error => error.into(),
    })?;
    bar.finish_and_clear();
    let (records, rows, files) = (exported.records, exported.rows, exported.files.len());
    let sizes = exported.files.iter().filter_map(|file| Some(file.metadata().ok()?.len()));
    say(&format!("{}: {}, {rows} rows, {files} files", base.display(), size(records, sizes.sum())));
    Ok(Written { records, damages: exported.damages })
}

pub(super) fn journal(args: &ConvertArgs, input: &Input, cut: &Cut) -> Outcome<Written> {
    if args.output.exists() {
        if !args.force {
            return Err(there(&args.output).into());
        }
        store::remove(&args.output)?;
    }
    let settings = Settings { level: args.level.unwrap_or(LEVEL), ..Settings::new(wire::line) };
    let (state, _) = cut.read(&input.recording)?;
    let mut last = state.position();
    let mut journal = Journal::create_after(&args.output, settings, state)?;
    let first = last;
    let written = each(&input.recording, cut, |record| {
        journal.push(record);
        last = record.position;
        if journal.waiting_bytes() > WAITING_BYTES_MAX { Ok(journal.sync()?) } else { Ok(()) }
    })?;
    // What the recorder missed within the part is missing here, too.
    let within = |lost: &&Lost| lost.to_position > first && (cut.to.is_none() || lost.from_position < last);
    for lost in input.lost.iter().filter(within) {
        journal.lose(lost.from_position, lost.to_position, lost.count, &lost.reason);
    }
    let manifest = journal.finish()?;
    let bytes = manifest.segments.iter().map(|segment| segment.bytes).sum();
    say(&format!("{}: {}", args.output.display(), size(manifest.records, bytes)));
    Ok(written)
}
