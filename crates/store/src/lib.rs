//! Recordings: records in their total order, kept exactly, safe against crashes, read back fast.
//!
//! A recording is a folder: segments of blocks ([`Journal`] writes them, [`Recording`] reads them) and a manifest
//! that says what is in them. One recording is of one life of a server: its places in the total order, and its
//! sequences, are those that clients saw.
//!
//! Not here: what is recorded and when, and how records look on the wire.

#[cfg(feature = "arrow")]
pub mod arrow;
mod codec;
mod digest;
mod error;
mod frame;
mod journal;
pub mod limits;
mod manifest;
mod name;
#[cfg(feature = "parquet")]
pub mod parquet;
mod recording;
mod segment;
mod state;
mod streams;
mod tally;
#[cfg(test)]
mod tests;
mod ticker;

pub use digest::{Digest, Line};
pub use error::{Damage, StoreError};
pub use journal::{Journal, Settings};
pub use manifest::{DigestEntry, Lost, Manifest, SegmentEntry};
pub use name::{Name, NameError};
pub use recording::{At, Reader, Recording, Span};
pub use state::State;
pub use tally::{StreamTally, Tally};
