//! Many clients in one thread: what puts a load on a server, for the bench and for `tickwire bench`.
//!
//! A [`Crowd`] connects, subscribes and reads; each group of it as fast as it is told to. It counts what
//! comes, and where it is asked to, holds every stream to the promise: sequences tile, ledgers close. Cheap,
//! because what it costs is taken from what it measures. Not here: what is asked for, and what is made of
//! the figures.

mod account;
mod client;
mod clock;
mod crowd;
mod dialect;
mod door;
mod error;
mod frames;
mod http;
mod plan;
mod stream;
mod survey;
mod tally;

pub use account::{Fault, Totals};
pub use clock::{Stamp, now};
pub use crowd::{Crowd, sockets_max};
pub use dialect::{Dialect, Turn};
pub use door::Door;
pub use error::LoadError;
pub use plan::{Group, Looks, Plan};
pub use stream::Trust;
pub use survey::Survey;
pub use tally::Tally;
