//! Bars of a stream's past, the newest or the oldest of a span, without reading all records in between.
//!
//! States are the index: each has the last bars of every stream, so that where these reach back to the state before,
//! nothing between the two is read.

use std::collections::{BTreeMap, HashMap, VecDeque};

use model::{Body, Candle, Interval, Placed, Symbol, UnixNanos};

use super::{At, Reader, Recording};
use crate::error::{Damage, StoreError};
use crate::frame::{Header, Kind};
use crate::limits::{BARS_LOOKED, STATE_BARS};

/// Which bars.
#[derive(Clone, Debug)]
pub struct BarsWanted {
    /// Of which symbol.
    pub symbol: Symbol,
    /// How long a bar is.
    pub interval: Interval,
    /// They begin at this time or later, and before that one.
    pub from: UnixNanos,
    /// See [`Self::from`].
    pub to: UnixNanos,
    /// The newest of them rather than the oldest.
    pub backwards: bool,
    /// So many at most.
    pub most: usize,
    /// As they stood before anything was received at this time.
    pub until: UnixNanos,
}

/// Bars, each as it stood last.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// In the order that was asked for.
    pub bars: Vec<Placed>,
    /// There may be more, beyond the last of these.
    pub more: bool,
    /// What did not read: bars may be missing, or stand as they stood before.
    pub damages: Vec<Damage>,
}

impl Recording {
    /// Bars of one stream. At least one where there is one; fewer than `most` where many records lie between them.
    /// Cost: O(states), and the records between those whose bars do not reach back to the one before.
    ///
    /// # Errors
    /// See [`Self::read`].
    pub fn bars(&self, wanted: &BarsWanted) -> Result<Bars, StoreError> {
        let mut search = Search {
            reader: self.read()?,
            states: Vec::new(),
            wanted,
            held: HashMap::new(),
            looked: 0,
            damages: Vec::new(),
        };
        search.list();
        Ok(if wanted.backwards { search.newest() } else { search.oldest() })
    }
}

/// A state: its segment, and its place in the total order.
#[derive(Clone, Copy)]
struct Mark {
    segment: usize,
    position: u64,
    clock: UnixNanos,
}

struct Search<'a> {
    reader: Reader,
    states: Vec<Mark>,
    wanted: &'a BarsWanted,
    /// What states were found to have of the stream, by their places.
    held: HashMap<u64, Vec<Placed>>,
    /// Records that were read.
    looked: usize,
    damages: Vec<Damage>,
}

/// Bars by their beginning.
type Found = BTreeMap<UnixNanos, Placed>;

impl Search<'_> {
    fn list(&mut self) {
        for (segment, here) in self.reader.segments.iter().enumerate() {
            let states = here.blocks.iter().map(|block| block.header);
            let states = states.filter(|header| header.kind == Kind::State && header.to < self.wanted.until);
            self.states.extend(states.map(|header| Mark {
                segment,
                position: header.last,
                clock: header.to,
            }));
        }
    }

    fn newest(mut self) -> Bars {
        let wanted = self.wanted;
        // A bar may be corrected until the one after the next has begun: what comes after that does not count.
        let mut at = self.first_with(2, wanted.to);
        let mut found = Found::new();
        loop {
            for (start, bar) in self.between(at) {
                if start < wanted.to {
                    found.entry(start).or_insert(bar);
                }
            }
            let is_first = at == 0 || self.begins_in(at);
            let reaches = found.keys().next().is_some_and(|first| *first < wanted.from);
            let is_enough = found.len() >= wanted.most || self.looked >= BARS_LOOKED && !found.is_empty();
            if is_first || reaches || is_enough {
                found.retain(|start, _| *start >= wanted.from);
                let more = found.len() > wanted.most || !(is_first || reaches);
                let bars = found.into_values().rev().take(wanted.most).collect();
                return Bars { bars, more, damages: self.damages };
            }
            at -= 1;
        }
    }

    /// Whether a state has all of the stream's bars up to it: a state that could have more has them.
    fn begins_in(&mut self, at: usize) -> bool {
        self.held(at).is_some_and(|held| held.len() < STATE_BARS)
    }

    fn oldest(mut self) -> Bars {
        let wanted = self.wanted;
        let mut at = self.first_with(1, wanted.from);
        let mut found = Found::new();
        loop {
            found.extend(self.between(at).into_iter().filter(|(start, _)| *start >= wanted.from));
            let is_last = at >= self.states.len();
            let reaches = found.range(wanted.to..).nth(1).is_some();
            // The last two may be corrected by what comes.
            let settled = if is_last { found.len() } else { found.len().saturating_sub(2) };
            let is_enough = settled >= wanted.most || self.looked >= BARS_LOOKED && settled > 0;
            if is_last || reaches || is_enough {
                let within = found.range(..wanted.to).count();
                let most = if reaches { wanted.most } else { wanted.most.min(settled) };
                let more = within > most || !(is_last || reaches);
                let bars = found.into_values().take(within.min(most)).collect();
                return Bars { bars, more, damages: self.damages };
            }
            at += 1;
        }
    }

    /// The first state that has so many bars which begin at `time` or later; the end where none has.
    fn first_with(&mut self, bars: usize, time: UnixNanos) -> usize {
        let (mut low, mut high) = (0, self.states.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(held) = self.held(middle) else {
                high -= 1;
                continue;
            };
            let mut starts: Vec<_> = held.iter().filter_map(bar).map(|bar| bar.start).collect();
            starts.retain(|start| *start >= time);
            starts.sort_unstable();
            starts.dedup();
            if starts.len() >= bars {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The bars that changed after the state before `at` and up to that; up to the end where it is no state's number.
    fn between(&mut self, at: usize) -> Found {
        let before = at.checked_sub(1).and_then(|before| self.states.get(before)).copied();
        let after = before.map_or(0, |before| before.position);
        let is_state = at < self.states.len();
        let held = match self.held(at) {
            None if is_state => return self.between(at),
            held => held.unwrap_or_default(),
        };
        let reaches = held.len() < STATE_BARS || held.first().is_some_and(|oldest| oldest.position <= after);
        let mut found = Found::new();
        if !(is_state && reaches) {
            let end = self.states.get(at).map_or(u64::MAX, |state| state.position);
            self.read(before, end, &mut found);
        }
        for record in held {
            add(&mut found, record);
        }
        found
    }

    /// Reads what stands behind a state, up to a place.
    fn read(&mut self, before: Option<Mark>, end: u64, found: &mut Found) {
        let (mut clock, reader) = (before.map_or(UnixNanos(0), |mark| mark.clock), &mut self.reader);
        reader.position = before.map_or(0, |mark| mark.position);
        (reader.at, reader.named, reader.left) = ((0, 0), 0, VecDeque::new());
        if let Some(mark) = before {
            // What lies before it in its segment is passed over by its place; damage there is no matter of ours.
            let segment = &reader.segments[mark.segment];
            let state = segment
                .blocks
                .iter()
                .rposition(|block| block.header.kind == Kind::State && block.header.last == mark.position);
            let behind = state.map_or(0, |state| state + 1);
            let offset = state.map_or(0, |state| segment.blocks[state].offset);
            reader.named = segment.damages.iter().filter(|damage| damage.offset < offset).count();
            reader.at = (mark.segment, behind);
        }
        while let Some(next) = self.reader.next_until(At::Position(end)) {
            let records = match next {
                Ok(records) => records,
                Err(damage) => {
                    // The last block of a recording that goes on may be under way.
                    if !damage.is_torn_end() {
                        self.damages.push(damage);
                    }
                    continue;
                }
            };
            self.looked += records.len();
            for record in records {
                clock = clock.max(record.ts_recv);
                if clock >= self.wanted.until || record.position > end {
                    return;
                }
                if is_of(&record, self.wanted) {
                    add(found, record);
                }
            }
        }
    }

    /// What a state has of the stream, the oldest first. One that does not read is none of the states from here on: an
    /// older one, and what follows it, say the same.
    fn held(&mut self, at: usize) -> Option<Vec<Placed>> {
        let mark = *self.states.get(at)?;
        if let Some(known) = self.held.get(&mark.position) {
            return Some(known.clone());
        }
        let Some(held) = self.look(mark) else {
            self.states.remove(at);
            return None;
        };
        self.held.insert(mark.position, held.clone());
        Some(held)
    }

    fn look(&mut self, mark: Mark) -> Option<Vec<Placed>> {
        // It may have been packed anew meanwhile.
        self.reader.enter(mark.segment).ok()?;
        let of_it = |header: &Header| header.kind == Kind::State && header.last == mark.position;
        let block = *self.reader.segments[mark.segment].blocks.iter().find(|block| of_it(&block.header))?;
        let records = self.reader.block(mark.segment, &block).ok()?;
        self.looked += records.len();
        let mut held: Vec<_> = records.into_iter().filter(|record| is_of(record, self.wanted)).collect();
        held.sort_by_key(|record| record.position);
        Some(held)
    }
}

fn bar(record: &Placed) -> Option<&Candle> {
    if let Body::Candle(candle) = &record.body { Some(candle) } else { None }
}

fn is_of(record: &Placed, wanted: &BarsWanted) -> bool {
    record.instrument.symbol == wanted.symbol
        && bar(record).is_some_and(|bar| bar.interval == wanted.interval)
}

/// A bar as it stands by now: one replaces another that began when it did.
fn add(found: &mut Found, record: Placed) {
    if let Some(start) = bar(&record).map(|bar| bar.start) {
        found.insert(start, record);
    }
}
