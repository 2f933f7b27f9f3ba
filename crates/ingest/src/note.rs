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
    /// Messages never came, whether there was a book for them to change or not.
    Lost(Lost),
    /// So many executions were of orders that nothing was heard of.
    Unseen(u64),
    /// So many records were of a kind of which no record is made, and there were no others.
    NoPlace {
        /// What they are.
        kind: &'static str,
        /// How many.
        count: u64,
    },
}

/// What never came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// How many messages.
    pub messages: u64,
    /// How many times one or more in a row.
    pub times: u64,
}

impl Lost {
    /// Messages up to a number never came.
    pub(crate) const fn add(&mut self, (from, to): (u64, u64)) {
        self.times += 1;
        self.messages = self.messages.saturating_add(to.saturating_sub(from).saturating_add(1));
    }
}

impl Note {
    /// Whether there is nothing to be said.
    pub(crate) const fn is_nothing(&self) -> bool {
        match self {
            Self::Foreign(count)
            | Self::Elsewhere(count)
            | Self::Unseen(count)
            | Self::NoPlace { count, .. } => *count == 0,
            Self::Lost(lost) => lost.times == 0,
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
            Self::NoPlace { kind, count } => {
                write!(f, "{count} record(s) of the kind {kind:?} were read: none is made of these")
            }
            Self::Lost(Lost { messages, times }) => {
                write!(f, "{messages} message(s) in {times} range(s) of numbers never came")
            }
            Self::Unseen(count) => write!(
                f,
                "{count} execution(s) are of orders from before the recording, or that never came: those without a price \
                 of their own are no trades"
            ),
        }
    }
}
