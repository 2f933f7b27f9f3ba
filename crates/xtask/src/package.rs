//! The package for Python: checked, built, installed into our own Python, and tested there.

use std::process::Command;

use crate::step::{Done, cargo, run as step, target, top};

/// What builds it, what checks it, and what it works with.
const PACKAGES: [&str; 10] = [
    "maturin==1.16.0",
    "mypy==2.4.1",
    "nbclient==0.11.0",
    "nbformat==5.11.1",
    "ipykernel==7.4.0",
    "pandas==3.1.1",
    "pyarrow==26.0.1",
    "pytest==9.2.0",
    "tqdm==4.70.1",
    "typing_extensions==4.16.0",
];

/// Says so where it cannot be built, and goes on.
pub(crate) fn test() -> Done {
    if let Err(error) = install() {
        eprintln!("── the package for Python is not tried: {error}");
        return Ok(());
    }
    step("format of the package", &mut on("fmt", &["--check"]))?;
    step("lints of the package", &mut on("clippy", &["--locked", "--", "-D", "warnings"]))?;
    let wheels = target().join("wheels");
    let mut build = python(&["-m", "maturin", "build", "--release", "--locked", "--quiet", "--out"]);
    step("build of the package", build.arg(&wheels).env("CARGO_TARGET_DIR", target().join("python")))?;
    let version = env!("CARGO_PKG_VERSION");
    let mut install = python(&["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args(["--no-deps", "--no-index", "--force-reinstall", "--find-links"]).arg(&wheels);
    step("package", install.arg(format!("tickwire=={version}")))?;
    let mut types = python(&["-m", "mypy", "python/tickwire", "tests", "examples", "--cache-dir"]);
    step("types of the package", types.arg(target().join("mypy")))?;
    crate::step::program()?;
    let mut tests = python(&["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]);
    step("tests of the package", tests.env("TICKWIRE_PROGRAM", target().join("debug/tickwire")))
}

fn install() -> Done {
    let ready = top().join("target/venv").join(PACKAGES.join("+"));
    if ready.exists() {
        return Ok(());
    }
    let mut install = python(&["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    step("packages for the package", install.args(PACKAGES))?;
    std::fs::write(&ready, "").map_err(|error| format!("{}: {error}", ready.display()))
}

/// Our own Python, in the package's folder.
fn python(words: &[&str]) -> Command {
    let mut command = Command::new(top().join("target/venv/bin/python3"));
    command.args(words).current_dir(top().join("crates/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Cargo on the package, which is a workspace of its own.
fn on(word: &str, more: &[&str]) -> Command {
    let mut command = cargo(word);
    command.current_dir(top().join("crates/python")).args(more);
    command.env("CARGO_TARGET_DIR", target().join("python"));
    command.env("PYO3_PYTHON", top().join("target/venv/bin/python3"));
    command
}
