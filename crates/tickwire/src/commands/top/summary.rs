//! The lines above the tables: the one that says what is wrong, and the plant's own figures.

use super::report::{Latency, Report};
use super::verdict::{Finding, Level};
use crate::commands::figures::{bytes, count, duration, percent};
use crate::commands::paint::{Ink, Line};

/// Where figures stand under each other.
const LABEL: usize = 10;
const STOP: usize = 19;

/// One line: what is wrong, or that nothing is.
pub(super) fn health(report: &Report) -> Line {
    let Some(first) = report.findings.first() else {
        let live = report.feeds.iter().filter(|feed| feed.state == "open").count();
        let feeds = report.feeds.len();
        let live = if live == feeds { format!("{live} live") } else { format!("{live} of {feeds} live") };
        let sessions = plural(report.clients.sessions, "session");
        return Line::of(Ink::Good, label("ok"))
            .and(Ink::Plain, format!("all is well: feeds {live}; {sessions}, all keep up"));
    };
    let mut line = finding(first);
    match report.findings.len() - 1 {
        0 => {}
        more => line.push(Ink::Faint, format!("  (and {more} more)")),
    }
    line
}

pub(super) fn finding(finding: &Finding) -> Line {
    let (ink, word) = match finding.level {
        // As it should be, and good to know.
        Level::Note => (Ink::Good, "ok"),
        Level::Warn => (Ink::Warn, "warn"),
        Level::Bad => (Ink::Bad, "fault"),
    };
    let side = format!("{:<LABEL$}", finding.side.as_str());
    Line::of(ink, label(word)).and(Ink::Strong, side).and(Ink::Plain, &finding.what)
}

fn label(word: &str) -> String {
    format!("{word:<LABEL$}")
}

/// The plant's own figures.
pub(super) fn figures(report: &Report, width: usize) -> Vec<Line> {
    let row = |label: &str, figures: &[(&str, String, Ink)]| row(label, figures, width);
    let delivery = |label: &str, latency: Option<&Latency>| row(label, &delivery(latency));
    let (process, clients, updates) = (&report.process, &report.clients, &report.updates);
    let of = |has: f64, may: f64| format!("{} of {}", count(has), count(may));
    let refused: f64 = clients.refused.values().sum();
    let mut lines = vec![
        row(
            "plant",
            &[
                ("cpu", percent(process.processors), Ink::Plain),
                ("threads busy", percent(process.busy), warn(process.busy > 0.9)),
                ("memory", bytes(process.memory_bytes), Ink::Plain),
                ("files", of(process.files, process.files_max), near(process.files, process.files_max)),
            ],
        ),
        row(
            "clients",
            &[
                ("", of(clients.sessions, clients.limit), near(clients.sessions, clients.limit)),
                ("slow", count(clients.slow), warn(clients.slow > 0.0)),
                (
                    "in, out",
                    format!("{}, {}/s", count(clients.opened_per_second), count(clients.closed_per_second)),
                    Ink::Plain,
                ),
                ("refused", count(refused), warn(refused > 0.0)),
            ],
        ),
        row(
            "updates",
            &[
                ("in", format!("{}/s", count(updates.published)), Ink::Plain),
                ("sent", format!("{}/s", count(updates.delivered)), Ink::Plain),
                ("merged", format!("{}/s", count(updates.coalesced)), Ink::Plain),
                ("skipped", format!("{}/s", count(updates.skipped)), warn(updates.skipped > 0.0)),
                ("", format!("{}/s", bytes(updates.sent_bytes)), Ink::Plain),
            ],
        ),
        delivery("delivery", report.waited_for_server.as_ref()),
    ];
    if report.waited_for_client.is_some() {
        lines.push(delivery("  slow", report.waited_for_client.as_ref()));
    }
    if let Some(recorder) = &report.recorder {
        let disk = if recorder.waits_for_disk { "refuses" } else { "takes all" };
        lines.push(row(
            "recorder",
            &[
                ("", format!("{}/s", count(recorder.recorded_per_second)), Ink::Plain),
                ("held", count(recorder.held), Ink::Plain),
                ("disk", disk.to_owned(), warn(recorder.waits_for_disk)),
                ("missing", count(recorder.missing), warn(recorder.missing > 0.0)),
            ],
        ));
    }
    lines
}

/// How long records had waited.
fn delivery(latency: Option<&Latency>) -> Vec<(&'static str, String, Ink)> {
    let Some(latency) = latency else { return vec![("", "nothing sent".to_owned(), Ink::Faint)] };
    // The first class is all that is known of those in it.
    let told = |seconds: f64| {
        if seconds <= latency.least { format!("<{}", duration(latency.least)) } else { duration(seconds) }
    };
    let [p50, p90, p99] = [latency.p50, latency.p90, latency.p99].map(told);
    vec![
        ("p50", p50, Ink::Plain),
        ("p90", p90, Ink::Plain),
        ("p99", p99, Ink::Plain),
        ("of", count(latency.records), Ink::Plain),
    ]
}

/// A label and figures with their names, at stops; a figure that has no room is left out, for half of one is another.
fn row(label: &str, figures: &[(&str, String, Ink)], width: usize) -> Line {
    let mut line = Line::of(Ink::Faint, label);
    for (stop, (name, figure, ink)) in figures.iter().enumerate() {
        let mut next = line.clone();
        next.pad_to(LABEL + stop * STOP);
        if stop > 0 && next.width() > LABEL + stop * STOP {
            next.push(Ink::Plain, "  ");
        }
        if !name.is_empty() {
            next.push(Ink::Faint, format!("{name} "));
        }
        next.push(*ink, figure);
        if next.width() > width {
            break;
        }
        line = next;
    }
    line
}

const fn warn(is_so: bool) -> Ink {
    if is_so { Ink::Warn } else { Ink::Plain }
}

fn near(has: f64, may: f64) -> Ink {
    warn(may > 0.0 && has / may > 0.85)
}

pub(super) fn plural(number: f64, what: &str) -> String {
    let ending = if (number - 1.0).abs() < 0.5 { "" } else { "s" };
    format!("{} {what}{ending}", count(number))
}

/// What is known beyond the figures: all findings, and why sessions came and went.
pub(super) fn details(report: &Report, width: usize) -> Vec<Line> {
    let mut lines: Vec<_> = report.findings.iter().map(finding).collect();
    if lines.is_empty() {
        lines.push(Line::of(Ink::Good, "nothing is wrong"));
    }
    let lists = [
        ("doors", &report.clients.by_door),
        ("closed", &report.clients.closed),
        ("refused", &report.clients.refused),
    ];
    for (label, counts) in lists {
        let figures: Vec<_> = counts
            .iter()
            .filter(|(_, number)| **number > 0.0)
            .map(|(name, number)| (name.as_str(), count(*number), Ink::Plain))
            .collect();
        if !figures.is_empty() {
            lines.push(Line::default());
            lines.extend(
                figures
                    .chunks(4)
                    .enumerate()
                    .map(|(n, chunk)| row(if n == 0 { label } else { "" }, chunk, width)),
            );
        }
    }
    lines
}
