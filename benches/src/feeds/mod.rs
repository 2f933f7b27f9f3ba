//! Feeds from memory to ticks, on one core, in turns with libraries that read the same bytes.

mod binary;
mod captures;
mod day;
mod rival;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::subject::Cores;

#[derive(Args)]
pub(crate) struct FeedsArgs {
    /// Captures of venues, as envelopes
    captures: Vec<PathBuf>,
    /// A Python that has cryptofeed
    #[arg(long)]
    python: Option<PathBuf>,
    /// The program that reads fields with libraries (`benches/rivals/decode`)
    #[arg(long)]
    decoders: Option<PathBuf>,
    /// Messages of each binary feed; 0 for none
    #[arg(long, default_value_t = 4_000_000)]
    messages: usize,
    /// Rounds of each turn, of which there are three; the quickest one of all counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
}

/// Times that each has its rounds.
const TURNS: usize = 3;

pub(crate) fn run(args: &FeedsArgs) -> anyhow::Result<()> {
    Cores::choose();
    captures::run(args)?;
    if args.messages > 0 {
        binary::run(args)?;
    }
    Ok(())
}

/// Processor time of this process: what others do on the machine is not in it.
fn spent() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let nanos = |part: i64| u64::try_from(part).unwrap_or(0);
    Duration::from_secs(nanos(now.tv_sec)) + Duration::from_nanos(nanos(now.tv_nsec))
}

/// A figure, where there is one.
fn shown(figure: f64) -> String {
    if figure.is_finite() && figure > 0.0 { format!("{figure:.2}") } else { "–".to_owned() }
}
