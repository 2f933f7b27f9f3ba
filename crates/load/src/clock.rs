//! The wall clock, and how old something is by it.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use memchr::memmem::Finder;
use model::UnixNanos;

/// The wall clock.
#[must_use]
pub fn now() -> UnixNanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixNanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// When the server received a record's event; of a feed that keeps an exact rate, when it was due.
static STAMPS: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| [Finder::new(b"\"ts_event\":\""), Finder::new(b"\"ts_recv\":\"")]);

/// Which time of a record its age counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// `ts_event`: of a feed that keeps an exact rate, when the update was due.
    Event,
    /// `ts_recv`: when the server received it.
    Received,
}

/// How old the record that `text` begins with is, in microseconds, by a clock that is `ahead` nanoseconds
/// before ours; `None` if its stamp is not here.
pub(crate) fn age(text: &[u8], stamp: Stamp, ahead: i64) -> Option<u64> {
    let finder = &STAMPS[usize::from(stamp == Stamp::Received)];
    let at = finder.find(text)? + finder.needle().len();
    let time = std::str::from_utf8(text.get(at..at + 30)?).ok()?;
    let then = UnixNanos::from_rfc3339(time).ok()?;
    Some(now().0.saturating_add_signed(ahead).saturating_sub(then.0) / 1_000)
}
