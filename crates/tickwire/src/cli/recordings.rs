//! The command line of recordings.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use model::{Channel, Pattern, Speed, Symbol, UnixNanos};

use super::HowArgs;

#[derive(Args, Debug)]
pub(crate) struct RecordArgs {
    /// The recording to make: a folder that is not there yet
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
    /// Whose messages the captures are
    #[arg(long, value_name = "NAME", required_unless_present = "live")]
    pub(crate) feed: Option<String>,
    /// Record what is live instead: the definition of a live feed. Ends with Ctrl-C, or after --duration
    #[arg(long, value_name = "FILE", conflicts_with_all = ["feed", "map", "symbol", "venue", "date", "files"])]
    pub(crate) live: Option<PathBuf>,
    /// Record a live feed for so long
    #[arg(long, requires = "live", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) duration: Option<std::time::Duration>,
    #[command(flatten)]
    pub(crate) how: HowArgs,
    /// How hard it is packed: 1 (fast) to 19 (small)
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(i32).range(1..=19))]
    pub(crate) level: i32,
    /// Keep the captures as well, or what the live venue sent as one, packed, in the recording's folder raw; its
    /// manifest names them
    #[arg(long)]
    pub(crate) raw: bool,
    /// Captures of a venue, in order: one session
    #[arg(required_unless_present = "live", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// The recording: its folder
    #[arg(value_name = "FOLDER")]
    pub(crate) recording: PathBuf,
    /// How fast: a factor from 0.001 to 1000, or as fast as it is read
    #[arg(long, default_value = "max")]
    pub(crate) speed: Speed,
    /// Begin with what was received at this time (RFC 3339, with up to nine digits of a second)
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) from: Option<UnixNanos>,
    /// End before what was received at this time
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) to: Option<UnixNanos>,
    /// Only this channel: trades, quotes, ticker, book, candles, status; may be repeated
    #[arg(short, long = "channel", value_delimiter = ',', value_parser = channel)]
    pub(crate) channels: Vec<Channel>,
    /// Only this symbol or pattern; may be repeated
    #[arg(short, long = "symbol", value_delimiter = ',', value_parser = pattern)]
    pub(crate) symbols: Vec<Pattern>,
    /// Print how everything stood at the beginning first, a book as a snapshot
    #[arg(long)]
    pub(crate) snapshot: bool,
    /// Print the digest of the records instead of them
    #[arg(long)]
    pub(crate) digest: bool,
    /// At the end, wait for what is recorded next
    #[arg(long, conflicts_with = "to")]
    pub(crate) follow: bool,
}

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// The recording: its folder
    #[arg(value_name = "FOLDER")]
    pub(crate) recording: PathBuf,
    /// Print it as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// The recordings: their folders
    #[arg(required = true, value_name = "FOLDER")]
    pub(crate) recordings: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ConvertArgs {
    /// A recording (its folder), or what was made of one: a folder of Parquet or CSV files, one of these, or a file of
    /// JSON lines, also as .gz or .zst
    #[arg(value_name = "PATH")]
    pub(crate) input: PathBuf,
    /// A file that ends in .ndjson or .csv, or a folder: of Parquet files (recording=NAME/channel=CHANNEL/date=DAY/
    /// part-000.parquet below it), of CSV files (CHANNEL.csv), or a recording
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// What is written; without it as the name of the output ends, and Parquet where that says nothing
    #[arg(long = "format", value_enum)]
    pub(crate) form: Option<Form>,
    /// Only this channel: trades, quotes, ticker, book, candles, status; may be repeated
    #[arg(short, long = "channel", value_delimiter = ',', value_parser = channel)]
    pub(crate) channels: Vec<Channel>,
    /// Only this symbol or pattern; may be repeated
    #[arg(short, long = "symbol", value_delimiter = ',', value_parser = pattern)]
    pub(crate) symbols: Vec<Pattern>,
    /// Begin with what was received at this time (RFC 3339, with up to nine digits of a second)
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) from: Option<UnixNanos>,
    /// End before what was received at this time
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) to: Option<UnixNanos>,
    /// Parquet: how prices and sizes are written [default: decimal]
    #[arg(long, value_enum)]
    pub(crate) prices: Option<Prices>,
    /// Parquet and CSV: how times are written [default: utc]
    #[arg(long, value_enum)]
    pub(crate) timestamps: Option<Timestamps>,
    /// A recording: how hard it is packed, 1 (fast) to 19 (small) [default: 9]
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=19))]
    pub(crate) level: Option<i32>,
    /// Replace what is there
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// What `convert` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A folder of Parquet files, one for each channel and day
    Parquet,
    /// A folder of CSV files, one for each channel, or one such file
    Csv,
    /// A file of JSON lines
    Ndjson,
    /// A recording
    Journal,
}

impl Form {
    /// As it is asked for.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Journal => "journal",
        }
    }
}

/// How prices and sizes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Prices {
    /// Exact decimals
    Decimal,
    /// 64 bits of floating point: the nearest value
    Float,
    /// Whole numbers of a billionth
    Fixed,
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Timestamps {
    /// Nanoseconds, UTC
    Utc,
    /// Nanoseconds without a zone; `DuckDB` 1 cuts those with one to microseconds
    Naive,
    /// Nanoseconds since 1970, as whole numbers
    Int64,
}

#[derive(Args, Debug)]
pub(crate) struct BookArgs {
    /// The recording: its folder
    #[arg(value_name = "FOLDER")]
    pub(crate) recording: PathBuf,
    /// After all that was received at this time or before (RFC 3339); the end without it
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) at: Option<UnixNanos>,
    /// Whose book
    #[arg(short, long, value_parser = symbol)]
    pub(crate) symbol: Symbol,
    /// Levels a side; 0 = all
    #[arg(long, default_value_t = 20)]
    pub(crate) depth: usize,
}

fn time(text: &str) -> Result<UnixNanos, String> {
    UnixNanos::from_rfc3339(text).map_err(|error| format!("{error}; write it as 2026-11-20T14:30:00.5Z"))
}

fn channel(text: &str) -> Result<Channel, String> {
    text.parse().map_err(|error: model::UnknownChannel| error.to_string())
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|error| error.to_string())
}

fn symbol(text: &str) -> Result<Symbol, String> {
    Symbol::parse(text).map_err(|error| error.to_string())
}
