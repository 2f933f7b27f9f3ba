//! `tickwire bench`: many clients on a running server, each of which holds it to its promise.

use std::fs;
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use client::{Endpoint, Target};
use indicatif::{ProgressBar, ProgressStyle};
use load::{Crowd, Dialect, Group, LoadError, Looks, Plan, Stamp, Survey, Trust};
use tokio::time::timeout;

use self::report::{Report, Window};
use super::sub::heed;
use crate::cli::BenchArgs;
use crate::exit::{Failure, Outcome};
use crate::plant::runtime;

mod report;

/// For the server to say what there is, and in the end for the ledgers.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections that are being opened at a time.
const AT_A_TIME: usize = 256;
/// One record in so many has its age looked at.
const AGES: u64 = 4;
/// How often the bar moves.
const STEP: Duration = Duration::from_millis(250);

pub(crate) fn run(args: &BenchArgs) -> Outcome {
    let endpoint = Endpoint::from(args.server.clone());
    if args.slow_share.of(args.clients) + args.frozen_share.of(args.clients) > args.clients {
        return Err(Failure::usage(anyhow!("--slow-share and --frozen-share are more than all together")));
    }
    let survey = runtime()?.block_on(async {
        let survey = Survey::of(&endpoint, &args.channels, &args.symbols, heed);
        timeout(PATIENCE, survey)
            .await
            .map_err(|_| Failure::connect(anyhow!("the server does not answer")))?
    })?;
    if survey.symbols.is_empty() {
        return Err(Failure::usage(anyhow!("no symbol fits")));
    }
    let target = endpoint.target()?;
    let depth = args.depth.map(|depth| format!(",\"depth\":{depth}")).unwrap_or_default();
    let dialect = Dialect::tickwire(&target.path, endpoint.token, &args.channels, &depth);
    let slow = [(args.frozen_share, 0), (args.slow_share, args.slow_bytes)]
        .map(|(share, bytes_per_second)| Group { count: share.of(args.clients), bytes_per_second });
    let plan = Plan {
        address: resolve(&target)?,
        host: &format!("{}:{}", target.host, target.port),
        trust: target.tls.as_ref().map(|(config, name)| Trust::new(config, name.clone())),
        dialect: &dialect,
        symbols: &survey.symbols,
        wants: &wants(args.clients, survey.symbols.len(), args.each),
        at_a_time: AT_A_TIME,
        ramp: args.ramp,
        slow: &slow,
        looks: Looks::Check,
        stamp: (Stamp::Received, survey.ahead),
    };
    // A place that cannot be written to is told of before the load, not after it.
    let named = |path: &std::path::PathBuf| path.display().to_string();
    let file =
        args.json.as_ref().map(|path| fs::File::create(path).with_context(|| named(path))).transpose()?;
    let report = load(args, &plan, &survey).map_err(failure)?;
    write!(io::stdout().lock(), "{report}")?;
    if let Some(mut file) = file {
        let text = serde_json::to_string_pretty(&report.json()).context("figures as JSON")?;
        writeln!(file, "{text}").context("figures as JSON")?;
    }
    if report.faults.is_empty() { Ok(()) } else { Err(Failure::told()) }
}

/// Connects, lets the clients read for a while, and asks for the ledgers.
fn load<'a>(args: &'a BenchArgs, plan: &Plan<'_>, survey: &Survey) -> Result<Report<'a>, LoadError> {
    let bar = bar("connect", args.clients);
    let began = Instant::now();
    let mut crowd = Crowd::connect(plan, |live| bar.set_position(live as u64))?;
    let opened = began.elapsed();
    bar.finish_and_clear();

    let bar = self::bar("load", usize::try_from(args.duration.as_millis()).unwrap_or(usize::MAX));
    crowd.slow(true)?;
    crowd.restart(AGES);
    let (began, busy) = (Instant::now(), busy());
    while began.elapsed() < args.duration {
        crowd.read(STEP.min(args.duration.saturating_sub(began.elapsed())))?;
        bar.set_position(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
    let span = began.elapsed();
    let busy = self::busy().saturating_sub(busy).div_duration_f64(span);
    let windows = crowd.tallies.iter().map(Window::of).collect();
    bar.set_message("ledgers");
    crowd.settle(PATIENCE)?;
    bar.finish_and_clear();
    Ok(Report {
        args,
        symbols: survey.symbols.len(),
        groups: plan.slow.iter().map(|group| group.count).collect(),
        span,
        busy,
        clock: (survey.ahead, survey.round_trip),
        opened,
        opening: crowd.opening.clone(),
        windows,
        totals: crowd.totals(),
        faults: crowd.faults().map(ToString::to_string).collect(),
    })
}

/// What each client subscribes to: `each` symbols, so that all have as many readers; all without it.
fn wants(clients: usize, symbols: usize, each: Option<usize>) -> Vec<Vec<usize>> {
    let each = each.map_or(symbols, |each| each.min(symbols));
    (0..clients).map(|client| (0..each).map(|n| (client * each + n) % symbols).collect()).collect()
}

fn resolve(target: &Target) -> Outcome<SocketAddr> {
    let found = (target.host.as_str(), target.port).to_socket_addrs();
    let mut found = found.map_err(|error| Failure::connect(anyhow!("{}: {error}", target.host)))?;
    // An address that is listened on was found by the survey; the first one is most often it.
    found.next().ok_or_else(|| Failure::connect(anyhow!("{}: no address", target.host)))
}

fn failure(error: LoadError) -> Failure {
    match error {
        LoadError::Files { .. } => Failure::usage(error),
        LoadError::Io(_) | LoadError::Refused(_) | LoadError::Slow { .. } => Failure::connect(error),
        other => anyhow::Error::from(other).into(),
    }
}

/// A bar on standard error, where that is a terminal.
fn bar(what: &'static str, length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_message(what);
    let style = ProgressStyle::with_template("{msg:8} {wide_bar} {percent:>3}% {elapsed}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Processor time of this thread so far; nothing where the system does not say.
fn busy() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_have_as_many_readers_each() {
        assert_eq!(wants(2, 3, None), [[0, 1, 2], [0, 1, 2]]);
        assert_eq!(wants(3, 3, Some(2)), [[0, 1], [2, 0], [1, 2]]);
        assert_eq!(wants(1, 2, Some(9)), [[0, 1]]);
    }
}
