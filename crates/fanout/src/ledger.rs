//! The account of a stream: nothing is lost in silence.

use crate::latency::Latency;
use std::time::Duration;

use model::Seq;

use crate::ids::TopicId;

/// `published = delivered + coalesced + skipped + pending`, since the subscription began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The stream.
    pub topic: TopicId,
    /// Events of the stream.
    pub published: u64,
    /// Records sent.
    pub delivered: u64,
    /// Events folded into a record that was sent.
    pub coalesced: u64,
    /// Events named in a gap or replaced by a snapshot.
    pub skipped: u64,
    /// Events not yet sent.
    pub pending: u64,
    /// Highest sequence sent.
    pub last_sequence: Seq,
}

/// How far a session is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// How long the oldest event has waited, in milliseconds.
    pub oldest_pending_ms: u64,
    /// How old the newest event of its streams was when it was received, in milliseconds.
    pub source_lag_ms: u64,
    /// Whether what waits is being coalesced because the session is slow.
    pub coalescing: bool,
}

/// Coalescing because of slowness: since when, and what came of it.
#[derive(Clone, Copy)]
pub(crate) struct Slow {
    pub(crate) since: Duration,
    pub(crate) coalesced: u64,
    pub(crate) skipped: u64,
}

/// Sums over all sessions of a shard since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events published.
    pub published: u64,
    /// Records sent, by stream of [`model::Channel::ALL`].
    pub delivered: [u64; model::Channel::ALL.len()],
    /// Events folded into them.
    pub coalesced: [u64; model::Channel::ALL.len()],
    /// Events named in gaps or replaced by snapshots.
    pub skipped: [u64; model::Channel::ALL.len()],
    /// Times that something was too old to be sent.
    pub withheld: u64,
    /// Sessions that are coalesced for slowness, at the moment.
    pub slow: u64,
    /// How long what was sent had waited for us.
    pub latency: Latency,
    /// The same where it had waited for its client.
    pub hindered: Latency,
}

impl Stats {
    /// Of what was sent, how long the oldest had waited; `hindered` for the client.
    pub(crate) fn waited(&mut self, hindered: bool, waited: std::time::Duration, records: u64) {
        let latency = if hindered { &mut self.hindered } else { &mut self.latency };
        latency.count(waited, records);
    }

    pub(crate) fn count(&mut self, channel: model::Channel, delivered: u64, coalesced: u64, skipped: u64) {
        let slot = channel as usize;
        self.delivered[slot] += delivered;
        self.coalesced[slot] += coalesced;
        self.skipped[slot] += skipped;
    }
}

/// One subscription's account.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Account {
    /// The stream's place when the subscription began.
    base: Seq,
    /// Everything up to here is accounted for.
    pub(crate) place: Seq,
    /// Nothing up to here waits, though it is not accounted for: a filter hid it.
    from: Seq,
    delivered: u64,
    coalesced: u64,
    skipped: u64,
    last_sent: Seq,
    /// Something was sent.
    begun: bool,
}

impl Account {
    pub(crate) const fn open(at: Seq) -> Self {
        let last_sent = Seq::START;
        Self {
            base: at,
            place: at,
            from: at,
            delivered: 0,
            coalesced: 0,
            skipped: 0,
            last_sent,
            begun: false,
        }
    }

    /// Of a reader that comes back: its account goes on from its place.
    pub(crate) const fn resumed(at: Seq) -> Self {
        Self { begun: true, ..Self::open(at) }
    }

    /// The reader stands at an earlier place, and nothing that it could see came since.
    pub(crate) fn rejoin(&mut self, at: Seq) {
        if at < self.place {
            (self.from, self.base, self.place) = (self.stands(), at, at);
        }
    }

    /// What waits begins after this.
    pub(crate) fn stands(&self) -> Seq {
        self.place.max(self.from)
    }

    /// Nothing up to `from` waits.
    pub(crate) const fn pass(&mut self, from: Seq) {
        self.from = from;
    }

    /// Whether anything was sent.
    pub(crate) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// A record up to `seq` is sent; what lies between it and the place before was folded into it.
    pub(crate) const fn record(&mut self, seq: Seq) {
        self.begun = true;
        self.delivered += 1;
        self.coalesced += seq.since(self.place) - 1;
        self.place = seq;
        self.last_sent = seq;
    }

    /// All events up to `to` are sent, each as it is.
    pub(crate) const fn run(&mut self, to: Seq) {
        self.begun = true;
        self.delivered += to.since(self.place);
        self.place = to;
        self.last_sent = to;
    }

    /// Events up to `to` are named in a gap.
    pub(crate) const fn gap(&mut self, to: Seq) {
        self.begun = true;
        self.skipped += to.since(self.place);
        self.place = to;
    }

    /// A snapshot as of `seq` is sent; what it replaces is skipped, unless the account begins with it.
    pub(crate) fn snapshot(&mut self, seq: Seq) {
        self.nothing(seq);
        self.last_sent = self.last_sent.max(seq);
    }

    /// The reader is told that there is nothing, as of `seq`.
    pub(crate) fn nothing(&mut self, seq: Seq) {
        if std::mem::replace(&mut self.begun, true) {
            let place = self.place.max(seq);
            self.skipped += place.since(self.place);
            self.place = place;
        } else {
            self.from = self.stands();
            (self.base, self.place) = (seq, seq);
        }
    }

    pub(crate) const fn ledger(&self, topic: TopicId, head: Seq) -> Ledger {
        Ledger {
            topic,
            published: head.since(self.base),
            delivered: self.delivered,
            coalesced: self.coalesced,
            skipped: self.skipped,
            pending: head.since(self.place),
            last_sequence: self.last_sent,
        }
    }

    /// What was counted since `before`.
    pub(crate) const fn since(&self, before: &Self) -> (u64, u64, u64) {
        (self.delivered - before.delivered, self.coalesced - before.coalesced, self.skipped - before.skipped)
    }
}
