//! Replays by one clock: one leads, others follow it, each at the speed that its client reads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use model::{Speed, UnixNanos};
use store::At;

use super::clock::Clock;
use super::{Target, tape::Played};
use crate::recordings::Found;

/// What those who share a clock know of it.
pub(crate) struct Baton {
    pub(crate) found: Found,
    pub(crate) to: Option<UnixNanos>,
    beat: Mutex<Beat>,
}

struct Beat {
    clock: Clock,
    /// How often the leader went to another place, and to which.
    seeks: u64,
    target: Option<Target>,
    /// The newest place in the total order that it played.
    reached: u64,
    /// It is over.
    gone: bool,
    /// Who waits for it to go on.
    waiting: Vec<Waker>,
}

/// The clocks that can be shared, by name.
#[derive(Default)]
pub(crate) struct Shares(Mutex<HashMap<String, Weak<Baton>>>);

impl Shares {
    /// A clock that others may follow, and the name that they say.
    pub(crate) fn offer(&self, found: Found, to: Option<UnixNanos>, clock: Clock) -> (String, Arc<Baton>) {
        use std::hash::{BuildHasher, RandomState};
        let beat = Beat { clock, seeks: 0, target: None, reached: 0, gone: false, waiting: Vec::new() };
        let baton = Arc::new(Baton { found, to, beat: Mutex::new(beat) });
        let mut shares = lock(&self.0);
        shares.retain(|_, known| known.strong_count() > 0);
        // Not to be guessed by chance; what may be seen is a matter of tokens.
        let name = format!("{:016x}", RandomState::new().hash_one(shares.len()));
        shares.insert(name.clone(), Arc::downgrade(&baton));
        (name, baton)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Baton>> {
        lock(&self.0).get(name)?.upgrade().filter(|baton| !lock(&baton.beat).gone)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a replay has to do with a shared clock.
pub(crate) enum Role {
    /// Nothing.
    Alone,
    /// Others follow it.
    Leads(Arc<Baton>),
    /// It follows, and has seen so many of the leader's seeks.
    Follows(Arc<Baton>, u64),
}

impl Drop for Role {
    fn drop(&mut self) {
        if let Self::Leads(baton) = self {
            let mut beat = lock(&baton.beat);
            beat.gone = true;
            wake(&mut beat);
        }
    }
}

fn wake(beat: &mut Beat) {
    beat.waiting.drain(..).for_each(Waker::wake);
}

/// What a follower is to do.
pub(super) enum Lead {
    /// Play by this clock, and all up to here.
    Plays(Clock, u64),
    /// Go to another place first.
    Seeks(Target),
    /// End.
    Gone,
}

impl Baton {
    /// Where who joins begins, and how many seeks that is behind.
    pub(crate) fn place(&self, now: Duration) -> (Clock, At, u64) {
        let beat = lock(&self.beat);
        let at = match (beat.reached, beat.target) {
            (0, Some(target)) => target.at,
            (0, None) => super::before(beat.clock.time(now)),
            (u64::MAX, _) => super::before(beat.clock.time(now).later(1)),
            (reached, _) => At::Position(reached),
        };
        (beat.clock, at, beat.seeks)
    }

    /// The leader's clock is another.
    pub(super) fn set_clock(&self, clock: Clock) {
        let mut beat = lock(&self.beat);
        if beat.clock != clock {
            beat.clock = clock;
            wake(&mut beat);
        }
    }

    /// The leader goes to another place.
    pub(super) fn seek(&self, target: Target) {
        let mut beat = lock(&self.beat);
        (beat.seeks, beat.target, beat.reached) = (beat.seeks + 1, Some(target), 0);
        wake(&mut beat);
    }

    /// The leader has played up to here. Followers are told where its clock does not tell them.
    pub(super) fn reach(&self, position: u64) {
        let mut beat = lock(&self.beat);
        if position <= beat.reached {
            return;
        }
        beat.reached = position;
        if beat.clock.speed() == Speed::MAX || !beat.clock.runs() {
            wake(&mut beat);
        }
    }

    /// What a follower that has seen so many seeks is to do; it is woken when that changes.
    pub(super) fn follow(&self, seen: &mut u64, waker: &Waker) -> Lead {
        let mut beat = lock(&self.beat);
        if beat.gone {
            return Lead::Gone;
        }
        if !beat.waiting.iter().any(|waiting| waiting.will_wake(waker)) {
            beat.waiting.push(waker.clone());
        }
        match beat.target.filter(|_| beat.seeks != *seen) {
            Some(target) => {
                *seen = beat.seeks;
                Lead::Seeks(target)
            }
            None => Lead::Plays(beat.clock, beat.reached),
        }
    }
}

/// Whether a follower's next record is due by the leader's clock, or was played by the leader.
pub(super) fn is_due(next: &Played, clock: &Clock, reached: u64, now: Duration) -> bool {
    let by_clock = clock.runs() && clock.speed() != Speed::MAX && next.clock <= clock.time(now);
    by_clock || next.event.position <= reached
}
