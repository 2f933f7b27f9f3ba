//! Whether what a reader is sent is right in itself: totals, books, accounts.

use std::sync::Arc;
use std::time::Duration;

use ::model::{Body, BookChange, BookSide, Seq, Side, TradeSummary};
use rust_decimal::Decimal;

use super::reader::{Reader, ages, seen};
use super::source::Source;
use crate::book::BookRecord;
use crate::{Event, Ledger, Stream};

impl Reader {
    pub(super) fn summary(&self, source: &Source, summary: &TradeSummary, prev: Seq, last: &Arc<Event>) {
        let lets = |event: &&Arc<Event>| self.options.filter.as_ref().is_none_or(|f| f.lets(&event.body));
        let prev = prev.max(self.passed);
        let folded: Vec<_> = source.between(self.topic, prev, last.seq).iter().filter(lets).collect();
        assert!(folded.len() > 1, "a single trade is no summary");
        assert!(Arc::ptr_eq(last, folded[folded.len() - 1]));
        let trades = folded.iter().map(|event| match &event.body {
            Body::Trade(trade) => (event, trade),
            other => panic!("not a trade: {other:?}"),
        });
        // Added up by hand: the summaries' own sums are what is judged.
        let volume = |side: Option<Side>| {
            let wanted = trades.clone().filter(|(_, trade)| side.is_none_or(|side| side == trade.side));
            wanted.map(|(_, trade)| trade.size.value()).sum::<Decimal>()
        };
        let notional: Decimal =
            trades.clone().map(|(_, trade)| trade.price.value() * trade.size.value()).sum();
        assert_eq!((summary.trades, summary.notional), (folded.len() as u64, notional), "are conserved");
        assert_eq!((summary.volume, summary.buy_volume), (volume(None), volume(Some(Side::Buy))));
        assert_eq!(summary.sell_volume, volume(Some(Side::Sell)));
        let sums = trades.map(|(event, trade)| TradeSummary::of(trade, event.ts_event, event.ts_recv));
        let wanted = sums.map(Option::unwrap).reduce(|a, b| a.merged(&b).unwrap()).unwrap();
        assert_eq!(*summary, wanted, "so are prices and times");
        assert_eq!(summary.volume.scale(), wanted.volume.scale());
        // What a filter hides before its first trade may lie on the other side.
        let first = folded[0].seq;
        let spans = |barrier: &Seq| first <= *barrier && *barrier < last.seq;
        assert!(!source.has_barrier(self.topic, spans), "spans a status change");
    }

    pub(super) fn book_record(&mut self, source: &Source, record: &BookRecord, prev: Seq) {
        if record.seq <= self.seen {
            // The client has had it already.
            return;
        }
        let book = self.book.as_mut().expect("a change of a book that the reader does not have");
        book.apply(&record.levels);
        let real = source.book(self.topic, record.seq).expect("a change of a book that is not known");
        assert_eq!(*book, seen(real, self.options.depth), "the book is exact");
        self.notes(source, record.seq, (record.crossed, record.locked), record.checksum);
        let depth = seen(real, self.options.depth);
        for event in source.between(self.topic, prev, record.seq) {
            let Body::Book(BookChange::Delta(delta)) = &event.body else { continue };
            for side in BookSide::BOTH {
                for level in
                    delta.side(side).iter().filter(|level| depth.size_at(side, level.price).is_some())
                {
                    let listed = record.levels.side(side).iter().any(|l| l.price == level.price);
                    assert!(listed, "every level touched is listed");
                }
            }
        }
    }

    pub(super) fn notes(&self, source: &Source, seq: Seq, flags: (bool, bool), checksum: Option<u32>) {
        let Some(real) = source.book(self.topic, seq) else { panic!("not known") };
        assert_eq!(flags, (real.is_crossed(), real.is_locked()), "crossed and locked books are told");
        let wanted = self.options.checksum.then(|| seen(real, self.options.depth).checksum(10));
        assert_eq!(checksum, wanted);
    }

    pub(super) fn check_ledger(&self, source: &Source, ledger: &Ledger) {
        let head = source.head(self.topic);
        let wanted = Ledger {
            topic: self.topic,
            published: head.since(self.base),
            delivered: self.delivered,
            coalesced: self.coalesced,
            skipped: self.skipped,
            pending: head.since(self.place),
            last_sequence: self.last_sent,
        };
        assert_eq!(*ledger, wanted);
        let sum = ledger.delivered + ledger.coalesced + ledger.skipped + ledger.pending;
        assert_eq!(ledger.published, sum, "the ledger closes");
    }

    /// Whether the reader has everything that it can have by now.
    pub(super) fn is_current(&self, source: &Source, now: Duration) -> bool {
        if self.paused {
            return true;
        }
        let too_old = |position: u64| {
            let age = self.options.max_age.filter(|_| ages(self.topic.stream));
            age.is_some_and(|age| !source.is_fresh(position, age, now))
        };
        let head = source.head(self.topic);
        if self.topic.stream != Stream::Book {
            let missing = self.missing(source).last();
            return missing.is_none_or(|newest| too_old(newest.position));
        }
        // What a book did outside of the reader's depth is not sent until something else happens.
        let books = source.books.get(&self.topic).map(Vec::as_slice).unwrap_or_default();
        let real = books.last().cloned().flatten().map(|book| seen(&book, self.options.depth));
        self.snapshot_due || self.book == real || too_old(source.event(self.topic, head).position)
    }
}
