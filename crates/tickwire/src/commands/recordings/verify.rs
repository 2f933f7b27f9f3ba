//! `tickwire verify`: whether a recording is what it says.

use std::collections::BTreeMap;
use std::path::Path;

use store::{Digest, Manifest, Recording, StreamTally, Tally};

use super::{apart, inside, open, read_all, say, size};
use crate::cli::VerifyArgs;
use crate::exit::{Failure, Outcome};

pub(crate) fn run(args: &VerifyArgs) -> Outcome {
    let mut sound = true;
    let mut folders = Vec::new();
    for folder in &args.recordings {
        let inside = if Recording::is_at(folder) { Vec::new() } else { inside(folder) };
        if inside.is_empty() {
            folders.push(folder.clone());
        } else {
            say(&format!("{}: {} recordings", folder.display(), inside.len()));
            folders.extend(inside);
        }
    }
    for folder in &folders {
        let faults = verify(folder).unwrap_or_else(|failure| vec![failure.told_as()]);
        for fault in &faults {
            say(&format!("{}: {fault}", folder.display()));
        }
        sound &= faults.is_empty();
    }
    if sound { Ok(()) } else { Err(Failure::told()) }
}

/// Reads all of it, and returns all that is wrong.
#[expect(clippy::print_stdout, reason = "the digest is the data")]
fn verify(folder: &Path) -> Outcome<Vec<String>> {
    let recording = open(folder)?;
    let (mut digest, mut tally) = (Digest::new(wire::line), Tally::default());
    let damages = read_all(&recording, |record| {
        digest.push(record);
        tally.push(record);
    })?;
    let manifest = Manifest::read(folder);
    let told = manifest.as_ref().ok().and_then(Option::as_ref);
    let complete = told.is_some_and(|told| told.complete);
    let is_final = told.is_some_and(Manifest::is_final);
    let (torn, damages) = apart(folder, &damages);
    let mut faults: Vec<_> = damages.iter().map(ToString::to_string).collect();
    let states = recording.damaged_states()?;
    faults
        .extend(states.iter().map(|state| format!("{state}; no record is lost with it, seeks take longer")));
    let streams = tally.streams();
    for stream in &streams {
        let name = [Some(stream.symbol.as_str()), Some(&stream.channel), stream.interval.as_deref()];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if stream.missing > 0 {
            let runs = stream.gaps.iter().map(|(from, to)| format!("{from} to {to}")).collect::<Vec<_>>();
            faults.push(format!("{name}: {} sequences are missing: {}", stream.missing, runs.join(", ")));
        }
        if stream.repeated > 0 {
            faults.push(format!("{name}: {} sequences are there twice", stream.repeated));
        }
    }
    match manifest {
        Err(error) => faults.push(error.to_string()),
        Ok(None) => {}
        Ok(Some(manifest)) => {
            faults.extend(manifest.lost.iter().map(|lost| {
                let store::Lost { from_position, to_position, count, reason } = lost;
                format!(
                    "{count} records were not recorded, positions {from_position} to {to_position}: {reason}"
                )
            }));
            faults.extend(manifest.raw.iter().filter_map(|raw| raw.fault(folder)));
            let removed = manifest.removed.as_ref();
            if let Some(removed) = removed {
                let store::Removed { records, positions: (_, last), .. } = removed;
                say(&format!(
                    "{}: {records} records, up to position {last}, are not kept any more",
                    folder.display()
                ));
            }
            let kept = manifest.records - removed.map_or(0, |removed| removed.records).min(manifest.records);
            if is_final && kept != digest.records() {
                let (told, found) = (kept, digest.records());
                faults.push(format!("there are {found} records, and were {told} by its manifest"));
            } else if removed.is_some() {
                // The digest, and the streams, are those of the whole.
                faults.extend(ends(&manifest.streams, &streams).filter(|_| is_final));
            } else if is_final && manifest.digest.is_some_and(|told| told.sha256 != digest.value()) {
                faults.push("the digest is another than its manifest's".to_owned());
            } else if is_final && manifest.streams != streams {
                faults.push("the streams are others than its manifest's".to_owned());
            }
        }
    }
    let verdict = match (faults.is_empty(), complete, is_final) {
        (false, ..) => "DAMAGED",
        (true, true, _) => "ok",
        (true, _, true) => "ok: its process was killed, and it was ended afterwards",
        (true, ..) => "ok so far: it goes on, or was not ended in order",
    };
    if torn > 0 {
        say(&format!("{}: {torn} bytes at the end are of a block that was not finished", folder.display()));
    }
    if digest.records() == 0 && faults.is_empty() {
        say(&format!("{}: there is no record in it", folder.display()));
    }
    println!("{}  {}  {verdict}", digest.value(), folder.display());
    say(&format!("{}: {}", folder.display(), size(digest.records(), recording.bytes())));
    Ok(faults)
}

/// Streams that do not end where the manifest of the whole says so.
fn ends<'a>(told: &'a [StreamTally], found: &'a [StreamTally]) -> impl Iterator<Item = String> + 'a {
    let of = |stream: &StreamTally| (stream.symbol.clone(), stream.channel.clone(), stream.interval.clone());
    let known: BTreeMap<_, _> = told.iter().map(|stream| (of(stream), stream.last_sequence)).collect();
    found.iter().filter(move |stream| known.get(&of(stream)) != Some(&stream.last_sequence)).map(|stream| {
        format!("{} {}: it does not end where its manifest says", stream.symbol, stream.channel)
    })
}
