//! Dukascopy's hours of quotes: records of 20 bytes, big endian, in one LZMA stream.

use std::io::{BufRead, Read, Write};

use lzma_rust2::LzmaReader;

use super::TableError;
use super::column::Names;
use super::row::{RowError, Span, span};
use crate::error::FeedError;

const RECORD_BYTES: usize = 20;
/// Most bytes of an hour: far more than any has.
const HOUR_BYTES_MAX: u64 = 256 << 20;
/// Memory that a stream may ask for, in KiB.
const MEMORY_KIB_MAX: u32 = 256 << 10;

/// The columns that a record is taken for.
const COLUMNS: [&str; 5] = ["time", "ask", "bid", "ask_volume", "bid_volume"];

/// The records of a file as rows.
pub(super) struct Rows {
    bytes: Vec<u8>,
    at: usize,
    pub(super) cells: Vec<Span>,
    pub(super) text: Vec<u8>,
    pub(super) names: Names,
}

impl Rows {
    /// Unpacks a file; an hour without quotes has no bytes at all.
    pub(super) fn new(mut input: impl BufRead) -> Result<Self, FeedError> {
        let mut bytes = Vec::new();
        if !input.fill_buf().map_err(crate::capture::ReadError::Input)?.is_empty() {
            let packed = |error: std::io::Error| TableError::Packed(format!("not LZMA: {error}"));
            let reader = LzmaReader::new_mem_limit(input, MEMORY_KIB_MAX, None).map_err(packed)?;
            reader.take(HOUR_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(packed)?;
            if bytes.len() as u64 > HOUR_BYTES_MAX {
                return Err(TableError::Packed(format!("more than {HOUR_BYTES_MAX} bytes")).into());
            }
        }
        let names = Names(COLUMNS.iter().map(|&name| name.into()).collect());
        Ok(Self { bytes, at: 0, cells: Vec::new(), text: Vec::new(), names })
    }

    /// Number of the record that was read last.
    pub(super) const fn number(&self) -> u64 {
        self.at.div_ceil(RECORD_BYTES) as u64
    }

    /// Reads the next record into `cells` and `text`; false at the end.
    pub(super) fn next_row(&mut self) -> Result<bool, RowError> {
        let rest = &self.bytes[self.at..];
        let Some(record) = rest.first_chunk::<RECORD_BYTES>() else {
            let bytes = rest.len();
            self.at = self.bytes.len();
            return if bytes == 0 { Ok(false) } else { Err(RowError::Cut { bytes }) };
        };
        self.cells.clear();
        self.text.clear();
        self.at += RECORD_BYTES;
        let (words, _) = record.as_chunks::<4>();
        for (n, &word) in words.iter().enumerate() {
            let start = self.text.len();
            let bits = u32::from_be_bytes(word);
            // The shortest decimal that is this float and no other: what was meant, and the bits come back.
            let written = if n < 3 {
                write!(self.text, "{bits}")
            } else {
                write!(self.text, "{}", f32::from_bits(bits))
            };
            written.expect("a vector takes what is written");
            self.cells.push(span(start, self.text.len()));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: Vec<u8>) -> Rows {
        Rows { bytes, at: 0, cells: Vec::new(), text: Vec::new(), names: Names::default() }
    }

    #[test]
    fn records_are_rows() {
        let mut bytes = Vec::new();
        for word in [71, 114_427, 114_425, 0x4060_0000, 0x4033_d70a] {
            bytes.extend(u32::to_be_bytes(word));
        }
        bytes.extend([0; 3]);
        let mut rows = rows(bytes);
        assert!(rows.next_row().unwrap());
        assert_eq!((rows.text.as_slice(), rows.number()), (&b"711144271144253.52.81"[..], 1));
        assert_eq!(rows.cells.last(), Some(&Span { start: 17, end: 21 }));
        assert_eq!(rows.next_row(), Err(RowError::Cut { bytes: 3 }));
        assert_eq!((rows.next_row(), rows.number()), (Ok(false), 2));
    }

    #[test]
    fn what_is_no_lzma_is_said() {
        assert!(!Rows::new(&b""[..]).unwrap().next_row().unwrap());
        assert!(Rows::new(&b"rubbish, and more of it"[..]).is_err());
    }
}
