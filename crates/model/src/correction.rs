//! Executions taken back or said anew.

use serde::{Deserialize, Serialize};

use crate::tick::Trade;
use crate::time::UnixNanos;

/// The venue takes an execution back (a bust, a trade break), or says it anew.
///
/// It has a place of its own among the trades, is never merged with them, and no summary of trades goes across it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The id of the execution that it is about, as the venue writes it.
    pub id: Box<str>,
    /// The execution as it was told, where the venue repeats it or the feed still remembers it.
    pub original: Option<Original>,
    /// What holds instead; `None` where the execution never was.
    pub becomes: Option<Trade>,
}

/// An execution as it was told before it was corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// What was told.
    pub trade: Trade,
    /// The venue's time of it, where known.
    pub ts_event: Option<UnixNanos>,
    /// How many places of the symbol's trades it stands before the correction, where the feed remembers it.
    pub back: Option<u64>,
}

impl Correction {
    /// The word for what it does, on the wire.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        if self.becomes.is_some() { Self::CORRECT } else { Self::CANCEL }
    }

    /// The execution never was.
    pub const CANCEL: &'static str = "cancel";
    /// Something else holds instead.
    pub const CORRECT: &'static str = "correct";
}
