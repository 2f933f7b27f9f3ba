//! A segment: a file of blocks, found by their headers.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Damage, NEW, SEGMENT, StoreError, TORN};
use crate::frame::{HEADER_BYTES, Header, Kind, MAGIC};
use crate::lock;

/// The format of segments.
pub(crate) const VERSION: u32 = 1;
/// What a segment begins with, before its version.
const BEGIN: [u8; 8] = *b"TWJRNL\r\n";
/// Bytes before the first block.
pub(crate) const BEGIN_BYTES: usize = 16;
/// Bytes that are looked through at a time for the next header.
const LOOK_BYTES: usize = 1 << 20;

/// A segment that was looked through.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) blocks: Vec<Block>,
    /// What is no block.
    pub(crate) damages: Vec<Damage>,
    /// Where the last block ends.
    pub(crate) end: u64,
    /// How long the file is.
    pub(crate) bytes: u64,
    /// Which file it is: another may have its name by now.
    id: (u64, u64),
}

/// Where a block stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) offset: u64,
}

/// What a segment begins with.
pub(crate) fn begin() -> [u8; BEGIN_BYTES] {
    let mut bytes = [0; BEGIN_BYTES];
    bytes[..8].copy_from_slice(&BEGIN);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..12]);
    bytes[12..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The name of segment number `number`, from 1.
pub(crate) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.{SEGMENT}"))
}

/// The segments of a folder, in their order.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if folder.is_file() {
        let own = folder.extension().is_some_and(|end| end == SEGMENT);
        let hint = folder.parent().filter(|_| own).map(|parent| format!(": name {}", parent.display()));
        return Err(StoreError::File { path: folder.to_owned(), hint: hint.unwrap_or_default() });
    }
    numbered(folder, SEGMENT)
}

/// What was to be segments packed anew, and has not become that.
pub(crate) fn half(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    numbered(folder, NEW)
}

fn numbered(folder: &Path, end: &str) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(StoreError::io(folder))? {
        let path = entry.map_err(StoreError::io(folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once('.'));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if name.is_some_and(|(number, rest)| rest == end && is_number(number)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl Segment {
    /// Looks a file through. Damage is no error: it is named, and what follows it is found.
    pub(crate) fn scan(path: &Path) -> Result<Self, StoreError> {
        let file = match lock::open(path) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => return Ok(Self::no_file(path)),
            opened => opened.map_err(StoreError::io(path))?,
        };
        let found = file.metadata().map_err(StoreError::io(path))?;
        let (bytes, id) = (found.len(), (found.dev(), found.ino()));
        let mut segment =
            Self { path: path.to_owned(), blocks: Vec::new(), damages: Vec::new(), end: 0, bytes, id };
        segment.walk(&file).map_err(StoreError::io(path))??;
        Ok(segment)
    }

    /// What has the name of a segment, and is a pipe, a link, a folder: there is nothing in it to read.
    fn no_file(path: &Path) -> Self {
        let damage =
            Damage { path: path.to_owned(), offset: 0, bytes: 0, what: lock::NO_FILE, positions: None };
        let (path, damages) = (path.to_owned(), vec![damage]);
        Self { path, blocks: Vec::new(), damages, end: 0, bytes: 0, id: (0, 0) }
    }

    /// Where its first and its last record stand in the total order.
    pub(crate) fn positions(&self) -> Option<(u64, u64)> {
        let records = || self.blocks.iter().filter(|block| block.header.kind == Kind::Records);
        Some((records().next()?.header.first, records().next_back()?.header.last))
    }

    /// Whether an opened file is the one that was looked through.
    pub(crate) fn is(&self, file: &File) -> bool {
        file.metadata().is_ok_and(|found| (found.dev(), found.ino()) == self.id)
    }

    /// The same file with what was appended since; another one that has its name by now is looked through.
    pub(crate) fn again(self: &Arc<Self>) -> Result<Arc<Self>, StoreError> {
        let opened = lock::open(&self.path);
        let Some(file) = opened.ok().filter(|file| self.is(file)) else {
            return Self::scan(&self.path).map(Arc::new);
        };
        let bytes = file.metadata().map_err(StoreError::io(&self.path))?.len();
        if bytes == self.bytes {
            return Ok(Arc::clone(self));
        }
        let mut segment = Self { bytes, ..Self::clone(self) };
        // The end may have been in the middle of a block.
        segment.damages.retain(|damage| damage.offset < self.end);
        segment.walk(&file).map_err(StoreError::io(&self.path))??;
        Ok(Arc::new(segment))
    }

    /// Looks through what is behind the last block.
    fn walk(&mut self, file: &File) -> std::io::Result<Result<(), StoreError>> {
        let mut at = self.end;
        match self.version(file)? {
            Some(VERSION) => at = at.max(BEGIN_BYTES as u64),
            Some(found) => {
                return Ok(Err(StoreError::Version { path: self.path.clone(), found, known: VERSION }));
            }
            None if at == 0 && !self.is_begun(file)? => at = self.pass_beginning(file)?,
            None => {}
        }
        self.end = at;
        while at < self.bytes {
            if let Some(block) = self.block(file, at)? {
                at += HEADER_BYTES as u64 + u64::from(block.header.bytes);
                self.end = at;
                self.blocks.push(block);
                continue;
            }
            let next = self.next_header(file, at)?;
            self.damages.push(Damage {
                path: self.path.clone(),
                offset: at,
                bytes: next - at,
                what: if next == self.bytes { TORN } else { "no block" },
                positions: None,
            });
            at = next;
        }
        Ok(Ok(()))
    }

    /// Whether it is as long as its writer came, be it in the middle of what a segment begins with.
    fn is_begun(&self, file: &File) -> std::io::Result<bool> {
        let mut bytes = [0; BEGIN_BYTES];
        let length = usize::try_from(self.bytes).unwrap_or(BEGIN_BYTES).min(BEGIN_BYTES);
        file.read_exact_at(&mut bytes[..length], 0)?;
        Ok(begin().starts_with(&bytes[..length]))
    }

    /// What does not begin as a segment does may be any file; where blocks are in it, they are read.
    fn pass_beginning(&mut self, file: &File) -> std::io::Result<u64> {
        let next = self.next_header(file, 0)?;
        self.damages.push(Damage {
            path: self.path.clone(),
            offset: 0,
            bytes: next,
            what: "it does not begin as a file of a recording does",
            positions: None,
        });
        Ok(next)
    }

    fn version(&self, file: &File) -> std::io::Result<Option<u32>> {
        let mut bytes = [0; BEGIN_BYTES];
        if self.bytes < BEGIN_BYTES as u64 {
            return Ok(None);
        }
        file.read_exact_at(&mut bytes, 0)?;
        let own = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
        let sound = bytes[..8] == BEGIN && own == crc32fast::hash(&bytes[..12]);
        Ok(sound.then(|| u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]])))
    }

    /// The block that begins there, whole.
    fn block(&self, file: &File, at: u64) -> std::io::Result<Option<Block>> {
        let mut bytes = [0; HEADER_BYTES];
        if at + HEADER_BYTES as u64 > self.bytes {
            return Ok(None);
        }
        file.read_exact_at(&mut bytes, at)?;
        let header = Header::parse(&bytes)
            .filter(|header| at + HEADER_BYTES as u64 + u64::from(header.bytes) <= self.bytes);
        Ok(header.map(|header| Block { header, offset: at }))
    }

    /// Where the next block begins after `at`; the end where there is none.
    fn next_header(&self, file: &File, at: u64) -> std::io::Result<u64> {
        let mut from = at + 1;
        let mut bytes = Vec::new();
        while from < self.bytes {
            let length = usize::try_from(self.bytes - from).unwrap_or(usize::MAX).min(LOOK_BYTES);
            bytes.resize(length, 0);
            file.read_exact_at(&mut bytes, from)?;
            for (offset, window) in (from..).zip(bytes.windows(MAGIC.len())) {
                if window == MAGIC && self.block(file, offset)?.is_some() {
                    return Ok(offset);
                }
            }
            // One may begin in this look and end in the next.
            let step = if length < LOOK_BYTES { length } else { length - MAGIC.len() + 1 };
            from += step as u64;
        }
        Ok(self.bytes)
    }

    /// The bytes of a block, if they are what was written.
    pub(crate) fn read(&self, file: &File, block: &Block) -> Result<Vec<u8>, Damage> {
        let mut bytes = vec![0; block.header.bytes as usize];
        let read = file.read_exact_at(&mut bytes, block.offset + HEADER_BYTES as u64);
        if read.is_err() {
            return Err(self.damage(block, "the file does not read"));
        }
        if crc32fast::hash(&bytes) != block.header.crc {
            return Err(self.damage(block, "the checksum differs"));
        }
        Ok(bytes)
    }

    /// That a block cannot be read.
    pub(crate) fn damage(&self, block: &Block, what: &'static str) -> Damage {
        Damage {
            path: self.path.clone(),
            offset: block.offset,
            bytes: HEADER_BYTES as u64 + u64::from(block.header.bytes),
            what,
            // A state says nothing that records do not say.
            positions: (block.header.kind == Kind::Records)
                .then_some((block.header.first, block.header.last)),
        }
    }
}
