//! What a turn sends, entered into the account as it goes.

use std::sync::Arc;

use model::Seq;

use crate::book::{BookRecord, BookSnapshot};
use crate::coalesce::Turn;
use crate::event::{Encoded, Event, book_weight};
use crate::fold::{SummaryRecord, Trades};
use crate::ids::TopicId;
use crate::item::{GapCause, Item, Kind, Snapshot};
use crate::ledger::Account;
use crate::options::{Look, Options};
use crate::topic::Topic;

/// Where a turn's items go, with the account they are entered into.
pub(crate) struct Out<'a> {
    pub(crate) topic: &'a Facts,
    pub(crate) account: &'a mut Account,
    look: Look,
    items: &'a mut Vec<Item>,
    pub(crate) turn: Turn,
    /// Where a state stands in the total order.
    pub(crate) position: u64,
}

/// What of a topic every item says.
pub(crate) struct Facts {
    id: TopicId,
    pub(crate) head: Seq,
    position: u64,
}

impl Facts {
    pub(crate) fn of(topic: &Topic) -> Self {
        Self { id: topic.id, head: topic.head, position: topic.position }
    }
}

/// About how many bytes a trade summary has as JSON.
pub(crate) const SUMMARY_BYTES: usize = 520;

impl<'a> Out<'a> {
    pub(crate) fn new(
        topic: &'a Facts,
        options: &Options,
        account: &'a mut Account,
        items: &'a mut Vec<Item>,
    ) -> Self {
        Self { topic, account, look: options.look, items, turn: Turn::default(), position: topic.position }
    }

    pub(crate) fn event(&mut self, event: &Arc<Event>) {
        let prev = self.account.place;
        self.account.record(event.seq);
        self.push(event.position, event.weight(), Kind::Event { event: Arc::clone(event), prev });
    }

    /// Those of `quotes` that the reader lacks and wants.
    pub(crate) fn quotes(&mut self, quotes: &[Arc<Event>], options: &Options) {
        for quote in quotes {
            let wanted = options.filter.as_ref().is_none_or(|filter| filter.lets(&quote.body));
            if quote.seq > self.account.stands() && wanted {
                self.event(quote);
            }
        }
    }

    pub(crate) fn fold(&mut self, fold: Trades) {
        let Some(summary) = fold.summary else { return self.event(&fold.last) };
        let prev = self.account.place;
        let (seq, position) = (fold.last.seq, fold.last.position);
        let record = SummaryRecord { last: fold.last, prev, summary, encoded: Encoded::default() };
        self.account.record(seq);
        self.push(position, SUMMARY_BYTES, Kind::Summary { record: Arc::new(record), prev });
    }

    pub(crate) fn record(&mut self, record: &Arc<BookRecord>) {
        let prev = self.account.place;
        self.account.record(record.seq);
        let weight = book_weight(record.levels.len());
        self.push(record.position, weight, Kind::Book { record: Arc::clone(record), prev });
    }

    pub(crate) fn known(&mut self, record: &BookRecord, known: Arc<BookSnapshot>) {
        let weight = book_weight(known.levels.len());
        self.account.snapshot(record.seq);
        self.push(record.position, weight, whole(Snapshot::Book(known)));
    }

    pub(crate) fn gap(&mut self, to: Seq, cause: GapCause) {
        self.gap_at(self.topic.position, to, cause);
    }

    pub(crate) fn gap_at(&mut self, position: u64, to: Seq, cause: GapCause) {
        let from = self.account.place.next();
        self.account.gap(to);
        self.push(position, GAP_BYTES, Kind::Gap { range: Some((from, to)), cause });
    }

    /// The reader's place means nothing here.
    pub(crate) fn stranger(&mut self) {
        let kind = Kind::Gap { range: None, cause: GapCause::CursorExpired };
        self.push(self.topic.position, GAP_BYTES, kind);
    }

    /// All that waits is dropped.
    pub(crate) fn dropped(&mut self, to: Seq) {
        self.turn.slow = true;
        self.gap(to, GapCause::SlowConsumer);
    }

    pub(crate) fn state(&mut self, events: Vec<Arc<Event>>) {
        let weight = events.iter().map(|event| event.weight()).sum();
        let snapshot = if let Some(last) = events.last() {
            self.account.snapshot(last.seq);
            Snapshot::Events(events)
        } else {
            if !self.account.has_begun() {
                // What came before, a filter hid.
                self.account.nothing(self.account.stands());
            }
            Snapshot::Empty(self.account.place)
        };
        self.push(self.position, weight, whole(snapshot));
    }

    pub(crate) fn book(&mut self, head: Seq, snapshot: Snapshot) {
        let weight = match &snapshot {
            Snapshot::Book(book) => book_weight(book.levels.len()),
            _ => GAP_BYTES,
        };
        match &snapshot {
            Snapshot::Book(_) => self.account.snapshot(head),
            // Of a book that is not known, what came before means nothing either.
            _ => self.account.nothing(head),
        }
        self.push(self.topic.position, weight, whole(snapshot));
    }

    fn push(&mut self, position: u64, weight: usize, kind: Kind) {
        self.turn.weight += weight;
        self.items.push(Item { topic: self.topic.id, position, look: self.look, kind });
    }
}

fn whole(state: Snapshot) -> Kind {
    Kind::Snapshot { state, as_of: None }
}

/// About how many bytes a gap message has.
const GAP_BYTES: usize = 260;
