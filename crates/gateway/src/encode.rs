//! What the fan-out sends a session, as messages.
//!
//! The bytes of a record are made once and copied into each message it is part of. Records of one
//! channel share a message as far as the order of each symbol's records allows.

use std::sync::Arc;

use fanout::{Batch, BookRecord, BookSnapshot, Event, GapCause, Item, Kind, Snapshot, SymbolId};
use model::{Channel, Seq, UnixNanos};
use wire::{BookNotes, Control, Cursor, Epoch, Gap, Stamp, Writer, close_data, open_data};

use crate::limits::MESSAGE_BYTES_MAX;

/// The slot of JSON among a record's encodings.
const JSON: usize = 0;

/// Where a session stands, and what time it is.
pub(crate) struct Place<'a> {
    pub(crate) epoch: &'a Epoch,
    /// Before this batch.
    pub(crate) before: u64,
    pub(crate) wall: UnixNanos,
}

/// A message in the making.
struct Message {
    kind: &'static str,
    channel: Channel,
    stamp: bool,
    records: Vec<u8>,
    /// Symbols of a snapshot that have no record.
    empty: Vec<Arc<model::Instrument>>,
    gap: Option<Gap>,
}

/// The messages of a batch, in order. Only the last one moves the cursor: who has handled fewer of
/// them gets the rest again.
pub(crate) fn messages(batch: &Batch, place: &Place<'_>) -> Vec<String> {
    let mut drafts = Vec::<Message>::new();
    // By symbol: the last message that has a record of it. Few symbols share a batch.
    let mut last_of = Vec::<(SymbolId, usize)>::new();
    for item in &batch.items {
        let symbol = item.topic.symbol;
        let known = last_of.iter().position(|(known, _)| *known == symbol);
        let after = known.map(|at| last_of[at].1);
        let index = place_in(&mut drafts, item, after, place);
        match known {
            Some(at) => last_of[at].1 = index,
            None => last_of.push((symbol, index)),
        }
    }
    let count = drafts.len();
    let finish = |(index, draft): (usize, Message)| {
        let position = if index + 1 == count { batch.cursor } else { place.before };
        draft.finish(&Cursor { epoch: place.epoch.clone(), position }, place.wall)
    };
    drafts.into_iter().enumerate().map(finish).collect()
}

/// Puts an item into the newest message of its kind, or into a new one where that would put it
/// before another record of its symbol.
fn place_in(drafts: &mut Vec<Message>, item: &Item, after: Option<usize>, place: &Place<'_>) -> usize {
    let channel = item.topic.stream.channel();
    if let Kind::Gap { from, to, cause } = &item.kind {
        drafts.push(Message {
            gap: Some(gap(item, *from, *to, *cause, place)),
            ..Message::new("gap", channel)
        });
        return drafts.len() - 1;
    }
    let kind = if matches!(item.kind, Kind::Snapshot(_)) { "snapshot" } else { "update" };
    let is_open = |draft: &Message| {
        draft.kind == kind && draft.channel == channel && draft.records.len() < MESSAGE_BYTES_MAX
    };
    let newest = drafts.iter().rposition(is_open).filter(|&index| after.is_none_or(|after| index >= after));
    let index = newest.unwrap_or_else(|| {
        drafts.push(Message::new(kind, channel));
        drafts.len() - 1
    });
    let draft = &mut drafts[index];
    draft.stamp |= item.stamp;
    draft.add(item);
    index
}

impl Message {
    const fn new(kind: &'static str, channel: Channel) -> Self {
        Self { kind, channel, stamp: false, records: Vec::new(), empty: Vec::new(), gap: None }
    }

    fn add(&mut self, item: &Item) {
        match &item.kind {
            Kind::Event { event, prev } if prev.next() == event.seq => self.event(event),
            Kind::Event { event, prev } => self.write(|writer| {
                writer.body(&stamp(event, event.seq, *prev), &event.body);
            }),
            Kind::Summary { record, .. } => {
                let encode = || {
                    encoded(|writer| {
                        let stamp = stamp(&record.last, record.last.seq, record.prev);
                        writer.summary(&stamp, &record.summary);
                    })
                };
                self.push(record.encoded.get_or_encode(JSON, encode));
            }
            Kind::Book { record, prev } if *prev == record.prev => {
                let encode = || encoded(|writer| book(writer, record, item, record.prev));
                self.push(record.encoded.get_or_encode(JSON, encode));
            }
            Kind::Book { record, prev } => self.write(|writer| book(writer, record, item, *prev)),
            Kind::Snapshot(Snapshot::Events(events)) => events.iter().for_each(|event| self.event(event)),
            Kind::Snapshot(Snapshot::Book(snapshot)) => {
                let encode = || encoded(|writer| whole_book(writer, snapshot, item));
                self.push(snapshot.encoded.get_or_encode(JSON, encode));
            }
            Kind::Snapshot(Snapshot::Empty) => self.empty.push(Arc::clone(&item.instrument)),
            Kind::Gap { .. } => {}
        }
    }

    fn event(&mut self, event: &Event) {
        let prev = event.seq.prev();
        let encode = || encoded(|writer| writer.body(&stamp(event, event.seq, prev), &event.body));
        self.push(event.encoded.get_or_encode(JSON, encode));
    }

    fn push(&mut self, record: &[u8]) {
        if !self.records.is_empty() {
            self.records.push(b',');
        }
        self.records.extend_from_slice(record);
    }

    fn write(&mut self, write: impl FnOnce(&mut Writer<'_>)) {
        if !self.records.is_empty() {
            self.records.push(b',');
        }
        write(&mut Writer::new(&mut self.records));
    }

    fn finish(self, cursor: &Cursor, wall: UnixNanos) -> String {
        if let Some(gap) = self.gap {
            return Control::Gap(Box::new(Gap { cursor: cursor.to_string(), ..gap })).to_json();
        }
        let mut text = Vec::with_capacity(self.records.len() + 160);
        open_data(&mut text, self.kind, self.channel, cursor, self.stamp.then_some(wall));
        text.extend_from_slice(&self.records);
        close_data(&mut text, self.empty.iter().map(|instrument| instrument.symbol.as_str()));
        String::from_utf8(text).expect("records are written from texts")
    }
}

fn encoded(write: impl FnOnce(&mut Writer<'_>)) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(256);
    write(&mut Writer::new(&mut bytes));
    bytes.into_boxed_slice()
}

fn stamp(event: &Event, seq: Seq, prev: Seq) -> Stamp<'_> {
    Stamp {
        symbol: &event.instrument.symbol,
        seq,
        prev,
        ts_event: Some(event.ts_event),
        ts_recv: Some(event.ts_recv),
    }
}

fn book(writer: &mut Writer<'_>, record: &BookRecord, item: &Item, prev: Seq) {
    let stamp = Stamp {
        symbol: &item.instrument.symbol,
        seq: record.seq,
        prev,
        ts_event: Some(record.ts_event),
        ts_recv: Some(record.ts_recv),
    };
    let notes = BookNotes { checksum: record.checksum, crossed: record.crossed, ..BookNotes::default() };
    writer.book(&stamp, &record.levels, notes);
}

fn whole_book(writer: &mut Writer<'_>, snapshot: &BookSnapshot, item: &Item) {
    let stamp = Stamp {
        symbol: &item.instrument.symbol,
        seq: snapshot.seq,
        prev: snapshot.seq.prev(),
        ts_event: Some(snapshot.ts_event),
        ts_recv: Some(snapshot.ts_recv),
    };
    let (depth, checksum) = (Some(snapshot.depth), snapshot.checksum);
    writer.book(
        &stamp,
        &snapshot.levels,
        BookNotes { snapshot: false, depth, checksum, crossed: snapshot.crossed },
    );
}

fn gap(item: &Item, from: Seq, to: Seq, cause: GapCause, place: &Place<'_>) -> Gap {
    let reason = match cause {
        GapCause::SlowConsumer => "slow_consumer",
        GapCause::FeedGap => "feed_gap",
    };
    Gap {
        channel: item.topic.stream.channel().to_string(),
        symbol: item.instrument.symbol.to_string(),
        interval: item.topic.stream.interval().map(|interval| interval.to_string()),
        from_sequence: from.0,
        to_sequence: to.0,
        count: to.since(from) + 1,
        reason: reason.to_owned(),
        cursor: String::new(),
        ts_sent: place.wall.to_string(),
    }
}
