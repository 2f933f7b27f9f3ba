//! A client that believes nothing, with all its streams.

use std::collections::BTreeMap;
use std::time::Duration;

use ::model::Body;

use super::reader::{Begin, Reader};
use super::source::Source;
use crate::{Batch, Item, Kind, Overflow, Stream, TopicId};

/// A session as its client sees it.
#[derive(Default)]
pub(super) struct Client {
    pub(super) readers: BTreeMap<TopicId, Reader>,
    symbol_position: BTreeMap<u32, u64>,
    pub(super) cursor: u64,
    slow: bool,
}

impl Client {
    /// The client comes back, having handled everything up to `cursor`.
    pub(super) fn returned(cursor: u64) -> Self {
        Self { cursor, ..Self::default() }
    }

    pub(super) fn take(&mut self, source: &Source, batch: &Batch, now: Duration) {
        assert!(batch.cursor >= self.cursor, "the cursor never goes back");
        self.cursor = batch.cursor;
        if batch.started.is_some() {
            assert!(!self.slow);
            self.slow = true;
        }
        let before: u64 = self.readers.values().map(|reader| reader.coalesced).sum();
        for item in &batch.items {
            self.quote_goes_first(source, item);
            let reader =
                self.readers.get_mut(&item.topic).expect("an item of a stream that was not asked for");
            reader.take(source, item, now);
            let is_record = !matches!(item.kind, Kind::Gap { .. } | Kind::Snapshot { .. });
            if !reader.held_back && is_record {
                let newest = self.symbol_position.entry(item.topic.symbol.0).or_default();
                assert!(item.position >= *newest, "a symbol's records keep the order of the source");
                *newest = item.position;
            }
        }
        self.readers.values_mut().for_each(|reader| reader.settle(source));
        // Resuming from the cursor may repeat an event, never miss one.
        // (What another filter hid was not due.)
        let exact = |reader: &&Reader| {
            reader.topic.stream != Stream::Book && !reader.moved && !matches!(reader.begin, Begin::Gap { .. })
        };
        for reader in self.readers.values().filter(exact) {
            let next = reader.missing(source).next();
            if let Some(next) = next.filter(|_| !batch.overrun) {
                assert!(batch.cursor < next.position, "the cursor is a low-water mark");
            }
        }
        let after: u64 = self.readers.values().map(|reader| reader.coalesced).sum();
        if !self.slow && self.readers.values().all(|r| !r.merges && r.topic.stream != Stream::Book) {
            assert_eq!(before, after, "nothing is merged before the notice");
        }
        if batch.ended.is_some() {
            assert!(self.slow && !batch.more);
            self.slow = false;
        }
    }

    /// Whoever wants it has the quote that was current before a trade, when the trade comes.
    fn quote_goes_first(&self, source: &Source, item: &Item) {
        let quote = match &item.kind {
            Kind::Event { event, .. } => &event.quote,
            Kind::Summary { record, .. } => &record.last.quote,
            _ => return,
        };
        let trades = &self.readers[&item.topic];
        let Some(quote) = quote.as_ref().filter(|_| trades.options().trade_safe) else { return };
        let quotes = TopicId { stream: Stream::Quotes, ..item.topic };
        let Some(quotes) = self.readers.get(&quotes) else { return };
        let shown = quote.seq > quotes.passed;
        let wanted = shown && quotes.options().filter.as_ref().is_none_or(|filter| filter.lets(&quote.body));
        let goes_on = quotes.begin == Begin::Begun && quotes.has_begun() && !quotes.paused;
        let merges = quotes.options().overflow == Overflow::Coalesce;
        let replayed = trades.is_replaying(item.position) || quotes.still_replays(source);
        if wanted && goes_on && merges && !replayed {
            assert!(quotes.place() >= quote.seq, "the quote goes before its trade");
        }
    }

    /// Nothing may wait for a conflation interval that a client must know at once.
    pub(super) fn nothing_urgent_waits(&self, source: &Source) {
        for (topic, reader) in self.readers.iter().filter(|(_, reader)| !reader.paused) {
            let mut waits = reader.missing(source);
            let urgent = waits.any(|event| match &event.body {
                Body::Candle(candle) => candle.closed,
                Body::Status(_) => true,
                _ => false,
            });
            assert!(!urgent, "{topic:?} keeps something urgent back");
        }
    }
}
