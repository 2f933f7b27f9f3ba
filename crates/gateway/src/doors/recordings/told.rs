//! What is said of recordings.

use model::Channel;
use serde::Serialize;
use store::{DigestEntry, Lost, Manifest, Recording, StoreError, StreamTally};

use crate::auth::Grant;
use crate::recordings::{Found, Recordings};

#[derive(Serialize)]
struct List {
    recordings: Vec<Entry>,
}

/// A recording among others.
#[derive(Serialize)]
struct Entry {
    recording: String,
    running: bool,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    records: u64,
    bytes: u64,
}

/// All that is said of one.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    entry: Entry,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<DigestEntry>,
    lost: Vec<Lost>,
    streams: Vec<StreamTally>,
}

/// All recordings, the newest names last; those that do not read are not among them.
pub(super) fn list(recordings: &Recordings) -> Vec<u8> {
    let found = recordings.names().into_iter().filter_map(|name| recordings.find(Some(name.as_str())).ok());
    let recordings = found.filter_map(|found| entry(&found).ok()).collect();
    json(&List { recordings })
}

/// What one holds, of the streams that somebody may see.
pub(super) fn one(found: &Found, grant: &Grant) -> Result<Vec<u8>, StoreError> {
    let manifest = found.manifest()?;
    let entry = entry(found)?;
    let (digest, lost, mut streams) = match manifest {
        Some(manifest) => (manifest.digest, manifest.lost, manifest.streams),
        None => (None, Vec::new(), Vec::new()),
    };
    streams.retain(|stream| {
        stream.channel.parse::<Channel>().is_ok_and(|channel| grant.allows(&stream.symbol, channel))
    });
    Ok(json(&Whole { entry, digest, lost, streams }))
}

fn entry(found: &Found) -> Result<Entry, StoreError> {
    let ended = found.manifest()?.filter(Manifest::is_final);
    let recording = found.name.as_str().to_owned();
    if let Some(manifest) = ended {
        return Ok(Entry {
            recording,
            running: false,
            complete: manifest.complete,
            from: manifest.from,
            to: manifest.to,
            records: manifest.records,
            bytes: manifest.segments.iter().map(|segment| segment.bytes).sum(),
        });
    }
    let open = Recording::open(&found.folder)?;
    let span = open.span();
    Ok(Entry {
        recording,
        running: found.is_running,
        complete: false,
        from: span.map(|span| span.from.to_string()),
        to: span.map(|span| span.to.to_string()),
        records: span.map_or(0, |span| span.records),
        bytes: open.bytes(),
    })
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("these types have text keys and no failing parts")
}
