//! The trading page, as it is in the program.

use std::path::Path;

use gateway::{Asset, Page};

/// Its files; none where the program was built without it.
const FILES: &[Asset] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The page that the program has, or that of a folder.
pub(crate) fn of(folder: Option<&Path>) -> Page {
    match (folder, FILES) {
        (Some(folder), _) => Page::Folder(folder.to_owned()),
        (None, []) => Page::Plain,
        (None, files) => Page::Built(files),
    }
}
