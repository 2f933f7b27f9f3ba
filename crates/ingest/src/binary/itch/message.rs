//! The messages: how long each is at least, and the fields that all have.

use super::super::bytes::array;

/// Type, locate, tracking number and time.
pub(super) const HEAD_BYTES: usize = 11;

/// Bytes of a message of a type that is known.
pub(super) const fn bytes(of: u8) -> Option<usize> {
    Some(match of {
        b'S' | b'W' => 12,
        b'R' => 39,
        b'H' => 25,
        b'Y' | b'N' => 20,
        b'L' => 26,
        b'V' | b'J' | b'U' => 35,
        b'K' => 28,
        b'h' => 21,
        b'A' | b'C' => 36,
        b'F' | b'Q' => 40,
        b'E' => 31,
        b'X' => 23,
        b'D' | b'B' => 19,
        b'P' => 44,
        b'I' => 50,
        b'O' => 48,
        _ => return None,
    })
}

/// Whether a file of messages can begin with one of that type and length.
pub(super) fn begins(of: u8, len: u16) -> bool {
    bytes(of) == Some(usize::from(len))
}

/// Numbers with the highest byte first.
#[inline]
pub(super) fn u16(message: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(array(message, at))
}

#[inline]
pub(super) fn u32(message: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array(message, at))
}

#[inline]
pub(super) fn u64(message: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(array(message, at))
}

/// The time of day, in nanoseconds.
#[inline]
pub(super) fn time(message: &[u8]) -> u64 {
    // The six bytes are the end of eight whose first two are the tracking number.
    u64(message, 3) & 0xffff_ffff_ffff
}
