//! `tickwire verify`: whether a recording is what it says.

use std::path::Path;

use store::{Digest, Manifest, Recording, Tally};

use super::{read_all, say, size};
use crate::cli::VerifyArgs;
use crate::exit::{Failure, Outcome};

pub(crate) fn run(args: &VerifyArgs) -> Outcome {
    let mut sound = true;
    for folder in &args.recordings {
        let faults = verify(folder)?;
        for fault in &faults {
            say(fault);
        }
        sound &= faults.is_empty();
    }
    if sound { Ok(()) } else { Err(Failure::told()) }
}

/// Reads all of it, and returns all that is wrong.
#[expect(clippy::print_stdout, reason = "the digest is the data")]
fn verify(folder: &Path) -> Outcome<Vec<String>> {
    let recording = Recording::open(folder)?;
    let (mut digest, mut tally) = (Digest::new(wire::line), Tally::default());
    let damages = read_all(&recording, |record| {
        digest.push(record);
        tally.push(record);
    })?;
    let mut faults: Vec<_> = damages.iter().map(ToString::to_string).collect();
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
    match Manifest::read(folder)? {
        None => faults.push(format!("{}: there is no manifest.json", folder.display())),
        Some(manifest) => {
            faults.extend(manifest.lost.iter().map(|lost| {
                let store::Lost { from_position, to_position, count, reason } = lost;
                format!(
                    "{count} records were not recorded, positions {from_position} to {to_position}: {reason}"
                )
            }));
            if !manifest.complete {
                faults.push(
                    "the recording was not ended in order: its manifest may say less than there is"
                        .to_owned(),
                );
            } else if manifest.records != digest.records() {
                faults.push(format!(
                    "the manifest has {} records, the journal {}",
                    manifest.records,
                    digest.records()
                ));
            } else if manifest.digest.as_ref().is_some_and(|told| told.sha256 != digest.value()) {
                faults.push("the digest is another than the manifest's".to_owned());
            } else if manifest.streams != streams {
                faults.push("the streams are others than the manifest's".to_owned());
            }
        }
    }
    let verdict = if faults.is_empty() { "ok" } else { "DAMAGED" };
    println!("{}  {}  {verdict}", digest.value(), folder.display());
    say(&format!("{}: {}", folder.display(), size(digest.records(), recording.bytes())));
    Ok(faults)
}
