//! `cargo xtask bench`: Tickwire, the floors and the rivals that can be had, measured in one run.

use std::iter::Skip;
use std::process::Command;

use crate::python;
use crate::step::{Done, cargo, run as step, target, top};

pub(crate) fn run(args: Skip<std::env::Args>) -> Done {
    step("build", &mut cargo("build --release --locked --package benches --package tickwire"))?;
    // A rival that cannot be had is a row that says so.
    let rivals =
        [("rivals on Node", npm as fn() -> Done), ("rival on Python", python::ready), ("NATS", nats)];
    for (name, install) in rivals {
        if let Err(error) = install() {
            eprintln!("── left out: {name}: {error}");
        }
    }
    let mut command = Command::new(target().join("release/benches"));
    command.arg("compare").arg("--json").arg(target().join("bench.json")).args(args).current_dir(top());
    step("bench", &mut command)
}

/// `cargo xtask bench-feeds`: feeds from memory to ticks, in turns with libraries that read the same.
pub(crate) fn feeds(args: Skip<std::env::Args>) -> Done {
    step("build", &mut cargo("build --release --locked --package benches"))?;
    let mut command = Command::new(target().join("release/benches"));
    command.arg("feeds").args(args).current_dir(top());
    let (python, decoders) = (target().join("rivals/cryptofeed"), target().join("rivals/decode"));
    match python::with(&python, &["cryptofeed==2.4.1"]) {
        Ok(()) => _ = command.arg("--python").arg(python.join("bin/python3")),
        Err(error) => eprintln!("── left out: rival on Python: {error}"),
    }
    let mut build = cargo("build --release --manifest-path benches/rivals/decode/Cargo.toml --target-dir");
    match step("rivals in Rust", build.arg(&decoders)) {
        Ok(()) => _ = command.arg("--decoders").arg(decoders.join("release/rivals-decode")),
        Err(error) => eprintln!("── left out: rivals in Rust: {error}"),
    }
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

/// Debian's package, unpacked into the target folder and not installed.
fn nats() -> Done {
    let folder = target().join("rivals/nats");
    if folder.join("usr/sbin/nats-server").exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut download = Command::new("apt-get");
    step("apt-get download", download.args(["-q", "download", "nats-server"]).current_dir(&folder))?;
    let files = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let is_package = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "deb");
    let package = files.flatten().map(|file| file.path()).find(is_package).ok_or("no package came")?;
    step("dpkg-deb", Command::new("dpkg-deb").arg("-x").arg(package).arg(&folder))
}
