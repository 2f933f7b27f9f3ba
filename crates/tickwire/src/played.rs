//! A recording as the feed of a server: what was recorded happens again.
//!
//! Records come with the times that they had, in their order, and get new sequences. A recording has all that was
//! derived of its feeds, so nothing is derived again.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ingest::feed::{BATCH_TICKS_MAX, Batch, Gate, Stop, Thread, suffixed};
use model::{Body, Instrument, Placed, Speed, State, StatusChange, Symbol, Tick, UnixNanos};
use store::{At, Recording};
use tokio::sync::mpsc::Sender;

/// A feed that plays a recording.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PlayedSpec {
    /// Its name, in logs and in status records.
    pub(crate) name: String,
    /// Put behind every symbol.
    pub(crate) suffix: String,
    /// The recording's folder.
    pub(crate) folder: PathBuf,
    /// How fast.
    pub(crate) speed: Speed,
    /// Begin again at the end.
    pub(crate) repeat: bool,
    /// Do not begin before a client has subscribed.
    pub(crate) wait_for_subscriber: bool,
}

/// One that can begin: its recording was looked at.
pub(crate) struct Played {
    spec: PlayedSpec,
    recording: Recording,
    instruments: Vec<(Arc<Instrument>, Arc<Instrument>)>,
    symbols: Vec<Symbol>,
}

/// Nobody receives any more, or the feed is to end.
struct Ended;

impl Played {
    /// Looks at the recording of a feed.
    pub(crate) fn prepare(spec: PlayedSpec) -> anyhow::Result<Self> {
        let recording = Recording::open(&spec.folder)?;
        let (state, _) = recording.seek(At::Position(u64::MAX), &mut Vec::new())?;
        let named = |instrument: Arc<Instrument>| {
            let symbol = suffixed(&instrument.symbol, &spec.suffix);
            let renamed = Arc::new(Instrument { symbol, ..(*instrument).clone() });
            (instrument, renamed)
        };
        let instruments: Vec<_> = state.instruments().into_iter().map(named).collect();
        if instruments.is_empty() {
            bail!("{}: nothing is recorded there", spec.folder.display());
        }
        let symbols = instruments.iter().map(|(_, renamed)| renamed.symbol.clone()).collect();
        Ok(Self { spec, recording, instruments, symbols })
    }

    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    /// Whether it begins only when a client has subscribed.
    pub(crate) const fn waits_for_subscriber(&self) -> bool {
        self.spec.wait_for_subscriber
    }

    /// What it lists.
    pub(crate) fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// Starts it on a thread of its own. It ends with its recording, or when `stop` says so. A process that takes
    /// over begins it anew, so it is nowhere then.
    pub(crate) fn start(self, sink: Sender<Batch>, gate: Gate, stop: Stop) -> anyhow::Result<Thread> {
        let thread = thread::Builder::new().name(format!("feed-{}", self.spec.name));
        let run = move || {
            let name = self.spec.name.clone();
            let mut player = Player { feed: self, sink, stop, batch: Batch::new(), clock: UnixNanos(0) };
            // The only other ways out need no word.
            if player.play(&gate).is_ok() {
                tracing::info!(feed = name, "replay ended");
            }
            None
        };
        thread.spawn(run).context("the thread of a recording")
    }
}

struct Player {
    feed: Played,
    sink: Sender<Batch>,
    stop: Stop,
    batch: Batch,
    /// The latest time of receipt so far.
    clock: UnixNanos,
}

impl Player {
    fn play(&mut self, gate: &Gate) -> Result<(), Ended> {
        let spec = self.feed.spec.clone();
        while spec.wait_for_subscriber && !gate.wait(Duration::from_millis(100)) {
            if self.stop.is_stopped() {
                return Err(Ended);
            }
        }
        loop {
            self.round()?;
            if !spec.repeat {
                return self.end();
            }
        }
    }

    /// The recording once through.
    fn round(&mut self) -> Result<(), Ended> {
        let speed = self.feed.spec.speed;
        let Ok(reader) = self.feed.recording.read() else { return Ok(()) };
        // What is to go of it waits for this reader alone.
        self.feed.recording.let_go();
        let (mut began, mut clock) = (None, UnixNanos(0));
        for records in reader {
            let records = match records {
                Ok(records) => records,
                Err(damage) => {
                    tracing::warn!(feed = self.feed.spec.name, "{damage}");
                    continue;
                }
            };
            for record in records {
                clock = clock.max(record.ts_recv);
                let (began, first) = *began.get_or_insert_with(|| (Instant::now(), clock));
                let due = began + speed.played(clock.since(first));
                if due > Instant::now() {
                    self.flush()?;
                    if !self.stop.sleep_until(due) {
                        return Err(Ended);
                    }
                }
                self.push(record)?;
            }
        }
        self.flush()
    }

    fn push(&mut self, record: Placed) -> Result<(), Ended> {
        let Placed { instrument, ts_event, ts_source, ts_recv, body, .. } = record;
        self.clock = self.clock.max(ts_recv);
        // A recording has few instruments; each comes as one value with every block.
        let renamed = self.feed.instruments.iter().find(|(own, _)| own.symbol == instrument.symbol);
        let instrument = renamed.map_or(instrument, |(_, renamed)| Arc::clone(renamed));
        let (ts_event, ts_recv) = (Some(ts_event), Some(ts_recv));
        self.batch.push(Tick { instrument, ts_event, ts_source, ts_recv, body });
        if self.batch.len() < BATCH_TICKS_MAX {
            return Ok(());
        }
        if self.stop.is_stopped() {
            return Err(Ended);
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Ended> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.sink.blocking_send(std::mem::take(&mut self.batch)).map_err(|_| Ended)
    }

    /// Nothing more comes: each symbol is told to have no source.
    fn end(&mut self) -> Result<(), Ended> {
        let at = self.clock;
        for (_, instrument) in &self.feed.instruments {
            let change = StatusChange {
                state: State::SourceDown,
                reason: "the recording has ended".into(),
                feed: self.feed.spec.name.as_str().into(),
                since: Some(at),
            };
            let (instrument, body) = (Arc::clone(instrument), Body::Status(Box::new(change)));
            let at = Some(at);
            self.batch.push(Tick { instrument, ts_event: at, ts_source: None, ts_recv: at, body });
        }
        self.flush()
    }
}
