//! The metrics of the feed handlers.

use metrics::{Unit, describe_counter, describe_gauge};

/// Counter: normalised events, by feed and channel.
pub const EVENTS: &str = "tickwire_feed_events_total";
/// Counter: messages refused, by feed and reason.
pub const ERRORS: &str = "tickwire_feed_errors_total";
/// Counter: books voided because updates were lost, by feed.
pub const GAPS: &str = "tickwire_feed_sequence_gaps_total";
/// Counter: books that were made void, by feed and reason, the venue's own among them.
pub const RESETS: &str = "tickwire_feed_book_resets_total";
/// Counter: trades too late for one of their bars, by feed.
pub const LATE_TRADES: &str = "tickwire_feed_late_trades_total";
/// Counter: executions taken back or said anew, by feed and what became of the totals: `exact`, `partial`, `unknown`.
pub const CORRECTIONS: &str = "tickwire_feed_corrections_total";
/// Counter: best bids that came to be above the best offer, or at it, by feed and kind.
pub const CROSSED: &str = "tickwire_feed_crossed_quotes_total";
/// Counter: venue times that went back within a stream, by feed.
pub const BACKWARDS: &str = "tickwire_feed_backwards_times_total";
/// Gauge: the venue's clock minus ours, as the quickest messages of late tell, by feed.
pub const CLOCK_OFFSET: &str = "tickwire_feed_clock_offset_seconds";
/// Gauge: when a feed was heard last, by feed.
pub const LAST_EVENT: &str = "tickwire_feed_last_event_timestamp_seconds";

/// Gauge: how long after the venue's own time the newest event came, by feed.
pub const LAG: &str = "tickwire_feed_lag_seconds";

/// Counter: messages of live venues, by feed.
pub const MESSAGES: &str = "tickwire_feed_messages_total";
/// Counter: bytes of these messages, by feed.
pub const BYTES: &str = "tickwire_feed_received_bytes_total";
/// Counter: connections to live venues that ended, by feed and reason.
pub const RECONNECTS: &str = "tickwire_feed_reconnects_total";
/// Counter: updates that another connection, or this one, had brought already, by feed.
pub const DUPLICATES: &str = "tickwire_feed_duplicates_total";
/// Counter: snapshots of books that were asked for, by feed.
pub const RESYNCS: &str = "tickwire_feed_resyncs_total";
/// Gauge: connections to a live venue that stand, by feed.
pub const CONNECTED: &str = "tickwire_feed_connections";

/// Declares them to the recorder, with their help.
pub fn describe() {
    describe_counter!(EVENTS, Unit::Count, "Normalised events handed on by a feed, by channel.");
    describe_counter!(
        ERRORS,
        Unit::Count,
        "Messages of a feed that were refused, and what else was wrong with its venue, by reason."
    );
    describe_counter!(
        GAPS,
        Unit::Count,
        "Order books voided because a feed lost updates or a checksum failed."
    );
    describe_counter!(
        RESETS,
        Unit::Count,
        "Order books made void, by reason: those of tickwire_feed_sequence_gaps_total, and where the venue itself began anew."
    );
    describe_counter!(
        LATE_TRADES,
        Unit::Count,
        "Trades that came too late for at least one of their totals."
    );
    describe_counter!(
        CORRECTIONS,
        Unit::Count,
        "Executions that a venue took back or said anew, by what became of bars and totals: exact, partial, or unknown."
    );
    describe_counter!(
        CROSSED,
        Unit::Count,
        "How often a best bid came to be above the best offer (crossed), or at it (locked)."
    );
    describe_counter!(
        BACKWARDS,
        Unit::Count,
        "Times of a venue that lie before the one before them in their stream."
    );
    describe_gauge!(
        CLOCK_OFFSET,
        Unit::Seconds,
        "The venue's clock minus this one's, at least: by the quickest of its messages of late."
    );
    describe_gauge!(
        LAG,
        Unit::Seconds,
        "How long after the venue's own time the newest event of a feed came. Of a replay, as it was recorded."
    );
    describe_counter!(MESSAGES, Unit::Count, "Messages received from a live venue.");
    describe_counter!(BYTES, Unit::Bytes, "Bytes of the messages received from a live venue.");
    describe_counter!(RECONNECTS, Unit::Count, "Connections to a live venue that ended, by reason.");
    describe_counter!(
        DUPLICATES,
        Unit::Count,
        "Messages of a live venue that had been brought already, mostly by the other of two connections."
    );
    describe_counter!(
        RESYNCS,
        Unit::Count,
        "Order book snapshots that a live feed asked for, by REST or by subscribing anew."
    );
    describe_gauge!(CONNECTED, Unit::Count, "Connections of a live feed that stand.");
    describe_gauge!(
        LAST_EVENT,
        Unit::Seconds,
        "Wall-clock time at which a feed said anything last, if only a heartbeat, or began. It stands still when a feed has ended."
    );
}
