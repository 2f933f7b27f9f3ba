//! Reads a recording, block by block.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;

use model::Placed;

use super::{At, Segments};
use crate::codec::Decoder;
use crate::error::Damage;
use crate::frame::Kind;
use crate::limits::{BLOCK_RECORDS, STATE_RECORDS_MAX};
use crate::lock;
use crate::segment::{Block, Segment};
use crate::state::State;

/// What is said of a segment that cannot be opened.
pub(super) const GONE: &str = "the file is gone";

/// Reads records, block by block. It can go to another thread.
pub struct Reader {
    pub(super) segments: Segments,
    /// The next block: its segment's number, and its own.
    pub(super) at: (usize, usize),
    /// How many of the segment's damages were named.
    pub(super) named: usize,
    /// What was removed before the first segment, and is not told yet.
    pub(super) gone: Option<Damage>,
    /// The oldest segment, before any is read.
    pub(super) held: Option<Arc<File>>,
    /// The segment that is read: until it goes on to the next one, that stays as well.
    pub(super) file: Option<(usize, File)>,
    pub(super) decoder: Decoder,
    /// Of the newest record that was read.
    pub(super) position: u64,
    /// What was read already.
    pub(super) left: VecDeque<Placed>,
}

impl Iterator for Reader {
    type Item = Result<Vec<Placed>, Damage>;

    /// The records of the next block, or what cannot be read.
    fn next(&mut self) -> Option<Self::Item> {
        if !self.left.is_empty() {
            let records = Vec::from(std::mem::take(&mut self.left));
            self.position = records.last().map_or(self.position, |last| last.position);
            return Some(Ok(records));
        }
        if let Some(gone) = self.gone.take() {
            return Some(Err(gone));
        }
        loop {
            let (segment, block) = self.at;
            let here = self.segments.get(segment)?;
            let next = here.blocks.get(block).copied();
            // What is damaged is told where it stands.
            let until = next.map_or(u64::MAX, |next| next.offset);
            if let Some(damage) = here.damages.get(self.named).filter(|damage| damage.offset < until) {
                self.named += 1;
                return Some(Err(damage.clone()));
            }
            let Some(next) = next else {
                (self.at, self.named) = ((segment + 1, 0), 0);
                continue;
            };
            match self.enter(segment) {
                // It begins anew, and passes over what was read.
                Ok(true) => {
                    (self.at, self.named) = ((segment, 0), 0);
                    continue;
                }
                Ok(false) => {}
                Err(damage) => {
                    (self.at, self.named) = ((segment + 1, 0), 0);
                    return Some(Err(damage));
                }
            }
            self.at.1 += 1;
            // Written again after a disk failed, it is there twice.
            if next.header.kind == Kind::State || next.header.last <= self.position {
                continue;
            }
            let read = self.block(segment, &next).map(|mut records| {
                records.retain(|record| record.position > self.position);
                records
            });
            if let Ok(records) = &read {
                self.position = records.last().map_or(self.position, |last| last.position);
            }
            return Some(read);
        }
    }
}

impl Reader {
    /// As [`Iterator::next`]; `None` also where the next block begins after `at`.
    pub(super) fn next_until(&mut self, at: At) -> Option<Result<Vec<Placed>, Damage>> {
        let (mut segment, mut block, mut named) = (self.at.0, self.at.1, self.named);
        loop {
            let here = self.segments.get(segment)?;
            let wanted =
                |block: &Block| block.header.kind == Kind::Records && block.header.last > self.position;
            let next = here.blocks.get(block..).and_then(|blocks| blocks.iter().find(|block| wanted(block)));
            let until = next.map_or(u64::MAX, |next| next.offset);
            if here.damages.get(named).is_some_and(|damage| damage.offset < until) {
                return self.next();
            }
            let Some(next) = next else {
                (segment, block, named) = (segment + 1, 0, 0);
                continue;
            };
            let after = match at {
                At::Position(position) => next.header.first > position,
                At::Time(time) => next.header.from > time,
            };
            return if after { None } else { self.next() };
        }
    }

    /// Goes behind the last state that is not after `at` and reads it.
    pub(super) fn last_state(&mut self, at: At) -> Option<State> {
        let mut segments = Arc::clone(&self.segments);
        let mut n = segments.len();
        while let Some(before) = n.checked_sub(1) {
            n = before;
            if !segments[n].blocks.iter().any(|block| block.header.kind == Kind::State) {
                continue;
            }
            if matches!(self.enter(n), Ok(true)) {
                segments = Arc::clone(&self.segments);
            }
            let segment = Arc::clone(&segments[n]);
            for (m, block) in segment.blocks.iter().enumerate().rev() {
                let header = &block.header;
                let before = match at {
                    At::Position(position) => header.last <= position,
                    At::Time(time) => header.to <= time,
                };
                if header.kind != Kind::State || !before {
                    continue;
                }
                // Where it does not read, an older one says the same, and what follows it.
                if let Ok(records) = self.block(n, block) {
                    let before = |damage: &&Damage| damage.offset < block.offset;
                    (self.at, self.named) = ((n, m + 1), segment.damages.iter().filter(before).count());
                    return Some(State::from_records(&records, header.last, header.to, header.before));
                }
            }
        }
        None
    }

    /// Opens a segment; true where another file has its name by now, which was looked through.
    pub(super) fn enter(&mut self, segment: usize) -> Result<bool, Damage> {
        if self.file.as_ref().is_some_and(|(open, _)| *open == segment) {
            return Ok(false);
        }
        let here = &self.segments[segment];
        let gone = || Damage {
            path: here.path.clone(),
            offset: 0,
            bytes: here.bytes,
            what: GONE,
            positions: here.positions(),
        };
        let file = lock::read(&here.path).map_err(|_| gone())?;
        let anew = !here.is(&file);
        if anew {
            let found = Arc::new(Segment::scan(&here.path).map_err(|_| gone())?);
            if !found.is(&file) {
                return self.enter(segment);
            }
            Arc::make_mut(&mut self.segments)[segment] = found;
        }
        self.file = Some((segment, file));
        self.held = None;
        Ok(anew)
    }

    pub(super) fn block(&mut self, segment: usize, block: &Block) -> Result<Vec<Placed>, Damage> {
        let here = Arc::clone(&self.segments[segment]);
        if self.enter(segment)? {
            return Err(here.damage(block, "it was packed anew meanwhile"));
        }
        let Some((_, file)) = &self.file else { return Err(here.damage(block, GONE)) };
        let most = match block.header.kind {
            Kind::Records => BLOCK_RECORDS,
            Kind::State => STATE_RECORDS_MAX,
        };
        if block.header.count as usize > most {
            return Err(here.damage(block, "it says to have too many records"));
        }
        let bytes = here.read(file, block)?;
        let records = self.decoder.decode(&bytes, block.header.count as usize);
        let records = records.map_err(|malformed| here.damage(block, malformed.0))?;
        let ends = records.first().zip(records.last());
        let fits = block.header.kind == Kind::State
            || ends.is_some_and(|(first, last)| {
                (first.position, last.position) == (block.header.first, block.header.last)
            });
        if fits { Ok(records) } else { Err(here.damage(block, "its records are not those it names")) }
    }
}
