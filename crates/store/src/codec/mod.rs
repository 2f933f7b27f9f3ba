//! Records as bytes: exact, small, and fast to read.
//!
//! A block stands alone: it names its instruments and begins without a past, so that damage to one says nothing
//! of the others. Within it, records are told by what is new of them: a quote whose bid stayed costs nothing for
//! its bid, a ticker that follows from the trade before it is a byte. What is told stands in columns of a kind,
//! and each column is packed for itself.

mod columns;
mod decode;
mod digits;
mod encode;
mod known;
#[cfg(test)]
pub(crate) mod tests;
mod varint;

pub(crate) use decode::Decoder;
pub(crate) use encode::Encoder;

/// Why bytes are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// What a record is; the low bits of its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Trade,
    Quote,
    DerivedQuote,
    Ticker,
    BookSnapshot,
    BookDelta,
    BookGap,
    Candle,
    Status,
    Correction,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Trade,
        Self::Quote,
        Self::DerivedQuote,
        Self::Ticker,
        Self::BookSnapshot,
        Self::BookDelta,
        Self::BookGap,
        Self::Candle,
        Self::Status,
        Self::Correction,
    ];
}

/// The venue's time is that of receipt; other times are differences, with their unit in the lowest two bits.
const AS_RECEIVED: u128 = 3;

/// The bits of a head above its kind: what is as it was in the record before.
mod head {
    pub(super) const KIND: u8 = 0x0f;
    pub(super) const SYMBOL: u8 = 0x10;
    /// The places follow from those before.
    pub(super) const ORDER: u8 = 0x20;
    pub(super) const RECV: u8 = 0x40;
    pub(super) const EVENT: u8 = 0x80;
}

/// The bits of a trade's flags, above its side.
mod trade {
    pub(super) const SIDE: u8 = 0x03;
    pub(super) const PRICE: u8 = 0x04;
    pub(super) const SIZE: u8 = 0x08;
    /// Its id: none, the next number, another number, a word.
    pub(super) const ID: u8 = 0x30;
    pub(super) const NEXT: u8 = 0x10;
    pub(super) const NUMBER: u8 = 0x20;
    pub(super) const WORD: u8 = 0x30;
}

/// The bits of a quote's flags: for the bid; those of the offer are above them.
mod quote {
    pub(super) const NONE: u8 = 0x01;
    pub(super) const PRICE: u8 = 0x02;
    pub(super) const SIZE: u8 = 0x04;
    /// It says where it stands.
    pub(super) const SOURCE: u8 = 0x08;
    pub(super) const ASK: usize = 4;
}

/// The bits of a candle's flags, above its interval.
mod candle {
    pub(super) const INTERVAL: u8 = 0x07;
    pub(super) const CLOSED: u8 = 0x08;
    /// How it follows from what was before: not at all, by the newest trade, as the first bar of that, unchanged.
    pub(super) const SHAPE: u8 = 0x30;
    pub(super) const GROWN: u8 = 0x10;
    pub(super) const BEGUN: u8 = 0x20;
    pub(super) const SAME: u8 = 0x30;
    pub(super) const CORRECTED: u8 = 0x40;
}

/// The bits of a correction's flags.
mod correction {
    /// What was told is known, with the venue's time of it, and how far back it stands.
    pub(super) const ORIGINAL: u8 = 0x01;
    pub(super) const EVENT: u8 = 0x02;
    pub(super) const BACK: u8 = 0x04;
    /// Something holds instead.
    pub(super) const BECOMES: u8 = 0x08;
}
