//! Venues played from captures: the other end of a live feed, on this machine, with faults at will.
//!
//! A capture is served as its venue would have served it: subscriptions are answered, books begin with a snapshot
//! of what they are at that moment, the numbers and checksums are right. [`Fault`]s are what makes them wrong.

mod client;
mod fault;
mod http;
mod mangle;
mod script;
mod server;
mod stream;
mod venue;
mod world;

pub use fault::{Fault, FaultError, Kind};
pub use script::{Script, ScriptError};
pub use server::{Emulator, Options, Watch};
