//! The end of a session.

use fanout::Ledger;

use super::{Core, Member};
use crate::asked::Asked;
use crate::clock;
use crate::metrics::ShardMetrics;

impl Member {
    /// The session is over: one line says how it was.
    pub(in crate::shard) fn part(mut self, core: &mut Core, metrics: &mut ShardMetrics) {
        self.note_room(core);
        if self.listed {
            core.full.retain(|key| *key != self.session.id.index());
        }
        let Self { session, opened, sent, received, .. } = &self;
        let reason = self.reason("gone");
        let lasted = clock::now().saturating_sub(*opened);
        metrics.closed(self.socket.door(), reason, lasted);
        let asked = self.origin.asked.as_ref();
        // Of the streams that it still had.
        let ledgers = core.fanout.ledgers(session.id);
        let sum = |part: fn(&Ledger) -> u64| ledgers.iter().map(part).sum::<u64>();
        tracing::info!(
            session = session.name,
            subject = session.subject().unwrap_or("-"),
            tenant = session.tenant(),
            address = self.origin.from.map(tracing::field::display),
            request_id = asked.map(tracing::field::display),
            trace_id = asked.and_then(Asked::trace_id),
            door = self.socket.door(),
            reason,
            duration_ms = u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
            streams = ledgers.len(),
            delivered = sum(|ledger| ledger.delivered),
            coalesced = sum(|ledger| ledger.coalesced),
            skipped = sum(|ledger| ledger.skipped),
            flushes = sent,
            bytes = self.sent_bytes,
            messages_received = received,
            "session closed"
        );
        let id = session.id;
        if let Some(due) = self.appointed {
            core.appointments.remove(&(due, id.index()));
        }
        core.fanout.close_session(id);
    }
}
