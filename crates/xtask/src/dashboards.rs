//! What is written in TypeScript: the client package and the page. Where there is no Node, the program goes without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::step::{Done, run as step, target, top};

/// Builds the page, where that is needed and can be; false where it cannot.
pub(crate) fn build() -> Done<bool> {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("── Node is not there: the program is built without its page");
        return Ok(false);
    }
    // What is installed says of which list it is: times say nothing after a checkout.
    let (list, installed) = (folder().join("package-lock.json"), folder().join("node_modules/.installed"));
    let wanted = fs::read(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        step("packages of the dashboards", &mut npm(&["ci", "--silent", "--no-audit", "--no-fund"]))?;
        fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))?;
    }
    if sources() > newest(&folder().join("web/dist/index.html")) {
        step("dashboards", &mut npm(&["run", "--silent", "build"]))?;
    }
    Ok(true)
}

/// Tries them: on their own, before the real server, and in a real browser where there is one.
pub(crate) fn test() -> Done {
    let mut test = npm(&["test", "--silent"]);
    test.env("TICKWIRE_PROGRAM", target().join("debug/tickwire"));
    let browser = top().join("target/chromium/chromium");
    if browser.exists() {
        test.env("TICKWIRE_CHROMIUM", browser);
    }
    step("tests of the dashboards", &mut test)
}

fn folder() -> PathBuf {
    top().join("dashboards")
}

fn npm(words: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(words).current_dir(folder());
    command
}

/// When anything that the page is made of was changed last.
fn sources() -> SystemTime {
    let parts = ["client/src", "client/build.mjs", "ticker", "web", "package-lock.json"];
    parts.iter().map(|part| newest(&folder().join(part))).max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// When a file, or anything in a folder but what is made, was changed last.
fn newest(path: &Path) -> SystemTime {
    let made = ["dist", "dist-test", "node_modules"].map(Some);
    let Ok(found) = fs::metadata(path) else { return SystemTime::UNIX_EPOCH };
    let own = if found.is_file() { found.modified().ok() } else { None };
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let kept = entries.filter(|entry| !made.contains(&entry.file_name().to_str()));
    kept.map(|entry| newest(&entry.path())).chain(own).max().unwrap_or(SystemTime::UNIX_EPOCH)
}
