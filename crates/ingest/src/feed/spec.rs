//! What a feed is to be.

use std::path::PathBuf;
use std::time::Duration;

use crate::live::LiveSpec;
use model::Speed;
use serde::{Deserialize, Serialize};

use crate::reader::Options;

/// A feed.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedSpec {
    /// Its name, in logs, metrics and status records.
    pub name: String,
    /// Put behind every symbol, so that two feeds may carry the same instrument.
    pub suffix: String,
    /// Silence after which its symbols are stale.
    pub stale_after: Duration,
    /// Where the ticks come from.
    pub kind: FeedKind,
}

/// Where a feed's ticks come from.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedKind {
    /// A simulation.
    Sim(SimSpec),
    /// A recording.
    Replay(ReplaySpec),
    /// A venue's own streams.
    Live(LiveSpec),
}

/// A simulation, on the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimSpec {
    /// Seed of all chance.
    pub seed: u64,
    /// How many symbols.
    pub symbols: usize,
    /// Events a second, over all symbols.
    pub rate: u32,
}

/// A recording played back, paced by its receive times.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplaySpec {
    /// Whose messages these are: one of [`crate::FEEDS`].
    pub feed: String,
    /// What its reader has to be told.
    pub options: Options,
    /// The files, in order: one session.
    pub files: Vec<PathBuf>,
    /// How fast.
    pub speed: Speed,
    /// Begin again at the end.
    pub repeat: bool,
    /// Do not begin before a client has subscribed.
    pub wait_for_subscriber: bool,
}
