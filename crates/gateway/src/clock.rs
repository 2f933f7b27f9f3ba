//! The clocks: a steady one for waiting, the wall's for stamps and tokens.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::UnixNanos;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Time since the process began to count, which never goes back.
pub(crate) fn now() -> Duration {
    START.elapsed()
}

/// The instant of such a time.
pub(crate) fn instant(at: Duration) -> Instant {
    *START + at
}

/// The time by the wall clock.
pub(crate) fn wall() -> UnixNanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixNanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
