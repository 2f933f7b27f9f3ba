//! What a look comes to: the figures of a plant over an interval.

use std::collections::BTreeMap;

use model::{Channel, UnixNanos};
use serde::Serialize;

use super::look::{Look, STARTED, Session, Symbol};
use super::verdict::{Finding, judge};
use crate::commands::samples::{Distribution, Samples};

/// The figures of a plant.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) at: String,
    pub(super) plant: String,
    pub(super) version: String,
    pub(super) status: String,
    pub(super) up_seconds: f64,
    /// How long it was looked.
    pub(super) seconds: f64,
    /// What is wrong and on whose side it is, the worst first; empty where nothing is.
    pub(super) findings: Vec<Finding>,
    pub(super) process: Process,
    pub(super) clients: Clients,
    pub(super) updates: Updates,
    /// How long records had waited, by whom they waited for.
    pub(super) waited_for_server: Option<Latency>,
    pub(super) waited_for_client: Option<Latency>,
    pub(super) recorder: Option<Recorder>,
    pub(super) feeds: Vec<Feed>,
    pub(super) channels: Vec<PerChannel>,
    pub(super) sessions: Vec<Session>,
    /// As many fit what was asked for.
    pub(super) sessions_found: usize,
    pub(super) symbols: Vec<Symbol>,
    pub(super) symbols_listed: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Process {
    /// 1 = one processor, all the time.
    pub(super) processors: f64,
    /// How much of the threads' time is work.
    pub(super) busy: f64,
    pub(super) memory_bytes: f64,
    pub(super) files: f64,
    pub(super) files_max: f64,
    pub(super) threads: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Clients {
    pub(super) sessions: f64,
    pub(super) limit: f64,
    pub(super) slow: f64,
    pub(super) by_door: BTreeMap<String, f64>,
    pub(super) opened_per_second: f64,
    pub(super) closed_per_second: f64,
    /// While it was looked, by reason.
    pub(super) closed: BTreeMap<String, f64>,
    /// Connections that did not become sessions, while it was looked, by reason.
    pub(super) refused: BTreeMap<String, f64>,
}

/// In a second.
#[derive(Debug, Serialize)]
pub(super) struct Updates {
    pub(super) published: f64,
    pub(super) delivered: f64,
    pub(super) coalesced: f64,
    pub(super) skipped: f64,
    pub(super) sent_bytes: f64,
    pub(super) received_bytes: f64,
}

/// In seconds.
#[derive(Debug, Serialize)]
pub(super) struct Latency {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    /// Below it there is no telling.
    pub(super) least: f64,
    pub(super) records: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Recorder {
    pub(super) recorded_per_second: f64,
    pub(super) held: f64,
    pub(super) waits_for_disk: bool,
    pub(super) missing: f64,
    /// While it was looked.
    pub(super) new_missing: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Feed {
    #[serde(rename = "feed")]
    pub(super) name: String,
    pub(super) state: String,
    pub(super) events_per_second: f64,
    pub(super) lag_seconds: Option<f64>,
    /// Since its last event.
    pub(super) silent_seconds: Option<f64>,
    /// Since the start, and while it was looked.
    pub(super) gaps: f64,
    pub(super) new_gaps: f64,
    pub(super) faults: f64,
    pub(super) new_faults: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct PerChannel {
    #[serde(rename = "channel")]
    pub(super) name: String,
    pub(super) delivered_per_second: f64,
    pub(super) coalesced_per_second: f64,
    pub(super) skipped_per_second: f64,
    /// Since the start.
    pub(super) delivered: f64,
    pub(super) coalesced: f64,
    pub(super) skipped: f64,
}

/// What was counted, and how much of it is new.
struct Counters<'a> {
    before: &'a Samples,
    after: &'a Samples,
    seconds: f64,
}

impl Counters<'_> {
    fn all(&self, name: &str) -> f64 {
        self.after.sum(name).unwrap_or(0.0)
    }

    fn rate(&self, name: &str) -> f64 {
        (self.all(name) - self.before.sum(name).unwrap_or(0.0)).max(0.0) / self.seconds
    }

    fn new_by(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let before = self.before.by(name, label);
        let mut news = self.after.by(name, label);
        for (value, count) in &mut news {
            *count = (*count - before.get(value).copied().unwrap_or(0.0)).max(0.0);
        }
        news
    }

    fn latency(&self, waited_for: &str) -> Option<Latency> {
        let part = ("waited_for", waited_for);
        let waits = Distribution::between(self.before, self.after, "delivery_latency_seconds", part);
        let of = |share| waits.quantile(share);
        let (p50, p90, p99) = (of(0.5)?, of(0.9)?, of(0.99)?);
        Some(Latency { p50, p90, p99, least: waits.least(), records: waits.count() })
    }

    fn recorder(&self) -> Option<Recorder> {
        let held = self.after.sum("recorder_held_updates")?;
        Some(Recorder {
            recorded_per_second: self.rate("recorded_updates_total"),
            held,
            waits_for_disk: self.all("recorder_waits_for_disk") > 0.0,
            missing: self.all("unrecorded_updates_total"),
            new_missing: self.rate("unrecorded_updates_total") * self.seconds,
        })
    }

    fn feeds(&self, states: &BTreeMap<String, String>, now: f64) -> Vec<Feed> {
        let by = |name| self.after.by(name, "feed");
        let new = |name| self.new_by(name, "feed");
        let (events, lags, last) =
            (new("feed_events_total"), by("feed_lag_seconds"), by("feed_last_event_timestamp_seconds"));
        let (gaps, new_gaps) = (by("feed_sequence_gaps_total"), new("feed_sequence_gaps_total"));
        let (faults, new_faults) = (by("feed_errors_total"), new("feed_errors_total"));
        // A feed that said something wrong, and nothing else, has no state yet.
        let mut names: Vec<_> = states.keys().chain(last.keys()).chain(faults.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let of = |counts: &BTreeMap<String, f64>, name: &str| counts.get(name).copied().unwrap_or(0.0);
        let feed = |name: &String| Feed {
            name: name.clone(),
            state: states.get(name).cloned().unwrap_or_else(|| "unknown".to_owned()),
            events_per_second: of(&events, name) / self.seconds,
            lag_seconds: lags.get(name).copied(),
            silent_seconds: last.get(name).map(|last| (now - last).max(0.0)),
            gaps: of(&gaps, name),
            new_gaps: of(&new_gaps, name),
            faults: of(&faults, name),
            new_faults: of(&new_faults, name),
        };
        names.into_iter().map(feed).collect()
    }

    fn channels(&self) -> Vec<PerChannel> {
        let counts = ["updates_delivered_total", "updates_coalesced_total", "updates_skipped_total"]
            .map(|name| (self.after.by(name, "channel"), self.new_by(name, "channel")));
        let channel = |channel: Channel| {
            let of = |counts: &BTreeMap<String, f64>| counts.get(channel.as_str()).copied().unwrap_or(0.0);
            PerChannel {
                name: channel.as_str().to_owned(),
                delivered_per_second: of(&counts[0].1) / self.seconds,
                coalesced_per_second: of(&counts[1].1) / self.seconds,
                skipped_per_second: of(&counts[2].1) / self.seconds,
                delivered: of(&counts[0].0),
                coalesced: of(&counts[1].0),
                skipped: of(&counts[2].0),
            }
        };
        Channel::ALL.into_iter().map(channel).collect()
    }
}

impl Report {
    pub(super) fn of(look: Look, plant: &str, now: UnixNanos) -> Self {
        let Look { ready, before, after, seconds, sessions, slow, symbols } = look;
        let counters = Counters { before: &before, after: &after, seconds };
        let (all, rate) = (|name| counters.all(name), |name| counters.rate(name));
        #[expect(clippy::cast_precision_loss, reason = "seconds, to be looked at")]
        let wall = now.0 as f64 / 1e9;
        let closed = counters.new_by("connections_closed_total", "reason");
        let mut report = Self {
            at: now.to_string(),
            plant: plant.to_owned(),
            version: after.label("build_info", "version").unwrap_or("unknown").to_owned(),
            status: ready.status,
            up_seconds: after.sum(STARTED).map_or(0.0, |started| (wall - started).max(0.0)),
            seconds,
            findings: Vec::new(),
            process: Process {
                processors: rate("process_cpu_seconds_total"),
                busy: (rate("runtime_busy_seconds_total") / all("runtime_workers").max(1.0)).min(1.0),
                memory_bytes: all("process_resident_memory_bytes"),
                files: all("process_open_fds"),
                files_max: all("process_max_fds"),
                threads: all("process_threads"),
            },
            clients: Clients {
                sessions: all("connections"),
                limit: all("connections_limit"),
                slow: all("slow_consumers"),
                by_door: after.by("connections", "transport"),
                opened_per_second: rate("connections_opened_total"),
                closed_per_second: rate("connections_closed_total"),
                closed: some(closed),
                refused: some(counters.new_by("handshake_failures_total", "reason")),
            },
            updates: Updates {
                published: rate("updates_published_total"),
                delivered: rate("updates_delivered_total"),
                coalesced: rate("updates_coalesced_total"),
                skipped: rate("updates_skipped_total"),
                sent_bytes: rate("sent_bytes_total"),
                received_bytes: rate("received_bytes_total"),
            },
            waited_for_server: counters.latency("server"),
            waited_for_client: counters.latency("client"),
            recorder: counters.recorder(),
            feeds: counters.feeds(&ready.feeds, wall),
            channels: counters.channels(),
            sessions: sessions.sessions,
            sessions_found: sessions.total,
            symbols: symbols.symbols,
            symbols_listed: symbols.listed,
        };
        let certificate_days =
            after.sum("tls_not_after_timestamp_seconds").map(|end| (end - wall) / 86_400.0);
        report.findings = judge(&report, &slow.sessions, certificate_days);
        report
    }
}

/// Without those that did not happen.
fn some(counts: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    counts.into_iter().filter(|(_, count)| *count > 0.0).collect()
}
