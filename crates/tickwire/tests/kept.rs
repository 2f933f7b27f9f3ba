//! A server's recordings while it runs: the oldest goes, what is closed is packed anew, and readers are not harmed.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use common::recorded::{bytes, command, end, metric, recordings, until};
use common::{Plant, tickwire};
use store::{Manifest, Recording};

const CONFIG: &str = "[recording]\nfolder = \"recordings\"\nkeep_bytes = \"1MiB\"\n\
    [[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 100000\n";

fn is_segment(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "twj")
}

#[test]
fn a_server_keeps_so_much_and_no_more() {
    let mut plant = Plant::start_plain("drain = \"0s\"\n", CONFIG);
    plant.wait_for("/readyz", 200);
    // Another process reads from the beginning on, slowly: what it reads is not taken from it.
    until("many segments", || bytes(&recordings(&plant)) > 900_000);
    let made = recordings(&plant)[0].clone();
    let slow = tickwire().arg("replay").arg(&made).args(["--speed", "0.001"]).stdout(Stdio::null()).spawn();
    let mut slow = common::Guard(slow.unwrap());
    until("more than is kept", || bytes(&recordings(&plant)) > 1_350_000);
    let oldest = || {
        fs::read_dir(&made)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| is_segment(path))
            .min()
            .unwrap()
    };
    thread::sleep(Duration::from_secs(3));
    let read = oldest();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(oldest(), read, "it is read");
    slow.0.kill().unwrap();
    slow.0.wait().unwrap();
    until("what is kept", || bytes(&recordings(&plant)) < 1_250_000 && !read.exists());
    until("what is packed anew", || {
        metric(&plant, "tickwire_recording_sealed_bytes_total{when=\"after\"}") > 1e5
    });
    assert!(metric(&plant, "tickwire_recording_removed_bytes_total") > 3e5);
    assert!(Recording::open(&made).unwrap().read().unwrap().flatten().count() > 5);
    // What goes on can be verified, looked at, and asked for its books.
    let (sound, told, said) = command("verify", &made, &[]);
    assert!(sound && told.contains("ok so far"), "{told}{said}");
    assert!(said.contains("are not kept any more"), "{said}");
    let (sound, told, _) = command("inspect", &made, &[]);
    assert!(sound && told.contains("are not kept any more"), "{told}");
    let (sound, told, _) = command("book", &made, &["-s", "BTC-USD"]);
    assert!(sound && told.contains("\"bids\":[["), "{told}");
    end(&mut plant);
    let manifest = Manifest::read(&made).unwrap().unwrap();
    assert!(manifest.complete && manifest.removed.unwrap().records > 10_000);
    assert!(manifest.segments.iter().any(|entry| entry.sealed));
    let (sound, told, said) = command("verify", &made, &[]);
    assert!(sound && told.contains("  ok\n"), "{told}{said}");
    let lines = command("replay", &made, &["--snapshot"]).1;
    assert!(
        lines.starts_with("{\"channel\":")
            && lines.lines().take(200).any(|line| line.contains("\"snapshot\":true"))
    );

    // The next server packs what was left as it was, and takes the older recording for the oldest of its own.
    let mut plant = plant.again();
    plant.wait_for("/readyz", 200);
    until("the older recording goes", || !made.exists());
    until("what is kept", || bytes(&recordings(&plant)) < 1_250_000);
    end(&mut plant);
}
