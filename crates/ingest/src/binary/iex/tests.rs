//! What the recordings do not show, made by hand.

use super::super::net::made::{ethernet, ipv6, pcap, udp, udp_to};
use super::super::say::steps;
use super::Iex;
use crate::note::{Lost, Note};
use crate::reader::Decoder;

/// 2021-01-26T20:29:41Z.
const AT: u64 = 1_611_692_981_000_000_000;
const DEEP: u16 = 0x8004;
const TOPS: u16 = 0x8003;
const PLUS: u16 = 0x8005;

/// A message: type, what stands behind it, then its time, its share, and the rest.
fn message(of: u8, flag: u8, fields: &[&[u8]]) -> Vec<u8> {
    [&[of, flag][..], &AT.to_le_bytes(), b"ZIEXT   ", &fields.concat()].concat()
}

fn price(units: i64) -> [u8; 8] {
    (units * 10_000).to_le_bytes()
}

fn set(side: u8, ends: u8, at: i64, size: u32) -> Vec<u8> {
    message(side, ends, &[&size.to_le_bytes(), &price(at)])
}

fn trade(of: u8, at: i64, size: u32, id: u64) -> Vec<u8> {
    message(of, 0, &[&size.to_le_bytes(), &price(at), &id.to_le_bytes()])
}

fn quote(bid: (i64, u32), ask: (i64, u32)) -> Vec<u8> {
    message(b'Q', 0, &[&bid.1.to_le_bytes(), &price(bid.0), &price(ask.0), &ask.1.to_le_bytes()])
}

fn begin() -> Vec<u8> {
    [&[b'S', b'O'][..], &AT.to_le_bytes()].concat()
}

/// A segment of a session, sent at a time.
fn segment(protocol: u16, session: u32, first: u64, sent: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let blocks: Vec<u8> = messages
        .iter()
        .flat_map(|of| [&u16::try_from(of.len()).unwrap().to_le_bytes()[..], of].concat())
        .collect();
    let (len, count) = (u16::try_from(blocks.len()).unwrap(), u16::try_from(messages.len()).unwrap());
    [
        &[1, 0][..],
        &protocol.to_le_bytes(),
        &1_u32.to_le_bytes(),
        &session.to_le_bytes(),
        &len.to_le_bytes(),
        &count.to_le_bytes(),
        &[0; 8],
        &first.to_le_bytes(),
        &sent.to_le_bytes(),
        &blocks,
    ]
    .concat()
}

fn play(segments: &[Vec<u8>]) -> Vec<String> {
    let packets: Vec<_> = segments.iter().zip(0..).map(|(payload, at)| (AT + at, udp(payload))).collect();
    steps(&mut Iex::default(), pcap(&packets))
}

/// What is made of messages of a protocol, one a packet.
fn check(protocol: u16, messages: &[Vec<u8>], wanted: &[&str]) {
    let segments: Vec<_> = messages
        .iter()
        .zip(1..)
        .map(|(of, first)| segment(protocol, 9, first, AT, std::slice::from_ref(of)))
        .collect();
    assert_eq!(play(&segments), wanted);
}

#[test]
fn levels_are_told_when_their_event_ends() {
    check(
        DEEP,
        &[
            begin(),
            set(b'8', 1, 10, 100),
            set(b'5', 1, 12, 50),
            set(b'8', 0, 10, 0),
            trade(b'T', 10, 100, 7),
            set(b'8', 1, 9, 300),
            set(b'5', 0, 12, 40),
        ],
        &[
            "",
            "S10x100| Q10x100/-",
            "D|12x50 Q10x100/12x50",
            "",
            "T10x100?7",
            "D10x0 9x300| Q9x300/12x50",
            "",
            "D|12x40 Q9x300/12x40",
        ],
    );
}

#[test]
fn best_prices_and_what_else_tops_has() {
    let official = message(b'X', b'Q', &[&price(10)]);
    let short = message(b'P', 1, b"A".chunks(1).collect::<Vec<_>>().as_slice());
    let directory = message(b'D', 0, &[&[0; 13]]);
    check(
        TOPS,
        &[
            quote((10, 5), (11, 6)),
            quote((0, 0), (11, 6)),
            trade(b'T', 10, 5, 8),
            trade(b'B', 10, 5, 8),
            official,
            short,
            directory,
        ],
        &["q10x5/11x6", "q-/11x6", "T10x5?8", "X8 10x5", "", "", ""],
    );
}

#[test]
fn orders_of_deep_plus() {
    let order = |of: u8, flag: u8, id: u64, size: u32, at: i64| {
        message(of, flag, &[&id.to_le_bytes(), &size.to_le_bytes(), &price(at)])
    };
    let executed = |id: u64, size: u32, at: i64, number: u64| {
        message(b'L', 0, &[&id.to_le_bytes(), &size.to_le_bytes(), &price(at), &number.to_le_bytes()])
    };
    check(
        PLUS,
        &[
            order(b'a', b'8', 1, 100, 10),
            order(b'a', b'5', 2, 50, 12),
            order(b'M', 1, 1, 80, 9),
            executed(2, 20, 11, 700),
            executed(3, 20, 11, 701),
            message(b'R', 0, &[&2_u64.to_le_bytes()]),
            order(b'M', 0, 2, 80, 9),
            message(b'C', 0, &[]),
            order(b'a', b'x', 4, 1, 1),
        ],
        &[
            "S10x100| Q10x100/-",
            "D|12x50 Q10x100/12x50",
            "D10x0 9x80| Q9x80/12x50",
            "T11x20+700 D|12x30 Q9x80/12x30",
            "T11x20?701",
            "D|12x0 Q9x80/-",
            "",
            "G(restart) S| Q-/-",
            "xpacket 9: unknown side 120",
        ],
    );
}

#[test]
fn states_of_trading() {
    let state = |of: u8, reason: &str| message(b'H', of, &[format!("{reason:<4}").as_bytes()]);
    let halt = |of: u8| message(b'O', of, &[]);
    check(
        TOPS,
        &[
            halt(b'N'),
            state(b'T', ""),
            state(b'H', "T1"),
            state(b'O', "IPO2"),
            halt(b'O'),
            state(b'P', ""),
            halt(b'N'),
            state(b'z', ""),
        ],
        &[
            "",
            "!open trading",
            "!halted halted: T1, news pending",
            "!halted orders are accepted: IPO2, new issue, orders are accepted",
            "!halted operational halt",
            "!halted operational halt",
            "!halted paused",
            "xpacket 8: unknown trading state 122",
        ],
    );
}

#[test]
fn lost_messages_void_books_and_quotes() {
    let one = |protocol: u16, first: u64, of: Vec<u8>| segment(protocol, 9, first, AT, &[of]);
    let book = "G2-4 !suspect book updates were lost (sequence), waiting for a snapshot";
    let late = [
        one(DEEP, 1, set(b'8', 1, 10, 1)),
        one(DEEP, 5, set(b'8', 1, 11, 1)),
        one(DEEP, 6, trade(b'T', 1, 1, 1)),
    ];
    assert_eq!(play(&late), ["S10x1| Q10x1/-", "", "", &format!("{book} T1x1?1")]);
    let quotes = [
        one(TOPS, 1, quote((1, 1), (2, 1))),
        one(TOPS, 4, quote((1, 2), (2, 2))),
        one(TOPS, 5, quote((1, 3), (2, 3))),
    ];
    let lost = "G2-3 !suspect updates were lost (sequence), waiting for a quote q1x2/2x2 !open quoted again q1x3/2x3";
    assert_eq!(play(&quotes), ["q1x1/2x1", "", "", lost]);
    // Copies and what was overtaken lose nothing; a heartbeat says what comes next.
    let sent =
        [1, 1, 3, 2, 3, 2].map(|first| one(TOPS, first, quote((1, 1), (2, u32::try_from(first).unwrap()))));
    let beat = segment(TOPS, 9, 4, AT, &[]);
    assert_eq!(play(&[&sent[..], &[beat]].concat()), ["q1x1/2x1", "", "", "q1x1/2x2 q1x1/2x3", "", "", ""]);
}

#[test]
fn what_is_lost_is_counted_where_there_is_no_book() {
    let one = |first: u64| segment(TOPS, 9, first, AT, &[trade(b'T', 1, 1, first)]);
    let mut iex = Iex::default();
    let packets: Vec<_> = [1, 5, 6, 9].map(|first| (AT, udp(&one(first)))).into();
    assert_eq!(steps(&mut iex, pcap(&packets)), ["T1x1?1", "", "", "", "T1x1?5 T1x1?6 T1x1?9"]);
    let notes = iex.notes();
    assert_eq!(notes, [Note::Lost(Lost { messages: 5, times: 2 })]);
    assert_eq!(notes[0].to_string(), "5 message(s) in 2 range(s) of numbers never came");
}

#[test]
fn a_feed_that_starts_again_begins_with_empty_books() {
    let first = |session, sent, messages: &[Vec<u8>]| segment(DEEP, session, 1, sent, messages);
    let rests = [begin(), set(b'8', 1, 10, 1)];
    let again = ["S10x1| Q10x1/-", "G(restart) S| Q-/- D10x1| Q10x1/-"];
    // Another session, or the same one from its begin, sent later; a copy is no restart.
    assert_eq!(play(&[first(9, AT, &rests), first(10, AT, &rests)]), again);
    assert_eq!(play(&[first(9, AT, &rests), first(9, AT + 5, &rests)]), again);
    assert_eq!(play(&[first(9, AT, &rests), first(9, AT, &rests)]), [again[0], ""]);
}

#[test]
fn what_is_none_of_the_feed_is_passed_over() {
    let dns = [b"\x12\x34\x81\x80".to_vec(), vec![b'x'; 60]].concat();
    let packets =
        [udp_to(53, &dns), udp(&segment(TOPS, 9, 1, AT, &[quote((1, 1), (2, 1))])), udp_to(9, b"short")];
    let mut iex = Iex::default();
    let said = steps(&mut iex, pcap(&packets.map(|packet| (AT, packet))));
    assert_eq!(
        (said, iex.notes()),
        (["", "q1x1/2x1", ""].map(String::from).to_vec(), vec![Note::Foreign(2)])
    );
}

#[test]
fn broken_segments_are_passed_over() {
    let good = segment(TOPS, 9, 1, AT, &[quote((1, 1), (2, 1))]);
    let with = |at: usize, bytes: &[u8]| {
        let mut segment = good.clone();
        segment[at..at + bytes.len()].copy_from_slice(bytes);
        segment
    };
    for (broken, wanted) in [
        (with(0, &[2]), "xpacket 1: unknown version of IEX-TP 2"),
        (with(2, &[9, 0x80]), "xpacket 1: unknown protocol 32777"),
        (with(42, b"z"), "xpacket 1: unknown type of message 122"),
        (with(40, &[41]), "xpacket 1: a message of 41 bytes, at least 42 are needed"),
    ] {
        assert_eq!(play(&[broken])[0], wanted);
    }
    let short = play(&[good.clone(), good[..39].to_vec()]);
    assert_eq!(short, ["q1x1/2x1", "xpacket 2: a segment of 39 bytes, at least 40 are needed"]);
    let cut = play(&[good[..60].to_vec()]);
    assert_eq!(
        cut,
        [
            "xpacket 1: a segment of 20 bytes, at least 44 are needed",
            "xpacket 1: the datagram ends before its last 1 message(s)"
        ]
    );
    // Bytes that fill a packet up are none of it, and what is no datagram is nobody's.
    let six = [ethernet(0x86dd, &ipv6(&good)), vec![0; 9]].concat();
    let packets = [(AT, ethernet(0x0806, b"who has")), (AT, six)];
    assert_eq!(steps(&mut Iex::default(), pcap(&packets)), ["", "q1x1/2x1"]);
    assert_eq!(
        steps(&mut Iex::default(), b"{\"e\":1}".to_vec()),
        ["xbyte 0: not a capture (pcap or pcapng)"]
    );
    assert_eq!(steps(&mut Iex::default(), vec![]), [""; 0]);
}
