//! Records in any order, brought into the total order: sorted piece by piece, and merged from the disk.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use model::{Body, BookChange, Placed};

use crate::error::{Damage, StoreError};
use crate::journal::{Journal, Settings};
use crate::limits::{SORT_BLOCK, SORT_BYTES, SORT_LEVELS, SORT_RECORDS, SORT_RUNS};
use crate::recording::{Reader, Recording};

/// Sorts records by their places in the total order, in a folder of its own.
pub struct Sorter {
    folder: PathBuf,
    most: usize,
    records: Vec<Placed>,
    levels: usize,
    runs: Vec<Run>,
    /// How many runs were begun.
    begun: usize,
    repeated: u64,
}

/// Records in order, on the disk.
struct Run {
    folder: PathBuf,
    journal: Journal,
    last: u64,
    block: usize,
}

/// What was sorted.
pub struct Sorted {
    /// The records, in order. It is there for as long as the sorter's folder is.
    pub recording: Recording,
    /// Records whose place another had before them: they are not in it.
    pub repeated: u64,
}

impl Sorter {
    /// A sorter that writes into a folder, which is there and empty.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self::with_most(folder, SORT_RECORDS)
    }

    pub(crate) fn with_most(folder: &Path, most: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            most,
            records: Vec::new(),
            levels: 0,
            runs: Vec::new(),
            begun: 0,
            repeated: 0,
        }
    }

    /// Takes a record. Cost: some 100 MB of memory in all, and the disk now and then.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn push(&mut self, record: Placed) -> Result<(), StoreError> {
        if let Body::Book(BookChange::Snapshot(levels) | BookChange::Delta(levels)) = &record.body {
            self.levels += levels.len();
        }
        self.records.push(record);
        if self.records.len() < self.most && self.levels < SORT_LEVELS { Ok(()) } else { self.write() }
    }

    /// Ends the sorting.
    ///
    /// # Errors
    /// The disk refuses, or has lost what it took.
    pub fn finish(mut self) -> Result<Sorted, StoreError> {
        self.write()?;
        if self.runs.len() != 1 {
            self.merge()?;
        }
        let Some(run) = self.runs.pop() else {
            return Err(StoreError::NoRecording { path: self.folder });
        };
        run.journal.finish()?;
        Ok(Sorted { recording: Recording::open(&run.folder)?, repeated: self.repeated })
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let mut records = std::mem::take(&mut self.records);
        self.levels = 0;
        records.sort_by_key(|record| record.position);
        let Some(first) = records.first().map(|first| first.position) else { return Ok(()) };
        // It goes behind the run that ends the least before it.
        let before = (0..self.runs.len()).filter(|&n| self.runs[n].last < first);
        let at = if let Some(at) = before.max_by_key(|&n| self.runs[n].last) {
            at
        } else {
            if self.runs.len() >= SORT_RUNS {
                self.merge()?;
            }
            let run = self.begin()?;
            self.runs.push(run);
            self.runs.len() - 1
        };
        for record in &records {
            self.repeated += u64::from(!self.runs[at].push(record)?);
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<Run, StoreError> {
        self.begun += 1;
        let folder = self.folder.join(format!("run-{}", self.begun));
        let settings = Settings { level: 1, ..Settings::new(|_, _| {}) };
        let journal = Journal::create(&folder, settings)?;
        Ok(Run { folder, journal, last: 0, block: 0 })
    }

    /// Makes one run of all.
    fn merge(&mut self) -> Result<(), StoreError> {
        let mut whole = self.begin()?;
        let (mut parts, mut next) = (Vec::new(), BinaryHeap::new());
        for (n, run) in std::mem::take(&mut self.runs).into_iter().enumerate() {
            run.journal.finish()?;
            let reader = Recording::open(&run.folder)?.read()?;
            let mut part = Part { folder: run.folder, reader, records: VecDeque::new() };
            part.look()?;
            next.extend(part.records.front().map(|record| Reverse((record.position, n))));
            parts.push(part);
        }
        while let Some(Reverse((_, n))) = next.pop() {
            let part = &mut parts[n];
            if let Some(record) = part.records.pop_front() {
                self.repeated += u64::from(!whole.push(&record)?);
            }
            part.look()?;
            next.extend(part.records.front().map(|record| Reverse((record.position, n))));
        }
        for part in parts {
            fs::remove_dir_all(&part.folder).map_err(StoreError::io(&part.folder))?;
        }
        self.runs.push(whole);
        Ok(())
    }
}

impl Run {
    /// Takes a record; false where its place is taken.
    fn push(&mut self, record: &Placed) -> Result<bool, StoreError> {
        if record.position <= self.last {
            return Ok(false);
        }
        self.last = record.position;
        self.journal.push(record);
        self.block += 1;
        if self.block >= SORT_BLOCK {
            // Whoever merges has a block of each run in memory.
            self.block = 0;
            self.journal.finish_block();
            if self.journal.waiting_bytes() > SORT_BYTES {
                self.journal.sync()?;
            }
        }
        Ok(true)
    }
}

/// A run that is merged.
struct Part {
    folder: PathBuf,
    reader: Reader,
    records: VecDeque<Placed>,
}

impl Part {
    /// Reads on where nothing is left.
    fn look(&mut self) -> Result<(), StoreError> {
        while self.records.is_empty() {
            match self.reader.next() {
                None => break,
                Some(Ok(records)) => self.records = records.into(),
                Some(Err(damage)) => return Err(lost(damage)),
            }
        }
        Ok(())
    }
}

/// What was written a moment ago does not read.
fn lost(damage: Damage) -> StoreError {
    StoreError::Io { error: std::io::Error::other(damage.to_string()), path: damage.path }
}
