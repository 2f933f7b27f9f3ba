//! Logs: to standard error, as text for a person and as JSON lines for a machine.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use gateway::LogLever;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::reload::Handle;

use crate::exit::{Failure, Outcome};

/// What is logged, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct LogArgs {
    /// What is logged: a level (error, warn, info, debug, trace), or levels by module
    #[arg(long = "log", global = true, env = "TICKWIRE_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) filter: String,
    /// How log lines look
    #[arg(
        long = "log-format",
        global = true,
        env = "TICKWIRE_LOG_FORMAT",
        value_enum,
        default_value = "auto"
    )]
    pub(crate) format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Text on a terminal and of commands that are no servers, JSON otherwise
    Auto,
    /// Text
    Text,
    /// One JSON object a line
    Json,
}

/// Puts another filter in force while the program runs.
pub(crate) type Lever = Arc<LogLever>;

/// `lines` tells that a machine reads the log of this command, unless it goes to a terminal.
pub(crate) fn start(args: &LogArgs, lines: bool) -> Outcome<Lever> {
    let refused = |error: String| Failure::usage(anyhow!("--log {:?} is no filter: {error}", args.filter));
    let filter = filter(&args.filter).map_err(refused)?;
    let terminal = io::stderr().is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // Where nobody reads the log any more, telling so would panic the thread that logged.
    let builder = fmt()
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        .with_ansi(colour);
    let json = args.format == LogFormat::Json || (args.format == LogFormat::Auto && lines && !terminal);
    if json {
        let builder = builder.json().flatten_event(true).with_filter_reloading();
        let handle = builder.reload_handle();
        builder.init();
        return Ok(lever(handle));
    }
    let builder = builder.with_filter_reloading();
    let handle = builder.reload_handle();
    builder.init();
    Ok(lever(handle))
}

/// A filter. What is no level alone would be taken for a module, and silence all others.
fn filter(text: &str) -> Result<EnvFilter, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let alone = text.split(',').map(str::trim).filter(|part| !part.is_empty() && !part.contains(['=', '[']));
    for part in alone {
        if !LEVELS.contains(&part.to_ascii_lowercase().as_str()) {
            let near = wire::closest(part, LEVELS).map(|near| format!(", did you mean {near}?"));
            let near = near.unwrap_or_else(|| ": say MODULE=LEVEL for a module".into());
            return Err(format!("{part:?} is no level{near}"));
        }
    }
    EnvFilter::try_new(text).map_err(|error| error.to_string())
}

fn lever<S: 'static>(handle: Handle<EnvFilter, S>) -> Lever {
    Arc::new(move |filter| {
        if let Some(filter) = filter {
            let filter = self::filter(filter)?;
            handle.reload(filter).map_err(|error| error.to_string())?;
        }
        handle.with_current(ToString::to_string).map_err(|error| error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_no_module() {
        for good in ["info", "WARN", "info,gateway=debug", "off,[session]=trace", ""] {
            assert!(filter(good).is_ok(), "{good}");
        }
        assert_eq!(filter("debg").unwrap_err(), "\"debg\" is no level, did you mean debug?");
        let odd = filter("info,gateway").unwrap_err();
        assert_eq!(odd, "\"gateway\" is no level: say MODULE=LEVEL for a module");
    }
}
