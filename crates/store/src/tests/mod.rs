//! Recordings as a whole: what was recorded is read, whatever is cut off, flipped, refused or asked for.

mod bars;
mod odd;
mod order;
mod upkeep;

use std::fs;
use std::path::Path;

use model::{Placed, UnixNanos};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::codec::tests::records;
use crate::segment;
use crate::{At, Damage, Digest, Journal, Manifest, Recording, Settings, State, StoreError};

/// As good as any other way to write it down.
fn line(record: &Placed, out: &mut Vec<u8>) {
    out.extend(format!("{record:?}").bytes());
}

fn settings(segment_bytes: u64) -> Settings {
    Settings { level: 1, line, segment_bytes }
}

/// Records, the same in each run.
fn many(count: usize) -> Vec<Placed> {
    let mut runner = TestRunner::deterministic();
    loop {
        let found = records(2 * count).new_tree(&mut runner).unwrap().current();
        if found.len() >= count {
            return found[..count].to_vec();
        }
    }
}

/// A recording of them, synced after every `step` of them.
fn record(folder: &Path, records: &[Placed], step: usize, segment_bytes: u64) -> Manifest {
    let mut journal = Journal::create(folder, settings(segment_bytes)).unwrap();
    for some in records.chunks(step) {
        for record in some {
            journal.push(record);
        }
        journal.sync().unwrap();
    }
    journal.finish().unwrap()
}

fn read(folder: &Path) -> (Vec<Placed>, Vec<Damage>) {
    let (mut records, mut damages) = (Vec::new(), Vec::new());
    for next in Recording::open(folder).unwrap().read().unwrap() {
        match next {
            Ok(more) => records.extend(more),
            Err(damage) => damages.push(damage),
        }
    }
    (records, damages)
}

#[test]
fn what_was_recorded_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let records = many(600);
    for (n, (step, segment_bytes)) in
        [(1, 4_096), (7, 1 << 20), (600, 1 << 20), (50, 1)].into_iter().enumerate()
    {
        let folder = folder.path().join(format!("r{n}"));
        let manifest = record(&folder, &records, step, segment_bytes);
        assert_eq!(read(&folder), (records.clone(), Vec::new()), "{step}");
        assert_eq!(manifest, Manifest::read(&folder).unwrap().unwrap());
        assert!(manifest.complete && manifest.lost.is_empty());
        assert_eq!(manifest.segments.iter().map(|segment| segment.records).sum::<u64>(), 600);
        let span = Recording::open(&folder).unwrap().span().unwrap();
        assert_eq!(Some(span.positions), manifest.positions);
        assert_eq!((span.records, manifest.records), (600, 600));
        let mut digest = Digest::new(line);
        for record in &records {
            digest.push(record);
        }
        assert_eq!(manifest.digest.unwrap().sha256, digest.value(), "cut into blocks as it may be");
        let error = Journal::create(&folder, settings(1)).err();
        assert!(matches!(error, Some(StoreError::Exists { .. })));
    }
    assert!(matches!(Recording::open(folder.path()), Err(StoreError::NoRecording { .. })));
}

/// The digest of the records so far, written down in another way.
#[test]
fn a_digest_goes_on_from_page_to_page() {
    use aws_lc_rs::digest::{SHA256, digest};
    let records: Vec<_> = many(100).into_iter().cycle().take(25_000).collect();
    let (mut ours, mut theirs) = (Digest::new(line), vec![0; 32]);
    for page in records.chunks(10_000) {
        for record in page {
            line(record, &mut theirs);
            theirs.push(b'\n');
            ours.push(record);
        }
        theirs = digest(&SHA256, &theirs).as_ref().to_vec();
        let hex =
            theirs.chunks(8).map(|some| format!("{:016x}", u64::from_be_bytes(some.try_into().unwrap())));
        assert_eq!(ours.value(), hex.collect::<Vec<_>>().concat());
    }
}

/// What a crash leaves: any first part of a segment.
#[test]
fn whatever_is_cut_off_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("whole");
    let records = many(120);
    record(&folder, &records, 10, 1 << 20);
    let path = segment::path(&folder, 1);
    let whole = fs::read(&path).unwrap();
    let mut most = 0;
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let (found, damages) = read(&folder);
        assert_eq!(found, records[..found.len()], "{length} bytes");
        assert!(found.len() >= most && found.len().is_multiple_of(10), "{length} bytes");
        most = found.len();
        let torn: u64 = damages.iter().map(|damage| damage.bytes).sum();
        assert!(damages.len() <= 1 && torn < 4_096, "{length} bytes: {damages:?}");
    }
    assert_eq!(most, 110);
}

#[test]
fn no_bit_makes_a_wrong_record() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("whole");
    let records = many(300);
    record(&folder, &records, 10, 1 << 20);
    let path = segment::path(&folder, 1);
    let whole = fs::read(&path).unwrap();
    let bits = 8 * whole.len();
    for n in 0..10_000 {
        // All over the file, and no bit twice.
        let bit = n * 7_919 % bits;
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bytes).unwrap();
        let (found, damages) = read(&folder);
        let here: Vec<_> = damages.iter().filter(|damage| damage.offset <= bit as u64 / 8).collect();
        let located = here.iter().any(|damage| bit as u64 / 8 < damage.offset + damage.bytes);
        // What the file begins with says nothing of its records.
        assert!(located || bit / 8 < segment::BEGIN_BYTES, "bit {bit}: {damages:?}");
        let missing = records.iter().filter(|record| !found.contains(record)).count();
        assert!(missing <= 10 && found.len() == records.len() - missing, "bit {bit}: {missing} are missing");
        assert!(found.is_sorted_by_key(|record| record.position));
    }
}

/// A seek that cannot know how things stood says so, and nothing that is damaged elsewhere is in its way.
#[test]
fn no_bit_makes_a_wrong_seek() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("whole");
    let records = many(200);
    record(&folder, &records, 10, 3_000);
    let paths = segment::list(&folder).unwrap();
    assert!(paths.len() > 3, "there are states");
    let mut states = 0;
    for n in 0..1_500 {
        let path = &paths[n % paths.len()];
        let whole = fs::read(path).unwrap();
        let bit = n * 7_919 % (8 * whole.len());
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(path, &bytes).unwrap();
        let (at, mut damages) = (n * 31 % records.len(), Vec::new());
        let recording = Recording::open(&folder).unwrap();
        let (found, rest) = recording.seek(At::Position(records[at].position), &mut damages).unwrap();
        let mut state = State::default();
        records[..=at].iter().for_each(|record| state.apply(record));
        assert!(told(&found) == told(&state) || !damages.is_empty(), "bit {bit} of {}", path.display());
        let (mut after, mut more) = (Vec::new(), 0);
        for next in rest {
            match next {
                Ok(records) => after.extend(records),
                Err(_) => more += 1,
            }
        }
        let missing = records[at + 1..].iter().filter(|record| !after.contains(record)).count();
        assert!(
            missing == 0 || more > 0 || !damages.is_empty(),
            "bit {bit}: {missing} are missing without a word"
        );
        // What cannot be read of states is found by whoever looks, and costs no record.
        let damaged = recording.damaged_states().unwrap();
        states += damaged.len();
        if !damaged.is_empty() {
            assert!(damages.is_empty() && missing == 0 && damaged[0].positions.is_none());
        }
        fs::write(path, &whole).unwrap();
    }
    assert!(states > 50, "{states}");
}

fn told(state: &State) -> (Vec<String>, u64, UnixNanos, u64) {
    let records = state.to_records().iter().map(|record| format!("{record:?}")).collect();
    (records, state.position(), state.clock(), state.records())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_seek_finds_what_reading_from_the_beginning_finds(
        records in records(200), step in 1..40_usize, segment_bytes in 1..20_000_u64, at in any::<prop::sample::Index>(), before: bool
    ) {
        prop_assume!(!records.is_empty());
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("r");
        record(&folder, &records, step, segment_bytes);
        let recording = Recording::open(&folder).unwrap();
        let at = at.get(&records);
        for at in [At::Position(at.position - u64::from(before)), At::Time(UnixNanos(at.ts_recv.0 - u64::from(before)))] {
            let (mut state, mut clock) = (State::default(), UnixNanos(0));
            let within = |record: &&Placed| {
                clock = clock.max(record.ts_recv);
                match at {
                    At::Position(position) => record.position <= position,
                    At::Time(time) => clock <= time,
                }
            };
            let passed = records.iter().take_while(within).map(|record| state.apply(record)).count();
            let mut damages = Vec::new();
            let (found, rest) = recording.seek(at, &mut damages).unwrap();
            prop_assert_eq!(told(&found), told(&state), "{:?}", at);
            let rest: Vec<_> = rest.flat_map(Result::unwrap).collect();
            prop_assert_eq!(&rest[..], &records[passed..], "{:?}", at);
            prop_assert!(damages.is_empty());
        }
    }
}

/// A file that cannot be made stands for any disk that refuses: what it does not take waits.
#[test]
fn a_disk_that_refuses_costs_nothing_once_it_takes_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("r");
    let records = many(300);
    let mut journal = Journal::create(&folder, settings(1)).unwrap();
    let obstacle = segment::path(&folder, 4);
    for (n, some) in records.chunks(50).enumerate() {
        if n == 2 {
            fs::create_dir(&obstacle).unwrap();
        }
        for record in some {
            journal.push(record);
        }
        // Each sync ends a segment and begins the next one with a state: the third finds no way on.
        let refused = journal.sync().is_err();
        assert_eq!(refused, obstacle.is_dir() && n >= 2, "{n}");
        if n == 3 {
            assert!(journal.waiting_bytes() > 0);
            fs::remove_dir(&obstacle).unwrap();
            assert_eq!(read(&folder).0, records[..150], "what was safe is read meanwhile");
        }
    }
    journal.lose(records[299].position + 1, records[299].position + 7, 7, "no room");
    let manifest = journal.finish().unwrap();
    assert_eq!(read(&folder), (records, Vec::new()));
    assert_eq!(manifest.lost.len(), 1);
    assert_eq!((manifest.lost[0].count, manifest.lost[0].reason.as_str()), (7, "no room"));
}

#[test]
fn what_is_lost_is_named_run_by_run() {
    let folder = tempfile::tempdir().unwrap();
    let records = many(3);
    let mut journal = Journal::create(&folder.path().join("r"), settings(1 << 20)).unwrap();
    let (before, at) = (records[0].position, records[1].position);
    journal.push(&records[0]);
    journal.lose(before + 1, before + 1, 1, "slow");
    journal.lose(before + 2, before + 4, 3, "slow");
    journal.push(&records[1]);
    journal.lose(at + 1, at + 2, 2, "slow");
    journal.lose(at + 3, at + 3, 1, "full");
    let told: Vec<_> = journal
        .finish()
        .unwrap()
        .lost
        .into_iter()
        .map(|lost| (lost.from_position, lost.to_position, lost.count))
        .collect();
    assert_eq!(told, [(before + 1, before + 4, 4), (at + 1, at + 2, 2), (at + 3, at + 3, 1)]);
}
