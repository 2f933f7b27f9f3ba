//! `cargo xtask bench`: Tickwire, the floors and the rivals that can be had, measured in one run.

use std::iter::Skip;
use std::process::Command;

use crate::python;
use crate::step::{Done, cargo, run as step, target, top};

pub(crate) fn run(args: Skip<std::env::Args>) -> Done {
    step("build", &mut cargo("build --release --locked --package benches --package tickwire"))?;
    // A rival that cannot be had is a row that says so.
    for (name, install) in [("rivals on Node", npm as fn() -> Done), ("rivals on Python", python::ready)] {
        if let Err(error) = install() {
            eprintln!("── {name} are left out: {error}");
        }
    }
    let mut command = Command::new(target().join("release/benches"));
    command.arg("compare").arg("--json").arg(target().join("bench.json")).args(args).current_dir(top());
    step("bench", &mut command)
}

/// Packages of the pinned versions, in the target folder.
fn npm() -> Done {
    let folder = target().join("rivals");
    let wanted = top().join("benches/rivals/package.json");
    let text = std::fs::read(&wanted).map_err(|error| format!("{}: {error}", wanted.display()))?;
    let ready = folder.join("installed.json");
    if std::fs::read(&ready).is_ok_and(|installed| installed == text) {
        return Ok(());
    }
    let failed = |error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    std::fs::write(folder.join("package.json"), &text).map_err(failed)?;
    let mut command = Command::new("npm");
    command.args(["install", "--no-audit", "--no-fund", "--loglevel", "error"]).current_dir(&folder);
    step("npm install", &mut command)?;
    std::fs::write(&ready, &text).map_err(failed)
}
