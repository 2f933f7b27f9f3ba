//! What a recording was made of, kept beside it as it came: the venue's own messages, packed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use crate::digest::hexadecimal;
use crate::error::StoreError;
use crate::journal::Journal;
use crate::lock;
use crate::manifest::RawEntry;

/// The folder of such files, in a recording's.
const FOLDER: &str = "raw";
/// How hard they are packed.
const LEVEL: i32 = 9;
/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 17;

/// The files that a recording was made of.
pub(crate) fn list(recording: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(recording.join(FOLDER)).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "zst")).collect()
}

/// Removes them, and their folder where nothing else is in it.
pub(crate) fn remove(recording: &Path) -> Result<(), StoreError> {
    for path in list(recording) {
        fs::remove_file(&path).map_err(StoreError::io(&path))?;
    }
    let folder = recording.join(FOLDER);
    match fs::remove_dir(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(&folder)(error)),
        _ => Ok(()),
    }
}

impl RawEntry {
    /// What is wrong with the file, if anything is. Cost: reading it.
    #[must_use]
    pub fn fault(&self, recording: &Path) -> Option<String> {
        let path = recording.join(FOLDER).join(&self.file);
        if Path::new(&self.file).file_name().is_none_or(|name| name != self.file.as_str()) {
            return Some(format!("{:?} is no name of a file in the folder {FOLDER}", self.file));
        }
        let read = lock::open(&path).and_then(hashed);
        match read {
            Err(error) => Some(format!("{}: {error}", path.display())),
            Ok((bytes, sha256)) if (bytes, &sha256) == (self.bytes, &self.sha256) => None,
            Ok(_) => Some(format!("{}: it is another file than the manifest says", path.display())),
        }
    }
}

impl Journal {
    /// Keeps a copy of what the recording is made of, under a file's name, in the folder `raw`; the manifest names it. Cost:
    /// reading and packing it.
    ///
    /// # Errors
    /// There is one of that name, the source does not read, or the disk refuses; nothing is left of it then.
    pub fn keep_raw(&mut self, name: &str, source: &mut dyn Read) -> Result<(), StoreError> {
        let folder = self.folder().join(FOLDER);
        fs::create_dir_all(&folder).map_err(StoreError::io(&folder))?;
        let file = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
        let plain = [".zst", ".gz", ".zip"].iter().find_map(|end| file.strip_suffix(end)).unwrap_or(&file);
        let file = format!("{plain}.zst");
        let path = folder.join(&file);
        if path.exists() {
            return Err(StoreError::Exists { path });
        }
        let kept = pack(&path, source).and_then(|()| {
            File::open(&folder)?.sync_all()?;
            hashed(File::open(&path)?)
        });
        let (bytes, sha256) = kept.map_err(|error| {
            let _ = fs::remove_file(&path);
            StoreError::io(&path)(error)
        })?;
        self.note_raw(RawEntry { file, bytes, sha256 });
        Ok(())
    }
}

fn pack(path: &Path, source: &mut dyn Read) -> io::Result<()> {
    let mut packer = zstd::stream::write::Encoder::new(BufWriter::new(File::create_new(path)?), LEVEL)?;
    packer.include_checksum(true)?;
    io::copy(source, &mut packer)?;
    let mut out = packer.finish()?;
    out.flush()?;
    out.get_ref().sync_all()
}

/// How long a source is, and its hash.
fn hashed(mut source: impl Read) -> io::Result<(u64, String)> {
    let (mut hash, mut bytes, mut piece) = (Context::new(&SHA256), 0, vec![0; PIECE_BYTES]);
    loop {
        let count = source.read(&mut piece)?;
        if count == 0 {
            return Ok((bytes, hexadecimal(hash.finish().as_ref())));
        }
        hash.update(&piece[..count]);
        bytes += count as u64;
    }
}
