//! Quotes as ticks, as long as the updates of the servers that know no ticks.

use std::sync::Arc;

use load::now;
use model::{Body, Instrument, Level, Price, Quote, Size, Symbol, Tick, UnixNanos, Venue};

/// Makes the quotes of a list of symbols.
pub(crate) struct Quotes {
    instruments: Vec<Arc<Instrument>>,
    bodies: Vec<Body>,
    count: usize,
}

/// Quotes that differ.
const BODIES: u32 = 100;

impl Quotes {
    pub(crate) fn new(symbols: &[String]) -> anyhow::Result<Self> {
        let venue = Venue::new("bench");
        let instrument = |name: &String| {
            let symbol = Symbol::parse(name)?;
            anyhow::Ok(Arc::new(Instrument::named(symbol, venue.clone(), name)))
        };
        let instruments = symbols.iter().map(instrument).collect::<anyhow::Result<_>>()?;
        let bodies = (0..BODIES).map(quote).collect::<anyhow::Result<_>>()?;
        Ok(Self { instruments, bodies, count: 0 })
    }

    /// The next quote of a symbol, which was due at a time.
    pub(crate) fn next(&mut self, symbol: usize, at: UnixNanos) -> Tick {
        self.count += 1;
        Tick {
            instrument: Arc::clone(&self.instruments[symbol]),
            ts_event: Some(at),
            ts_source: None,
            ts_recv: Some(now()),
            body: self.bodies[self.count % self.bodies.len()].clone(),
        }
    }
}

fn quote(cents: u32) -> anyhow::Result<Body> {
    let level = |whole: u32, size: &str| {
        let price = Price::parse(&format!("{whole}.{cents:02}"))?;
        anyhow::Ok(Some(Level { price, size: Size::parse(size)? }))
    };
    Ok(Body::Quote(Quote::of(level(100, "1.500")?, level(101, "0.310")?, false)))
}
