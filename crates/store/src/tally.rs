//! What a recording holds, stream by stream: how many records, from where to where, and what is missing.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Body, BookChange, GapReason, Instrument, Placed, Seq, Symbol};
use serde::{Deserialize, Serialize};

use crate::limits::NAMED_MAX;
use crate::streams::{self, STREAMS};

/// Counts records as they come.
#[derive(Clone, Default)]
pub struct Tally {
    symbols: HashMap<Symbol, Counted>,
}

#[derive(Clone)]
struct Counted {
    instrument: Arc<Instrument>,
    streams: [Option<Count>; STREAMS],
}

#[derive(Clone, Default)]
struct Count {
    records: u64,
    first: Seq,
    last: Seq,
    missing: u64,
    gaps: Vec<(u64, u64)>,
    repeated: u64,
    feed_gaps: u64,
    reconnects: u64,
}

/// What a recording holds of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamTally {
    /// Whose it is.
    pub symbol: Symbol,
    /// Its channel.
    pub channel: String,
    /// Of candles, the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// How many records.
    pub records: u64,
    /// The sequence of the first.
    pub first_sequence: u64,
    /// The sequence of the last.
    pub last_sequence: u64,
    /// How many sequences between them are not there.
    pub missing: u64,
    /// Which: the first and the last of each run of them, as far as there is room to name them.
    pub gaps: Vec<(u64, u64)>,
    /// Records whose sequence was there before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeated: u64,
    /// How often the venue's updates were lost before they came here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub feed_gaps: u64,
    /// How many of these because the feed was connected anew.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reconnects: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Tally {
    /// Counts a record, after those before it.
    pub fn push(&mut self, record: &Placed) {
        let symbol = &record.instrument.symbol;
        if !self.symbols.contains_key(symbol) {
            let counted = Counted { instrument: Arc::clone(&record.instrument), streams: Default::default() };
            self.symbols.insert(symbol.clone(), counted);
        }
        let Some(counted) = self.symbols.get_mut(symbol) else { return };
        let count = counted.streams[streams::number(&record.body)].get_or_insert_default();
        count.push(record);
    }

    /// What is listed, by symbol.
    #[must_use]
    pub fn instruments(&self) -> Vec<Arc<Instrument>> {
        let mut listed: Vec<_> =
            self.symbols.values().map(|counted| Arc::clone(&counted.instrument)).collect();
        listed.sort_by(|one, other| one.symbol.cmp(&other.symbol));
        listed
    }

    /// Every stream, by symbol and channel.
    #[must_use]
    pub fn streams(&self) -> Vec<StreamTally> {
        let mut symbols: Vec<_> = self.symbols.iter().collect();
        symbols.sort_by_key(|(symbol, _)| *symbol);
        let streams = symbols.into_iter().flat_map(|(symbol, counted)| {
            let streams = counted.streams.iter().enumerate();
            streams.filter_map(|(number, count)| Some(count.as_ref()?.told(symbol, number)))
        });
        streams.collect()
    }
}

impl Count {
    fn push(&mut self, record: &Placed) {
        if self.records == 0 {
            self.first = record.seq;
        } else if record.seq <= self.last {
            self.repeated += 1;
            return;
        } else if record.seq > self.last.next() {
            self.missing += record.seq.since(self.last) - 1;
            if self.gaps.len() < NAMED_MAX {
                self.gaps.push((self.last.next().0, record.seq.prev().0));
            }
        }
        self.records += 1;
        self.last = record.seq;
        if let Body::Book(BookChange::Gap(gap)) = &record.body {
            self.feed_gaps += 1;
            self.reconnects += u64::from(gap.reason == GapReason::Reconnect);
        }
    }

    fn told(&self, symbol: &Symbol, number: usize) -> StreamTally {
        let (channel, interval) = streams::told(number);
        StreamTally {
            symbol: symbol.clone(),
            channel: channel.as_str().to_owned(),
            interval: interval.map(|interval| interval.as_str().to_owned()),
            records: self.records,
            first_sequence: self.first.0,
            last_sequence: self.last.0,
            missing: self.missing,
            gaps: self.gaps.clone(),
            repeated: self.repeated,
            feed_gaps: self.feed_gaps,
            reconnects: self.reconnects,
        }
    }
}
