//! A copy of the files that git knows.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::Done;

/// Makes `to` the tracked files of `from`. What is the same already stays untouched, so that it is not
/// built again.
pub(crate) fn tracked(from: &Path, to: &Path) -> Done {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(from).output();
    let listed = listed.map_err(|error| format!("git: {error}"))?.stdout;
    let paths = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    let paths: BTreeSet<PathBuf> = paths.map(|path| PathBuf::from(OsStr::from_bytes(path))).collect();
    for path in &paths {
        let (source, copy) = (from.join(path), to.join(path));
        // Deleted, and git was not told yet.
        let Ok(bytes) = fs::read(&source) else { continue };
        if fs::read(&copy).is_ok_and(|known| known == bytes) {
            continue;
        }
        let folder = copy.parent().unwrap_or(to);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&copy, bytes));
        written.map_err(|error| format!("{}: {error}", copy.display()))?;
    }
    forget(to, to, &paths)
}

/// Removes files that are not of `paths`.
fn forget(top: &Path, folder: &Path, paths: &BTreeSet<PathBuf>) -> Done {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            forget(top, &path, paths)?;
        } else if path.strip_prefix(top).is_ok_and(|path| !paths.contains(path)) {
            fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}
