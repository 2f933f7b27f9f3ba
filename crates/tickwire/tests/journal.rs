//! Recordings: what comes out is what went in, whatever became of the process that made them.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "../../ingest/tests/answers/mod.rs"]
mod answers;
mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use answers::{BYBIT_ZIP, CASES, SeenOf, check_bybit_zip, check_kraken_v2, shared};
use common::{Guard, PATIENCE, Plant, run, text, tickwire};
use serde_json::Value;
use store::{Manifest, Recording};

/// Records captures, verifies the recording and returns its digest.
fn record(data: &Path, feed: &str, files: &[&str], folder: &Path) -> String {
    let mut command = tickwire();
    command.args(["record", "--feed", feed, "-o"]).arg(folder);
    let output = command.args(files.iter().map(|file| data.join(file))).output().unwrap();
    assert!(output.status.success(), "{files:?}: {}", text(&output.stderr));
    verify(folder)
}

fn verify(folder: &Path) -> String {
    let output = tickwire().arg("verify").arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    assert!(told.ends_with("  ok\n"), "{told}");
    told.split(' ').next().unwrap().to_owned()
}

/// What the replay of a recording says.
fn replayed(data: &Path, feed: &str, files: &[&str]) -> SeenOf {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("r");
    record(data, feed, files, &folder);
    let mut seen = SeenOf::new();
    for records in Recording::open(&folder).unwrap().read().unwrap() {
        for record in records.unwrap() {
            let instrument = &record.instrument;
            let key = (instrument.venue.to_string(), instrument.venue_symbol.to_string());
            seen.entry(key).or_default().take(&record.body, record.ts_event.0);
        }
    }
    seen
}

#[test]
fn golden_answers_come_out_of_the_replay() {
    let Some(data) = shared() else { return };
    for case in &CASES {
        case.check(&data, &replayed(&data, case.feed, case.files), false);
    }
    check_kraken_v2(&data, false, |file| replayed(&data, "kraken-v2", &[file]));
    check_bybit_zip(&data, &replayed(&data, "bybit", &[BYBIT_ZIP]), false);
}

/// Programs that know nothing of us read the tables.
#[test]
fn golden_answers_come_out_of_the_tables() {
    let Some(data) = shared() else { return };
    let script = common::top().join("crates/tickwire/tests/python/tables.py");
    for case in &CASES {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("r");
        record(&data, case.feed, case.files, &made);
        let mut convert = tickwire();
        let output = convert.arg("convert").arg(&made).arg("-o").arg(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let mut python = Command::new(common::python());
        python
            .arg(&script)
            .arg(folder.path().join("recording=r"))
            .arg(data.join("golden").join(case.answers));
        let output = python.output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{}: {told}", case.answers);
    }
}

fn ours(folder: &Path) -> String {
    let captures = common::top().join("feeds/recordings");
    record(&captures, "sim", &["sim.jsonl"], folder)
}

/// Two runs give the same bytes, and each way to ask gives the same digest.
#[test]
fn a_recording_is_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    let digest = ours(&one);
    assert_eq!(digest, ours(&other));
    let lines = |folder: &Path, more: &[&str]| {
        let output = tickwire().arg("replay").arg(folder).args(more).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(more.contains(&"--from") || text(&output.stderr).contains(&digest));
        text(&output.stdout)
    };
    let whole = lines(&one, &[]);
    assert_eq!(whole, lines(&other, &[]));
    assert_eq!(whole, lines(&one, &["--speed", "1000"]));
    assert_eq!(lines(&one, &["--digest"]), format!("{digest}\n"));
    let manifest = Manifest::read(&one).unwrap().unwrap();
    assert_eq!(manifest.digest.unwrap().sha256, digest);
    assert_eq!(whole.lines().count() as u64, manifest.records);
    // Whoever waits for more ends with the recording.
    assert_eq!(whole, lines(&one, &["--follow"]));
    // From any time on, the rest of the same lines.
    let at =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["ts_recv"].as_str().unwrap().to_owned();
    let middle = at(whole.lines().nth(300).unwrap());
    let rest = lines(&one, &["--from", &middle]);
    assert!(whole.ends_with(&rest) && at(rest.lines().next().unwrap()) == middle);
    let before = lines(&one, &["--from", "2026-01-01T00:00:00Z", "--to", &middle]);
    assert_eq!(before + &rest, whole);
    let trades = lines(&one, &["-c", "trades", "-s", "BTC-*", "--from", "2026-01-01T00:00:00Z"]);
    let wanted = |line: &&str| line.contains("\"channel\":\"trades\"") && line.contains("\"symbol\":\"BTC-");
    assert_eq!(trades.lines().collect::<Vec<_>>(), whole.lines().filter(wanted).collect::<Vec<_>>());
    assert!(!trades.is_empty());
}

/// The book at any time, as whoever reads all of it makes it.
#[test]
fn a_book_at_a_time_is_that_of_all_changes_before() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("r");
    ours(&folder);
    let (mut books, mut asked) = (BTreeMap::<String, model::Book>::new(), 0);
    let records: Vec<_> =
        Recording::open(&folder).unwrap().read().unwrap().flat_map(Result::unwrap).collect();
    for (n, record) in records.iter().enumerate() {
        let symbol = record.instrument.symbol.to_string();
        if let model::Body::Book(change) = &record.body {
            let book = books.entry(symbol.clone()).or_default();
            match change {
                model::BookChange::Snapshot(levels) => *book = model::Book::from_levels(levels),
                model::BookChange::Delta(levels) => book.apply(levels),
                model::BookChange::Gap(_) => {}
            }
        }
        let is_last = records.get(n + 1).is_none_or(|next| next.ts_recv > record.ts_recv);
        if n % 40 != 0 || !is_last || !books.contains_key(&symbol) {
            continue;
        }
        let mut command = tickwire();
        command.arg("book").arg(&folder).args(["--depth", "0", "-s", &symbol, "--at"]);
        let output = command.arg(record.ts_recv.to_string()).output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let levels =
            |side| books[&symbol].iter(side).map(|level| [level.price.to_string(), level.size.to_string()]);
        assert_eq!(told["bids"], serde_json::json!(levels(model::BookSide::Bid).collect::<Vec<_>>()));
        assert_eq!(told["asks"], serde_json::json!(levels(model::BookSide::Ask).collect::<Vec<_>>()));
        assert_eq!(told["checksum"], books[&symbol].checksum(10));
        asked += 1;
    }
    assert!(asked > 5);
    let folder = folder.to_str().unwrap();
    let early = run(&["book", folder, "-s", "BTC-USD", "--at", "2026-01-01T00:00:00Z"]);
    assert!(!early.status.success() && text(&early.stderr).contains("is not in the recording at that time"));
}

#[test]
fn what_is_no_recording_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let told = run(&["verify", folder.path().to_str().unwrap()]);
    assert!(text(&told.stderr).contains("is no recording"), "{told:?}");
    let made = folder.path().join("r");
    ours(&made);
    // A folder of recordings is looked through.
    let all = run(&["verify", folder.path().to_str().unwrap()]);
    assert!(all.status.success() && text(&all.stderr).contains(": 1 recordings"), "{all:?}");
    assert!(text(&all.stdout).ends_with("/r  ok\n"), "{all:?}");
    let file = run(&["inspect", made.join("00000001.twj").to_str().unwrap()]);
    assert!(text(&file.stderr).contains("is a file, and a recording is a folder: name "), "{file:?}");
    let again = run(&["record", "--feed", "sim", "-o", made.to_str().unwrap(), "no-such-file"]);
    assert!(!again.status.success());
    // Damage is named, the rest is read, and the exit code says it.
    let path = made.join("00000001.twj");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let told = run(&["verify", made.to_str().unwrap()]);
    assert!(!told.status.success() && text(&told.stdout).contains("DAMAGED"));
    assert!(text(&told.stderr).contains("the checksum differs; positions "), "{}", text(&told.stderr));
}

/// Broken lines of a capture are passed over, counted, and told by the exit code.
#[test]
fn broken_lines_of_a_capture_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let capture = std::fs::read_to_string(common::top().join("feeds/recordings/sim.jsonl")).unwrap();
    let mut lines: Vec<_> = capture.lines().collect();
    lines[20] = "{\"t\":\"recv\"";
    lines[30] = "no line";
    let broken = folder.path().join("broken.jsonl");
    std::fs::write(&broken, lines.join("\n")).unwrap();
    let mut command = tickwire();
    command.args(["record", "--feed", "sim", "-o"]).arg(folder.path().join("r")).arg(&broken);
    let told = command.output().unwrap();
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told.stderr).contains("2 broken line(s) were passed over"), "{}", text(&told.stderr));
    verify(&folder.path().join("r"));
}

/// What a damaged block had of a book is not known: no book is told that lacks it.
#[test]
fn no_book_is_told_that_lacks_something() {
    let Some(data) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("r");
    record(&data, CASES[0].feed, CASES[0].files, &made);
    let path = made.join("00000001.twj");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let book = tickwire().arg("book").arg(&made).args(["-s", "BTC-USDT"]).output().unwrap();
    assert!(!book.status.success() && book.stdout.is_empty(), "{}", text(&book.stdout));
    assert!(text(&book.stderr).contains("its updates were lost"), "{}", text(&book.stderr));
    let told = tickwire().arg("convert").arg(&made).arg("-o").arg(folder.path()).output().unwrap();
    assert!(!told.status.success() && text(&told.stderr).contains("the checksum differs"));
    let query =
        "import polars, sys; print(polars.read_parquet(sys.argv[1])['action'].to_list().count('gap'))";
    let mut python = Command::new(common::python());
    let tables = folder.path().join("recording=r/channel=book/**/*.parquet");
    let gaps = python.arg("-c").arg(query).arg(tables).output().unwrap();
    assert_eq!(text(&gaps.stdout), "1\n", "{}", text(&gaps.stderr));
}

/// Another channel is added to tables, and nobody's are replaced who did not say so.
#[test]
fn tables_are_made_channel_by_channel() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("r");
    ours(&made);
    let convert = |more: &[&str]| {
        let output =
            tickwire().arg("convert").arg(&made).arg("-o").arg(folder.path()).args(more).output().unwrap();
        (output.status.success(), text(&output.stderr))
    };
    for (more, good) in [
        (["-c", "trades"], true),
        (["-c", "quotes"], true),
        (["-c", "trades"], false),
        (["-c", "trades,book"], false),
    ] {
        assert_eq!(convert(&more).0, good, "{more:?}");
    }
    assert!(convert(&["-c", "trades"]).1.contains("-f replaces it"));
    assert!(convert(&["-c", "trades", "-f"]).0);
    let there = |channel: &str| folder.path().join("recording=r").join(format!("channel={channel}")).exists();
    assert!(there("trades") && there("quotes") && !there("book"));
}

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 3\nrate = 2000\n";
const RECORDING: &str = "[recording]\nfolder = \"recordings\"\n";

/// The only recording of a plant.
fn recording(plant: &Plant) -> PathBuf {
    let found = std::fs::read_dir(plant.folder.path().join("recordings")).unwrap();
    let found: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// A client of a plant, in plain.
fn client(plant: &Plant) -> Guard {
    let mut reader = tickwire();
    reader.args(["sub", "-c", "trades", "-s", "*", "--no-snapshot", "--url", &plant.url()]);
    reader.env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m"));
    Guard(reader.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
}

/// What clients were sent is what is recorded, record by record.
#[test]
fn a_server_records_what_it_sends() {
    let mut plant = Plant::start_plain("drain = \"0s\"\n", &format!("{RECORDING}{SIM}"));
    plant.wait_for("/readyz", 200);
    let mut reader = client(&plant);
    let lines = BufReader::new(reader.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let seen: Vec<String> = lines.take(500).collect();
    Command::new("kill").arg(plant.id().to_string()).status().unwrap();
    assert!(plant.wait(PATIENCE).success());
    let folder = recording(&plant);
    verify(&folder);
    let recorded = tickwire().arg("replay").arg(&folder).args(["-c", "trades"]).output().unwrap();
    let mut recorded = text(&recorded.stdout);
    let skip = recorded.find(&seen[0][1..]).unwrap();
    recorded.drain(..skip);
    // The same, but for where it comes from, which stands in front.
    let per_symbol = |of: &str| {
        let mut by_symbol = BTreeMap::<String, Vec<Value>>::new();
        for line in of.lines() {
            let line = format!("{{{}", &line[line.find("\"symbol\"").unwrap()..]);
            let record: Value = serde_json::from_str(&line).unwrap();
            by_symbol.entry(record["symbol"].as_str().unwrap().to_owned()).or_default().push(record);
        }
        by_symbol
    };
    let recorded = per_symbol(&recorded);
    for (symbol, seen) in per_symbol(&seen.join("\n")) {
        let begin = recorded[&symbol].iter().position(|record| *record == seen[0]).unwrap();
        assert_eq!(recorded[&symbol][begin..begin + seen.len()], seen, "{symbol}");
    }
}

/// A process that is killed leaves all that was there a moment before, and nothing that is wrong. So often by hand:
/// `TICKWIRE_KILLS=200 cargo test -p tickwire --test journal kill`.
#[test]
fn a_kill_costs_a_moment_and_nothing_else() {
    let kills = std::env::var("TICKWIRE_KILLS").map_or(6, |kills| kills.parse().unwrap());
    for n in 0..kills {
        let mut plant = Plant::start_plain("", &format!("{RECORDING}{SIM}"));
        plant.wait_for("/readyz", 200);
        let mut reader = client(&plant);
        let (mut seen, began) = (Vec::new(), Instant::now());
        let alive = SAFE_AFTER + Duration::from_millis(200 + n * 37 % 400);
        for line in BufReader::new(reader.0.stdout.take().unwrap()).lines() {
            seen.push((Instant::now(), line.unwrap()));
            if began.elapsed() > alive {
                break;
            }
        }
        Command::new("kill").arg("-9").arg(plant.id().to_string()).status().unwrap();
        let killed = Instant::now();
        plant.wait(PATIENCE);
        let (mut recorded, mut damages) = (BTreeMap::<String, Vec<u64>>::new(), Vec::new());
        for next in Recording::open(&recording(&plant)).unwrap().read().unwrap() {
            match next {
                Ok(records) => {
                    for record in records.iter().filter(|record| matches!(record.body, model::Body::Trade(_)))
                    {
                        let symbol = record.instrument.symbol.to_string();
                        recorded.entry(symbol).or_default().push(record.seq.0);
                    }
                }
                Err(damage) => damages.push(damage),
            }
        }
        assert!(damages.iter().all(|damage| damage.what == "the end is torn"), "{damages:?}");
        for (symbol, sequences) in &recorded {
            assert!(sequences.is_sorted_by(|one, next| one + 1 == *next), "{symbol}");
        }
        let safe: Vec<_> = seen.iter().filter(|(at, _)| killed.duration_since(*at) > SAFE_AFTER).collect();
        assert!(safe.len() > 50, "{} of {}", safe.len(), seen.len());
        for (_, line) in safe {
            let record: Value = serde_json::from_str(line).unwrap();
            let (symbol, sequence) =
                (record["symbol"].as_str().unwrap(), record["sequence"].as_u64().unwrap());
            let last = recorded.get(symbol).and_then(|of| of.last().copied()).unwrap_or(0);
            assert!(last >= sequence, "{symbol}: {sequence} is lost, {last} is the last");
        }
    }
}

/// Ten times what is promised: on a machine that is busy, the recorder has its turn later.
const SAFE_AFTER: Duration = Duration::from_secs(1);
