//! Reading a recording: all of it, or from any place or time.

mod bars;
mod reader;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::UnixNanos;

use crate::codec::Decoder;
use crate::error::{Damage, StoreError};
use crate::frame::Kind;
use crate::limits::OPENS;
use crate::lock;
use crate::manifest;
use crate::raw;
use crate::segment::{self, Block, Segment};
use crate::state::State;
use reader::GONE;

pub use bars::{Bars, BarsWanted};
pub use reader::Reader;

/// A recording that can be read. What is appended later is not in it. As long as it is there, or a reader of it that has
/// not begun, nothing of the recording is removed, unless it was let go; a reader keeps what it reads, and what comes
/// after that.
#[derive(Clone, Debug)]
pub struct Recording {
    folder: PathBuf,
    segments: Segments,
    /// The oldest segment, as who reads it has it open; none where it was let go.
    held: Option<Arc<File>>,
}

/// A segment that was packed anew meanwhile is looked through again by the reader that comes to it.
type Segments = Arc<Vec<Arc<Segment>>>;

/// A place in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After the record at this place in the total order.
    Position(u64),
    /// After all that was received at this time or before.
    Time(UnixNanos),
}

/// From where to where a recording goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Places in the total order.
    pub positions: (u64, u64),
    /// The time of receipt of the first record.
    pub from: UnixNanos,
    /// The latest time of receipt.
    pub to: UnixNanos,
    /// How many records, damaged ones among them.
    pub records: u64,
}

impl Recording {
    /// The recording in a folder. Cost: O(blocks); no record is read.
    ///
    /// # Errors
    /// There is none, or its files do not read. Damage is no error: reading names it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::find(folder, &[], true)
    }

    /// The same recording with what was written since, and without what was removed. It is let go where this one was.
    /// Cost: O(segments), and of the blocks only the new ones are looked at.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn reopen(&self) -> Result<Self, StoreError> {
        Self::find(&self.folder, &self.segments, self.held.is_some())
    }

    /// Lets its segments be removed and packed anew, but for what readers of it have.
    pub fn let_go(&mut self) {
        self.held = None;
    }

    fn find(folder: &Path, known: &[Arc<Segment>], holds: bool) -> Result<Self, StoreError> {
        let mut tries = OPENS;
        loop {
            match Self::look(folder, known, holds) {
                // Its oldest segment went meanwhile.
                Err(StoreError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound && tries > 0 => {
                    tries -= 1;
                }
                found => return found,
            }
        }
    }

    fn look(folder: &Path, known: &[Arc<Segment>], holds: bool) -> Result<Self, StoreError> {
        let paths = segment::list(folder)?;
        if paths.is_empty() {
            return Err(StoreError::NoRecording { path: folder.to_owned() });
        }
        // What only has the name of one is told by who reads it.
        let is_file = |path: &&PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_file());
        let held = match paths.iter().find(is_file).filter(|_| holds) {
            None => None,
            Some(first) => {
                let held = lock::read(first).map_err(StoreError::io(first))?;
                if lock::is_gone(&held) {
                    return Err(StoreError::io(first)(io::ErrorKind::NotFound.into()));
                }
                Some(held)
            }
        };
        let segments = paths.iter().map(|path| {
            let known = known.iter().find(|segment| segment.path == *path);
            known.map_or_else(|| Segment::scan(path).map(Arc::new), Segment::again)
        });
        let segments = Arc::new(segments.collect::<Result<Vec<_>, _>>()?);
        Ok(Self { folder: folder.to_owned(), segments, held: held.map(Arc::new) })
    }

    /// Whether there is one in a folder.
    #[must_use]
    pub fn is_at(folder: &Path) -> bool {
        segment::list(folder).is_ok_and(|paths| !paths.is_empty())
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().map(AsRef::as_ref)
    }

    /// Bytes of its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// From where to where it goes; `None` where it has no record.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let blocks = || self.blocks(Kind::Records);
        let (first, last) = (blocks().next()?.header, blocks().next_back()?.header);
        let records = last.before.saturating_add(last.count.into()).saturating_sub(first.before);
        Some(Span { positions: (first.first, last.last), from: first.from, to: last.to, records })
    }

    /// States that do not read. Nothing is lost with them but time: a seek begins at an older one.
    ///
    /// # Errors
    /// See [`Self::read`].
    pub fn damaged_states(&self) -> Result<Vec<Damage>, StoreError> {
        let (mut reader, mut damages) = (self.read()?, Vec::new());
        for n in 0..self.segments.len() {
            if let Err(gone) = reader.enter(n) {
                damages.push(Damage { positions: None, ..gone });
                continue;
            }
            let segment = Arc::clone(&reader.segments[n]);
            let states = segment.blocks.iter().filter(|block| block.header.kind == Kind::State);
            damages.extend(states.filter_map(|block| reader.block(n, block).err()));
        }
        Ok(damages)
    }

    fn blocks(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Block> {
        let blocks = self.segments.iter().flat_map(|segment| &segment.blocks);
        blocks.filter(move |block| block.header.kind == kind)
    }

    /// How everything stood before its first record, where it says so: it was cut out of another, or what was before
    /// is not kept any more.
    ///
    /// # Errors
    /// See [`Self::read`].
    pub fn beginning(&self) -> Result<State, StoreError> {
        let mut reader = self.read()?;
        // Where it does not read, nothing is known.
        let _ = reader.enter(0);
        let first = reader.segments.first().and_then(|segment| segment.blocks.first()).copied();
        let Some(block) = first.filter(|block| block.header.kind == Kind::State) else {
            return Ok(State::default());
        };
        let (header, records) = (block.header, reader.block(0, &block));
        let state = |records: Vec<_>| State::from_records(&records, header.last, header.to, header.before);
        Ok(records.map_or_else(|_| State::default(), state))
    }

    /// All its records, from the first.
    ///
    /// # Errors
    /// There is no memory to unpack into.
    pub fn read(&self) -> Result<Reader, StoreError> {
        Ok(Reader {
            segments: Arc::clone(&self.segments),
            at: (0, 0),
            named: 0,
            gone: None,
            held: self.held.clone(),
            file: None,
            decoder: Decoder::new().map_err(StoreError::io(&self.folder))?,
            position: 0,
            left: VecDeque::new(),
        })
    }

    /// What stands after a place in the total order. What was removed of it is told first. Cost: as [`Self::read`].
    ///
    /// # Errors
    /// See [`Self::read`].
    pub fn read_after(&self, position: u64) -> Result<Reader, StoreError> {
        let passed = |block: &Block| block.header.kind == Kind::Records && block.header.last <= position;
        let last = self.segments.iter().enumerate().rev().find_map(|(n, segment)| {
            let m = segment.blocks.iter().rposition(passed)?;
            let before = |damage: &&Damage| damage.offset < segment.blocks[m].offset;
            Some(((n, m + 1), segment.damages.iter().filter(before).count()))
        });
        let (at, named) = last.unwrap_or_default();
        Ok(Reader { position, at, named, gone: self.gone_after(position), ..self.read()? })
    }

    /// That what stood after a place was removed.
    fn gone_after(&self, position: u64) -> Option<Damage> {
        let first = self.segments.first()?;
        // A segment begins with how things stood.
        let state = first.blocks.first().filter(|block| block.header.kind == Kind::State)?;
        (state.header.last > position).then(|| Damage {
            path: self.folder.clone(),
            offset: 0,
            bytes: 0,
            what: GONE,
            positions: Some((position + 1, state.header.last)),
        })
    }

    /// How everything stood at `at`, and what follows. Where damage is in the way, the state is what can be known
    /// in spite of it; `damages` names it. Cost: O(records since the state before), at most some 300,000 of them.
    ///
    /// # Errors
    /// See [`Self::read`].
    pub fn seek(&self, at: At, damages: &mut Vec<Damage>) -> Result<(State, Reader), StoreError> {
        let mut reader = self.read()?;
        let mut state = reader.last_state(at).unwrap_or_default();
        reader.position = state.position();
        while let Some(next) = reader.next_until(at) {
            match next {
                Ok(records) => {
                    let mut records = VecDeque::from(records);
                    while let Some(record) = records.front() {
                        let within = match at {
                            At::Position(position) => record.position <= position,
                            At::Time(time) => state.clock().max(record.ts_recv) <= time,
                        };
                        if !within {
                            break;
                        }
                        state.apply(record);
                        records.pop_front();
                    }
                    if !records.is_empty() {
                        reader.left = records;
                        break;
                    }
                }
                Err(damage) => damages.push(damage),
            }
        }
        Ok((state, reader))
    }
}

/// Removes a recording: its files, and the folder where nothing else is in it.
///
/// # Errors
/// There is none, or the file system refuses.
pub fn remove(folder: &Path) -> Result<(), StoreError> {
    let segments = segment::list(folder)?;
    if segments.is_empty() {
        return Err(StoreError::NoRecording { path: folder.to_owned() });
    }
    // The manifest goes last: what is left of a removal that was cut short is still a recording.
    let beside = [manifest::FILE, manifest::NEW].map(|name| folder.join(name));
    let half = segment::half(folder)?;
    for path in segments.into_iter().chain(half).chain(beside) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io(&path)(error));
            }
            _ => {}
        }
    }
    raw::remove(folder)?;
    lock::end(folder);
    fs::remove_dir(folder).map_err(StoreError::io(folder))
}
