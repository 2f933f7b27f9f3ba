//! What can be wrong with a venue's message. A feed fault is counted and skipped, never guessed at.

use std::io;

use model::{DecimalError, SymbolError, TimeError};

use crate::binary::BinaryError;
use crate::capture::{LineError, ReadError};
use crate::table::{RowError, TableError};

/// Largest message, unpacked. The largest seen in the wild, a full book, has 5 MB.
pub const FRAME_BYTES_MAX: u64 = 64 << 20;

/// How much of a venue's error is told.
const REFUSAL_CHARS_MAX: usize = 200;

/// Most instruments of one feed.
pub const INSTRUMENTS_MAX: usize = 100_000;

/// Most instruments of a recording that says of each record whose it is by a number: some 700 bytes each, 1.4 GB in
/// all. The options of the United States are one and a half million.
pub(crate) const NUMBERED_INSTRUMENTS_MAX: usize = 2_000_000;

/// Why a message was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The line of the recording is broken.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The line is too long, or the recording ends in the middle of it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record or packet is broken.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// A binary frame where the venue sends text.
    #[error("a binary frame; this venue's messages are text")]
    BinaryFrame,
    /// A packed frame that cannot be unpacked.
    #[error("the frame cannot be unpacked: {0}")]
    Packed(io::Error),
    /// A packed frame that is larger than any message.
    #[error("the frame unpacks to more than {} bytes", FRAME_BYTES_MAX)]
    TooLarge,
    /// The venue refuses what was asked of it.
    #[error("the venue answers with an error: {0}")]
    Refused(Box<str>),
    /// A message on a channel that no answer to a subscription named.
    #[error("channel {0} was never subscribed to")]
    Channel(u64),
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(serde_json::Error),
    /// JSON, but not of the shape this venue sends.
    #[error("not a message of this venue: {0}")]
    Shape(serde_json::Error),
    /// A price or size that cannot be held exactly, or is none.
    #[error("bad number: {0}")]
    Number(serde_json::Error),
    /// As [`Self::Number`], where no JSON position is at hand.
    #[error("bad number: {0}")]
    Decimal(#[from] DecimalError),
    /// A time that cannot be.
    #[error("bad time: {0}")]
    Time(#[from] TimeError),
    /// A symbol outside our grammar.
    #[error("bad symbol {text:?}: {source}")]
    Symbol {
        /// The symbol as the venue writes it.
        text: String,
        /// What is wrong with it.
        source: SymbolError,
    },
    /// A field without which the message says nothing.
    #[error("the message lacks {0:?}")]
    Missing(&'static str),
    /// An order book snapshot of which nobody can say whose it is.
    #[error("a snapshot that fits none of the books that wait for one")]
    StraySnapshot,
    /// A row of a table is broken.
    #[error(transparent)]
    Row(#[from] RowError),
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// More instruments than one feed may have.
    #[error("more than {0} instruments: fewer can be read at a time")]
    TooManyInstruments(usize),
}

/// Marks number errors on their way through serde, which knows only texts.
pub(crate) const NUMBER_MARK: &str = "number: ";

impl FeedError {
    /// What a venue said when it refused, bounded, and harmless to a terminal.
    pub(crate) fn refused(text: &str) -> Self {
        let told = text.chars().take(REFUSAL_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c });
        Self::Refused(told.collect())
    }

    /// Whether the message itself is whole, and says that the venue refused something.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// The kind of fault, for counters: a closed set of words.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Line(_) | Self::Read(_) => "line",
            Self::Binary(_) => "record",
            Self::BinaryFrame | Self::Packed(_) | Self::TooLarge => "frame",
            Self::Refused(_) => "refused",
            Self::Channel(_) => "channel",
            Self::Json(_) => "json",
            Self::Shape(_) | Self::Missing(_) => "shape",
            Self::Number(_) | Self::Decimal(_) => "number",
            Self::Time(_) => "time",
            Self::Symbol { .. } => "symbol",
            Self::StraySnapshot => "snapshot",
            Self::Row(_) => "row",
            Self::Table(_) => "table",
            Self::TooManyInstruments(_) => "limit",
        }
    }
}

impl From<std::io::Error> for FeedError {
    fn from(error: std::io::Error) -> Self {
        Self::Read(ReadError::Input(error))
    }
}

impl From<serde_json::Error> for FeedError {
    fn from(error: serde_json::Error) -> Self {
        if !error.is_data() {
            Self::Json(error)
        } else if error.to_string().starts_with(NUMBER_MARK) {
            Self::Number(error)
        } else {
            Self::Shape(error)
        }
    }
}
