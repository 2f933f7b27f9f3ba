//! A ticker plant in one binary: market data in, exact and coalesced streams out.

mod cli;
mod commands;
mod config;
mod exit;
mod handover;
mod logging;
mod maps;
#[cfg(feature = "otlp")]
mod otlp;
mod page;
mod plant;
mod played;
mod scopes;
mod service;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use commands::recordings;
use exit::Outcome;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Outcome {
    let is_server = matches!(cli.command, Command::Demo(_) | Command::Serve(_));
    let log = logging::start(&cli.log, is_server)?;
    match cli.command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Serve(args) => commands::serve::run(&args, log),
        Command::Watch(args) => commands::watch::run(args),
        Command::Sub(args) => commands::sub::run(args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Normalize(args) => commands::normalize::run(&args),
        Command::Map(args) => commands::map::run(&args),
        Command::Record(args) => recordings::record::run(&args),
        Command::Emulate(args) => commands::emulate::run(&args),
        Command::Replay(args) => recordings::replay::run(&args),
        Command::Inspect(args) => recordings::inspect::run(&args),
        Command::Verify(args) => recordings::verify::run(&args),
        Command::Convert(args) => recordings::convert::run(&args),
        Command::Book(args) => recordings::book::run(&args),
        Command::Token(args) => commands::token::run(args),
        Command::Health(args) => commands::health::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Top(args) => commands::top::run(&args),
        Command::Describe(args) => commands::describe::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
    }
}
