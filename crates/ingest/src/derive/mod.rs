//! What follows from a feed's ticks: bars, 24-hour totals, and whether the feed can be trusted.
//!
//! Pure. Time is the feed's own: the newest time that its ticks carry, or what the shell says when
//! they say nothing ([`Deriver::handle_time`]).

mod bar;
mod candles;
mod day;
mod freshness;
mod tape;

use std::collections::HashMap;
use std::sync::Arc;

use model::{Body, Channel, Correction, Instrument, Original, State, Symbol, Tick, Ticker, Trade, UnixNanos};
use serde::{Deserialize, Serialize};

use candles::{Candles, Known};
use day::Day;
use freshness::Freshness;
use tape::{Order, Tape};

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
    /// Whose trades are remembered.
    order: Order,
    totals: Totals,
}

/// What was seen so far that is worth a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Trades that came too late to be counted into one of their bars, or into the day.
    pub late_trades: u64,
    /// Corrections after which all that follows was told anew, exactly.
    pub exact: u64,
    /// Corrections after which something cannot be told exactly any more: too many trades have come since.
    pub partial: u64,
    /// Corrections of trades that nobody knows: nothing follows.
    pub unknown: u64,
    /// How often a best bid came to be above the best offer.
    pub crossed: u64,
    /// How often a best bid came to be at the best offer.
    pub locked: u64,
    /// Times of the venue that lie before the one before them in their stream.
    pub backwards: u64,
}

#[derive(Serialize, Deserialize)]
struct Derived {
    /// As the feed says it is, and with what its prices say of it.
    said: Arc<Instrument>,
    instrument: Arc<Instrument>,
    candles: Candles,
    day: Day,
    tape: Tape,
    /// Whether the newest quote was crossed or locked.
    crossed: (bool, bool),
    /// The newest time of the venue, by channel.
    newest: [UnixNanos; Channel::ALL.len()],
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
            order: Order::default(),
            totals: Totals::default(),
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
        let recv = tick.ts_recv;
        self.freshness.handle(&tick, at, out);
        let index = *self.index.entry(tick.instrument.symbol.clone()).or_insert(self.symbols.len());
        if index == self.symbols.len() {
            self.symbols.push(Derived {
                said: Arc::clone(&tick.instrument),
                instrument: Arc::clone(&tick.instrument),
                candles: Candles::default(),
                day: Day::default(),
                tape: Tape::default(),
                crossed: (false, false),
                newest: [UnixNanos(0); Channel::ALL.len()],
                has_ticker: false,
                has_candles: false,
            });
        }
        let derived = &mut self.symbols[index];
        derived.name(&mut tick);
        derived.look(&tick, &mut self.totals);
        let instrument = Arc::clone(&derived.instrument);
        let mut made = Vec::new();
        match &mut tick.body {
            Body::Trade(trade) => {
                let remembered = derived.tape.add(trade, at);
                let in_day = derived.day.trade(trade, at);
                let known = Known { day: &derived.day, tape: &derived.tape };
                let in_bars = derived.has_candles || derived.candles.trade(trade, at, known, &mut made);
                self.totals.late_trades += u64::from(!in_bars || !in_day);
                if !derived.has_ticker {
                    made.push(Body::Ticker(Box::new(derived.day.ticker())));
                }
                if remembered && let Some(forgets) = self.order.add(index) {
                    self.symbols[forgets].tape.forget();
                }
            }
            Body::Correction(correction) => match derived.correct(correction, &mut made) {
                Some(true) => self.totals.exact += 1,
                Some(false) => self.totals.partial += 1,
                None => self.totals.unknown += 1,
            },
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
            ts_source: None,
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
        let instruments = self.symbols.iter().map(|derived| &derived.instrument);
        self.freshness.advance(instruments, out);
        let mut made = Vec::new();
        for derived in &mut self.symbols {
            derived.candles.advance(self.now, &mut made);
            out.extend(made.drain(..).map(|body| Tick {
                instrument: Arc::clone(&derived.instrument),
                ts_event: Some(self.now),
                ts_source: None,
                ts_recv: Some(self.now),
                body,
            }));
        }
    }

    /// Something was heard of the feed, if only a heartbeat, at that time of receipt.
    pub fn hear(&mut self, at: UnixNanos) {
        self.freshness.hear(at);
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

    /// What was seen so far.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }
}

/// Most decimals of the prices of a trade or a quote.
fn decimals(body: &Body) -> Option<u32> {
    let prices = match body {
        Body::Trade(trade) => [Some(trade.price), None],
        Body::Quote(quote) => [quote.bid.map(|level| level.price), quote.ask.map(|level| level.price)],
        _ => [None, None],
    };
    prices.into_iter().flatten().map(|price| price.value().scale()).max()
}

impl Derived {
    /// Names the instrument with what is known of it: where the venue does not say how many decimals a price has, as
    /// many as one had.
    fn name(&mut self, tick: &mut Tick) {
        if !Arc::ptr_eq(&self.said, &tick.instrument) {
            self.said = Arc::clone(&tick.instrument);
            let inferred = self.instrument.definition.price_scale;
            self.instrument = Arc::clone(&tick.instrument);
            self.infer(inferred);
        }
        self.infer(decimals(&tick.body));
        tick.instrument = Arc::clone(&self.instrument);
    }

    /// Notes what is odd about a tick, and passes it on all the same.
    fn look(&mut self, tick: &Tick, totals: &mut Totals) {
        if let Some(at) = tick.ts_event {
            let newest = &mut self.newest[tick.body.channel() as usize];
            totals.backwards += u64::from(at < *newest);
            *newest = at.max(*newest);
        }
        if let Body::Quote(quote) = &tick.body {
            let locked = quote.is_locked();
            let now = (quote.is_crossed() && !locked, locked);
            let before = std::mem::replace(&mut self.crossed, now);
            totals.crossed += u64::from(now.0 && !before.0);
            totals.locked += u64::from(now.1 && !before.1);
        }
    }

    fn infer(&mut self, scale: Option<u32>) {
        if self.said.definition.price_decimals().is_none() && self.instrument.definition.price_scale < scale {
            let mut named = (*self.instrument).clone();
            named.definition.price_scale = scale;
            self.instrument = Arc::new(named);
        }
    }

    /// Takes a trade out of all totals again, and puts what holds instead where it was. Says in the correction what is
    /// known of the trade. False where a total cannot be told exactly any more, `None` where nothing follows.
    fn correct(&mut self, correction: &mut Correction, made: &mut Vec<Body>) -> Option<bool> {
        let (trade, at) = if let Some((back, kept)) = self.tape.correct(&correction.id) {
            let (trade, at) = (kept.trade.clone(), kept.at);
            let said = correction.original.take().map(|original| original.trade);
            let told = said.unwrap_or_else(|| trade.clone());
            correction.original = Some(Original { trade: told, ts_event: Some(at), back: Some(back) });
            if std::mem::replace(&mut kept.gone, correction.becomes.is_none()) {
                // It was taken back before: what never was cannot be corrected.
                kept.gone = true;
                return None;
            }
            if let Some(becomes) = &correction.becomes {
                let id = becomes.id.clone().or(kept.trade.id.take());
                kept.trade = Trade { id, ..becomes.clone() };
            }
            (trade, at)
        } else {
            let original = correction.original.as_ref()?;
            (original.trade.clone(), original.ts_event?)
        };
        let instead = correction.becomes.as_ref();
        self.day.correct(&trade, instead, at, &self.tape);
        let known = Known { day: &self.day, tape: &self.tape };
        let exact = self.candles.correct(&trade, instead, at, known, made);
        if !self.has_ticker {
            made.push(Body::Ticker(Box::new(self.day.ticker())));
        }
        Some(exact)
    }
}

#[cfg(test)]
mod tests;
