//! What lies in a recording's folder and is no file: nobody waits for it, and nobody follows it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::{line, many, read, record, settings};
use crate::{At, Journal, Keep, Manifest, Name, Recording, Shelf, seal, seal_all};

const PATIENCE: Duration = Duration::from_secs(20);

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Does it in a thread that may hang.
fn within<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, waited) = channel();
    thread::spawn(move || done.send(work()));
    waited.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{what} hangs"))
}

#[test]
fn a_pipe_is_told_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let records = many(100);
    // In the place of the first segment, and behind the last; and all there is.
    for (name, place, whole) in
        [("before", "00000000.twj", true), ("behind", "00000099.twj", true), ("only", "00000001.twj", false)]
    {
        let made = folder.path().join(name);
        record(&made, &records, 10, 2_000);
        if !whole {
            fs::remove_dir_all(&made).unwrap();
            fs::create_dir(&made).unwrap();
        }
        pipe(&made.join(place));
        let (of, expected) = (made.clone(), if whole { records.clone() } else { Vec::new() });
        within(name, move || {
            let (found, damages) = read(&of);
            assert!(found == expected);
            let [odd] = &damages[..] else { panic!("{damages:?}") };
            assert_eq!((odd.what, odd.path.as_path()), ("it is no file", of.join(place).as_path()));
            assert!(!odd.is_torn_end());
            let recording = Recording::open(&of).unwrap();
            assert!(recording.reopen().is_ok() && recording.beginning().is_ok());
            recording.seek(At::Position(u64::MAX), &mut Vec::new()).unwrap();
            recording.damaged_states().unwrap();
            assert!(seal(&of.join(place), 9).is_err());
        });
    }
}

#[test]
fn what_leads_elsewhere_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (made, other) = (folder.path().join("made"), folder.path().join("other"));
    record(&made, &many(50), 10, 1 << 20);
    record(&other, &many(90), 10, 1 << 20);
    std::os::unix::fs::symlink(other.join("00000001.twj"), made.join("00000002.twj")).unwrap();
    let (found, damages) = read(&made);
    assert_eq!((found.len(), damages.len(), damages[0].what), (50, 1, "it is no file"));
    fs::remove_file(made.join("manifest.json")).unwrap();
    std::os::unix::fs::symlink(other.join("manifest.json"), made.join("manifest.json")).unwrap();
    assert!(Manifest::read(&made).is_err());
}

#[test]
fn pipes_beside_the_segments_are_not_waited_for_either() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("live-20261120-143000");
    record(&made, &many(50), 10, 1 << 20);
    for name in ["manifest.json", "writer.lock"] {
        let _ = fs::remove_file(made.join(name));
        pipe(&made.join(name));
    }
    let top = folder.path().to_owned();
    within("upkeep", move || {
        assert!(Manifest::read(&made).is_err());
        // Whose writer cannot be known is left alone.
        assert_eq!(seal_all(&made, 9, line).unwrap(), (0, 0));
        let mut own = Journal::create(&top.join("live-20261120-150000"), settings(1_000)).unwrap();
        let keep = Keep { bytes: Some(0), ..Keep::default() };
        let mut shelf = Shelf::new(&top, &Name::parse("live").unwrap(), keep);
        shelf.clear(&mut own, std::time::SystemTime::now(), std::time::Instant::now()).unwrap();
        assert_eq!(shelf.left().unwrap().len(), 2);
        assert_eq!(read(&made).0.len(), 50);
    });
}

/// Any other file under a segment's name is no torn end of one; what a crash leaves at the very beginning is.
#[test]
fn what_does_not_begin_as_a_segment_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("00000001.twj");
    let begin = crate::segment::begin();
    for rubbish in [&b"\x7fELF and whatever else is in a program"[..], b"#", b"TWJRNL\r\n and not more"] {
        fs::write(&path, rubbish).unwrap();
        let (found, damages) = read(folder.path());
        let [damage] = &damages[..] else { panic!("{damages:?}") };
        assert_eq!(damage.what, "it does not begin as a file of a recording does");
        assert_eq!((found.len(), damage.bytes, damage.is_torn_end()), (0, rubbish.len() as u64, false));
        assert_eq!(seal_all(folder.path(), 9, line).unwrap(), (0, 0), "{rubbish:?}");
        assert_eq!(fs::read(&path).unwrap(), rubbish, "it stays as it is");
    }
    for length in 0..=begin.len() {
        fs::write(&path, &begin[..length]).unwrap();
        let (found, damages) = read(folder.path());
        assert!(found.is_empty() && damages.iter().all(crate::Damage::is_torn_end), "{length}: {damages:?}");
    }
}
