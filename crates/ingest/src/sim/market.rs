//! All simulated symbols on one clock.

use model::{Tick, UnixNanos};
use serde::{Deserialize, Serialize};

use super::flow::Flow;
use super::listing::listings;
use super::random::Random;

/// What makes a simulation; equal settings make equal ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Seed of all chance.
    pub seed: u64,
    /// How many symbols.
    pub symbols: usize,
    /// Events a second, over all symbols, on average: trades, quotes and book changes.
    pub rate: u32,
    /// Time of the first event.
    pub start: UnixNanos,
}

impl Settings {
    /// Most symbols.
    pub const SYMBOLS_MAX: usize = 10_000;
    /// Most events a second.
    pub const RATE_MAX: u32 = 200_000;
}

/// A simulated market.
#[derive(Serialize, Deserialize)]
pub struct Market {
    random: Random,
    flows: Vec<Flow>,
    /// Running sums of the symbols' shares of the activity.
    shares: Vec<u64>,
    /// Nanoseconds between two events, on average.
    pace: u64,
    now: u64,
    open: bool,
}

impl Market {
    /// A market that has not opened yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let count = settings.symbols.clamp(1, Settings::SYMBOLS_MAX);
        let shares = (1..=count as u64).scan(0, |sum, rank| {
            *sum += 1_000_000_000 / rank;
            Some(*sum)
        });
        Self {
            random: Random::new(settings.seed),
            flows: listings(count).iter().map(Flow::new).collect(),
            shares: shares.collect(),
            pace: 1_000_000_000 / u64::from(settings.rate.clamp(1, Settings::RATE_MAX)),
            now: settings.start.0,
            open: false,
        }
    }

    /// Appends what happens next. The first call opens every symbol.
    pub fn advance(&mut self, out: &mut Vec<Tick>) {
        let before = out.len();
        if self.open {
            self.act(out);
        } else {
            self.open = true;
            for flow in &mut self.flows {
                flow.open(&mut self.random, self.now, out);
            }
        }
        // An action that came to nothing takes the time of one event.
        let events = (out.len() - before).max(1) as u64;
        self.now += self.random.exponential(self.pace * events);
    }

    /// When the next thing happens.
    #[must_use]
    pub const fn now(&self) -> UnixNanos {
        UnixNanos(self.now)
    }

    fn act(&mut self, out: &mut Vec<Tick>) {
        let total = self.shares.last().copied().unwrap_or(1);
        let drawn = self.random.below(total);
        let index = self.shares.partition_point(|&sum| sum <= drawn);
        let flow = &mut self.flows[index];
        if !flow.is_halted(self.now, out) {
            flow.act(&mut self.random, self.now, out);
        }
    }
}

#[cfg(test)]
mod tests;
