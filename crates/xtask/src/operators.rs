//! What is made for operators, held together: rules, their tests, runbooks, dashboards, units, manifests; and each alert,
//! seen in a Prometheus that watches plants with faults.

use std::path::PathBuf;
use std::process::Command;

use crate::debian;
use crate::python::is_root;
use crate::step::{Done, cargo, run as step, target, top};

/// What knows whether rules are right.
const PACKAGES: [&str; 2] = ["prometheus", "prometheus-alertmanager"];

/// Runs the checks with Debian's tools; those that cannot be had are named, and their checks are not run.
pub(crate) fn check() -> Done {
    tools()?;
    let mut check = python("check.py");
    check.arg("--binary").arg(program()).arg("--tools").arg(folder().join("usr/bin"));
    check.arg("--tools").arg(top().join("target/venv/bin"));
    step("what is made for operators", &mut check)
}

/// Asks what dashboards ask of a Prometheus that watches plants under load.
pub(crate) fn boards() -> Done {
    if !prometheus().exists() {
        eprintln!("── there is no Prometheus: no query of a dashboard is asked");
        return Ok(());
    }
    let mut boards = python("faults/boards.py");
    boards.arg("--binary").arg(program()).arg("--tools").arg(folder().join("usr/bin"));
    step("queries of dashboards", &mut boards)
}

/// Builds the container and starts it, where that may be done.
pub(crate) fn container() -> Done {
    if !is_root() {
        eprintln!("── not root: the container is not tried");
        return Ok(());
    }
    if let Err(error) = debian::install("buildah") {
        eprintln!("── the container is not tried: {error}");
        return Ok(());
    }
    // The flag is for the program alone: what it is made of is linked either way.
    let linked = "rustc --locked --package tickwire --bin tickwire -- -C target-feature=+crt-static";
    if let Err(error) = step("build for the container", &mut cargo(linked)) {
        eprintln!(
            "── the container is not tried: {error} (a C library to link statically: Debian's libc6-dev)"
        );
        return Ok(());
    }
    let mut probe = python("container/probe.py");
    step("container", probe.arg("--binary").arg(program()))
}

/// Does to plants what each alert is for, and waits for the alert: some minutes.
pub(crate) fn faults() -> Done {
    crate::step::program()?;
    check()?;
    boards()?;
    if !prometheus().exists() {
        eprintln!("── there is no Prometheus: no alert is seen to fire");
        return Ok(());
    }
    let mut faults = python("faults/run.py");
    step("faults", faults.arg("--binary").arg(program()).arg("--tools").arg(folder().join("usr/bin")))?;
    container()
}

/// Where Debian's tools are unpacked.
fn folder() -> PathBuf {
    top().join("target/operators/unpacked")
}

fn prometheus() -> PathBuf {
    folder().join("usr/bin/prometheus")
}

fn program() -> PathBuf {
    target().join("debug/tickwire")
}

fn python(script: &str) -> Command {
    let mut python = Command::new(top().join("target/venv/bin/python3"));
    python.arg(top().join("deploy").join(script)).current_dir(top()).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

fn tools() -> Done {
    let ready = top().join("target/operators/ready");
    if !ready.exists() {
        match debian::unpack(&top().join("target/operators"), &PACKAGES) {
            Ok(()) => std::fs::write(&ready, "").map_err(|error| format!("{}: {error}", ready.display()))?,
            Err(error) => eprintln!("── rules are not tried: {error} (Debian: {})", PACKAGES.join(", ")),
        }
    }
    Ok(())
}
