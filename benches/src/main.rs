//! What Tickwire costs, measured: each command prints what it found; `RESULTS.md` keeps it.

#![expect(clippy::print_stdout, reason = "figures are what this prints")]

mod compare;
mod crowd;
mod load;
mod plant;
mod process;
mod reader;
mod schedule;
mod serve;
mod subject;
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
    /// Tickwire, the floors and the rivals in the same scenes
    Compare(compare::CompareArgs),
    /// A server to be measured; started by the other commands
    #[command(hide = true)]
    Serve(serve::ServeArgs),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().bench {
        Bench::Load(args) => load::run(&args),
        Bench::Compare(args) => compare::run(&args),
        Bench::Serve(args) => serve::run(&args),
    }
}
