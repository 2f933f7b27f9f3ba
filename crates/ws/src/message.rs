//! Messages on their way out: encoded once, for all who receive them.

use std::sync::{Arc, OnceLock};

use bytes::{Buf, Bytes};

use crate::deflate::{DEFLATE_BYTES_MAX, DEFLATE_BYTES_MIN, WindowBits, deflate};
use crate::frame::{FIN, HEADER_BYTES_MAX, Opcode, RSV1, header_len, write_header};

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
}

impl Kind {
    const fn opcode(self) -> u8 {
        match self {
            Self::Text => Opcode::Text as u8,
            Self::Binary => Opcode::Binary as u8,
        }
    }
}

/// A message with its frame around it. To clone it is to count one more owner.
///
/// A server's frames have no mask, so that the same bytes are good for every receiver. The compressed
/// frame is made when the first of those who negotiated its window wants it.
#[derive(Clone, Debug)]
pub struct Message(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    kind: Kind,
    plain: Bytes,
    /// By window; `None` where compressing does not pay.
    deflated: OnceLock<Box<[OnceLock<Option<Bytes>>; WindowBits::COUNT]>>,
    /// The same in another encoding.
    other: OnceLock<Box<Message>>,
}

impl Message {
    /// A text message.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::new(Kind::Text, text.as_bytes())
    }

    /// A binary message.
    #[must_use]
    pub fn binary(bytes: &[u8]) -> Self {
        Self::new(Kind::Binary, bytes)
    }

    fn new(kind: Kind, payload: &[u8]) -> Self {
        let mut room = [0; HEADER_BYTES_MAX];
        let start = write_header(&mut room, FIN | kind.opcode(), payload.len());
        let mut frame = Vec::with_capacity(HEADER_BYTES_MAX - start + payload.len());
        frame.extend_from_slice(&room[start..]);
        frame.extend_from_slice(payload);
        Self::framed(kind, frame.into())
    }

    fn framed(kind: Kind, plain: Bytes) -> Self {
        Self(Arc::new(Shared { kind, plain, deflated: OnceLock::new(), other: OnceLock::new() }))
    }

    /// The same in the one other encoding that the server has: `make` is asked when the first receiver
    /// wants it, and never again.
    pub fn other(&self, make: impl FnOnce(&[u8]) -> Self) -> &Self {
        self.0.other.get_or_init(|| Box::new(make(self.payload())))
    }

    /// The message itself, without a frame.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        let frame = &self.0.plain;
        // The header's length is that of the payload's length, which the frame's own cannot mistake.
        let header = match frame[1] {
            126 => header_len(126),
            127 => header_len(usize::MAX),
            _ => header_len(0),
        };
        &frame[header..]
    }

    /// The whole frame, as it goes to a connection that negotiated `window`, or no compression.
    #[must_use]
    pub fn frame(&self, window: Option<WindowBits>) -> &Bytes {
        let plain = &self.0.plain;
        let pays = (DEFLATE_BYTES_MIN..=DEFLATE_BYTES_MAX).contains(&self.payload().len());
        let Some(window) = window.filter(|_| pays) else { return plain };
        let frames = self.0.deflated.get_or_init(Box::default);
        frames[window.index()].get_or_init(|| self.compress(window)).as_ref().unwrap_or(plain)
    }

    fn compress(&self, window: WindowBits) -> Option<Bytes> {
        let mut frame = vec![0; HEADER_BYTES_MAX];
        if !deflate(self.payload(), window, &mut frame) {
            return None;
        }
        let (room, payload) = frame.split_first_chunk_mut()?;
        let start = write_header(room, FIN | RSV1 | self.0.kind.opcode(), payload.len());
        frame.shrink_to_fit();
        Some(Bytes::from(frame).slice(start..))
    }
}

/// A text message in the making: written in place, behind the room for its frame's header.
#[derive(Debug)]
pub struct TextDraft(Vec<u8>);

impl TextDraft {
    /// An empty one, with room for so many bytes before it must grow.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut frame = Vec::with_capacity(HEADER_BYTES_MAX + bytes);
        frame.resize(HEADER_BYTES_MAX, 0);
        Self(frame)
    }

    /// Where the text goes; what is appended must be UTF-8.
    pub const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// The message, without another copy.
    #[must_use]
    pub fn finish(self) -> Message {
        let Self(mut frame) = self;
        let length = frame.len() - HEADER_BYTES_MAX;
        let start = match frame.first_chunk_mut() {
            Some(room) => write_header(room, FIN | Kind::Text.opcode(), length),
            None => 0,
        };
        let mut plain = Bytes::from(frame);
        plain.advance(start);
        Message::framed(Kind::Text, plain)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_made_once() {
        for length in [0, 125, 126, 0xffff, 0x1_0000] {
            let text = "x".repeat(length);
            let message = Message::text(&text);
            assert_eq!(message.payload(), text.as_bytes());
            let frame = message.frame(None);
            assert_eq!(frame.as_ptr(), message.clone().frame(None).as_ptr());
            assert!(frame.ends_with(text.as_bytes()) && frame[0] == 0x81);
        }
        assert_eq!(Message::binary(b"abc").frame(None)[..], *b"\x82\x03abc");
    }

    #[test]
    fn a_text_written_in_place_is_the_same_message() {
        for length in [0, 125, 126, 0xffff, 0x1_0000] {
            let text = "x".repeat(length);
            let mut draft = TextDraft::with_capacity(7);
            draft.out().extend_from_slice(text.as_bytes());
            let message = draft.finish();
            assert_eq!(message.frame(None), Message::text(&text).frame(None), "{length}");
            assert_eq!(message.payload(), text.as_bytes());
        }
    }

    #[test]
    fn another_encoding_is_made_once() {
        let message = Message::text("abc");
        let made = message.other(|text| Message::binary(&[text, b"!"].concat())).clone();
        assert_eq!(made.frame(None)[..], *b"\x82\x04abc!");
        let again = message.clone();
        let again = again.other(|_| unreachable!("it is there"));
        assert_eq!(again.frame(None).as_ptr(), made.frame(None).as_ptr());
    }

    #[test]
    fn a_compressed_frame_is_made_once_per_window() {
        let message = Message::text(&"tick".repeat(1_000));
        let (nine, fifteen) = (WindowBits::new(9), WindowBits::new(15));
        let frame = message.frame(nine);
        assert_eq!(frame[0], 0xc1);
        assert_eq!(usize::from(frame[1]), frame.len() - 2, "one frame, and its header says how long");
        assert!(frame.len() < 100);
        assert_eq!(frame.as_ptr(), message.clone().frame(nine).as_ptr());
        assert_ne!(frame.as_ptr(), message.frame(fifteen).as_ptr());
        assert_eq!(message.frame(None)[0], 0x81);
    }

    #[test]
    fn what_would_not_get_shorter_goes_as_it_is() {
        let window = Some(WindowBits::MAX);
        for (length, compressed) in [
            (DEFLATE_BYTES_MIN - 1, false),
            (DEFLATE_BYTES_MIN, true),
            (DEFLATE_BYTES_MAX, true),
            (DEFLATE_BYTES_MAX + 1, false),
        ] {
            let message = Message::text(&"x".repeat(length));
            let same = message.frame(window).as_ptr() == message.frame(None).as_ptr();
            assert_eq!(same, !compressed, "{length}");
        }
        let every: Vec<u8> = (0..=255).collect();
        let noise = Message::binary(&every);
        assert_eq!(noise.frame(window).as_ptr(), noise.frame(None).as_ptr());
    }
}
