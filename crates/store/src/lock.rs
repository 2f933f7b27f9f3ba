//! Who writes a recording, and who reads its files: locks that end with the process that holds them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// The file by which a recording's writer is known.
const WRITER: &str = "writer.lock";

/// What is said of what has a file's name and is none.
pub(crate) const NO_FILE: &str = "it is no file";

/// What a pipe is never waited for with, and a link not followed.
fn flags() -> i32 {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    i32::try_from(flags.bits()).unwrap_or_default()
}

/// Opens a file to read it, and nothing that only has its name: who opens a pipe may wait for ever.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let no_file = || io::Error::new(io::ErrorKind::InvalidInput, NO_FILE);
    // To open a device may do more than that.
    if !path.symlink_metadata()?.is_file() {
        return Err(no_file());
    }
    // Between the two, it may have become another one.
    let file = OpenOptions::new().read(true).custom_flags(flags()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
}

/// Opens the file by which a writer is known.
fn open_writer(folder: &Path) -> Option<File> {
    let path = folder.join(WRITER);
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return None;
    }
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).custom_flags(flags());
    options.open(path).ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()))
}

/// Makes the caller the writer of a recording, for as long as it holds the file; `None` where another is, or where
/// that cannot be known.
pub(crate) fn write(folder: &Path) -> Option<File> {
    let file = open_writer(folder)?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock) => None,
        // File systems without locks have one writer all the same: recordings are never gone on with.
        Err(TryLockError::Error(error)) => (error.kind() == io::ErrorKind::Unsupported).then_some(file),
    }
}

/// As [`write()`], but only where it is certain that nobody else is: for who changes what another may have begun.
pub(crate) fn write_alone(folder: &Path) -> Option<File> {
    let file = open_writer(folder)?;
    // Who ended it meanwhile has taken the file's name away: another may have made one since.
    (file.try_lock().is_ok() && !is_gone(&file)).then_some(file)
}

/// As [`write_alone()`], once whoever is has let go of it: for what nobody holds for long. `None` where it has gone.
pub(crate) fn write_next(folder: &Path) -> Option<File> {
    let file = open_writer(folder)?;
    (file.lock().is_ok() && !is_gone(&file)).then_some(file)
}

/// Nobody will write it any more.
pub(crate) fn end(folder: &Path) {
    let _ = fs::remove_file(folder.join(WRITER));
}

/// Opens a file to read it: it is not removed meanwhile, nor what comes after it.
pub(crate) fn read(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    // Without locks, it is read as long as it is there.
    let _ = file.lock_shared();
    Ok(file)
}

/// Whether the name of an opened file was taken away meanwhile.
pub(crate) fn is_gone(file: &File) -> bool {
    file.metadata().is_ok_and(|found| found.nlink() == 0)
}

/// Opens a file that is to be removed or replaced, while nobody reads it; `None` where somebody does, or has just replaced
/// it.
pub(crate) fn alone(path: &Path) -> io::Result<Option<File>> {
    let file = open(path)?;
    Ok((is_alone(&file) && !is_gone(&file)).then_some(file))
}

/// Lets nobody else read a file that was opened; false where somebody does.
pub(crate) fn is_alone(file: &File) -> bool {
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// Lets others read it again, or remove it.
pub(crate) fn release(file: &File) {
    let _ = file.unlock();
}

/// Makes a file that nobody else makes meanwhile, or empties what somebody has left of it; `None` where another does, or
/// where that cannot be known.
pub(crate) fn create(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).custom_flags(flags()).open(path)?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    // Whoever made it may have been done with it just now: then it has another name, and is not to be emptied.
    let (opened, named) = (file.metadata()?, path.symlink_metadata());
    if !named.is_ok_and(|named| (named.dev(), named.ino()) == (opened.dev(), opened.ino())) {
        return Ok(None);
    }
    file.set_len(0)?;
    Ok(Some(file))
}
