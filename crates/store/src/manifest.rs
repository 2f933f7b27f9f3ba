//! The manifest: what a recording holds, as JSON beside it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use model::Instrument;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::limits::DIGEST_PAGE;
use crate::lock;
use crate::tally::StreamTally;

/// Its file's name.
pub(crate) const FILE: &str = "manifest.json";
/// What it is called before it is whole.
pub(crate) const NEW: &str = "manifest.json.new";
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
    /// Its process ended before it did. What is said here was counted afterwards, in what is there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cut_short: bool,
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
    /// What is not kept any more: the oldest of it. All that is said elsewhere is of the whole, but for the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// What it was made of, as it came, in the folder `raw`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raw: Vec<RawEntry>,
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
    /// It was packed anew, in full blocks.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sealed: bool,
}

/// A file that a recording was made of, packed with zstd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawEntry {
    /// Its name, in the folder `raw`.
    pub file: String,
    /// How long it is there, packed.
    pub bytes: u64,
    /// SHA-256 of what is there, in hexadecimal.
    pub sha256: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What was removed of a recording, from its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// How many files.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many records.
    pub records: u64,
    /// Where the first and the last of them stood in the total order.
    pub positions: (u64, u64),
}

impl Removed {
    /// Notes a file, and what is known of it.
    pub(crate) fn add(&mut self, entry: Option<&SegmentEntry>, bytes: u64) {
        self.segments += 1;
        self.bytes += bytes;
        if let Some(entry) = entry.filter(|entry| entry.records > 0) {
            self.records += entry.records;
            let first = if self.positions.0 == 0 { entry.positions.0 } else { self.positions.0 };
            self.positions = (first, entry.positions.1);
        }
    }
}

impl Manifest {
    /// The manifest of the recording in a folder; `None` where there is none.
    ///
    /// # Errors
    /// It does not read.
    pub fn read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let Some(text) = Self::text(folder)? else { return Ok(None) };
        let (path, read) = (folder.join(FILE), serde_json::from_slice(&text));
        read.map(Some).map_err(|error: serde_json::Error| StoreError::Manifest {
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
            path,
        })
    }

    /// What stands in it, as it stands there; `None` where there is none.
    ///
    /// # Errors
    /// It does not read.
    pub fn text(folder: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let path = folder.join(FILE);
        let mut text = Vec::new();
        match lock::open(&path).and_then(|mut file| file.read_to_end(&mut text)) {
            Ok(_) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io(&path)(error)),
        }
    }

    /// Whether nothing comes any more: it was ended in order, or was counted after its process had ended.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        self.complete || self.cut_short
    }

    /// Notes that its oldest file goes.
    pub(crate) fn remove_first(&mut self, path: &Path, bytes: u64) {
        let name = path.file_name().unwrap_or_default();
        let listed = self.segments.first().is_some_and(|first| name == first.file.as_str());
        let entry = listed.then(|| self.segments.remove(0));
        self.removed.get_or_insert_default().add(entry.as_ref(), bytes);
    }

    /// Replaces the manifest of a folder, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let (path, new) = (folder.join(FILE), folder.join(NEW));
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
