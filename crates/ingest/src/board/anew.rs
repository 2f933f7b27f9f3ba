//! What venues say of instruments, and books that they begin anew.

use std::sync::Arc;

use model::{Body, Book, BookChange, Definition, FeedGap, GapReason, Instrument, State, Tick};

use super::{Board, Slot, Times, Validity};
use crate::error::INSTRUMENTS_MAX;

impl Board {
    /// What the venue says of the instrument that it calls `venue_symbol`, whether or not anything was heard of it
    /// yet. Where its prices get another step, its book begins anew: levels of both steps are no book.
    pub(crate) fn define(
        &mut self,
        venue_symbol: &str,
        times: Times,
        definition: &Definition,
        out: &mut Vec<Tick>,
    ) {
        if let Some(&slot) = self.slots.get(venue_symbol) {
            let known = &mut self.entries[slot.0].instrument;
            let mut newer = known.definition.clone();
            newer.update(definition);
            if newer == known.definition {
                return;
            }
            let before = known.definition.tick_size;
            let is_other = before.is_some() && before != newer.tick_size;
            *known = Arc::new(Instrument { definition: newer, ..(**known).clone() });
            if is_other && self.is_valid(slot) {
                self.begin_anew(slot, times, GapReason::TickSize, out);
                let levels = self.entries[slot.0].book.top(usize::MAX);
                out.push(self.tick(slot, times, Body::Book(BookChange::Snapshot(levels))));
            }
        } else if self.defined.len() < INSTRUMENTS_MAX {
            self.defined.entry(venue_symbol.into()).or_default().update(definition);
        }
    }

    /// The venue begins its book anew, for that reason; the book that it begins with comes next.
    pub(crate) fn begin_anew(&self, slot: Slot, times: Times, reason: GapReason, out: &mut Vec<Tick>) {
        if self.is_valid(slot) {
            let gap = FeedGap { reason, venue_from: None, venue_to: None };
            out.push(self.tick(slot, times, Body::Book(BookChange::Gap(gap))));
        }
    }

    /// The instrument is listed no more: there is no book of it, and there will be none.
    pub(crate) fn delist(&mut self, slot: Slot, times: Times, out: &mut Vec<Tick>) {
        self.begin_anew(slot, times, GapReason::Delisted, out);
        let entry = &mut self.entries[slot.0];
        entry.validity = Validity::Empty;
        entry.book = Book::default();
        out.push(self.status(slot, times, State::Closed, "delisted"));
        self.derive_quote(slot, times, out);
    }
}
