//! The naive model: every event ever published, kept for ever.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::model::{Body, Book, BookChange, Seq};

use crate::{Event, Options, Stream, TopicId};

/// All that was published, and the book of each symbol after each of its events.
#[derive(Default)]
pub(super) struct Source {
    /// No log can run out of room for those who have fallen off it.
    pub(super) ample: bool,
    streams: BTreeMap<TopicId, Vec<Arc<Event>>>,
    /// By place in the total order: when it was published.
    times: BTreeMap<u64, Duration>,
    /// `None` while the book is not known.
    pub(super) books: BTreeMap<TopicId, Vec<Option<Book>>>,
    /// By trades stream: places that no summary may span.
    barriers: BTreeMap<TopicId, Vec<Seq>>,
}

impl Source {
    pub(super) fn publish(&mut self, event: &Arc<Event>, now: Duration) {
        self.times.insert(event.position, now);
        let events = self.streams.entry(event.topic).or_default();
        events.push(Arc::clone(event));
        assert_eq!(event.seq, Seq(events.len() as u64));
        match &event.body {
            Body::Book(change) => {
                let books = self.books.entry(event.topic).or_default();
                let before = books.last().cloned().flatten();
                books.push(match (change, before) {
                    (BookChange::Snapshot(levels), _) => Some(Book::from_levels(levels)),
                    (BookChange::Delta(levels), Some(mut book)) => {
                        book.apply(levels);
                        Some(book)
                    }
                    (BookChange::Delta(_), None) | (BookChange::Gap(_), _) => None,
                });
            }
            Body::Status(_) => {
                let trades = TopicId { stream: Stream::Trades, ..event.topic };
                let at = self.head(trades);
                self.barriers.entry(trades).or_default().push(at);
            }
            _ => {}
        }
    }

    pub(super) fn head(&self, topic: TopicId) -> Seq {
        Seq(self.streams.get(&topic).map_or(0, |events| events.len() as u64))
    }

    pub(super) fn event(&self, topic: TopicId, seq: Seq) -> &Arc<Event> {
        &self.streams[&topic][usize::try_from(seq.0).unwrap() - 1]
    }

    pub(super) fn between(&self, topic: TopicId, prev: Seq, seq: Seq) -> &[Arc<Event>] {
        &self.streams[&topic][usize::try_from(prev.0).unwrap()..usize::try_from(seq.0).unwrap()]
    }

    pub(super) fn book(&self, topic: TopicId, seq: Seq) -> Option<&Book> {
        self.books[&topic][usize::try_from(seq.0).unwrap() - 1].as_ref()
    }

    /// Where the total order is.
    pub(super) fn position(&self) -> u64 {
        self.times.last_key_value().map_or(0, |(&position, _)| position)
    }

    /// The place of a stream when everything up to `position` in the total order had happened.
    pub(super) fn place_at(&self, topic: TopicId, position: u64) -> Seq {
        let events = self.streams.get(&topic).map(Vec::as_slice).unwrap_or_default();
        Seq(events.partition_point(|event| event.position <= position) as u64)
    }

    /// Whether what a reader is sent of a stream up to `position` is `age` old at most.
    pub(super) fn is_fresh(&self, position: u64, age: Duration, now: Duration) -> bool {
        self.times[&position] + age >= now
    }

    /// The events after `place` that a reader with these options is to see.
    pub(super) fn missing<'a>(
        &'a self,
        topic: TopicId,
        place: Seq,
        options: &'a Options,
    ) -> impl Iterator<Item = &'a Arc<Event>> {
        let known = self.streams.contains_key(&topic);
        let after = if known { self.between(topic, place, self.head(topic)) } else { &[] };
        after.iter().filter(|event| options.filter.as_ref().is_none_or(|filter| filter.lets(&event.body)))
    }

    pub(super) fn has_barrier(&self, topic: TopicId, holds: impl Fn(&Seq) -> bool) -> bool {
        self.barriers.get(&topic).is_some_and(|barriers| barriers.iter().any(holds))
    }
}
