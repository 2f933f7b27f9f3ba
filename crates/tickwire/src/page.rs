//! The trading page, as it is in the program.

use std::path::Path;

use anyhow::anyhow;
use gateway::{Asset, Page};

use crate::exit::Failure;

/// Its files; none where the program was built without it.
const FILES: &[Asset] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The page that the program has, or that of a folder.
///
/// # Errors
/// There is no page in the folder.
pub(crate) fn of(folder: Option<&Path>) -> Result<Page, Failure> {
    match (folder, FILES) {
        (Some(folder), _) if !folder.join("index.html").is_file() => {
            Err(Failure::usage(anyhow!("--page {}: there is no index.html", folder.display())))
        }
        (Some(folder), _) => Ok(Page::Folder(folder.to_owned())),
        (None, []) => Ok(Page::Plain),
        (None, files) => Ok(Page::Built(files)),
    }
}
