//! Reading a recording while Python goes on.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use model::{Placed, UnixNanos};
use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyValueError};
use pyo3::prelude::*;
use store::{At, Damage, Reader, State, StoreError};

use crate::selection::Selection;

/// Blocks that are read ahead.
const BLOCKS_AHEAD: usize = 2;
/// How long Python waits for us at most before it can say that it wants to stop.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// The records of a recording that are wanted, block by block.
pub(crate) struct Walk {
    blocks: Receiver<Result<Vec<Placed>, Damage>>,
    selection: Selection,
    /// The latest time of receipt so far.
    clock: UnixNanos,
    ended: bool,
    /// Records that were read, wanted or not.
    pub(crate) read: u64,
    /// What could not be read.
    pub(crate) damages: Vec<Damage>,
}

impl Walk {
    /// Begins where the selection does, with how everything stood then where it begins in the middle.
    pub(crate) fn begin(
        recording: &store::Recording,
        selection: &Selection,
    ) -> Result<(Option<State>, Self), StoreError> {
        let mut damages = Vec::new();
        let (state, reader) = match selection.from {
            None => (None, recording.read()?),
            Some(from) => {
                let before = At::Time(UnixNanos(from.0.saturating_sub(1)));
                let (state, reader) = recording.seek(before, &mut damages)?;
                (Some(state), reader)
            }
        };
        let clock = state.as_ref().map_or(UnixNanos(0), State::clock);
        let read = state.as_ref().map_or(0, State::records);
        let blocks = ahead(reader);
        Ok((state, Self { blocks, selection: selection.clone(), clock, ended: false, read, damages }))
    }

    /// The next records that are wanted, of at most one block; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Vec<Placed>> {
        while !self.ended {
            let Ok(next) = self.blocks.recv() else { break };
            match next {
                Ok(mut records) => {
                    self.cut(&mut records);
                    self.read += records.len() as u64;
                    records.retain(|record| self.selection.wants(record));
                    return Some(records);
                }
                // One that goes on, or whose process was killed, ends so.
                Err(damage) if damage.is_torn_end() => {}
                Err(damage) => self.damages.push(damage),
            }
        }
        None
    }

    /// Drops what comes after the selection's end.
    fn cut(&mut self, records: &mut Vec<Placed>) {
        let Some(to) = self.selection.to else { return };
        let after = records.iter().position(|record| {
            self.clock = self.clock.max(record.ts_recv);
            self.clock >= to
        });
        if let Some(after) = after {
            records.truncate(after);
            self.ended = true;
        }
    }

    /// Hands everything to `take`, without the interpreter's lock. Between, `seen` is told how many records were
    /// read, and whoever presses Ctrl-C is heard.
    pub(crate) fn run(
        &mut self,
        py: Python<'_>,
        seen: Option<&Bound<'_, PyAny>>,
        mut take: impl FnMut(&[Placed]) -> PyResult<()> + Send,
    ) -> PyResult<()> {
        loop {
            let more = py.detach(|| {
                let began = Instant::now();
                while let Some(records) = self.next() {
                    take(&records)?;
                    if began.elapsed() > LOOK {
                        return Ok(true);
                    }
                }
                Ok::<_, PyErr>(false)
            })?;
            py.check_signals()?;
            if let Some(seen) = seen {
                seen.call1((self.read,))?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// What could not be read, in words.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.damages.iter().map(ToString::to_string).collect()
    }
}

/// Reads in a thread of its own, while another one makes something of it.
fn ahead(reader: Reader) -> Receiver<Result<Vec<Placed>, Damage>> {
    let (sink, blocks) = sync_channel(BLOCKS_AHEAD);
    // Where nobody takes what it reads, it ends.
    thread::spawn(move || reader.into_iter().try_for_each(|next| sink.send(next)));
    blocks
}

/// As what a fault of the store is raised.
pub(crate) fn raised(error: StoreError) -> PyErr {
    let told = error.to_string();
    match error {
        StoreError::NoRecording { .. } => PyFileNotFoundError::new_err(told),
        StoreError::Io { error, .. } if error.kind() == std::io::ErrorKind::NotFound => {
            PyFileNotFoundError::new_err(told)
        }
        StoreError::Io { .. } => PyOSError::new_err(told),
        _ => PyValueError::new_err(told),
    }
}
