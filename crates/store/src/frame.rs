//! Blocks in a file: a header that says what follows, and the bytes. Each has its own checksum.

use model::UnixNanos;

/// Where a header begins, so that one is found behind damage.
pub(crate) const MAGIC: [u8; 8] = *b"TWBLOCK1";
/// Bytes of a header.
pub(crate) const HEADER_BYTES: usize = 72;

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Records, in the total order.
    Records,
    /// How everything stood at a place in the total order.
    State,
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// How many records it has.
    pub(crate) count: u32,
    /// How long it is.
    pub(crate) bytes: u32,
    /// Its checksum.
    pub(crate) crc: u32,
    /// The places of its first and its last record; of a state, the place that it is of.
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// The clock of the recording at its first and at its last record.
    pub(crate) from: UnixNanos,
    pub(crate) to: UnixNanos,
    /// How many records stand before it.
    pub(crate) before: u64,
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut rest = &mut bytes[..];
        let mut put = |part: &[u8]| {
            let (into, behind) = std::mem::take(&mut rest).split_at_mut(part.len());
            into.copy_from_slice(part);
            rest = behind;
        };
        put(&MAGIC);
        put(&[self.kind as u8, 0, 0, 0]);
        for number in [self.count, self.bytes, self.crc] {
            put(&number.to_le_bytes());
        }
        for number in [self.first, self.last, self.from.0, self.to.0, self.before] {
            put(&number.to_le_bytes());
        }
        let crc = crc32fast::hash(&bytes[..HEADER_BYTES - 8]);
        bytes[HEADER_BYTES - 8..HEADER_BYTES - 4].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// What the bytes say, if they are a header.
    pub(crate) fn parse(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let mut rest = &bytes[..];
        if take::<8>(&mut rest)? != MAGIC {
            return None;
        }
        let kind = match take::<4>(&mut rest)? {
            [0, 0, 0, 0] => Kind::Records,
            [1, 0, 0, 0] => Kind::State,
            _ => return None,
        };
        let mut small = || take(&mut rest).map(u32::from_le_bytes);
        let (count, length, crc) = (small()?, small()?, small()?);
        let mut large = || take(&mut rest).map(u64::from_le_bytes);
        let (first, last, from, to, before) = (large()?, large()?, large()?, large()?, large()?);
        let own = take(&mut rest).map(u32::from_le_bytes)?;
        let header = Self {
            kind,
            count,
            bytes: length,
            crc,
            first,
            last,
            from: UnixNanos(from),
            to: UnixNanos(to),
            before,
        };
        (own == crc32fast::hash(&bytes[..HEADER_BYTES - 8]) && rest == [0; 4]).then_some(header)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_itself_or_nothing() {
        let header = Header {
            kind: Kind::State,
            count: 3,
            bytes: 4,
            crc: 5,
            first: 6,
            last: 7,
            from: UnixNanos(8),
            to: UnixNanos(9),
            before: 10,
        };
        let bytes = header.to_bytes();
        assert_eq!(Header::parse(&bytes), Some(header));
        for bit in 0..8 * HEADER_BYTES {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::parse(&bytes), None, "bit {bit}");
        }
    }
}
