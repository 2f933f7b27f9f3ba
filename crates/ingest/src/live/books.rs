//! Which books are whole, which wait for a snapshot, and when to ask for one again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Timing;

/// Snapshots that may stay away before the connection is made anew.
const TRIES_MAX: u32 = 3;
/// The wait before the second snapshot in a row.
const AGAIN: Duration = Duration::from_millis(250);

/// The books of a feed, by the venue's name.
#[derive(Default)]
pub(super) struct Books {
    books: BTreeMap<String, Book>,
}

struct Book {
    group: usize,
    state: State,
    /// Snapshots asked for in a row.
    tries: u32,
    /// Times it went wrong of late.
    strikes: u32,
    whole_since: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its connection is down.
    Away,
    /// To be asked for, not before that.
    Wanted(Instant),
    /// Asked for; it should be there by then.
    Asked(Instant),
    Whole,
}

/// What to do for a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Ask for its snapshot.
    Ask(String),
    /// Nothing helps: the connections of this group are to be made anew.
    Reconnect(usize),
}

impl Books {
    pub(super) fn add(&mut self, symbol: &str, group: usize) {
        let book = Book { group, state: State::Away, tries: 0, strikes: 0, whole_since: None };
        self.books.insert(symbol.to_owned(), book);
    }

    /// A snapshot must come by itself, for it was subscribed to.
    pub(super) fn subscribed(&mut self, symbol: &str, now: Instant, timing: &Timing) {
        if let Some(book) = self.books.get_mut(symbol) {
            book.state = State::Asked(now + timing.answer_after);
            book.tries = 1;
        }
    }

    /// A snapshot must be asked for, at the earliest then.
    pub(super) fn wanted(&mut self, symbol: &str, at: Instant) {
        if let Some(book) = self.books.get_mut(symbol) {
            book.state = State::Wanted(at);
        }
    }

    /// What it waited for has come to nothing: again, but later each time, and not before `at`.
    pub(super) fn failed(&mut self, symbol: &str, now: Instant, at: Option<Instant>, timing: &Timing) {
        if let Some(book) = self.books.get_mut(symbol)
            && book.state != State::Whole
        {
            let wait = AGAIN.saturating_mul(1 << book.tries.min(16)).min(timing.backoff_max);
            book.state = State::Wanted((now + wait).max(at.unwrap_or(now)));
        }
    }

    /// Its first update came: a snapshot asked for now will be newer.
    pub(super) fn heard(&mut self, symbol: &str, now: Instant) {
        if let Some(book) = self.books.get_mut(symbol)
            && matches!(book.state, State::Wanted(_))
            && book.tries == 0
        {
            book.state = State::Wanted(now);
        }
    }

    /// A snapshot came.
    pub(super) fn whole(&mut self, symbol: &str, now: Instant) {
        if let Some(book) = self.books.get_mut(symbol) {
            book.state = State::Whole;
            book.tries = 0;
            book.whole_since = Some(now);
        }
    }

    /// It is void. Once in a while that is mended at once; again and again, ever later.
    pub(super) fn void(&mut self, symbol: &str, now: Instant, timing: &Timing) {
        let Some(book) = self.books.get_mut(symbol) else { return };
        let lasted =
            book.whole_since.take().is_some_and(|since| now.duration_since(since) >= timing.stable_after);
        book.strikes = if lasted { 1 } else { book.strikes.saturating_add(1) };
        let wait = match book.strikes {
            0 | 1 => Duration::ZERO,
            strikes => AGAIN.saturating_mul(1 << (strikes - 2).min(16)).min(timing.backoff_max),
        };
        if book.state != State::Away {
            book.state = State::Wanted(now + wait);
        }
    }

    /// The connections of a group are gone.
    pub(super) fn away(&mut self, group: usize) {
        for book in self.books.values_mut().filter(|book| book.group == group) {
            book.state = State::Away;
        }
    }

    /// The venue does not have it.
    pub(super) fn refused(&mut self, symbol: &str) {
        if let Some(book) = self.books.get_mut(symbol) {
            book.state = State::Away;
        }
    }

    /// Whether a snapshot of it would be of use.
    pub(super) fn waits(&self, symbol: &str) -> bool {
        self.books.get(symbol).is_some_and(|book| !matches!(book.state, State::Away | State::Whole))
    }

    pub(super) fn is_whole(&self, symbol: &str) -> bool {
        self.books.get(symbol).is_none_or(|book| book.state == State::Whole)
    }

    /// How often it went wrong of late.
    pub(super) fn strikes(&self, symbol: &str) -> u32 {
        self.books.get(symbol).map_or(0, |book| book.strikes)
    }

    /// What is to be done by now; call until there is nothing.
    pub(super) fn poll(&mut self, now: Instant, timing: &Timing) -> Option<Remedy> {
        for (symbol, book) in &mut self.books {
            match book.state {
                State::Asked(due) if due <= now && book.tries >= TRIES_MAX => {
                    book.tries = 0;
                    book.state = State::Away;
                    return Some(Remedy::Reconnect(book.group));
                }
                State::Asked(due) | State::Wanted(due) if due <= now => {
                    book.tries += 1;
                    book.state = State::Asked(now + timing.answer_after);
                    return Some(Remedy::Ask(symbol.clone()));
                }
                _ => {}
            }
        }
        None
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let due = |book: &Book| match book.state {
            State::Asked(due) | State::Wanted(due) => Some(due),
            State::Away | State::Whole => None,
        };
        self.books.values().filter_map(due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_that_stays_away_is_asked_for_again_and_then_the_connection_goes() {
        let (mut books, mut now, timing) = (Books::default(), Instant::now(), Timing::default());
        books.add("X", 3);
        assert_eq!(books.poll(now, &timing), None);
        books.subscribed("X", now, &timing);
        for _ in 1..TRIES_MAX {
            assert_eq!(books.poll(now, &timing), None);
            now += timing.answer_after;
            assert_eq!(books.poll(now, &timing), Some(Remedy::Ask("X".into())));
        }
        now += timing.answer_after;
        assert_eq!(books.poll(now, &timing), Some(Remedy::Reconnect(3)));
        assert_eq!((books.poll(now, &timing), books.deadline()), (None, None));
    }

    #[test]
    fn what_goes_wrong_again_and_again_is_mended_ever_later() {
        let (mut books, mut now, timing) = (Books::default(), Instant::now(), Timing::default());
        books.add("X", 0);
        books.subscribed("X", now, &timing);
        let mut waits = Vec::new();
        for _ in 0..4 {
            books.whole("X", now);
            assert!(books.is_whole("X"));
            books.void("X", now, &timing);
            waits.push(books.deadline().unwrap() - now);
            now = books.deadline().unwrap();
            assert_eq!(books.poll(now, &timing), Some(Remedy::Ask("X".into())));
        }
        assert_eq!(waits, [Duration::ZERO, AGAIN, AGAIN * 2, AGAIN * 4]);
        books.whole("X", now);
        now += timing.stable_after;
        books.void("X", now, &timing);
        assert_eq!(books.deadline(), Some(now));
    }
}
