//! Records what is sequenced, in a thread of its own. Nobody waits for a disk: what it does not follow is counted,
//! and named in the recording's manifest.

mod upkeep;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use metrics::{Gauge, counter, gauge};
use store::limits::LOSS_WINDOW;
use store::{Journal, Keep, Name, Settings, StoreError};

use crate::clock;
use crate::limits::{RECORDER_BYTES_MAX, RECORDER_EVENTS_MAX};
use crate::metrics::{RECORDED, RECORDER_ERRORS, RECORDER_HELD, RECORDER_WAITS, UNRECORDED, begin_recording};
use crate::queue::Events;
use upkeep::Upkeep;

/// Where is recorded what the server sends, and which recordings it plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The folder of recordings.
    pub folder: PathBuf,
    /// What its name begins with; when it began follows.
    pub name: Name,
    /// How much is kept of all recordings with this beginning.
    pub keep: Keep,
    /// One is made; the others of the folder are played in any case.
    pub records: bool,
}

/// A recording that goes on until this is dropped.
pub(crate) struct Recorder {
    name: Name,
    words: Sender<Word>,
    thread: Option<JoinHandle<()>>,
}

/// Where the hub puts what it has sequenced.
pub(crate) struct Tape {
    words: Sender<Word>,
    /// Events that wait.
    queued: Arc<AtomicUsize>,
    missed: MissedSoFar,
    held: Held,
}

/// Tells how many events are on their way to the disk: who writes them may be stuck in it.
#[derive(Clone)]
struct Held {
    told: Gauge,
    /// Events that the journal has and that are not safe.
    taken: Arc<AtomicUsize>,
}

impl Held {
    fn new() -> Self {
        Self { told: gauge!(RECORDER_HELD), taken: Arc::default() }
    }

    fn tell(&self, queued: &AtomicUsize) {
        let held = self.taken.load(Ordering::Relaxed) + queued.load(Ordering::Relaxed);
        // Both are bounded, far below what is exact.
        #[expect(clippy::cast_precision_loss, reason = "a gauge has no other number")]
        self.told.set(held as f64);
    }
}

/// What was missed since the last that was taken. Shared, so that it is known at the end as well.
type MissedSoFar = Arc<Mutex<Option<Missed>>>;

enum Word {
    /// Events, and what was missed before them.
    Taken { events: Events, missed: Option<Missed> },
    /// That was all.
    End,
}

/// Events for which there was no room.
#[derive(Clone, Copy)]
struct Missed {
    from: u64,
    to: u64,
    count: u64,
}

/// How long a disk that has failed is left alone.
const REST: Duration = Duration::from_secs(1);
/// How often the end of a recording is tried on a disk that fails.
const FINISHES: u32 = 3;

const TOO_SLOW: &str = "the disk did not follow";

impl Recorder {
    /// Begins a recording.
    ///
    /// # Errors
    /// Its folder cannot be made.
    pub(crate) fn start(recording: &Recording) -> Result<(Self, Tape), StoreError> {
        let (name, folder, journal) = create(recording)?;
        let (words, heard) = channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let missed = MissedSoFar::default();
        begin_recording();
        let held = Held::new();
        let tape = Tape {
            words: words.clone(),
            queued: Arc::clone(&queued),
            missed: Arc::clone(&missed),
            held: held.clone(),
        };
        let upkeep = Upkeep::new(recording);
        let writer = Writer { journal, heard, queued, missed, held, upkeep, failed: false };
        let thread = thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run());
        let thread = thread.map_err(|error| StoreError::Io { path: folder.clone(), error })?;
        tracing::info!(folder = %folder.display(), "recording");
        Ok((Self { name, words, thread: Some(thread) }, tape))
    }
}

impl Recorder {
    /// The recording's name.
    pub(crate) const fn name(&self) -> &Name {
        &self.name
    }
}

impl Drop for Recorder {
    /// Waits until all that was put on the tape is safe.
    fn drop(&mut self) {
        let _ = self.words.send(Word::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A journal in a folder that is named by the time; two may begin in one second.
fn create(recording: &Recording) -> Result<(Name, PathBuf, Journal), StoreError> {
    let now = clock::wall().to_string();
    let digits: String = now.chars().take(19).filter(char::is_ascii_digit).collect();
    let (day, time) = digits.split_at(8);
    let mut name = format!("{}-{day}-{time}", recording.name.as_str());
    let segment_bytes = upkeep::segment_bytes(&recording.keep);
    let settings = Settings { segment_bytes, ..Settings::new(wire::line) };
    for second in 2.. {
        let folder = recording.folder.join(&name);
        match Journal::create(&folder, settings) {
            Err(StoreError::Exists { .. }) => {
                name = format!("{}-{day}-{time}-{second}", recording.name.as_str());
            }
            Err(error) => return Err(error),
            Ok(journal) => {
                // What it begins with leaves room for the time.
                let name = Name::parse(&name).unwrap_or_else(|_| recording.name.clone());
                return Ok((name, folder, journal));
            }
        }
    }
    Err(StoreError::Io { path: recording.folder.clone(), error: io::ErrorKind::AlreadyExists.into() })
}

impl Tape {
    /// Takes events, if there is room for them; what there is no room for is noted.
    pub(crate) fn take(&mut self, events: &Events) {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return };
        let count = events.len();
        let mut missed = lock(&self.missed);
        // The count guards nothing else: batches are handed over by the channel.
        if self.queued.load(Ordering::Relaxed) < RECORDER_EVENTS_MAX {
            self.queued.fetch_add(count, Ordering::Relaxed);
            let word = Word::Taken { events: Arc::clone(events), missed: missed.take() };
            // Where the recording has ended, nobody wants it.
            let _ = self.words.send(word);
            self.held.tell(&self.queued);
            return;
        }
        counter!(UNRECORDED).increment(count as u64);
        let (from, before) = missed.map_or((first.position, 0), |missed| (missed.from, missed.count));
        *missed = Some(Missed { from, to: last.position, count: before + count as u64 });
    }
}

fn lock(missed: &Mutex<Option<Missed>>) -> MutexGuard<'_, Option<Missed>> {
    missed.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Writer {
    journal: Journal,
    heard: Receiver<Word>,
    queued: Arc<AtomicUsize>,
    missed: MissedSoFar,
    held: Held,
    upkeep: Upkeep,
    /// The disk failed when it was last asked.
    failed: bool,
}

impl Writer {
    fn run(mut self) {
        let mut due = Instant::now() + LOSS_WINDOW;
        loop {
            match self.heard.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Word::Taken { events, missed }) => self.take(&events, missed),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Word::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= due {
                let rest = if self.sync() { LOSS_WINDOW } else { REST };
                self.upkeep.look(&mut self.journal);
                due = Instant::now() + rest;
            }
        }
        let missed = lock(&self.missed).take();
        self.note(missed);
        for _ in 0..FINISHES {
            if self.sync() {
                break;
            }
            thread::sleep(REST);
        }
        match self.journal.finish() {
            Ok(manifest) => tracing::info!(records = manifest.records, "recorded"),
            Err(error) => tracing::error!("the recording has no end: {error}"),
        }
    }

    fn take(&mut self, events: &Events, missed: Option<Missed>) {
        self.note(missed);
        let count = events.len();
        if self.journal.waiting_bytes() < RECORDER_BYTES_MAX {
            for event in events.iter() {
                self.journal.push(&event.record);
            }
            counter!(RECORDED).increment(count as u64);
        } else if let (Some(first), Some(last)) = (events.first(), events.last()) {
            counter!(UNRECORDED).increment(count as u64);
            self.journal.lose(first.position, last.position, count as u64, TOO_SLOW);
        }
        self.queued.fetch_sub(count, Ordering::Relaxed);
    }

    fn tell_held(&self) {
        let taken = usize::try_from(self.journal.waiting_records()).unwrap_or(usize::MAX);
        self.held.taken.store(taken, Ordering::Relaxed);
        self.held.tell(&self.queued);
    }

    fn note(&mut self, missed: Option<Missed>) {
        if let Some(Missed { from, to, count }) = missed {
            self.journal.lose(from, to, count, TOO_SLOW);
        }
    }

    /// Makes safe what was taken; false where the disk refuses.
    fn sync(&mut self) -> bool {
        let synced = self.journal.sync();
        gauge!(RECORDER_WAITS).set(if synced.is_ok() { 0.0 } else { 1.0 });
        self.tell_held();
        match synced {
            Ok(()) => {
                if std::mem::take(&mut self.failed) {
                    tracing::info!("the recording goes on");
                }
                true
            }
            Err(error) => {
                counter!(RECORDER_ERRORS).increment(1);
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::error!("the recording waits: {error}");
                }
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::tests::Feed;

    /// What there is no room for is named, also where nothing comes after it.
    #[test]
    fn what_was_missed_is_in_the_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let name = Name::parse("r").unwrap();
        let kept = Recording { folder: folder.path().to_owned(), name, keep: Keep::default(), records: true };
        let folder = folder.path().join("r");
        let upkeep = Upkeep::new(&kept);
        let journal = Journal::create(&folder, Settings::new(wire::line)).unwrap();
        let (words, heard) = channel();
        let (queued, missed) = (Arc::new(AtomicUsize::new(0)), MissedSoFar::default());
        let held = Held::new();
        let mut tape =
            Tape { words, queued: Arc::clone(&queued), missed: Arc::clone(&missed), held: held.clone() };
        let mut feed = Feed::default();
        let mut batch = || -> Events { (0..3).map(|_| feed.event('q', "A")).collect() };
        let batches: Vec<_> = (0..5).map(|_| batch()).collect();
        for (n, events) in batches.iter().enumerate() {
            // The second and the last two find the queue full.
            let full = [1, 3, 4].contains(&n);
            let waits = if full { RECORDER_EVENTS_MAX } else { 0 };
            queued.fetch_add(waits, Ordering::Relaxed);
            tape.take(events);
            queued.fetch_sub(waits, Ordering::Relaxed);
        }
        assert_eq!(queued.load(Ordering::Relaxed), 6);
        drop(tape);
        Writer { journal, heard, queued: Arc::clone(&queued), missed, held, upkeep, failed: false }.run();
        assert_eq!(queued.load(Ordering::Relaxed), 0);
        let manifest = store::Manifest::read(&folder).unwrap().unwrap();
        let lost: Vec<_> =
            manifest.lost.iter().map(|lost| (lost.from_position, lost.to_position, lost.count)).collect();
        assert_eq!((manifest.complete, manifest.records, lost), (true, 6, vec![(4, 6, 3), (10, 15, 6)]));
    }
}
