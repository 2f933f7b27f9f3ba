//! Recordings for Python, at native speed: the module `tickwire._native`.
//!
//! What is here reads: records become tables of Arrow, objects, a digest, a book. How it is offered is written in
//! Python, beside. While it reads, other threads of Python run, and Ctrl-C is heeded.

mod objects;
mod player;
mod read;
mod recording;
mod scan;
mod selection;
mod table;
mod time;

use mimalloc::MiMalloc;
use pyo3::prelude::*;

/// Records are made in one thread and dropped in another, a million at a time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The native part of the package `tickwire`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::player::Player;
    #[pymodule_export]
    use crate::recording::Recording;
    #[pymodule_export]
    use crate::scan::Scan;
    #[pymodule_export]
    use crate::selection::Selection;
    #[pymodule_export]
    use crate::table::Table;
    #[pymodule_export]
    use crate::time::{format_time, parse_time};
}
