//! A block's columns: what is alike stands together, so that it packs well.

use zstd::bulk::{Compressor, Decompressor};

use super::{Malformed, varint};
use crate::limits::{BLOCK_BYTES_MAX, PACKED_MIN};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// The instruments of the block, as JSON.
    Instruments,
    /// A byte per record: what it is, and what is as it was before.
    Heads,
    /// Whose record it is.
    Symbols,
    /// Places that do not follow from the one before.
    Order,
    /// Times of receipt.
    Recv,
    /// Times of the venue.
    Event,
    /// What of a body is as predicted.
    Flags,
    /// Prices, as differences.
    Prices,
    /// Digits of sizes without their trailing zeros.
    Sizes,
    /// How many zeros these were.
    Zeros,
    /// Scales that are others than before.
    Scales,
    /// Ids of trades.
    Ids,
    /// How many levels and trades.
    Counts,
    /// Words.
    Texts,
    /// When venues sent what they did, of each record or of none.
    Source,
}

const COLUMNS: usize = Column::Source as usize + 1;
/// Those that every block has, however old.
const COLUMNS_MIN: usize = Column::Texts as usize + 1;

/// Columns that are written.
#[derive(Default)]
pub(super) struct Columns([Vec<u8>; COLUMNS]);

impl Columns {
    pub(super) fn of(&mut self, column: Column) -> &mut Vec<u8> {
        &mut self.0[column as usize]
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(Vec::clear);
    }

    /// All columns as bytes, packed where that makes them fewer.
    pub(super) fn pack(&self, packer: &mut Compressor<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        let count = self.0.iter().rposition(|column| !column.is_empty()).map_or(0, |last| last + 1);
        for column in &self.0[..count.max(COLUMNS_MIN)] {
            varint::put(&mut out, column.len() as u128);
            let packed = (column.len() >= PACKED_MIN).then(|| packer.compress(column).ok()).flatten();
            match packed.filter(|packed| packed.len() < column.len()) {
                Some(packed) => {
                    varint::put(&mut out, packed.len() as u128);
                    out.extend(packed);
                }
                None if column.is_empty() => {}
                None => {
                    varint::put(&mut out, 0);
                    out.extend(column);
                }
            }
        }
        out
    }
}

/// Columns that are read.
pub(super) struct Unpacked([Vec<u8>; COLUMNS]);

impl Unpacked {
    /// The columns of a packed block, whose bytes are few whatever it claims.
    pub(super) fn unpack(mut input: &[u8], unpacker: &mut Decompressor<'_>) -> Result<Self, Malformed> {
        let mut columns: [Vec<u8>; COLUMNS] = Default::default();
        let mut left = BLOCK_BYTES_MAX;
        for (number, column) in columns.iter_mut().enumerate() {
            if input.is_empty() && number >= COLUMNS_MIN {
                break;
            }
            let length = varint::length(&mut input, left)?;
            left -= length;
            if length == 0 {
                continue;
            }
            let most = input.len();
            let packed = varint::length(&mut input, most)?;
            let taken = if packed == 0 { length } else { packed };
            let (bytes, rest) = input.split_at_checked(taken).ok_or(Malformed("a column is cut"))?;
            input = rest;
            *column = if packed == 0 {
                bytes.to_vec()
            } else {
                unpacker.decompress(bytes, length).map_err(|_| Malformed("a column does not unpack"))?
            };
            if column.len() != length {
                return Err(Malformed("a column has another length than it says"));
            }
        }
        if input.is_empty() {
            Ok(Self(columns))
        } else {
            Err(Malformed("something stands behind the columns"))
        }
    }

    pub(super) fn views(&self) -> Views<'_> {
        Views(self.0.each_ref().map(|column| &column[..]))
    }
}

/// What is left of each column.
pub(super) struct Views<'a>([&'a [u8]; COLUMNS]);

impl<'a> Views<'a> {
    pub(super) fn of(&mut self, column: Column) -> &mut &'a [u8] {
        &mut self.0[column as usize]
    }

    /// Whether all was read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|column| column.is_empty())
    }
}
