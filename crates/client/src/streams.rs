//! Positions: whether what came covers every event exactly once.

use std::collections::BTreeMap;

use model::{Channel, Interval, Seq};
use wire::{Data, Gap, Record, RecordBody};

/// One stream of one symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    /// The channel.
    pub channel: Channel,
    /// The symbol.
    pub symbol: String,
    /// The interval, for candles.
    pub interval: Option<Interval>,
}

/// What is known of each stream's position.
#[derive(Debug, Default)]
pub struct Streams(BTreeMap<StreamKey, Position>);

/// What came of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Everything up to here has come or was told about.
    pub seq: Seq,
    /// Records that came as updates.
    pub delivered: u64,
    /// Events folded into them.
    pub coalesced: u64,
    /// Events named in gaps or replaced by snapshots.
    pub skipped: u64,
}

/// What came does not join what came before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} of {} stands at {stands}; what came next begins after {begins}", key.channel, key.symbol)]
pub struct TileError {
    /// The stream.
    pub key: StreamKey,
    /// Where it stood.
    pub stands: Seq,
    /// Where it should have stood for what came.
    pub begins: Seq,
}

impl StreamKey {
    /// The stream of a record.
    #[must_use]
    pub fn of(channel: Channel, record: &Record) -> Self {
        let interval = match &record.body {
            RecordBody::Candle(candle) => Some(candle.interval),
            _ => None,
        };
        Self { channel, symbol: record.symbol.to_string(), interval }
    }
}

impl Streams {
    /// Takes a snapshot: it sets the positions.
    pub fn snapshot(&mut self, data: &Data) {
        for record in &data.records {
            let position = self.0.entry(StreamKey::of(data.channel, record)).or_default();
            position.skipped += record.seq.since(position.seq);
            position.seq = position.seq.max(record.seq);
        }
    }

    /// Takes updates: each must begin where the stream stands.
    ///
    /// # Errors
    /// Something is missing, or came twice.
    pub fn update(&mut self, data: &Data) -> Result<(), TileError> {
        for record in &data.records {
            let key = StreamKey::of(data.channel, record);
            let known = self.0.get(&key).copied();
            let mut position = known.unwrap_or(Position { seq: record.prev, ..Position::default() });
            if record.prev != position.seq {
                return Err(TileError { key, stands: position.seq, begins: record.prev });
            }
            position.delivered += 1;
            position.coalesced += record.seq.since(record.prev).saturating_sub(1);
            position.seq = record.seq;
            self.0.insert(key, position);
        }
        Ok(())
    }

    /// Takes a gap: it must begin where the stream stands.
    ///
    /// # Errors
    /// Something is missing, or came twice.
    pub fn gap(&mut self, gap: &Gap) -> Result<(), TileError> {
        let (Ok(channel), symbol) = (gap.channel.parse(), gap.symbol.clone()) else { return Ok(()) };
        let interval = gap.interval.as_ref().and_then(|interval| interval.parse().ok());
        let key = StreamKey { channel, symbol, interval };
        let position = self.0.entry(key.clone()).or_default();
        // Without a range the place is not known; a snapshot follows and says it.
        let (Some(from), Some(to)) = (gap.from_sequence, gap.to_sequence) else { return Ok(()) };
        let (begins, to) = (Seq(from).prev(), Seq(to));
        if begins > position.seq {
            return Err(TileError { key, stands: position.seq, begins });
        }
        position.skipped += to.since(position.seq);
        position.seq = position.seq.max(to);
        Ok(())
    }

    /// What came of each stream.
    pub fn iter(&self) -> impl Iterator<Item = (&StreamKey, &Position)> {
        self.0.iter()
    }
}
