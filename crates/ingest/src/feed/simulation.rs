//! A simulation on the wall clock.

use std::time::{Duration, Instant};

use model::UnixNanos;
use tokio::sync::mpsc::Sender;

use super::outlet::{Closed, Outlet, wall_now};
use super::{Batch, FeedSpec, SimSpec, Stop};
use crate::sim::{Market, Settings};

/// What is due within this is sent together: finer pacing would cost more than it shows.
const GRAIN: Duration = Duration::from_millis(1);

pub(super) fn run(spec: &FeedSpec, sim: &SimSpec, sink: Sender<Batch>, stop: &Stop) {
    let mut outlet = Outlet::new(spec, sink);
    let start = wall_now();
    let settings = Settings { seed: sim.seed, symbols: sim.symbols, rate: sim.rate, start };
    // The only way out before `stop` is that nobody receives any more, which needs no word.
    let _ = play(&mut outlet, &settings, stop);
    tracing::info!(feed = spec.name, "simulation ended");
}

fn play(outlet: &mut Outlet, settings: &Settings, stop: &Stop) -> Result<(), Closed> {
    let (mut market, mut ticks) = (Market::new(settings), Vec::new());
    let began = Instant::now();
    let due = |at: UnixNanos| began + Duration::from_nanos(at.since(settings.start));
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
            outlet.idle(UnixNanos(settings.start.0 + nanos(began.elapsed())))?;
        }
    }
    outlet.end("simulation stopped", UnixNanos(settings.start.0 + nanos(began.elapsed())))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
