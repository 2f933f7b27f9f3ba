//! The shell: feeds as threads that keep time and hand ticks on.
//!
//! A feed thread reads or makes ticks, waits until each is due, adds what follows from them, and
//! sends them in batches. It waits where the receiver is slower; nothing is queued without bound.

mod clock;
mod gate;
mod outlet;
mod place;
mod replay;
mod script;
mod simulation;
mod spec;
mod survey;

use std::io;
use std::thread;

use tokio::sync::mpsc::Sender;

use model::{Symbol, Tick};

use crate::live::shell;
use replay::Recorded;
use survey::Survey;

pub use gate::{Gate, Stop};
pub use outlet::suffixed;
pub(crate) use outlet::{Closed, Outlet, wall_now};
pub use place::Place;
pub(crate) use place::Source;
pub use spec::{FeedKind, FeedSpec, ReplaySpec, SimSpec};
pub use survey::ReplayError;

/// Ticks that are due together.
pub type Batch = Vec<Tick>;

/// Most ticks in a batch: a receiver that takes one batch at a time is never far behind.
pub const BATCH_TICKS_MAX: usize = 256;

/// A feed that runs; where it is when it has ended.
pub type Thread = thread::JoinHandle<Option<Place>>;

/// A feed that can begin: what it reads was looked through.
#[derive(Debug)]
pub struct Prepared {
    spec: FeedSpec,
    survey: Survey,
    symbols: Vec<Symbol>,
}

/// Looks through what a feed reads.
///
/// # Errors
/// The recording cannot be read, or says nothing that its feed understands.
pub fn prepare(spec: FeedSpec) -> Result<Prepared, ReplayError> {
    let survey = match &spec.kind {
        FeedKind::Sim(_) => Survey::default(),
        FeedKind::Replay(replay) => survey::survey(replay)?,
        FeedKind::Live(live) => {
            live.check()?;
            Survey::default()
        }
    };
    let own = match &spec.kind {
        FeedKind::Sim(sim) => crate::sim::symbols(sim.symbols),
        FeedKind::Replay(_) => survey.instruments.iter().map(|known| known.symbol.clone()).collect(),
        FeedKind::Live(live) => live.instruments()?.iter().map(|known| known.symbol.clone()).collect(),
    };
    let symbols = own.into_iter().map(|symbol| outlet::suffixed(&symbol, &spec.suffix)).collect();
    Ok(Prepared { spec, survey, symbols })
}

impl Prepared {
    /// The feed's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// How many lines or records of what it reads are broken; they are passed over, and named in the log when they come.
    #[must_use]
    pub const fn faults(&self) -> u64 {
        self.survey.faults
    }

    /// What it lists.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// Whether it begins only when a client has subscribed.
    #[must_use]
    pub const fn waits_for_subscriber(&self) -> bool {
        matches!(&self.spec.kind, FeedKind::Replay(replay) if replay.wait_for_subscriber)
    }

    /// Starts the feed on a thread of its own, at `place` if that is one of this feed's. It ends with its
    /// recording, when `stop` says so, or when nobody receives any more, and tells where it is then.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        self,
        sink: Sender<Batch>,
        gate: Gate,
        stop: Stop,
        place: Option<Place>,
    ) -> io::Result<Thread> {
        let Self { spec, survey, .. } = self;
        let place = match place {
            Some(place) if !place.fits(&spec) => {
                tracing::warn!(feed = spec.name, "another source than before: it begins anew");
                place.retire(&sink);
                None
            }
            place => place,
        };
        let name = format!("feed-{}", spec.name);
        thread::Builder::new().name(name).spawn(move || match &spec.kind {
            FeedKind::Sim(sim) => simulation::run(&spec, sim, sink, &stop, place),
            FeedKind::Replay(replay) => {
                replay::run(&spec, &Recorded { replay, survey: &survey }, sink, (&gate, &stop), place)
            }
            FeedKind::Live(live) => shell::run(&spec, live, sink, &stop, place.map(Place::into_derived)),
        })
    }
}
