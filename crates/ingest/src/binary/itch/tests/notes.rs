//! What is said at the end.

use super::*;
use crate::note::Lost;

#[test]
fn what_never_came_and_whose_orders_are_not_known_is_counted() {
    let mut itch = Itch::new(None);
    let sent = [
        mold("A", 1, &[execute(9, 5, 900), execute_at(9, 5, 901, b'N', 11), delete(9)]),
        mold("A", 6, &[execute(8, 5, 902)]),
    ];
    let packets: Vec<_> = sent.iter().map(|payload| (AT, udp(payload))).collect();
    assert_eq!(steps(&mut itch, pcap(&packets)), ["", ""]);
    assert_eq!(itch.notes(), [Note::Lost(Lost { messages: 2, times: 1 }), Note::Unseen(3)]);
}
