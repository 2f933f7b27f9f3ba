//! Pythons of our own, in the target folder.

use std::path::Path;
use std::process::Command;

use crate::step::{Done, run as step, top};

/// What the clients of the tests and a rival of the bench are written with, readers of tables, and what knows how YAML,
/// manifests and compose files must be.
const PACKAGES: [&str; 12] = [
    "duckdb==2.0.0",
    "msgpack==1.2.4",
    "opentelemetry-proto==1.45.2",
    "polars==2.1.0",
    "pyte==0.8.2",
    "websockets==17.4",
    "python-socketio==5.18.1",
    "requests==2.34.2",
    "websocket-client==1.9.2",
    "check-jsonschema==0.39.0",
    "kubernetes-validate==1.37.0",
    "yamllint==1.38.0",
];

/// Makes it, with the packages that are needed.
pub(crate) fn ready() -> Done {
    with(&top().join("target/venv"), &PACKAGES)
}

/// Makes a Python with such packages in a folder.
pub(crate) fn with(folder: &Path, packages: &[&str]) -> Done {
    let python = folder.join("bin/python3");
    let ready = folder.join(packages.join("+"));
    if ready.exists() {
        return Ok(());
    }
    if let Err(error) = step("Python", Command::new("python3").args(["-m", "venv"]).arg(folder)) {
        if !is_root() {
            return Err(format!("{error}: Python 3 with its venv module is needed (Debian: python3-venv)"));
        }
        step("apt-get update", Command::new("apt-get").args(["-q", "update"]))?;
        let needed = ["-qy", "install", "python3", "python3-venv"];
        step("apt-get install python3-venv", Command::new("apt-get").args(needed))?;
        step("Python", Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    step("Python packages", Command::new(python).args(install).args(packages))?;
    std::fs::write(&ready, "").map_err(|error| format!("{}: {error}", ready.display()))
}

/// Whether packages of the system may be had.
pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
