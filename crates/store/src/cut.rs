//! A part of a recording: some channels, some symbols, from one time to another.

use std::collections::VecDeque;

use model::{Channel, Pattern, Placed, UnixNanos};

use crate::error::{Damage, StoreError};
use crate::recording::{At, Reader, Recording};
use crate::state::State;

/// Which records are wanted.
#[derive(Clone, Debug, Default)]
pub struct Cut {
    /// Of these channels; of all where there is none.
    pub channels: Vec<Channel>,
    /// Of symbols that one of these matches; of all where there is none.
    pub symbols: Vec<Pattern>,
    /// From the first that was received at this time or later on, whatever the times of those after it.
    pub from: Option<UnixNanos>,
    /// Before the first that was received at this time or later.
    pub to: Option<UnixNanos>,
}

impl Cut {
    /// The channels that may be in it.
    #[must_use]
    pub fn channels(&self) -> &[Channel] {
        if self.channels.is_empty() { &Channel::ALL } else { &self.channels }
    }

    /// Whether channel and symbol are wanted.
    #[must_use]
    pub fn wants(&self, record: &Placed) -> bool {
        let symbol = || self.symbols.iter().any(|wanted| wanted.matches(&record.instrument.symbol));
        self.channels().contains(&record.body.channel()) && (self.symbols.is_empty() || symbol())
    }

    /// How everything that is wanted stood before the part, and its records. Cost: as [`Recording::seek`].
    ///
    /// # Errors
    /// There is no memory to unpack into.
    pub fn read(&self, recording: &Recording) -> Result<(State, Picked), StoreError> {
        let mut damages = Vec::new();
        let (state, reader) = match self.from {
            None => (State::default(), recording.read()?),
            Some(from) => recording.seek(At::Time(UnixNanos(from.0.saturating_sub(1))), &mut damages)?,
        };
        let state = if state.position() == 0 { recording.beginning()? } else { state };
        let wanted: Vec<_> = state.to_records().into_iter().filter(|record| self.wants(record)).collect();
        let (position, clock) = (state.position(), state.clock());
        let picked =
            Picked { cut: self.clone(), reader, clock, damages: damages.into(), passed: 0, ended: false };
        Ok((State::from_records(&wanted, position, clock, 0), picked))
    }
}

/// The records of a part, block by block; what cannot be read of it is told where it stands.
pub struct Picked {
    cut: Cut,
    reader: Reader,
    clock: UnixNanos,
    damages: VecDeque<Damage>,
    passed: u64,
    ended: bool,
}

impl Picked {
    /// How many records were looked at.
    #[must_use]
    pub const fn passed(&self) -> u64 {
        self.passed
    }
}

impl Iterator for Picked {
    type Item = Result<Vec<Placed>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(damage) = self.damages.pop_front() {
            return Some(Err(damage));
        }
        if self.ended {
            return None;
        }
        let mut records = match self.reader.next()? {
            Ok(records) => records,
            Err(damage) => return Some(Err(damage)),
        };
        self.passed += records.len() as u64;
        let mut within = records.len();
        for (n, record) in records.iter().enumerate() {
            self.clock = self.clock.max(record.ts_recv);
            if self.cut.to.is_some_and(|to| self.clock >= to) {
                (within, self.ended) = (n, true);
                break;
            }
        }
        records.truncate(within);
        records.retain(|record| self.cut.wants(record));
        Some(Ok(records))
    }
}
