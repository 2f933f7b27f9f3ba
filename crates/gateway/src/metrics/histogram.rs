//! A histogram that is counted elsewhere, class by class: the recorder takes values one by one, and there are millions.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use fanout::latency::{BOUNDS, Latency};

/// What all shards have counted.
#[derive(Debug)]
pub(crate) struct Classes {
    counts: [AtomicU64; BOUNDS.len() + 1],
    nanos: AtomicU64,
}

impl Classes {
    pub(super) const fn new() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; BOUNDS.len() + 1], nanos: AtomicU64::new(0) }
    }

    /// Adds what a shard has counted since it told last.
    pub(super) fn add(&self, now: &Latency, before: &Latency) {
        for ((sum, now), before) in self.counts.iter().zip(now.counts).zip(before.counts) {
            if now > before {
                sum.fetch_add(now - before, Ordering::Relaxed);
            }
        }
        self.nanos.fetch_add(now.nanos - before.nanos, Ordering::Relaxed);
    }

    /// As the text format wants it (Prometheus exposition 0.0.4), a part for each label.
    pub(super) fn render(name: &str, help: &str, parts: &[(&str, &Self)]) -> String {
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} histogram\n");
        for (label, part) in parts {
            let mut count = 0;
            let bounds = BOUNDS.map(|bound| bound.as_secs_f64().to_string());
            for (bound, class) in bounds.into_iter().chain(["+Inf".to_owned()]).zip(&part.counts) {
                count += class.load(Ordering::Relaxed);
                // Writing to memory does not fail.
                let _ = writeln!(text, "{name}_bucket{{{label},le=\"{bound}\"}} {count}");
            }
            let seconds = std::time::Duration::from_nanos(part.nanos.load(Ordering::Relaxed)).as_secs_f64();
            let _ = writeln!(text, "{name}_sum{{{label}}} {seconds}\n{name}_count{{{label}}} {count}");
        }
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_summed_up() {
        let histogram = Classes::new();
        let mut latency = Latency::default();
        (latency.counts[0], latency.counts[2], latency.counts[14], latency.nanos) = (5, 2, 1, 1_500_000_000);
        histogram.add(&latency, &Latency::default());
        histogram.add(&latency, &latency);
        let text = Classes::render("x_seconds", "How long.", &[("by=\"a\"", &histogram)]);
        for line in [
            "# TYPE x_seconds histogram",
            "x_seconds_bucket{by=\"a\",le=\"0.0005\"} 5",
            "x_seconds_bucket{by=\"a\",le=\"0.001\"} 5",
            "x_seconds_bucket{by=\"a\",le=\"0.0025\"} 7",
            "x_seconds_bucket{by=\"a\",le=\"10\"} 7",
            "x_seconds_bucket{by=\"a\",le=\"+Inf\"} 8",
            "x_seconds_sum{by=\"a\"} 1.5",
            "x_seconds_count{by=\"a\"} 8",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in {text}");
        }
    }
}
