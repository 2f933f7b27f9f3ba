//! The commands of operators: what they are told.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
pub(crate) struct HealthArgs {
    /// The server's admin address
    #[arg(long, env = "TICKWIRE_ADMIN_LISTEN", default_value = "127.0.0.1:9090", value_name = "ADDRESS")]
    pub(crate) admin: String,
    /// Give up after this time
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) timeout: Duration,
}

#[derive(Args, Debug)]
#[command(after_help = TOP)]
pub(crate) struct TopArgs {
    /// The server's admin address
    #[arg(long, env = "TICKWIRE_ADMIN_LISTEN", default_value = "127.0.0.1:9090", value_name = "ADDRESS")]
    pub(crate) admin: String,
    #[arg(
        long,
        env = "TICKWIRE_TOKEN_FILE",
        value_name = "FILE",
        help = "A file with the token, read again each time; without it TICKWIRE_TOKEN is the token"
    )]
    pub(crate) token_file: Option<PathBuf>,
    /// How often to look, and how long each time
    #[arg(long, default_value = "2s", value_parser = interval, value_name = "TIME")]
    pub(crate) interval: Duration,
    /// Which sessions come first: those with the most of it
    #[arg(long, value_enum, default_value = "lag")]
    pub(crate) sort: SessionSort,
    /// Sessions with this in their name, subject, tenant or address
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub(crate) find: String,
    /// Sessions and symbols in a report
    #[arg(long, default_value_t = 20, value_parser = rows, value_name = "N")]
    pub(crate) limit: usize,
    /// Print one report, and end
    #[arg(long)]
    pub(crate) once: bool,
    /// Print one report as JSON, and end
    #[arg(long)]
    pub(crate) json: bool,
}

const TOP: &str = "\
The token needs the scope admin; it is in TICKWIRE_TOKEN or a file, never on the command line, which others can see.
Whose fault it is, is said in the second line: plant, feeds, clients, network or operators.";

/// By what sessions are sorted.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SessionSort {
    /// Slow ones first, by how far they are behind
    Lag,
    /// Records sent in a second
    Delivered,
    /// Updates merged in a second
    Coalesced,
    /// Bytes sent in a second
    Bytes,
    /// Updates that wait
    Pending,
    /// Updates in gaps in a second
    Skipped,
    /// How long it has been there
    Age,
    /// Its name
    Session,
}

impl SessionSort {
    /// What the server calls it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Lag => "lag",
            Self::Delivered => "delivered",
            Self::Coalesced => "coalesced",
            Self::Bytes => "bytes",
            Self::Pending => "pending",
            Self::Skipped => "skipped",
            Self::Age => "age",
            Self::Session => "session",
        }
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let least = Duration::from_millis(200);
    if time < least { Err("200ms at least".to_owned()) } else { Ok(time) }
}

fn rows(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|count| (1..=1_000).contains(count)).ok_or("a number from 1 to 1000")
}

#[derive(Args, Debug)]
#[command(after_help = DOCTOR)]
pub(crate) struct DoctorArgs {
    /// The configuration file
    #[arg(short, long, env = "TICKWIRE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A feed definition beside those of the configuration; may be repeated
    #[arg(long = "feed", value_name = "FILE")]
    pub(crate) feeds: Vec<PathBuf>,
    /// The name by which clients connect: the certificate must be for it; may be repeated
    #[arg(long = "name", value_name = "HOST")]
    pub(crate) names: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

const DOCTOR: &str = "\
Each check is ok, warn, fail, or unknown where it could not be told here. Exit codes: 0 nothing fails, 1 something does.
Run it as the user that the server runs as, with its limits and its environment.";
