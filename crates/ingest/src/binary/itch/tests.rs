//! What the recordings do not show, made by hand.

mod days;
mod notes;

use model::Date;

use super::super::net::made::{pcap, udp, udp_to};
use super::super::say::{named_steps, steps};
use super::Itch;
use crate::note::Note;
use crate::reader::Decoder;

/// 2023-08-22T13:30:00Z, half past nine in New York.
const AT: u64 = 1_692_711_000_000_000_000;

const NO_DAY: &str =
    "its times are times of day, and nothing says of which one: --date, or the key date of a feed, does";

/// A message: type, then fields behind its time.
fn message(of: u8, locate: u16, fields: &[&[u8]]) -> Vec<u8> {
    let time = &34_200_000_000_000_u64.to_be_bytes()[2..];
    [&[of][..], &locate.to_be_bytes(), &[0, 0], time, &fields.concat()].concat()
}

fn add(id: u64, side: u8, size: u32, price: u32) -> Vec<u8> {
    let fields: [&[u8]; 5] =
        [&id.to_be_bytes(), &[side], &size.to_be_bytes(), b"ABC+    ", &(price * 10_000).to_be_bytes()];
    message(b'A', 7, &fields)
}

fn execute(id: u64, size: u32, number: u64) -> Vec<u8> {
    message(b'E', 7, &[&id.to_be_bytes(), &size.to_be_bytes(), &number.to_be_bytes()])
}

fn execute_at(id: u64, size: u32, number: u64, printed: u8, price: u32) -> Vec<u8> {
    let fields: [&[u8]; 5] = [
        &id.to_be_bytes(),
        &size.to_be_bytes(),
        &number.to_be_bytes(),
        &[printed],
        &(price * 10_000).to_be_bytes(),
    ];
    message(b'C', 7, &fields)
}

fn cancel(id: u64, size: u32) -> Vec<u8> {
    message(b'X', 7, &[&id.to_be_bytes(), &size.to_be_bytes()])
}

fn delete(id: u64) -> Vec<u8> {
    message(b'D', 7, &[&id.to_be_bytes()])
}

fn replace(old: u64, new: u64, size: u32, price: u32) -> Vec<u8> {
    message(
        b'U',
        7,
        &[&old.to_be_bytes(), &new.to_be_bytes(), &size.to_be_bytes(), &(price * 10_000).to_be_bytes()],
    )
}

fn action(state: u8, reason: &str) -> Vec<u8> {
    message(b'H', 7, &[b"ABC+    ", &[state, b' '], format!("{reason:<4}").as_bytes()])
}

/// A datagram of `MoldUDP64`.
fn mold(session: &str, first: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(messages.len()).unwrap();
    let blocks =
        messages.iter().flat_map(|of| [&u16::try_from(of.len()).unwrap().to_be_bytes()[..], of].concat());
    [format!("{session:<10}").as_bytes(), &first.to_be_bytes(), &count.to_be_bytes()]
        .concat()
        .into_iter()
        .chain(blocks)
        .collect()
}

/// What is made of datagrams, packet by packet.
fn play(datagrams: &[Vec<u8>]) -> Vec<String> {
    let packets: Vec<_> = datagrams.iter().zip(0..).map(|(payload, at)| (AT + at, udp(payload))).collect();
    steps(&mut Itch::new(None), pcap(&packets))
}

/// What is made of datagrams that were sent to ports, each so many seconds after the one before, and what is said of it.
fn play_to(datagrams: &[(u16, u64, Vec<u8>)]) -> (Vec<String>, Vec<Note>) {
    let mut at = AT;
    let packets: Vec<_> = datagrams
        .iter()
        .map(|(port, seconds, payload)| {
            at += seconds * 1_000_000_000;
            (at, udp_to(*port, payload))
        })
        .collect();
    let mut itch = Itch::new(None);
    (steps(&mut itch, pcap(&packets)), itch.notes())
}

/// A file of messages.
fn file(messages: &[Vec<u8>]) -> Vec<u8> {
    let lengths = messages.iter().map(|of| u16::try_from(of.len()).unwrap().to_be_bytes());
    lengths.zip(messages).flat_map(|(len, of)| [&len[..], of].concat()).collect()
}

fn day() -> Option<Date> {
    Date::parse("2023-08-22").ok()
}

fn check(messages: &[Vec<u8>], wanted: &[&str]) {
    assert_eq!(steps(&mut Itch::new(day()), file(messages)), wanted);
}

#[test]
fn the_life_of_orders() {
    check(
        &[
            add(1, b'B', 100, 10),
            add(2, b'S', 50, 12),
            add(3, b'B', 30, 10),
            execute(1, 40, 900),
            execute_at(2, 10, 901, b'Y', 11),
            execute_at(2, 10, 902, b'N', 11),
            cancel(2, 5),
            replace(1, 4, 70, 9),
            replace(3, 5, 30, 10),
            delete(2),
            execute(4, 70, 903),
        ],
        &[
            "S10x100| Q10x100/-",
            "D|12x50 Q10x100/12x50",
            "D10x130| Q10x130/12x50",
            "T10x40-900 D10x90| Q10x90/12x50",
            "T11x10+901 D|12x40 Q10x90/12x40",
            "D|12x30 Q10x90/12x30",
            "D|12x25 Q10x90/12x25",
            "D10x30 9x70| Q10x30/12x25",
            "D10x30|",
            "D|12x0 Q10x30/-",
            "T9x70-903 D9x0|",
        ],
    );
}

#[test]
fn an_order_of_no_size_does_not_rest() {
    check(
        &[
            add(1, b'B', 0, 11),
            add(2, b'B', 5, 10),
            execute(1, 1, 900),
            add(3, b'B', 0, 12),
            replace(2, 4, 0, 13),
            delete(4),
        ],
        &["S|", "D10x5| Q10x5/-", "", "", "D10x0| Q-/-", ""],
    );
}

#[test]
fn trades_without_an_order_that_is_seen() {
    let hidden = |side: u8| {
        let fields: [&[u8]; 6] = [
            &[0; 8],
            &[side],
            &25_u32.to_be_bytes(),
            b"ABC+    ",
            &101_500_u32.to_be_bytes(),
            &77_u64.to_be_bytes(),
        ];
        message(b'P', 7, &fields)
    };
    let cross = |size: u64| {
        let fields: [&[u8]; 5] =
            [&size.to_be_bytes(), b"ABC+    ", &102_000_u32.to_be_bytes(), &78_u64.to_be_bytes(), b"O"];
        message(b'Q', 7, &fields)
    };
    // What rested before the recording began has no price, unless it is told.
    let known =
        [execute(9, 5, 900), execute_at(9, 5, 901, b'Y', 11), delete(9), cancel(9, 1), replace(9, 10, 1, 1)];
    let broken = message(b'B', 7, &[&77_u64.to_be_bytes()]);
    let messages =
        [vec![hidden(b'B'), hidden(b'S'), cross(5_577), cross(0), broken], known.to_vec()].concat();
    let wanted = ["T10.15x25?77", "T10.15x25+77", "T10.2x5577?78", "", "X77", "", "T11x5?901", "", "", ""];
    check(&messages, &wanted);
}

#[test]
fn states_of_trading() {
    let halt = |market: u8, what: u8| message(b'h', 7, &[b"ABC+    ", &[market, what]]);
    check(
        &[
            action(b'H', "T1"),
            action(b'P', "LUDP"),
            action(b'Q', "T3"),
            action(b'T', ""),
            halt(b'Q', b'H'),
            halt(b'B', b'H'),
            halt(b'Q', b'T'),
            action(b'H', "T1"),
            halt(b'Q', b'H'),
            halt(b'Q', b'T'),
            halt(b'Q', b'H'),
            action(b'T', ""),
            halt(b'Q', b'T'),
        ],
        &[
            "!halted halted: T1, news pending",
            "!halted paused: LUDP, volatility trading pause",
            "!halted quotation only: T3, news and resumption times",
            "!open trading",
            "!halted operational halt",
            "",
            "!open trading",
            "!halted halted: T1, news pending",
            "!halted operational halt",
            "!halted halted: T1, news pending",
            "!halted operational halt",
            "!halted operational halt",
            "!open trading",
        ],
    );
    check(
        &[halt(b'Q', b'H'), halt(b'Q', b'T')],
        &["!halted operational halt", "!open operational halt ended"],
    );
}

#[test]
fn each_exchange_is_read_by_itself() {
    let mut itch = Itch::new(day());
    let halt = |market: u8| message(b'h', 7, &[b"ABC+    ", &[market, b'H']]);
    let shown = ["S10x100| Q10x100/-", "", "!halted operational halt"].map(String::from);
    let of = |first: u8, second: u8| file(&[add(1, b'B', 100, 10), halt(first), halt(second)]);
    assert_eq!(named_steps(&mut itch, "20230822.BX_ITCH_50", &of(b'Q', b'B')), shown);
    assert_eq!(named_steps(&mut itch, "S082223-v50.txt", &of(b'B', b'Q')), shown);
    assert_eq!(named_steps(&mut itch, "S082223-v50-psx.txt", &of(b'B', b'X')), shown);
    // What rests there does not rest here.
    let rest = named_steps(&mut itch, "20230822.BX_ITCH_50", &file(&[delete(1)]));
    assert_eq!(rest, ["D10x0| Q-/-"]);
    let venues: Vec<_> = itch.molds.iter().map(|mold| mold.market.exchange.venue()).collect();
    assert_eq!(venues, ["nasdaq-bx", "nasdaq", "nasdaq-psx"]);
}

#[test]
fn a_new_day_begins_with_empty_books() {
    let event = |of: u8| message(b'S', 0, &[&[of]]);
    check(
        &[
            event(b'O'),
            event(b'Q'),
            add(1, b'B', 100, 10),
            event(b'C'),
            event(b'O'),
            delete(1),
            add(1, b'S', 1, 9),
        ],
        &["", "", "S10x100| Q10x100/-", "", "G(restart) S| Q-/-", "", "D|9x1 Q-/9x1"],
    );
}

#[test]
fn lost_messages_void_the_books() {
    let lost = "G3-4 !suspect book updates were lost (sequence), waiting for a snapshot";
    assert_eq!(
        play(&[
            mold("A", 1, &[add(1, b'B', 100, 10), add(2, b'S', 1, 12)]),
            mold("A", 5, &[execute(1, 10, 900), action(b'T', "")]),
            // A heartbeat says what comes next.
            mold("A", 7, &[]),
        ]),
        ["S10x100| Q10x100/- D|12x1 Q10x100/12x1", "", "", &format!("{lost} T10x10-900 !open trading")]
    );
    // A heartbeat alone tells of a loss, too; a new session begins anew.
    assert_eq!(
        play(&[
            mold("A", 1, &[add(1, b'B', 100, 10)]),
            mold("A", 3, &[]),
            mold("B", 1, &[add(1, b'B', 5, 11)]),
        ]),
        [
            "S10x100| Q10x100/-",
            "",
            "G2-2 !suspect book updates were lost (sequence), waiting for a snapshot S| !open the book is whole again Q-/- D11x5| Q11x5/-"
        ]
    );
}

#[test]
fn what_is_none_of_the_feed_is_passed_over() {
    let asks = [b"A         ", &3_u64.to_be_bytes()[..], &[0, 2]].concat();
    let rests = mold("A", 1, &[add(1, b'B', 100, 10)]);
    let (said, notes) = play_to(&[
        (5353, 0, mold("A", 1, &[message(b'z', 0, &[&[0; 8]])])),
        (26_477, 0, rests),
        (319, 0, [&[0x11, 2][..], &[0; 42]].concat()),
        (123, 0, [&[0x23][..], &[0; 47]].concat()),
        (53, 0, b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x03www\x06nasdaq\x03com\0\0\x01\0\x01".to_vec()),
        (26_478, 0, asks),
        (9, 0, b"text that is longer than a header".to_vec()),
        (9, 0, b"short".to_vec()),
        (26_477, 0, mold("A", 2, &[add(2, b'B', 1, 9)])),
    ]);
    assert_eq!(said, ["", "S10x100| Q10x100/-", "", "", "", "", "", "", "D9x1|"]);
    assert_eq!(notes, [Note::Foreign(7)]);
}

#[test]
fn one_market_is_read_at_a_time() {
    let one = |first, id, size| mold("A", first, &[add(id, b'B', size, 10)]);
    let other = |first, size| mold("X", first, &[add(1, b'B', size, 10)]);
    let again = "G(restart) S| Q-/- D10x7| Q10x7/-";
    // Lines that carry the same session are copies; another session on a group of its own is another market.
    let sent = [
        (1, 0, one(1, 1, 100)),
        (2, 0, one(1, 1, 100)),
        (3, 0, other(1, 1)),
        (2, 0, one(2, 2, 1)),
        (1, 0, one(2, 2, 1)),
        (3, 0, other(2, 1)),
    ];
    let (said, notes) = play_to(&sent);
    assert_eq!(said, ["S10x100| Q10x100/-", "", "", "D10x101| Q10x101/-", "", ""]);
    assert_eq!(notes, [Note::Elsewhere(2)]);
    // It follows where it is on the same group, or where ours is over; what is left of that one is no news.
    let late = (2, 0, one(2, 2, 5));
    let (said, notes) = play_to(&[sent[0].clone(), (1, 0, other(1, 7)), late.clone()]);
    assert_eq!(
        (said, notes),
        (vec!["S10x100| Q10x100/-".into(), again.into(), String::new()], vec![Note::Elsewhere(1)])
    );
    let (said, _) = play_to(&[sent[0].clone(), (3, 601, other(1, 7)), late]);
    assert_eq!(said, ["S10x100| Q10x100/-", again, ""]);
    let end = [b"A         ", &2_u64.to_be_bytes()[..], &[0xff; 2]].concat();
    let (said, _) = play_to(&[sent[0].clone(), (1, 0, end), (3, 1, other(1, 7))]);
    assert_eq!(said, ["S10x100| Q10x100/-", "", again]);
}

#[test]
fn copies_and_what_was_overtaken() {
    let parts = [
        mold("A", 1, &[add(1, b'B', 100, 10)]),
        mold("A", 2, &[add(2, b'B', 1, 9)]),
        mold("A", 3, &[delete(1)]),
    ];
    let [a, b, c] = &parts;
    let sent = [a, a, c, b, b, c].map(Clone::clone);
    assert_eq!(play(&sent), ["S10x100| Q10x100/-", "", "", "D9x1| D10x0| Q9x1/-", "", ""]);
}

#[test]
fn what_has_no_numbers_is_read_as_it_comes() {
    let mut blank = mold("", 0, &[add(1, b'B', 100, 10)]);
    blank[..10].fill(0);
    assert_eq!(play(&[blank.clone(), blank]), ["S10x100| Q10x100/-", "D10x100|"]);
}

#[test]
fn broken_messages_are_passed_over() {
    let mut short = add(3, b'B', 1, 1);
    short.truncate(30);
    let unknown = message(b'z', 7, &[&[0; 8]]);
    let side = add(4, b'Z', 1, 1);
    let good = add(1, b'B', 100, 10);
    let all = [good, short, unknown, vec![], side];
    let said = [
        "xpacket 1: a message of 30 bytes, at least 36 are needed",
        "xpacket 1: unknown type of message 122",
        "xpacket 1: a message of 0 bytes, at least 11 are needed",
        "xpacket 1: unknown side 90",
    ];
    let mut wanted = vec![format!("S10x100| Q10x100/- {}", said[0])];
    wanted.extend(said[1..].iter().map(|text| (*text).to_owned()));
    assert_eq!(play(&[mold("A", 1, &all)]), wanted);

    // A datagram that says more than it has loses what is missing.
    let mut cut = mold("A", 1, &[add(1, b'B', 100, 10), add(2, b'B', 1, 9), add(3, b'B', 1, 8)]);
    cut.truncate(20 + 2 * 38 - 1);
    let beat = mold("A", 1, &[]);
    let said = play(&[beat.clone(), cut, mold("A", 4, &[add(4, b'B', 1, 7)])]);
    let lost = "G2-3 !suspect book updates were lost (sequence), waiting for a snapshot";
    assert_eq!(
        said,
        ["", "S10x100| Q10x100/- xpacket 2: the datagram ends before its last 2 message(s)", "", lost]
    );
    let longer = [mold("A", 1, &[add(1, b'B', 100, 10)]), vec![0; 3]].concat();
    assert_eq!(
        play(&[beat.clone(), longer]),
        ["", "S10x100| Q10x100/- xpacket 2: 3 bytes are left behind the messages of a datagram"]
    );
    assert_eq!(
        play(&[beat, b"short".to_vec()]),
        ["", "xpacket 2: a MoldUDP64 datagram of 5 bytes, at least 20 are needed"]
    );
}

#[test]
fn files_of_messages() {
    let messages = [add(1, b'B', 100, 10), vec![], message(b'z', 0, &[]), delete(1)];
    let whole = file(&messages);
    let wanted = ["S10x100| Q10x100/-", "", "xrecord 3: unknown type of message 122", "D10x0| Q-/-"];
    check(&messages, &wanted);
    for cut in 1..whole.len() {
        let said = steps(&mut Itch::new(day()), whole[..cut].to_vec());
        let last = said.last().unwrap();
        assert!(last.starts_with("xbyte ") || wanted.contains(&last.as_str()), "{cut}: {last}");
    }
    assert_eq!(steps(&mut Itch::new(None), whole), [format!("xbyte 0: {NO_DAY}")]);
    let foreign = "xbyte 0: not a capture, nor a file of ITCH messages";
    assert_eq!(steps(&mut Itch::new(day()), b"{\"e\":\"trade\"}".to_vec()), [foreign]);
    assert_eq!(steps(&mut Itch::new(day()), vec![]), [""; 0]);
}
