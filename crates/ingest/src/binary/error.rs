//! What can be wrong with a record or a packet.

/// Why bytes of a binary recording were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BinaryError {
    /// The file is of another kind than its feed.
    #[error("not {0}")]
    Format(&'static str),
    /// A version of the format that is not known.
    #[error("{format} of version {version}, up to {newest} is known")]
    Version {
        /// The format.
        format: &'static str,
        /// The file's version.
        version: u8,
        /// The newest that is known.
        newest: u8,
    },
    /// The file ends in the middle.
    #[error("the file ends in the middle of {0}")]
    Cut(&'static str),
    /// Fewer bytes than are needed.
    #[error("{what} of {len} bytes, at least {least} are needed")]
    Short {
        /// What is too short.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The least that makes sense.
        least: usize,
    },
    /// More bytes than there can be.
    #[error("{what} of {len} bytes, at most {most} can be")]
    Long {
        /// What is too long.
        what: &'static str,
        /// Its length in bytes.
        len: u64,
        /// The most that makes sense.
        most: u64,
    },
    /// The capture has not kept all of a packet.
    #[error("the capture has not kept the last {0} bytes of a packet")]
    Lacks(usize),
    /// Fewer messages than a datagram says.
    #[error("the datagram ends before its last {lacking} message(s)")]
    Missing {
        /// How many are missing.
        lacking: u64,
    },
    /// More bytes than a datagram's messages have.
    #[error("{0} bytes are left behind the messages of a datagram")]
    Left(usize),
    /// A name that is no text.
    #[error("the name of an instrument is not UTF-8")]
    Name,
    /// Times of day, and no day.
    #[error(
        "its times are times of day, and nothing says of which one: --date, or the key date of a feed, does"
    )]
    NoDay,
    /// A part of a packet that a network has divided.
    #[error("a part of a divided packet")]
    Fragment,
    /// A code that is none.
    #[error("unknown {what} {code}")]
    Code {
        /// What the code is of.
        what: &'static str,
        /// The code, as it stands there.
        code: u32,
    },
    /// What is in the header before the records.
    #[error("bad metadata: {0}")]
    Metadata(&'static str),
    /// The source of the recording reports a fault of its own.
    #[error("the source says: {0}")]
    Told(String),
}
