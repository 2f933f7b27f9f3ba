//! What is said of recordings that are not whole: each command says the same, and none of them waits for a pipe.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{run, text, tickwire};

fn recorded(folder: &Path) -> PathBuf {
    let made = folder.join("rec");
    let capture = common::top().join("feeds/recordings/sim.jsonl");
    let words = ["record", "-o", made.to_str().unwrap(), "--feed", "sim", capture.to_str().unwrap()];
    assert!(run(&words).status.success());
    made
}

/// As if its process had been killed in the middle of a block.
fn tear(made: &Path) {
    let _ = fs::remove_file(made.join("manifest.json"));
    let segment = made.join("00000001.twj");
    let bytes = fs::read(&segment).unwrap();
    fs::write(&segment, [&bytes[..], b"half of a block"].concat()).unwrap();
}

/// Exit code, data and talk of every command that reads a recording.
fn all(made: &Path) -> Vec<(&'static str, Option<i32>, String, String)> {
    let out = tempfile::tempdir().unwrap();
    let lines = out.path().join("lines.ndjson");
    let commands: [(&str, &[&str]); 5] = [
        ("verify", &[]),
        ("inspect", &[]),
        ("replay", &["--digest"]),
        ("convert", &["-o", lines.to_str().unwrap()]),
        ("book", &["-s", "BTC-USD"]),
    ];
    let told = commands.map(|(name, more)| {
        let output = tickwire().arg(name).arg(made).args(more).output().unwrap();
        (name, output.status.code(), text(&output.stdout), text(&output.stderr))
    });
    told.to_vec()
}

#[test]
fn a_torn_end_is_no_damage_to_any_command() {
    let folder = tempfile::tempdir().unwrap();
    let made = recorded(folder.path());
    tear(&made);
    for (name, code, _, said) in all(&made) {
        assert_eq!(code, Some(0), "{name}: {said}");
        assert!(said.contains("15 bytes at the end are of a block that was not finished"), "{name}: {said}");
    }
    let output = tickwire().args(["inspect", "--json"]).arg(&made).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((told["unfinished_bytes"].as_u64(), told["damages"].as_array().unwrap().len()), (Some(15), 0));
}

#[test]
fn damage_elsewhere_fails_every_command_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let made = recorded(folder.path());
    let segment = made.join("00000001.twj");
    let whole = fs::read(&segment).unwrap();
    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 1;
    // One that is complete has no torn end.
    for (bytes, why) in
        [(bytes, "the checksum differs"), (whole[..whole.len() - 7].to_vec(), "the end is torn")]
    {
        fs::write(&segment, bytes).unwrap();
        for (name, code, _, said) in all(&made) {
            assert_eq!(code, Some(1), "{name}: {said}");
            assert!(said.contains(why), "{name}: {said}");
            assert!(name == "verify" || said.contains("rec: a part of it cannot be read"), "{name}: {said}");
        }
    }
}

#[test]
fn rubbish_is_damaged_and_nothing_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("rec");
    fs::create_dir(&made).unwrap();
    let segment = made.join("00000001.twj");
    fs::copy("/bin/sh", &segment).unwrap();
    let verify = || {
        let output = tickwire().arg("verify").arg(&made).output().unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, told, said) = verify();
    assert!(code == Some(1) && told.contains("DAMAGED"), "{told}{said}");
    assert!(said.contains("it does not begin as a file of a recording does"), "{said}");
    fs::write(&segment, "").unwrap();
    let (code, told, said) = verify();
    assert!(
        code == Some(0) && told.contains("ok so far") && said.contains("there is no record in it"),
        "{said}"
    );
}

#[test]
fn nobody_waits_for_a_pipe_or_follows_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let made = recorded(folder.path());
    let pipe = made.join("00000002.twj");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (name, code, _, said) in all(&made) {
        assert_eq!(code, Some(1), "{name}: {said}");
        assert!(said.contains("it is no file"), "{name}: {said}");
    }
    fs::remove_file(pipe).unwrap();
    // A folder of recordings has those that are in it.
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&made, elsewhere.path().join("link")).unwrap();
    let output = tickwire().arg("verify").arg(elsewhere.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let output = tickwire().arg("verify").arg(folder.path()).output().unwrap();
    assert!(output.status.success() && text(&output.stderr).contains(": 1 recordings"));
}
