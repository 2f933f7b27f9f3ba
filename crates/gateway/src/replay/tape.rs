//! A recording under a head that reads: what is done for a replay where waiting for a disk harms nobody.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use fanout::{Event, Kept, Sequencer};
use model::{Body, Placed, Seq, Symbol, UnixNanos};
use store::{At, Damage, Digest, Reader, Recording, StoreError};
use wire::Rejected;

use super::wishes::{Chosen, Wishes};
use crate::limits::{REPLAY_EVENTS_AHEAD, REPLAY_RECORDS_LOOKED};

/// A recording, and where in it a replay reads. What is to go of it waits for the reader alone.
pub(crate) struct Tape {
    recording: Recording,
    wishes: Arc<Wishes>,
    chosen: Chosen,
    /// It is being made: its end may be in the middle of a block.
    is_running: bool,
    /// What was received then or later is not played.
    to: Option<UnixNanos>,
    reader: Reader,
    /// Read, and not played yet.
    left: VecDeque<Placed>,
    sequencer: Sequencer,
    digest: Digest,
    /// When its first record was received: before that, no time is known.
    first: UnixNanos,
    /// The latest time of receipt so far.
    clock: UnixNanos,
    /// The newest place in the total order that was looked at.
    position: u64,
}

/// What a replay begins with.
pub(crate) struct Opened {
    pub(crate) tape: Box<Tape>,
    pub(crate) begin: Begin,
    /// What is played of what there is up to the end.
    pub(crate) symbols: Vec<Symbol>,
    /// What is not, though it was asked for.
    pub(crate) rejected: Vec<Rejected>,
    /// From where to where it goes.
    pub(crate) span: (UnixNanos, UnixNanos),
    /// Records in between.
    pub(crate) records: u64,
}

/// How everything stood where a replay goes on.
pub(crate) struct Begin {
    pub(crate) kept: Vec<Kept<Arc<Event>>>,
    pub(crate) position: u64,
    pub(crate) clock: UnixNanos,
    pub(crate) damages: Vec<Damage>,
}

/// The next records.
pub(crate) struct Piece {
    pub(crate) events: Vec<Played>,
    /// There are no more.
    pub(crate) ended: bool,
    /// The newest place in the total order that was looked at, and the clock there.
    pub(crate) position: u64,
    /// How many records there were so far, and what they come to.
    pub(crate) digest: (u64, String),
    pub(crate) damages: Vec<Damage>,
}

/// A record that is played.
pub(crate) struct Played {
    pub(crate) event: Arc<Event>,
    /// The clock at its turn.
    pub(crate) clock: UnixNanos,
    /// A page ends with it: what all before it come to.
    pub(crate) digest: Option<String>,
}

impl Tape {
    /// Puts a recording under the head, `from` where; up to `to`, and not beyond what may be had at `wall`. Cost: two
    /// seeks.
    pub(crate) fn open(
        (folder, is_running): (&Path, bool),
        wishes: Arc<Wishes>,
        from: Option<At>,
        to: Option<UnixNanos>,
        wall: UnixNanos,
    ) -> Result<Opened, StoreError> {
        let recording = Recording::open(folder)?;
        let span = recording.span();
        let first = span.map_or(UnixNanos(0), |span| span.from);
        let last = span.map_or(first, |span| span.to);
        let start = At::Position(span.map_or(0, |span| span.positions.0.saturating_sub(1)));
        let end = to.map_or(At::Position(u64::MAX), before);
        let (mut state, _) = recording.seek(end, &mut Vec::new())?;
        let (chosen, symbols, rejected) = wishes.judge(&state.instruments());
        let delay = u64::try_from(wishes.delay(&symbols).as_nanos()).unwrap_or(u64::MAX);
        let latest = UnixNanos(wall.0.saturating_sub(delay));
        let is_late = delay > 0 && to.is_none_or(|to| to > latest) && last >= latest;
        let to = if is_late { Some(latest) } else { to };
        if is_late {
            (state, _) = recording.seek(before(latest), &mut Vec::new())?;
        }
        let reader = recording.read()?;
        let mut tape = Box::new(Self {
            recording,
            wishes,
            chosen,
            is_running,
            to,
            reader,
            left: VecDeque::new(),
            sequencer: Sequencer::default(),
            digest: Digest::new(wire::line),
            first,
            clock: first,
            position: 0,
        });
        let (begin, records) = tape.go(from.unwrap_or(start))?;
        tape.recording.let_go();
        let from = match from {
            Some(At::Time(time)) => time.later(1).max(first),
            Some(At::Position(_)) => begin.clock,
            None => first,
        };
        let end = to.map_or(last, |to| to.min(last)).max(from);
        let records = state.records().saturating_sub(records);
        Ok(Opened { tape, begin, symbols, rejected, span: (from, end), records })
    }

    /// Goes to another place. Cost: see [`Recording::seek`].
    pub(crate) fn seek(&mut self, at: At) -> Result<Begin, StoreError> {
        self.go(at).map(|(begin, _)| begin)
    }

    fn go(&mut self, at: At) -> Result<(Begin, u64), StoreError> {
        let mut damages = Vec::new();
        let (state, reader) = self.recording.seek(at, &mut damages)?;
        let mut records = state.to_records();
        records.retain(|record| self.wishes.want(record, &mut self.chosen));
        self.sequencer = Sequencer::default();
        // A recording has one instrument of a symbol, as its sequencer had.
        let kept = self.sequencer.adopt(kept(records)).unwrap_or_default();
        (self.reader, self.left) = (reader, VecDeque::new());
        self.digest = Digest::new(wire::line);
        (self.position, self.clock) = (state.position(), state.clock());
        if self.clock == UnixNanos(0) {
            self.clock = self.first;
        }
        Ok((Begin { kept, position: self.position, clock: self.clock, damages }, state.records()))
    }

    /// Looks at what was recorded since. Cost: see [`Recording::reopen`].
    pub(crate) fn refresh(&mut self) -> Result<(), StoreError> {
        self.recording = self.recording.reopen()?;
        self.reader = self.recording.read_after(self.position)?;
        Ok(())
    }

    /// The next records, some [`REPLAY_EVENTS_AHEAD`].
    pub(crate) fn read(&mut self) -> Piece {
        let mut piece = Piece {
            events: Vec::new(),
            ended: false,
            position: self.position,
            digest: (0, String::new()),
            damages: Vec::new(),
        };
        let mut looked = 0;
        while piece.events.len() < REPLAY_EVENTS_AHEAD && looked < REPLAY_RECORDS_LOOKED {
            let Some(record) = self.left.pop_front() else {
                match self.reader.next() {
                    Some(Ok(records)) => self.left = records.into(),
                    // The last block of a recording that goes on may be under way.
                    Some(Err(damage)) if self.is_running && damage.is_torn_end() => {}
                    Some(Err(damage)) => piece.damages.push(damage),
                    None => {
                        piece.ended = true;
                        break;
                    }
                }
                continue;
            };
            looked += 1;
            let clock = self.clock.max(record.ts_recv);
            if self.to.is_some_and(|to| clock >= to) {
                piece.ended = true;
                break;
            }
            (self.clock, self.position) = (clock, record.position);
            if self.wishes.want(&record, &mut self.chosen) {
                let full = self.digest.push(&record);
                let digest = full.then(|| self.digest.value());
                if let Ok(event) = self.sequencer.follow(record) {
                    piece.events.push(Played { event, clock, digest });
                }
            }
        }
        piece.position = self.position;
        if piece.ended {
            piece.digest = (self.digest.records(), self.digest.value());
        }
        piece
    }
}

/// After all that was received before `time`.
pub(crate) fn before(time: UnixNanos) -> At {
    At::Time(UnixNanos(time.0.saturating_sub(1)))
}

/// Records that say how streams stand, by stream.
fn kept(records: Vec<Placed>) -> Vec<Kept<Placed>> {
    let mut streams = BTreeMap::<(Symbol, _, _), Vec<Placed>>::new();
    for record in records {
        let interval = if let Body::Candle(candle) = &record.body { Some(candle.interval) } else { None };
        let key = (record.instrument.symbol.clone(), record.body.channel(), interval);
        streams.entry(key).or_default().push(record);
    }
    let streams = streams.into_values().filter_map(|mut records| {
        let last = records.len().checked_sub(1)?;
        // Bars are states that others have replaced; of the rest the newest without a hole.
        let follows = |n: &usize| records[*n].seq.next() == records[*n + 1].seq;
        let is_bar = matches!(records[last].body, Body::Candle(_));
        let first = if is_bar { last } else { (0..last).rev().take_while(follows).last().unwrap_or(last) };
        let events = records.split_off(first);
        let closed = if is_bar { records } else { Vec::new() };
        Some(Kept { events, closed, lost: (Seq::START, 0), trail: Vec::new(), views: Vec::new() })
    });
    streams.collect()
}
