//! Looking for a key that a token names and nobody knows: who waits for that, and for how long.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::UnixNanos;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::keyring::Keyring;
use super::keys::{AuthError, key_id};
use super::scope::Grant;
use crate::clock;
use crate::limits::{KEY_IDS_MISSED, KEY_WAIT};

/// How far looking for published keys has come.
#[derive(Debug, Default)]
pub(super) struct Looks {
    now: watch::Sender<State>,
    /// Names of keys that were looked for in vain, the latest last.
    missed: Mutex<VecDeque<Box<str>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Looks that have begun, and how many of them are over.
    begun: u64,
    done: u64,
    /// The last one brought no keys.
    failed: bool,
    /// When the next one may begin for a name that is not known; `None`: nobody looks.
    next: Option<Instant>,
}

/// A look that a token waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Awaited {
    /// Its number.
    look: u64,
    /// How long it is worth waiting for.
    pub(crate) wait: Duration,
}

impl Looks {
    /// The next look for a name that is not known may begin then.
    pub(super) fn allow(&self, next: Instant) {
        self.now.send_modify(|state| state.next = Some(next));
    }

    pub(super) fn begin(&self) {
        self.now.send_modify(|state| state.begun += 1);
    }

    pub(super) fn end(&self, is_good: bool) {
        self.now.send_modify(|state| (state.done, state.failed) = (state.begun, !is_good));
    }

    /// The keys have become others: what was missed may be among them.
    pub(super) fn forget(&self) {
        self.missed().clear();
    }

    /// Whether a name was looked for in vain.
    pub(super) fn has_missed(&self, id: &str) -> bool {
        self.missed().iter().any(|missed| **missed == *id)
    }

    fn missed(&self) -> MutexGuard<'_, VecDeque<Box<str>>> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keyring {
    /// The look that decides about a token which was checked like that. `None` where the check has.
    pub(crate) fn awaited(&self, checked: &Result<Grant, AuthError>, token: &str) -> Option<Awaited> {
        let state = *self.looks.now.borrow();
        let next = state.next.filter(|_| *checked == Err(AuthError::UnknownKey))?;
        let id = key_id(token)?;
        if self.looks.has_missed(&id) {
            return None;
        }
        let begins_in = next.saturating_duration_since(Instant::now());
        // Where it is too far away, there is nothing to wait for.
        let wait = if begins_in < KEY_WAIT { KEY_WAIT } else { Duration::ZERO };
        // One that is under way may have begun before the key was there.
        Some(Awaited { look: state.begun + 1, wait })
    }

    /// Whether that look is over.
    pub(crate) fn has_looked(&self, awaited: Awaited) -> bool {
        self.looks.now.borrow().done >= awaited.look
    }

    /// What a token allows that has waited.
    ///
    /// # Errors
    /// It is no good, or whether it is is not known yet.
    pub(crate) fn settle(&self, token: &str, awaited: Awaited, now: UnixNanos) -> Result<Grant, AuthError> {
        let checked = self.recheck(token, now);
        if checked != Err(AuthError::UnknownKey) {
            return checked;
        }
        let state = *self.looks.now.borrow();
        if state.failed || state.done < awaited.look {
            let next = state.next.map(|next| next.saturating_duration_since(Instant::now()));
            return Err(AuthError::Pending(next.unwrap_or_default() + KEY_WAIT));
        }
        if let Some(id) = key_id(token) {
            let mut missed = self.looks.missed();
            if missed.len() >= KEY_IDS_MISSED {
                missed.pop_front();
            }
            missed.push_back(id);
        }
        checked
    }

    /// What a token allows; where its key is not known but may be published, once that was looked for.
    ///
    /// # Errors
    /// It is no good, or whether it is is not known in time.
    pub(crate) async fn admit(&self, token: &str) -> Result<Grant, AuthError> {
        let checked = self.check(token, clock::wall());
        let Some(awaited) = self.awaited(&checked, token) else { return checked };
        let mut looks = self.looks.now.subscribe();
        let _ = timeout(awaited.wait, looks.wait_for(|state| state.done >= awaited.look)).await;
        self.settle(token, awaited, clock::wall())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Algorithm, Keys, Signer};

    const NOW: UnixNanos = UnixNanos(1_795_000_000_000_000_000);

    fn token(id: &str) -> String {
        let signer = Signer::new(Some(id), Algorithm::Hs256, &[7; 32]).unwrap();
        let keys = Keys::new("tests", "tickwire", None);
        signer.sign(&keys, "alice", &["stream:*".to_owned()], NOW, Duration::from_secs(60)).unwrap()
    }

    fn awaited(ring: &Keyring, token: &str) -> Option<Awaited> {
        ring.awaited(&ring.check(token, NOW), token)
    }

    #[test]
    fn a_token_waits_for_a_look_that_begins_after_it_came() {
        let ring = Keyring::from(Keys::new("tests", "tickwire", None));
        let new = token("new");
        assert_eq!(awaited(&ring, &new), None, "nobody looks");
        ring.looks.allow(Instant::now());
        for never in ["tw_fixed", "a.b.c"] {
            assert_eq!(awaited(&ring, never), None, "{never}");
        }
        ring.looks.begin();
        let waits = awaited(&ring, &new).unwrap();
        assert_eq!(waits, Awaited { look: 2, wait: KEY_WAIT });
        ring.looks.end(true);
        assert!(!ring.has_looked(waits));
        assert!(matches!(ring.settle(&new, waits, NOW), Err(AuthError::Pending(_))));
        ring.looks.begin();
        ring.looks.end(false);
        // It was looked, and found nothing out.
        assert!(ring.has_looked(waits));
        assert!(matches!(ring.settle(&new, waits, NOW), Err(AuthError::Pending(_))));
        let waits = awaited(&ring, &new).unwrap();
        ring.looks.begin();
        ring.looks.end(true);
        assert_eq!(ring.settle(&new, waits, NOW), Err(AuthError::UnknownKey));
        assert_eq!(awaited(&ring, &new), None, "it was looked for in vain");
        ring.looks.forget();
        ring.looks.allow(Instant::now() + 2 * KEY_WAIT);
        assert_eq!(
            awaited(&ring, &new).map(|waits| waits.wait),
            Some(Duration::ZERO),
            "it would take too long"
        );
    }

    #[test]
    fn only_so_many_names_are_kept_in_mind() {
        let ring = Keyring::from(Keys::new("tests", "tickwire", None));
        ring.looks.allow(Instant::now());
        for n in 0..=KEY_IDS_MISSED {
            let made_up = token(&n.to_string());
            let waits = awaited(&ring, &made_up).unwrap();
            ring.looks.begin();
            ring.looks.end(true);
            assert_eq!(ring.settle(&made_up, waits, NOW), Err(AuthError::UnknownKey));
        }
        assert_eq!(ring.looks.missed().len(), KEY_IDS_MISSED);
        assert!(awaited(&ring, &token("0")).is_some());
    }
}
