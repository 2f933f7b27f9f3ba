//! Packing a closed segment anew: a live recording is made safe ten times a second, so its blocks are small, and small
//! blocks cost more bytes a record.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use model::{Placed, UnixNanos};

use crate::codec::{Decoder, Encoder};
use crate::digest::Line;
use crate::error::{NEW, StoreError};
use crate::finish;
use crate::frame::{Header, Kind};
use crate::limits::{BLOCK_BYTES, BLOCK_RECORDS};
use crate::lock;
use crate::manifest::Manifest;
use crate::recording::Recording;
use crate::segment::{self, Segment};

/// What came of packing a segment anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// It is smaller: so many bytes, of so many.
    Smaller {
        /// How long it was.
        from: u64,
        /// How long it is.
        to: u64,
    },
    /// It is packed well already, or damaged: nothing has changed.
    Left,
    /// Somebody reads it: nothing has changed, and it can be tried again.
    Read,
}

/// Packs a closed segment anew, in full blocks. The file is replaced in one go, once the new one is safe; whoever removes it
/// meanwhile need not wait. Cost: reading and packing it; memory for a block.
///
/// # Errors
/// The file system refuses; nothing has changed.
pub fn seal(path: &Path, level: i32) -> Result<Sealed, StoreError> {
    match Anew::pack(path, level)? {
        Ok(anew) => anew.replace(path),
        Err(as_it_is) => Ok(as_it_is),
    }
}

/// Packs all segments of a recording that nobody makes any more, where they were not yet, and says so in its manifest;
/// how long they were and are. One whose process was killed is ended first: its manifest is made of what is there,
/// and a torn end is cut off. Cost: see [`seal`]; of one that was killed, reading it once more.
///
/// # Errors
/// See [`seal`].
pub fn seal_all(folder: &Path, level: i32, line: Line) -> Result<(u64, u64), StoreError> {
    let (mut before, mut after) = (0, 0);
    // Whoever makes one is its writer before it has a file.
    if !Recording::is_at(folder) {
        return Ok((0, 0));
    }
    let Some(writer) = lock::write_alone(folder) else { return Ok((0, 0)) };
    let ended = match Manifest::read(folder)? {
        Some(manifest) if manifest.is_final() => manifest,
        old => finish::finish(folder, line, old.as_ref())?,
    };
    // It is changed segment by segment: what is to go of it goes meanwhile, however long a busy machine takes.
    drop(writer);
    for entry in ended.segments.iter().filter(|entry| !entry.sealed) {
        let path = folder.join(&entry.file);
        let packed = match Anew::pack(&path, level) {
            Err(_) if !path.exists() => continue,
            packed => packed?,
        };
        let Some(_writer) = lock::write_next(folder) else { break };
        let Some(mut manifest) = Manifest::read(folder)? else { break };
        let Some(entry) = manifest.segments.iter_mut().find(|now| now.file == entry.file) else { continue };
        let sealed = match packed {
            Ok(anew) => anew.replace(&path)?,
            Err(as_it_is) => as_it_is,
        };
        match sealed {
            Sealed::Read => continue,
            Sealed::Left => {}
            Sealed::Smaller { from, to } => {
                (before, after) = (before + from, after + to);
            }
        }
        entry.bytes = path.metadata().map_err(StoreError::io(&path))?.len();
        entry.sealed = true;
        manifest.write(folder)?;
    }
    // Under the lock: it may be held by somebody else who packs it.
    if let Some(_writer) = lock::write_next(folder) {
        lock::end(folder);
    }
    if !Recording::is_at(folder) {
        // It went meanwhile, but for what stood there of this.
        let _ = fs::remove_dir(folder);
    }
    Ok((before, after))
}

/// A segment that was packed anew, beside the old one.
pub(crate) struct Anew {
    old: File,
    from: u64,
    /// Nobody else packs it meanwhile.
    new: File,
    path: PathBuf,
    to: u64,
}

impl Anew {
    /// What there is instead where it stays as it is.
    pub(crate) fn pack(path: &Path, level: i32) -> Result<Result<Self, Sealed>, StoreError> {
        let Some(old) = lock::alone(path).map_err(StoreError::io(path))? else {
            return Ok(Err(Sealed::Read));
        };
        lock::release(&old);
        let segment = Segment::scan(path)?;
        if segment.damages.iter().any(|damage| !damage.is_torn_end()) {
            return Ok(Err(Sealed::Left));
        }
        let beside = path.with_extension(NEW);
        let Some(new) = lock::create(&beside).map_err(StoreError::io(&beside))? else {
            return Ok(Err(Sealed::Read));
        };
        let mut anew = Self { old, from: segment.bytes, new, path: beside, to: 0 };
        match pack(&segment, &anew, level)? {
            Some(bytes) if bytes < anew.from => {
                anew.to = bytes;
                Ok(Ok(anew))
            }
            _ => Ok(Err(Sealed::Left)),
        }
    }

    pub(crate) fn replace(self, path: &Path) -> Result<Sealed, StoreError> {
        // Who has begun to read the old one reads on in it, and what has gone meanwhile stays away.
        if !lock::is_alone(&self.old) || lock::is_gone(&self.old) {
            return Ok(Sealed::Read);
        }
        self.put(path).map_err(StoreError::io(path))?;
        Ok(Sealed::Smaller { from: self.from, to: self.to })
    }

    fn put(&self, path: &Path) -> std::io::Result<()> {
        // Its age is that of what is in it.
        self.new.set_modified(self.old.metadata()?.modified()?)?;
        fs::rename(&self.path, path)?;
        File::open(path.parent().unwrap_or(path))?.sync_all()
    }
}

impl Drop for Anew {
    fn drop(&mut self) {
        // It is not there any more where it has replaced the old one.
        let _ = fs::remove_file(&self.path);
    }
}

struct Packer<'a> {
    out: BufWriter<&'a File>,
    path: &'a Path,
    encoder: Encoder,
    header: Header,
    clock: UnixNanos,
    /// Records so far, with all before the segment.
    before: u64,
    bytes: u64,
}

/// The bytes of the new file; `None` where the old one is damaged.
fn pack(segment: &Segment, anew: &Anew, level: i32) -> Result<Option<u64>, StoreError> {
    let new = anew.path.as_path();
    let mut decoder = Decoder::new().map_err(StoreError::io(new))?;
    let first = segment.blocks.iter().find(|block| block.header.kind == Kind::Records);
    let mut packer = Packer {
        out: BufWriter::new(&anew.new),
        path: new,
        encoder: Encoder::new(level).map_err(StoreError::io(new))?,
        header: EMPTY,
        clock: UnixNanos(0),
        before: first.map_or(0, |first| first.header.before),
        bytes: 0,
    };
    packer.put(&segment::begin())?;
    let mut position = 0;
    for block in &segment.blocks {
        let Ok(bytes) = segment.read(&anew.old, block) else { return Ok(None) };
        if block.header.kind == Kind::State {
            packer.end_block()?;
            packer.put(&block.header.to_bytes())?;
            packer.put(&bytes)?;
            continue;
        }
        let Ok(records) = decoder.decode(&bytes, block.header.count as usize) else { return Ok(None) };
        packer.clock = packer.clock.max(block.header.from);
        // What was written again after a disk failed is there twice.
        for record in records.iter().filter(|record| record.position > position) {
            packer.push(record)?;
        }
        position = block.header.last.max(position);
    }
    packer.end_block()?;
    packer.out.flush().map_err(StoreError::io(new))?;
    packer.out.get_ref().sync_all().map_err(StoreError::io(new))?;
    Ok(Some(packer.bytes))
}

const EMPTY: Header = Header {
    kind: Kind::Records,
    count: 0,
    bytes: 0,
    crc: 0,
    first: 0,
    last: 0,
    from: UnixNanos(0),
    to: UnixNanos(0),
    before: 0,
};

impl Packer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(StoreError::io(self.path))
    }

    fn push(&mut self, record: &Placed) -> Result<(), StoreError> {
        self.clock = self.clock.max(record.ts_recv);
        if self.header.count == 0 {
            self.header = Header { first: record.position, from: self.clock, before: self.before, ..EMPTY };
        }
        self.encoder.push(record);
        self.before += 1;
        self.header.count += 1;
        (self.header.last, self.header.to) = (record.position, self.clock);
        let full = self.encoder.len() >= BLOCK_BYTES || self.header.count as usize >= BLOCK_RECORDS;
        if full { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<(), StoreError> {
        if self.header.count == 0 {
            return Ok(());
        }
        let bytes = self.encoder.finish();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let header = Header { bytes: length, crc: crc32fast::hash(&bytes), ..self.header };
        self.header = EMPTY;
        self.put(&header.to_bytes())?;
        self.put(&bytes)
    }
}
