//! The fan-out's cases as lines, and its laws against a model with unbounded queues.

mod again;
mod bars;
mod bounds;
mod client;
mod consolidated;
mod estate;
mod laws;
mod options;
mod past;
mod reader;
mod right;
mod script;
mod source;

use std::sync::Arc;

use crate::{Batch, Fanout, Item, Kind};

/// A batch whose events are items, also where it only names them.
fn spelled_out(fanout: &Fanout, mut batch: Batch) -> Batch {
    for run in std::mem::take(&mut batch.runs) {
        let begin = batch.items.len();
        let item = |event: &Arc<crate::Event>| Item {
            topic: run.topic,
            position: event.position,
            look: run.look,
            kind: Kind::Event { event: Arc::clone(event), prev: event.seq.prev() },
        };
        batch.items.extend(fanout.run(&run).map(item));
        let (Some(first), Some(last)) = (fanout.run(&run).next(), fanout.run(&run).last()) else {
            panic!("a run of nothing")
        };
        assert_eq!((first.seq.prev(), last.seq), (run.prev, run.to));
        assert!(batch.items[..begin].iter().all(|item| item.topic.symbol != run.topic.symbol));
    }
    batch.items.sort_by_key(|item| item.position);
    batch
}
