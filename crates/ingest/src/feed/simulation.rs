//! A simulation on the wall clock.

use std::time::{Duration, Instant};

use model::UnixNanos;
use tokio::sync::mpsc::Sender;

use super::outlet::{Closed, Outlet, wall_now};
use super::place::{Place, Source};
use super::{Batch, FeedSpec, SimSpec, Stop};
use crate::sim::{Market, Settings};

/// What is due within this is sent together: finer pacing would cost more than it shows.
const GRAIN: Duration = Duration::from_millis(1);

pub(super) fn run(
    spec: &FeedSpec,
    sim: &SimSpec,
    sink: Sender<Batch>,
    stop: &Stop,
    place: Option<Place>,
) -> Option<Place> {
    let start = wall_now();
    let settings = Settings { seed: sim.seed, symbols: sim.symbols, rate: sim.rate, start };
    let (mut outlet, mut market) = match place {
        Some(Place { deriver, health, source: Source::Sim { market, .. }, .. }) => {
            (Outlet::resumed(spec, sink, deriver, health), market)
        }
        _ => (Outlet::new(spec, sink), Market::new(&settings)),
    };
    // The only way out before `stop` is that nobody receives any more, which needs no word.
    play(&mut outlet, &mut market, start, stop).ok()?;
    tracing::info!(feed = spec.name, "simulation ended");
    outlet.into_place(Source::Sim { spec: *sim, market })
}

/// What happened before `start` is due at once.
fn play(outlet: &mut Outlet, market: &mut Market, start: UnixNanos, stop: &Stop) -> Result<(), Closed> {
    let mut ticks = Vec::new();
    let began = Instant::now();
    let due = |at: UnixNanos| began + Duration::from_nanos(at.since(start));
    while !stop.is_stopped() {
        let until = Instant::now();
        while due(market.now()) <= until {
            market.advance(&mut ticks);
            for tick in ticks.drain(..) {
                outlet.push(tick)?;
            }
        }
        outlet.flush()?;
        let next = due(market.now()).max(Instant::now() + GRAIN).min(outlet.deadline());
        if !stop.sleep_until(next) {
            break;
        }
        if due(market.now()) > Instant::now() {
            outlet.idle(UnixNanos(start.0 + nanos(began.elapsed())))?;
        }
    }
    if stop.is_handed_over() {
        return Ok(());
    }
    outlet.end("simulation stopped", UnixNanos(start.0 + nanos(began.elapsed())))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
