//! Frames as bytes: opcodes, and the headers that a server writes.

use bytes::Bytes;

use crate::Fault;

/// An empty ping.
pub const PING: [u8; 2] = [FIN | Opcode::Ping as u8, 0];

/// The last frame of its message.
pub(crate) const FIN: u8 = 0x80;
/// The message is compressed.
pub(crate) const RSV1: u8 = 0x40;
/// All three reserved bits.
pub(crate) const RSV: u8 = 0x70;
/// The payload of a control frame, at most.
pub(crate) const CONTROL_BYTES_MAX: usize = 125;
/// A server's frame header, at most.
pub(crate) const HEADER_BYTES_MAX: usize = 10;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    pub(crate) const fn parse(first: u8) -> Result<Self, Fault> {
        Ok(match first & 0x0f {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            other => return Err(Fault::Opcode(other)),
        })
    }

    pub(crate) const fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }
}

/// Writes the header of an unmasked frame so that it ends where the payload begins, in the room that
/// was left before it; returns where it starts.
pub(crate) fn write_header(room: &mut [u8; HEADER_BYTES_MAX], first: u8, length: usize) -> usize {
    let start = HEADER_BYTES_MAX - header_len(length);
    let header = &mut room[start..];
    header[0] = first;
    let length = length as u64;
    match header.len() {
        2 => header[1] = length.to_be_bytes()[7],
        4 => {
            header[1] = 126;
            header[2..].copy_from_slice(&length.to_be_bytes()[6..]);
        }
        _ => {
            header[1] = 127;
            header[2..].copy_from_slice(&length.to_be_bytes());
        }
    }
    start
}

pub(crate) const fn header_len(length: usize) -> usize {
    match length {
        0..126 => 2,
        126..0x1_0000 => 4,
        _ => 10,
    }
}

/// A control frame; a payload that does not fit is cut.
pub(crate) fn control(opcode: Opcode, payload: &[u8]) -> Bytes {
    let payload = &payload[..payload.len().min(CONTROL_BYTES_MAX)];
    let mut frame = Vec::with_capacity(2 + payload.len());
    frame.extend([FIN | opcode as u8, payload.len().to_le_bytes()[0]]);
    frame.extend_from_slice(payload);
    frame.into()
}

/// A close frame. A reason that does not fit is cut between two characters.
pub(crate) fn close(code: Option<u16>, reason: &str) -> Bytes {
    let Some(code) = code else { return control(Opcode::Close, b"") };
    let end = reason.floor_char_boundary(CONTROL_BYTES_MAX - 2);
    control(Opcode::Close, &[&code.to_be_bytes(), &reason.as_bytes()[..end]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_as_short_as_can_be() {
        for (length, expected) in [
            (0, &[0x81, 0][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (0xffff, &[0x81, 126, 0xff, 0xff]),
            (0x1_0000, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut room = [0; HEADER_BYTES_MAX];
            let start = write_header(&mut room, 0x81, length);
            assert_eq!(&room[start..], expected, "{length}");
        }
    }

    #[test]
    fn a_reason_is_cut_between_characters() {
        let frame = close(Some(1000), &"ü".repeat(100));
        assert_eq!(frame[..4], [0x88, 124, 0x03, 0xe8]);
        assert_eq!(std::str::from_utf8(&frame[4..]).unwrap().chars().count(), 61);
        assert_eq!(close(None, "never said")[..], [0x88, 0]);
    }
}
