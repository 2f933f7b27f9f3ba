//! What Tickwire costs, measured: each command prints what it found; `RESULTS.md` keeps it.

#![expect(clippy::print_stdout, reason = "figures are what this prints")]
#![expect(clippy::cast_precision_loss, reason = "figures are shown with three digits")]

mod compare;
mod dialects;
mod feeds;
mod micro;
mod process;
mod quotes;
mod schedule;
mod serve;
mod subject;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "What Tickwire costs, measured", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Tickwire, the floors and the rivals in the same scenes; without a choice, the single steps, too
    Compare(compare::CompareArgs),
    /// Captures and binary feeds from memory to ticks, beside libraries that read the same
    Feeds(feeds::FeedsArgs),
    /// Single steps: normalise, publish, drain, encode, decode
    Micro(micro::MicroArgs),
    /// A server to be measured; started by the other commands
    #[command(hide = true)]
    Serve(serve::ServeArgs),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().bench {
        Bench::Compare(args) => compare::run(&args),
        Bench::Feeds(args) => feeds::run(&args),
        Bench::Micro(args) => micro::run(&args),
        Bench::Serve(args) => serve::run(&args),
    }
}
