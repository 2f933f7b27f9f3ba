//! Streams that are had with a delay: an entitlement of the same channels, and not a property of a feed.

mod declared;
mod line;
mod missed;
#[cfg(test)]
mod tests;

pub use declared::{Delays, DelaysError};
pub(crate) use line::Line;
