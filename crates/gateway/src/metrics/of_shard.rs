//! What one shard counts. Counters are looked up by their names once: none of what goes on all the time makes a label.

use std::collections::BTreeMap;
use std::time::Duration;

use fanout::Stats;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use model::Channel;

use super::{
    CLOSED, COALESCED, CONNECTIONS, DELIVERED, FLUSHES, LASTED, LATENCY, OPENED, QUEUE_BYTES, RECEIVED_BYTES,
    SENT_BYTES, SKIPPED, SLOW, WITHHELD,
};

/// What one shard counts.
pub(crate) struct ShardMetrics {
    channels: [[Counter; 3]; Channel::ALL.len()],
    withheld: Counter,
    sent_bytes: Counter,
    received_bytes: Counter,
    flushes: Counter,
    slow: Gauge,
    blocked: Histogram,
    /// By name: there are few.
    doors: BTreeMap<&'static str, Door>,
    /// What was handed on before.
    told: Stats,
    stalled: u64,
    bytes: u64,
    batches: u64,
}

/// What is counted of those who came by a door.
struct Door {
    open: Gauge,
    opened: Counter,
    lasted: Histogram,
    /// By reason.
    closed: BTreeMap<&'static str, Counter>,
}

impl Default for ShardMetrics {
    fn default() -> Self {
        let channel = |channel: Channel| {
            [DELIVERED, COALESCED, SKIPPED].map(|name| counter!(name, "channel" => channel.as_str()))
        };
        Self {
            channels: Channel::ALL.map(channel),
            withheld: counter!(WITHHELD),
            sent_bytes: counter!(SENT_BYTES),
            received_bytes: counter!(RECEIVED_BYTES),
            flushes: counter!(FLUSHES),
            slow: gauge!(SLOW),
            blocked: histogram!(QUEUE_BYTES),
            doors: BTreeMap::new(),
            told: Stats::default(),
            stalled: 0,
            bytes: 0,
            batches: 0,
        }
    }
}

impl ShardMetrics {
    /// A session begins that came by a door.
    pub(crate) fn opened(&mut self, door: &'static str) {
        let door = self.door(door);
        door.open.increment(1.0);
        door.opened.increment(1);
    }

    /// It is over.
    pub(crate) fn closed(&mut self, door: &'static str, reason: &'static str, lasted: Duration) {
        let name = door;
        let door = self.door(name);
        door.open.decrement(1.0);
        door.lasted.record(lasted);
        let closed = || counter!(CLOSED, "transport" => name, "reason" => reason);
        door.closed.entry(reason).or_insert_with(closed).increment(1);
    }

    fn door(&mut self, name: &'static str) -> &mut Door {
        self.doors.entry(name).or_insert_with(|| Door {
            open: gauge!(CONNECTIONS, "transport" => name),
            opened: counter!(OPENED, "transport" => name),
            lasted: histogram!(LASTED, "transport" => name),
            closed: BTreeMap::new(),
        })
    }

    /// A socket is full, with so much on its way.
    #[expect(clippy::cast_precision_loss, reason = "a bounded number")]
    pub(crate) fn blocked(&self, bytes: usize) {
        self.blocked.record(bytes as f64);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received_bytes.increment(bytes as u64);
    }

    pub(crate) const fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.batches += 1;
    }

    /// Hands on what was counted since the last call; `stalled` sessions read nothing, and are not among the slow of
    /// `stats`.
    #[expect(clippy::cast_precision_loss, reason = "gauges")]
    pub(crate) fn publish(&mut self, stats: &Stats, stalled: u64) {
        let parts = [&stats.delivered, &stats.coalesced, &stats.skipped];
        let told = [&self.told.delivered, &self.told.coalesced, &self.told.skipped];
        for (slot, counters) in self.channels.iter().enumerate() {
            for ((counter, now), before) in counters.iter().zip(parts).zip(told) {
                counter.increment(now[slot] - before[slot]);
            }
        }
        self.withheld.increment(stats.withheld - self.told.withheld);
        self.slow.increment((stats.slow + stalled) as f64 - (self.told.slow + self.stalled) as f64);
        LATENCY[0].add(&stats.latency, &self.told.latency);
        LATENCY[1].add(&stats.hindered, &self.told.hindered);
        (self.told, self.stalled) = (*stats, stalled);
        self.sent_bytes.increment(std::mem::take(&mut self.bytes));
        self.flushes.increment(std::mem::take(&mut self.batches));
    }
}
