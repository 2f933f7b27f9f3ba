//! What is recorded, and which recordings are served.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway::Recording;
use serde::Deserialize;
use store::{Keep, Name};

use super::parse::ConfigError;
use super::values::{Bytes, Time};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RecordingTable {
    folder: Option<PathBuf>,
    name: Option<String>,
    record: Option<bool>,
    keep: Option<Time>,
    keep_bytes: Option<Bytes>,
    readers_wait: Option<Time>,
}

/// The least that can be kept: segments cannot be as short as one likes.
const KEEP_MIN: Duration = Duration::from_secs(60);
/// See [`KEEP_MIN`].
const KEEP_BYTES_MIN: u64 = 1 << 20;
/// Letters of what a recording's name begins with.
const RECORDING_NAME_MAX: usize = 40;

impl RecordingTable {
    pub(super) fn resolve(self, source: &Path) -> Result<Option<Recording>, ConfigError> {
        let refused = |message: String| ConfigError::rule(source, format!("[recording] {message}"));
        let records = self.record.unwrap_or(true);
        let keeps = [
            ("keep", self.keep.is_some()),
            ("keep_bytes", self.keep_bytes.is_some()),
            ("readers_wait", self.readers_wait.is_some()),
        ];
        let keeps = keeps.into_iter().find_map(|(key, is_set)| is_set.then_some(key));
        let Some(folder) = self.folder else {
            let alone = keeps.or_else(|| (!records).then_some("record = false"));
            return match alone {
                Some(key) => {
                    Err(refused(format!("{key} goes with folder: without it there are no recordings")))
                }
                None => Ok(None),
            };
        };
        if folder.as_os_str().is_empty() {
            return Err(refused("folder = \"\" is none; leave the key out to record nothing".to_owned()));
        }
        if let Some(key) = keeps.filter(|_| !records) {
            return Err(refused(format!(
                "{key} does not go with record = false: who records removes, and nobody else"
            )));
        }
        let folder = source.parent().unwrap_or(Path::new("")).join(folder);
        // The time that it began follows, and both are to be a name.
        let name = self.name.as_deref().unwrap_or("live");
        let fits = name.len() <= RECORDING_NAME_MAX;
        let name = Name::parse(name).ok().filter(|_| fits).ok_or_else(|| {
            refused(format!(
                "name = {name:?}: at most {RECORDING_NAME_MAX} of a-z, 0-9, '.', '_' and '-', a letter or a digit first"
            ))
        })?;
        let keep = Keep {
            age: self.keep.map(|keep| keep.0),
            bytes: self.keep_bytes.map(|keep| keep.0 as u64),
            readers_wait: self.readers_wait.map(|wait| wait.0),
        };
        if keep.age.is_some_and(|age| age < KEEP_MIN) {
            return Err(refused("keep must be at least 1m".to_owned()));
        }
        if keep.bytes.is_some_and(|bytes| bytes < KEEP_BYTES_MIN) {
            return Err(refused("keep_bytes must be at least 1MiB".to_owned()));
        }
        if keep.readers_wait.is_some() && !keep.is_bounded() {
            return Err(refused(
                "readers_wait goes with keep or keep_bytes: without them nothing is removed".to_owned(),
            ));
        }
        Ok(Some(Recording { folder, name, keep, records }))
    }
}

/// That there can be recordings, or are where none is made.
pub(super) fn check(recording: &Recording, source: &Path) -> Result<(), ConfigError> {
    let folder = recording.folder.display();
    let refused =
        |message: String| ConfigError::rule(source, format!("[recording] folder = \"{folder}\": {message}"));
    if !recording.records {
        let read = std::fs::read_dir(&recording.folder).map(|_| ());
        return read
            .map_err(|error| refused(format!("it cannot be read, and record = false makes none: {error}")));
    }
    // It may be made when the server starts: what it is made in can be written, then.
    let there = recording.folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let tried = if there.is_dir() {
        tempfile::tempfile_in(there).map(|_| ())
    } else {
        Err(std::io::ErrorKind::NotADirectory.into())
    };
    tried.map_err(|error| refused(format!("{} cannot be written to: {error}", there.display())))
}

/// The recording's folder, where a path leads to one or to a file of one.
pub(super) fn recording_of(path: &Path) -> Option<PathBuf> {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().filter(|_| path.extension().is_some_and(|end| end == "twj"))?
    };
    store::Recording::is_at(folder).then(|| folder.to_owned())
}
