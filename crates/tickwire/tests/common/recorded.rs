//! A server's recordings, as tests look at them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::{PATIENCE, Plant, get, text, tickwire};

/// The recordings that a plant makes in its own folder, the oldest first.
pub(crate) fn recordings(plant: &Plant) -> Vec<PathBuf> {
    let found = fs::read_dir(plant.folder.path().join("recordings")).unwrap();
    let mut found: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// Bytes of their files.
pub(crate) fn bytes(folders: &[PathBuf]) -> u64 {
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    files.filter_map(|file| file.ok()?.metadata().ok()).map(|found| found.len()).sum()
}

/// A sample of the metrics; 0 where there is none.
pub(crate) fn metric(plant: &Plant, name: &str) -> f64 {
    let told = get(&plant.admin, "/metrics").1;
    let line = told.lines().find(|line| line.starts_with(name));
    line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// Waits until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(200));
    }
}

/// Ends a plant in order.
pub(crate) fn end(plant: &mut Plant) {
    Command::new("kill").arg(plant.id().to_string()).status().unwrap();
    assert!(plant.wait(PATIENCE).success());
}

/// A command on a recording: whether it ended well, what it printed, what it said.
pub(crate) fn command(name: &str, folder: &Path, more: &[&str]) -> (bool, String, String) {
    let output = tickwire().arg(name).arg(folder).args(more).output().unwrap();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}
