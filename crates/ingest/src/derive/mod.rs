//! What follows from a feed's ticks: bars, 24-hour totals, and whether the feed can be trusted.
//!
//! Pure. Time is the feed's own: the newest time that its ticks carry, or what the shell says when
//! they say nothing ([`Deriver::handle_time`]).

mod candles;
mod day;
mod freshness;

use std::collections::HashMap;
use std::sync::Arc;

use model::{Body, Instrument, State, Symbol, Tick, Ticker, UnixNanos};
use serde::{Deserialize, Serialize};

use candles::Candles;
use day::Day;
use freshness::Freshness;

pub use freshness::Health;

/// Adds to a feed's ticks what follows from them.
#[derive(Serialize, Deserialize)]
pub struct Deriver {
    /// In the order of their first ticks: what follows from time alone must come in one order too.
    symbols: Vec<Derived>,
    index: HashMap<Symbol, usize>,
    freshness: Freshness,
    /// The feed's time.
    now: UnixNanos,
    swept: UnixNanos,
    late_trades: u64,
}

#[derive(Serialize, Deserialize)]
struct Derived {
    instrument: Arc<Instrument>,
    candles: Candles,
    day: Day,
    /// The venue sends 24-hour totals of its own: none are made.
    has_ticker: bool,
    /// The venue sends bars of its own: none are made.
    has_candles: bool,
}

/// How often bars are looked through for such as time alone has closed.
const SWEEP: u64 = 250_000_000;

impl Deriver {
    /// A deriver for the feed of that name.
    #[must_use]
    pub fn new(feed: &str) -> Self {
        Self {
            symbols: Vec::new(),
            index: HashMap::new(),
            freshness: Freshness::new(feed),
            now: UnixNanos(0),
            swept: UnixNanos(0),
            late_trades: 0,
        }
    }

    /// Appends the tick and what follows from it. Trades from before the subscription end here:
    /// they are nobody's news and belong into no total.
    pub fn handle(&mut self, mut tick: Tick, out: &mut Vec<Tick>) {
        match &mut tick.body {
            Body::OldTrade(_) => return,
            // A book names its venue; two feeds of one venue are told apart by their own names.
            Body::Status(change) => self.freshness.sign(change),
            _ => {}
        }
        let at = tick.ts_event.or(tick.ts_recv).unwrap_or(self.now);
        let (instrument, recv) = (Arc::clone(&tick.instrument), tick.ts_recv);
        self.freshness.handle(&tick, at, out);
        let index = *self.index.entry(instrument.symbol.clone()).or_insert(self.symbols.len());
        if index == self.symbols.len() {
            self.symbols.push(Derived {
                instrument: Arc::clone(&instrument),
                candles: Candles::default(),
                day: Day::default(),
                has_ticker: false,
                has_candles: false,
            });
        }
        let derived = &mut self.symbols[index];
        let mut made = Vec::new();
        match &tick.body {
            Body::Trade(trade) => {
                if !derived.has_candles {
                    self.late_trades += u64::from(!derived.candles.trade(trade, at, &mut made));
                }
                if !derived.has_ticker {
                    made.push(Body::Ticker(Box::new(derived.day.trade(trade, at))));
                }
            }
            Body::Quote(quote) if !derived.has_ticker => {
                made.extend(derived.day.quote(quote).map(|ticker: Ticker| Body::Ticker(Box::new(ticker))));
            }
            Body::Ticker(_) => derived.has_ticker = true,
            Body::Candle(_) => (derived.has_candles, derived.candles) = (true, Candles::default()),
            _ => {}
        }
        out.push(tick);
        out.extend(made.into_iter().map(|body| Tick {
            instrument: Arc::clone(&instrument),
            ts_event: Some(at),
            ts_recv: recv,
            body,
        }));
        self.handle_time(at, out);
    }

    /// The feed's time is at least `now`: closes the bars that are over. Cheap when called often.
    pub fn handle_time(&mut self, now: UnixNanos, out: &mut Vec<Tick>) {
        self.now = self.now.max(now);
        if self.now.since(self.swept) < SWEEP {
            return;
        }
        self.swept = self.now;
        let mut made = Vec::new();
        for derived in &mut self.symbols {
            derived.candles.advance(self.now, &mut made);
            out.extend(made.drain(..).map(|body| Tick {
                instrument: Arc::clone(&derived.instrument),
                ts_event: Some(self.now),
                ts_recv: Some(self.now),
                body,
            }));
        }
    }

    /// The feed as a whole became live, stale or went down: every symbol says so.
    pub fn handle_health(&mut self, health: Health, reason: &str, now: UnixNanos, out: &mut Vec<Tick>) {
        let instruments = self.symbols.iter().map(|derived| &derived.instrument);
        self.freshness.change(health, reason, now, instruments, out);
    }

    /// Announces a symbol before anything happened to it.
    pub fn announce(
        &mut self,
        instrument: &Arc<Instrument>,
        reason: &str,
        now: UnixNanos,
        out: &mut Vec<Tick>,
    ) {
        out.push(self.freshness.tick(instrument, State::Closed, reason, now, None));
    }

    /// Trades that came too late to be counted into their bar.
    #[must_use]
    pub const fn late_trades(&self) -> u64 {
        self.late_trades
    }
}

#[cfg(test)]
mod tests;
