//! How many sessions each subject has, and who goes when there is one too many.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::settings::{Limits, Over};

/// The sessions of each subject, oldest first. Empty where there is no bound.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    subjects: Mutex<HashMap<Box<str>, VecDeque<Arc<AtomicBool>>>>,
    /// Counts those who had to make room.
    edition: AtomicU32,
}

/// The place of a session among those of its subject; free again when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    subject: Box<str>,
    /// Somebody else has it.
    lost: Arc<AtomicBool>,
    roster: Arc<Roster>,
}

/// The subject has as many sessions as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full {
    most: usize,
}

impl Full {
    /// What a client is told.
    pub(crate) fn told(self, subject: &str) -> String {
        format!("{subject} has as many sessions as it may: {}. Close one of them.", self.most)
    }
}

impl Roster {
    /// A place for one more session of a subject; none is needed where there is no bound.
    ///
    /// # Errors
    /// There is none, and nobody makes room.
    pub(crate) fn take(self: &Arc<Self>, subject: &str, limits: &Limits) -> Result<Option<Seat>, Full> {
        let Some(most) = limits.subject_connections else { return Ok(None) };
        let mut subjects = self.lock();
        let seats = subjects.entry(subject.into()).or_default();
        if seats.len() >= most {
            match limits.subject_connections_over {
                Over::Refuse => return Err(Full { most }),
                Over::Evict => {
                    if let Some(oldest) = seats.pop_front() {
                        oldest.store(true, Ordering::Release);
                        // After the mark: who sees the new edition sees that, too.
                        self.edition.fetch_add(1, Ordering::Release);
                    }
                }
            }
        }
        let lost = Arc::new(AtomicBool::new(false));
        seats.push_back(Arc::clone(&lost));
        Ok(Some(Seat { subject: subject.into(), lost, roster: Arc::clone(self) }))
    }

    /// Another number when somebody has had to make room.
    pub(crate) fn edition(&self) -> u32 {
        self.edition.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, VecDeque<Arc<AtomicBool>>>> {
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Whether somebody else has it.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut subjects = self.roster.lock();
        if let Some(seats) = subjects.get_mut(&self.subject) {
            seats.retain(|seat| !Arc::ptr_eq(seat, &self.lost));
            if seats.is_empty() {
                subjects.remove(&self.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(most: usize, over: Over) -> Limits {
        Limits { subject_connections: Some(most), subject_connections_over: over, ..Limits::default() }
    }

    #[test]
    fn each_subject_has_its_own_places() {
        let (roster, two) = (Arc::new(Roster::default()), limits(2, Over::Refuse));
        let take = |subject| roster.take(subject, &two).map(Option::unwrap);
        let (one, _other) = (take("alice").unwrap(), take("alice").unwrap());
        assert_eq!(take("alice").unwrap_err(), Full { most: 2 });
        let bob = take("bob").unwrap();
        drop(one);
        let third = take("alice").unwrap();
        assert_eq!(take("alice").unwrap_err(), Full { most: 2 });
        assert!(!third.is_lost());
        drop(bob);
        assert_eq!(roster.lock().len(), 1, "who has no session is not kept");
        assert_eq!(roster.edition(), 0);
        assert!(roster.take("alice", &Limits::default()).unwrap().is_none(), "without a bound");
    }

    #[test]
    fn the_oldest_makes_room() {
        let (roster, two) = (Arc::new(Roster::default()), limits(2, Over::Evict));
        let take = || roster.take("alice", &two).unwrap().unwrap();
        let (one, other, third) = (take(), take(), take());
        assert_eq!([&one, &other, &third].map(Seat::is_lost), [true, false, false]);
        assert_eq!(roster.edition(), 1);
        drop(one);
        assert_eq!(roster.lock()["alice"].len(), 2, "its place was another's by then");
        let fourth = take();
        assert_eq!([&other, &third, &fourth].map(Seat::is_lost), [true, false, false]);
    }
}
