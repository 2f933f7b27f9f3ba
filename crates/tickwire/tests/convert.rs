//! Recordings in other forms, and back: each way round gives the same digest.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{text, tickwire, top};
use store::{At, Recording};

/// Runs the binary and returns its exit code, and what it said.
fn run(args: &[&str], paths: &[&Path]) -> (i32, String, String) {
    let output = tickwire().args(args).args(paths).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn convert(from: &Path, to: &Path, more: &[&str]) {
    let (code, _, said) = run(&[&["convert"], more, &["-o"]].concat(), &[to, from]);
    assert_eq!(code, 0, "{} to {}: {said}", from.display(), to.display());
}

fn digest(recording: &Path) -> String {
    let (code, told, said) = run(&["verify"], &[recording]);
    assert_eq!(code, 0, "{said}");
    assert!(told.ends_with("  ok\n"), "{told}");
    told.split(' ').next().unwrap().to_owned()
}

fn positions(recording: &Path) -> Vec<u64> {
    let records = Recording::open(recording).unwrap().read().unwrap();
    records.flat_map(Result::unwrap).map(|record| record.position).collect()
}

/// The recording of our own, in a folder.
fn ours(folder: &Path) -> PathBuf {
    record(folder, "sim", &[top().join("feeds/recordings/sim.jsonl")])
}

fn record(folder: &Path, feed: &str, files: &[PathBuf]) -> PathBuf {
    let made = folder.join("rec");
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let (code, _, said) = run(&["record", "--feed", feed, "-o"], &[&[made.as_path()], &files[..]].concat());
    assert_eq!(code, 0, "{said}");
    made
}

/// All ways round, and one through all forms after each other.
fn all_ways(made: &Path, folder: &Path, is_ours: bool) {
    let (known, places) = (digest(made), positions(made));
    assert!(!places.is_empty());
    let fixed: &[&str] =
        if is_ours { &["--timestamps", "naive", "--prices", "fixed"] } else { &["--timestamps", "naive"] };
    let ways: [(&str, &str, &[&str]); 7] = [
        ("lines.ndjson", "lines.ndjson", &[]),
        ("tables", "tables", &[]),
        ("naive", "naive/recording=rec", fixed),
        ("whole", "whole", &["--timestamps", "int64"]),
        ("csv", "csv", &["--format", "csv"]),
        ("csv-int64", "csv-int64", &["--format", "csv", "--timestamps", "int64"]),
        ("journal", "journal", &["--format", "journal", "--level", "1"]),
    ];
    for (to, from, more) in ways {
        let back = folder.join(format!("back-{}", to.split('.').next().unwrap()));
        convert(made, &folder.join(to), more);
        convert(&folder.join(from), &back, &["--format", "journal"]);
        assert_eq!(digest(&back), known, "{to}");
        assert_eq!(positions(&back), places, "{to}");
    }
    let ends = ["a.ndjson", "b", "c", "d.ndjson"].map(|end| folder.join(end));
    convert(&folder.join("csv"), &ends[0], &[]);
    convert(&ends[0], &ends[1], &[]);
    convert(&ends[1], &ends[2], &["--format", "csv"]);
    convert(&ends[2], &ends[3], &[]);
    assert_eq!(fs::read(&ends[0]).unwrap(), fs::read(&ends[3]).unwrap());
    assert_eq!(fs::read(folder.join("lines.ndjson")).unwrap(), fs::read(&ends[0]).unwrap());
}

#[test]
fn our_recording_comes_back_from_every_form() {
    let folder = tempfile::tempdir().unwrap();
    all_ways(&ours(folder.path()), folder.path(), true);
    let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(
        left.filter(|name| name.to_str().unwrap().starts_with('.')).count(),
        0,
        "nothing is left over"
    );
}

#[test]
fn captures_come_back_from_every_form() {
    for (feed, file) in
        [("kraken", "ws/kraken.jsonl.zst"), ("okx", "ws/okx.jsonl.zst"), ("bybit", "ws/bybit.jsonl.zst")]
    {
        let Some(file) = common::shared(file) else { return };
        let folder = tempfile::tempdir().unwrap();
        all_ways(&record(folder.path(), feed, &[file]), folder.path(), false);
    }
}

/// A part is what `replay` gives of it, and knows its books from before.
#[test]
fn a_part_is_what_replay_gives_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let made = ours(folder.path());
    let part = [
        "--from",
        "2026-11-20T14:30:05Z",
        "--to",
        "2026-11-20T14:30:12.5Z",
        "-s",
        "BTC-*",
        "-c",
        "book,trades",
    ];
    let (_, replayed, _) = run(&[&["replay"], &part[..]].concat(), &[&made]);
    assert!(replayed.lines().count() > 20);
    let lines = folder.path().join("part.ndjson");
    convert(&made, &lines, &part);
    let told = fs::read_to_string(&lines).unwrap();
    let plain = told.lines().map(|line| format!("{}}}\n", &line[..line.find(",\"position\"").unwrap()]));
    assert_eq!(plain.collect::<String>(), replayed);
    let cut = folder.path().join("cut");
    convert(&made, &cut, &[&["--format", "journal"], &part[..]].concat());
    let (_, again, _) = run(&["replay"], &[&cut]);
    assert_eq!(again, replayed);
    digest(&cut);
    let book = |folder: &Path| {
        let asked = ["book", "-s", "BTC-USD", "--depth", "0", "--at", "2026-11-20T14:30:12Z"];
        let (code, book, said) = run(&asked, &[folder]);
        assert_eq!(code, 0, "{said}");
        book
    };
    assert_eq!(book(&cut), book(&made));
    let symbols = Recording::open(&cut).unwrap().seek(At::Position(u64::MAX), &mut Vec::new()).unwrap().0;
    assert_eq!(symbols.instruments().len(), 1);
    // A part of lines is a part of what they were made of.
    let other = folder.path().join("other.ndjson");
    let all = folder.path().join("all.ndjson");
    convert(&made, &all, &[]);
    convert(&all, &other, &part);
    assert_eq!(fs::read(&other).unwrap(), fs::read(&lines).unwrap());
    let (code, _, said) = run(
        &["convert", "--from", "2030-01-01T00:00:00Z", "-o"],
        &[&folder.path().join("none.ndjson"), &made],
    );
    assert!(code == 0 && said.contains("nothing fits what was asked for"), "{said}");
}

/// A broken line is named with where it is, counted, and told by the exit code; the rest is there.
#[test]
fn broken_lines_are_named_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let made = ours(folder.path());
    let lines = folder.path().join("lines.ndjson");
    convert(&made, &lines, &[]);
    let mut told: Vec<String> = fs::read_to_string(&lines).unwrap().lines().map(str::to_owned).collect();
    let whole = told.len();
    told[2].truncate(20);
    told[4] = told[4].replace("\"symbol\"", "\"symbal\"");
    told[6] = told[5].clone();
    fs::write(&lines, told.join("\n")).unwrap();
    let back = folder.path().join("back");
    let (code, _, said) = run(&["convert", "--format", "journal", "-o"], &[&back, &lines]);
    assert_eq!(code, 1);
    assert!(said.contains("lines.ndjson:3:20: EOF while parsing a"), "{said}");
    assert!(said.contains("lines.ndjson:5:") && said.contains("missing field `symbol`"), "{said}");
    assert!(said.contains("1 record(s) have a position that another has, too"), "{said}");
    assert!(said.contains("3 broken line(s) were passed over"), "{said}");
    assert_eq!(positions(&back).len(), whole - 3);
    let csv = folder.path().join("trades.csv");
    convert(&made, &csv, &["-c", "trades"]);
    let broken =
        fs::read_to_string(&csv).unwrap().replacen(",buy", ",long", 1).replacen("\n2026", "\n2O26", 1);
    fs::write(&csv, broken + "one,two\n").unwrap();
    let (code, _, said) =
        run(&["convert", "--format", "journal", "-o"], &[&folder.path().join("again"), &csv]);
    assert!(code == 1 && said.contains("3 broken line(s) were passed over"), "{said}");
    assert!(
        said.contains("side cannot be \"long\"") && said.contains("trades.csv:2: ts_event cannot be \"2O26-"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_converted_is_told_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let made = ours(folder.path());
    let to = |name: &str| folder.path().join(name);
    let refused = |more: &[&str], output: &Path, input: &Path, code: i32, what: &str| {
        let (found, _, said) = run(&[&["convert"], more, &["-o"]].concat(), &[output, input]);
        assert!(found == code && said.contains(what), "{more:?}: {found} {said}");
    };
    refused(&[], &to("x.parquet"), &made, 2, "name one that ends in .ndjson or .csv, or a folder");
    refused(&[], &to("x.csv"), &made, 2, "name it with -c, or a folder with --format csv");
    refused(&["--format", "journal"], &to("x.ndjson"), &made, 2, "leave one of them out");
    refused(&["--format", "ndjson"], &to("x"), &made, 2, "let its name end in .ndjson");
    refused(
        &["--prices", "float"],
        &to("x.ndjson"),
        &made,
        2,
        "--prices goes with parquet, and not with ndjson",
    );
    refused(&["--level", "3"], &to("x"), &made, 2, "--level goes with journal, and not with parquet");
    refused(&["--format", "journal", "-f"], &made, &made, 2, "is what is read");
    refused(&[], &to("x"), &top().join("feeds/recordings/sim.jsonl"), 2, "`tickwire record --feed NAME");
    refused(&[], &to("x"), &made.join("00000001.twj"), 1, "is a file of a recording: name its folder");
    refused(&[], &to("x"), &to("nothing"), 1, "No such file");
    fs::create_dir(to("empty")).unwrap();
    refused(&[], &to("x"), &to("empty"), 1, "is no recording, and has no tables");
    fs::write(to("words.txt"), "one\ntwo\n").unwrap();
    refused(&[], &to("x"), &to("words.txt"), 1, "none of its 2 lines is a record");
    convert(&made, &to("floats"), &["--prices", "float", "-c", "trades"]);
    refused(
        &["--format", "journal"],
        &to("x"),
        &to("floats"),
        1,
        "price has floating point, which is not exact",
    );
    // Nothing is replaced that nobody said so of, and nothing else than a recording.
    convert(&made, &to("again"), &["--format", "journal"]);
    refused(&["--format", "journal"], &to("again"), &made, 1, "-f replaces it");
    convert(&made, &to("again"), &["--format", "journal", "-f"]);
    refused(&["--format", "journal", "-f"], &to("empty"), &made, 1, "is no recording");
    refused(&["--format", "csv"], &to("csv"), &to("floats/recording=rec/channel=trades"), 1, "not exact");
    let several = to("several");
    convert(&made, &several, &["-c", "trades"]);
    fs::rename(&made, to("other")).unwrap();
    convert(&to("other"), &several, &["-c", "trades"]);
    refused(&[], &to("x.ndjson"), &several, 1, "name one of recording=other, recording=rec");
}

/// What a recording was made of is beside it, said in its manifest, held against it, and makes it again.
#[test]
fn captures_are_kept_beside_what_was_made_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let capture = top().join("feeds/recordings/sim.jsonl");
    let (made, again) = (folder.path().join("rec"), folder.path().join("again"));
    let (code, _, said) = run(&["record", "--raw", "--feed", "sim", "-o"], &[&made, &capture]);
    assert_eq!(code, 0, "{said}");
    let known = digest(&made);
    let raw = made.join("raw/sim.jsonl.zst");
    let manifest = store::Manifest::read(&made).unwrap().unwrap();
    assert_eq!((manifest.raw.len(), manifest.raw[0].file.as_str()), (1, "sim.jsonl.zst"));
    assert_eq!(manifest.raw[0].bytes, raw.metadata().unwrap().len());
    let (code, _, said) = run(&["record", "--feed", "sim", "-o"], &[&again, &raw]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(digest(&again), known);
    let (code, _, said) =
        run(&["record", "--raw", "--feed", "sim", "-o"], &[&folder.path().join("twice"), &capture, &capture]);
    assert!(code == 1 && said.contains("sim.jsonl.zst is there already"), "{said}");
    let mut bytes = fs::read(&raw).unwrap();
    bytes[100] ^= 1;
    fs::write(&raw, bytes).unwrap();
    let (code, _, said) = run(&["verify"], &[&made]);
    assert!(code == 1 && said.contains("it is another file than the manifest says"), "{said}");
    // With the recording it is replaced.
    convert(&again, &made, &["--format", "journal", "-f"]);
    assert!(!raw.exists());
    assert_eq!(digest(&made), known);
}
