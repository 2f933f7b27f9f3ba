//! Where a feed is, so that another process can go on from there.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Sender;

use super::outlet::wall_now;
use super::{Batch, FeedKind, FeedSpec, ReplaySpec, SimSpec};
use crate::derive::{Deriver, Health};
use crate::reader::Options;
use crate::sim::Market;

/// Where a feed is: what it plays, how far it is, and what it has derived so far.
#[derive(Serialize, Deserialize)]
pub struct Place {
    pub(super) suffix: String,
    pub(super) deriver: Deriver,
    pub(super) health: Health,
    pub(super) source: Source,
}

/// How far a source is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    Sim { spec: SimSpec, market: Market },
    Replay { feed: String, options: Options, files: Vec<PathBuf>, progress: Progress },
    Live { spec: String },
}

/// How much of a recording was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Added to every time: how far the rounds before have come.
    pub(super) shift: u64,
    /// Lines or records of this round that were played.
    pub(super) lines: u64,
    /// Ticks of the next one that were played.
    pub(super) ticks: usize,
    /// All of it was.
    pub(super) ended: bool,
}

impl Place {
    /// Whether it is a place in what `spec` plays; another source begins anew.
    pub(super) fn fits(&self, spec: &FeedSpec) -> bool {
        self.suffix == spec.suffix
            && match (&self.source, &spec.kind) {
                (Source::Sim { spec: played, .. }, FeedKind::Sim(sim)) => played == sim,
                (Source::Replay { feed, options, files, .. }, FeedKind::Replay(replay)) => {
                    (feed, options, files) == (&replay.feed, &replay.options, &replay.files)
                }
                (Source::Live { spec: had }, FeedKind::Live(live)) => *had == format!("{live:?}"),
                _ => false,
            }
    }

    /// What was derived so far, and how the feed was.
    pub(super) fn into_derived(self) -> (Deriver, Health) {
        (self.deriver, self.health)
    }

    /// Nobody goes on from here: says that its symbols have no source any more.
    pub fn retire(mut self, sink: &Sender<Batch>) {
        let mut batch = Batch::new();
        self.deriver.handle_health(Health::Down, "the feed is gone", wall_now(), &mut batch);
        if !batch.is_empty() {
            // Where nobody receives, nobody need know.
            let _ = sink.blocking_send(batch);
        }
    }
}

impl Source {
    pub(super) fn replay(spec: &ReplaySpec, progress: Progress) -> Self {
        let ReplaySpec { feed, options, files, .. } = spec.clone();
        Self::Replay { feed, options, files, progress }
    }
}
