//! Which instruments records are of.

use super::*;

/// Seven is ESH4 until the third, nothing on the third, and ESM4 from the fourth on.
#[test]
fn numbers_mean_what_they_mean_that_day() {
    let days =
        header(&[("ESH4", &[(20_240_101, 20_240_103, "7")]), ("ESM4", &[(20_240_104, 20_240_201, "7")])]);
    let bar = |at: u64| {
        let body: Vec<u8> = [1_i64, 4, 1, 2, 9].iter().flat_map(|price| price.to_le_bytes()).collect();
        record(kind::OHLCV_1H, 7, at, &body)
    };
    let day = 86_400_000_000_000;
    let bars: Vec<_> = (0..4).map(|at| bar(DAY + at * day)).chain([bar(DAY)]).collect();
    let made = ticks([days, bars.concat()].concat());
    let names: Vec<_> = made.iter().map(|tick| &*tick.instrument.venue_symbol).collect();
    assert_eq!(names, ["ESH4", "7", "ESM4", "ESM4", "ESH4"]);
    assert_eq!(say(&made[0]), "C1h 0.000000001 0.000000004 0.000000001 0.000000002 9");
    assert_eq!((made[0].ts_event, made[0].ts_recv), (Some(UnixNanos(DAY)), None));
    assert_eq!(made[0].instrument.venue.as_str(), "glbx-mdp3");
}

#[test]
fn a_contract_that_rolls_begins_a_new_book() {
    let front = header(&[("ES.c.0", &[(20_240_101, 20_240_102, "6"), (20_240_102, 20_240_201, "7")])]);
    let mut before = mbo(1, "A+", 10, 5, LAST);
    before[4] = 6;
    before[40..48].copy_from_slice(&(DAY - 1).to_le_bytes());
    let made = ticks([front, before, mbo(2, "A+", 20, 1, LAST)].concat());
    assert_eq!(made.iter().map(say).collect::<Vec<_>>(), ["S10x5|", "Q10x5/-", "S20x1|", "Q20x1/-"]);
    assert!(made.iter().all(|tick| tick.instrument.symbol.as_str() == "ES.C.0"));
}

#[test]
fn the_name_of_a_group_is_none_of_its_members() {
    let group = header(&[("ES.FUT", &[(20_240_101, 20_240_201, "7"), (20_240_101, 20_240_201, "8")])]);
    let made = ticks([group, mbo(1, "A+", 10, 5, LAST)].concat());
    assert_eq!(&*made[0].instrument.venue_symbol, "7");
}

#[test]
fn records_tell_names_too() {
    let mut definition = vec![0; 344];
    definition[8..16].copy_from_slice(&250_000_000_i64.to_le_bytes());
    definition[124..128].copy_from_slice(&2_u32.to_le_bytes());
    definition[184..188].copy_from_slice(b"ESH4");
    let mapping = |asked: &str, meant: &str| {
        let body = [vec![255], padded(asked, 71), vec![255], padded(meant, 71), vec![0; 16]].concat();
        record(kind::MAPPING, 7, DAY, &body)
    };
    let old = record(kind::MAPPING, 7, DAY, &[padded("ESU4", 22), padded("7", 22), vec![0; 20]].concat());
    let order = || mbo(1, "A+", 10, 5, LAST);
    let records = [
        record(kind::DEFINITION, 7, DAY, &definition),
        order(),
        mapping("ES.FUT", "ESM4"),
        order(),
        record(kind::DEFINITION, 7, DAY, &definition),
        order(),
        old,
        order(),
    ];
    let made = ticks(records.concat());
    let names: Vec<_> = made.iter().filter(|tick| say(tick).starts_with(['S', 'D'])).collect();
    let names: Vec<_> = names.iter().map(|tick| &*tick.instrument.venue_symbol).collect();
    assert_eq!(names, ["ESH4", "ESM4", "ESM4", "ESU4"]);
    let known = &made[0].instrument;
    assert_eq!(known.definition.tick_size.unwrap().to_string(), "0.25");
    assert_eq!(known.definition.lot_size.unwrap().to_string(), "2");
    // No data set is named: the publisher's is taken.
    assert_eq!(known.venue.as_str(), "glbx-mdp3");
}

#[test]
fn what_a_parent_has_is_a_group() {
    // One instrument a day: the parent's name is still that of none of them.
    let mut parent = header(&[("ES.FUT", &[(20_240_101, 20_240_201, "7")])]);
    parent[8 + 16 + 26] = 4;
    let made = ticks([parent.clone(), mbo(1, "A+", 10, 5, LAST)].concat());
    assert_eq!(&*made[0].instrument.venue_symbol, "7");
    let mut definition = vec![0; 344];
    definition[184..188].copy_from_slice(b"ESH4");
    let made =
        ticks([parent, record(kind::DEFINITION, 7, DAY, &definition), mbo(1, "A+", 10, 5, LAST)].concat());
    assert_eq!(&*made[0].instrument.venue_symbol, "ESH4");
}

#[test]
fn all_instruments_of_a_data_set_can_be_read() {
    let body: Vec<u8> = [1_i64, 4, 1, 2, 9].iter().flat_map(|price| price.to_le_bytes()).collect();
    let bars: Vec<u8> = (1..=100_200).flat_map(|id| record(kind::OHLCV_1D, id, DAY, &body)).collect();
    let said = steps(&mut Dbn::default(), bars);
    assert_eq!(said.len(), 100_200);
    assert!(said.iter().all(|said| said.starts_with("C1d")), "{:?}", said.last());
}

#[test]
fn names_may_be_digits() {
    for (asked, meant, wanted) in [
        ("ALL_SYMBOLS", "7203", "7203"),
        ("7203", "7", "7203"),
        ("ES.FUT", "007", "007"),
        ("ESH4", "", "ESH4"),
    ] {
        let body = [vec![255], padded(asked, 71), vec![255], padded(meant, 71), vec![0; 16]].concat();
        let made = ticks([record(kind::MAPPING, 7, DAY, &body), mbo(1, "A+", 10, 5, LAST)].concat());
        assert_eq!(&*made[0].instrument.venue_symbol, wanted, "{asked} {meant}");
    }
}
