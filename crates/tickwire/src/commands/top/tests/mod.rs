//! Whose fault it is: what a plant says, and what is made of it.

use model::UnixNanos;

use super::look::{Look, Ready, Session, Sessions, Symbols};
use super::report::Report;
use super::summary;
use crate::commands::paint::Paper;
use crate::commands::samples::Samples;

/// A plant with nothing wrong, at 1,000,000 s.
const WELL: &str = "process_start_time_seconds 999000\ntickwire_runtime_workers 2\n\
    tickwire_connections{transport=\"websocket\"} 20\ntickwire_connections_limit 100\n\
    process_open_fds 30\nprocess_max_fds 1000\n\
    tickwire_feed_last_event_timestamp_seconds{feed=\"a\"} 999999.9\n";

/// Somebody who is behind: subject, address, mode, milliseconds, bytes a second.
fn session(text: &str) -> Session {
    let fields: Vec<_> = text.split(' ').collect();
    let [subject, address, mode, behind, rate] = fields[..] else { panic!("{text}") };
    Session {
        name: format!("s{text}"),
        subject: Some(subject.to_owned()),
        tenant: None,
        address: Some(address.to_owned()),
        door: "websocket".to_owned(),
        encoding: "json".to_owned(),
        open_seconds: 1,
        subscriptions: 1,
        mode: mode.to_owned(),
        oldest_pending_ms: behind.parse().unwrap(),
        source_lag_ms: 0,
        sent_bytes: 0,
        bytes_per_second: rate.parse().unwrap(),
        delivered: 0,
        coalesced: 0,
        skipped: 0,
        pending: 1,
        rates: None,
    }
}

/// Two seconds of a plant to which some lines are added, with feed `a` in a state, and with some who are behind.
fn report(state: &str, more: &str, slow: &[String]) -> Report {
    let status = if state == "open" { "ready" } else { "no live feed" };
    let look = Look {
        ready: Ready { status: status.to_owned(), feeds: [("a".to_owned(), state.to_owned())].into() },
        before: Samples::parse(WELL),
        after: Samples::parse(&format!("{WELL}{more}\n")),
        seconds: 2.0,
        sessions: Sessions::default(),
        slow: Sessions { total: slow.len(), sessions: slow.iter().map(|text| session(text)).collect() },
        symbols: Symbols::default(),
    };
    Report::of(look, "plant:1", UnixNanos(1_000_000_000_000_000))
}

/// What is said first.
fn worst(state: &str, more: &str, slow: &[String]) -> String {
    let line = summary::health(&report(state, more, slow)).draw(200, Paper::Bare);
    let line = line.split(" (and ").next().unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_fault_is_somebodys() {
    let lag = |seconds: u32| format!("tickwire_feed_lag_seconds{{feed=\"a\"}} {seconds}");
    let late = "tickwire_delivery_latency_seconds_bucket{waited_for=\"server\",le=\"0.25\"} 10\n\
                tickwire_delivery_latency_seconds_bucket{waited_for=\"server\",le=\"0.5\"} 100\n\
                tickwire_delivery_latency_seconds_bucket{waited_for=\"server\",le=\"+Inf\"} 100";
    for (state, more, expected) in [
        ("open", "", "ok all is well: feeds 1 live; 20 sessions, all keep up"),
        ("stale", "", "fault feeds no feed is live"),
        ("open", &*lag(1), "ok all is well: feeds 1 live; 20 sessions, all keep up"),
        ("open", &*lag(3), "warn feeds a comes 3.0 s late"),
        (
            "open",
            "tickwire_feed_sequence_gaps_total{feed=\"a\"} 4",
            "warn feeds a has lost updates: 4 books voided",
        ),
        (
            "open",
            "tickwire_feed_errors_total{feed=\"a\",reason=\"x\"} 2",
            "warn feeds a sends what is refused: 2 messages",
        ),
        ("open", late, "fault plant records wait 497 ms for us at the 99th percentile"),
        ("open", "tickwire_runtime_busy_seconds_total 3.8", "warn plant the plant's threads are 95 % busy"),
        (
            "open",
            "tickwire_recorder_held_updates 900\ntickwire_recorder_waits_for_disk 1",
            "warn operators the disk refuses the recording: 900 updates wait",
        ),
        (
            "open",
            "tickwire_recorder_held_updates 9\ntickwire_unrecorded_updates_total 7",
            "fault operators 7 updates are missing from the recording",
        ),
        (
            "open",
            "tickwire_connections{transport=\"sse\"} 70",
            "warn operators 90 of 100 sessions: raise connections of [limits]",
        ),
        (
            "open",
            "process_open_fds 900",
            "warn operators 930 of 1,000 open files: raise the limit on open files",
        ),
        (
            "open",
            "tickwire_handshake_failures_total{reason=\"token_expired\"} 9",
            "warn clients 9 connections were refused, most of them for token_expired",
        ),
        (
            "open",
            "tickwire_handshake_failures_total{reason=\"connection_limit\"} 9",
            "warn operators 9 connections were refused, most of them for connection_limit",
        ),
        (
            "open",
            "tickwire_connections_closed_total{transport=\"websocket\",reason=\"ping_timeout\"} 3",
            "warn network 3 sessions did not answer any more, and were taken for gone",
        ),
        (
            "open",
            "tickwire_tls_not_after_timestamp_seconds 1864000",
            "warn operators the certificate ends in 10d 0h",
        ),
        (
            "open",
            "tickwire_tls_not_after_timestamp_seconds 990000",
            "fault operators the certificate has ended: no client that checks it comes in",
        ),
    ] {
        assert_eq!(worst(state, more, &[]), expected, "{state} {more}");
    }
}

#[test]
fn slowness_is_theirs_or_what_is_between_or_ours() {
    let who = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<Vec<_>>();
    let slow = |count: usize| format!("tickwire_slow_consumers {count}");
    let bob = |n: usize| format!("bob 10.0.0.{n}:5 coalescing 4200 0");
    for (metrics, sessions, expected) in [
        (slow(1), who(1, &bob), "ok clients bob at 10.0.0.0 reads less than it asked for: 4.2 s behind"),
        (
            slow(0),
            who(1, &|_| "bob 10.0.0.1:5 stalled 4200 0".to_owned()),
            "ok clients bob at 10.0.0.1 reads nothing: 4.2 s behind",
        ),
        (
            slow(1),
            who(1, &|_| "bob 10.0.0.1:5 coalescing 4200 64000".to_owned()),
            "ok clients 1 of 20 sessions get no more than the bytes a second that they may, 4.2 s behind",
        ),
        (slow(6), who(6, &bob), "warn clients 6 of 20 sessions are slow, all of them of bob: 4.2 s behind"),
        (
            slow(6),
            who(6, &|n| format!("user{n} 10.0.0.1:{n} coalescing 900 0")),
            "warn network 6 of 20 sessions are slow, all of them at 10.0.0.1: 900 ms behind",
        ),
        (
            slow(6),
            who(6, &|n| format!("user{n} 10.0.0.{n}:5 coalescing 900 0")),
            "warn clients 6 of 20 sessions read less than they asked for, the worst of user0: 900 ms behind",
        ),
        (
            slow(15),
            who(15, &|n| format!("user{n} 10.0.0.{n}:5 coalescing 900 0")),
            "warn network 15 of 20 sessions are slow, everybody's: look at the plant's own network, 900 ms behind",
        ),
        // Who wants an update now and then is not slow.
        (
            slow(0),
            who(9, &|n| format!("user{n} 10.0.0.{n}:5 keeping_up 900 0")),
            "ok all is well: feeds 1 live; 20 sessions, all keep up",
        ),
    ] {
        assert_eq!(worst("open", &metrics, &sessions), expected);
    }
}

#[test]
fn the_worst_comes_first_and_the_others_are_counted() {
    let report =
        report("stale", "tickwire_slow_consumers 1", &["bob 10.0.0.1:5 coalescing 4200 0".to_owned()]);
    let line = summary::health(&report).draw(200, Paper::Bare);
    assert_eq!(line, "fault     feeds     no feed is live  (and 2 more)");
    assert_eq!(summary::details(&report, 80).len(), 3 + 2, "all of them, and who is there by door");
}

/// What no plant tells would be nothing, and look well.
#[test]
fn what_is_read_is_told() {
    let page = include_str!("../../../../../../deploy/metrics.md");
    let text = include_str!("../report.rs").split('"').skip(1).step_by(2);
    let is_name = |word: &&str| {
        word.contains('_') && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let names: Vec<_> = text.filter(is_name).filter(|name| *name != "waited_for").collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        let is_told = ["| `", "| `tickwire_"].iter().any(|start| page.contains(&format!("{start}{name}` |")));
        assert!(is_told, "{name} is no metric");
    }
}
