//! What is said to who takes one thing for another: a capture for a recording, a folder of recordings for one of them.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{run, text, tickwire};

fn capture() -> PathBuf {
    common::top().join("feeds/recordings/sim.jsonl")
}

fn record(folder: &Path) {
    let capture = capture();
    let words = ["record", "-o", folder.to_str().unwrap(), "--feed", "sim", capture.to_str().unwrap()];
    assert!(run(&words).status.success());
}

/// What a command that fails says.
fn refused(words: &[&str]) -> (i32, String) {
    let output = run(words);
    (output.status.code().unwrap(), text(&output.stderr))
}

#[test]
fn a_capture_is_recorded_and_a_recording_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("rec");
    record(&made);
    let (capture, made) = (capture(), made.to_str().unwrap().to_owned());
    let capture = capture.to_str().unwrap();
    for words in
        [&["replay", capture][..], &["inspect", capture], &["verify", capture], &["book", capture, "-s", "X"]]
    {
        let (code, said) = refused(words);
        assert!(code == 1 && said.contains("`tickwire record --feed NAME -o FOLDER"), "{words:?}: {said}");
    }
    let other = folder.path().join("other");
    let other = other.to_str().unwrap();
    for words in
        [&["normalize", "--feed", "sim", &made][..], &["record", "--feed", "sim", "-o", other, &made]]
    {
        let (code, said) = refused(words);
        assert!(code == 2 && said.contains("`tickwire replay "), "{words:?}: {said}");
        assert!(said.contains("`tickwire convert "), "{words:?}: {said}");
    }
    assert!(!Path::new(other).exists());
}

#[test]
fn a_folder_of_recordings_names_some() {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("a-1"));
    let path = folder.path().to_str().unwrap();
    for command in ["inspect", "replay"] {
        let (code, said) = refused(&[command, path]);
        assert!(code == 1 && said.contains("is a folder of recordings; name one: a-1\n"), "{said}");
    }
    for n in 2..9 {
        let made = folder.path().join(format!("a-{n}"));
        fs::create_dir(&made).unwrap();
        fs::copy(folder.path().join("a-1/00000001.twj"), made.join("00000001.twj")).unwrap();
    }
    let (_, said) = refused(&["replay", path]);
    assert!(said.contains("name one: a-8, a-7, a-6, a-5, a-4 or 3 more"), "{said}");
}

#[test]
fn a_feed_of_another_kind_is_told_by_the_check() {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("rec"));
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join("00000001.twj"), "").unwrap();
    fs::write(folder.path().join("secret.key"), "a secret of at least thirty-two bytes").unwrap();
    let key = "[[auth.keys]]\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n";
    let check = |feed: &str| {
        let config = folder.path().join("tickwire.toml");
        fs::write(&config, format!("{key}[[feed]]\nname = \"x\"\n{feed}")).unwrap();
        let output = tickwire().args(["serve", "--check-config", "-c"]).arg(&config).output().unwrap();
        (output.status.success(), text(&output.stderr))
    };
    for file in ["rec", "rec/00000001.twj"] {
        let (ok, said) = check(&format!("kind = \"replay\"\nfeed = \"sim\"\nfiles = [{file:?}]\n"));
        assert!(!ok && said.contains("write kind = \"recording\" and recording = "), "{file}: {said}");
    }
    let (ok, said) = check("kind = \"recording\"\nrecording = \"empty\"\n");
    assert!(!ok && said.contains("nothing is recorded there"), "{said}");
    assert!(check("kind = \"recording\"\nrecording = \"rec\"\n").0);
}

#[test]
fn a_scope_that_allows_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "a secret of at least thirty-two bytes").unwrap();
    let words =
        |scope| ["token", "mint", "--key-file", key.to_str().unwrap(), "--sub", "a", "--scope", scope];
    let (code, said) = refused(&words("stream:BTC-*,ETH-*"));
    assert!(code == 2 && said.contains("give several, \"stream:BTC-*\" and \"stream:ETH-*\""), "{said}");
    let (code, said) = refused(&words("replays"));
    assert!(code == 2 && said.contains("did you mean \"replay\"?"), "{said}");
    assert!(run(&words("replay")).status.success());
}
