//! What can go wrong with a recording.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system refuses.
    #[error("{path}: {error}", path = .path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
    /// There is no recording in the folder.
    #[error("{path} is no recording: it has no segment (*.{SEGMENT})", path = .path.display())]
    NoRecording {
        /// Which folder.
        path: PathBuf,
    },
    /// It is a file.
    #[error("{path} is a file, and a recording is a folder{hint}", path = .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Which folder was meant, where that is known.
        hint: String,
    },
    /// There is one already.
    #[error("{path} is there already; choose another name, or remove it", path = .path.display())]
    Exists {
        /// Which folder.
        path: PathBuf,
    },
    /// A newer program made it.
    #[error("{path} is of format {found}; this program reads format {known}: use a newer one", path = .path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The one that is read.
        known: u32,
    },
    /// A table cannot be written or read.
    #[error("{path}: {message}", path = .path.display())]
    Table {
        /// Which file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The name is none.
    #[error(transparent)]
    Name(#[from] crate::NameError),
    /// The manifest does not read.
    #[error("{path}:{line}:{column}: {message}", path = .path.display())]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// Where in it, from 1.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// What segments end in.
pub(crate) const SEGMENT: &str = "twj";
/// What one ends in that is packed anew, before it is whole.
pub(crate) const NEW: &str = "twj.new";

impl StoreError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }
}

/// A part of a recording that cannot be read. What stands before and behind it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file it is in.
    pub path: PathBuf,
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
    /// What is wrong with it.
    pub what: &'static str,
    /// The first and the last place in the total order that it had, where that is known.
    pub positions: Option<(u64, u64)>,
}

impl Damage {
    /// Whether a file ends in the middle of a block, as it does after a crash.
    #[must_use]
    pub fn is_torn_end(&self) -> bool {
        self.what == TORN
    }
}

/// The last block of a file is not whole.
pub(crate) const TORN: &str = "the end is torn";

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, offset, bytes, what, positions } = self;
        write!(f, "{}: bytes {offset} to {}: {what}", path.display(), offset + bytes)?;
        match positions {
            Some((first, last)) => write!(f, "; positions {first} to {last} are lost"),
            None => Ok(()),
        }
    }
}
