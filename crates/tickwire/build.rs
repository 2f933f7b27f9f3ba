//! Puts the trading page into the program, where it has been built: `dashboards/web/dist`, with the element for other
//! people's pages beside it. Nothing is built here. And says of which revision the sources are.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist =
        Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../dashboards/web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=TICKWIRE_REVISION");
    let given = env::var("TICKWIRE_REVISION").ok().filter(|given| !given.is_empty());
    let revision = given.or_else(checked_out).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=REVISION={revision}");
    // A folder that is not there counts as changed each time: the one that it is to be in tells when it comes.
    let there = dist.ancestors().find(|folder| folder.exists()).unwrap_or(&dist);
    println!("cargo:rerun-if-changed={}", there.display());
    let mut files = Vec::new();
    if dist.join("index.html").exists() {
        list(&dist, &mut files)?;
    }
    files.sort();
    let mut code = String::from("&[\n");
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file.strip_prefix(&dist).unwrap_or(&file).to_string_lossy().into_owned();
        let file = file.canonicalize()?.to_string_lossy().into_owned();
        // Writing to memory does not fail.
        let _ = writeln!(code, "gateway::Asset {{ path: {name:?}, bytes: include_bytes!({file:?}) }},");
    }
    code.push(']');
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("page.rs"), code)
}

/// The commit that is checked out; looked at again when another one is.
fn checked_out() -> Option<String> {
    let git = |words: &[&str]| {
        let output =
            Command::new("git").args(words).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|text| !text.is_empty())
    };
    let folder = git(&["rev-parse", "--absolute-git-dir"])?;
    let head = Path::new(&folder).join("HEAD");
    println!("cargo:rerun-if-changed={}", head.display());
    if let Some(branch) = fs::read_to_string(&head).ok()?.trim().strip_prefix("ref: ") {
        let branch = Path::new(&folder).join(branch);
        if branch.exists() {
            println!("cargo:rerun-if-changed={}", branch.display());
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
