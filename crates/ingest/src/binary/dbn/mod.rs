//! Databento Binary Encoding (DBN), versions 1 to 3, with or without what stands before the records.
//!
//! A record says its length, its kind, who published it and about which instrument. Prices are in units of 1e-9.
//! Not here, for want of a place in our records: statistics, imbalances.

mod listing;
mod markets;
mod metadata;
mod names;
mod publishers;
mod status;
#[cfg(test)]
mod tests;

use model::Tick;

use super::bytes::Window;
use super::error::BinaryError;
use crate::capture::Input;
use crate::error::FeedError;
use crate::note::Note;
use crate::reader::{Decoder, Spot, Step};
use markets::Markets;

/// Decimals of a price.
const SCALE: u32 = 9;
/// A price that is none.
const NO_PRICE: i64 = i64::MAX;
/// A time that is none.
const NO_TIME: u64 = u64::MAX;
/// Length, kind, publisher, instrument and time of each record.
const HEADER_BYTES: usize = 16;

/// Bits of a record's flags.
mod flag {
    pub(super) const LAST: u8 = 1 << 7;
    pub(super) const TOB: u8 = 1 << 6;
    pub(super) const SNAPSHOT: u8 = 1 << 5;
    pub(super) const MBP: u8 = 1 << 4;
    pub(super) const MAYBE_BAD_BOOK: u8 = 1 << 2;
}

/// Kinds of records.
mod kind {
    pub(super) const TRADE: u8 = 0x00;
    pub(super) const MBP_1: u8 = 0x01;
    pub(super) const MBP_10: u8 = 0x0a;
    pub(super) const STATUS: u8 = 0x12;
    pub(super) const DEFINITION: u8 = 0x13;
    pub(super) const IMBALANCE: u8 = 0x14;
    pub(super) const ERROR: u8 = 0x15;
    pub(super) const MAPPING: u8 = 0x16;
    pub(super) const SYSTEM: u8 = 0x17;
    pub(super) const STATISTICS: u8 = 0x18;
    pub(super) const OHLCV: u8 = 0x11;
    pub(super) const OHLCV_1S: u8 = 0x20;
    pub(super) const OHLCV_1M: u8 = 0x21;
    pub(super) const OHLCV_1H: u8 = 0x22;
    pub(super) const OHLCV_1D: u8 = 0x23;
    pub(super) const OHLCV_EOD: u8 = 0x24;
    pub(super) const MBO: u8 = 0xa0;
    pub(super) const CMBP_1: u8 = 0xb1;
    pub(super) const CBBO_1S: u8 = 0xc0;
    pub(super) const CBBO_1M: u8 = 0xc1;
    pub(super) const TCBBO: u8 = 0xc2;
    pub(super) const BBO_1S: u8 = 0xc3;
    pub(super) const BBO_1M: u8 = 0xc4;
    pub(super) const TBBO: u8 = 0xc5;

    /// The fewest and the most bytes of a record of a kind that is known, and what it is called. More can be in it one
    /// day.
    pub(super) const fn sizes(kind: u8) -> Option<(usize, usize, &'static str)> {
        Some(match kind {
            MBO => (56, 64, "an order"),
            TRADE => (48, 56, "a trade"),
            MBP_1 | TBBO | CMBP_1 | TCBBO | CBBO_1S | CBBO_1M | BBO_1S | BBO_1M => (80, 88, "a quote"),
            MBP_10 => (368, 376, "a quote of ten levels"),
            OHLCV | OHLCV_1S | OHLCV_1M | OHLCV_1H | OHLCV_1D | OHLCV_EOD => (56, 64, "a bar"),
            STATUS => (40, 48, "a status"),
            DEFINITION => (360, 528, "a definition"),
            MAPPING => (80, 184, "a mapping"),
            ERROR | SYSTEM => (80, 328, "a message"),
            IMBALANCE => (112, 120, "an imbalance"),
            STATISTICS => (64, 88, "a statistic"),
            _ => return None,
        })
    }

    /// Whether a record of that length can be the first of a file that says nothing of itself.
    pub(super) fn begins(kind: Option<&u8>, len: usize) -> bool {
        kind.and_then(|&kind| sizes(kind)).is_some_and(|(least, most, _)| (least..=most).contains(&len))
    }
}

#[derive(Default)]
pub(super) struct Dbn {
    window: Window,
    /// The records are reached.
    begun: bool,
    /// The file says by itself that it is DBN.
    named: bool,
    number: u64,
    markets: Markets,
}

impl Decoder for Dbn {
    fn open(&mut self, file: Input) {
        self.window = Window::open(file);
        (self.begun, self.named, self.number) = (false, false, 0);
    }

    fn step(&mut self, out: &mut Vec<Tick>) -> Step {
        if !self.window.is_open() {
            return Step::End;
        }
        if self.begun && self.window.peek(4).is_ok_and(metadata::begins) {
            // Files that were put one behind the other: what was not finished there is not finished here.
            self.markets.finish(out);
            self.begun = false;
        }
        if !self.begun {
            self.begun = true;
            let spot = Spot::byte(self.window.offset());
            match metadata::read(&mut self.window) {
                Ok(header) => {
                    self.named = header.found;
                    self.markets.open(header.metadata);
                    if let Some(error) = header.fault {
                        return Step::Broken { spot, error: error.into() };
                    }
                }
                Err(error) => return self.end(Some(error), out),
            }
        }
        let len = match self.window.peek(1) {
            Ok([]) => return self.end(None, out),
            Ok(head) => usize::from(head[0]) * 4,
            Err(error) => return self.end(Some(error.into()), out),
        };
        if len < HEADER_BYTES {
            let short = BinaryError::Short { what: "a record", len, least: HEADER_BYTES };
            return self.end(Some(short.into()), out);
        }
        let record = match self.window.peek(len) {
            Ok(record) => record,
            Err(error) => return self.end(Some(error.into()), out),
        };
        if !self.named && self.number == 0 && !kind::begins(record.get(1), len) {
            return self.end(Some(BinaryError::Format("a DBN file").into()), out);
        }
        if record.len() < len {
            return self.end(Some(BinaryError::Cut("a record").into()), out);
        }
        self.number += 1;
        let result = self.markets.record(record, out);
        self.window.skip(len);
        match result {
            Ok(()) => Step::Ticks,
            Err(error) => Step::Broken { spot: Spot::record(self.number), error },
        }
    }

    fn spot(&self) -> Spot {
        Spot::record(self.number)
    }

    fn notes(&self) -> Vec<Note> {
        self.markets.notes()
    }
}

impl Dbn {
    /// Nothing more can be read. What was not finished is told as far as it came.
    fn end(&mut self, error: Option<FeedError>, out: &mut Vec<Tick>) -> Step {
        let before = out.len();
        self.markets.finish(out);
        let spot = Spot::byte(self.window.offset());
        self.window.close();
        match error {
            Some(error) => Step::Broken { spot, error },
            None if out.len() > before => Step::Ticks,
            None => Step::End,
        }
    }
}
