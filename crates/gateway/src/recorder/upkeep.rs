//! What becomes of recordings: closed segments are packed anew by a thread that gives way to all others, and what is
//! more, or older, than is kept goes.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use metrics::counter;
use store::limits::{KEPT_SEGMENTS, SEGMENT_BYTES};
use store::{Journal, Keep, Sealed, Shelf, StoreError, seal, seal_all};

use super::Recording;
use crate::limits::{RECORDINGS_LOOK, SEAL_AGAIN};
use crate::metrics::{RECORDING_REMOVED, RECORDING_REMOVED_READ, RECORDING_SEALED};

/// Looks after the recordings of a folder and a name, in the recorder's thread.
pub(super) struct Upkeep {
    shelf: Shelf,
    keep: Keep,
    due: Instant,
    /// The file of the newest segment that is closed, and since when.
    newest: (String, Instant),
    sealer: Sealer,
    /// The file system refused when it was last asked.
    failed: bool,
}

/// How hard a segment is packed that is closed.
const LEVEL: i32 = 9;
/// Segments are at least so long, however little is kept.
const SEGMENT_BYTES_MIN: u64 = 64 << 10;

/// So many bytes a segment: what is kept is many of them.
pub(super) fn segment_bytes(keep: &Keep) -> u64 {
    let part = keep.bytes.map_or(SEGMENT_BYTES, |bytes| bytes / u64::from(KEPT_SEGMENTS));
    part.clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES)
}

impl Upkeep {
    pub(super) fn new(recording: &Recording) -> Self {
        let Recording { folder, name, keep, .. } = recording;
        let shelf = Shelf::new(folder, name, *keep);
        let sealer = Sealer::start(Shelf::new(folder, name, *keep));
        let now = Instant::now();
        Self { shelf, keep: *keep, due: now, newest: (String::new(), now), sealer, failed: false }
    }

    /// Looks at what has been closed, and now and then at what is to go.
    pub(super) fn look(&mut self, journal: &mut Journal) {
        let now = Instant::now();
        for (file, bytes) in self.sealer.done.try_iter() {
            journal.note_sealed(&file, bytes);
        }
        for entry in journal.closed().iter().filter(|entry| entry.file > self.newest.0) {
            self.sealer.seal(journal.folder().join(&entry.file));
        }
        if let Some(last) = journal.closed().last().filter(|last| last.file > self.newest.0) {
            self.newest = (last.file.clone(), now);
        }
        // What is kept for an hour cannot be in one file of a day.
        let longest = self.keep.age.map(|age| age / KEPT_SEGMENTS);
        if longest.is_some_and(|longest| now.duration_since(self.newest.1) >= longest) {
            self.newest.1 = now;
            journal.end_segment();
        }
        if now < self.due || !self.keep.is_bounded() {
            return;
        }
        self.due = now + RECORDINGS_LOOK;
        match self.shelf.clear(journal, SystemTime::now(), now) {
            Ok(cleared) => {
                counter!(RECORDING_REMOVED).increment(cleared.bytes);
                counter!(RECORDING_REMOVED_READ).increment(cleared.read);
                if cleared.more {
                    self.due = now;
                }
                self.failed = false;
            }
            Err(error) => self.refused(&error),
        }
    }

    fn refused(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.failed, true) {
            tracing::error!("old recordings stay: {error}");
        }
    }
}

/// The thread that packs segments anew, one after the other.
struct Sealer {
    jobs: Sender<PathBuf>,
    done: Receiver<(String, u64)>,
}

impl Sealer {
    /// Begins with recordings that nobody makes any more: their last segment was not closed while somebody did, and
    /// those whose process was killed have no end.
    fn start(shelf: Shelf) -> Self {
        let ((jobs, heard), (told, done)) = (channel(), channel());
        let thread =
            thread::Builder::new().name("sealer".to_owned()).spawn(move || run(&shelf, &heard, &told));
        if let Err(error) = thread {
            tracing::warn!("closed files of recordings stay as they are: {error}");
        }
        Self { jobs, done }
    }

    fn seal(&self, path: PathBuf) {
        // Without the thread, nobody wants it.
        let _ = self.jobs.send(path);
    }
}

/// It ends with the recording, or with the process: what it has not replaced is as it was.
fn run(shelf: &Shelf, heard: &Receiver<PathBuf>, told: &Sender<(String, u64)>) {
    // On Linux, this is of the thread alone.
    let _ = rustix::process::nice(19);
    for folder in shelf.left().unwrap_or_default() {
        match seal_all(&folder, LEVEL, wire::line) {
            Ok((from, to)) => count(from, to),
            Err(error) => tracing::warn!("{} stays as it is: {error}", folder.display()),
        }
    }
    let mut jobs = Vec::new();
    loop {
        let wait = if jobs.is_empty() { Duration::MAX } else { SEAL_AGAIN };
        match heard.recv_timeout(wait) {
            Ok(path) => jobs.push(path),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let mut read = Vec::new();
        // The newest first: on a busy machine, the oldest may be gone before they are packed.
        while let Some(path) = jobs.pop() {
            match seal(&path, LEVEL) {
                Ok(Sealed::Smaller { from, to }) => {
                    count(from, to);
                    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    let _ = told.send((file, to));
                }
                Ok(Sealed::Read) => read.push(path),
                Err(error) if path.exists() => tracing::warn!("{} stays as it is: {error}", path.display()),
                // It is good as it is, or was removed meanwhile.
                Ok(Sealed::Left) | Err(_) => {}
            }
            jobs.extend(heard.try_iter());
        }
        read.reverse();
        jobs = read;
    }
}

fn count(from: u64, to: u64) {
    counter!(RECORDING_SEALED, "when" => "before").increment(from);
    counter!(RECORDING_SEALED, "when" => "after").increment(to);
}
