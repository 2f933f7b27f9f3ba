//! What is to be said of a recording once it is read: neither records nor faults, but who looks for something should
//! know.

use std::fmt;

/// What was passed over, and is not broken, or what never came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// So many packets carried something else than the feed.
    Foreign(u64),
    /// So many packets were of another session than the one that was read at that time.
    Elsewhere(u64),
}

impl Note {
    /// Whether there is nothing to be said.
    pub(crate) const fn is_nothing(&self) -> bool {
        match self {
            Self::Foreign(count) | Self::Elsewhere(count) => *count == 0,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(count) => {
                write!(f, "{count} packet(s) are none of this feed, and were passed over")
            }
            Self::Elsewhere(count) => write!(
                f,
                "{count} packet(s) of another session at the same time were passed over: one market is read at a time"
            ),
        }
    }
}
