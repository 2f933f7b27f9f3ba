//! Ending what a killed process left: its manifest is made of what is in its files.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use crate::digest::{Digest, Line};
use crate::error::{Damage, StoreError};
use crate::frame::Kind;
use crate::manifest::{DigestEntry, Manifest, SCHEMA, SegmentEntry};
use crate::recording::Recording;
use crate::segment::{self, BEGIN_BYTES, Segment};
use crate::tally::{StreamTally, Tally};

/// Counts a recording that nobody makes any more, cuts a torn end off, and says in its manifest what is there and that it
/// was not ended in order. `old` is the manifest that it has, if any. The caller is its writer. Cost: reading it once;
/// memory for a block, and for what is counted of each stream.
///
/// # Errors
/// It does not read, or the disk refuses; its records are as they were.
pub(crate) fn finish(folder: &Path, line: Line, old: Option<&Manifest>) -> Result<Manifest, StoreError> {
    let paths = segment::list(folder)?;
    if let Some(last) = paths.last() {
        cut_torn_end(last)?;
    }
    let recording = Recording::open(folder)?;
    let (mut digest, mut tally, mut first) = (Digest::new(line), Tally::default(), None);
    let mut damages = Vec::new();
    for next in recording.read()? {
        match next {
            Ok(records) => {
                for record in &records {
                    first.get_or_insert(record.ts_recv);
                    digest.push(record);
                    tally.push(record);
                }
            }
            Err(damage) => damages.push(damage),
        }
    }
    let span = recording.span();
    let removed = old.and_then(|old| old.removed.clone());
    let gone = removed.as_ref().map_or(0, |removed| removed.records);
    // Of what is not there any more, or does not read, there is no digest.
    let whole = removed.is_none() && damages.iter().all(Damage::is_torn_end);
    let mut instruments = tally.instruments();
    if let Some(old) = old {
        let known = |symbol| instruments.iter().any(|known| known.symbol == symbol);
        let more: Vec<_> = old.instruments.iter().filter(|old| !known(old.symbol.clone())).cloned().collect();
        instruments.extend(more);
        instruments.sort_by(|one, other| one.symbol.cmp(&other.symbol));
    }
    let began = old.filter(|_| removed.is_some()).and_then(|old| old.from.clone());
    let position = removed.as_ref().map(|removed| removed.positions.0).filter(|&position| position > 0);
    let manifest = Manifest {
        schema_version: SCHEMA,
        recording: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        complete: false,
        cut_short: true,
        from: began.or_else(|| first.map(|at| at.to_string())),
        to: span.map(|span| span.to.to_string()),
        records: gone + digest.records(),
        positions: span.map(|span| (position.unwrap_or(span.positions.0), span.positions.1)),
        digest: whole.then(|| DigestEntry::new(digest.value())),
        lost: old.map(|old| old.lost.clone()).unwrap_or_default(),
        raw: old.map(|old| old.raw.clone()).unwrap_or_default(),
        segments: recording.segments().map(|found| entry(found, old)).collect(),
        streams: with_removed(tally.streams(), removed.as_ref().and(old)),
        removed,
        instruments,
    };
    manifest.write(folder)?;
    Ok(manifest)
}

/// What is behind the last whole block of a file was on its way when the process ended.
fn cut_torn_end(path: &Path) -> Result<(), StoreError> {
    let segment = Segment::scan(path)?;
    let torn = segment.damages.last().filter(|damage| damage.is_torn_end());
    // A file that is too short to be one stays as it is.
    let Some(end) = torn.map(|torn| torn.offset).filter(|&end| end >= BEGIN_BYTES as u64) else {
        return Ok(());
    };
    let file = File::options().write(true).open(path).map_err(StoreError::io(path))?;
    if !segment.is(&file) {
        return Ok(());
    }
    let modified = file.metadata().and_then(|found| found.modified());
    let cut = file.set_len(end).and_then(|()| file.sync_all());
    // Its age is that of what is in it.
    cut.and_then(|()| file.set_modified(modified?)).map_err(StoreError::io(path))
}

/// What is said of a file, and that it is packed already where it was before.
fn entry(segment: &Segment, old: Option<&Manifest>) -> SegmentEntry {
    let file = segment.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let blocks = segment.blocks.iter().filter(|block| block.header.kind == Kind::Records);
    let known = old.and_then(|old| old.segments.iter().find(|entry| entry.file == file));
    SegmentEntry {
        bytes: segment.bytes,
        records: blocks.map(|block| u64::from(block.header.count)).sum(),
        positions: segment.positions().unwrap_or_default(),
        sealed: known.is_some_and(|known| known.sealed),
        file,
    }
}

/// The streams of the whole: what is left, and what the manifest said of them before their beginning was removed.
fn with_removed(left: Vec<StreamTally>, old: Option<&Manifest>) -> Vec<StreamTally> {
    let Some(old) = old else { return left };
    let key = |stream: &StreamTally| (stream.symbol.clone(), stream.channel.clone(), stream.interval.clone());
    let mut all: BTreeMap<_, _> = old.streams.iter().map(|stream| (key(stream), stream.clone())).collect();
    for stream in left {
        let whole = match all.get(&key(&stream)) {
            None => stream,
            Some(old) => joined(old, stream),
        };
        all.insert(key(&whole), whole);
    }
    all.into_values().collect()
}

/// A stream whose beginning is not there any more: its sequences have no holes but those that are named.
fn joined(old: &StreamTally, left: StreamTally) -> StreamTally {
    let before = |gap: &&(u64, u64)| gap.1 < left.first_sequence;
    let mut gaps: Vec<_> = old.gaps.iter().filter(before).copied().collect();
    let missing = gaps.iter().map(|(from, to)| to - from + 1).sum::<u64>() + left.missing;
    gaps.extend(&left.gaps);
    let span = left.last_sequence.saturating_sub(old.first_sequence) + 1;
    StreamTally {
        records: span.saturating_sub(missing),
        first_sequence: old.first_sequence,
        missing,
        gaps,
        feed_gaps: old.feed_gaps.max(left.feed_gaps),
        reconnects: old.reconnects.max(left.reconnects),
        ..left
    }
}
