//! The Rust client of `tickwire.v1`: connections that come back, books that are checked, streams
//! whose accounts are kept.
//!
//! [`Connection`] is one WebSocket; [`Subscriber`] keeps one open and subscribes anew after a break;
//! [`Streams`] and [`Books`] make of its messages what a client must: positions without holes, and
//! order books.

mod books;
mod connection;
mod endpoint;
mod error;
mod streams;
mod subscriber;

pub use books::{BookError, Books};
pub use connection::{Connection, Incoming};
pub use endpoint::{Endpoint, Target};
pub use error::ClientError;
pub use streams::{StreamKey, Streams, TileError};
pub use subscriber::{Happening, Subscriber};
