//! A simulated market: seeded, deterministic, with a real order book behind every symbol.
//!
//! Orders arrive, rest, are cancelled and are hit; trades, quotes and depth are what happens to the
//! book, so they always agree. Symbols differ in activity (Zipf), volatility comes in clusters,
//! trading halts after large moves and by chance. Integers only: the same seed gives the same ticks
//! on every machine.

mod flow;
mod ladder;
mod listing;
mod market;
mod random;

pub use market::{Market, Settings};
pub(crate) use random::Random;

pub use crate::venue::sim_message as message;

/// The symbols of a market of so many.
pub(crate) fn symbols(count: usize) -> Vec<model::Symbol> {
    let listings = listing::listings(count).into_iter();
    listings.filter_map(|listing| model::Symbol::parse(&listing.symbol).ok()).collect()
}
