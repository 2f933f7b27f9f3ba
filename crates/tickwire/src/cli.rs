//! The command line.

pub(crate) mod operators;
pub(crate) mod recordings;
mod source;

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rust_decimal::Decimal;

use crate::logging::LogArgs;
pub(crate) use operators::{DoctorArgs, HealthArgs, TopArgs};
pub(crate) use recordings::{BookArgs, ConvertArgs, InspectArgs, RecordArgs, ReplayArgs, VerifyArgs};
pub(crate) use source::{HowArgs, MapArgs, SourceArgs};

/// A ticker plant in one binary: market data in, exact and coalesced streams out
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

const EXAMPLES: &str = "\
Examples:
  tickwire demo                                   a simulated market, a token, and what to do with them
  tickwire serve -c tickwire.toml                 a server
  tickwire watch 'BTC-*' ETH-USD                  a live table
  tickwire sub -c trades -s BTC-USD --count 10    records as they come
  tickwire normalize --feed binance-spot x.gz     a capture as records
  tickwire normalize --feed csv --map lobster x   rows as records
  tickwire record -o rec --feed binance-spot x.gz a capture as a recording
  tickwire replay rec --speed 10                  a recording, ten times as fast as it was
  tickwire doctor -c tickwire.toml                what stands in the way of a server
  tickwire top                                    what a server does, live

Exit codes: 0 ok, 1 failure, 2 usage, 3 connect, 4 auth";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a server on a simulated market: no configuration, a token, ready lines to try
    Demo(DemoArgs),
    /// Start a server
    Serve(ServeArgs),
    /// Show a live table of symbols; plain lines when piped
    Watch(WatchArgs),
    /// Print a subscription's records, one JSON object a line
    Sub(SubArgs),
    /// Put many clients on a server, some of them slow; exit code 1 if an account is wrong
    Bench(BenchArgs),
    /// Print what a venue's capture says, one JSON object a line
    #[command(after_help = source::mappings())]
    Normalize(NormalizeArgs),
    /// List the mappings of columns that files of rows can be read with, or print one
    Map(MapArgs),
    /// Make a recording of captures, or of a live venue
    #[command(after_help = source::mappings())]
    Record(RecordArgs),
    /// Print a recording's records, one JSON object a line, at any speed
    Replay(ReplayArgs),
    /// Play a venue from captures, over WebSocket and REST, with faults: the other end of a live feed
    Emulate(EmulateArgs),
    /// Print what a recording holds
    Inspect(InspectArgs),
    /// Read recordings whole and say what is wrong with them; exit code 1 if anything is
    Verify(VerifyArgs),
    /// Make Parquet, CSV or JSON lines of a recording or a part of it, and recordings of these
    Convert(ConvertArgs),
    /// Print what a book was at an instant of a recording
    Book(BookArgs),
    /// Make and check tokens
    Token(TokenArgs),
    /// Ask a server whether it is ready; exit code 0 if it is
    Health(HealthArgs),
    /// Check the configuration and the machine before a server runs on them; exit code 1 if anything fails
    Doctor(DoctorArgs),
    /// Show what a server does: health, feeds, sessions, symbols, delays; a report when piped
    Top(TopArgs),
    /// Print a description of the protocol that programs read
    Describe(DescribeArgs),
    /// Print a completion script for a shell
    Completions(CompletionArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Where clients connect
    #[arg(long, env = "TICKWIRE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: std::net::SocketAddr,
    /// Where metrics and health are
    #[arg(long, env = "TICKWIRE_ADMIN_LISTEN", default_value = "127.0.0.1:9090", value_name = "ADDRESS")]
    pub(crate) admin_listen: std::net::SocketAddr,
    /// Seed of the simulation: the same seed makes the same market
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many symbols
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) symbols: u64,
    /// Events a second, over all symbols
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) rate: u32,
    /// Serve wss with a certificate made for this run, for loopback only
    #[arg(long)]
    pub(crate) tls: bool,
    /// Let pages of this origin connect, such as `http://127.0.0.1:8000`; may be repeated
    #[arg(long = "allow-origin", value_name = "ORIGIN", value_parser = gateway::parse_origin)]
    pub(crate) allowed_origins: Vec<String>,
    /// Serve the page of this folder, not the one in the program: for whoever works on it
    #[arg(long, value_name = "FOLDER")]
    pub(crate) page: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArgs {
    /// The configuration file
    #[arg(short, long, env = "TICKWIRE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A feed definition beside those of the configuration; may be repeated
    #[arg(long = "feed", value_name = "FILE")]
    pub(crate) feeds: Vec<PathBuf>,
    /// Serve the page of this folder, not the one in the program: for whoever works on it
    #[arg(long, value_name = "FOLDER")]
    pub(crate) page: Option<PathBuf>,
    /// Check the configuration and exit
    #[arg(long)]
    pub(crate) check_config: bool,
    /// Print a configuration with every key, its default and its meaning, and exit
    #[arg(long, conflicts_with = "check_config")]
    pub(crate) print_default_config: bool,
}

/// Where the server is.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    /// The stream's address
    #[arg(long, env = "TICKWIRE_URL", default_value = "ws://127.0.0.1:8080/v1/stream", value_name = "URL")]
    pub(crate) url: String,
    /// The token
    #[arg(long, env = "TICKWIRE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// A certificate to trust, as a PEM file
    #[arg(long, env = "TICKWIRE_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct WatchArgs {
    /// Symbols and patterns: BTC-USD, 'ETH-*', '*'
    #[arg(required = true, value_name = "SYMBOL")]
    pub(crate) symbols: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct SubArgs {
    /// Channel: trades, quotes, ticker, book, candles, status; may be repeated
    #[arg(short, long = "channel", required = true, value_delimiter = ',')]
    pub(crate) channels: Vec<String>,
    /// Symbol or pattern; may be repeated
    #[arg(short, long = "symbol", required = true, value_delimiter = ',')]
    pub(crate) symbols: Vec<String>,
    /// Print whole messages, as they come, instead of records
    #[arg(long)]
    pub(crate) raw: bool,
    /// Print records as JSON lines (the default; for scripts that say so)
    #[arg(long, conflicts_with = "raw")]
    pub(crate) json: bool,
    /// End after so many records (with --raw: messages)
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// Do not ask for the current state first
    #[arg(long)]
    pub(crate) no_snapshot: bool,
    /// Book levels a side: 1, 5, 10, 20, 50, 0 = all
    #[arg(long)]
    pub(crate) depth: Option<u32>,
    /// Interval of candles: 1s, 1m, 5m, 15m, 1h, 1d
    #[arg(long)]
    pub(crate) interval: Option<String>,
    /// At most one update per stream in this time, as 100ms or 2s
    #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) conflate: Option<std::time::Duration>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// Symbol or pattern; may be repeated
    #[arg(short, long = "symbol", default_value = "*", value_delimiter = ',')]
    pub(crate) symbols: Vec<String>,
    /// Channel: trades, quotes, ticker, book, candles, status; may be repeated
    #[arg(short, long = "channel", default_value = "trades,quotes", value_delimiter = ',')]
    pub(crate) channels: Vec<String>,
    /// How many clients
    #[arg(long, default_value_t = 100, value_parser = count, value_name = "N")]
    pub(crate) clients: usize,
    /// Symbols of each client, all of them read by as many; without it, each client has all
    #[arg(long, value_parser = count, value_name = "N")]
    pub(crate) each: Option<usize>,
    /// Book levels a side: 1, 5, 10, 20, 50, 0 = all
    #[arg(long)]
    pub(crate) depth: Option<u32>,
    /// Which part of them reads slowly: 0.1 is a tenth
    #[arg(long, default_value = "0", value_name = "SHARE")]
    pub(crate) slow_share: Share,
    /// Bytes a second that a slow one reads
    #[arg(long, default_value_t = 8_000, value_name = "BYTES")]
    pub(crate) slow_bytes: u32,
    /// Which part of them reads nothing before the end
    #[arg(long, default_value = "0", value_name = "SHARE")]
    pub(crate) frozen_share: Share,
    /// Connections opened in a second; 0 = as many as can be
    #[arg(long, default_value_t = 500, value_name = "N")]
    pub(crate) ramp: u32,
    /// How long they read, once all are connected
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) duration: std::time::Duration,
    /// Write the figures as JSON, too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// A part of a whole, from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(Decimal);

impl Share {
    /// This part of so many, rounded.
    pub(crate) fn of(self, count: usize) -> usize {
        (self.0 * Decimal::from(count)).round().try_into().unwrap_or(count)
    }

    /// This part of 2^64, or one less.
    pub(crate) fn of_all(self) -> u64 {
        (self.0 * Decimal::from(u64::MAX)).round().try_into().unwrap_or(u64::MAX)
    }
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let share = text.parse().ok().filter(|share| (Decimal::ZERO..=Decimal::ONE).contains(share));
        share.map(Self).ok_or("a share is a number from 0 to 1")
    }
}

/// A number of things, at least one.
fn count(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|count| *count > 0).ok_or("a whole number above 0")
}

/// What an emulated venue is to do wrong; a slip of the pen is told apart from the rest.
fn fault(text: &str) -> Result<emulate::Fault, String> {
    text.parse().map_err(|error: emulate::FaultError| {
        let emulate::FaultError::Kind(given) = &error else { return error.to_string() };
        let near = wire::closest(given, emulate::Kind::ALL.iter().map(|kind| kind.name()));
        near.map_or_else(
            || error.to_string(),
            |near| format!("unknown fault {given:?}: did you mean {near:?}?"),
        )
    })
}

#[derive(Args, Debug)]
pub(crate) struct NormalizeArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Print trades that are taken back or said anew, too, and why venues begin books anew
    #[arg(long)]
    pub(crate) corrections: bool,
    /// The recordings, in order: one session. - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct EmulateArgs {
    /// Whose messages the captures are: binance-spot, binance-usdm, binance-coinm, bybit, coinbase, kraken-v2, okx
    #[arg(long, value_name = "NAME", required_unless_present = "list_faults")]
    pub(crate) feed: Option<String>,
    /// Where to listen; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub(crate) addr: std::net::SocketAddr,
    /// How fast: a factor from 0.001 to 1000, or as fast as it is taken
    #[arg(long, default_value = "1x")]
    pub(crate) speed: model::Speed,
    /// Between the first subscription and the first message
    #[arg(long, default_value = "500ms", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) lead: std::time::Duration,
    /// What goes wrong: KIND or KIND:at=20,count=1,conn=0,ms=1000,code=1001; may be repeated
    #[arg(long = "fault", value_name = "FAULT", value_parser = fault)]
    pub(crate) faults: Vec<emulate::Fault>,
    /// Print the kinds of faults and what they do, and exit
    #[arg(long)]
    pub(crate) list_faults: bool,
    /// Captures of the venue, in order: one session
    #[arg(required_unless_present = "list_faults", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Sign a token and print it
    Mint(MintArgs),
    /// Check a token and print what it allows
    Check(CheckArgs),
    /// Make up a token that is good until it is taken out of the configuration
    Fixed(FixedArgs),
}

/// The key that a token is made or checked with.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeyArgs {
    /// The server's configuration: issuer, audience and keys are taken from it
    #[arg(short, long, env = "TICKWIRE_CONFIG", value_name = "FILE", conflicts_with = "key_file")]
    pub(crate) config: Option<PathBuf>,
    /// The key: an HS256 secret, or a PEM file (private to mint, public to check)
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// How tokens are signed: HS256, RS256, ES256, EdDSA
    #[arg(long, default_value = "HS256")]
    pub(crate) algorithm: String,
    /// The key's id
    #[arg(long)]
    pub(crate) kid: Option<String>,
    /// Who issues the token
    #[arg(long, default_value = "tickwire")]
    pub(crate) issuer: String,
    /// Whom the token is for
    #[arg(long, default_value = "tickwire")]
    pub(crate) audience: String,
}

#[derive(Args, Debug)]
pub(crate) struct MintArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// Whose token it is
    #[arg(long)]
    pub(crate) sub: String,
    /// Whose subject that is: those of one tenant share its bounds
    #[arg(long, value_parser = tenant)]
    pub(crate) tenant: Option<String>,
    /// What it allows: stream:PATTERN or stream:PATTERN/CHANNEL; may be repeated
    #[arg(long = "scope", required = true)]
    pub(crate) scopes: Vec<String>,
    /// How long it is valid
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) ttl: std::time::Duration,
}

#[derive(Args, Debug)]
pub(crate) struct FixedArgs {
    /// Whose token it is
    #[arg(long)]
    pub(crate) sub: String,
    /// Whose subject that is: those of one tenant share its bounds
    #[arg(long, value_parser = tenant)]
    pub(crate) tenant: Option<String>,
    /// What it allows: stream:PATTERN or stream:PATTERN/CHANNEL; may be repeated
    #[arg(long = "scope", required = true)]
    pub(crate) scopes: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// The token; - reads it from standard input
    pub(crate) token: String,
}

#[derive(Args, Debug)]
pub(crate) struct DescribeArgs {
    /// Which of them
    pub(crate) what: Description,
}

/// A description of the protocol.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Description {
    /// The stream over a WebSocket, as AsyncAPI 3.0
    Asyncapi,
    /// The doors for plain HTTP, as OpenAPI 3.1
    Openapi,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

fn tenant(name: &str) -> Result<String, String> {
    let refused = || "1 to 128 bytes that can be seen are the name of a tenant".to_owned();
    gateway::tenant(name).map(Into::into).ok_or_else(refused)
}
