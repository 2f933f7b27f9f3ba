//! What is wrong, and on whose side it is. The bounds are those of the alerts (`deploy/prometheus`).

use std::collections::BTreeSet;

use serde::Serialize;

use super::look::{STALLED, Session};
use super::report::{Feed, Report};
use crate::commands::figures::{count, duration};

/// Something that an operator should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) side: Side,
    pub(super) what: String,
}

/// How bad it is; the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// As it should be; good to know.
    Note,
    /// Somebody should look.
    Warn,
    /// Clients are served wrongly, or not at all.
    Bad,
}

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    Plant,
    Feeds,
    Clients,
    Network,
    Operators,
}

impl Side {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Plant => "plant",
            Self::Feeds => "feeds",
            Self::Clients => "clients",
            Self::Network => "network",
            Self::Operators => "operators",
        }
    }
}

/// Records that wait for nobody but the plant should not take longer.
const LATE_SECONDS: f64 = 0.25;
/// From so many records on.
const RECORDS_MIN: f64 = 50.0;
/// How busy threads may be.
const BUSY: f64 = 0.9;
/// Over a shorter look it says nothing.
const BUSY_LOOK: f64 = 1.0;
/// How full what is bounded may be.
const FULL: f64 = 0.85;
/// A feed that is silent for longer, or that comes so late, is in trouble.
const SILENT_SECONDS: f64 = 10.0;
const LAG_SECONDS: f64 = 2.0;
/// Slow sessions that are more than some: so many, and such a part of all.
const MANY: f64 = 5.0;
const MANY_SHARE: f64 = 0.1;
/// Such a part of all is not the fault of each.
const MOST_SHARE: f64 = 0.5;
const CERTIFICATE_DAYS: f64 = 14.0;
/// Connections or tokens refused in a second that are more than slips.
const REFUSED: f64 = 1.0;

/// The worst first.
pub(super) fn judge(report: &Report, slow: &[Session], certificate_days: Option<f64>) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    findings.plant(report);
    findings.feeds(report);
    findings.slow(report, slow);
    findings.doors(report);
    if let Some(days) = certificate_days.filter(|days| *days < CERTIFICATE_DAYS) {
        let level = if days < 2.0 { Level::Bad } else { Level::Warn };
        let what = if days < 0.0 {
            "the certificate has ended: no client that checks it comes in".to_owned()
        } else {
            format!("the certificate ends in {}", duration(days * 86_400.0))
        };
        findings.add(level, Side::Operators, what);
    }
    findings.0.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, level: Level, side: Side, what: impl Into<String>) {
        self.0.push(Finding { level, side, what: what.into() });
    }

    fn plant(&mut self, report: &Report) {
        let (process, clients) = (&report.process, &report.clients);
        if report.status == "draining" {
            self.add(Level::Warn, Side::Operators, "draining: the plant sends its clients elsewhere");
        }
        if let Some(waits) = &report.waited_for_server
            && waits.p99 > LATE_SECONDS
            && waits.records >= RECORDS_MIN
        {
            let what = format!("records wait {} for us at the 99th percentile", duration(waits.p99));
            self.add(Level::Bad, Side::Plant, what);
        }
        if process.busy > BUSY && report.seconds >= BUSY_LOOK {
            let what = format!("the plant's threads are {:.0} % busy", process.busy * 100.0);
            self.add(Level::Warn, Side::Plant, what);
        }
        if let Some(recorder) = &report.recorder {
            if recorder.new_missing > 0.0 {
                let what = format!("{} updates are missing from the recording", count(recorder.new_missing));
                self.add(Level::Bad, Side::Operators, what);
            }
            if recorder.waits_for_disk {
                let what = format!("the disk refuses the recording: {} updates wait", count(recorder.held));
                self.add(Level::Warn, Side::Operators, what);
            }
        }
        let full = [
            ("sessions", clients.sessions, clients.limit, "connections of [limits]"),
            ("open files", process.files, process.files_max, "the limit on open files"),
        ];
        for (what, has, may, limit) in full {
            if may > 0.0 && has / may > FULL {
                let what = format!("{} of {} {what}: raise {limit}", count(has), count(may));
                self.add(Level::Warn, Side::Operators, what);
            }
        }
    }

    fn feeds(&mut self, report: &Report) {
        match report.status.as_str() {
            "no live feed" => self.add(Level::Bad, Side::Feeds, "no feed is live"),
            "no feed event yet" => self.add(Level::Warn, Side::Feeds, "no feed has said anything yet"),
            _ => {}
        }
        for feed in &report.feeds {
            if let Some((level, what)) = trouble(feed) {
                self.add(level, Side::Feeds, format!("{} {what}", feed.name));
            }
        }
    }

    /// Whether it is them, what is between, or us.
    fn slow(&mut self, report: &Report, slow: &[Session]) {
        let (clients, all) = (&report.clients, report.clients.sessions.max(1.0));
        let slow: Vec<_> = slow.iter().filter(|session| session.is_slow()).collect();
        // The list and the counter are not of one moment.
        let many = clients.slow.max(count_of(slow.len()));
        let Some(first) = slow.first() else { return };
        let worst = f64::from(u32::try_from(first.oldest_pending_ms).unwrap_or(u32::MAX)) / 1_000.0;
        let behind = format!("{} behind", duration(worst));
        let whose: BTreeSet<_> = slow.iter().map(|session| name(session)).collect();
        let hosts: BTreeSet<_> = slow.iter().filter_map(|session| host(session)).collect();
        let some = format!("{} of {} sessions", count(many), count(all));
        let is_many = many >= MANY && many / all > MANY_SHARE;
        let level = if is_many { Level::Warn } else { Level::Note };
        if slow.iter().all(|session| session.bytes_per_second > 0) {
            let what = format!("{some} get no more than the bytes a second that they may, {behind}");
            self.add(level, Side::Clients, what);
        } else if slow.len() == 1 {
            let from = host(first).map(|host| format!(" at {host}")).unwrap_or_default();
            let reads = if first.mode == STALLED { "nothing" } else { "less than it asked for" };
            let what = format!("{}{from} reads {reads}: {behind}", name(first));
            self.add(level, Side::Clients, what);
        } else if whose.len() == 1 {
            let what = format!("{some} are slow, all of them of {}: {behind}", name(first));
            self.add(level, Side::Clients, what);
        } else if let (1, Some(host)) = (hosts.len(), host(first)) {
            let what = format!("{some} are slow, all of them at {host}: {behind}");
            self.add(level, if is_many { Side::Network } else { Side::Clients }, what);
        } else if is_many && many / all > MOST_SHARE {
            let what = format!("{some} are slow, everybody's: look at the plant's own network, {behind}");
            self.add(level, Side::Network, what);
        } else {
            let what =
                format!("{some} read less than they asked for, the worst of {}: {behind}", name(first));
            self.add(level, Side::Clients, what);
        }
    }

    fn doors(&mut self, report: &Report) {
        let clients = &report.clients;
        let refused: f64 = clients.refused.values().sum();
        if refused / report.seconds > REFUSED {
            let most = clients.refused.iter().max_by(|one, other| one.1.total_cmp(other.1));
            let why = most.map_or("", |(reason, _)| reason.as_str());
            let ours = matches!(why, "connection_limit" | "accept" | "tls");
            let side = if ours { Side::Operators } else { Side::Clients };
            let what = format!("{} connections were refused, most of them for {why}", count(refused));
            self.add(Level::Warn, side, what);
        }
        let lost = |reason: &str| clients.closed.get(reason).copied().unwrap_or(0.0);
        for (reason, side, what) in [
            ("slow_consumer", Side::Clients, "that want every event fell behind the log, and were closed"),
            ("ping_timeout", Side::Network, "did not answer any more, and were taken for gone"),
        ] {
            if lost(reason) > 0.0 {
                self.add(Level::Warn, side, format!("{} sessions {what}", count(lost(reason))));
            }
        }
        if report.updates.skipped > 0.001 * report.updates.delivered && report.updates.skipped > REFUSED {
            let what = format!(
                "{} updates a second are skipped: gaps or snapshots stand for them",
                count(report.updates.skipped)
            );
            self.add(Level::Note, Side::Clients, what);
        }
    }
}

/// What is wrong with a feed.
fn trouble(feed: &Feed) -> Option<(Level, String)> {
    let silent = feed.silent_seconds.filter(|silent| *silent > SILENT_SECONDS).map(duration);
    match (feed.state.as_str(), &silent) {
        ("source_down", _) => return Some((Level::Bad, "is not connected, or has ended".to_owned())),
        ("stale", Some(silent)) => return Some((Level::Bad, format!("has been silent for {silent}"))),
        ("stale", None) => return Some((Level::Bad, "is silent".to_owned())),
        ("suspect", _) => {
            return Some((Level::Warn, "has lost updates, and waits for a snapshot".to_owned()));
        }
        _ => {}
    }
    if feed.new_gaps > 0.0 {
        return Some((Level::Warn, format!("has lost updates: {} books voided", count(feed.new_gaps))));
    }
    if feed.new_faults > 0.0 {
        return Some((Level::Warn, format!("sends what is refused: {} messages", count(feed.new_faults))));
    }
    let late = feed.lag_seconds.filter(|lag| feed.state == "open" && *lag > LAG_SECONDS)?;
    Some((Level::Warn, format!("comes {} late", duration(late))))
}

fn name(session: &Session) -> &str {
    session.subject.as_deref().unwrap_or("somebody without a token")
}

/// The address without its port.
fn host(session: &Session) -> Option<&str> {
    Some(session.address.as_deref()?.rsplit_once(':')?.0)
}

fn count_of(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
