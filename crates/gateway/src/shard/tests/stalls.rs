//! Who reads nothing is counted, and not before it is known.

use serde_json::json;

use super::{Visit, short};
use crate::metrics::ShardMetrics;

impl Visit {
    /// The shard looks at those whose sockets are full; how many of them read nothing.
    fn stalled(&mut self) -> u64 {
        let mut full = std::mem::take(&mut self.core.full);
        full.retain(|_| self.member.look_whether_stalled(&mut self.core));
        self.core.full = full;
        self.core.stalled
    }
}

#[test]
fn who_reads_nothing_is_counted_until_it_reads() {
    let mut visit = Visit::new();
    visit.reads(&["trades"], "A", &json!({}));
    for _ in 0..2 {
        visit.line.set_full(true);
        visit.happens("tA");
        visit.turn();
        assert_eq!(visit.core.full.len(), 1);
        visit.happens("tA");
        assert_eq!(visit.stalled(), 0, "a socket that is full for a moment is no matter");
        visit.after(1_000);
        assert_eq!((visit.stalled(), visit.stalled()), (1, 1));
        visit.line.set_full(false);
        visit.turn();
        assert_eq!(visit.core.stalled, 0, "it is not counted any longer than it takes nothing");
        assert_eq!((visit.stalled(), visit.core.full.len()), (0, 0));
    }
    assert_eq!(short(&visit.turn()), "");
}

#[test]
fn who_goes_is_counted_no_more() {
    let mut visit = Visit::new();
    visit.reads(&["trades"], "A", &json!({}));
    visit.line.set_full(true);
    visit.happens("tA*2");
    visit.turn();
    visit.happens("tA");
    visit.after(1_000);
    assert_eq!(visit.stalled(), 1);
    let Visit { member, mut core, .. } = visit;
    member.part(&mut core, &mut ShardMetrics::default());
    assert_eq!((core.stalled, core.full.len()), (0, 0));
}
