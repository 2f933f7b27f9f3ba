//! The page of the metrics is what the code declares, and what a server tells stands on it.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::{env, fs};

use common::Plant;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

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
