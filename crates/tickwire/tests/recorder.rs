//! What becomes of recordings when a server is killed, when its disk refuses, and where it makes none.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::io::Write;
use std::process::Command;

use common::recorded::{bytes, command, end, metric, recordings, until};
use common::{PATIENCE, Plant};
use store::Manifest;

/// What a killed server left is ended and packed by the next one, and told like any other.
#[test]
fn what_a_killed_server_left_is_ended_by_the_next() {
    let config = "[recording]\nfolder = \"recordings\"\n\
        [[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 3\nrate = 2000\n";
    let mut plant = Plant::start_plain("drain = \"0s\"\n", config);
    plant.wait_for("/readyz", 200);
    until("something is recorded", || bytes(&recordings(&plant)) > 30_000);
    let made = recordings(&plant)[0].clone();
    Command::new("kill").args(["-9", &plant.id().to_string()]).status().unwrap();
    assert!(!plant.wait(PATIENCE).success());
    assert!(Manifest::read(&made).unwrap().is_none());
    let before = bytes(std::slice::from_ref(&made));
    // As if it had been killed in the middle of a block.
    let torn = fs::File::options().append(true).open(made.join("00000001.twj")).unwrap();
    (&torn).write_all(b"half of a block").unwrap();
    let (sound, told, said) = command("verify", &made, &[]);
    assert!(sound && told.contains("ok so far") && said.contains("15 bytes at the end"), "{told}{said}");

    let plant = plant.again();
    let is_packed = |told: Manifest| told.segments.iter().all(|entry| entry.sealed);
    until("it is packed", || Manifest::read(&made).unwrap().is_some_and(is_packed));
    assert!(bytes(std::slice::from_ref(&made)) < before);
    let (sound, told, said) = command("verify", &made, &[]);
    assert!(
        sound && told.contains("it was ended afterwards") && !said.contains("at the end"),
        "{told}{said}"
    );
    let name = made.file_name().unwrap().to_str().unwrap();
    let token = plant.token(&["stream:*", "replay"], "10m");
    let (status, body) = common::get_as(&plant.address, &format!("/v1/recordings/{name}"), &token);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["running"], &body["complete"]), (200, &false.into(), &false.into()));
    assert_eq!(body["digest"]["sha256"], told.split(' ').next().unwrap());
    assert!(body["streams"].as_array().unwrap().len() > 3, "{body}");
}

/// A disk that does not take what is recorded is seen, and so is what waits for it.
#[test]
fn a_disk_that_refuses_is_seen_in_the_metrics() {
    let config = "[recording]\nfolder = \"recordings\"\nkeep_bytes = \"1MiB\"\n\
        [[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 3\nrate = 3000\n";
    let plant = Plant::start_plain("drain = \"0s\"\n", config);
    plant.wait_for("/readyz", 200);
    let told = common::get(&plant.admin, "/metrics").1;
    for name in [
        "tickwire_unrecorded_updates_total 0",
        "tickwire_recorder_errors_total 0",
        "tickwire_recorder_waits_for_disk 0",
        "# HELP tickwire_recorder_waits_for_disk ",
        "# HELP tickwire_recorder_held_updates ",
    ] {
        assert!(told.lines().any(|line| line.starts_with(name)), "{name}: {told}");
    }
    // A folder in the place of the next file stands for any disk that refuses.
    let obstacle = recordings(&plant)[0].join("00000002.twj");
    fs::create_dir(&obstacle).unwrap();
    until("it waits", || metric(&plant, "tickwire_recorder_waits_for_disk") > 0.0);
    until("it holds more and more", || metric(&plant, "tickwire_recorder_held_updates") > 5_000.0);
    assert!(metric(&plant, "tickwire_recorder_errors_total") > 0.0);
    assert!(metric(&plant, "tickwire_unrecorded_updates_total").abs() < 0.5, "all of it is held");
    fs::remove_dir(&obstacle).unwrap();
    until("it goes on", || metric(&plant, "tickwire_recorder_waits_for_disk") < 0.5);
    until("it holds little", || metric(&plant, "tickwire_recorder_held_updates") < 3_000.0);
}

/// Recordings are played to clients also where none is made.
#[test]
fn recordings_are_served_without_recording() {
    let feed = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 3\nrate = 2000\n";
    let mut plant =
        Plant::start_plain("drain = \"0s\"\n", &format!("[recording]\nfolder = \"recordings\"\n{feed}"));
    plant.wait_for("/readyz", 200);
    until("something is recorded", || bytes(&recordings(&plant)) > 5_000);
    end(&mut plant);
    let (made, config) = (recordings(&plant), plant.folder.path().join("tickwire.toml"));
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[recording]\n", "[recording]\nrecord = false\n")).unwrap();
    let mut plant = plant.again();
    plant.wait_for("/readyz", 200);
    let token = plant.token(&["stream:*", "replay"], "10m");
    let (status, body) = common::get_as(&plant.address, "/v1/recordings", &token);
    let name = made[0].file_name().unwrap().to_str().unwrap();
    assert!(status == 200 && body.contains(name) && !body.contains("\"running\":true"), "{body}");
    assert!(!common::get(&plant.admin, "/metrics").1.contains("tickwire_recorded_updates_total "));
    assert_eq!(recordings(&plant), made);
    end(&mut plant);
}
