//! Price alerts: what is watched, how it stands, and the message that it has happened.

use serde::{Deserialize, Serialize};

use crate::ack::is_false;

/// The value that an alert watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertField {
    /// Of each trade.
    #[default]
    LastPrice,
    /// Of each quote.
    BidPrice,
    /// Of each quote.
    AskPrice,
    /// Of each ticker: over 24 hours.
    ChangePercent,
}

impl AlertField {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::LastPrice, Self::BidPrice, Self::AskPrice, Self::ChangePercent];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LastPrice => "last_price",
            Self::BidPrice => "bid_price",
            Self::AskPrice => "ask_price",
            Self::ChangePercent => "change_percent",
        }
    }
}

/// An alert of the subject, and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AlertEntry {
    /// Its name.
    pub alert: String,
    /// The symbol.
    pub symbol: String,
    /// What is watched.
    pub field: AlertField,
    /// It happens when the value gets above this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<String>,
    /// It happens when the value gets below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// Whether it happens again when the value comes back and crosses once more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub repeat: bool,
    /// What it waits for.
    pub state: AlertState,
    /// How often it has happened since it was set.
    pub fired: u64,
    /// The newest time that it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<AlertCrossing>,
}

/// What an alert waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// The first value there is.
    Waiting,
    /// That the value crosses.
    Armed,
    /// The value is beyond: that it comes back first.
    Beyond,
    /// Nothing more: it has happened.
    Done,
}

/// How an alert happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AlertCrossing {
    /// The value that was beyond, as the venue wrote it.
    pub value: String,
    /// The record's place in its stream: of `trades`, `quotes` or `ticker`, as the field is.
    pub sequence: u64,
    /// The venue's time of it.
    pub ts_event: String,
    /// When it was received.
    pub ts_recv: String,
}

/// An alert has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Alert {
    /// Which, and how it stands.
    #[serde(flatten)]
    pub entry: AlertEntry,
    /// When this was sent.
    pub ts_sent: String,
}
