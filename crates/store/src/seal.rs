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

/// Packs a closed segment anew, in full blocks. The file is replaced in one go, once the new one is safe. Cost: reading
/// and packing it; memory for a block.
///
/// # Errors
/// The file system refuses; nothing has changed.
pub fn seal(path: &Path, level: i32) -> Result<Sealed, StoreError> {
    let Some(file) = lock::alone(path).map_err(StoreError::io(path))? else { return Ok(Sealed::Read) };
    // Meanwhile others may read it, and nobody removes it.
    lock::share(&file);
    let segment = Segment::scan(path)?;
    if segment.damages.iter().any(|damage| !damage.is_torn_end()) {
        return Ok(Sealed::Left);
    }
    let new = path.with_extension(NEW);
    let sealed = pack(&segment, &file, &new, level).and_then(|packed| match packed {
        Some(bytes) if bytes < segment.bytes => {
            // Who has begun to read it reads on in it; and it may have gone between the two locks.
            if !lock::is_alone(&file) || lock::is_gone(&file) {
                return Ok(Sealed::Read);
            }
            replace(&file, &new, path).map_err(StoreError::io(path))?;
            Ok(Sealed::Smaller { from: segment.bytes, to: bytes })
        }
        _ => Ok(Sealed::Left),
    });
    if !matches!(sealed, Ok(Sealed::Smaller { .. })) {
        let _ = fs::remove_file(&new);
    }
    sealed
}

fn replace(old: &File, new: &Path, path: &Path) -> std::io::Result<()> {
    // Its age is that of what is in it.
    File::options().write(true).open(new)?.set_modified(old.metadata()?.modified()?)?;
    fs::rename(new, path)?;
    File::open(path.parent().unwrap_or(path))?.sync_all()
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
    let Some(_writer) = lock::write_alone(folder) else { return Ok((0, 0)) };
    let mut manifest = match Manifest::read(folder)? {
        Some(manifest) if manifest.is_final() => manifest,
        old => finish::finish(folder, line, old.as_ref())?,
    };
    for path in segment::list(folder)? {
        let name = path.file_name().unwrap_or_default();
        let entry = manifest.segments.iter_mut().find(|entry| name == entry.file.as_str());
        let Some(entry) = entry.filter(|entry| !entry.sealed) else { continue };
        match seal(&path, level)? {
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
    lock::end(folder);
    Ok((before, after))
}

struct Packer {
    out: BufWriter<File>,
    path: PathBuf,
    encoder: Encoder,
    header: Header,
    clock: UnixNanos,
    /// Records so far, with all before the segment.
    before: u64,
    bytes: u64,
}

/// The bytes of the new file; `None` where the old one is damaged.
fn pack(segment: &Segment, file: &File, new: &Path, level: i32) -> Result<Option<u64>, StoreError> {
    let out = File::create(new).map_err(StoreError::io(new))?;
    let mut decoder = Decoder::new().map_err(StoreError::io(new))?;
    let first = segment.blocks.iter().find(|block| block.header.kind == Kind::Records);
    let mut packer = Packer {
        out: BufWriter::new(out),
        path: new.to_owned(),
        encoder: Encoder::new(level).map_err(StoreError::io(new))?,
        header: EMPTY,
        clock: UnixNanos(0),
        before: first.map_or(0, |first| first.header.before),
        bytes: 0,
    };
    packer.put(&segment::begin())?;
    let mut position = 0;
    for block in &segment.blocks {
        let Ok(bytes) = segment.read(file, block) else { return Ok(None) };
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

impl Packer {
    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(StoreError::io(&self.path))
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
