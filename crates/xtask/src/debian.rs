//! Debian's packages: unpacked into the target folder, or, for what works only where it belongs, installed by root.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::python::is_root;
use crate::step::{Done, run as step};

/// Installs a program that is not there.
pub(crate) fn install(program: &str) -> Done {
    if Command::new(program).arg("--version").output().is_ok() {
        return Ok(());
    }
    if !is_root() {
        return Err(format!("{program} is needed (Debian: {program})"));
    }
    step("apt-get update", Command::new("apt-get").args(["-q", "update"]))?;
    let mut install = Command::new("apt-get");
    install.args(["-qy", "install", "--no-install-recommends", program]);
    install.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    step(&format!("apt-get install {program}"), &mut install)
}

/// Fetches packages with all that they need, and unpacks them into `folder/unpacked`.
pub(crate) fn unpack(folder: &Path, packages: &[&str]) -> Done {
    let archives = folder.join("archives");
    fs::create_dir_all(archives.join("partial"))
        .map_err(|error| format!("{}: {error}", archives.display()))?;
    let fetch = || {
        let mut command = Command::new("apt-get");
        command.args(["-qy", "install", "--download-only", "--no-install-recommends"]).args(packages);
        command.arg("-o").arg(format!("Dir::Cache::archives={}", archives.display()));
        step(&format!("download of {}", packages.join(", ")), command.args(["-o", "Debug::NoLocking=1"]))
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
    Ok(())
}
