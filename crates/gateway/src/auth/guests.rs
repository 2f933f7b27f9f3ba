//! Guests: whoever comes without a token is given one, where the configuration welcomes guests.
//!
//! Their key is made when the process begins and never leaves it. A guest is a subject of its own, and shares a tenant
//! with the others of its address, so that the bounds of a tenant are those of an address' guests.

use std::net::IpAddr;
use std::sync::OnceLock;

use aws_lc_rs::hmac;
use model::UnixNanos;

use super::keys::{KeyError, Keys};
use super::scope::{Grant, Scope};
use super::{Algorithm, Signer};
use crate::limits::GUEST_TOKEN_LIFE;

/// What guests may, and who signs for them.
#[derive(Clone, Debug)]
pub(super) struct Guests {
    scopes: Vec<String>,
    signer: std::sync::Arc<Signer>,
    /// The key's place among the others.
    key: u32,
}

/// A guest's token.
#[derive(Debug)]
pub(crate) struct GuestToken {
    pub(crate) token: String,
    pub(crate) subject: String,
    pub(crate) expires_at: UnixNanos,
}

/// The name of their key.
const KEY: &str = "tickwire-guest";
/// What the names of guests, and of their tenants, begin with.
pub(crate) const NAME: &str = "guest:";

impl Keys {
    /// Welcomes guests, who may this.
    ///
    /// # Errors
    /// There is a key of their key's name, or there are no random numbers to be had.
    pub fn welcome_guests(&mut self, scopes: &[Scope]) -> Result<(), KeyError> {
        let secret = secret()?;
        let key = u32::try_from(self.keys()).unwrap_or(u32::MAX);
        self.add(Some(KEY), Algorithm::Hs256, secret)?;
        let signer = Signer::new(Some(KEY), Algorithm::Hs256, secret)?.into();
        self.guests = Some(Guests { scopes: scopes.iter().map(ToString::to_string).collect(), signer, key });
        Ok(())
    }

    /// A token for a guest from an address, in the place of one that it has; `None` where guests are not welcome.
    pub(crate) fn guest_token(
        &self,
        held: Option<&str>,
        from: Option<IpAddr>,
        now: UnixNanos,
    ) -> Option<Result<GuestToken, KeyError>> {
        let guests = self.guests.as_ref()?;
        let held = held.and_then(|token| self.check(token, now).ok());
        let held = held.filter(|grant| grant.key == guests.key && grant.subject.starts_with(NAME));
        Some(self.sign(guests, held, from, now))
    }

    fn sign(
        &self,
        guests: &Guests,
        held: Option<Grant>,
        from: Option<IpAddr>,
        now: UnixNanos,
    ) -> Result<GuestToken, KeyError> {
        let (subject, tenant) = if let Some(grant) = held {
            (grant.subject, grant.tenant.map(Into::into))
        } else {
            let name = crate::secret::secret().map_err(|_| KeyError::Signing)?;
            (format!("{NAME}{}", &name[..16]), from.map(tenant).transpose()?)
        };
        let life = self.lifetime_max().map_or(GUEST_TOKEN_LIFE, |most| most.min(GUEST_TOKEN_LIFE));
        let token = guests.signer.sign_for(self, (&subject, tenant.as_deref()), &guests.scopes, now, life)?;
        let seconds = now.0 / 1_000_000_000 + life.as_secs();
        Ok(GuestToken { token, subject, expires_at: UnixNanos(seconds * 1_000_000_000) })
    }
}

impl Grant {
    /// Whether it is a guest's.
    pub(crate) fn is_guest(&self) -> bool {
        self.subject.starts_with(NAME)
    }

    /// Whose share of what there is little of it takes: a subject's own, or that of all guests of an address, who could
    /// become new ones as often as they like.
    pub(crate) fn party(&self) -> &str {
        if self.is_guest() { self.tenant.as_deref().unwrap_or(&self.subject) } else { &self.subject }
    }
}

/// What the guests of an address share: a name that does not tell it. Of IPv6, the half that one customer has.
fn tenant(from: IpAddr) -> Result<String, KeyError> {
    let address = match from.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    };
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret()?), &address);
    let half = tag.as_ref().first_chunk().copied().unwrap_or_default();
    Ok(format!("{NAME}{:016x}", u64::from_be_bytes(half)))
}

/// The key of this process' guests: the same after the configuration was read again.
fn secret() -> Result<&'static [u8; 32], KeyError> {
    static SECRET: OnceLock<Option<[u8; 32]>> = OnceLock::new();
    let made = || {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).ok().map(|()| secret)
    };
    SECRET.get_or_init(made).as_ref().ok_or(KeyError::Signing)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: UnixNanos = UnixNanos(1_795_000_000_000_000_000);
    const HOME: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn keys() -> Keys {
        let mut keys = Keys::new("tests", "tickwire", Some(Duration::from_secs(3_600)));
        keys.add(Some("main"), Algorithm::Hs256, &[7; 32]).unwrap();
        keys.welcome_guests(&[Scope::parse("stream:*").unwrap(), Scope::parse("replay").unwrap()]).unwrap();
        keys
    }

    #[test]
    fn a_guest_is_somebody_and_stays_it() {
        let keys = keys();
        let first = keys.guest_token(None, HOME, NOW).unwrap().unwrap();
        let grant = keys.check(&first.token, NOW).unwrap();
        assert_eq!((&grant.subject, grant.expires_at), (&first.subject, first.expires_at));
        assert_eq!((grant.scopes.len(), grant.may_replay()), (2, true));
        assert!(!grant.tenant.as_deref().unwrap().contains("127"));
        let again = keys.guest_token(Some(&first.token), HOME, NOW.later(60_000_000_000)).unwrap().unwrap();
        let renewed = keys.check(&again.token, NOW).unwrap();
        assert_eq!((&renewed.subject, &renewed.tenant), (&grant.subject, &grant.tenant));
        assert!(renewed.expires_at > grant.expires_at);
        let other = keys.guest_token(None, HOME, NOW).unwrap().unwrap();
        assert_ne!(other.subject, first.subject);
        assert!(grant.is_guest() && grant.party() == grant.tenant.as_deref().unwrap());
        assert_eq!(Grant::for_tests("alice").party(), "alice");
        assert_eq!(keys.check(&other.token, NOW).unwrap().tenant, grant.tenant, "they share an address");
        let elsewhere = keys.guest_token(None, Some("2001:db8::1".parse().unwrap()), NOW).unwrap().unwrap();
        let near = keys.guest_token(None, Some("2001:db8::2".parse().unwrap()), NOW).unwrap().unwrap();
        let tenants = [elsewhere, near].map(|guest| keys.check(&guest.token, NOW).unwrap().tenant);
        assert!(tenants[0] == tenants[1] && tenants[0] != grant.tenant);
    }

    /// Nobody becomes a guest by another key, and no guest becomes somebody else.
    #[test]
    fn only_guests_are_renewed() {
        let keys = keys();
        let signer = Signer::new(Some("main"), Algorithm::Hs256, &[7; 32]).unwrap();
        let life = Duration::from_secs(60);
        for subject in ["alice", "guest:0123456789abcdef"] {
            let token = signer.sign(&keys, subject, &["stream:*".to_owned()], NOW, life).unwrap();
            let given = keys.guest_token(Some(&token), HOME, NOW).unwrap().unwrap();
            assert_ne!(given.subject, subject);
        }
        let old = keys.guest_token(None, HOME, NOW).unwrap().unwrap();
        let late = NOW.later(86_400_000_000_000);
        assert_ne!(keys.guest_token(Some(&old.token), HOME, late).unwrap().unwrap().subject, old.subject);
        assert!(Keys::default().guest_token(None, HOME, NOW).is_none());
    }

    /// A configuration that is read again has the same key for them, and one that does not welcome them has none.
    #[test]
    fn guests_stay_over_a_reload() {
        let ring = crate::auth::Keyring::from(keys());
        let guest = ring.current().guest_token(None, HOME, NOW).unwrap().unwrap();
        let grant = ring.check(&guest.token, NOW).unwrap();
        ring.replace(keys().into());
        assert!(ring.honours(&grant));
        let mut closed = Keys::new("tests", "tickwire", None);
        closed.add(Some("main"), Algorithm::Hs256, &[7; 32]).unwrap();
        ring.replace(closed.into());
        assert!(!ring.honours(&grant));
    }
}
