//! Recordings: made, looked at, checked, and read out.

pub(crate) mod book;
pub(crate) mod convert;
pub(crate) mod inspect;
mod live;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod verify;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use model::Placed;
use store::{Damage, Manifest, Reader, Recording, StoreError};

use crate::exit::{Failure, Outcome};

/// Recordings below this are read before a bar could be.
const BAR_RECORDS_MIN: u64 = 1_000_000;
/// Recordings of a folder that are named, the newest first, before the rest is counted.
const RECORDINGS_NAMED: usize = 5;
/// Files, too.
const BAR_BYTES_MIN: u64 = 16 << 20;

#[expect(clippy::print_stderr, reason = "a command's talk goes to standard error")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// A bar for a person who waits; nothing otherwise.
fn bar(records: u64) -> ProgressBar {
    if records < BAR_RECORDS_MIN || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} records {per_sec} {eta}");
    let bar = ProgressBar::new(records);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

/// The same for bytes of files; nothing where it is not known how many.
fn bytes_bar(bytes: Option<u64>) -> ProgressBar {
    let Some(bytes) = bytes.filter(|&bytes| bytes >= BAR_BYTES_MIN && io::stderr().is_terminal()) else {
        return ProgressBar::hidden();
    };
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    let bar = ProgressBar::new(bytes);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

/// Reads all records under a bar and returns what could not be read.
fn read_all(recording: &Recording, mut take: impl FnMut(&Placed)) -> Outcome<Vec<Damage>> {
    let bar = bar(recording.span().map_or(0, |span| span.records));
    let mut damages = Vec::new();
    let reader: Reader = recording.read()?;
    for next in reader {
        match next {
            Ok(records) => {
                records.iter().for_each(&mut take);
                bar.inc(records.len() as u64);
            }
            Err(damage) => damages.push(damage),
        }
    }
    bar.finish_and_clear();
    Ok(damages)
}

/// The recording of a folder; where something else is named, what was probably meant.
fn open(path: &Path) -> Outcome<Recording> {
    match Recording::open(path) {
        Err(StoreError::File { hint, .. }) if hint.is_empty() => {
            let path = path.display();
            let error = anyhow!(
                "{path} is a file, and a recording is a folder; of a capture of a venue `tickwire record --feed NAME -o FOLDER \
                 {path}` makes one"
            );
            Err(error.into())
        }
        Err(error @ StoreError::NoRecording { .. }) => {
            let inside = inside(path);
            let names = inside.iter().filter_map(|found| found.file_name()?.to_str()).rev();
            let named = names.take(RECORDINGS_NAMED).collect::<Vec<_>>().join(", ");
            match inside.len() {
                0 => Err(error.into()),
                count if count <= RECORDINGS_NAMED => {
                    Err(anyhow!("{} is a folder of recordings; name one: {named}", path.display()).into())
                }
                count => {
                    let more = count - RECORDINGS_NAMED;
                    let path = path.display();
                    Err(anyhow!("{path} is a folder of recordings; name one: {named} or {more} more").into())
                }
            }
        }
        opened => Ok(opened?),
    }
}

/// The recordings in a folder of such, by name.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    // Not whatever a link leads to, as a server does not.
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut found: Vec<_> = folders.map(|entry| entry.path()).filter(|path| Recording::is_at(path)).collect();
    found.sort();
    found
}

/// Refuses captures that are recordings already.
pub(crate) fn refuse_recordings(files: &[PathBuf]) -> Outcome {
    for path in files {
        if Recording::is_at(path) {
            let path = path.display();
            let error = anyhow!(
                "{path} is a recording, and no capture of a venue: `tickwire replay {path}` tells its records, and `tickwire \
                 convert {path} -o PLACE` makes tables or another recording of it"
            );
            return Err(Failure::usage(error));
        }
    }
    Ok(())
}

/// Tells what could not be read of a recording. Where it goes on, or its process was killed, the end may be in the middle
/// of a block: that is told, and no failure.
fn told(recording: &Path, damages: &[Damage]) -> Outcome {
    let (torn, damages) = apart(recording, damages);
    let path = recording.display();
    if torn > 0 {
        say(&format!("{path}: {torn} bytes at the end are of a block that was not finished"));
    }
    for damage in &damages {
        say(&damage.to_string());
    }
    match damages.len() {
        0 => Ok(()),
        1 => Err(said(&format!("{path}: a part of it cannot be read"))),
        parts => Err(said(&format!("{path}: {parts} parts of it cannot be read"))),
    }
}

fn said(text: &str) -> Failure {
    say(text);
    Failure::told()
}

/// Bytes of an end that was not finished, and what else could not be read.
fn apart<'a>(recording: &Path, damages: &'a [Damage]) -> (u64, Vec<&'a Damage>) {
    let complete = Manifest::read(recording).is_ok_and(|told| told.is_some_and(|told| told.complete));
    let (torn, damages): (Vec<_>, Vec<_>) =
        damages.iter().partition(|damage| !complete && damage.is_torn_end());
    (torn.iter().map(|damage| damage.bytes).sum(), damages)
}

/// `1,234 records in 5.6 KiB`, and what that is for each.
fn size(records: u64, bytes: u64) -> String {
    let each = (bytes * 10).checked_div(records).unwrap_or(0);
    let (records, bytes) = (HumanCount(records), HumanBytes(bytes));
    format!("{records} records in {bytes}, {}.{} bytes each", each / 10, each % 10)
}
