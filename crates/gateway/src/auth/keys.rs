//! The keys that tokens are checked with, and the check itself.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Header, Validation};
use model::UnixNanos;
use serde::{Deserialize, Serialize};

use super::algorithm::Algorithm;
use super::fixed::{FIXED_PREFIX, Fixed, Hash};
use super::guests::Guests;
use super::revocation::{Mark, Revocation};
use super::scope::{Grant, Scope};
use crate::limits::{CLOCK_LEEWAY, KEY_ID_BYTES_MAX, SCOPES_KEPT, TENANT_BYTES_MAX, TOKEN_BYTES_MAX};

/// The keys that tokens are checked with.
#[derive(Debug, Default)]
pub struct Keys {
    list: Vec<Key>,
    /// Numbered after the keys.
    fixed: Vec<Fixed>,
    /// Where guests are welcome.
    pub(super) guests: Option<Guests>,
    /// The `iss` every token must have.
    pub(super) issuer: String,
    /// The `aud` every token must have.
    pub(super) audience: String,
    /// Longest time from now to a token's end.
    lifetime_max: Option<Duration>,
    /// Who is not to be let in all the same.
    revoked: HashSet<Revocation>,
    /// Scopes of tokens that were checked lately.
    recent: Mutex<VecDeque<Arc<[Scope]>>>,
}

#[derive(Clone)]
struct Key {
    id: Option<Box<str>>,
    algorithm: Algorithm,
    decoding: DecodingKey,
    /// What it was made of: two keys are one if they were made of the same.
    material: Box<[u8]>,
}

/// Why a token is no good. Says nothing of the token itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Not of the form of a token.
    #[error("the token is malformed")]
    Malformed,
    /// Longer than [`TOKEN_BYTES_MAX`].
    #[error("the token is longer than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    /// Its key is not one of ours.
    #[error("the token's key is not known here")]
    UnknownKey,
    /// Its key is not one of ours yet: it is looked for where keys are published. How long that may take.
    #[error("the token's key is not known here yet, and is being looked for")]
    Pending(Duration),
    /// Signed in another way than its key is for.
    #[error("the token's algorithm is not the one of its key")]
    Algorithm,
    /// It has extensions that must be understood ([RFC 7515](https://www.rfc-editor.org/rfc/rfc7515), 4.1.11), and
    /// none are.
    #[error("the token has extensions (crit) that are not understood here")]
    Critical,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim is missing or of the wrong kind.
    #[error("the token lacks a usable claim {0:?}")]
    Claim(&'static str),
    /// Of another issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// For somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Not valid yet.
    #[error("the token is not valid before {0}")]
    NotYet(UnixNanos),
    /// Past its time.
    #[error("the token expired at {0}")]
    Expired(UnixNanos),
    /// It, or everybody like it, was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// Valid for longer than tokens may be.
    #[error("the token is valid for longer than is allowed here")]
    LongLived,
}

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No such algorithm.
    #[error("unknown algorithm; HS256, RS256, ES256 and EdDSA are known")]
    Algorithm,
    /// The key's text is not a key of that kind.
    #[error("not a {0} key in PEM form")]
    Format(Algorithm),
    /// An HMAC secret with less than 256 bits.
    #[error("an HS256 secret needs at least 32 bytes")]
    Short,
    /// Two keys with one id.
    #[error("two keys have the same id")]
    Twice,
    /// A key of a set without an id.
    #[error("it has no kid")]
    Nameless,
    /// The token could not be signed.
    #[error("signing failed")]
    Signing,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    pub(super) iss: String,
    pub(super) aud: Audience,
    pub(super) exp: NumericDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nbf: Option<NumericDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) iat: Option<NumericDate>,
    pub(super) scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) jti: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
}

/// Seconds since the epoch, whole or not (RFC 7519, 2).
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum NumericDate {
    Whole(u64),
    Fraction(f64),
}

impl NumericDate {
    /// The time of a claim; what is beyond all times never comes.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is positive, and a cast saturates"
    )]
    fn instant(self, claim: &'static str) -> Result<UnixNanos, AuthError> {
        match self {
            Self::Whole(seconds) => Ok(UnixNanos(seconds.saturating_mul(1_000_000_000))),
            Self::Fraction(seconds) if seconds >= 0.0 => Ok(UnixNanos((seconds * 1e9) as u64)),
            Self::Fraction(_) => Err(AuthError::Claim(claim)),
        }
    }
}

/// One audience or several (RFC 7519, 4.1.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Keys {
    /// No keys yet; tokens must be of `issuer` and for `audience`.
    #[must_use]
    pub fn new(issuer: &str, audience: &str, lifetime_max: Option<Duration>) -> Self {
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Self { list: Vec::new(), issuer, audience, lifetime_max, ..Self::default() }
    }

    /// Adds a key: an HMAC secret as it is, or a public key in PEM form.
    ///
    /// # Errors
    /// The key is not of that kind, too short, or its id is taken.
    pub fn add(&mut self, id: Option<&str>, algorithm: Algorithm, key: &[u8]) -> Result<(), KeyError> {
        let refused = |_| KeyError::Format(algorithm);
        let decoding = match algorithm {
            Algorithm::Hs256 if key.len() < HMAC_BYTES_MIN => return Err(KeyError::Short),
            Algorithm::Hs256 => DecodingKey::from_secret(key),
            Algorithm::Rs256 => DecodingKey::from_rsa_pem(key).map_err(refused)?,
            Algorithm::Es256 => DecodingKey::from_ec_pem(key).map_err(refused)?,
            Algorithm::EdDsa => DecodingKey::from_ed_pem(key).map_err(refused)?,
        };
        self.push(id, algorithm, decoding, key)
    }

    pub(super) fn push(
        &mut self,
        id: Option<&str>,
        algorithm: Algorithm,
        decoding: DecodingKey,
        material: &[u8],
    ) -> Result<(), KeyError> {
        if self.list.iter().any(|known| known.id.as_deref() == id) {
            return Err(KeyError::Twice);
        }
        self.list.push(Key { id: id.map(Into::into), algorithm, decoding, material: material.into() });
        Ok(())
    }

    /// Adds a fixed token.
    pub fn add_fixed(&mut self, fixed: Fixed) {
        self.fixed.push(fixed);
    }

    /// Somebody is not to be let in any more.
    pub fn revoke(&mut self, revocation: Revocation) {
        self.revoked.insert(revocation);
    }

    pub(super) fn is_revoked(&self, grant: &Grant) -> bool {
        let has = |revocation| self.revoked.contains(&revocation);
        !self.revoked.is_empty()
            && (has(Revocation::Subject(grant.subject.as_str().into()))
                || grant.token.is_some_and(|mark| has(Revocation::Token(mark))))
    }

    /// Keys and fixed tokens.
    pub(super) fn len(&self) -> usize {
        self.list.len() + self.fixed.len()
    }

    /// Keys alone.
    pub(super) const fn keys(&self) -> usize {
        self.list.len()
    }

    /// Whether a key, or a fixed token, is one of `others`, too.
    pub(super) fn is_same(&self, at: usize, others: &Self, other: usize) -> bool {
        match (self.list.get(at), others.list.get(other)) {
            (Some(one), Some(other)) => {
                one.id == other.id && one.algorithm == other.algorithm && one.material == other.material
            }
            (None, None) => self.fixed[at - self.list.len()] == others.fixed[other - others.list.len()],
            _ => false,
        }
    }

    /// Whether there is no key and no fixed token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of whom tokens must be.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// For whom they must be.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// How long a token may be valid, if that is bounded.
    #[must_use]
    pub const fn lifetime_max(&self) -> Option<Duration> {
        self.lifetime_max
    }

    /// What a token allows, at `now`. Pure: the clock is the caller's.
    ///
    /// # Errors
    /// Says why the token is no good.
    pub fn check(&self, token: &str, now: UnixNanos) -> Result<Grant, AuthError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AuthError::TooLong);
        }
        let grant = if token.starts_with(FIXED_PREFIX) {
            self.check_fixed(token, now)?
        } else {
            let header = jsonwebtoken::decode_header(token).map_err(|error| match error.kind() {
                ErrorKind::Json(_) => AuthError::Algorithm,
                _ => AuthError::Malformed,
            })?;
            if header.crit.is_some() {
                return Err(AuthError::Critical);
            }
            let (claims, key) = self.verify(token, &header)?;
            self.judge(claims, key, now)?
        };
        if self.is_revoked(&grant) { Err(AuthError::Revoked) } else { Ok(grant) }
    }

    fn check_fixed(&self, token: &str, now: UnixNanos) -> Result<Grant, AuthError> {
        let hash = Hash::of(token);
        // All of them are looked at, so that the time it takes says nothing.
        let known = (self.list.len()..).zip(&self.fixed).filter(|(_, fixed)| fixed.hash.is(&hash)).last();
        let (number, fixed) = known.ok_or(AuthError::UnknownKey)?;
        let ends_at = fixed.expires_at.unwrap_or(NEVER);
        if ends_at <= now {
            return Err(AuthError::Expired(ends_at));
        }
        Ok(Grant {
            subject: fixed.subject.clone(),
            tenant: fixed.tenant.clone(),
            scopes: self.shared(fixed.scopes.clone()),
            expires_at: ends_at,
            ends_at,
            token: None,
            key: u32::try_from(number).unwrap_or(u32::MAX),
        })
    }

    fn verify(&self, token: &str, header: &Header) -> Result<(Claims, u32), AuthError> {
        let keys: Vec<_> = match &header.kid {
            Some(id) if id.len() > KEY_ID_BYTES_MAX => return Err(AuthError::UnknownKey),
            Some(id) => self.numbered().filter(|(_, key)| key.id.as_deref() == Some(id)).collect(),
            None => self.numbered().filter(|(_, key)| key.algorithm.wire() == header.alg).collect(),
        };
        let mut error = if header.kid.is_some() { AuthError::UnknownKey } else { AuthError::Algorithm };
        for (number, key) in keys {
            if key.algorithm.wire() != header.alg {
                return Err(AuthError::Algorithm);
            }
            // Times are checked by `judge`, on the caller's clock.
            let mut validation = Validation::new(key.algorithm.wire());
            validation.validate_exp = false;
            validation.required_spec_claims = HashSet::new();
            validation.set_issuer(&[&self.issuer]);
            validation.set_audience(&[&self.audience]);
            match jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation) {
                Ok(data) => return Ok((data.claims, number)),
                Err(refused) => error = why(refused.kind()),
            }
        }
        Err(error)
    }

    /// What a token that is good calls itself, so that it can be revoked.
    #[must_use]
    pub fn token_id(&self, token: &str) -> Option<String> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let (claims, _) = self.verify(token, &header).ok()?;
        claims.jti.map(Into::into)
    }

    /// The same scopes as somebody else's lately, where somebody has the same: most have the same as many
    /// others, and a session keeps them for as long as it lives.
    fn shared(&self, scopes: Vec<Scope>) -> Arc<[Scope]> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = recent.iter().find(|known| ***known == *scopes) {
            return Arc::clone(same);
        }
        if recent.len() >= SCOPES_KEPT {
            recent.pop_front();
        }
        let scopes: Arc<[Scope]> = scopes.into();
        recent.push_back(Arc::clone(&scopes));
        scopes
    }

    fn numbered(&self) -> impl Iterator<Item = (u32, &Key)> {
        (0..).zip(&self.list)
    }

    fn judge(&self, claims: Claims, key: u32, now: UnixNanos) -> Result<Grant, AuthError> {
        let leeway = nanos(CLOCK_LEEWAY);
        let expires_at = claims.exp.instant("exp")?;
        if expires_at.0.saturating_add(leeway) <= now.0 {
            return Err(AuthError::Expired(expires_at));
        }
        let start = claims.nbf.map(|nbf| nbf.instant("nbf")).transpose()?;
        if let Some(start) = start.filter(|start| start.0 > now.0.saturating_add(leeway)) {
            return Err(AuthError::NotYet(start));
        }
        if self.lifetime_max.is_some_and(|max| expires_at.since(now) > nanos(max).saturating_add(leeway)) {
            return Err(AuthError::LongLived);
        }
        let scopes = claims.scopes.iter().map(|scope| Scope::parse(scope));
        let scopes = scopes.collect::<Result<Vec<_>, _>>().map_err(|_| AuthError::Claim("scopes"))?;
        let scopes = self.shared(scopes);
        let tenant = claims.tenant.map(|name| tenant(&name).ok_or(AuthError::Claim("tenant"))).transpose()?;
        let grace = if expires_at > now { 0 } else { leeway };
        let ends_at = UnixNanos(expires_at.0.saturating_add(grace));
        Ok(Grant {
            subject: claims.sub,
            tenant,
            scopes,
            expires_at,
            ends_at,
            token: claims.jti.as_deref().map(Mark::of),
            key,
        })
    }
}

impl Clone for Keys {
    fn clone(&self) -> Self {
        let Self { list, fixed, guests, issuer, audience, lifetime_max, revoked, recent: _ } = self;
        let (list, fixed, guests, revoked) = (list.clone(), fixed.clone(), guests.clone(), revoked.clone());
        let (issuer, audience, lifetime_max) = (issuer.clone(), audience.clone(), *lifetime_max);
        Self { list, fixed, guests, issuer, audience, lifetime_max, revoked, recent: Mutex::default() }
    }
}

/// The end of a fixed token that has none: the last second that a time can be written of.
const NEVER: UnixNanos = UnixNanos(18_446_744_073_000_000_000);
/// A secret must be as long as what it protects (RFC 7518, 3.2).
pub(super) const HMAC_BYTES_MIN: usize = 32;

fn why(kind: &ErrorKind) -> AuthError {
    match kind {
        ErrorKind::InvalidSignature => AuthError::Signature,
        ErrorKind::InvalidIssuer => AuthError::Issuer,
        ErrorKind::InvalidAudience => AuthError::Audience,
        ErrorKind::InvalidAlgorithm => AuthError::Algorithm,
        // The signature was good; what does not fit is a claim.
        ErrorKind::Json(error) => {
            let text = error.to_string();
            let named = ["sub", "iss", "aud", "exp", "nbf", "iat", "scopes", "jti", "tenant"];
            AuthError::Claim(named.into_iter().find(|name| text.contains(name)).unwrap_or("exp"))
        }
        _ => AuthError::Malformed,
    }
}

/// The name of the key of a token, where it has one that is looked up.
pub(super) fn key_id(token: &str) -> Option<Box<str>> {
    let is_none = token.len() > TOKEN_BYTES_MAX || token.starts_with(FIXED_PREFIX);
    let header = (!is_none).then(|| jsonwebtoken::decode_header(token).ok())??;
    header.kid.filter(|id| id.len() <= KEY_ID_BYTES_MAX).map(Into::into)
}

/// The name of a tenant, where it can be one: not empty, at most [`TENANT_BYTES_MAX`] bytes, nothing invisible.
#[must_use]
pub fn tenant(name: &str) -> Option<Box<str>> {
    let fits = (1..=TENANT_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    fits.then(|| name.into())
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key {:?}", self.algorithm, self.id)
    }
}
