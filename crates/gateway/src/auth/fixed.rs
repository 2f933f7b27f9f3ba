//! Fixed tokens: random ones that an operator gave out, of which the server keeps only the hash.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::{constant_time, digest};
use model::UnixNanos;

use super::scope::Scope;
use crate::secret::secret;

/// What a fixed token begins with, so that it is known for one, also by those who look for leaked ones.
pub(super) const FIXED_PREFIX: &str = "tw_";

/// SHA-256 of a fixed token. The token has 128 random bits, so that a plain hash is as good as a slow one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

/// A fixed token: who has it, and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Of the token.
    pub hash: Hash,
    /// Whose it is.
    pub subject: String,
    /// Whose that is; see [`super::Grant::tenant`].
    pub tenant: Option<Box<str>>,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it ends; `None` = when it is taken out.
    pub expires_at: Option<UnixNanos>,
}

/// Not of that form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits, as `tickwire token fixed` prints them")]
pub struct HashError;

impl Hash {
    /// That of a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        let digest = digest::digest(&digest::SHA256, token.as_bytes());
        Self(digest.as_ref().try_into().unwrap_or_default())
    }

    /// Whether both are the same; takes as long as if they were not.
    pub(super) fn is(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

/// A new fixed token.
///
/// # Errors
/// The system has no random numbers to give.
pub fn fixed_token() -> Result<String, getrandom::Error> {
    Ok(format!("{FIXED_PREFIX}{}", secret()?))
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(HashError);
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let [high, low] = [pair[0], pair[1]].map(digit);
            *byte = high.ok_or(HashError)? << 4 | low.ok_or(HashError)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes() {
        // FIPS 180-2, B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Hash::of("abc").to_string(), abc);
        assert!(Hash::of("abc").is(&abc.to_uppercase().parse().unwrap()));
        assert!(!Hash::of("abd").is(&abc.parse().unwrap()));
        for broken in ["", "ba78", &abc[1..], &abc.replace('7', "g")] {
            assert_eq!(broken.parse::<Hash>(), Err(HashError), "{broken}");
        }
        let (one, other) = (fixed_token().unwrap(), fixed_token().unwrap());
        assert!(one != other && one.starts_with(FIXED_PREFIX) && one.len() == 35);
    }
}
