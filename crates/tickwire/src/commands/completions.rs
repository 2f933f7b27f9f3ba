//! `tickwire completions`: scripts for shells.

use std::io;

use clap::CommandFactory;

use crate::cli::{Cli, CompletionArgs};
use crate::exit::Outcome;

pub(crate) fn run(args: &CompletionArgs) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tickwire", &mut script);
    io::Write::write_all(&mut io::stdout().lock(), &script)?;
    Ok(())
}
