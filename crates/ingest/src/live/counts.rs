//! What a live feed counts, as metrics.

use metrics::{Counter, Gauge};

use super::effect::Count;
use crate::metrics as names;

pub(super) struct Counts {
    feed: String,
    messages: Counter,
    bytes: Counter,
    duplicates: Counter,
    resyncs: Counter,
    connected: Gauge,
}

/// Why connections end, mostly: told as 0 from the start, so that the first one is seen as a rise.
const REASONS: [&str; 9] =
    ["broken", "closed", "connect_timeout", "handshake", "idle", "limited", "no_answer", "renewed", "silent"];

impl Counts {
    pub(super) fn new(feed: &str) -> Self {
        let counter = |name| metrics::counter!(name, "feed" => feed.to_owned());
        let counts = Self {
            feed: feed.to_owned(),
            messages: counter(names::MESSAGES),
            bytes: counter(names::BYTES),
            duplicates: counter(names::DUPLICATES),
            resyncs: counter(names::RESYNCS),
            connected: metrics::gauge!(names::CONNECTED, "feed" => feed.to_owned()),
        };
        counts.connected.set(0.0);
        for reason in REASONS {
            metrics::counter!(names::RECONNECTS, "feed" => feed.to_owned(), "reason" => reason).absolute(0);
        }
        counts
    }

    pub(super) fn count(&self, count: Count) {
        let feed = || self.feed.clone();
        match count {
            Count::Message(bytes) => {
                self.messages.increment(1);
                self.bytes.increment(bytes as u64);
            }
            Count::Fault(reason) => {
                metrics::counter!(names::ERRORS, "feed" => feed(), "reason" => reason).increment(1);
            }
            Count::Reconnect(reason) => {
                metrics::counter!(names::RECONNECTS, "feed" => feed(), "reason" => reason).increment(1);
            }
            Count::Duplicate => self.duplicates.increment(1),
            Count::Resync => self.resyncs.increment(1),
            Count::Connected(count) => {
                self.connected.set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
            }
        }
    }
}
