//! Names of recordings: they come from clients, and become folders.

use crate::limits::NAME_MAX;

/// Why a text is no name of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a recording's name is 1 to {NAME_MAX} of a-z, 0-9, '.', '_' and '-', and begins with a letter or a digit"
)]
pub struct NameError;

/// The name of a recording: it can be a folder's and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

impl Name {
    /// The name that `text` is.
    ///
    /// # Errors
    /// It is none: too long, or with other letters.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let first = text.bytes().next().is_some_and(fits);
        let rest = text.bytes().all(|byte| fits(byte) || b"._-".contains(&byte));
        if first && rest && text.len() <= NAME_MAX { Ok(Self(text.into())) } else { Err(NameError) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leaves_no_folder() {
        for name in ["sim-2026-11-20", "a", "0", "b.c_d", &"x".repeat(NAME_MAX)] {
            assert_eq!(Name::parse(name).map(|name| name.as_str().to_owned()), Ok(name.to_owned()));
        }
        let long = "x".repeat(NAME_MAX + 1);
        for name in
            ["", ".", "..", "../a", "a/b", "/a", "a\\b", "a\0", "A", "%2e%2e", "-a", "ä", "a b", &long]
        {
            assert_eq!(Name::parse(name), Err(NameError), "{name:?}");
        }
    }
}
