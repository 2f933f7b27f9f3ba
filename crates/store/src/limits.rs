//! Every bound of a recording, by name.

use std::time::Duration;

/// Bytes of a block's columns, unpacked: what a reader may need for one.
pub const BLOCK_BYTES_MAX: usize = 64 << 20;
/// Bytes of columns that make a block full, and records.
pub const BLOCK_BYTES: usize = 1 << 20;
/// See [`BLOCK_BYTES`].
pub const BLOCK_RECORDS: usize = 1 << 16;
/// Bytes that are worth packing.
pub(crate) const PACKED_MIN: usize = 48;
/// Bytes of a segment before the next one begins.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// How long what was recorded may be in no safe place: what a crash of the machine may take.
pub const LOSS_WINDOW: Duration = Duration::from_millis(100);
/// Records between two states: how many a seek reads at most, beside what fits into a block.
pub const STATE_RECORDS: u64 = 250_000;
/// Records of a state: some ten thousand symbols'. One that has more, or too many levels for a block, is not written.
pub const STATE_RECORDS_MAX: usize = 1 << 21;
/// Trades that a state has of a symbol, and bars of each interval.
pub const STATE_TRADES: usize = 50;
/// See [`STATE_TRADES`].
pub const STATE_BARS: usize = 20;
/// Records that are read for some bars of the past, states' among them; what is beyond is asked for again.
pub const BARS_LOOKED: usize = 1 << 21;
/// Records of a page: the digest goes on after each.
pub const DIGEST_PAGE: u64 = 10_000;
/// Letters of a recording's name.
pub const NAME_MAX: usize = 64;
/// Gaps and damages that a manifest names one by one.
pub const NAMED_MAX: usize = 1_000;
/// Records that are sorted in memory, and levels of their books.
pub const SORT_RECORDS: usize = 1 << 18;
/// See [`SORT_RECORDS`].
pub const SORT_LEVELS: usize = 1 << 20;
/// Runs of sorted records that wait on the disk to be merged.
pub const SORT_RUNS: usize = 64;
/// Records of a run that are in memory while it is merged.
pub const SORT_BLOCK: usize = 4_096;
/// Bytes of a run that wait to be written.
pub const SORT_BYTES: usize = 1 << 20;
/// How long what is read stays when it is to go, and all that is newer with it. After that it goes all the same, so that
/// a reader that never ends does not fill the disk.
pub const READERS_WAIT: Duration = Duration::from_mins(10);
/// Segments that are removed in one go.
pub const REMOVED_PER_LOOK: u64 = 16;
/// Into how many segments what is kept is divided at least: it is removed segment by segment.
pub const KEPT_SEGMENTS: u32 = 16;
/// Tries to open a recording whose oldest segments are being removed.
pub const OPENS: usize = 16;
