//! The manifest: what a recording holds, as JSON beside it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use model::Instrument;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::limits::DIGEST_PAGE;
use crate::tally::StreamTally;

/// Its file's name.
pub(crate) const FILE: &str = "manifest.json";
/// How manifests are written.
pub(crate) const SCHEMA: u32 = 1;

/// What a recording holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// How manifests are written: 1.
    pub schema_version: u32,
    /// Its name.
    pub recording: String,
    /// It was ended in order. Where it was not, it says how things stood at some moment.
    pub complete: bool,
    /// The time of receipt of the first record (RFC 3339, UTC).
    pub from: Option<String>,
    /// The latest time of receipt.
    pub to: Option<String>,
    /// How many records.
    pub records: u64,
    /// Where the first and the last stand in the total order.
    pub positions: Option<(u64, u64)>,
    /// The digest of them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestEntry>,
    /// What was not recorded because the disk did not follow.
    pub lost: Vec<Lost>,
    /// The files, in their order.
    pub segments: Vec<SegmentEntry>,
    /// What is recorded of each stream.
    pub streams: Vec<StreamTally>,
    /// Whose records these are.
    pub instruments: Vec<Arc<Instrument>>,
}

/// A digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestEntry {
    /// SHA-256, in hexadecimal; see [`crate::Digest`].
    pub sha256: String,
    /// Records of a page.
    pub page: u64,
}

impl DigestEntry {
    pub(crate) const fn new(sha256: String) -> Self {
        Self { sha256, page: DIGEST_PAGE }
    }
}

/// Records that were not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Where the first stood in the total order.
    pub from_position: u64,
    /// Where the last did.
    pub to_position: u64,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: String,
}

/// A file of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// Its name.
    pub file: String,
    /// How long it is.
    pub bytes: u64,
    /// How many records.
    pub records: u64,
    /// Where the first and the last stand in the total order.
    pub positions: (u64, u64),
}

impl Manifest {
    /// The manifest of the recording in a folder; `None` where there is none.
    ///
    /// # Errors
    /// It does not read.
    pub fn read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io(&path)(error)),
        };
        let read = serde_json::from_slice(&text);
        read.map(Some).map_err(|error: serde_json::Error| StoreError::Manifest {
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
            path,
        })
    }

    /// Replaces the manifest of a folder, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let (path, new) = (folder.join(FILE), folder.join("manifest.json.new"));
        let mut file = File::create(&new).map_err(StoreError::io(&new))?;
        let written = serde_json::to_writer_pretty(&mut file, self)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| File::open(folder)?.sync_all());
        written.map_err(StoreError::io(&path))
    }
}
