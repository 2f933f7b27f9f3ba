//! What the recordings do not show.

mod made;
mod names;

use model::{Tick, UnixNanos};

use super::super::say::{say, steps};
use super::{Dbn, NO_PRICE, flag, kind};
use crate::capture::Input;
use crate::reader::{Decoder, Step};
use made::{DAY, LAST, SNAP, header, mbo, mbp, padded, record};

fn check(records: &[Vec<u8>], wanted: &[&str]) {
    assert_eq!(steps(&mut Dbn::default(), records.concat()), wanted);
}

fn ticks(bytes: Vec<u8>) -> Vec<Tick> {
    let (mut dbn, mut ticks) = (Dbn::default(), Vec::new());
    dbn.open(Input::new(Box::new(std::io::Cursor::new(bytes)), None).unwrap());
    while !matches!(dbn.step(&mut ticks), Step::End) {}
    ticks
}

#[test]
fn a_snapshot_is_one_record_and_may_end_by_itself() {
    check(
        &[
            mbo(0, "R?", NO_PRICE, 0, SNAP),
            mbo(1, "A+", 10, 5, SNAP),
            mbo(2, "A-", 12, 1, SNAP),
            mbo(3, "A+", 10, 2, LAST),
            mbo(0, "R?", NO_PRICE, 0, SNAP),
            mbo(9, "A-", 13, 4, SNAP | LAST),
            mbo(3, "C+", 10, 2, LAST),
        ],
        &["", "", "", "S10x5|12x1 Q10x5/12x1 D10x7| Q10x7/12x1", "", "S|13x4 Q-/13x4", ""],
    );
}

#[test]
fn a_snapshot_without_a_clear_begins_anew_too() {
    check(
        &[mbo(1, "A+", 10, 5, SNAP), mbo(2, "A+", 9, 1, LAST), mbo(3, "A+", 8, 2, SNAP | LAST)],
        &["", "S10x5| Q10x5/- D9x1|", "S8x2| Q8x2/-"],
    );
}

#[test]
fn every_record_of_a_snapshot_may_be_its_last() {
    check(
        &[
            mbo(9, "A+", 7, 5, LAST),
            mbo(0, "R?", NO_PRICE, 0, SNAP | LAST),
            mbo(1, "A+", 10, 5, SNAP | LAST),
            mbo(2, "A-", 12, 1, SNAP | LAST),
            mbo(3, "A+", 10, 2, LAST),
            mbo(4, "A+", 9, 1, SNAP | LAST),
            mbo(5, "A+", 8, 1, SNAP | LAST),
        ],
        &[
            "S7x5| Q7x5/-",
            "S| Q-/-",
            "D10x5| Q10x5/-",
            "D|12x1 Q10x5/12x1",
            "D10x7| Q10x7/12x1",
            "S9x1| Q9x1/-",
            "D8x1|",
        ],
    );
}

#[test]
fn an_event_is_one_record_and_trades_come_first() {
    check(
        &[
            mbo(0, "R?", NO_PRICE, 0, LAST),
            mbo(1, "A+", 10, 5, LAST),
            mbo(2, "A+", 9, 5, LAST),
            mbo(0, "T-", 10, 7, 0),
            mbo(1, "F+", 10, 5, 0),
            mbo(2, "F+", 9, 2, 0),
            mbo(1, "C+", 10, 5, 0),
            mbo(2, "C+", 9, 2, LAST),
            mbo(2, "M+", 9, 4, LAST),
            mbo(2, "M-", 11, 4, LAST),
            mbo(3, "N?", NO_PRICE, 0, LAST),
            mbo(0, "R?", NO_PRICE, 0, LAST),
        ],
        &[
            "S|",
            "D10x5| Q10x5/-",
            "D9x5|",
            "T10x7-900",
            "",
            "",
            "",
            "D10x0 9x3| Q9x3/-",
            "D9x4| Q9x4/-",
            "D9x0|11x4 Q-/11x4",
            "",
            "G(restart) S| Q-/-",
        ],
    );
}

#[test]
fn a_book_begins_with_what_is_known_of_it() {
    check(
        &[mbo(1, "C+", 10, 5, LAST), mbo(2, "A+", 9, 1, 0), mbo(3, "A-", 11, 1, LAST)],
        &["S|", "", "D9x1|11x1 Q9x1/11x1"],
    );
    // An event that the file cuts is told as far as it came.
    check(&[mbo(1, "A+", 10, 5, 0)], &["", "S10x5| Q10x5/-"]);
}

#[test]
fn levels_that_are_no_orders() {
    let (tob, level) = (flag::TOB, flag::MBP);
    check(
        &[
            mbo(0, "A+", 10, 5, tob),
            mbo(0, "A-", 11, 6, tob | LAST),
            mbo(0, "A+", 9, 4, tob | LAST),
            mbo(0, "A-", NO_PRICE, 0, tob | LAST),
            mbo(0, "A-", 12, 3, level | LAST),
            mbo(0, "M-", 12, 8, level | LAST),
            mbo(0, "C-", 12, 8, level | LAST),
        ],
        &[
            "",
            "S10x5|11x6 Q10x5/11x6",
            "D10x0 9x4| Q9x4/11x6",
            "D|11x0 Q9x4/-",
            "D|12x3 Q9x4/12x3",
            "D|12x8 Q9x4/12x8",
            "D|12x0 Q9x4/-",
        ],
    );
}

#[test]
fn a_book_that_may_be_bad_waits_for_another() {
    let bad = flag::MAYBE_BAD_BOOK;
    check(
        &[
            mbo(1, "A+", 10, 5, LAST),
            mbo(2, "A+", 11, 5, LAST | bad),
            mbo(3, "A+", 12, 5, LAST),
            mbo(0, "T+", 12, 1, LAST),
            mbo(0, "R?", NO_PRICE, 0, SNAP),
            mbo(4, "A+", 9, 5, SNAP | LAST),
            mbo(5, "A+", 9, 1, LAST),
        ],
        &[
            "S10x5| Q10x5/-",
            "G(sequence) !suspect book updates were lost (sequence), waiting for a snapshot",
            "",
            "T12x1+900",
            "",
            "S9x5| !open the book is whole again Q9x5/-",
            "D9x6| Q9x6/-",
        ],
    );
}

#[test]
fn ten_levels_are_a_book_unless_orders_are() {
    let one = [(10, 1, 12, 1), (9, 2, 13, 2)];
    let two = [(11, 1, 12, 3), (10, 1, 13, 2)];
    check(
        &[
            mbp(kind::MBP_10, "AB", LAST, &one),
            mbp(kind::MBP_10, "TB", 0, &one),
            mbp(kind::MBP_10, "AB", LAST, &two),
            mbp(kind::MBP_10, "RN", LAST, &[]),
            mbo(1, "A+", 8, 1, LAST),
            mbp(kind::MBP_10, "AB", LAST, &one),
        ],
        &[
            "q10x1/12x1 S10x1 9x2|12x1 13x2",
            "T5x3+901 q10x1/12x1",
            "q11x1/12x3 D9x0 11x1|12x3",
            "q-/- S|",
            "S8x1|",
            "q10x1/12x1",
        ],
    );
}

#[test]
fn best_prices_of_all_kinds() {
    let pair = [(10, 1, 12, 0)];
    check(
        &[
            mbp(kind::MBP_1, "AB", LAST, &pair),
            mbp(kind::TBBO, "TA", LAST, &pair),
            mbp(kind::TCBBO, "TN", LAST, &pair),
            mbp(kind::CBBO_1S, "\0B", LAST, &pair),
            mbp(kind::TRADE, "TB", 0, &[]),
        ],
        &["q10x1/-", "T5x3-901 q10x1/-", "T5x3? q10x1/-", "q10x1/- t5", "T5x3+901"],
    );
}

#[test]
fn what_is_broken_is_passed_over_by_its_length() {
    let mut unknown = record(0x77, 7, DAY, &[1; 24]);
    let short = record(kind::MBO, 7, DAY, &[0; 16]);
    // A time of sending may stand behind each record.
    let mut longer = mbo(2, "A+", 11, 1, LAST);
    longer.extend([0; 8]);
    longer[0] += 2;
    let text = mbo(3, "Z+", 10, 1, LAST);
    let trade = mbp(kind::TRADE, "TB", 0, &[]);
    let mut priceless = trade.clone();
    priceless[16..24].copy_from_slice(&NO_PRICE.to_le_bytes());
    unknown.extend(short);
    let whole = [mbo(1, "A+", 10, 5, LAST), unknown, longer, text, priceless, trade].concat();
    let wanted = [
        "S10x5| Q10x5/-",
        "",
        "xrecord 3: an order of 32 bytes, at least 56 are needed",
        "D11x1| Q11x1/-",
        "xrecord 5: unknown action 90",
        "xrecord 6: the message lacks \"price\"",
        "T5x3+901",
    ];
    check(std::slice::from_ref(&whole), &wanted);
    // Cut anywhere, it says where, and nothing panics.
    for cut in 1..whole.len() {
        let said = steps(&mut Dbn::default(), whole[..cut].to_vec());
        let last = said.last().unwrap();
        assert!(last.starts_with("xbyte ") || wanted.contains(&last.as_str()), "{cut}: {last}");
    }
    let said = steps(&mut Dbn::default(), whole[..60].to_vec());
    assert_eq!(said, ["S10x5| Q10x5/-", "xbyte 56: the file ends in the middle of a record"]);
    check(
        &[mbo(1, "A+", 10, 5, LAST), vec![3, 0xa0]],
        &[wanted[0], "xbyte 56: a record of 12 bytes, at least 16 are needed"],
    );
}

#[test]
fn what_is_no_dbn_is_refused() {
    check(&[b"{\"e\":\"trade\"}".to_vec()], &["xbyte 0: not a DBN file"]);
    let mut newer = header(&[]);
    newer[3] = 4;
    check(&[newer], &["xbyte 0: DBN of version 4, up to 3 is known"]);
    let mut cut = header(&[]);
    cut.truncate(100);
    check(&[cut], &["xbyte 100: the file ends in the middle of its metadata"]);
    check(&[], &[]);
    check(&[header(&[])], &[]);
    // A header that makes no sense leaves the records.
    let mut broken = header(&[]);
    broken[8 + 16 + 26 + 3..][..2].copy_from_slice(&u16::MAX.to_le_bytes());
    broken[8 + 16 + 26 + 5 + 53 + 4..][..4].copy_from_slice(&9_u32.to_le_bytes());
    let wanted = ["xbyte 0: bad metadata: it ends in the middle of a field", "S10x5| Q10x5/-"];
    check(&[broken, mbo(1, "A+", 10, 5, LAST)], &wanted);
    // Nor is what a header claims of its length believed.
    let huge = [b"DBN\x03".to_vec(), 0x3fff_ffff_u32.to_le_bytes().to_vec()].concat();
    check(&[huge], &["xbyte 8: the file ends in the middle of its metadata"]);
}

#[test]
fn definitions_of_every_length_say_the_lot() {
    // Bytes of a record, where its smallest and its round lot stand, and its name.
    for (len, smallest, round, name) in [(360, 140, 148, 200), (400, 148, 156, 200), (520, 160, 168, 238)] {
        for (said, wanted) in [
            ((2, 100), Some("2")),
            ((i32::MAX, 100), Some("100")),
            ((0, 0), None),
            ((i32::MAX, i32::MAX), None),
        ] {
            let mut definition = record(kind::DEFINITION, 7, DAY, &vec![0xff; len - 16]);
            definition[smallest..smallest + 4].copy_from_slice(&i32::to_le_bytes(said.0));
            definition[round..round + 4].copy_from_slice(&i32::to_le_bytes(said.1));
            definition[name..name + 5].copy_from_slice(b"ESH4\0");
            let made = ticks([definition, mbo(1, "A+", 10, 5, LAST)].concat());
            let instrument = &made[0].instrument;
            let lot = instrument.definition.lot_size.map(|lot| lot.to_string());
            assert_eq!((&*instrument.venue_symbol, lot.as_deref()), ("ESH4", wanted), "{len}");
        }
    }
}

#[test]
fn kinds_of_which_no_record_is_made_are_told_where_there_are_no_others() {
    let statistic = || record(kind::STATISTICS, 7, DAY, &[0; 48]);
    let definition = record(kind::DEFINITION, 7, DAY, &[0; 344]);
    let mut dbn = Dbn::default();
    assert_eq!(steps(&mut dbn, [statistic(), statistic(), definition].concat()), ["", "", ""]);
    let notes: Vec<_> = dbn.notes().iter().map(ToString::to_string).collect();
    let said = |count: u8, kind: &str| {
        format!("{count} record(s) of the kind \"{kind}\" were read: none is made of these")
    };
    assert_eq!(notes, [said(1, "definition"), said(2, "statistic")]);
    steps(&mut dbn, mbo(1, "A+", 10, 5, LAST));
    assert!(dbn.notes().is_empty());
}

#[test]
fn what_a_gateway_reports_is_told() {
    let error = |code: u8| {
        let body = [padded("too slow", 302), vec![code, 1]].concat();
        record(kind::ERROR, 0, DAY, &body)
    };
    let lost = "G(sequence) !suspect book updates were lost (sequence), waiting for a snapshot";
    check(
        &[
            mbo(1, "A+", 10, 5, LAST),
            error(5),
            error(7),
            record(kind::SYSTEM, 0, DAY, &[0; 304]),
            mbo(2, "A+", 9, 5, LAST),
        ],
        &[
            "S10x5| Q10x5/-",
            "xrecord 2: the source says: too slow",
            &format!("{lost} xrecord 3: the source says: too slow"),
            "",
            "",
        ],
    );
    let old = record(kind::ERROR, 0, DAY, &padded("no", 64));
    check(&[old], &["xrecord 1: the source says: no"]);
}

#[test]
fn states_of_trading() {
    let status = |action: u16, reason: u16, trading: u8| {
        let mut body = DAY.to_le_bytes().to_vec();
        body.extend(action.to_le_bytes());
        body.extend(reason.to_le_bytes());
        body.extend([0, 0, trading, b'Y', b'~', 0, 0, 0, 0, 0, 0, 0]);
        record(kind::STATUS, 7, DAY, &body)
    };
    check(
        &[
            status(7, 1, b'Y'),
            status(8, 30, b'N'),
            status(9, 0, b'N'),
            status(1, 1, b'N'),
            status(14, 0, b'Y'),
            status(11, 0, b'N'),
        ],
        &[
            "!open trading: as scheduled",
            "!halted halted: news pending",
            "!halted paused",
            "!closed pre-open: as scheduled",
            "",
            "!closed before the close",
        ],
    );
}

#[test]
fn files_are_one_session() {
    let mut dbn = Dbn::default();
    let first = [header(&[("ESH4", &[(20_240_101, 20_240_201, "7")])]), mbo(1, "A+", 10, 5, LAST)].concat();
    let second = [header(&[("ESH4", &[(20_240_101, 20_240_201, "7")])]), mbo(2, "A+", 10, 1, LAST)].concat();
    assert_eq!(steps(&mut dbn, first), ["S10x5| Q10x5/-"]);
    assert_eq!(steps(&mut dbn, second), ["D10x6| Q10x6/-"]);
}

#[test]
fn files_may_stand_one_behind_the_other() {
    let day = |from: u32, to: u32, name: &str| header(&[(name, &[(from, to, "7")])]);
    let (first, second) = (day(20_240_101, 20_240_102, "ESZ3"), day(20_240_102, 20_240_103, "ESH4"));
    let mut before = mbo(1, "A+", 10, 5, 0);
    before[40..48].copy_from_slice(&(DAY - 1).to_le_bytes());
    let made = ticks([first, before, second, mbo(2, "A+", 9, 1, LAST), header(&[])].concat());
    let said: Vec<_> =
        made.iter().map(|tick| format!("{} {}", tick.instrument.venue_symbol, say(tick))).collect();
    assert_eq!(said, ["ESZ3 S10x5|", "ESZ3 Q10x5/-", "ESH4 S9x1|", "ESH4 Q9x1/-"]);
    let newer = [header(&[]), mbo(1, "A+", 10, 5, LAST), header(&[])[..50].to_vec()].concat();
    let at = header(&[]).len() + 56 + 50;
    let wanted =
        ["S10x5| Q10x5/-".to_owned(), format!("xbyte {at}: the file ends in the middle of its metadata")];
    assert_eq!(steps(&mut Dbn::default(), newer), wanted);
}
