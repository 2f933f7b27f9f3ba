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
mod cut;
mod digest;
mod error;
mod finish;
mod frame;
mod journal;
pub mod limits;
mod lock;
mod manifest;
mod name;
mod raw;
mod recording;
mod seal;
mod segment;
mod shelf;
mod sorter;
mod state;
mod streams;
#[cfg(feature = "tables")]
pub mod tables;
mod tally;
#[cfg(test)]
mod tests;
mod ticker;

pub use cut::{Cut, Picked};
pub use digest::{Digest, Line};
pub use error::{Damage, StoreError};
pub use journal::{Journal, Settings};
pub use manifest::{DigestEntry, Lost, Manifest, RawEntry, Removed, SegmentEntry};
pub use name::{Name, NameError};
pub use recording::{At, Bars, BarsWanted, Reader, Recording, Span, remove};
pub use seal::{Sealed, seal, seal_all};
pub use shelf::{Cleared, Keep, Shelf};
pub use sorter::{Sorted, Sorter};
pub use state::State;
pub use tally::{StreamTally, Tally};
