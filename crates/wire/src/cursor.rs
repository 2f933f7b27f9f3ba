//! Cursors: where a session stands in the node's total order.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// One life of a node's total order; changes when a node starts without its past.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(Arc<str>);

/// A position within an epoch. Opaque to clients: `k3f9:918230`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The life of the total order this belongs to.
    pub epoch: Epoch,
    /// Everything up to and with this position was handled.
    pub position: u64,
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct CursorError;

impl Epoch {
    const BYTES_MAX: usize = 16;

    /// An epoch that differs for differing seeds (a start time, say): base 36.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut rest = seed;
        let mut text = Vec::new();
        while rest > 0 || text.is_empty() {
            text.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(rest % 36).unwrap_or(0)]);
            rest /= 36;
        }
        text.reverse();
        Self(String::from_utf8_lossy(&text).into())
    }

    /// What stands for it in the cursors of a replay: its name.
    #[must_use]
    pub fn of_replay(name: &str) -> Self {
        Self(name.into())
    }

    /// The epoch as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch.0, self.position)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (epoch, position) = text.split_once(':').ok_or(CursorError)?;
        let fits = (1..=Epoch::BYTES_MAX).contains(&epoch.len())
            && epoch.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !fits || position.starts_with('+') {
            return Err(CursorError);
        }
        let position = position.parse().map_err(|_| CursorError)?;
        Ok(Self { epoch: Epoch(epoch.into()), position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let cursor = Cursor { epoch: Epoch::from_seed(1_795_000_000), position: 918_230 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert_eq!(Epoch::from_seed(0).as_str(), "0");
        for text in [
            "",
            ":",
            "k3f9",
            "k3f9:",
            "k3f9:-1",
            "k3f9:+1",
            "K3F9:1",
            "k3f9:1:2",
            "k3f9:99999999999999999999",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
