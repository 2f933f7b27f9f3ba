//! The delays that there are.

use std::sync::Arc;
use std::time::Duration;

use crate::limits::{DELAY_MAX, DELAYS_MAX};

/// The delays that streams can be had with, shortest first. Each makes a twin of every symbol: the first one twin
/// number 1, and 0 is the symbol itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delays(Arc<[Duration]>);

/// Why some durations are no delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DelaysError {
    /// Tokens say it in milliseconds, up to [`DELAY_MAX`].
    #[error("a delay is a whole number of milliseconds, from 1ms to {}h", DELAY_MAX.as_secs() / 3_600)]
    Range,
    /// More than [`DELAYS_MAX`].
    #[error("{DELAYS_MAX} delays at most: each has logs of its own")]
    TooMany,
}

impl Delays {
    /// These, in any order.
    ///
    /// # Errors
    /// One of them is none, or there are too many.
    pub fn new(mut delays: Vec<Duration>) -> Result<Self, DelaysError> {
        delays.sort_unstable();
        delays.dedup();
        let is_one = |delay: &Duration| {
            !delay.is_zero() && *delay <= DELAY_MAX && delay.subsec_nanos().is_multiple_of(1_000_000)
        };
        if !delays.iter().all(is_one) {
            return Err(DelaysError::Range);
        }
        if delays.len() > DELAYS_MAX {
            return Err(DelaysError::TooMany);
        }
        Ok(Self(delays.into()))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All, shortest first.
    pub(crate) fn all(&self) -> &[Duration] {
        &self.0
    }

    /// The twin for who may have something that late at the earliest; `None` where none is as late.
    pub(crate) fn twin(&self, delay: Duration) -> Option<usize> {
        if delay.is_zero() {
            return Some(0);
        }
        self.0.iter().position(|&declared| declared >= delay).map(|at| at + 1)
    }

    /// How late a twin is.
    pub(crate) fn of(&self, twin: usize) -> Duration {
        twin.checked_sub(1).map_or(Duration::ZERO, |at| self.0[at])
    }
}
