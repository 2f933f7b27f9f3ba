//! What is made for operators, held together: rules, their tests, runbooks, dashboards, units, manifests.

use std::process::Command;

use crate::debian;
use crate::step::{Done, run as step, target, top};

/// What knows whether rules are right.
const PACKAGES: [&str; 2] = ["prometheus", "prometheus-alertmanager"];

/// Runs the checks with Debian's tools; those that cannot be had are named, and their checks are not run.
pub(crate) fn check() -> Done {
    let folder = top().join("target/operators");
    let ready = folder.join("ready");
    if !ready.exists() {
        match debian::unpack(&folder, &PACKAGES) {
            Ok(()) => std::fs::write(&ready, "").map_err(|error| format!("{}: {error}", ready.display()))?,
            Err(error) => eprintln!("── rules are not tried: {error} (Debian: {})", PACKAGES.join(", ")),
        }
    }
    let mut check = Command::new(top().join("target/venv/bin/python3"));
    check.arg(top().join("deploy/check.py")).arg("--binary").arg(target().join("debug/tickwire"));
    check.arg("--tools").arg(folder.join("unpacked/usr/bin"));
    step("what is made for operators", check.current_dir(top()).env("PYTHONDONTWRITEBYTECODE", "1"))
}
