//! What the two say to each other: a line of JSON each.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use fanout::{Depth, Event, Kept, KeptView};
use model::{Body, Instrument, Placed, Seq, UnixNanos};
use serde::{Deserialize, Serialize};

use super::{HandoverError, Places};

/// A word; `B` is a [`Body`], or borrows one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word<B> {
    /// The successor begins.
    Hello { version: u32 },
    /// The predecessor answers.
    Begin { version: u32, server: String, epoch: String },
    /// An instrument; from here on its number says which.
    Instrument(Arc<Instrument>),
    /// What is kept of a stream.
    Kept {
        events: Vec<Record<B>>,
        closed: Vec<Record<B>>,
        lost: (Seq, u64),
        trail: Vec<(u64, Seq)>,
        views: Vec<View>,
    },
    /// That was all that is kept; events from after this position follow.
    Whole { position: u64 },
    /// Events.
    Events(Vec<Record<B>>),
    /// Said by the successor, and back to it by the predecessor once all before it was said.
    Mark,
    /// The successor serves.
    Ready,
    /// The predecessor does not hand over.
    Refused { reason: String },
    /// Nothing more is sequenced.
    End { places: Places },
}

/// An event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record<B> {
    instrument: usize,
    seq: Seq,
    position: u64,
    ts_event: UnixNanos,
    #[serde(default)]
    ts_source: Option<UnixNanos>,
    ts_recv: UnixNanos,
    body: B,
}

/// A view of a book.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct View {
    /// Levels a side; 0 = all.
    depth: usize,
    checksum: bool,
    seen: Seq,
}

/// The instruments that were named, by number.
#[derive(Default)]
pub(super) struct Named(Vec<Arc<Instrument>>);

/// Says words, and names instruments before they are spoken of.
pub(super) struct Speaker<W> {
    out: W,
    /// By symbol: the number of its instrument.
    numbers: Vec<Option<usize>>,
    count: usize,
}

impl<W: Write> Speaker<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, numbers: Vec::new(), count: 0 }
    }

    pub(super) fn say(&mut self, word: &Word<&Body>) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, word)?;
        self.out.write_all(b"\n")
    }

    /// A line without a word.
    pub(super) fn blank(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(super) fn events<'a>(&mut self, events: impl Iterator<Item = &'a Arc<Event>>) -> io::Result<()> {
        let records = self.records(events)?;
        self.say(&Word::Events(records))
    }

    pub(super) fn kept(&mut self, kept: &Kept<Arc<Event>>) -> io::Result<()> {
        let closed = self.records(kept.closed.iter())?;
        let events = self.records(kept.events.iter())?;
        let view = |view: &KeptView| View {
            depth: match view.depth {
                Depth::All => 0,
                Depth::Top(levels) => levels,
            },
            checksum: view.checksum,
            seen: view.seen,
        };
        let views = kept.views.iter().map(view).collect();
        self.say(&Word::Kept { events, closed, lost: kept.lost, trail: kept.trail.clone(), views })
    }

    fn records<'a>(
        &mut self,
        events: impl Iterator<Item = &'a Arc<Event>>,
    ) -> io::Result<Vec<Record<&'a Body>>> {
        events
            .map(|event| {
                Ok(Record {
                    instrument: self.number(event)?,
                    seq: event.seq,
                    position: event.position,
                    ts_event: event.ts_event,
                    ts_source: event.ts_source,
                    ts_recv: event.ts_recv,
                    body: &event.body,
                })
            })
            .collect()
    }

    fn number(&mut self, event: &Event) -> io::Result<usize> {
        let symbol = event.topic.symbol.index();
        if symbol >= self.numbers.len() {
            self.numbers.resize(symbol + 1, None);
        }
        if let Some(number) = self.numbers[symbol] {
            return Ok(number);
        }
        self.say(&Word::Instrument(Arc::clone(&event.instrument)))?;
        self.numbers[symbol] = Some(self.count);
        self.count += 1;
        Ok(self.count - 1)
    }
}

/// The next word; `None` where the other side has ended.
pub(super) fn hear(input: &mut impl BufRead) -> Result<Option<Word<Body>>, HandoverError> {
    let mut line = Vec::new();
    if input.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    serde_json::from_slice(&line).map(Some).map_err(|error| HandoverError::Words(error.to_string()))
}

impl Named {
    pub(super) fn name(&mut self, instrument: Arc<Instrument>) {
        self.0.push(instrument);
    }

    pub(super) fn placed(&self, records: Vec<Record<Body>>) -> Result<Vec<Placed>, HandoverError> {
        let placed = |record: Record<Body>| {
            let named = self.0.get(record.instrument);
            let unnamed = || HandoverError::Words(format!("no instrument {}", record.instrument));
            Ok(Placed {
                instrument: Arc::clone(named.ok_or_else(unnamed)?),
                seq: record.seq,
                position: record.position,
                ts_event: record.ts_event,
                ts_source: record.ts_source,
                ts_recv: record.ts_recv,
                body: record.body,
            })
        };
        records.into_iter().map(placed).collect()
    }
}

impl From<View> for KeptView {
    fn from(view: View) -> Self {
        let depth = if view.depth == 0 { Depth::All } else { Depth::Top(view.depth) };
        Self { depth, checksum: view.checksum, seen: view.seen }
    }
}
