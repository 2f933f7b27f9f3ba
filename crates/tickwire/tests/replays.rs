//! Replays over the protocol, from outside: what was recorded comes out as it was, whenever and however fast.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::{PATIENCE, Plant, text};

/// A recording of a simulation, and the folder that it is in.
fn recorded(rate: u32, records: u64) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &format!("symbols = 6\nrate = {rate}\n"));
    let mut plant = Plant::start_plain("drain = \"0s\"\n", &config);
    plant.wait_for("/readyz", 200);
    let recording = newest(folder.path());
    wait_for_records(&recording, records);
    stop(&mut plant);
    let name = recording.file_name().unwrap().to_str().unwrap().to_owned();
    (folder, name)
}

fn stop(plant: &mut Plant) {
    let killed = Command::new("kill").arg(plant.id().to_string()).status().unwrap();
    assert!(killed.success() && plant.wait(PATIENCE).success());
}

fn wait_for_records(recording: &Path, records: u64) {
    let began = Instant::now();
    while store::Recording::open(recording).unwrap().span().is_none_or(|span| span.records < records) {
        assert!(began.elapsed() < PATIENCE, "nothing is recorded");
        thread::sleep(Duration::from_millis(50));
    }
}

fn config(folder: &Path, feed: &str) -> String {
    let folder = folder.display();
    format!(
        "[limits]\nrequests_per_second = 1000\n[recording]\nfolder = \"{folder}\"\nname = \"sim\"\n\
         [[feed]]\nname = \"sim\"\nkind = \"sim\"\n{feed}"
    )
}

fn newest(folder: &Path) -> PathBuf {
    let mut all: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all.pop().unwrap()
}

/// Runs a script against a plant that has recordings.
fn python(script: &str, plant: &Plant, folder: &Path, args: &[&str]) {
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python").join(script);
    let mut python = Command::new(common::python());
    python
        .arg(script)
        .arg(&plant.address)
        .arg(plant.ca())
        .arg(env!("CARGO_BIN_EXE_tickwire"))
        .arg(folder)
        .args(args);
    python.env("TICKWIRE_TOKEN", plant.token(&["stream:*", "replay"], "10m"));
    python.env("NARROW", plant.token(&["stream:AAPL/trades", "replay"], "10m"));
    python.env("BOUNDED", plant.token(&["stream:*/book?depth=1", "replay"], "10m"));
    python.env("NO_REPLAY", plant.token(&["stream:*"], "10m"));
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// By a client of Python's, beside the command line and a book made anew of all lines.
#[test]
fn a_recording_as_it_was() {
    let (folder, name) = recorded(3_000, 60_000);
    let plant = Plant::start(&config(folder.path(), "symbols = 2\nrate = 100\n"));
    python("replays.py", &plant, folder.path(), &[&name]);
}

/// While it is being recorded: on into what happens now, by one clock, and as a slow client would have had it.
#[test]
fn a_recording_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let plant = Plant::start(&config(folder.path(), "symbols = 4\nrate = 2000\n"));
    plant.wait_for("/readyz", 200);
    let recording = newest(folder.path());
    wait_for_records(&recording, 12_000);
    let name = recording.file_name().unwrap().to_str().unwrap().to_owned();
    python("rewinds.py", &plant, folder.path(), &[&name]);
}

/// A server whose feed is a recording sends what was recorded: what it records of that is the same again.
#[test]
fn a_recording_as_a_feed() {
    let (folder, name) = recorded(2_000, 10_000);
    let first = folder.path().join(&name);
    let again = tempfile::tempdir().unwrap();
    let config = format!(
        "[recording]\nfolder = \"{}\"\nname = \"again\"\n[[feed]]\nname = \"past\"\nkind = \"recording\"\n\
         recording = \"{}\"\nspeed = \"max\"\n",
        again.path().display(),
        first.display()
    );
    let mut plant = Plant::start_plain("drain = \"0s\"\n", &config);
    plant.wait_for_log("replay ended");
    let records = store::Recording::open(&first).unwrap().span().unwrap().records;
    let second = newest(again.path());
    wait_for_records(&second, records);
    stop(&mut plant);
    let lines = |folder: &Path| text(&common::run(&["replay", folder.to_str().unwrap()]).stdout);
    let (was, is) = (lines(&first), lines(&second));
    assert!(is.starts_with(&was), "what it sends is not what was recorded");
    let rest: Vec<_> = is[was.len()..].lines().collect();
    assert!(
        rest.len() == 6 && rest.iter().all(|line| line.contains("\"state\":\"source_down\"")),
        "{rest:?}"
    );
}
