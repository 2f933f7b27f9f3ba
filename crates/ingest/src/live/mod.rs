//! Venues over the network: connections that come back, subscriptions, snapshots, and what goes wrong with them.
//!
//! `session` is the whole of it as a value: it opens no socket and reads no clock. What each venue wants to hear
//! stands in `dialect`, what its messages say in the normalisers. `shell` gives it sockets and time.

mod backoff;
mod books;
mod budget;
mod counts;
mod dialect;
mod effect;
mod flow;
mod group;
mod guard;
mod http;
mod line;
mod merge;
mod probe;
mod raw;
mod session;
pub(crate) mod shell;
mod socket;
mod spec;
#[cfg(test)]
mod tests;
mod tls;

pub use probe::{Probed, probe};
pub use spec::{LIVE_FEEDS, LIVE_SYMBOLS_MAX, LiveChannel, LiveError, LiveSpec, Timing};
