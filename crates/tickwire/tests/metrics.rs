//! The page of the metrics is what the code declares, and what a server tells stands on it.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Stdio;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

use common::{Guard, PATIENCE, Plant};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::Value;

/// With this set, the test writes the page instead of comparing it.
const WRITE: &str = "TICKWIRE_DESCRIBE";

/// Notes what is declared.
#[derive(Default)]
struct Notes(Mutex<BTreeMap<String, [String; 3]>>);

impl Notes {
    fn note(&self, name: &KeyName, kind: &str, unit: Option<Unit>, help: &str) {
        let unit = unit.filter(|unit| *unit != Unit::Count).map_or("", |unit| unit.as_str());
        let noted = [kind.to_owned(), unit.to_owned(), help.to_owned()];
        let before = self.0.lock().unwrap().insert(name.as_str().to_owned(), noted.clone());
        assert!(before.is_none_or(|before| before == noted), "{} is declared twice", name.as_str());
    }
}

impl Recorder for Notes {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.note(&name, "counter", unit, &help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.note(&name, "gauge", unit, &help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.note(&name, "histogram", unit, &help);
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn declared() -> BTreeMap<String, [String; 3]> {
    let notes = Notes::default();
    metrics::with_local_recorder(&notes, || {
        gateway::describe_metrics();
        ingest::metrics::describe();
    });
    notes.0.into_inner().unwrap()
}

#[test]
fn the_page_is_what_the_code_is() {
    let mut made = String::from(
        "# Metrics\n\nWhat `/metrics` on the admin port tells, as the code declares it (`cargo xtask describe` writes this page). A series \
         is there from its first value on.\nLabels have few values: no symbol, session, subject or address is ever one; for these there \
         are `/v1/sessions` and `/v1/symbols`.\n\n| metric | kind | unit | meaning |\n|---|---|---|---|\n",
    );
    for (name, [kind, unit, help]) in declared() {
        writeln!(made, "| `{name}` | {kind} | {unit} | {help} |").unwrap();
    }
    let path = common::top().join("deploy/metrics.md");
    if env::var_os(WRITE).is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &made).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == made, "deploy/metrics.md is not what the code declares: run `cargo xtask describe`");
}

#[test]
fn what_a_server_tells_stands_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let recording = format!("[recording]\nfolder = \"{}\"\n", folder.path().display());
    let plant = Plant::start(&format!(
        "{recording}[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 500\n"
    ));
    plant.wait_for("/readyz", 200);
    let output = common::run(&[
        "sub",
        "--url",
        &format!("wss://{}/v1/stream", plant.address),
        "--ca",
        plant.ca().to_str().unwrap(),
        "--token",
        &plant.token(&["stream:*"], "10m"),
        "-c",
        "trades",
        "-s",
        "*",
        "--count",
        "3",
    ]);
    assert!(output.status.success(), "{}", common::text(&output.stderr));
    let text = common::get(&plant.admin, "/metrics").1;
    let declared = declared();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut seen = 0;
    for (name, kind) in types {
        let [told, ..] = declared.get(name).unwrap_or_else(|| panic!("{name} is not declared"));
        assert_eq!(told, kind, "{name}");
        let help = format!("# HELP {name} ");
        assert!(text.lines().any(|line| line.starts_with(&help)), "{name} has no help");
        seen += 1;
    }
    assert!(seen > 30, "{seen} metrics only");
    let names: std::collections::BTreeSet<_> = declared.keys().collect();
    let well = |name: &&&String| name.starts_with("tickwire_") || name.starts_with("process_");
    assert_eq!(names.iter().filter(well).count(), names.len(), "{names:?}");
}

/// Series that a scrape has, and the sum of those of a name.
fn series(text: &str, name: &str) -> (usize, u64) {
    let all = || text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let of_name = all().filter(|line| line.split(['{', ' ']).next() == Some(name));
    let sum = of_name.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
    (all().count(), sum)
}

const SESSIONS: usize = 10_000;

/// Ten thousand sessions are no more to scrape than one, and what is told of them is what their ledgers say.
#[test]
fn many_sessions_are_few_series() {
    let limits = format!("[limits]\nconnections = {}\n", SESSIONS + 100);
    let plant = Plant::start_plain(
        "",
        &format!("{limits}[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 100\n"),
    );
    plant.wait_for("/readyz", 200);
    let token = plant.token(&["stream:*"], "1h");
    let bench = |clients: usize| {
        let mut bench = common::tickwire();
        bench.args(["bench", "--each", "1", "--duration", "5s", "--ramp", "2000", "--url", &plant.url()]);
        bench.args(["--clients", &clients.to_string(), "--token", &token]);
        Guard(bench.stdout(Stdio::null()).spawn().unwrap())
    };
    let metrics = || common::get(&plant.admin, "/metrics").1;
    let wait_for_sessions = |count: u64| {
        let until = Instant::now() + PATIENCE * 3;
        while series(&metrics(), "tickwire_connections").1 != count {
            assert!(Instant::now() < until, "there are never {count} sessions");
            sleep(Duration::from_millis(50));
        }
        metrics()
    };
    drop(bench(1).0.wait());
    let few = wait_for_sessions(0);
    let mut crowd = bench(SESSIONS);
    let many = wait_for_sessions(SESSIONS as u64);
    let (before, during) = (series(&few, "").0, series(&many, "").0);
    assert!(before > 100 && during <= before + 20, "{during} series instead of {before}");
    assert!(
        many.len() < 64 << 10 && many.len() < few.len() + (4 << 10),
        "{} bytes instead of {}",
        many.len(),
        few.len()
    );
    assert!(crowd.0.wait().unwrap().success(), "every ledger closes");
    wait_for_sessions(0);
    plant.wait_for_log_lines("session closed", SESSIONS + 3);
    // The last of them were counted when they had been told.
    let told = wait_for_sessions(0);
    let log = plant.log();
    let closed: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_default())
        .filter(|line| line["message"] == "session closed")
        .collect();
    for part in ["delivered", "coalesced", "skipped"] {
        let ledgers: u64 = closed.iter().map(|line| line[part].as_u64().unwrap()).sum();
        let counted = series(&told, &format!("tickwire_updates_{part}_total")).1;
        assert_eq!(counted, ledgers, "{part} in {} sessions", closed.len());
    }
    let opened = series(&told, "tickwire_connections_opened_total").1;
    assert_eq!((opened, series(&told, "tickwire_connections_closed_total").1), (opened, opened));
    assert_eq!(opened, closed.len() as u64);
}
