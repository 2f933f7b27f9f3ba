//! How much of recordings is kept: the oldest segments go, and nobody's who reads them.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::error::StoreError;
use crate::journal::Journal;
use crate::limits::{READERS_WAIT, REMOVED_PER_LOOK};
use crate::manifest::Manifest;
use crate::name::Name;
use crate::{lock, recording, segment};

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// What was written at most so long ago.
    pub age: Option<Duration>,
    /// So many bytes of files, of all recordings of the name together.
    pub bytes: Option<u64>,
    /// How long who reads what is to go is waited for; [`READERS_WAIT`] where nothing is said.
    pub readers_wait: Option<Duration>,
}

/// The recordings of one name in a folder: `NAME-20261120-143000` and the like, the newest of which is being made.
pub struct Shelf {
    folder: PathBuf,
    name: Name,
    keep: Keep,
    /// What was read when it was to go, and since when.
    refused: Option<(PathBuf, Instant)>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Files.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of them were still read: see [`Keep::readers_wait`].
    pub read: u64,
    /// There is more to remove.
    pub more: bool,
}

/// A recording that nobody makes any more.
struct Old {
    folder: PathBuf,
    pieces: VecDeque<Piece>,
    /// Nobody else changes it meanwhile.
    _writer: File,
}

struct Piece {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

impl Piece {
    /// A file, and nothing that leads elsewhere.
    fn of(path: PathBuf) -> Option<Self> {
        let found = path.symlink_metadata().ok().filter(fs::Metadata::is_file)?;
        Some(Self { path, bytes: found.len(), modified: found.modified().ok()? })
    }
}

impl Keep {
    /// Whether anything is ever removed.
    #[must_use]
    pub const fn is_bounded(&self) -> bool {
        self.age.is_some() || self.bytes.is_some()
    }

    fn is_over(&self, total: u64, oldest: &Piece, now: SystemTime) -> bool {
        let age = now.duration_since(oldest.modified).unwrap_or_default();
        self.age.is_some_and(|most| age > most) || self.bytes.is_some_and(|most| total > most)
    }
}

impl Shelf {
    /// The recordings of a name in a folder.
    #[must_use]
    pub fn new(folder: &Path, name: &Name, keep: Keep) -> Self {
        Self { folder: folder.to_owned(), name: name.clone(), keep, refused: None }
    }

    /// Recordings of the name that nobody makes any more, the oldest first. Links are not followed.
    ///
    /// # Errors
    /// The folder does not read.
    pub fn old(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(StoreError::io(&self.folder))? {
            let entry = entry.map_err(StoreError::io(&self.folder))?;
            let name = entry.file_name().to_str().and_then(|name| began(name, &self.name));
            if let Some(began) = name.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
                found.push((began, entry.path()));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }

    /// All recordings that may have to be ended or packed anew: those of the name that nobody makes any more, the oldest
    /// first, and of other names those that were not ended in order. Links are not followed.
    ///
    /// # Errors
    /// The folder does not read.
    pub fn left(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut found = self.old()?;
        let mut others = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(StoreError::io(&self.folder))? {
            let entry = entry.map_err(StoreError::io(&self.folder))?;
            let named = entry.file_name().to_str().is_some_and(|name| Name::parse(name).is_ok());
            let path = entry.path();
            if named
                && entry.file_type().is_ok_and(|kind| kind.is_dir())
                && !found.contains(&path)
                && !Manifest::read(&path).is_ok_and(|told| told.is_some_and(|told| told.is_final()))
            {
                others.push(path);
            }
        }
        others.sort();
        found.extend(others);
        Ok(found)
    }

    /// Removes the oldest segments while there is more than is kept, [`REMOVED_PER_LOOK`] of them at most: of older
    /// recordings, and of `own`, but for the one that is written. What is read stays, and all that is newer, for
    /// [`Keep::readers_wait`]. Recordings that another process makes are its own affair.
    ///
    /// # Errors
    /// The file system refuses; what was removed before is gone.
    pub fn clear(&mut self, own: &mut Journal, now: SystemTime, at: Instant) -> Result<Cleared, StoreError> {
        let mut cleared = Cleared::default();
        let mut old: VecDeque<_> = self
            .old()?
            .into_iter()
            .filter(|folder| folder != own.folder())
            .filter_map(|folder| Old::open(folder).transpose())
            .collect::<Result<_, _>>()?;
        let of_old = old.iter().flat_map(|old| &old.pieces).map(|piece| piece.bytes);
        let mut total = of_old.sum::<u64>() + own.bytes();
        loop {
            while old.front().is_some_and(|old| old.pieces.is_empty()) {
                old.pop_front();
            }
            let oldest = match old.front_mut() {
                Some(old) => old.pieces.pop_front(),
                None => own.oldest_closed().and_then(Piece::of),
            };
            let Some(oldest) = oldest.filter(|oldest| self.keep.is_over(total, oldest, now)) else { break };
            if cleared.segments >= REMOVED_PER_LOOK {
                cleared.more = true;
                break;
            }
            let Some((_held, is_read)) = self.let_go(&oldest.path, at)? else { break };
            match old.front_mut() {
                Some(old) => old.remove(&oldest)?,
                None => own.remove_oldest()?,
            }
            total -= oldest.bytes;
            cleared.segments += 1;
            cleared.bytes += oldest.bytes;
            cleared.read += u64::from(is_read);
        }
        Ok(cleared)
    }

    /// The file, so that nobody begins to read it, and whether somebody does; `None` while that is waited for.
    fn let_go(&mut self, path: &Path, at: Instant) -> Result<Option<(Option<File>, bool)>, StoreError> {
        if let Some(file) = lock::alone(path).map_err(StoreError::io(path))? {
            self.refused = None;
            return Ok(Some((Some(file), false)));
        }
        let since = match self.refused.take() {
            Some((refused, since)) if refused == path => since,
            _ => at,
        };
        if at.saturating_duration_since(since) >= self.keep.readers_wait.unwrap_or(READERS_WAIT) {
            return Ok(Some((None, true)));
        }
        self.refused = Some((path.to_owned(), since));
        Ok(None)
    }
}

impl Old {
    /// `None` where it is made by somebody, or is not what it should be.
    fn open(folder: PathBuf) -> Result<Option<Self>, StoreError> {
        let paths = segment::list(&folder)?;
        if paths.is_empty() {
            return Ok(None);
        }
        let Some(writer) = lock::write(&folder) else { return Ok(None) };
        let count = paths.len();
        let pieces: VecDeque<_> = paths.into_iter().filter_map(Piece::of).collect();
        Ok((pieces.len() == count).then_some(Self { folder, pieces, _writer: writer }))
    }

    /// Removes its oldest segment, and with the last one all of it.
    fn remove(&mut self, oldest: &Piece) -> Result<(), StoreError> {
        if self.pieces.is_empty() {
            return match recording::remove(&self.folder) {
                // What others put beside it is theirs.
                Err(StoreError::Io { error, .. })
                    if error.kind() == std::io::ErrorKind::DirectoryNotEmpty =>
                {
                    Ok(())
                }
                removed => removed,
            };
        }
        // Where it does not read, nothing can be said in it.
        if let Ok(Some(mut manifest)) = Manifest::read(&self.folder) {
            manifest.remove_first(&oldest.path, oldest.bytes);
            manifest.write(&self.folder)?;
        }
        fs::remove_file(&oldest.path).map_err(StoreError::io(&oldest.path))
    }
}

/// When a recording of the name began, by its own: `20261120143000`, and which it was of those that began then.
fn began(text: &str, name: &Name) -> Option<(u64, u64)> {
    Name::parse(text).ok()?;
    let rest = text.strip_prefix(name.as_str())?.strip_prefix('-')?;
    let parts: Vec<_> = rest.split('-').collect();
    let whole = |part: &str| part.parse().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
    let (day, time, nth) = match parts[..] {
        [day, time] => (day, time, 1),
        [day, time, nth] => (day, time, whole(nth)?),
        _ => return None,
    };
    ((day.len(), time.len()) == (8, 6)).then_some((whole(day)? * 1_000_000 + whole(time)?, nth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_when_they_began() {
        let live = Name::parse("live").unwrap();
        assert_eq!(began("live-20261120-143000", &live), Some((20_261_120_143_000, 1)));
        assert_eq!(began("live-20261120-143000-12", &live), Some((20_261_120_143_000, 12)));
        for other in [
            "live",
            "live-eu-20261120-143000",
            "live-20261120",
            "live-20261120-1430",
            "live-20261120-143000-x",
            "live-20261120-143000-2-3",
            "livelier-20261120-143000",
            "LIVE-20261120-143000",
            "live-2026112a-143000",
        ] {
            assert_eq!(began(other, &live), None, "{other}");
        }
    }
}
