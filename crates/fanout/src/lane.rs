//! A log and those who read it.

use std::hint::black_box;

use model::Seq;

use crate::fold::{Entry, Fold};
use crate::ids::SessionId;
use crate::ring::{Bounds, Ring};
use crate::session::{Sessions, SubId};

pub(crate) struct Lane<F: Fold> {
    pub(crate) ring: Ring<F>,
    pub(crate) readers: Readers,
}

/// The subscriptions that read one log. Publishing walks this list and touches nothing else of a
/// session that is behind anyway.
#[derive(Default)]
pub(crate) struct Readers(Vec<Reader>);

/// Sessions whose memory is fetched together: one by one, each waits for memory several times.
const WARMED: usize = 16;

struct Reader {
    session: SessionId,
    sub: SubId,
    /// Something waits for it already.
    behind: bool,
    /// It was looked at, nothing may be sent, and the next news may change that.
    dozes: bool,
}

impl<F: Fold> Lane<F> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { ring: Ring::new(bounds), readers: Readers::default() }
    }

    /// Reads what draining a reader will need, to have it near by then.
    pub(crate) fn warm(&self, place: usize) {
        black_box((
            self.readers.0.get(place).is_some_and(|reader| reader.behind),
            self.ring.newest().map(Entry::seq),
        ));
    }
}

impl Readers {
    /// Adds a reader and returns its place in the list.
    pub(crate) fn add(&mut self, session: SessionId, sub: SubId) -> usize {
        self.0.push(Reader { session, sub, behind: false, dozes: false });
        self.0.len() - 1
    }

    /// Takes a reader out; who took its place is told.
    pub(crate) fn remove(&mut self, place: usize, sessions: &mut Sessions) {
        self.0.swap_remove(place);
        if let Some(moved) = self.0.get(place) {
            sessions.sub_mut(moved.session, moved.sub).place_in_lane = place;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn caught_up(&mut self, place: usize) {
        self.0[place].behind = false;
    }

    pub(crate) fn fell_behind(&mut self, place: usize) {
        self.0[place].behind = true;
    }

    /// Something waits for a reader that must not be sent; the next news wake it.
    pub(crate) fn doze(&mut self, place: usize) {
        self.0[place].dozes = true;
    }

    /// Where those stand for whom something waits.
    pub(crate) fn places(&self, sessions: &Sessions, places: &mut Vec<Seq>) {
        let behind = self.0.iter().filter(|reader| reader.behind);
        places.extend(behind.map(|reader| sessions.sub(reader.session, reader.sub).account.stands()));
    }

    /// Something new is in the log. `urgent` news do not wait for a conflation interval.
    pub(crate) fn wake(&mut self, sessions: &mut Sessions, news: News) {
        for some in self.0.chunks_mut(WARMED) {
            for reader in some.iter().filter(|reader| !reader.behind) {
                sessions.warm(reader.session, reader.sub);
            }
            for reader in some {
                if !reader.behind || reader.dozes {
                    (reader.behind, reader.dozes) = (true, false);
                    sessions.wake(reader.session, reader.sub, news);
                } else if news.urgent {
                    sessions.hurry(reader.session, reader.sub);
                }
            }
        }
    }
}

/// That something happened.
#[derive(Clone, Copy)]
pub(crate) struct News {
    pub(crate) position: u64,
    pub(crate) now: std::time::Duration,
    pub(crate) urgent: bool,
}
