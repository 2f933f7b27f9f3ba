//! Chromium for the tests: Debian's, with what it needs, unpacked into the target folder. Nothing is
//! installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::python::is_root;
use crate::step::{Done, run as step, top};

const PACKAGE: &str = "chromium-headless-shell";

/// Starts it with its own libraries.
const STARTER: &str = "#!/bin/sh
here=$(dirname \"$0\")/unpacked/usr/lib
LD_LIBRARY_PATH=$(echo \"$here\"/*-linux-gnu):$(echo \"$here\"/*-linux-gnu/pulseaudio) \\
    exec \"$here/chromium/chromium-headless-shell\" \"$@\"
";

/// Fetches it; where that cannot be, says so.
pub(crate) fn ready() {
    let folder = top().join("target/chromium");
    if !folder.join("chromium").exists()
        && let Err(error) = unpack(&folder)
    {
        eprintln!("── no browser is tried: {error} (Debian: {PACKAGE})");
    }
}

fn unpack(folder: &Path) -> Done {
    let archives = folder.join("archives");
    fs::create_dir_all(archives.join("partial"))
        .map_err(|error| format!("{}: {error}", archives.display()))?;
    let fetch = || {
        let mut command = Command::new("apt-get");
        command.args(["-qy", "install", "--download-only", "--no-install-recommends", PACKAGE]);
        command.arg("-o").arg(format!("Dir::Cache::archives={}", archives.display()));
        step("apt-get download of a browser", command.args(["-o", "Debug::NoLocking=1"]))
    };
    if let Err(error) = fetch() {
        if !is_root() {
            return Err(error);
        }
        step("apt-get update", Command::new("apt-get").args(["-q", "update"]))?;
        fetch()?;
    }
    let files = fs::read_dir(&archives).map_err(|error| format!("{}: {error}", archives.display()))?;
    let paths = files.flatten().map(|file| file.path());
    for package in paths.filter(|path| path.extension().is_some_and(|ending| ending == "deb")) {
        let mut unpack = Command::new("dpkg-deb");
        step("dpkg-deb", unpack.arg("-x").arg(package).arg(folder.join("unpacked")))?;
    }
    let starter = folder.join("chromium");
    let failed = |error| format!("{}: {error}", starter.display());
    // Only what is complete bears the name that is looked for.
    let draft = folder.join("chromium.draft");
    fs::write(&draft, STARTER).map_err(failed)?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    fs::rename(&draft, &starter).map_err(failed)
}
