//! The encoding `tickwire.v1.msgpack`: the same messages as MessagePack.
//!
//! The same maps with the same keys, in the same order. Times are the standard timestamp extension
//! ([type −1](https://github.com/msgpack/msgpack/blob/master/spec.md#timestamp-extension-type)), with all
//! nanoseconds; prices and sizes stay texts. Made from the JSON, so that the two cannot differ.

mod pack;
#[cfg(test)]
mod tests;
mod unpack;

pub use pack::pack;
pub use unpack::{UnpackError, unpack};

/// The extension type of a timestamp.
const TIMESTAMP: i8 = -1;

/// The keys whose texts are times, in what the server sends.
const TIMES: [&str; 12] = [
    "deadline",
    "expires_at",
    "coalesced_since",
    "first_ts_event",
    "from",
    "position",
    "since",
    "start",
    "to",
    "ts_event",
    "ts_recv",
    "ts_sent",
];

/// Under this key a client's own words come back: they are not looked at.
const VERBATIM: &str = "payload";
