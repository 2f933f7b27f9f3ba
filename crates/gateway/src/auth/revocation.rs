//! Who is not to be let in any more, whatever the token says.

use std::str::FromStr;

/// Who is not to be let in any more, whatever the token says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// `sub:NAME`: nobody with that subject.
    Subject(Box<str>),
    /// `jti:ID`: nobody with that token.
    Token(Box<str>),
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
            Some(("jti", id)) => Ok(Self::Token(id.into())),
            _ => Err(RevocationError),
        }
    }
}
