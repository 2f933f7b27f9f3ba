//! The shell: feeds as threads that keep time and hand ticks on.
//!
//! A feed thread reads or makes ticks, waits until each is due, adds what follows from them, and
//! sends them in batches. It waits where the receiver is slower; nothing is queued without bound.

mod gate;
mod outlet;
mod replay;
mod script;
mod simulation;
mod spec;
mod speed;
mod survey;

use std::io;
use std::thread;

use tokio::sync::mpsc::Sender;

use model::Tick;

pub use gate::{Gate, Stop};
pub use spec::{FeedKind, FeedSpec, ReplaySpec, SimSpec};
pub use speed::{Speed, SpeedError};
pub use survey::ReplayError;

/// Ticks that are due together.
pub type Batch = Vec<Tick>;

/// Most ticks in a batch: a receiver that takes one batch at a time is never far behind.
pub const BATCH_TICKS_MAX: usize = 256;

/// Starts a feed on a thread of its own. It ends with its recording, when `stop` says so, or when
/// nobody receives any more.
///
/// # Errors
/// The recording cannot be read, or the thread cannot be started.
pub fn start(
    spec: FeedSpec,
    sink: Sender<Batch>,
    gate: Gate,
    stop: Stop,
) -> Result<thread::JoinHandle<()>, ReplayError> {
    let name = format!("feed-{}", spec.name);
    let run: Box<dyn FnOnce() + Send> = match spec.kind.clone() {
        FeedKind::Sim(sim) => Box::new(move || simulation::run(&spec, &sim, sink, &stop)),
        FeedKind::Replay(replay) => {
            let survey = survey::survey(&replay)?;
            Box::new(move || replay::run(&spec, &replay, &survey, sink, &gate, &stop))
        }
    };
    thread::Builder::new().name(name).spawn(run).map_err(|error: io::Error| ReplayError::Thread(error))
}
