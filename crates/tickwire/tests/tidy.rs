//! Rules of this house that no compiler holds: who may know whom, and what may not creep in.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn manifest(path: &Path) -> toml::Table {
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Every crate and the crates of ours that it may use. A new arrow is a line of review here.
const ARROWS: [(&str, &[&str]); 14] = [
    ("model", &[]),
    ("store", &["model"]),
    ("wire", &["model"]),
    ("ws", &[]),
    ("ingest", &["model"]),
    // The other end of a live feed: it answers as venues do.
    ("emulate", &["ingest", "model", "ws"]),
    ("fanout", &["model"]),
    ("client", &["model", "wire"]),
    ("load", &["client", "model", "wire"]),
    ("gateway", &["fanout", "model", "store", "wire", "ws"]),
    ("tickwire", &["client", "emulate", "fanout", "gateway", "ingest", "load", "model", "store", "wire"]),
    ("python", &["model", "store", "wire"]),
    ("xtask", &[]),
    ("benches", &["client", "fanout", "gateway", "ingest", "load", "model", "wire"]),
];

/// Outside crates that only these of ours may use.
const KEPT: [(&str, &[&str]); 12] = [
    ("axum", &["gateway", "benches"]),
    ("hyper", &["gateway", "ingest"]),
    ("anyhow", &["tickwire", "benches"]),
    // What we write, and what others have written.
    ("parquet", &["store", "ingest"]),
    // Times are nanoseconds of our own; Arrow's arrays bring it along.
    ("chrono", &[]),
    ("clap", &["tickwire", "benches"]),
    ("tokio-tungstenite", &["client", "ingest"]),
    ("bytes", &["ws", "gateway", "ingest"]),
    ("flate2", &["ingest", "ws"]),
    ("libfuzzer-sys", &["ingest", "ws"]),
    ("sha1", &["ws"]),
    ("tokio", &["ingest", "emulate", "client", "gateway", "tickwire", "benches"]),
];

/// What may not be anywhere in the tree of dependencies.
const BANNED: [(&str, &str); 4] = [
    ("ring", "one crypto provider: aws-lc-rs"),
    ("openssl-sys", "one crypto provider: aws-lc-rs"),
    ("rsa", "has a known timing fault (RUSTSEC-2023-0071)"),
    ("native-tls", "TLS is rustls"),
];

fn crates() -> Vec<(String, PathBuf)> {
    let folders = fs::read_dir(top().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.chain([top().join("benches")]);
    folders.map(|folder| (folder.file_name().unwrap().to_str().unwrap().to_owned(), folder)).collect()
}

/// Names of the dependencies of one kind.
fn dependencies(manifest: &toml::Table, kind: &str) -> BTreeSet<String> {
    let table = manifest.get(kind).and_then(toml::Value::as_table);
    table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn arrows_point_one_way() {
    let ours: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found: BTreeSet<_> = crates().into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, ours, "every crate has its line in ARROWS");
    for (name, folder) in crates() {
        let manifest = manifest(&folder.join("Cargo.toml"));
        let allowed = ARROWS.iter().find(|(of, _)| *of == name).unwrap().1;
        for used in dependencies(&manifest, "dependencies").intersection(&ours) {
            assert!(allowed.contains(&used.as_str()), "{name} may not use {used}");
        }
        for (outside, users) in KEPT {
            let uses = dependencies(&manifest, "dependencies").contains(outside);
            assert!(!uses || users.contains(&name.as_str()), "{name} may not use {outside}");
        }
        let lints =
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        assert_eq!(lints, Some(true), "{name} takes the workspace's lints");
    }
}

#[test]
fn banned_crates_stay_out() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--workspace",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--offline",
    ]);
    let output = cargo.current_dir(top()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("axum v"), "the tree is there");
    for (name, reason) in BANNED {
        assert!(!tree.lines().any(|line| line.starts_with(&format!("{name} v"))), "{name}: {reason}");
    }
    // It would turn every JSON number of every crate into text.
    assert!(!fs::read_to_string(top().join("Cargo.toml")).unwrap().contains("arbitrary_precision"));
}

/// The server speaks WebSocket by itself; clients and tests have a library.
#[test]
fn the_server_has_no_socket_library() {
    let manifest = manifest(&top().join("Cargo.toml"));
    let axum = &manifest["workspace"]["dependencies"]["axum"]["features"];
    assert!(!axum.as_array().unwrap().contains(&"ws".into()), "{axum:?}");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--package", "gateway", "--edges", "normal", "--prefix", "none", "--offline"]);
    let tree = String::from_utf8(cargo.current_dir(top()).output().unwrap().stdout).unwrap();
    assert!(tree.contains("ws v") && !tree.contains("tungstenite"), "{tree}");
}

/// All sources, with their paths.
fn sources() -> Vec<(PathBuf, String)> {
    let found = texts(crates().into_iter().map(|(_, folder)| folder).collect(), &["rs"]);
    assert!(found.len() > 100, "the sources are found");
    found
}

/// All files with such endings in some folders, but for what is made, with what is in them.
fn texts(mut folders: Vec<PathBuf>, endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let is = |names: &[&str], part: Option<&std::ffi::OsStr>| {
                part.and_then(std::ffi::OsStr::to_str).is_some_and(|part| names.contains(&part))
            };
            if path.is_dir() && !is(&["node_modules", "dist"], path.file_name()) {
                folders.push(path);
            } else if path.is_file() && is(endings, path.extension()) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

#[test]
fn files_are_small_and_say_what_they_are() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 450, "{} has {lines} lines: split it by noun", path.display());
        assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
    }
    let dashboards = texts(vec![top().join("dashboards")], &["ts", "tsx", "mjs", "css"]);
    assert!(dashboards.len() > 20, "the dashboards are found");
    for (path, text) in dashboards {
        let lines = text.lines().count();
        assert!(lines <= 350, "{} has {lines} lines: split it by noun", path.display());
        assert!(
            text.starts_with("//") || text.starts_with("/*"),
            "{} does not say what it is for",
            path.display()
        );
    }
}

/// Each name of a metric is declared in its crate's `metrics.rs` and nowhere else.
#[test]
fn metrics_are_named_once() {
    for (path, text) in sources() {
        let declares =
            path.ends_with("src/metrics.rs") || path.components().any(|part| part.as_os_str() == "tests");
        let names = text.lines().filter(|line| line.contains("\"tickwire_"));
        assert!(declares || names.count() == 0, "{} names a metric", path.display());
    }
}

/// No float holds a price or a size.
#[test]
fn money_is_never_a_float() {
    const WORDS: [&str; 6] = ["price", "size", "volume", "notional", "quantity", "qty"];
    for (path, text) in sources() {
        for (n, line) in text.lines().enumerate() {
            let float = [": f64", ": f32"].iter().any(|kind| {
                let name = line.split(kind).next().filter(|rest| rest.len() < line.len()).unwrap_or_default();
                WORDS.iter().any(|word| name.trim_end().ends_with(word))
            });
            assert!(!float, "{}:{}: {line}", path.display(), n + 1);
        }
    }
}
