//! The metrics of the gateway: counted by the shards in plain numbers, handed on now and then.

mod busy;
mod histogram;
mod labelled;
mod of_shard;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

use busy::Busy;
use histogram::Classes;
pub(crate) use labelled::{ASKED, BOUNDS, CHECKS, ERRORS, REFUSALS, RESUMED};
pub(crate) use of_shard::ShardMetrics;

/// Gauge: connections that are open.
pub(crate) const CONNECTIONS: &str = "tickwire_connections";
/// Counter: sessions opened.
pub(crate) const OPENED: &str = "tickwire_connections_opened_total";
/// Counter: sessions closed, by reason.
pub(crate) const CLOSED: &str = "tickwire_connections_closed_total";
/// Counter: handshakes refused, by reason.
pub(crate) const REFUSED: &str = "tickwire_handshake_failures_total";
/// Counter: tokens checked at the handshake, by result.
pub(crate) const AUTH: &str = "tickwire_auth_total";
/// Counter: events sequenced.
pub(crate) const PUBLISHED: &str = "tickwire_updates_published_total";
/// Gauge: updates that wait for their delay to pass.
pub(crate) const DELAYED: &str = "tickwire_delayed_updates";
/// Counter: events sequenced once more, after a delay.
pub(crate) const REPEATED: &str = "tickwire_delayed_updates_published_total";
/// Counter: events for which there was no room among those that wait for their delay.
pub(crate) const DELAYED_MISSED: &str = "tickwire_delayed_updates_missed_total";
/// Counter: records sent, by channel.
pub(crate) const DELIVERED: &str = "tickwire_updates_delivered_total";
/// Counter: events folded into records that were sent, by channel.
pub(crate) const COALESCED: &str = "tickwire_updates_coalesced_total";
/// Counter: events named in gaps or replaced by snapshots, by channel.
pub(crate) const SKIPPED: &str = "tickwire_updates_skipped_total";
/// Counter: looks at a stream whose newest update was older than its reader wants it.
pub(crate) const WITHHELD: &str = "tickwire_updates_withheld_total";
/// Counter: bytes of messages sent.
pub(crate) const SENT_BYTES: &str = "tickwire_sent_bytes_total";
/// Counter: bytes of messages received.
pub(crate) const RECEIVED_BYTES: &str = "tickwire_received_bytes_total";
/// Counter: batches handed to sockets.
pub(crate) const FLUSHES: &str = "tickwire_flushes_total";
/// Counter: times that a bound of a subject or a tenant was reached, by the bound.
pub(crate) const LIMITED: &str = "tickwire_limits_reached_total";
/// Counter: ticks refused because their symbol belongs to another instrument.
pub(crate) const CONFLICTS: &str = "tickwire_symbol_conflicts_total";
/// Counter: times that the configuration was read again, by result.
pub(crate) const RELOADS: &str = "tickwire_reloads_total";
/// Counter: times that published keys were fetched, by result.
pub(crate) const JWKS: &str = "tickwire_jwks_fetches_total";
/// Counter: events recorded.
pub(crate) const RECORDED: &str = "tickwire_recorded_updates_total";
/// Gauge: alerts that are watched for, or have happened and were not cleared.
pub(crate) const ALERTS: &str = "tickwire_alerts";
/// Counter: times that an alert happened.
pub(crate) const ALERTS_FIRED: &str = "tickwire_alerts_fired_total";
/// Replays and downloads of recordings.
pub(crate) const REPLAYS: &str = "tickwire_replays";
/// Counter: events that are missing from the recording.
pub(crate) const UNRECORDED: &str = "tickwire_unrecorded_updates_total";
/// Counter: times that the disk refused what was recorded.
pub(crate) const RECORDER_ERRORS: &str = "tickwire_recorder_errors_total";
/// Gauge: 1 while the disk refuses what was recorded.
pub(crate) const RECORDER_WAITS: &str = "tickwire_recorder_waits_for_disk";
/// Gauge: events that were taken and are not safe yet.
pub(crate) const RECORDER_HELD: &str = "tickwire_recorder_held_updates";
/// Counter: bytes of recordings that are not kept any more.
pub(crate) const RECORDING_REMOVED: &str = "tickwire_recording_removed_bytes_total";
/// Counter: files of recordings that were removed although they were read.
pub(crate) const RECORDING_REMOVED_READ: &str = "tickwire_recording_removed_while_read_total";
/// Counter: bytes of closed segments, before and after they were packed anew.
pub(crate) const RECORDING_SEALED: &str = "tickwire_recording_sealed_bytes_total";
/// Histogram: how long what was sent had waited.
const DELIVERY: &str = "tickwire_delivery_latency_seconds";
/// What it means.
const DELIVERY_HELP: &str = "How long records had waited from when they were sequenced to when they were written, for \
                             subscriptions that want every event, by whom they waited for; the oldest of a flush counts for all of it.";
/// Gauge: sessions that take less than there is.
const SLOW: &str = "tickwire_slow_consumers";
/// Histogram: how long sessions lasted, by door.
const LASTED: &str = "tickwire_connection_duration_seconds";
/// Histogram: bytes on their way to a session whose socket is full.
pub(crate) const QUEUE_BYTES: &str = "tickwire_session_queue_bytes";
/// Bounds of it.
pub(crate) const QUEUE_BUCKETS: [f64; 6] = [0.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0];
/// Counter: requests, by operation.
pub(crate) const REQUESTS: &str = "tickwire_requests_total";
/// Counter: requests refused and sessions ended for a fault, by code.
pub(crate) const REQUEST_ERRORS: &str = "tickwire_request_errors_total";
/// Counter: streams that were resumed, by how they went on.
pub(crate) const RESUMES: &str = "tickwire_resumes_total";
/// Gauge: connections that there may be.
pub(crate) const CONNECTIONS_LIMIT: &str = "tickwire_connections_limit";
/// Gauge: when the certificate ends.
pub(crate) const CERTIFICATE: &str = "tickwire_tls_not_after_timestamp_seconds";
/// Counter: what the runtime's threads have worked.
const BUSY: &str = "tickwire_runtime_busy_seconds_total";
/// What it means.
const BUSY_HELP: &str = "Seconds that the threads of the runtime have worked, all together.";
/// Gauge: threads that run tasks.
const WORKERS: &str = "tickwire_runtime_workers";
/// Gauge: tasks that are alive.
const TASKS: &str = "tickwire_runtime_alive_tasks";
/// Gauge: tasks that wait for a thread.
const QUEUED: &str = "tickwire_runtime_queued_tasks";
/// Counter: spans that nobody took.
pub(crate) const SPANS_LOST: &str = "tickwire_trace_spans_lost_total";
/// Gauge: 1 while the server sends its clients away.
pub(crate) const DRAINING: &str = "tickwire_draining";
/// Gauge: 1, with version and revision as labels.
pub(crate) const BUILD: &str = "tickwire_build_info";

/// Counters whose labels are known before anything happens.
const ZEROS: &[(&str, &str, &[&str])] = &[
    (RELOADS, "result", &["ok", "refused"]),
    (AUTH, "result", &["ok", "expired", "bad_alg", "revoked", "pending", "invalid"]),
    (
        REFUSED,
        "reason",
        &[
            "token_invalid",
            "token_expired",
            "token_revoked",
            "connection_limit",
            "rate_limited",
            "forbidden_origin",
            "tls",
        ],
    ),
    (
        LIMITED,
        "limit",
        &["subject_connections", "tenant_connections", "subject_bytes_per_second", "tenant_bytes_per_second"],
    ),
];

/// Declares them to the recorder, with their help.
#[expect(clippy::too_many_lines, reason = "a line for each")]
pub fn describe() {
    describe_histogram!(DELIVERY, Unit::Seconds, DELIVERY_HELP);
    describe_gauge!(ALERTS, Unit::Count, "Alerts that are kept for subjects.");
    describe_counter!(ALERTS_FIRED, Unit::Count, "Times that an alert happened.");
    describe_gauge!(REPLAYS, Unit::Count, "Replays and downloads of recordings that go on.");
    describe_gauge!(CONNECTIONS, Unit::Count, "Sessions that are open.");
    describe_counter!(OPENED, Unit::Count, "Sessions opened since the start.");
    describe_counter!(CLOSED, Unit::Count, "Sessions closed, by reason.");
    describe_counter!(REFUSED, Unit::Count, "Connections refused before they became sessions, by reason.");
    describe_counter!(AUTH, Unit::Count, "Tokens checked at the handshake, by result.");
    describe_counter!(
        PUBLISHED,
        Unit::Count,
        "Events sequenced, each once, however many subscribers it has."
    );
    describe_gauge!(DELAYED, Unit::Count, "Updates that wait for a delay to pass, each once for all delays.");
    describe_counter!(REPEATED, Unit::Count, "Delayed updates sequenced, each once for every delay.");
    describe_counter!(
        DELAYED_MISSED,
        Unit::Count,
        "Updates that were not delayed because delayed_events already were: streams with a delay lack them."
    );
    describe_counter!(DELIVERED, Unit::Count, "Records sent to subscribers, by channel.");
    describe_counter!(COALESCED, Unit::Count, "Events folded into records that were sent, by channel.");
    describe_counter!(SKIPPED, Unit::Count, "Events named in gaps or replaced by snapshots, by channel.");
    describe_counter!(
        WITHHELD,
        Unit::Count,
        "Times that what waited was older than max_age_ms, and the next update was waited for."
    );
    describe_counter!(SENT_BYTES, Unit::Bytes, "Bytes of messages handed to sockets.");
    describe_counter!(RECEIVED_BYTES, Unit::Bytes, "Bytes of text messages received.");
    describe_counter!(FLUSHES, Unit::Count, "Batches of messages handed to sockets.");
    describe_counter!(
        LIMITED,
        Unit::Count,
        "Times that a bound of a subject or a tenant was reached, by its name in [limits]."
    );
    describe_counter!(CONFLICTS, Unit::Count, "Ticks refused because another instrument has their symbol.");
    describe_counter!(RELOADS, Unit::Count, "Times that the configuration was read again, by result.");
    describe_counter!(JWKS, Unit::Count, "Times that published keys were fetched, by result.");
    describe_counter!(RECORDED, Unit::Count, "Events taken into the recording.");
    describe_counter!(
        UNRECORDED,
        Unit::Count,
        "Events that are missing from the recording because the disk did not follow; its manifest names them."
    );
    describe_counter!(RECORDER_ERRORS, Unit::Count, "Times that the disk refused what was recorded.");
    describe_gauge!(
        RECORDER_WAITS,
        Unit::Count,
        "1 while the disk refuses what was recorded, which is held meanwhile; 0 while it takes it."
    );
    describe_gauge!(
        RECORDER_HELD,
        Unit::Count,
        "Events that the recorder holds until they are safe: those of a tenth of a second, more while it waits."
    );
    describe_counter!(
        RECORDING_REMOVED,
        Unit::Bytes,
        "Bytes of recordings removed because they were older, or more, than is kept."
    );
    describe_counter!(
        RECORDING_REMOVED_READ,
        Unit::Count,
        "Files of recordings removed although somebody had been reading them for readers_wait since they were to go."
    );
    describe_counter!(
        RECORDING_SEALED,
        Unit::Bytes,
        "Bytes of closed files of recordings that were packed anew, by when: before and after."
    );
    describe_gauge!(
        SLOW,
        Unit::Count,
        "Sessions that take less than there is: what waits for them is coalesced, or they read nothing at all."
    );
    describe_histogram!(LASTED, Unit::Seconds, "How long sessions lasted, by door.");
    describe_histogram!(
        QUEUE_BYTES,
        Unit::Bytes,
        "Bytes on their way to a session, each time that its socket has become full."
    );
    describe_counter!(REQUESTS, Unit::Count, "Requests of sessions that could be read, by operation.");
    describe_counter!(REQUEST_ERRORS, Unit::Count, "Errors told to sessions, by code.");
    describe_counter!(
        RESUMES,
        Unit::Count,
        "Streams asked for with a cursor, by how they went on: filled, kept or missing."
    );
    describe_gauge!(
        CONNECTIONS_LIMIT,
        Unit::Count,
        "Connections that there may be: those of the configuration, or what the limit on open files leaves."
    );
    describe_gauge!(
        CERTIFICATE,
        Unit::Seconds,
        "When the first certificate of the chain in use ends, as a Unix time."
    );
    describe_counter!(BUSY, Unit::Seconds, BUSY_HELP);
    describe_gauge!(WORKERS, Unit::Count, "Threads of the runtime that run tasks.");
    describe_gauge!(TASKS, Unit::Count, "Tasks of the runtime that are alive.");
    describe_gauge!(QUEUED, Unit::Count, "Tasks that wait in the runtime's own queue for a thread.");
    metrics_process::Collector::default().describe();
    describe_gauge!(DRAINING, Unit::Count, "1 while the server goes away and sends its clients elsewhere.");
    gauge!(DRAINING).set(0.0);
    // What has not happened yet is told as well: a rise from nothing is no rise to who asks for one.
    for name in [DELAYED_MISSED, CONFLICTS, ALERTS_FIRED] {
        counter!(name).increment(0);
    }
    for (name, label, values) in ZEROS {
        for value in *values {
            counter!(*name, *label => *value).increment(0);
        }
    }
    // Who only turns clients away has opened none.
    counter!(OPENED, "transport" => "websocket").increment(0);
    for reason in ["slow_consumer", "ping_timeout"] {
        counter!(CLOSED, "transport" => "websocket", "reason" => reason).increment(0);
    }
    for name in [REPLAYS, ALERTS] {
        gauge!(name).set(0.0);
    }
    describe_counter!(
        SPANS_LOST,
        Unit::Count,
        "Spans of traces that were not handed to the collector in time."
    );
    describe_gauge!(BUILD, Unit::Count, "Always 1; version and revision are labels.");
}

/// So many spans were taken, and did not get to the collector.
pub fn count_lost_spans(count: u64) {
    counter!(SPANS_LOST).increment(count);
}

/// Says which program this is: `revision` of its sources.
pub fn tell_build(revision: &'static str) {
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION"), "revision" => revision).set(1.0);
}

/// What all shards of the process have counted of how late they are: by themselves, and by their clients.
static LATENCY: [Classes; 2] = [Classes::new(), Classes::new()];

/// What is known when it is looked at only: the process, and its runtime.
#[expect(clippy::cast_precision_loss, reason = "gauges")]
pub(crate) fn look(runtime: &tokio::runtime::RuntimeMetrics) {
    metrics_process::Collector::default().collect();
    gauge!(WORKERS).set(runtime.num_workers() as f64);
    gauge!(TASKS).set(runtime.num_alive_tasks() as f64);
    gauge!(QUEUED).set(runtime.global_queue_depth() as f64);
}

/// What the recorder does not know, as text: it counts in whole numbers.
pub(crate) fn rest(runtime: &tokio::runtime::RuntimeMetrics) -> String {
    let busy = Busy::of(runtime).as_secs_f64();
    let parts = [("waited_for=\"server\"", &LATENCY[0]), ("waited_for=\"client\"", &LATENCY[1])];
    let waits = Classes::render(DELIVERY, DELIVERY_HELP, &parts);
    format!("{waits}# HELP {BUSY} {BUSY_HELP}\n# TYPE {BUSY} counter\n{BUSY} {busy:.3}\n\n")
}

/// The text of the recorder with the processor's time to a hundredth of a second, as the kernel counts it.
pub(crate) fn finer(text: &str) -> String {
    const CPU: &str = "\nprocess_cpu_seconds_total ";
    let ticks = || {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the name, which may have anything in it: user and system are the 12th and the 13th.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).map(str::parse::<u64>);
        Some(fields.next()?.ok()? + fields.next()?.ok()?)
    };
    match (text.split_once(CPU), ticks()) {
        (Some((before, rest)), Some(ticks)) => {
            let after = rest.split_once('\n').map_or("", |(_, after)| after);
            format!("{before}{CPU}{}.{:02}\n{after}", ticks / 100, ticks % 100)
        }
        _ => text.to_owned(),
    }
}

/// Bounds of the recorder's own histograms, in seconds: sessions last from a poll to weeks.
pub(crate) const BUCKETS: [f64; 9] = [0.1, 1.0, 10.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0];

/// What says whether anything is missing is there before anything is.
pub(crate) fn begin_recording() {
    for name in [RECORDED, UNRECORDED, RECORDER_ERRORS] {
        counter!(name).increment(0);
    }
    for name in [RECORDER_WAITS, RECORDER_HELD] {
        gauge!(name).set(0.0);
    }
}

#[cfg(test)]
mod tests {
    /// What a metric means is told with it.
    #[test]
    fn every_metric_is_described() {
        let text: String = include_str!("metrics.rs").split_whitespace().collect();
        let names = text.split("pub(crate)const").skip(1).filter(|of| of.contains("=\"tickwire_"));
        let names: Vec<_> = names.filter_map(|of| of.split(':').next()).collect();
        assert!(names.len() > 30, "{names:?}");
        for name in names {
            let told = ["counter", "gauge", "histogram"].map(|kind| format!("describe_{kind}!({name},"));
            assert!(told.iter().any(|told| text.contains(told)), "{name} is not described");
        }
    }
}
