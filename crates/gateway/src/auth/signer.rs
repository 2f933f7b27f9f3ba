//! Signing tokens, for tests, demonstrations and small installations.

use std::fmt;
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header};
use model::UnixNanos;

use super::algorithm::Algorithm;
use super::keys::{Audience, Claims, HMAC_BYTES_MIN, KeyError, Keys, NumericDate};

/// Signs tokens, for tests, demonstrations and small installations.
pub struct Signer {
    id: Option<String>,
    algorithm: Algorithm,
    encoding: EncodingKey,
    tenant: Option<String>,
}

impl Signer {
    /// A signer with an HMAC secret or a private key in PEM form.
    ///
    /// # Errors
    /// As [`Keys::add`].
    pub fn new(id: Option<&str>, algorithm: Algorithm, key: &[u8]) -> Result<Self, KeyError> {
        let refused = |_| KeyError::Format(algorithm);
        let encoding = match algorithm {
            Algorithm::Hs256 if key.len() < HMAC_BYTES_MIN => return Err(KeyError::Short),
            Algorithm::Hs256 => EncodingKey::from_secret(key),
            Algorithm::Rs256 => EncodingKey::from_rsa_pem(key).map_err(refused)?,
            Algorithm::Es256 => EncodingKey::from_ec_pem(key).map_err(refused)?,
            Algorithm::EdDsa => EncodingKey::from_ed_pem(key).map_err(refused)?,
        };
        Ok(Self { id: id.map(str::to_owned), algorithm, encoding, tenant: None })
    }

    /// The same, for subjects of a tenant.
    #[must_use]
    pub fn of_tenant(self, tenant: Option<String>) -> Self {
        Self { tenant, ..self }
    }

    /// A token for `subject`, from `now` for `lifetime`.
    ///
    /// # Errors
    /// [`KeyError::Signing`].
    pub fn sign(
        &self,
        keys: &Keys,
        subject: &str,
        scopes: &[String],
        now: UnixNanos,
        lifetime: Duration,
    ) -> Result<String, KeyError> {
        self.sign_for(keys, (subject, self.tenant.as_deref()), scopes, now, lifetime)
    }

    /// The same for a subject of any tenant.
    pub(super) fn sign_for(
        &self,
        keys: &Keys,
        (subject, tenant): (&str, Option<&str>),
        scopes: &[String],
        now: UnixNanos,
        lifetime: Duration,
    ) -> Result<String, KeyError> {
        let issued = now.0 / 1_000_000_000;
        let claims = Claims {
            sub: subject.to_owned(),
            iss: keys.issuer.clone(),
            aud: Audience::One(keys.audience.clone()),
            exp: NumericDate::Whole(issued.saturating_add(lifetime.as_secs())),
            nbf: None,
            iat: Some(NumericDate::Whole(issued)),
            scopes: scopes.to_vec(),
            tenant: tenant.map(str::to_owned),
            jti: Some(crate::secret::secret().map_err(|_| KeyError::Signing)?.into()),
        };
        let header = Header { kid: self.id.clone(), ..Header::new(self.algorithm.wire()) };
        jsonwebtoken::encode(&header, &claims, &self.encoding).map_err(|_| KeyError::Signing)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} signer {:?}", self.algorithm, self.id)
    }
}
