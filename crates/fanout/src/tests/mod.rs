//! The fan-out's cases as lines, and its laws against a model with unbounded queues.

mod again;
mod bars;
mod client;
mod laws;
mod options;
mod reader;
mod right;
mod script;
mod source;

use std::sync::Arc;

use crate::{Batch, Fanout, Item, Kind};

/// A batch whose events are items, also where it only names them.
fn spelled_out(fanout: &Fanout, mut batch: Batch) -> Batch {
    if let Some(run) = batch.run.take() {
        assert!(batch.items.is_empty());
        let item = |event: &Arc<crate::Event>| Item {
            topic: run.topic,
            position: event.position,
            look: run.look,
            kind: Kind::Event { event: Arc::clone(event), prev: event.seq.prev() },
        };
        batch.items = fanout.run(&run).map(item).collect();
        let ends = batch.items.first().zip(batch.items.last());
        let Some((Kind::Event { event: first, .. }, Kind::Event { event: last, .. })) =
            ends.map(|(first, last)| (&first.kind, &last.kind))
        else {
            panic!("a run of nothing")
        };
        assert_eq!((first.seq.prev(), last.seq), (run.prev, run.to));
    }
    batch
}
