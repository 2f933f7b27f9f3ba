//! Sessions whose clients read nothing: nothing is drained for them, so nothing is coalesced either, and the fan-out
//! knows of no slowness.

use fanout::Lag;

use super::{Core, Member};

/// A socket that is full for a moment is no matter.
const STALLED_MS: u64 = 1_000;

impl Member {
    /// Whether it reads nothing: nothing is drained for it, so nothing is coalesced either.
    pub(in crate::shard) fn is_stalled(&self, lag: Lag) -> bool {
        self.full && lag.oldest_pending_ms >= STALLED_MS
    }

    /// Its socket has become full: it is looked at again.
    pub(super) fn note_full(&mut self, core: &mut Core) {
        if !std::mem::replace(&mut self.listed, true) {
            core.full.push(self.key());
        }
    }

    /// Counts it among the slow where it reads nothing, and it is not among them for what is coalesced for it; false
    /// where its socket is not full any more.
    pub(in crate::shard) fn look_whether_stalled(&mut self, core: &mut Core) -> bool {
        self.listed = self.full;
        if self.full && !self.stalled && self.session.closing().is_none() {
            let lag = core.fanout.lag(self.session.id, core.now);
            self.stalled = self.is_stalled(lag) && !lag.coalescing;
            core.stalled += u64::from(self.stalled);
        }
        self.full
    }

    /// It reads again, or is gone.
    pub(super) fn note_room(&mut self, core: &mut Core) {
        core.stalled -= u64::from(std::mem::take(&mut self.stalled));
    }
}
