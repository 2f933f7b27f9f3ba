//! What is kept, what goes, and what is packed anew, while others read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use model::Placed;

use super::{line, many, read, settings, told};
use crate::limits::{READERS_WAIT, REMOVED_PER_LOOK};
use crate::seal::Anew;
use crate::{
    At, Journal, Keep, Manifest, Name, Recording, Sealed, Shelf, State, Tally, seal, seal_all, segment,
};

fn push(journal: &mut Journal, records: &[Placed], step: usize) {
    for some in records.chunks(step) {
        for record in some {
            journal.push(record);
        }
        journal.sync().unwrap();
    }
}

fn shelf(folder: &Path, keep: Keep) -> Shelf {
    Shelf::new(folder, &Name::parse("live").unwrap(), keep)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    segment::list(folder).unwrap()
}

fn bytes(folder: &Path) -> u64 {
    files(folder).iter().map(|path| path.metadata().unwrap().len()).sum()
}

/// A folder with an older recording and one that is being made, and the records of both.
struct Kept {
    folder: tempfile::TempDir,
    old: PathBuf,
    own: Journal,
    records: Vec<Placed>,
}

fn kept() -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("live-20261120-143000");
    let records = many(300);
    let mut journal = Journal::create(&old, settings(1_000)).unwrap();
    push(&mut journal, &records, 10);
    journal.finish().unwrap();
    let mut own = Journal::create(&folder.path().join("live-20261120-150000"), settings(1_000)).unwrap();
    push(&mut own, &records, 10);
    Kept { folder, old, own, records }
}

#[test]
fn the_oldest_goes_first_and_what_is_left_is_right() {
    let Kept { folder, old, mut own, records } = kept();
    let (now, at) = (SystemTime::now(), Instant::now());
    let all = bytes(&old) + bytes(own.folder());
    assert!(files(&old).len() > 4 && files(own.folder()).len() > 4);
    // Other names, other things, and links are not touched.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("00000001.twj"), "precious").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("live-20261119-143000")).unwrap();
    fs::create_dir(folder.path().join("live-20261118-143000")).unwrap();
    let linked = folder.path().join("live-20261118-143000/00000001.twj");
    std::os::unix::fs::symlink(elsewhere.path().join("00000001.twj"), &linked).unwrap();
    let other = folder.path().join("other-20261120-143000");
    push(&mut Journal::create(&other, settings(2_000)).unwrap(), &records, 10);
    let (others, most) = (bytes(&other), all - all / 8);

    let mut shelf_by_bytes = shelf(folder.path(), Keep { bytes: Some(most), ..Keep::default() });
    let cleared = shelf_by_bytes.clear(&mut own, now, at).unwrap();
    assert!(cleared.segments >= 1 && cleared.bytes >= all / 8 && cleared.read == 0, "{cleared:?}");
    assert!(bytes(&old) + bytes(own.folder()) <= most);
    // What is left of the old one says what went, and begins with how things stood.
    let manifest = Manifest::read(&old).unwrap().unwrap();
    let removed = manifest.removed.unwrap();
    let left: Vec<_> =
        records.iter().filter(|record| record.position > removed.positions.1).cloned().collect();
    assert_eq!(read(&old), (left.clone(), Vec::new()));
    assert_eq!((removed.records + left.len() as u64, removed.segments), (manifest.records, cleared.segments));
    assert_eq!(removed.positions.0, records[0].position);
    let recording = Recording::open(&old).unwrap();
    assert_eq!(recording.beginning().unwrap().position(), removed.positions.1);
    for n in [records.len() - left.len(), records.len() - 3] {
        let mut state = State::default();
        for record in &records[..=n] {
            state.apply(record);
        }
        let (found, _) = recording.seek(At::Position(records[n].position), &mut Vec::new()).unwrap();
        assert_eq!(told(&found), told(&state));
    }
    drop(recording);

    // Whoever packed a segment was killed, and the segment has gone since.
    fs::write(old.join("00000001.twj.new"), "half of it").unwrap();
    // Nothing is kept: all that is closed goes, a few at a time, and never what is written.
    let mut nothing = shelf(folder.path(), Keep { bytes: Some(0), ..Keep::default() });
    let mut looks = 0;
    while nothing.clear(&mut own, now, at).unwrap().more {
        looks += 1;
    }
    assert!(looks > 0, "more than {REMOVED_PER_LOOK} go");
    assert!(!old.exists());
    assert_eq!(files(own.folder()).len(), 1);
    let last = records[299].position;
    let more =
        records[..10].iter().zip(1..).map(|(record, n)| Placed { position: last + n, ..record.clone() });
    push(&mut own, &more.collect::<Vec<_>>(), 5);
    let folder_of_own = own.folder().to_owned();
    let manifest = own.finish().unwrap();
    assert_eq!((manifest.complete, manifest.records), (true, 310));
    let removed = manifest.removed.unwrap().records;
    assert_eq!(read(&folder_of_own).0.len() as u64, 310 - removed);
    assert_eq!(bytes(&other), others);
    assert_eq!(fs::read_to_string(elsewhere.path().join("00000001.twj")).unwrap(), "precious");
    assert!(linked.symlink_metadata().is_ok());
}

#[test]
fn what_is_older_than_is_kept_goes() {
    let Kept { folder, old, mut own, .. } = kept();
    let mut shelf = shelf(folder.path(), Keep { age: Some(Duration::from_secs(3_600)), ..Keep::default() });
    assert_eq!(shelf.clear(&mut own, SystemTime::now(), Instant::now()).unwrap().segments, 0);
    for path in files(&old) {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3_700)).unwrap();
    }
    while shelf.clear(&mut own, SystemTime::now(), Instant::now()).unwrap().more {}
    assert!(!old.exists() && own.closed().len() > 4);
    // What is in the folder beside a recording stays, and so does the folder.
    let later = SystemTime::now() + Duration::from_secs(4_000);
    while shelf.clear(&mut own, later, Instant::now()).unwrap().more {}
    assert!(own.closed().is_empty());
}

/// Who reads the oldest keeps all that comes after it; who never ends, for so long only.
#[test]
fn what_is_read_stays_for_a_while() {
    let Kept { folder, old, mut own, records } = kept();
    let mut shelf = shelf(folder.path(), Keep { bytes: Some(0), ..Keep::default() });
    let (now, at) = (SystemTime::now(), Instant::now());
    let mut clear = |own: &mut Journal, at| shelf.clear(own, now, at).unwrap().segments;
    let recording = Recording::open(&old).unwrap();
    assert_eq!(clear(&mut own, at), 0, "it was opened");
    let mut reader = recording.read().unwrap();
    drop(recording);
    assert_eq!(clear(&mut own, at), 0, "a reader has it");
    let mut found = Vec::new();
    let before = files(&old).len();
    while files(&old).len() == before {
        found.extend(reader.next().unwrap().unwrap());
        clear(&mut own, at);
    }
    assert!(found.len() < records.len(), "what it has passed goes");
    found.extend(reader.by_ref().flat_map(Result::unwrap));
    assert_eq!(found, records, "and nothing that it was to come to");

    // It stays at the end of the last one, which is not removed before its time.
    while clear(&mut own, at) > 0 {}
    assert_eq!(files(&old).len(), 1);
    assert_eq!(clear(&mut own, at + READERS_WAIT / 2), 0);
    let waited = shelf.clear(&mut own, now, at + READERS_WAIT).unwrap();
    assert!(waited.segments > 0 && waited.read == 1, "{waited:?}");
    assert!(!old.exists());
}

/// Who keeps a recording to look at it again keeps nothing back, and sees what is there by then.
#[test]
fn a_recording_that_was_let_go_can_be_looked_at_again() {
    let Kept { folder, mut own, records, .. } = kept();
    let mut shelf = shelf(folder.path(), Keep { bytes: Some(0), ..Keep::default() });
    let mut recording = Recording::open(own.folder()).unwrap();
    recording.let_go();
    let mut reader = recording.read().unwrap();
    let first = reader.next().unwrap().unwrap();
    let position = first[first.len() - 1].position;
    drop(reader);
    // What was packed anew is the same, and what was appended is there.
    for path in &files(own.folder())[..3] {
        assert!(matches!(seal(path, 9).unwrap(), Sealed::Smaller { .. }));
    }
    let last = records[299].position;
    let more: Vec<_> = records[..10]
        .iter()
        .zip(1..)
        .map(|(record, n)| Placed { position: last + n, ..record.clone() })
        .collect();
    push(&mut own, &more, 5);
    let recording = recording.reopen().unwrap();
    let all: Vec<_> = records[first.len()..].iter().chain(&more).cloned().collect();
    let read = |recording: &Recording| {
        let rest = recording.read_after(position).unwrap();
        rest.fold((Vec::new(), Vec::new()), |(mut found, mut damages), next| {
            match next {
                Ok(records) => found.extend(records),
                Err(damage) => damages.push(damage),
            }
            (found, damages)
        })
    };
    assert_eq!(read(&recording), (all.clone(), Vec::new()));

    // Removed meanwhile, it is told, by whichever of the two looks, and what is left is read.
    while shelf.clear(&mut own, SystemTime::now(), Instant::now()).unwrap().more {}
    assert_eq!(files(own.folder()).len(), 1);
    let anew = recording.reopen().unwrap();
    let (left, damages) = read(&anew);
    assert!(!left.is_empty() && all.ends_with(&left));
    let [gone] = &damages[..] else { panic!("{damages:?}") };
    assert_eq!((gone.what, gone.positions), ("the file is gone", Some((position + 1, left[0].position - 1))));
    let (same, damages) = read(&recording);
    assert_eq!(same, left);
    assert!(damages.len() > 3 && damages.iter().all(|damage| damage.what == "the file is gone"));
}

/// Whoever is overtaken is told so.
#[test]
fn a_reader_that_is_overtaken_is_told() {
    let Kept { folder: _folder, old, .. } = kept();
    let mut reader = Recording::open(&old).unwrap().read().unwrap();
    reader.next().unwrap().unwrap();
    for path in files(&old) {
        fs::remove_file(path).unwrap();
    }
    let damages: Vec<_> = reader.filter_map(Result::err).collect();
    assert!(damages.len() > 3 && damages.iter().all(|damage| damage.what == "the file is gone"));
    // The newest may hold nothing yet but how things stood.
    let (_, older) = damages.split_last().unwrap();
    assert!(older.iter().all(|damage| damage.positions.is_some()));
}

#[test]
fn a_sealed_segment_is_the_same_in_fewer_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("r");
    let records = many(600);
    let mut journal = Journal::create(&made, settings(12_000)).unwrap();
    push(&mut journal, &records, 3);
    let recording = Recording::open(&made).unwrap();
    let mut open = recording.read().unwrap();
    open.next().unwrap().unwrap();
    let first = &files(&made)[0];
    assert_eq!(seal(first, 9).unwrap(), Sealed::Read, "somebody reads it");
    let (before, paths) = (bytes(&made), files(&made));
    let modified = paths[1].metadata().unwrap().modified().unwrap();
    for path in &paths[1..paths.len() - 1] {
        let Sealed::Smaller { from, to } = seal(path, 9).unwrap() else { panic!("{}", path.display()) };
        assert!(to < from && path.metadata().unwrap().len() == to);
        journal.note_sealed(path.file_name().unwrap().to_str().unwrap(), to);
        assert_eq!(seal(path, 9).unwrap(), Sealed::Left, "it is packed well");
    }
    assert_eq!(paths[1].metadata().unwrap().modified().unwrap(), modified);
    assert!(bytes(&made) < before * 3 / 4, "{} of {before}", bytes(&made));
    // Who had opened it reads on, and a seek finds what was there.
    let rest: Vec<_> = open.flat_map(Result::unwrap).collect();
    assert_eq!(rest[..], records[records.len() - rest.len()..]);
    assert!(rest.len() > 500);
    for recording in [recording, Recording::open(&made).unwrap()] {
        let (state, after) = recording.seek(At::Position(records[400].position), &mut Vec::new()).unwrap();
        let mut known = State::default();
        for record in &records[..=400] {
            known.apply(record);
        }
        assert_eq!(told(&state), told(&known));
        assert_eq!(after.flat_map(Result::unwrap).collect::<Vec<_>>(), records[401..]);
    }
    let manifest = journal.finish().unwrap();
    assert_eq!(manifest.segments.iter().map(|entry| entry.bytes).sum::<u64>(), bytes(&made));
    // The rest of it is sealed when nobody makes it any more.
    let (from, to) = seal_all(&made, 9, line).unwrap();
    assert!(to < from);
    assert_eq!(read(&made), (records, Vec::new()));
    let manifest = Manifest::read(&made).unwrap().unwrap();
    assert!(manifest.complete && manifest.segments.iter().all(|entry| entry.sealed));
    assert_eq!(manifest.segments.iter().map(|entry| entry.bytes).sum::<u64>(), bytes(&made));
    assert_eq!(seal_all(&made, 9, line).unwrap(), (0, 0));
}

/// Damage stays as it is, a torn end goes, and what a crash leaves of a new file is nothing to readers.
#[test]
fn what_is_damaged_is_not_packed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("r");
    let records = many(100);
    let mut journal = Journal::create(&made, settings(1 << 20)).unwrap();
    push(&mut journal, &records, 5);
    drop(journal);
    let path = &files(&made)[0];
    let whole = fs::read(path).unwrap();
    fs::write(path.with_extension("twj.new"), "half of it").unwrap();
    assert_eq!(read(&made).0, records);
    for bit in [200, whole.len() * 4, whole.len() * 7] {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(path, &bytes).unwrap();
        assert_eq!(seal(path, 9).unwrap(), Sealed::Left);
        assert_eq!(fs::read(path).unwrap(), bytes);
    }
    fs::write(path, &whole[..whole.len() - 7]).unwrap();
    assert!(matches!(seal(path, 9).unwrap(), Sealed::Smaller { .. }));
    assert_eq!(read(&made), (records[..95].to_vec(), Vec::new()));
    assert_eq!(files(&made).len(), fs::read_dir(&made).unwrap().count() - 1, "and the lock of its writer");
}

/// However long a busy machine packs a segment, nobody waits for that who removes it, and nobody else packs it.
#[test]
fn what_is_to_go_goes_while_it_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let (made, records) = (folder.path().join("live-20261120-150000"), many(300));
    let mut own = Journal::create(&made, settings(12_000)).unwrap();
    push(&mut own, &records, 3);
    let first = &files(&made)[0];
    let Ok(anew) = Anew::pack(first, 9).unwrap() else { panic!("it is packed well") };
    assert_eq!(seal(first, 9).unwrap(), Sealed::Read, "it is packed");
    let mut shelf = shelf(folder.path(), Keep { bytes: Some(0), ..Keep::default() });
    let cleared = shelf.clear(&mut own, SystemTime::now(), Instant::now()).unwrap();
    assert!(cleared.read == 0 && !first.exists(), "{cleared:?}");
    assert_eq!(anew.replace(first).unwrap(), Sealed::Read);
    assert!(!first.exists() && !first.with_extension("twj.new").exists());
    // Where it stays, it is as ever.
    push(&mut own, &many(600)[300..], 3);
    let first = &files(&made)[0];
    assert!(matches!(seal(first, 9).unwrap(), Sealed::Smaller { .. }));
}

/// What another process makes is its own affair.
#[test]
fn a_recording_that_is_made_is_left_alone() {
    let Kept { folder, mut own, records, .. } = kept();
    let other = folder.path().join("live-20261120-144000");
    let mut theirs = Journal::create(&other, settings(2_000)).unwrap();
    push(&mut theirs, &records, 10);
    let before = bytes(&other);
    let mut shelf = shelf(folder.path(), Keep { bytes: Some(0), ..Keep::default() });
    while shelf.clear(&mut own, SystemTime::now(), Instant::now()).unwrap().more {}
    assert_eq!(bytes(&other), before);
    assert_eq!(seal_all(&other, 9, line).unwrap(), (0, 0));
    // Its process was killed: it is as any other.
    drop(theirs);
    while shelf.clear(&mut own, SystemTime::now(), Instant::now()).unwrap().more {}
    assert!(!other.exists());
}

/// What a killed process left is ended by the next one: counted, without its torn end, and packed.
#[test]
fn what_was_killed_is_ended_and_packed() {
    let folder = tempfile::tempdir().unwrap();
    let records = many(300);
    // Its manifest says something of it where a segment was closed, and nothing before that.
    for (name, segment_bytes) in [("one", 1 << 20), ("more", 4_000)] {
        let made = folder.path().join(name);
        let mut journal = Journal::create(&made, settings(segment_bytes)).unwrap();
        push(&mut journal, &records, 5);
        // Its writer is there: nothing of it is touched.
        let before = bytes(&made);
        assert_eq!(seal_all(&made, 9, line).unwrap(), (0, 0));
        assert_eq!((bytes(&made), Manifest::read(&made).unwrap().is_some()), (before, name == "more"));
        drop(journal);
        let last = files(&made).pop().unwrap();
        let whole = fs::read(&last).unwrap();
        fs::write(&last, &whole[..whole.len() - 7]).unwrap();
        let (left, torn) = read(&made);
        assert!(records.starts_with(&left) && torn.len() == 1, "{name}: {torn:?}");
        let other = folder.path().join(format!("{name}-ended"));
        let mut journal = Journal::create(&other, settings(segment_bytes)).unwrap();
        push(&mut journal, &left, 5);
        let ended = journal.finish().unwrap();
        let (from, to) = seal_all(&made, 9, line).unwrap();
        assert!(to < from, "{name}: {from} to {to}");
        assert!(read(&made) == (left, Vec::new()));
        let manifest = Manifest::read(&made).unwrap().unwrap();
        assert!(!manifest.complete && manifest.cut_short && manifest.is_final());
        assert!(manifest.segments.iter().all(|entry| entry.sealed));
        assert_eq!(manifest.segments.iter().map(|entry| entry.bytes).sum::<u64>(), bytes(&made));
        let says = |of: &Manifest| {
            let files: Vec<_> = of.segments.iter().map(|entry| (entry.records, entry.positions)).collect();
            (of.from.clone(), of.to.clone(), of.records, of.positions, of.digest.clone(), files)
        };
        assert_eq!(says(&manifest), says(&ended), "as one that was ended in order");
        assert_eq!((manifest.streams, manifest.instruments), (ended.streams, ended.instruments));
        // Once is enough.
        assert_eq!(seal_all(&made, 9, line).unwrap(), (0, 0));
    }
    // A folder that somebody has only just made gets neither a lock nor a manifest.
    let new = folder.path().join("new");
    fs::create_dir(&new).unwrap();
    assert_eq!(seal_all(&new, 9, line).unwrap(), (0, 0));
    assert_eq!(fs::read_dir(&new).unwrap().count(), 0);
}

/// Of one whose beginning was removed while it was made, the whole is told.
#[test]
fn what_was_killed_and_removed_in_part_is_told_as_a_whole() {
    let Kept { folder, mut own, records, .. } = kept();
    let made = own.folder().to_owned();
    let most = bytes(&made) / 2;
    let mut shelf = shelf(folder.path(), Keep { bytes: Some(most), ..Keep::default() });
    while shelf.clear(&mut own, SystemTime::now(), Instant::now()).unwrap().more {}
    let left = read(&made).0;
    assert!(!left.is_empty() && left.len() < records.len());
    drop(own);
    assert_eq!(shelf.left().unwrap(), std::slice::from_ref(&made));
    seal_all(&made, 9, line).unwrap();
    let manifest = Manifest::read(&made).unwrap().unwrap();
    assert_eq!((manifest.records, manifest.digest.clone()), (300, None));
    assert_eq!(manifest.positions, Some((records[0].position, records[299].position)));
    let mut tally = Tally::default();
    for record in &records {
        tally.push(record);
    }
    let told = |streams: &[crate::StreamTally]| -> Vec<_> {
        let of = |stream: &crate::StreamTally| {
            (stream.symbol.clone(), stream.first_sequence, stream.last_sequence, stream.records)
        };
        streams.iter().map(of).collect()
    };
    let mut known = told(&tally.streams());
    let mut found = told(&manifest.streams);
    known.sort();
    found.sort();
    assert_eq!(found, known);
    assert_eq!(manifest.instruments, tally.instruments());
    assert_eq!(read(&made), (left, Vec::new()));
}
