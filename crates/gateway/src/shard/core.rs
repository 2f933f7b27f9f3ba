//! What the sessions of a shard share.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fanout::{Batch, Fanout};
use model::UnixNanos;
use wire::Epoch;

use super::Surroundings;
use crate::alerts::Alerts;
use crate::clock;
use crate::encode::Encoder;
use crate::limits::SCRATCH_BYTES;
use crate::recordings::Recordings;
use crate::roster::Roster;
use crate::session::Ctx;
use crate::settings::Settings;
use crate::socket::Outbox;
use crate::traces::Tracks;

/// What every session of the shard shares.
pub(crate) struct Core {
    pub(crate) fanout: Fanout,
    pub(crate) settings: Arc<Settings>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) recordings: Recordings,
    pub(crate) alerts: Arc<Alerts>,
    pub(crate) epoch: Epoch,
    /// Updates that are followed, where any are.
    pub(crate) tracks: Option<Tracks>,
    /// What sockets are read into, one after the other.
    pub(crate) scratch: Vec<u8>,
    pub(crate) encoder: Encoder,
    /// Reused between drains.
    pub(crate) batch: Batch,
    pub(crate) outbox: Outbox,
    /// When members are to be looked at, and not a moment later.
    pub(crate) appointments: BTreeSet<(Duration, usize)>,
    /// Members whose sockets were full when they were looked at last, or have become so since.
    pub(crate) full: Vec<usize>,
    /// Sessions that read nothing, and are not coalesced.
    pub(crate) stalled: u64,
    /// The time of this round, by both clocks.
    pub(crate) now: Duration,
    pub(crate) wall: UnixNanos,
}

impl Core {
    pub(super) fn new(surroundings: Surroundings) -> Self {
        let Surroundings { settings, roster, recordings, alerts, epoch } = surroundings;
        Self {
            fanout: Fanout::with_twins(settings.logs, settings.delays.count()),
            tracks: settings.traces.clone().map(Tracks::new),
            settings,
            roster,
            recordings,
            alerts,
            epoch,
            scratch: vec![0; SCRATCH_BYTES],
            encoder: Encoder::default(),
            batch: Batch::default(),
            outbox: Outbox::default(),
            appointments: BTreeSet::new(),
            full: Vec::new(),
            stalled: 0,
            now: clock::now(),
            wall: clock::wall(),
        }
    }

    pub(crate) fn ctx(&mut self) -> Ctx<'_> {
        Ctx {
            fanout: &mut self.fanout,
            settings: &self.settings,
            roster: &self.roster,
            recordings: &self.recordings,
            alerts: &self.alerts,
            epoch: &self.epoch,
            now: self.now,
            wall: self.wall,
        }
    }

    /// Looks at the clocks, once for all who are served in a round.
    pub(super) fn look(&mut self) {
        (self.now, self.wall) = (clock::now(), clock::wall());
    }
}
