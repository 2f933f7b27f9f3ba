//! What a peer can do wrong.

/// A rule that the peer broke. The connection is at its end: nothing more is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A reserved bit without an extension that gives it a meaning, or not on a message's first frame.
    #[error("a reserved bit is set")]
    ReservedBit,
    /// An opcode that RFC 6455 does not define.
    #[error("opcode {0} is reserved")]
    Opcode(u8),
    /// A frame of a client without a mask.
    #[error("a frame has no mask")]
    Unmasked,
    /// A length in more bytes than it needs, or above 2^63.
    #[error("a length is not in its shortest form")]
    Length,
    /// A control frame with more than 125 bytes.
    #[error("a control frame has more than 125 bytes")]
    ControlTooLong,
    /// A control frame in fragments.
    #[error("a control frame is in fragments")]
    ControlFragmented,
    /// A continuation where nothing is to be continued.
    #[error("a continuation continues nothing")]
    Continuation,
    /// A message begins before the one under way has ended.
    #[error("a message begins within another")]
    Interleaved,
    /// A close frame with a payload of one byte.
    #[error("a close code has one byte")]
    CloseTooShort,
    /// A close code that may not be on the wire.
    #[error("close code {0} may not be sent")]
    CloseCode(u16),
    /// A text, or the reason of a close frame, that is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// What should be compressed data is none, or ends in its middle.
    #[error("a compressed message is damaged")]
    Deflate,
    /// A message above the limit, declared or inflated.
    #[error("a message is too long")]
    MessageTooLong,
    /// A message in more fragments than are taken.
    #[error("a message is in too many fragments")]
    TooManyFrames,
}

impl Fault {
    /// The code of the close frame that says so.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::NotUtf8 | Self::Deflate => 1007,
            Self::MessageTooLong | Self::TooManyFrames => 1009,
            _ => 1002,
        }
    }
}
