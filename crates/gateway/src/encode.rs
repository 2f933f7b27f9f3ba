//! What the fan-out sends a session, as messages.
//!
//! The bytes of a record are made once and copied into each message it is part of. Records of one
//! channel share a message as far as the order of each symbol's records allows.

use std::sync::Arc;

use fanout::{
    Batch, BookRecord, BookSnapshot, Event, Fanout, GapCause, Item, Kind, Look, Run, Snapshot, SymbolId,
};
use model::{Channel, Instrument, Seq};
use wire::{BookNotes, Control, Cursor, Envelope, Epoch, Gap, Stamp, View, Writer, close_data, open_data};
use ws::{Message, TextDraft};

use crate::clock;
use crate::limits::MESSAGE_BYTES_MAX;

/// The slot of JSON among a record's encodings.
const JSON: usize = 0;

/// Where a session stands, and what it reads from.
pub(crate) struct Place<'a> {
    pub(crate) epoch: &'a Epoch,
    /// Before this batch.
    pub(crate) before: u64,
    pub(crate) fanout: &'a Fanout,
    /// The replay that it is of.
    pub(crate) replay: Option<&'a str>,
}

impl Place<'_> {
    fn instrument(&self, item: &Item) -> &Arc<Instrument> {
        self.fanout.instrument(item.topic.symbol)
    }
}

/// A message in the making.
struct Draft {
    kind: &'static str,
    channel: Channel,
    stamp: bool,
    records: Vec<u8>,
    /// Where the first event that it is about stands in the total order, or before that.
    first: u64,
    /// Snapshots: the place in the total order of which all of them are.
    as_of: Option<u64>,
    /// Symbols of a snapshot that have no record.
    empty: Vec<(Arc<Instrument>, Seq)>,
    gap: Option<Gap>,
}

/// Makes messages of batches. What one session is sent another often is, too: the last run is kept.
#[derive(Default)]
pub(crate) struct Encoder {
    last: Option<(Run, u64, Message)>,
}

impl Encoder {
    /// The messages of a batch, in order.
    pub(crate) fn encode(&mut self, batch: &Batch, place: &Place<'_>, mut send: impl FnMut(Message)) {
        if !batch.runs.is_empty() {
            send(self.runs(&batch.runs, batch.cursor, place));
        } else if let Some(channel) = plain(&batch.items) {
            send(updates(channel, &batch.items, batch.cursor, place));
        } else {
            messages(batch, place).into_iter().for_each(send);
        }
    }

    /// Readers at the same place get the same bytes; a stamp is of the moment, so those do not.
    fn runs(&mut self, runs: &[Run], cursor: u64, place: &Place<'_>) -> Message {
        let is_last = |(last, at, _): &&(Run, u64, Message)| runs == [*last] && *at == cursor;
        if let Some((_, _, message)) = self.last.as_ref().filter(is_last) {
            return message.clone();
        }
        let count = runs.iter().map(|run| run.to.since(run.prev)).sum::<u64>();
        let (channel, look) = runs
            .first()
            .map_or((Channel::Quotes, Look::default()), |run| (run.topic.stream.channel(), run.look));
        let count = usize::try_from(count).unwrap_or(0);
        let mut records = Records::begin(channel, count, look, cursor, place);
        let events = runs.iter().flat_map(|run| place.fanout.run(run));
        if place.replay.is_some() {
            // One order over all symbols.
            let mut events: Vec<_> = events.collect();
            events.sort_unstable_by_key(|event| event.position);
            for event in events {
                records.event(event, event.seq.prev());
            }
        } else {
            events.for_each(|event| records.event(event, event.seq.prev()));
        }
        let message = records.finish();
        if let ([run], false) = (runs, look.stamp) {
            self.last = Some((*run, cursor, message.clone()));
        }
        message
    }
}

/// The channel of items that fit into one message of updates as they stand: all of one channel,
/// nothing but events and changes of books, not too many, and all fields of them.
fn plain(items: &[Item]) -> Option<Channel> {
    let first = items.first()?;
    let (channel, look) = (first.topic.stream.channel(), first.look);
    let fits = items.len() <= PLAIN_ITEMS_MAX
        && look.fields == 0
        && items.iter().all(|item| {
            item.topic.stream.channel() == channel
                && item.look == look
                && matches!(item.kind, Kind::Event { .. })
        });
    fits.then_some(channel)
}

/// So many events stay below [`MESSAGE_BYTES_MAX`], whatever they are.
const PLAIN_ITEMS_MAX: usize = MESSAGE_BYTES_MAX / 512;

/// One message of all items.
fn updates(channel: Channel, items: &[Item], cursor: u64, place: &Place<'_>) -> Message {
    let look = items.first().map(|item| item.look).unwrap_or_default();
    let mut records = Records::begin(channel, items.len(), look, cursor, place);
    for item in items {
        if let Kind::Event { event, prev } = &item.kind {
            records.event(event, *prev);
        }
    }
    records.finish()
}

/// A message of events, written right into its frame.
struct Records {
    draft: TextDraft,
    look: Look,
    empty: bool,
}

impl Records {
    fn begin(channel: Channel, count: usize, look: Look, cursor: u64, place: &Place<'_>) -> Self {
        let mut draft = TextDraft::with_capacity(ENVELOPE_BYTES + count * RECORD_BYTES);
        let ts_sent = look.stamp.then(clock::wall);
        let cursor = &Cursor { epoch: place.epoch.clone(), position: cursor };
        let (kind, replay, as_of) = ("update", place.replay, None);
        open_data(draft.out(), &Envelope { kind, channel, replay, cursor, as_of, ts_sent });
        Self { draft, look, empty: true }
    }

    fn event(&mut self, event: &Event, prev: Seq) {
        let out = self.draft.out();
        if !std::mem::take(&mut self.empty) {
            out.push(b',');
        }
        if self.look.fields == 0 && prev.next() == event.seq {
            record(event, out);
        } else {
            let mut writer = Writer::with_view(out, View::from_bits(self.look.fields));
            writer.body(&stamp(event, event.seq, prev), &event.body);
        }
    }

    fn finish(mut self) -> Message {
        close_data(self.draft.out(), &[]);
        self.draft.finish()
    }
}

/// What a message's envelope comes to, and about what a record does.
const ENVELOPE_BYTES: usize = 128;
const RECORD_BYTES: usize = 260;

/// The messages of any batch. Each one's cursor is right before the first event that a later one is
/// about: who has handled fewer of them gets the rest again, and no less.
fn messages(batch: &Batch, place: &Place<'_>) -> Vec<Message> {
    let mut drafts = Vec::<Draft>::new();
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
    let mut cursors = Vec::with_capacity(drafts.len());
    let mut next = batch.cursor;
    for draft in drafts.iter().rev() {
        cursors.push(next.max(place.before.min(batch.cursor)));
        next = next.min(draft.first.saturating_sub(1));
    }
    let cursors = cursors.into_iter().rev();
    let finish = |(draft, position): (Draft, u64)| {
        draft.finish(&Cursor { epoch: place.epoch.clone(), position }, place.replay)
    };
    drafts.into_iter().zip(cursors).map(finish).collect()
}

/// Where the first event that an item is about stands in the total order, or before that.
fn first_of(item: &Item) -> u64 {
    match &item.kind {
        Kind::Event { event, prev } if prev.next() == event.seq => item.position,
        Kind::Book { record, .. } => record.first,
        // What was merged or is missing may have begun long before.
        _ => 0,
    }
}

/// Puts an item into the newest message of its kind, or into a new one where that would put it
/// before another record of its symbol.
fn place_in(drafts: &mut Vec<Draft>, item: &Item, after: Option<usize>, place: &Place<'_>) -> usize {
    let channel = item.topic.stream.channel();
    if let Kind::Gap { range, cause } = &item.kind {
        let gap = Some(gap(item, *range, *cause, place));
        drafts.push(Draft { gap, first: first_of(item), ..Draft::new("gap", channel) });
        return drafts.len() - 1;
    }
    let (kind, as_of) = match &item.kind {
        Kind::Snapshot { as_of, .. } => ("snapshot", *as_of),
        _ => ("update", None),
    };
    let is_open = |draft: &Draft| {
        (draft.kind, draft.channel, draft.as_of) == (kind, channel, as_of)
            && draft.records.len() < MESSAGE_BYTES_MAX
    };
    // A replay keeps one order over all symbols and channels.
    let after = if place.replay.is_some() { drafts.len().checked_sub(1) } else { after };
    let newest = drafts.iter().rposition(is_open).filter(|&index| after.is_none_or(|after| index >= after));
    let index = newest.unwrap_or_else(|| {
        drafts.push(Draft { as_of, ..Draft::new(kind, channel) });
        drafts.len() - 1
    });
    let draft = &mut drafts[index];
    draft.stamp |= item.look.stamp;
    draft.first = draft.first.min(first_of(item));
    draft.add(item, place);
    index
}

impl Draft {
    const fn new(kind: &'static str, channel: Channel) -> Self {
        Self {
            kind,
            channel,
            stamp: false,
            records: Vec::new(),
            first: u64::MAX,
            as_of: None,
            empty: Vec::new(),
            gap: None,
        }
    }

    fn add(&mut self, item: &Item, place: &Place<'_>) {
        if item.look.fields != 0 {
            return self.add_view(item, place, View::from_bits(item.look.fields));
        }
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
                let encode = || encoded(|writer| book(writer, record, place.instrument(item), record.prev));
                self.push(record.encoded.get_or_encode(JSON, encode));
            }
            Kind::Book { record, prev } => {
                self.write(|writer| book(writer, record, place.instrument(item), *prev));
            }
            Kind::Snapshot { state: Snapshot::Events(events), .. } => {
                for event in events {
                    self.event(event);
                }
            }
            Kind::Snapshot { state: Snapshot::Book(snapshot), .. } => {
                let encode = || encoded(|writer| whole_book(writer, snapshot, place.instrument(item)));
                self.push(snapshot.encoded.get_or_encode(JSON, encode));
            }
            &Kind::Snapshot { state: Snapshot::Empty(seq), .. } => {
                self.empty.push((Arc::clone(place.instrument(item)), seq));
            }
            Kind::Gap { .. } => {}
        }
    }

    /// Some fields only: written for this reader alone.
    fn add_view(&mut self, item: &Item, place: &Place<'_>, view: View) {
        let mut write = |write: &dyn Fn(&mut Writer<'_>)| {
            if !self.records.is_empty() {
                self.records.push(b',');
            }
            write(&mut Writer::with_view(&mut self.records, view));
        };
        match &item.kind {
            Kind::Event { event, prev } => {
                write(&|writer| writer.body(&stamp(event, event.seq, *prev), &event.body));
            }
            Kind::Summary { record, .. } => write(&|writer| {
                writer.summary(&stamp(&record.last, record.last.seq, record.prev), &record.summary);
            }),
            Kind::Book { record, prev } => {
                write(&|writer| book(writer, record, place.instrument(item), *prev));
            }
            Kind::Snapshot { state: Snapshot::Events(events), .. } => {
                for event in events {
                    write(&|writer| writer.body(&stamp(event, event.seq, event.seq.prev()), &event.body));
                }
            }
            Kind::Snapshot { state: Snapshot::Book(snapshot), .. } => {
                write(&|writer| whole_book(writer, snapshot, place.instrument(item)));
            }
            &Kind::Snapshot { state: Snapshot::Empty(seq), .. } => {
                self.empty.push((Arc::clone(place.instrument(item)), seq));
            }
            Kind::Gap { .. } => {}
        }
    }

    fn event(&mut self, event: &Event) {
        if !self.records.is_empty() {
            self.records.push(b',');
        }
        record(event, &mut self.records);
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

    fn finish(self, cursor: &Cursor, replay: Option<&str>) -> Message {
        if let Some(gap) = self.gap {
            return Control::Gap(Box::new(Gap { cursor: cursor.to_string(), ..gap })).to_json().into();
        }
        let mut draft = TextDraft::with_capacity(self.records.len() + ENVELOPE_BYTES);
        let out = draft.out();
        let ts_sent = self.stamp.then(clock::wall);
        let (kind, channel, as_of) = (self.kind, self.channel, self.as_of);
        open_data(out, &Envelope { kind, channel, replay, cursor, as_of, ts_sent });
        out.extend_from_slice(&self.records);
        let empty: Vec<_> =
            self.empty.iter().map(|(instrument, seq)| (instrument.symbol.as_str(), *seq)).collect();
        close_data(out, &empty);
        draft.finish()
    }
}

/// Appends the record of an event that nothing was folded into.
pub(crate) fn record(event: &Event, out: &mut Vec<u8>) {
    let encode = || encoded(|writer| writer.body(&stamp(event, event.seq, event.seq.prev()), &event.body));
    out.extend_from_slice(event.encoded.get_or_encode(JSON, encode));
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
        ts_source: event.ts_source,
        ts_seq: event.sequenced,
        ts_recv: Some(event.ts_recv),
    }
}

fn book(writer: &mut Writer<'_>, record: &BookRecord, instrument: &Instrument, prev: Seq) {
    let stamp = Stamp {
        symbol: &instrument.symbol,
        seq: record.seq,
        prev,
        ts_event: Some(record.ts_event),
        ts_source: record.ts_source,
        ts_seq: record.ts_seq,
        ts_recv: Some(record.ts_recv),
    };
    let BookRecord { checksum, crossed, locked, .. } = *record;
    let notes = BookNotes { checksum, crossed, locked, ..BookNotes::default() };
    writer.book(&stamp, &record.levels, notes);
}

fn whole_book(writer: &mut Writer<'_>, snapshot: &BookSnapshot, instrument: &Instrument) {
    let stamp = Stamp {
        symbol: &instrument.symbol,
        seq: snapshot.seq,
        prev: snapshot.seq.prev(),
        ts_event: Some(snapshot.ts_event),
        ts_source: snapshot.ts_source,
        ts_seq: snapshot.ts_seq,
        ts_recv: Some(snapshot.ts_recv),
    };
    let (depth, checksum) = (Some(snapshot.depth), snapshot.checksum);
    let (crossed, locked) = (snapshot.crossed, snapshot.locked);
    writer.book(&stamp, &snapshot.levels, BookNotes { snapshot: false, depth, checksum, crossed, locked });
}

fn gap(item: &Item, range: Option<(Seq, Seq)>, cause: GapCause, place: &Place<'_>) -> Gap {
    let reason = match cause {
        GapCause::SlowConsumer => "slow_consumer",
        GapCause::FeedGap(_) => "feed_gap",
        GapCause::CursorExpired => "cursor_expired",
    };
    let known = if let GapCause::FeedGap(known) = cause { known } else { None };
    Gap {
        channel: item.topic.stream.channel().to_string(),
        symbol: place.instrument(item).symbol.to_string(),
        interval: item.topic.stream.interval().map(|interval| interval.to_string()),
        from_sequence: range.map(|(from, _)| from.0),
        to_sequence: range.map(|(_, to)| to.0),
        count: range.map(|(from, to)| to.since(from) + 1),
        reason: reason.to_owned(),
        cause: known.map(|gap| gap.reason.as_str().to_owned()),
        venue_from_sequence: known.and_then(|gap| gap.venue_from),
        venue_to_sequence: known.and_then(|gap| gap.venue_to),
        replay: place.replay.map(str::to_owned),
        cursor: String::new(),
        ts_sent: clock::wall().to_string(),
    }
}
