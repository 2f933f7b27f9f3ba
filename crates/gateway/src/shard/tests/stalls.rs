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

/// Once is enough: what is coalesced for it is counted already.
#[test]
fn who_is_coalesced_is_counted_for_that() {
    let mut visit = Visit::new();
    visit.reads(&["trades"], "A", &json!({}));
    visit.send(&json!({"op": "pace", "bytes_per_second": 5_000}));
    let mut slow = 0;
    for _ in 0..100 {
        visit.happens("tA*5");
        visit.after(10);
        slow = visit.core.fanout.stats().slow;
        if slow > 0 {
            break;
        }
    }
    assert_eq!(slow, 1);
    visit.line.set_full(true);
    for _ in 0..200 {
        visit.happens("tA*5");
        visit.after(10);
    }
    assert_eq!((visit.stalled(), visit.core.fanout.stats().slow), (0, 1));
}
