//! Puts what the dashboards are built into into the program, where they have been built: the page, and the element for
//! other people's pages. Nothing is built here.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where it is, from the top. Without the first there is no page.
const BUILT: [&str; 2] = ["dashboards/web/dist", "dashboards/ticker/dist"];

fn main() -> io::Result<()> {
    let top = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    println!("cargo:rerun-if-changed=build.rs");
    let mut code = String::from("&[\n");
    let folders = BUILT.map(|folder| top.join(folder));
    let has_page = folders[0].join("index.html").exists();
    for folder in &folders {
        println!("cargo:rerun-if-changed={}", there(folder).display());
        if !has_page || !folder.exists() {
            continue;
        }
        let mut files = Vec::new();
        list(folder, &mut files)?;
        files.sort();
        for file in files {
            println!("cargo:rerun-if-changed={}", file.display());
            let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
            let file = file.canonicalize()?.to_string_lossy().into_owned();
            // Writing to memory does not fail.
            let _ = writeln!(code, "gateway::Asset {{ path: {name:?}, bytes: include_bytes!({file:?}) }},");
        }
    }
    code.push(']');
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("page.rs"), code)
}

/// A folder that is not there counts as changed each time: the one that it is to be in tells when it comes.
fn there(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.exists()).unwrap_or(folder)
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
