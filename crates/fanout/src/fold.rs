//! What becomes of events that leave a log while somebody still waits for them.

use std::sync::Arc;

use model::{Body, Seq, TradeSummary};

use crate::event::{Encoded, Event};
use crate::item::GapCause;

/// Something a log keeps; cheap to clone.
pub(crate) trait Entry: Clone {
    /// Its place in the stream.
    fn seq(&self) -> Seq;
    /// The place of the entry before it.
    fn prev(&self) -> Seq;
    /// Its place in the total order.
    fn position(&self) -> u64;
    /// About how many bytes it has.
    fn weight(&self) -> usize;
}

/// What several entries come to when they are folded into one.
pub(crate) trait Fold: Sized + Clone {
    /// What is folded.
    type Entry: Entry;
    /// What becomes of an entry that leaves the log.
    fn fate(entry: &Self::Entry) -> Fate<Self>;
    /// Takes in the fold that follows directly; false where that cannot be, and nothing changed.
    fn join(&mut self, later: &Self) -> bool;
    /// What it costs to keep, in the units of the log's bound.
    fn units(&self) -> usize;
    /// The place before the first it stands for.
    fn prev(&self) -> Seq;
    /// The last place it stands for.
    fn to(&self) -> Seq;
}

/// What becomes of an entry that leaves the log.
pub(crate) enum Fate<F> {
    /// A newer one says it all.
    Forgotten,
    /// Whoever waits for it gets a gap.
    Void(GapCause),
    /// It is folded.
    Folded(F),
}

/// An event as the readers of a view see it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) event: Arc<Event>,
    /// The place of the event that they saw before it.
    pub(crate) prev: Seq,
}

impl Entry for Seen {
    fn seq(&self) -> Seq {
        self.event.seq
    }

    fn prev(&self) -> Seq {
        self.prev
    }

    fn position(&self) -> u64 {
        self.event.position
    }

    fn weight(&self) -> usize {
        self.event.weight()
    }
}

/// Quotes, tickers and bars: a newer one replaces an older one.
#[derive(Clone)]
pub(crate) struct Newest;

impl Fold for Newest {
    type Entry = Seen;

    fn fate(_: &Seen) -> Fate<Self> {
        Fate::Forgotten
    }

    fn join(&mut self, _: &Self) -> bool {
        false
    }

    fn units(&self) -> usize {
        0
    }

    fn prev(&self) -> Seq {
        Seq::START
    }

    fn to(&self) -> Seq {
        Seq::START
    }
}

/// States: each must arrive, so none can be folded.
#[derive(Clone)]
pub(crate) struct Each;

impl Fold for Each {
    type Entry = Seen;

    fn fate(_: &Seen) -> Fate<Self> {
        Fate::Void(GapCause::SlowConsumer)
    }

    fn join(&mut self, _: &Self) -> bool {
        false
    }

    fn units(&self) -> usize {
        0
    }

    fn prev(&self) -> Seq {
        Seq::START
    }

    fn to(&self) -> Seq {
        Seq::START
    }
}

/// Many trades as one record.
#[derive(Debug)]
pub struct SummaryRecord {
    /// The newest trade in it: its place is that of the record.
    pub last: Arc<Event>,
    /// The place before the first trade in it.
    pub prev: Seq,
    /// What they come to.
    pub summary: TradeSummary,
    /// Its bytes, made once.
    pub encoded: Encoded,
}

/// Trades, conserved.
#[derive(Clone)]
pub(crate) struct Trades {
    pub(crate) last: Arc<Event>,
    pub(crate) prev: Seq,
    /// `None` for a single trade: it is sent as it is.
    pub(crate) summary: Option<TradeSummary>,
}

impl Trades {
    fn totals(&self) -> Option<TradeSummary> {
        match (&self.summary, &self.last.body) {
            (Some(summary), _) => Some(summary.clone()),
            (None, Body::Trade(trade)) => TradeSummary::of(trade, self.last.ts_event, self.last.ts_recv),
            _ => None,
        }
    }
}

impl Fold for Trades {
    type Entry = Seen;

    fn fate(seen: &Seen) -> Fate<Self> {
        Fate::Folded(Self { last: Arc::clone(&seen.event), prev: seen.prev, summary: None })
    }

    /// Refused where a total would no longer be exact: then there are two records instead of one.
    fn join(&mut self, later: &Self) -> bool {
        let totals = self.totals().zip(later.totals());
        let Some(joined) = totals.and_then(|(a, b)| a.merged(&b)) else { return false };
        self.summary = Some(joined);
        self.last = Arc::clone(&later.last);
        true
    }

    fn units(&self) -> usize {
        1
    }

    fn prev(&self) -> Seq {
        self.prev
    }

    fn to(&self) -> Seq {
        self.last.seq
    }
}
