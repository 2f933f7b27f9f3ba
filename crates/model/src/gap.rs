//! Updates that a feed lost, and why a book begins anew.

use serde::{Deserialize, Serialize};

/// What is known of updates that a feed lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedGap {
    /// What told us.
    pub reason: GapReason,
    /// First lost id, in the venue's own numbering, where it has one.
    pub venue_from: Option<u64>,
    /// Last lost id, in the venue's own numbering, where it has one.
    pub venue_to: Option<u64>,
}

/// Why a book is void until it is told whole again: a closed set. Recordings know a reason by its number here, so new
/// ones come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GapReason {
    /// The venue's numbering jumped.
    Sequence,
    /// The venue's checksum and our book differ.
    Checksum,
    /// The connection was cut and opened anew.
    Reconnect,
    /// The venue's system began anew.
    Restart,
    /// The instrument is no longer listed.
    Delisted,
    /// An auction begins or ends, and the venue begins its book anew.
    Auction,
    /// Prices have another smallest step from here on.
    TickSize,
    /// The venue is under maintenance.
    Maintenance,
}

impl GapReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Sequence,
        Self::Checksum,
        Self::Reconnect,
        Self::Restart,
        Self::Delisted,
        Self::Auction,
        Self::TickSize,
        Self::Maintenance,
    ];

    /// The word for it in records and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Checksum => "checksum",
            Self::Reconnect => "reconnect",
            Self::Restart => "restart",
            Self::Delisted => "delisted",
            Self::Auction => "auction",
            Self::TickSize => "tick_size",
            Self::Maintenance => "maintenance",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// Whether updates are missing. The other reasons are the venue's own: it begins anew, and nothing was lost.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        matches!(self, Self::Sequence | Self::Checksum | Self::Reconnect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_number_and_a_name() {
        for (number, reason) in GapReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, number);
            assert_eq!(GapReason::from_name(reason.as_str()), Some(reason));
        }
        assert_eq!(GapReason::from_name("boredom"), None);
    }
}
