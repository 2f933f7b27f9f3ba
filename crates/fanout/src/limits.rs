//! The named bounds of the fan-out. Each is crossed by a test.

use std::time::Duration;

/// Newest events that a topic log keeps.
pub const LOG_EVENTS_MAX: usize = 1_024;
/// About how many bytes of JSON the events of a topic log come to at most.
pub const LOG_BYTES_MAX: usize = 1 << 20;
/// Closed bars that a candle log keeps: what a snapshot can show, and how far a client can fall
/// behind without losing one.
pub const CLOSED_BARS_MAX: usize = 512;
/// Summaries a trade log keeps for clients that have fallen off it; beyond, the oldest becomes a gap.
pub const TRADE_PARTS_MAX: usize = 16_384;
/// Levels a book log keeps for clients that have fallen off it; beyond, the oldest get a snapshot.
pub const BOOK_LEVELS_MAX: usize = 131_072;
/// Trades a snapshot shows where the client does not say.
pub const SNAPSHOT_TRADES: usize = 50;
/// Bars a snapshot shows where the client does not say.
pub const SNAPSHOT_BARS: usize = 500;
/// Filters in use on one stream of one symbol: each has a log of its own.
pub const FILTERS_MAX: usize = 32;
/// How long the log of a depth is kept after its last reader has left, so that it can come back.
pub const VIEW_KEPT: Duration = Duration::from_secs(120);
/// States that are asked for together are given as of one moment, up to about so many bytes.
pub const CUT_BYTES_MAX: usize = 256 << 10;
/// What a stream may send in its turn, however many wait: one record of any kind fits.
pub const TURN_BYTES_MIN: usize = 1_024;

/// Bounds of the logs, smaller in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// See [`LOG_EVENTS_MAX`].
    pub events: usize,
    /// See [`LOG_BYTES_MAX`].
    pub bytes: usize,
    /// See [`CLOSED_BARS_MAX`].
    pub closed_bars: usize,
    /// See [`TRADE_PARTS_MAX`].
    pub trade_parts: usize,
    /// See [`BOOK_LEVELS_MAX`].
    pub book_levels: usize,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self {
            events: LOG_EVENTS_MAX,
            bytes: LOG_BYTES_MAX,
            closed_bars: CLOSED_BARS_MAX,
            trade_parts: TRADE_PARTS_MAX,
            book_levels: BOOK_LEVELS_MAX,
        }
    }
}
