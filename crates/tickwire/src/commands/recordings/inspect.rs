//! `tickwire inspect`: what a recording holds.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use store::{Manifest, Removed, StreamTally, Tally};

use super::{apart, open, read_all, size};
use crate::cli::InspectArgs;
use crate::exit::Outcome;

/// What is told as JSON.
#[derive(Serialize)]
struct Told {
    recording: String,
    complete: bool,
    from: Option<String>,
    to: Option<String>,
    records: u64,
    bytes: u64,
    positions: Option<(u64, u64)>,
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Removed>,
    lost: Vec<store::Lost>,
    /// Bytes at the end of a block that was not finished: it goes on, or its process was killed.
    #[serde(skip_serializing_if = "is_zero")]
    unfinished_bytes: u64,
    damages: Vec<String>,
    streams: Vec<StreamTally>,
}

pub(crate) fn run(args: &InspectArgs) -> Outcome {
    let recording = open(&args.recording)?;
    let manifest = Manifest::read(&args.recording)?;
    let (mut tally, mut records) = (Tally::default(), 0);
    let damages = read_all(&recording, |record| {
        tally.push(record);
        records += 1;
    })?;
    let (unfinished_bytes, faults) = apart(&args.recording, &damages);
    let span = recording.span();
    let told = Told {
        recording: args.recording.display().to_string(),
        complete: manifest.as_ref().is_some_and(|manifest| manifest.complete),
        from: span.map(|span| span.from.to_string()),
        to: span.map(|span| span.to.to_string()),
        records,
        bytes: recording.bytes(),
        positions: span.map(|span| span.positions),
        // That of other records says nothing of these.
        sha256: manifest
            .as_ref()
            .filter(|manifest| manifest.is_final() && manifest.records == records && faults.is_empty())
            .and_then(|manifest| Some(manifest.digest.as_ref()?.sha256.clone())),
        removed: manifest.as_ref().and_then(|manifest| manifest.removed.clone()),
        lost: manifest.map(|manifest| manifest.lost).unwrap_or_default(),
        unfinished_bytes,
        damages: faults.iter().map(ToString::to_string).collect(),
        streams: tally.streams(),
    };
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &told).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        told.print(&mut out)?;
    }
    super::told(&args.recording, &damages)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Symbols that are named before the rest is counted.
const NAMED: usize = 20;

impl Told {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", self.recording)?;
        writeln!(out, "  {}", size(self.records, self.bytes))?;
        if let (Some(from), Some(to), Some((first, last))) = (&self.from, &self.to, self.positions) {
            writeln!(out, "  from {from} to {to}, positions {first} to {last}")?;
        }
        if let Some(Removed { records, positions: (_, last), .. }) = self.removed {
            writeln!(out, "  {records} records before that, up to position {last}, are not kept any more")?;
        }
        if let Some(sha256) = &self.sha256 {
            writeln!(out, "  digest {sha256}")?;
        }
        let symbols: BTreeSet<_> = self.streams.iter().map(|stream| stream.symbol.as_str()).collect();
        let named = symbols.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = symbols.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more (--json names all)") } else { String::new() };
        writeln!(out, "  {named}{more}")?;
        if !self.complete {
            writeln!(out, "  not ended in order")?;
        }
        for lost in &self.lost {
            let store::Lost { from_position, to_position, count, reason } = lost;
            writeln!(out, "  lost {count}: positions {from_position} to {to_position} ({reason})")?;
        }
        let mut channels = BTreeMap::<_, [u64; 4]>::new();
        for stream in &self.streams {
            let name = format!("{} {}", stream.channel, stream.interval.as_deref().unwrap_or_default());
            let sum = channels.entry(name).or_default();
            for (sum, of) in sum.iter_mut().zip([1, stream.records, stream.missing, stream.feed_gaps]) {
                *sum += of;
            }
        }
        writeln!(
            out,
            "\n  {:<12}{:>9}{:>14}{:>10}{:>11}",
            "channel", "symbols", "records", "missing", "feed gaps"
        )?;
        for (name, [symbols, records, missing, gaps]) in channels {
            writeln!(out, "  {name:<12}{symbols:>9}{records:>14}{missing:>10}{gaps:>11}")?;
        }
        Ok(())
    }
}
