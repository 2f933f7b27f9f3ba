//! What becomes of a recording's closed segments while it is made: they are packed anew, and the oldest go.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Finished, Journal};
use crate::error::StoreError;
use crate::manifest::{RawEntry, SegmentEntry};

impl Journal {
    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Segments that nothing is written to any more, the oldest first.
    #[must_use]
    pub fn closed(&self) -> &[SegmentEntry] {
        // Where none is open, the last one may be begun by what waits.
        self.segments.split_last().map_or(&[], |(_, closed)| closed)
    }

    /// Ends the segment with what was taken so far; the next one begins with a state. Nothing where it is empty.
    pub fn end_segment(&mut self) {
        self.finish_block();
        if self.of_segment > 0 {
            self.waiting.push_back(Finished::Segment);
            self.of_segment = 0;
            self.finish_state();
        }
    }

    /// Notes that a closed segment was packed anew, see [`crate::seal()`].
    pub fn note_sealed(&mut self, file: &str, bytes: u64) {
        if let Some(entry) = self.segments.iter_mut().find(|entry| entry.file == file) {
            (entry.bytes, entry.sealed) = (bytes, true);
        }
    }

    pub(crate) fn note_raw(&mut self, entry: RawEntry) {
        self.raw.push(entry);
    }

    /// Bytes of its files.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|entry| entry.bytes).sum()
    }

    pub(crate) fn oldest_closed(&self) -> Option<PathBuf> {
        self.closed().first().map(|entry| self.folder.join(&entry.file))
    }

    /// Removes its oldest closed segment; the manifest says so first.
    pub(crate) fn remove_oldest(&mut self) -> Result<(), StoreError> {
        let Some(path) = self.oldest_closed() else { return Ok(()) };
        let entry = self.segments.remove(0);
        self.removed.get_or_insert_default().add(Some(&entry), entry.bytes);
        self.manifest(false).write(&self.folder)?;
        fs::remove_file(&path).map_err(StoreError::io(&path))
    }
}
