//! Records in any order come out in theirs, and tables give back what they were made of.

use model::Placed;
use proptest::prelude::*;

use super::{line, many, read, record};
use crate::codec::tests::records;
use crate::{Cut, Digest, Recording, Sorter};

/// Every digit counts, also those that are equal in value.
fn told(records: &[Placed]) -> Vec<String> {
    records.iter().map(|record| format!("{record:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn records_are_sorted_whatever_is_in_memory(
        records in records(120).prop_shuffle(), most in 1..40_usize, repeated in any::<prop::sample::Index>()
    ) {
        prop_assume!(!records.is_empty());
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with_most(folder.path(), most);
        for record in &records {
            sorter.push(record.clone()).unwrap();
        }
        sorter.push(repeated.get(&records).clone()).unwrap();
        let sorted = sorter.finish().unwrap();
        prop_assert_eq!(sorted.repeated, 1);
        let mut wanted = records.clone();
        wanted.sort_by_key(|record| record.position);
        let found: Vec<_> = sorted.recording.read().unwrap().flat_map(Result::unwrap).collect();
        prop_assert_eq!(told(&found), told(&wanted));
    }
}

/// More runs than may wait: they are merged meanwhile.
#[test]
fn more_runs_than_wait_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = many(3 * crate::limits::SORT_RUNS);
    records.reverse();
    let mut sorter = Sorter::with_most(folder.path(), 1);
    for record in &records {
        sorter.push(record.clone()).unwrap();
    }
    let sorted = sorter.finish().unwrap();
    records.reverse();
    let found: Vec<_> = sorted.recording.read().unwrap().flat_map(Result::unwrap).collect();
    assert_eq!(told(&found), told(&records));
}

#[cfg(feature = "tables")]
mod tables {
    use std::fs::File;
    use std::io::BufReader;

    use model::Body;

    use super::*;
    use crate::arrow::{Format, Prices, Timestamps};
    use crate::tables::{CsvFile, export, find_parquet, read_csv, read_parquet};

    /// What a table can hold: times up to 2262, and texts that are not empty.
    fn storable(mut records: Vec<Placed>) -> Vec<Placed> {
        for record in &mut records {
            record.ts_event.0 >>= 1;
            record.ts_source = record.ts_source.map(|at| model::UnixNanos(at.0 >> 1));
            match &mut record.body {
                Body::Trade(trade) => trade.id = trade.id.take().filter(|id| !id.is_empty()),
                Body::Correction(told) => {
                    let id = told.id.clone();
                    if let Some(original) = &mut told.original {
                        original.trade.id = Some(id);
                        original.back = original.back.map(|back| back.min(record.seq.0));
                    }
                    if let Some(trade) = &mut told.becomes {
                        trade.id = trade.id.take().filter(|id| !id.is_empty());
                    }
                }
                Body::Status(status) => status.since = status.since.map(|at| model::UnixNanos(at.0 >> 1)),
                _ => {}
            }
        }
        records
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn tables_give_back_what_they_were_made_of(records in records(120), timestamps in 0..3_usize) {
            prop_assume!(!records.is_empty());
            let records = storable(records);
            let timestamps = [Timestamps::Utc, Timestamps::Naive, Timestamps::Int64][timestamps];
            let folder = tempfile::tempdir().unwrap();
            let made = folder.path().join("r");
            record(&made, &records, 1_000, 1 << 20);
            let recording = Recording::open(&made).unwrap();
            let mut found = Vec::new();
            for channel in model::Channel::ALL {
                let path = folder.path().join(channel.as_str());
                let mut file = CsvFile::begin(File::create(&path).unwrap(), channel, timestamps).unwrap();
                for record in records.iter().filter(|record| record.body.channel() == channel) {
                    file.push(record).unwrap();
                }
                file.finish().unwrap();
                let input = BufReader::new(File::open(&path).unwrap());
                read_csv(&path, input, &mut |next| { found.push(next.unwrap()); Ok(()) }).unwrap();
            }
            found.sort_by_key(|record| record.position);
            prop_assert_eq!(lines(&found), lines(&records));

            let format = Format { prices: Prices::Decimal, timestamps };
            let exported = export(&recording, (folder.path(), "r"), &Cut::default(), format, |_| {});
            // One column cannot have both a very large and a very fine value.
            prop_assume!(exported.is_ok(), "{:?}", exported);
            let (name, files) = find_parquet(&folder.path().join("recording=r")).unwrap();
            prop_assert_eq!(name, "r");
            let mut found = Vec::new();
            for file in &files {
                read_parquet(file, &mut |next| { found.push(next.unwrap()); Ok(()) }).unwrap();
            }
            found.sort_by_key(|record| record.position);
            prop_assert_eq!(lines(&found), lines(&records));
        }
    }

    /// As they are told: the steps of an instrument's prices are not in tables.
    fn lines(records: &[Placed]) -> Vec<String> {
        let named = |record: &Placed| {
            let mut instrument = (*record.instrument).clone();
            instrument.definition = model::Definition::default();
            Placed { instrument: instrument.into(), ..record.clone() }
        };
        records.iter().map(|record| format!("{:?}", named(record))).collect()
    }
}

/// A part begins with how things stood, and is what the whole is at its end.
#[test]
fn a_part_of_a_recording_is_itself_one() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, part) = (folder.path().join("whole"), folder.path().join("part"));
    let records = many(400);
    record(&whole, &records, 10, 3_000);
    let recording = Recording::open(&whole).unwrap();
    let cut = Cut { from: Some(records[200].ts_recv), to: Some(records[300].ts_recv), ..Cut::default() };
    let (state, picked) = cut.read(&recording).unwrap();
    let begin = state.position();
    let mut journal = crate::Journal::create_after(&part, super::settings(3_000), state).unwrap();
    let mut digest = Digest::new(line);
    for record in picked.flat_map(Result::unwrap) {
        journal.push(&record);
        digest.push(&record);
    }
    let manifest = journal.finish().unwrap();
    assert_eq!(manifest.digest.unwrap().sha256, digest.value());
    let (found, damages) = read(&part);
    assert!(damages.is_empty() && !found.is_empty());
    assert!(begin < found[0].position && begin > 0);
    let at = crate::At::Position(found[found.len() - 1].position);
    let book = |recording: &Recording| {
        let (state, _) = recording.seek(at, &mut Vec::new()).unwrap();
        told(&state.to_records())
    };
    assert_eq!(book(&Recording::open(&part).unwrap()), book(&recording));
}
