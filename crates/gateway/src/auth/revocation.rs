//! Who is not to be let in any more, whatever the token says.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU64;
use std::str::FromStr;

/// Who is not to be let in any more, whatever the token says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// `sub:NAME`: nobody with that subject.
    Subject(Box<str>),
    /// `jti:ID`: nobody with that token.
    Token(Mark),
}

/// What a session keeps of its token's name: 64 bits, where there may be thousands of sessions. That two
/// names have the same is a matter of 2^64 tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark(NonZeroU64);

impl Mark {
    /// The mark of a name.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        Self(NonZeroU64::new(hasher.finish()).unwrap_or(NonZeroU64::MAX))
    }
}

/// Not of that form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a revocation is sub:NAME or jti:ID")]
pub struct RevocationError;

impl FromStr for Revocation {
    type Err = RevocationError;

    fn from_str(text: &str) -> Result<Self, RevocationError> {
        match text.split_once(':') {
            Some((_, "")) => Err(RevocationError),
            Some(("sub", name)) => Ok(Self::Subject(name.into())),
            Some(("jti", id)) => Ok(Self::Token(Mark::of(id))),
            _ => Err(RevocationError),
        }
    }
}
