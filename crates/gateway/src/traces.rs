//! Which updates are followed from their receipt into the sockets of their readers, and what is told of that: spans, for
//! whoever hands them on. What is followed is nobody's choice but the dice's, so that it says something of the others.

mod track;

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};

use fanout::Event;
use metrics::{Counter, counter};
use model::UnixNanos;
use tokio::sync::mpsc;

use crate::clock;
use crate::limits::SPANS_QUEUED;
use crate::metrics::SPANS_LOST;
pub(crate) use track::Tracks;

/// Follows some updates, and tells of them.
#[derive(Clone, Debug)]
pub struct Traces(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    share: u64,
    seed: u64,
    sink: mpsc::Sender<Span>,
    /// Looked up when a server begins: before that, nobody counts.
    lost: OnceLock<Counter>,
}

/// Something that took its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace: u128,
    /// Its own number.
    pub id: u64,
    /// What it is part of.
    pub parent: Option<Parent>,
    /// What it is.
    pub name: Cow<'static, str>,
    /// When it began and ended.
    pub time: (UnixNanos, UnixNanos),
    /// What is known of it.
    pub facts: Vec<(&'static str, Fact)>,
}

/// What a span is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// One of our own.
    Ours(u64),
    /// One of whoever sent the request.
    Theirs(u64),
}

/// What is known of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A text.
    Text(Cow<'static, str>),
    /// A number.
    Number(u64),
    /// Whether something is so.
    Flag(bool),
}

/// An update that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) trace: u128,
    pub(crate) root: u64,
}

impl Traces {
    /// Follows about `share` of 2^64 updates. Spans come out at the other end, and are lost where nobody takes them in time.
    #[must_use]
    pub fn new(share: u64) -> (Self, mpsc::Receiver<Span>) {
        let (sink, spans) = mpsc::channel(SPANS_QUEUED);
        let seed = RandomState::new().hash_one(clock::wall().0);
        (Self(Arc::new(Inner { share, seed, sink, lost: OnceLock::new() })), spans)
    }

    /// The trace of the update at a place in the total order, where it is followed. Whoever asks is told the same.
    pub(crate) fn of(&self, position: u64) -> Option<Trace> {
        let dice = mixed(self.0.seed ^ mixed(position));
        (dice < self.0.share).then(|| {
            let half = |salt: u64| u128::from(mixed(dice ^ salt));
            Trace { trace: (half(1) << 64) | half(2) | 1, root: mixed(dice ^ 3) | 1 }
        })
    }

    /// An update has its place: how long that took, from its receipt.
    pub(crate) fn sequenced(&self, event: &Event) {
        let Some(Trace { trace, root }) = self.of(event.position) else { return };
        let instrument = &event.record.instrument;
        let facts = vec![
            ("tickwire.symbol", Fact::text(instrument.symbol.to_string())),
            ("tickwire.venue", Fact::text(instrument.venue.to_string())),
            ("tickwire.channel", Fact::word(event.topic.stream.channel().as_str())),
            ("tickwire.sequence", Fact::Number(event.seq.0)),
            ("tickwire.position", Fact::Number(event.position)),
        ];
        let time = (event.ts_recv, clock::wall());
        self.tell(Span { trace, id: root, parent: None, name: "update".into(), time, facts });
    }

    /// A server begins: there is somebody who counts.
    pub(crate) fn begin(&self) {
        self.lost().increment(0);
    }

    fn lost(&self) -> &Counter {
        self.0.lost.get_or_init(|| counter!(SPANS_LOST))
    }

    /// Hands a span on, if somebody takes it.
    pub(crate) fn tell(&self, span: Span) {
        if self.0.sink.try_send(span).is_err() {
            self.lost().increment(1);
        }
    }
}

impl Fact {
    pub(crate) const fn word(word: &'static str) -> Self {
        Self::Text(Cow::Borrowed(word))
    }

    pub(crate) const fn text(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// A number of its own for a span.
pub(crate) fn span_id() -> u64 {
    RandomState::new().hash_one(0_u8) | 1
}

/// As good as random, and the same for the same number (`SplitMix64`).
const fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dice_choose_and_all_agree() {
        let (traces, _spans) = Traces::new(u64::MAX / 100);
        let followed = (0..100_000).filter_map(|position| traces.of(position)).collect::<Vec<_>>();
        assert!((800..1_200).contains(&followed.len()), "{} of 100,000", followed.len());
        let mut traces_of: Vec<_> = followed.iter().map(|trace| trace.trace).collect();
        traces_of.sort_unstable();
        traces_of.dedup();
        assert_eq!(traces_of.len(), followed.len(), "each has a trace of its own");
        let other = traces.clone();
        assert!((0..1_000).all(|position| traces.of(position) == other.of(position)));
        assert!((0..1_000).all(|position| Traces::new(0).0.of(position).is_none()));
    }

    #[test]
    fn what_nobody_takes_is_lost_and_counted() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let (traces, mut spans) = Traces::new(0);
        let time = (UnixNanos(1), UnixNanos(2));
        metrics::with_local_recorder(&recorder, || traces.begin());
        assert!(handle.render().contains(&format!("{SPANS_LOST} 0")), "{}", handle.render());
        for id in 0..SPANS_QUEUED as u64 + 3 {
            traces.tell(Span { trace: 1, id, parent: None, name: "x".into(), time, facts: Vec::new() });
        }
        assert!(handle.render().contains(&format!("{SPANS_LOST} 3")), "{}", handle.render());
        assert_eq!(spans.try_recv().unwrap().id, 0);
    }
}
