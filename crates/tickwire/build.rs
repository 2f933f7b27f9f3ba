//! Puts the trading page into the program, where it has been built: `dashboards/web/dist`, with the element for other
//! people's pages beside it. Nothing is built here.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist =
        Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../dashboards/web/dist");
    println!("cargo:rerun-if-changed=build.rs");
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
