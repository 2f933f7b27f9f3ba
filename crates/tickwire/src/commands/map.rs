//! `tickwire map`: the mappings of columns that come with the program.

use std::io::{self, Write};

use ingest::table::shipped;

use crate::cli::MapArgs;
use crate::exit::{Failure, Outcome};
use crate::maps;

pub(crate) fn run(args: &MapArgs) -> Outcome {
    let mut out = io::stdout().lock();
    if let Some(name) = &args.name {
        let map = maps::load_any(name).map_err(Failure::usage)?;
        out.write_all(map.text.as_bytes())?;
        return Ok(());
    }
    let width = shipped().iter().map(|known| known.name.len()).max().unwrap_or(0);
    for known in shipped() {
        writeln!(out, "{:width$}  {}", known.name, known.about())?;
    }
    Ok(())
}
