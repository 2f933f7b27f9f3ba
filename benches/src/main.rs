//! What Tickwire costs, measured: each command prints what it found; `RESULTS.md` keeps it.

#![expect(clippy::print_stdout, reason = "figures are what this prints")]

mod load;
mod plant;
mod process;
mod reader;
mod tally;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "What Tickwire costs, measured", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Many subscribers on a simulated market, some of which stall
    Load(load::LoadArgs),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().bench {
        Bench::Load(args) => load::run(&args),
    }
}
