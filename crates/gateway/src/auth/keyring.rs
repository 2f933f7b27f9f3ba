//! The keys in force, which may become others while the server runs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use model::UnixNanos;
use tokio::sync::Notify;

use super::jwks::JwksError;
use super::keys::{AuthError, Keys, key_id};
use super::looks::Looks;
use super::scope::Grant;

/// The keys in force, which may become others while the server runs.
#[derive(Debug)]
pub struct Keyring {
    current: RwLock<Arc<InForce>>,
    /// Told when a token names a key that is not known.
    unknown: Notify,
    /// The same of one that was looked for in vain: it may have been published late.
    late: Notify,
    pub(super) looks: Looks,
    /// How often they have become others.
    edition: AtomicU32,
}

#[derive(Debug)]
struct InForce {
    /// Those of the configuration.
    own: Arc<Keys>,
    /// Those, and the published ones.
    keys: Arc<Keys>,
    /// The set as it was published.
    published: Option<Box<str>>,
    /// The number of the next new one. None is given twice: a key that is gone must not be another one.
    next: u32,
    /// A number for each of them. A key that stays keeps its own, so that grants by it stay good.
    numbers: Vec<u32>,
}

impl From<Keys> for Keyring {
    fn from(keys: Keys) -> Self {
        let numbers: Vec<u32> = (0..).take(keys.len()).collect();
        let next = numbers.last().map_or(0, |last| last + 1);
        let keys = Arc::new(keys);
        let in_force = InForce { own: Arc::clone(&keys), keys, published: None, next, numbers };
        let (looks, edition) = (Looks::default(), AtomicU32::new(0));
        let (unknown, late) = (Notify::new(), Notify::new());
        Self { current: RwLock::new(Arc::new(in_force)), unknown, late, looks, edition }
    }
}

impl Keyring {
    fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys in force now.
    #[must_use]
    pub fn current(&self) -> Arc<Keys> {
        Arc::clone(&self.in_force().keys)
    }

    /// What a token allows, at `now`.
    ///
    /// # Errors
    /// Says why the token is no good.
    pub fn check(&self, token: &str, now: UnixNanos) -> Result<Grant, AuthError> {
        let checked = self.recheck(token, now);
        if checked == Err(AuthError::UnknownKey)
            && let Some(id) = key_id(token)
        {
            if self.looks.has_missed(&id) { self.late.notify_one() } else { self.unknown.notify_one() }
        }
        checked
    }

    /// The same for a token whose key was looked for already.
    pub(super) fn recheck(&self, token: &str, now: UnixNanos) -> Result<Grant, AuthError> {
        let InForce { keys, numbers, .. } = &*self.in_force();
        let grant = keys.check(token, now)?;
        let number = numbers.get(grant.key as usize).copied().unwrap_or(u32::MAX);
        Ok(Grant { key: number, ..grant })
    }

    /// Puts other keys in force. Sessions by a key that is gone, or of somebody who was revoked, end soon. What was
    /// published stays.
    pub(crate) fn replace(&self, own: Arc<Keys>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let published = current.published.clone();
        let keys = published.as_deref().map(|text| with(&own, text));
        let keys = match keys {
            Some(Ok(keys)) => Arc::new(keys),
            // A key of the configuration has the name of a published one: the configuration decides.
            Some(Err(error)) => {
                tracing::error!("published keys are out of force: {error}");
                Arc::clone(&own)
            }
            None => Arc::clone(&own),
        };
        self.put(&mut current, own, keys, published);
    }

    /// Puts published keys in force, beside the others and in place of those published before; how many there are.
    ///
    /// # Errors
    /// It is no set of keys; then everything stays as it was.
    pub(crate) fn publish(&self, text: &str) -> Result<usize, JwksError> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let own = Arc::clone(&current.own);
        let keys = with(&own, text)?;
        let count = keys.len() - own.len();
        if current.published.as_deref() != Some(text) {
            self.put(&mut current, own, Arc::new(keys), Some(text.into()));
            tracing::info!(count, "published keys have changed");
        }
        Ok(count)
    }

    /// Waits until a token names a key that is not known.
    pub(super) async fn unknown(&self) {
        self.unknown.notified().await;
    }

    /// Waits until a token names one that was looked for in vain.
    pub(super) async fn late(&self) {
        self.late.notified().await;
    }

    /// All names up to now are about to be looked for.
    pub(super) fn forget_unknown(&self) {
        let mut told = std::pin::pin!(self.unknown.notified());
        told.as_mut().enable();
    }

    fn put(&self, current: &mut Arc<InForce>, own: Arc<Keys>, keys: Arc<Keys>, published: Option<Box<str>>) {
        let mut next = current.next;
        let numbers = (0..keys.len()).map(|at| {
            let stays = (0..current.keys.len()).find(|&old| current.keys.is_same(old, &keys, at));
            stays.map_or_else(
                || {
                    next += 1;
                    next - 1
                },
                |old| current.numbers[old],
            )
        });
        let numbers = numbers.collect();
        *current = Arc::new(InForce { own, keys, published, next, numbers });
        self.looks.forget();
        // After the keys: who sees the new edition sees them, too.
        self.edition.fetch_add(1, Ordering::Release);
    }

    /// Counts the times that the keys became others.
    pub(crate) fn edition(&self) -> u32 {
        self.edition.load(Ordering::Acquire)
    }

    /// Whether a grant is still good, as far as that is a matter of keys and revocations.
    pub(crate) fn honours(&self, grant: &Grant) -> bool {
        let InForce { keys, numbers, .. } = &*self.in_force();
        numbers.contains(&grant.key) && !keys.is_revoked(grant)
    }
}

/// Keys with those of a set beside them.
fn with(own: &Keys, text: &str) -> Result<Keys, JwksError> {
    let mut keys = own.clone();
    keys.add_jwks(text)?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::{Algorithm, Revocation, Signer};

    const NOW: UnixNanos = UnixNanos(1_795_000_000_000_000_000);

    fn keys(list: &[(&str, u8)]) -> Keys {
        let mut keys = Keys::new("tests", "tickwire", None);
        for (id, byte) in list {
            keys.add(Some(id), Algorithm::Hs256, &[*byte; 32]).unwrap();
        }
        keys
    }

    fn token(id: &str, byte: u8, subject: &str) -> String {
        let signer = Signer::new(Some(id), Algorithm::Hs256, &[byte; 32]).unwrap();
        let scopes = ["stream:*".to_owned()];
        signer.sign(&keys(&[]), subject, &scopes, NOW, Duration::from_secs(60)).unwrap()
    }

    #[test]
    fn a_grant_is_as_good_as_its_key() {
        let ring = Keyring::from(keys(&[("a", 1), ("b", 2)]));
        let [by_a, by_b] =
            [("a", 1), ("b", 2)].map(|(id, byte)| ring.check(&token(id, byte, "x"), NOW).unwrap());
        let good = |ring: &Keyring| [ring.honours(&by_a), ring.honours(&by_b)];
        assert_eq!((good(&ring), ring.edition()), ([true, true], 0));
        // In another order, with a new one; the other has got a new secret under its old name.
        ring.replace(Arc::new(keys(&[("c", 3), ("b", 9), ("a", 1)])));
        assert_eq!((good(&ring), ring.edition()), ([true, false], 1));
        // It comes back, and is another one all the same: whoever took it out meant it.
        ring.replace(Arc::new(keys(&[("b", 2), ("a", 1)])));
        assert_eq!(good(&ring), [true, false]);
        // The last one goes, and the next that comes is not taken for it.
        let other = Keyring::from(keys(&[("a", 1), ("b", 2)]));
        let last = other.check(&token("b", 2, "x"), NOW).unwrap();
        other.replace(Arc::new(keys(&[("a", 1)])));
        other.replace(Arc::new(keys(&[("a", 1), ("c", 3)])));
        assert!(!other.honours(&last));
        assert!(ring.honours(&ring.check(&token("b", 2, "x"), NOW).unwrap()));
    }

    #[test]
    fn who_is_revoked_is_refused_and_ends() {
        let ring = Keyring::from(keys(&[("a", 1)]));
        let tokens = ["alice", "bob", "bob"].map(|subject| token("a", 1, subject));
        let grants = tokens.clone().map(|token| ring.check(&token, NOW).unwrap());
        let mut revoked = keys(&[("a", 1)]);
        let one = ring.current().token_id(&tokens[1]).unwrap();
        assert_eq!(ring.current().token_id("a.b.c"), None);
        revoked.revoke(format!("jti:{one}").parse().unwrap());
        ring.replace(Arc::new(revoked));
        assert_eq!(grants.each_ref().map(|grant| ring.honours(grant)), [true, false, true]);
        let mut revoked = keys(&[("a", 1)]);
        revoked.revoke(Revocation::Subject("bob".into()));
        ring.replace(Arc::new(revoked));
        assert_eq!(grants.each_ref().map(|grant| ring.honours(grant)), [true, false, false]);
        assert_eq!(ring.check(&tokens[2], NOW), Err(AuthError::Revoked));
        for broken in ["bob", "sub:", "jti:", "key:a", ""] {
            assert!(broken.parse::<Revocation>().is_err(), "{broken}");
        }
    }
}
