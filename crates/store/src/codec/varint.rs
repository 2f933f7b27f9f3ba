//! Whole numbers in as few bytes as they need: seven bits a byte, the lowest first.

use super::Malformed;

/// Bytes of the largest: 128 bits.
const BYTES_MAX: u32 = 19;

pub(super) fn put(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(low(value) | 0x80);
        value >>= 7;
    }
    out.push(low(value));
}

#[expect(clippy::cast_possible_truncation, reason = "its lowest bits are asked for")]
const fn low(value: u128) -> u8 {
    value as u8
}

/// The next number of `input`, which goes on behind it.
pub(super) fn get(input: &mut &[u8]) -> Result<u128, Malformed> {
    let mut rest = *input;
    let mut value = u64::from(byte(&mut rest)?);
    if value >= 0x80 {
        value &= 0x7f;
        for shift in (7..56).step_by(7) {
            let next = u64::from(byte(&mut rest)?);
            value |= (next & 0x7f) << shift;
            if next < 0x80 {
                *input = rest;
                return Ok(value.into());
            }
        }
        return long(input, u128::from(value), rest);
    }
    *input = rest;
    Ok(value.into())
}

#[cold]
fn long<'a>(input: &mut &'a [u8], mut value: u128, mut rest: &'a [u8]) -> Result<u128, Malformed> {
    for at in 8..BYTES_MAX {
        let next = u128::from(byte(&mut rest)?);
        let bits = next & 0x7f;
        if bits.leading_zeros() < 7 * at {
            return Err(Malformed("a number is too large"));
        }
        value |= bits << (7 * at);
        if next < 0x80 {
            *input = rest;
            return Ok(value);
        }
    }
    Err(Malformed("a number is too long"))
}

pub(super) fn byte(input: &mut &[u8]) -> Result<u8, Malformed> {
    let (&first, rest) = input.split_first().ok_or(Malformed("a column is too short"))?;
    *input = rest;
    Ok(first)
}

/// A number of `bytes` bytes at most, as a length.
pub(super) fn length(input: &mut &[u8], most: usize) -> Result<usize, Malformed> {
    let length = usize::try_from(get(input)?).ok().filter(|&length| length <= most);
    length.ok_or(Malformed("a length is too large"))
}

pub(super) fn put_signed(out: &mut Vec<u8>, value: i128) {
    put(out, zigzag(value));
}

pub(super) fn get_signed(input: &mut &[u8]) -> Result<i128, Malformed> {
    get(input).map(unzigzag)
}

/// Small numbers of either sign as small numbers.
pub(super) const fn zigzag(value: i128) -> u128 {
    ((value << 1) ^ (value >> 127)).cast_unsigned()
}

pub(super) const fn unzigzag(value: u128) -> i128 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comes_back(value: i128, shift in 0..128_u32) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            put_signed(&mut bytes, value);
            put(&mut bytes, 5);
            let mut input = &bytes[..];
            prop_assert_eq!(get_signed(&mut input), Ok(value));
            prop_assert_eq!(input, &[5][..]);
        }

        #[test]
        fn anything_is_a_number_or_refused(bytes: Vec<u8>) {
            let mut input = &bytes[..];
            while !input.is_empty() && get(&mut input).is_ok() {}
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for bytes in [&[0xff; 19][..], &[0xff; 30], &[0x80; 5], &[]] {
            assert!(get(&mut &*bytes).is_err(), "{bytes:?}");
        }
        let most = [&[0xff; 18][..], &[3]].concat();
        assert_eq!(get(&mut &most[..]), Ok(u128::MAX));
    }
}
