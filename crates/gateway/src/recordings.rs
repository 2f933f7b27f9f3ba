//! The recordings that clients may have: by name, out of one folder.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{Manifest, Name, StoreError};
use wire::{ErrorCode, closest};

use crate::auth::{GUEST, Grant};
use crate::limits::{RECORDINGS_LISTED, REPLAYS_MAX, SUBJECT_REPLAYS_MAX};
use crate::metrics::REPLAYS;
use crate::replay::Shares;

/// The folder of recordings, and what goes on in it.
#[derive(Clone, Default)]
pub(crate) struct Recordings(Arc<Shelf>);

#[derive(Default)]
struct Shelf {
    folder: Option<PathBuf>,
    /// The one that is being made.
    running: Option<Name>,
    /// How many replays go on, by subject.
    playing: Mutex<HashMap<String, usize>>,
    shares: Shares,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A recording that is there.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) name: Name,
    pub(crate) folder: PathBuf,
    /// It is being made.
    pub(crate) is_running: bool,
}

/// Why there is no such recording.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

/// A replay that counts until it is dropped.
pub(crate) struct Playing {
    shelf: Arc<Shelf>,
    subject: String,
}

impl Drop for Playing {
    fn drop(&mut self) {
        metrics::gauge!(REPLAYS).decrement(1.0);
        let mut playing = lock(&self.shelf.playing);
        if let Some(count) = playing.get_mut(&self.subject) {
            *count -= 1;
            if *count == 0 {
                playing.remove(&self.subject);
            }
        }
    }
}

impl Recordings {
    pub(crate) fn new(folder: Option<PathBuf>, running: Option<Name>) -> Self {
        Self(Arc::new(Shelf { folder, running, ..Shelf::default() }))
    }

    /// The recording of that name; without one, that which is being made.
    pub(crate) fn find(&self, name: Option<&str>) -> Result<Found, Missing> {
        let Some(folder) = &self.0.folder else {
            let message = "This server has no recordings. Its operator can set [recording] folder.";
            return Err(Missing::unknown(message.to_owned()));
        };
        let name = match (name, &self.0.running) {
            (Some(name), _) => Name::parse(name)
                .map_err(|error| Missing::unknown(format!("{error}; GET /v1/recordings lists them.")))?,
            (None, Some(running)) => running.clone(),
            (None, None) => {
                let message = "This server makes no recording now. Name one; GET /v1/recordings lists them.";
                return Err(Missing::unknown(message.to_owned()));
            }
        };
        let path = folder.join(name.as_str());
        // Not whatever a link leads to.
        if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            let is_running = self.0.running.as_ref() == Some(&name);
            return Ok(Found { name, folder: path, is_running });
        }
        let names = self.names();
        let near = closest(name.as_str(), names.iter().map(Name::as_str));
        let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        let name = name.as_str();
        Err(Missing::unknown(format!("Unknown recording {name}.{hint} GET /v1/recordings lists them.")))
    }

    /// All names, in their order, which is that of their beginnings where they begin alike.
    pub(crate) fn names(&self) -> Vec<Name> {
        let entries = self.0.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let entries = entries.into_iter().flatten().flatten().take(RECORDINGS_LISTED);
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut names: Vec<_> =
            folders.filter_map(|entry| Name::parse(entry.file_name().to_str()?).ok()).collect();
        names.sort();
        names
    }

    /// Clocks of replays that others may follow.
    pub(crate) fn shares(&self) -> &Shares {
        &self.0.shares
    }

    /// A place among the replays of a subject or of an address' guests, and of all. Guests have half of these at most.
    pub(crate) fn play(&self, grant: &Grant) -> Result<Playing, Missing> {
        let subject = grant.party();
        let mut playing = lock(&self.0.playing);
        let own = playing.get(subject).copied().unwrap_or_default();
        let refused = |message: String| Err(Missing { code: ErrorCode::ReplayLimit, message });
        if own >= SUBJECT_REPLAYS_MAX {
            return refused(format!(
                "{subject} has {SUBJECT_REPLAYS_MAX} replays and downloads, which is all that one may have. End one first."
            ));
        }
        let of_guests =
            playing.iter().filter(|(name, _)| name.starts_with(GUEST)).map(|(_, count)| count).sum::<usize>();
        let is_full = grant.is_guest() && of_guests >= REPLAYS_MAX / 2;
        if is_full || playing.values().sum::<usize>() >= REPLAYS_MAX {
            return refused("The server plays as many replays as it can. Try again later.".to_owned());
        }
        *playing.entry(subject.to_owned()).or_default() += 1;
        metrics::gauge!(REPLAYS).increment(1.0);
        Ok(Playing { shelf: Arc::clone(&self.0), subject: subject.to_owned() })
    }
}

impl Found {
    pub(crate) fn manifest(&self) -> Result<Option<Manifest>, StoreError> {
        Manifest::read(&self.folder)
    }
}

impl Missing {
    const fn unknown(message: String) -> Self {
        Self { code: ErrorCode::UnknownRecording, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_folder() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("recordings");
        std::fs::create_dir_all(folder.join("one")).unwrap();
        std::fs::create_dir_all(around.path().join("secret")).unwrap();
        std::fs::write(folder.join("file"), "").unwrap();
        std::os::unix::fs::symlink(around.path().join("secret"), folder.join("link")).unwrap();
        let recordings = Recordings::new(Some(folder.clone()), Some(Name::parse("one").unwrap()));
        assert_eq!(recordings.find(Some("one")).unwrap().folder, folder.join("one"));
        assert!(recordings.find(None).unwrap().is_running);
        for name in
            ["..", "../secret", "one/../../secret", "link", "file", "", "two", "%2e%2e", "one\0", "ONE"]
        {
            assert_eq!(
                recordings.find(Some(name)).unwrap_err().code,
                ErrorCode::UnknownRecording,
                "{name:?}"
            );
        }
        let slip = recordings.find(Some("ome")).unwrap_err().message;
        assert!(slip.contains("Did you mean one?"), "{slip}");
        assert!(Recordings::default().find(None).is_err());
    }

    #[test]
    fn replays_are_counted() {
        let recordings = Recordings::default();
        let play = |name: &str| recordings.play(&Grant::for_tests(name));
        let mut all: Vec<_> =
            (0..REPLAYS_MAX).map(|n| play(&(n / SUBJECT_REPLAYS_MAX).to_string()).unwrap()).collect();
        assert!(play("0").is_err_and(|refused| refused.message.starts_with("0 has 16")));
        assert!(play("another").is_err_and(|refused| refused.message.starts_with("The server")));
        all.pop();
        assert!(play("0").is_err() && play("another").is_ok());
        drop(all);
        assert!(lock(&recordings.0.playing).is_empty());
    }

    /// However often they become new ones.
    #[test]
    fn guests_leave_room_for_others() {
        let recordings = Recordings::default();
        let guest = |n: usize, address: usize| {
            let tenant = Some(format!("{GUEST}{address}").into());
            recordings.play(&Grant { tenant, ..Grant::for_tests(&format!("{GUEST}{n}")) })
        };
        let all: Vec<_> = (0..SUBJECT_REPLAYS_MAX).map(|n| guest(n, 1).unwrap()).collect();
        assert!(guest(99, 1).is_err());
        let others: Vec<_> = (0..REPLAYS_MAX).filter_map(|n| guest(n, n + 2).ok()).collect();
        assert_eq!(all.len() + others.len(), REPLAYS_MAX / 2);
        assert!(recordings.play(&Grant::for_tests("alice")).is_ok());
    }
}
