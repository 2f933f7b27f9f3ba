//! Keys as identity providers publish them: a JSON Web Key Set (RFC 7517).

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};

use super::algorithm::Algorithm;
use super::keys::{KeyError, Keys};
use crate::limits::JWKS_KEYS_MAX;

/// Why a set of keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// It is none.
    #[error("not a JSON Web Key Set: {0}")]
    Format(#[from] serde_json::Error),
    /// It has too many keys.
    #[error("more than {JWKS_KEYS_MAX} keys")]
    Many,
    /// One of its keys cannot be used.
    #[error("key {id:?}: {error}")]
    Key {
        /// Its `kid`.
        id: String,
        /// Why.
        error: KeyError,
    },
    /// None of its keys is of a kind that is known here.
    #[error("it has no key for RS256, ES256 or EdDSA signatures")]
    None,
}

impl Keys {
    /// Adds the keys of a set that are for signatures of a kind that is known here. Secrets (`oct`) are none: a set
    /// is public.
    ///
    /// # Errors
    /// It is no set, or one of its keys is broken, or has no id or a taken one.
    pub fn add_jwks(&mut self, text: &str) -> Result<usize, JwksError> {
        let set: JwkSet = serde_json::from_str(text)?;
        if set.keys.len() > JWKS_KEYS_MAX {
            return Err(JwksError::Many);
        }
        let mut added = 0;
        for key in &set.keys {
            let Some(algorithm) = algorithm(key) else { continue };
            let id = key.common.key_id.as_deref();
            let refused = |error| JwksError::Key { id: id.unwrap_or_default().to_owned(), error };
            let decoding = DecodingKey::from_jwk(key).map_err(|_| refused(KeyError::Format(algorithm)))?;
            let material = serde_json::to_vec(&key.algorithm)?;
            self.push(Some(id.ok_or_else(|| refused(KeyError::Nameless))?), algorithm, decoding, &material)
                .map_err(refused)?;
            added += 1;
        }
        if added == 0 { Err(JwksError::None) } else { Ok(added) }
    }
}

/// What a key signs with, where it signs and that is known here.
fn algorithm(key: &Jwk) -> Option<Algorithm> {
    if key.common.public_key_use.as_ref().is_some_and(|wanted| *wanted != PublicKeyUse::Signature) {
        return None;
    }
    let by_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::Rs256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::Es256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDsa,
        _ => return None,
    };
    // A key may say more closely what it is for, as RS512.
    let named = key.common.key_algorithm.is_none_or(|named| named.to_string() == by_kind.to_string());
    named.then_some(by_kind)
}
