//! Whether a symbol trades, and whether its data can be trusted.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::UnixNanos;

/// The state of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Trading, data current.
    Open,
    /// The market is closed for now, as planned.
    Closed,
    /// Trading was halted by the venue.
    Halted,
    /// The feed has been silent for too long: what is shown may be old.
    Stale,
    /// Data is passed on late by intent.
    Delayed,
    /// Updates were lost or a check failed: the book waits for a snapshot.
    Suspect,
    /// The feed is not connected, or has ended.
    SourceDown,
    /// The feed is alive, but nothing is to be expected of this symbol for now: its market is quiet, or outside of its
    /// hours. What is shown is current.
    QuietExpected,
}

impl State {
    /// All states. Recordings know a state by its number here, so new ones come last.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Closed,
        Self::Halted,
        Self::Stale,
        Self::Delayed,
        Self::Suspect,
        Self::SourceDown,
        Self::QuietExpected,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Halted => "halted",
            Self::Stale => "stale",
            Self::Delayed => "delayed",
            Self::Suspect => "suspect",
            Self::SourceDown => "source_down",
            Self::QuietExpected => "quiet_expected",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A symbol enters a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// The state entered.
    pub state: State,
    /// Why, in words for a person; empty where there is nothing to say.
    pub reason: Box<str>,
    /// The feed that says so.
    pub feed: Box<str>,
    /// Since when this holds, where that is earlier than the message.
    pub since: Option<UnixNanos>,
}
