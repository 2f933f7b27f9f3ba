//! Writing a recording: blocks into segments, and what is known of them into the manifest.
//!
//! Taking a record does no I/O. What a failing disk has not taken waits, as finished blocks: each stands alone,
//! so it can go into another file.

mod upkeep;

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use model::{Placed, UnixNanos};

use crate::codec::Encoder;
use crate::digest::{Digest, Line};
use crate::error::StoreError;
use crate::frame::{Header, Kind};
use crate::limits::{
    BLOCK_BYTES, BLOCK_BYTES_MAX, BLOCK_RECORDS, NAMED_MAX, SEGMENT_BYTES, STATE_RECORDS, STATE_RECORDS_MAX,
};
use crate::lock;
use crate::manifest::{DigestEntry, Lost, Manifest, RawEntry, Removed, SCHEMA, SegmentEntry};
use crate::segment;
use crate::state::State;
use crate::tally::Tally;

/// How a recording is made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How hard blocks are packed: 1 (fast) to 19.
    pub level: i32,
    /// How records are written as lines, for the digest.
    pub line: Line,
    /// Bytes of a segment before the next one begins.
    pub segment_bytes: u64,
}

impl Settings {
    /// Fast, and segments of 64 MiB.
    #[must_use]
    pub const fn new(line: Line) -> Self {
        Self { level: 3, line, segment_bytes: SEGMENT_BYTES }
    }
}

/// A recording that is being made.
pub struct Journal {
    folder: PathBuf,
    name: String,
    settings: Settings,
    encoder: Encoder,
    block: Block,
    /// Finished, and not known to be safe; the first `written` of them are in the file.
    waiting: VecDeque<Finished>,
    written: usize,
    out: Option<Out>,
    /// The number of the newest segment.
    number: u64,
    segments: Vec<SegmentEntry>,
    /// Bytes of blocks since the last segment was to begin.
    of_segment: u64,
    state: State,
    /// Records and bytes since the last state, and how many bytes that had.
    since_state: u64,
    since_state_bytes: usize,
    state_bytes: usize,
    first: Option<(u64, UnixNanos)>,
    tally: Tally,
    digest: Digest,
    lost: Vec<Lost>,
    removed: Option<Removed>,
    raw: Vec<RawEntry>,
    /// It is this process that makes it.
    writer: Option<File>,
}

/// The block in the making.
#[derive(Default)]
struct Block {
    count: u32,
    first: u64,
    from: UnixNanos,
}

enum Finished {
    Block {
        header: Header,
        bytes: Vec<u8>,
    },
    /// The next block begins a segment.
    Segment,
}

struct Out {
    file: File,
    path: PathBuf,
    at: u64,
}

impl Journal {
    /// Begins a recording in a folder that is not there yet.
    ///
    /// # Errors
    /// It is there, or cannot be made.
    pub fn create(folder: &Path, settings: Settings) -> Result<Self, StoreError> {
        Self::create_after(folder, settings, State::default())
    }

    /// Begins a recording of what follows a state: it begins with that, so that books are known.
    ///
    /// # Errors
    /// See [`Self::create`].
    pub fn create_after(folder: &Path, settings: Settings, state: State) -> Result<Self, StoreError> {
        if folder.exists() {
            return Err(StoreError::Exists { path: folder.to_owned() });
        }
        fs::create_dir_all(folder).map_err(StoreError::io(folder))?;
        for above in folder.ancestors().skip(1).filter(|above| above.is_dir()).take(2) {
            File::open(above).and_then(|above| above.sync_all()).map_err(StoreError::io(above))?;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut journal = Self {
            folder: folder.to_owned(),
            name,
            settings,
            encoder: Encoder::new(settings.level).map_err(StoreError::io(folder))?,
            block: Block::default(),
            waiting: VecDeque::new(),
            written: 0,
            out: None,
            number: 0,
            segments: Vec::new(),
            of_segment: 0,
            state,
            since_state: 0,
            since_state_bytes: 0,
            state_bytes: 0,
            first: None,
            tally: Tally::default(),
            digest: Digest::new(settings.line),
            lost: Vec::new(),
            removed: None,
            raw: Vec::new(),
            writer: lock::write(folder),
        };
        // There is a segment from the beginning: an empty recording is one, too.
        journal.open_next()?;
        if journal.state.position() > 0 {
            journal.finish_state();
        }
        Ok(journal)
    }

    /// Takes a record, after those before it in the total order. No I/O; cost: O(its size).
    pub fn push(&mut self, record: &Placed) {
        if self.block.count == 0 {
            let from = self.state.clock().max(record.ts_recv);
            self.block = Block { count: 0, first: record.position, from };
        }
        self.first.get_or_insert((record.position, record.ts_recv));
        self.encoder.push(record);
        self.state.apply(record);
        self.tally.push(record);
        self.digest.push(record);
        self.block.count += 1;
        if self.encoder.len() >= BLOCK_BYTES || self.block.count as usize >= BLOCK_RECORDS {
            self.finish_block();
        }
    }

    /// Notes `count` records that were not taken, and why: those from one place in the total order to another.
    pub fn lose(&mut self, from_position: u64, to_position: u64, count: u64, reason: &str) {
        let recorded = self.state.position();
        // Where all are named that may be, the last stands for what follows as well.
        let full = self.lost.len() == NAMED_MAX;
        if let Some(last) = self.lost.last_mut()
            && (full || last.reason == reason && recorded < last.from_position)
        {
            (last.to_position, last.count) = (to_position, last.count + count);
        } else {
            self.lost.push(Lost { from_position, to_position, count, reason: reason.to_owned() });
        }
    }

    /// Bytes that wait to be safe.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        let finished = self.waiting.iter().map(|finished| match finished {
            Finished::Block { bytes, .. } => bytes.len(),
            Finished::Segment => 0,
        });
        finished.sum::<usize>() + self.encoder.len()
    }

    /// Records that wait to be safe.
    #[must_use]
    pub fn waiting_records(&self) -> u64 {
        let finished = self.waiting.iter().map(|finished| match finished {
            Finished::Block { header, .. } if header.kind == Kind::Records => header.count.into(),
            _ => 0,
        });
        finished.sum::<u64>() + u64::from(self.block.count)
    }

    /// Ends the block in the making; the next record begins another.
    pub(crate) fn finish_block(&mut self) {
        if self.block.count == 0 {
            return;
        }
        let Block { count, first, from } = std::mem::take(&mut self.block);
        let (last, to) = (self.state.position(), self.state.clock());
        let before = self.digest.records() - u64::from(count);
        let bytes = self.encoder.finish();
        self.since_state += u64::from(count);
        self.wait(Kind::Records, count, (first, last), (from, to), before, bytes);
        let full = self.of_segment >= self.settings.segment_bytes;
        if full {
            self.waiting.push_back(Finished::Segment);
            self.of_segment = 0;
        }
        // Where everything takes many bytes to tell, it is told less often than it is told anew.
        if full || self.since_state >= STATE_RECORDS && self.since_state_bytes >= self.state_bytes {
            self.finish_state();
        }
    }

    /// How everything stands now: a block of its own.
    fn finish_state(&mut self) {
        let records = self.state.to_records();
        for record in &records {
            self.encoder.push(record);
        }
        let fits = self.encoder.len() < BLOCK_BYTES_MAX && records.len() <= STATE_RECORDS_MAX;
        let bytes = self.encoder.finish();
        (self.since_state, self.since_state_bytes, self.state_bytes) = (0, 0, bytes.len());
        if !fits {
            return;
        }
        let (position, clock) = (self.state.position(), self.state.clock());
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        self.wait(Kind::State, count, (position, position), (clock, clock), self.digest.records(), bytes);
    }

    fn wait(
        &mut self,
        kind: Kind,
        count: u32,
        (first, last): (u64, u64),
        (from, to): (UnixNanos, UnixNanos),
        before: u64,
        bytes: Vec<u8>,
    ) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let crc = crc32fast::hash(&bytes);
        let header = Header { kind, count, bytes: length, crc, first, last, from, to, before };
        if kind == Kind::Records {
            self.of_segment += bytes.len() as u64;
            self.since_state_bytes += bytes.len();
        }
        self.waiting.push_back(Finished::Block { header, bytes });
    }

    /// Writes what was taken and waits until it is safe: a crash of the machine takes nothing of it.
    ///
    /// # Errors
    /// The disk refuses. What it has not taken waits, and the next call begins with it in a new segment.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.finish_block();
        self.write()?;
        self.make_safe()
    }

    fn write(&mut self) -> Result<(), StoreError> {
        while let Some(next) = self.waiting.get(self.written) {
            match next {
                Finished::Segment => {
                    self.make_safe()?;
                    // It is the first now.
                    self.waiting.pop_front();
                    self.out = None;
                    self.manifest(false).write(&self.folder)?;
                }
                Finished::Block { .. } if self.out.is_none() => self.open_next()?,
                Finished::Block { header, bytes } => {
                    let Some(out) = &mut self.out else { continue };
                    let whole = [&header.to_bytes()[..], bytes].concat();
                    if let Err(error) = out.file.write_all_at(&whole, out.at) {
                        // Nobody is to see a part of it. The file is not written to again.
                        let error = StoreError::io(&out.path)(error);
                        self.give_up();
                        return Err(error);
                    }
                    out.at += whole.len() as u64;
                    self.written += 1;
                }
            }
        }
        Ok(())
    }

    fn make_safe(&mut self) -> Result<(), StoreError> {
        let Some(out) = self.out.as_ref().filter(|_| self.written > 0) else { return Ok(()) };
        if let Err(error) = out.file.sync_data() {
            let error = StoreError::io(&out.path)(error);
            // What became of it nobody knows: all that was not safe before goes into another file.
            self.give_up();
            return Err(error);
        }
        let safe = self.waiting.drain(..self.written);
        for finished in safe {
            if let Finished::Block { header, .. } = finished
                && header.kind == Kind::Records
                && let Some(entry) = self.segments.last_mut()
            {
                entry.records += u64::from(header.count);
                let first = if entry.positions.0 == 0 { header.first } else { entry.positions.0 };
                entry.positions = (first, header.last);
            }
        }
        if let Some(entry) = self.segments.last_mut() {
            entry.bytes = out.at;
        }
        self.written = 0;
        Ok(())
    }

    /// Leaves the segment alone, as far as it is safe; where nothing of it is, it goes away.
    fn give_up(&mut self) {
        self.written = 0;
        let Some(out) = self.out.take() else { return };
        let Some(entry) = self.segments.last() else { return };
        if entry.records > 0 {
            // What is left of it otherwise is there twice, and read once.
            let _ = out.file.set_len(entry.bytes);
        } else if fs::remove_file(&out.path).is_ok() {
            self.segments.pop();
            self.number -= 1;
        }
    }

    fn open_next(&mut self) -> Result<(), StoreError> {
        let path = segment::path(&self.folder, self.number + 1);
        let file =
            OpenOptions::new().write(true).create_new(true).open(&path).map_err(StoreError::io(&path))?;
        let begin = segment::begin();
        // Its name, too, is to be there after a crash.
        let begun = file.write_all_at(&begin, 0).and_then(|()| File::open(&self.folder)?.sync_all());
        if let Err(error) = begun {
            let _ = fs::remove_file(&path);
            return Err(StoreError::io(&path)(error));
        }
        // Nobody removes what is written.
        let _ = file.lock_shared();
        self.number += 1;
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = begin.len() as u64;
        self.segments.push(SegmentEntry {
            file: file_name,
            bytes,
            records: 0,
            positions: (0, 0),
            sealed: false,
        });
        self.out = Some(Out { file, path, at: bytes });
        Ok(())
    }

    fn manifest(&self, complete: bool) -> Manifest {
        let time = |at: UnixNanos| at.to_string();
        Manifest {
            schema_version: SCHEMA,
            recording: self.name.clone(),
            complete,
            cut_short: false,
            from: self.first.map(|(_, at)| time(at)),
            to: self.first.map(|_| time(self.state.clock())),
            records: self.digest.records(),
            positions: self.first.map(|(first, _)| (first, self.state.position())),
            // Of a recording that goes on, more was taken than is safe.
            digest: complete.then(|| DigestEntry::new(self.digest.value())),
            lost: self.lost.clone(),
            removed: self.removed.clone(),
            raw: self.raw.clone(),
            segments: self.segments.clone(),
            streams: self.tally.streams(),
            instruments: self.tally.instruments(),
        }
    }

    /// Ends the recording: all of it is safe, and the manifest says so.
    ///
    /// # Errors
    /// The disk refuses; what it has taken can be read.
    pub fn finish(mut self) -> Result<Manifest, StoreError> {
        self.sync()?;
        let manifest = self.manifest(true);
        manifest.write(&self.folder)?;
        lock::end(&self.folder);
        drop(self.writer);
        Ok(manifest)
    }
}
