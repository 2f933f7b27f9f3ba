//! The followed updates of a shard, until some of their readers have them.

use std::collections::VecDeque;
use std::time::Duration;

use fanout::{Batch, Event, Item, Kind, Run, TopicId};
use model::{Seq, UnixNanos};

use super::{Fact, Parent, Span, Trace, Traces, span_id};
use crate::clock;
use crate::limits::{FOLLOWED_MAX, SENDS_FOLLOWED_MAX};

/// An update that no reader has had for so long is not followed any more.
const FOLLOWED_FOR: Duration = Duration::from_secs(30);

/// The followed updates of a shard.
pub(crate) struct Tracks {
    traces: Traces,
    open: VecDeque<Open>,
    /// What is on its way to one session: which, since when, and as what.
    sends: Vec<(Trace, UnixNanos, &'static str)>,
}

struct Open {
    trace: Trace,
    topic: TopicId,
    seq: Seq,
    since: Duration,
    /// How many readers have had it.
    sent: usize,
}

impl Tracks {
    pub(crate) const fn new(traces: Traces) -> Self {
        Self { traces, open: VecDeque::new(), sends: Vec::new() }
    }

    /// An update comes to the shard.
    pub(crate) fn publish(&mut self, event: &Event, now: Duration) {
        let Some(trace) = self.traces.of(event.position) else { return };
        self.open.retain(|open| open.sent < SENDS_FOLLOWED_MAX && now < open.since + FOLLOWED_FOR);
        if self.open.len() < FOLLOWED_MAX {
            self.open.push_back(Open { trace, topic: event.topic, seq: event.seq, since: now, sent: 0 });
        }
    }

    /// What a session is about to be sent.
    pub(crate) fn note(&mut self, batch: &Batch) {
        self.sends.clear();
        if self.open.is_empty() || batch.is_empty() {
            return;
        }
        for open in self.open.iter_mut().filter(|open| open.sent < SENDS_FOLLOWED_MAX) {
            let is_in = |run: &Run| run.topic == open.topic && run.prev < open.seq && open.seq <= run.to;
            let of_run = batch.runs.iter().any(is_in);
            let fate = if of_run { Some("delivered") } else { fate(&batch.items, open) };
            if let Some(fate) = fate {
                open.sent += 1;
                self.sends.push((open.trace, clock::wall(), fate));
            }
        }
    }

    /// It is with the kernel, or as far as its socket takes it.
    pub(crate) fn sent(&mut self, session: &str, door: &'static str, full: bool) {
        for (Trace { trace, root }, began, fate) in self.sends.drain(..) {
            let facts = vec![
                ("tickwire.session", Fact::text(session.to_owned())),
                ("tickwire.door", Fact::word(door)),
                ("tickwire.fate", Fact::word(fate)),
                ("tickwire.socket_full", Fact::Flag(full)),
            ];
            let (time, parent) = ((began, clock::wall()), Some(Parent::Ours(root)));
            self.traces.tell(Span { trace, id: span_id(), parent, name: "send".into(), time, facts });
        }
    }
}

/// What becomes of an update for the reader of these items, where they are about it.
fn fate(items: &[Item], open: &Open) -> Option<&'static str> {
    items.iter().filter(|item| item.topic == open.topic).find_map(|item| {
        let (prev, seq) = match &item.kind {
            Kind::Event { event, prev } => (*prev, event.seq),
            Kind::Summary { record, prev } => (*prev, record.last.seq),
            Kind::Book { record, prev } => (*prev, record.seq),
            Kind::Gap { range: Some((from, to)), .. } => {
                return (*from..=*to).contains(&open.seq).then_some("skipped");
            }
            Kind::Gap { range: None, .. } | Kind::Snapshot { .. } => return None,
        };
        let is_in = prev < open.seq && open.seq <= seq;
        is_in.then_some(if open.seq == seq && prev.next() == seq { "delivered" } else { "coalesced" })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fanout::limits::LogLimits;
    use fanout::{Fanout, Options};
    use tokio::sync::mpsc::Receiver;

    use super::*;
    use crate::shard::tests::Feed;

    const NOW: Duration = Duration::from_secs(1);

    fn facts(spans: &mut Receiver<Span>) -> Vec<(String, u128, String)> {
        let fact = |span: &Span, name: &str| {
            let fact = span.facts.iter().find(|fact| fact.0 == name).map(|fact| fact.1.clone());
            format!("{fact:?}")
        };
        std::iter::from_fn(|| spans.try_recv().ok())
            .map(|span| (span.name.to_string(), span.trace, fact(&span, "tickwire.fate")))
            .collect()
    }

    #[test]
    fn an_update_is_followed_to_some_of_its_readers() {
        let (traces, mut spans) = Traces::new(u64::MAX);
        let (mut fanout, mut feed) = (Fanout::new(LogLimits::default()), Feed::default());
        let first: Arc<Event> = feed.event('t', "A");
        fanout.publish(&first, NOW);
        let mut tracks = Tracks::new(traces.clone());
        let readers: Vec<_> = (0..SENDS_FOLLOWED_MAX + 2).map(|_| fanout.open_session()).collect();
        for reader in &readers {
            let options = Options { snapshot: false, ..Options::default() };
            fanout.subscribe(*reader, first.topic, options).unwrap();
        }
        let event = feed.event('t', "A");
        traces.sequenced(&event);
        fanout.publish(&event, NOW);
        tracks.publish(&event, NOW);
        for reader in readers {
            tracks.note(&fanout.drain(reader, 1 << 16, NOW));
            tracks.sent("s1", "websocket", false);
        }
        let told = facts(&mut spans);
        let trace = traces.of(event.position).unwrap().trace;
        assert_eq!(told.len(), 1 + SENDS_FOLLOWED_MAX, "its root, and so many sends: {told:?}");
        assert!(told.iter().all(|span| span.1 == trace));
        assert_eq!(told[0].0, "update");
        assert!(told[1..].iter().all(|span| span.0 == "send" && span.2.contains("delivered")), "{told:?}");
    }

    #[test]
    fn so_many_are_followed_and_for_so_long() {
        let (traces, _spans) = Traces::new(u64::MAX);
        let (mut tracks, mut feed) = (Tracks::new(traces), Feed::default());
        for _ in 0..FOLLOWED_MAX + 5 {
            tracks.publish(&feed.event('t', "A"), NOW);
        }
        assert_eq!(tracks.open.len(), FOLLOWED_MAX);
        tracks.publish(&feed.event('t', "A"), NOW + FOLLOWED_FOR);
        assert_eq!(tracks.open.len(), 1, "nobody wanted the others");
    }
}
