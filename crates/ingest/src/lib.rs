//! Feed handlers: simulations, captures and venues, normalised to ticks.
//!
//! The normalisers are pure: messages in, ticks out, no socket, no clock. Around them stands a thin
//! shell of threads that read files and keep time ([`feed`]). Not here: sequencing, subscribers.
//! How a feed is added stands in this crate's `README.md`.

mod binary;
mod board;
pub mod capture;
mod derive;
mod error;
pub mod feed;
mod json;
pub mod live;
pub mod metrics;
mod note;
mod quick;
mod reader;
mod recording;
pub mod sim;
pub mod table;
mod venue;

pub use binary::BinaryError;
pub use derive::{Deriver, Health, Totals};
pub use error::{FRAME_BYTES_MAX, FeedError, INSTRUMENTS_MAX};
pub use note::{Lost, Note};
pub use reader::{Map, Options, Reader, ReaderError, Spot, Step, Unit, reader};
pub use venue::{FEEDS, Link, Normaliser, normaliser};
