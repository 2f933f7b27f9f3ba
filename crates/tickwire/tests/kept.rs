//! A server's recordings while it runs: the oldest goes, what is closed is packed anew, and readers are not harmed.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

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
    let slow = tickwire().arg("replay").arg(&made).args(["--speed", "0.001"]).stdout(Stdio::piped()).spawn();
    let mut slow = common::Guard(slow.unwrap());
    let (mut lines, mut first) = (BufReader::new(slow.0.stdout.take().unwrap()), String::new());
    lines.read_line(&mut first).unwrap();
    assert!(first.starts_with('{'), "it reads: {first}");
    let oldest = || {
        fs::read_dir(&made)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| is_segment(path))
            .min()
            .unwrap()
    };
    // A few blocks ahead of what it prints. Between two looks for what is to go, there is some more than is kept anyway.
    until("much more than is kept", || bytes(&recordings(&plant)) > 3_000_000);
    let read = oldest();
    until("still more", || bytes(&recordings(&plant)) > 4_000_000);
    assert_eq!(oldest(), read, "it is read");
    // Meanwhile nothing goes before it was packed, however little time there is for that.
    until("what is packed anew", || {
        metric(&plant, "tickwire_recording_sealed_bytes_total{when=\"after\"}") > 0.0
    });
    slow.0.kill().unwrap();
    slow.0.wait().unwrap();
    until("what is kept", || bytes(&recordings(&plant)) < 1_400_000 && !read.exists());
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
    until("what is kept", || bytes(&recordings(&plant)) < 1_400_000);
    end(&mut plant);
}
