//! What a load came to, for people and as JSON.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use load::{Tally, Totals};
use serde_json::{Value, json};

use crate::cli::BenchArgs;

/// What a load came to.
pub(super) struct Report<'a> {
    pub(super) args: &'a BenchArgs,
    pub(super) symbols: usize,
    /// Clients of each group but the last.
    pub(super) groups: Vec<usize>,
    pub(super) span: Duration,
    /// How much of a core the load itself took.
    pub(super) busy: f64,
    /// Nanoseconds that the server's clock is before ours, and of the round trip that says so.
    pub(super) clock: (i64, u64),
    pub(super) opened: Duration,
    pub(super) opening: Histogram<u64>,
    pub(super) windows: Vec<Window>,
    /// Of all the time, up to the ledgers.
    pub(super) totals: Vec<Totals>,
    pub(super) faults: Vec<String>,
}

/// What a group got while it was looked at.
pub(super) struct Window {
    records: u64,
    frames: u64,
    bytes: u64,
    ages: Histogram<u64>,
}

/// Of those that are shown.
const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];
/// Groups of clients, in the order of the crowd.
const GROUPS: [&str; 3] = ["frozen", "slow", "healthy"];
/// From here on the load may be what is slow.
const BUSY: f64 = 0.9;

impl Window {
    pub(super) fn of(tally: &Tally) -> Self {
        let (records, frames, bytes) = (tally.records, tally.frames, tally.bytes);
        Self { records, frames, bytes, ages: tally.ages.clone() }
    }
}

impl Report<'_> {
    fn groups(&self) -> impl Iterator<Item = (&str, usize, &Window, Totals)> {
        let healthy = self.args.clients - self.groups.iter().sum::<usize>();
        let counts = self.groups.iter().copied().chain([healthy]);
        let got = self.windows.iter().zip(self.totals.iter().copied());
        let all = GROUPS.into_iter().zip(counts).zip(got);
        all.map(|((name, count), (window, totals))| (name, count, window, totals))
    }

    pub(super) fn json(&self) -> Value {
        let groups = self.groups().map(|(name, count, window, totals)| {
            let group = json!({
                "clients": count,
                "records": window.records, "records_per_second": self.per_second(window.records),
                "messages": window.frames, "bytes": window.bytes,
                "age_ms": millis(&window.ages),
                "delivered": totals.delivered, "coalesced": totals.coalesced, "skipped": totals.skipped,
            });
            (name.to_owned(), group)
        });
        json!({
            "clients": self.args.clients, "symbols": self.symbols, "channels": self.args.channels,
            "seconds": self.span.as_secs_f64(),
            "groups": groups.collect::<serde_json::Map<_, _>>(),
            "connect_ms": millis(&self.opening), "connected_in_seconds": self.opened.as_secs_f64(),
            "clock_ahead_ns": self.clock.0, "round_trip_ns": self.clock.1,
            "generator": self.busy,
            "faults": self.faults,
        })
    }

    fn per_second(&self, count: u64) -> u64 {
        let per_second = u128::from(count) * 1_000_000 / self.span.as_micros().max(1);
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }
}

/// Quantiles in milliseconds.
fn millis(of: &Histogram<u64>) -> Value {
    let value = |&(name, quantile): &(&str, f64)| (name.to_owned(), json!(at(of, quantile)));
    Value::Object(QUANTILES.iter().map(value).collect())
}

fn at(of: &Histogram<u64>, quantile: f64) -> f64 {
    Duration::from_micros(of.value_at_quantile(quantile)).as_secs_f64() * 1e3
}

fn shown(of: &Histogram<u64>) -> String {
    let value = |&(name, quantile): &(&str, f64)| format!("{name} {:.2}", at(of, quantile));
    QUANTILES.iter().map(value).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (args, channels) = (self.args, self.args.channels.join(", "));
        let seconds = self.span.as_secs_f64();
        writeln!(f, "{} clients, {} symbols of {channels}, {seconds:.1} s", args.clients, self.symbols)?;
        for (name, count, window, totals) in self.groups().filter(|(_, count, ..)| *count > 0) {
            let [records, frames, bytes] =
                [window.records, window.frames, window.bytes].map(|count| self.per_second(count));
            writeln!(
                f,
                "{name:8} {count:>6}  {records} records/s in {frames} messages/s, {} kB/s",
                bytes / 1_000
            )?;
            let Totals { delivered, coalesced, skipped } = totals;
            writeln!(
                f,
                "                 {delivered} delivered, {coalesced} coalesced, {skipped} skipped in all"
            )?;
            if !window.ages.is_empty() {
                writeln!(f, "                 age when read, ms: {}", shown(&window.ages))?;
            }
        }
        writeln!(f, "connect, ms      {}; all in {:.1} s", shown(&self.opening), self.opened.as_secs_f64())?;
        let [ahead, round_trip] =
            [i128::from(self.clock.0), i128::from(self.clock.1)].map(|nanos| nanos / 1_000);
        writeln!(
            f,
            "clock            the server's is {ahead} µs ahead, ± {} µs: ages allow for it",
            round_trip / 2
        )?;
        if self.busy > BUSY {
            writeln!(
                f,
                "load             {:.2} of a core: it may be what is slow, not the server",
                self.busy
            )?;
        }
        match self.faults.first() {
            None => writeln!(f, "accounts         every sequence tiles, every ledger closes"),
            Some(first) => {
                writeln!(f, "accounts         {} are wrong; the first: {first}", self.faults.len())
            }
        }
    }
}
