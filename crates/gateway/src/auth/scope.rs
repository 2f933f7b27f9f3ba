//! What a token allows.

use std::fmt;
use std::sync::Arc;

use model::{Channel, Pattern, PatternError, Symbol, UnixNanos};

use super::revocation::Mark;

/// One thing that a token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `stream:PATTERN` or `stream:PATTERN/CHANNEL`: the streams of these symbols.
    Stream {
        /// The symbols.
        symbols: Pattern,
        /// Only this channel; `None` = all.
        channel: Option<Channel>,
    },
    /// Something that is not about streams (`replay`, `admin`), or not known here.
    Other(Box<str>),
}

impl Scope {
    /// The scope of a text.
    ///
    /// # Errors
    /// A stream scope whose pattern is empty or too long.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let Some(rest) = text.strip_prefix("stream:") else {
            return Ok(Self::Other(text.into()));
        };
        // A slash may belong to a symbol: only the name of a channel behind it ends the pattern.
        let named = rest.rsplit_once('/').and_then(|(symbols, name)| Some((symbols, name.parse().ok()?)));
        let (symbols, channel) = named.map_or((rest, None), |(symbols, channel)| (symbols, Some(channel)));
        Ok(Self::Stream { symbols: Pattern::parse(symbols)?, channel })
    }

    fn allows(&self, symbol: &Symbol, wanted: Channel) -> bool {
        match self {
            Self::Stream { symbols, channel } => {
                channel.is_none_or(|channel| channel == wanted) && symbols.matches(symbol)
            }
            Self::Other(_) => false,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream { symbols, channel: None } => write!(f, "stream:{symbols}"),
            Self::Stream { symbols, channel: Some(channel) } => write!(f, "stream:{symbols}/{channel}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// What a good token gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose it is.
    pub subject: String,
    /// What it allows.
    pub scopes: Arc<[Scope]>,
    /// When it ends.
    pub expires_at: UnixNanos,
    /// When a session that it opened ends: then, or a little later where it was let in with that much
    /// grace for differing clocks.
    pub ends_at: UnixNanos,
    /// What stands for the token's own name, where it has one.
    pub(crate) token: Option<Mark>,
    /// The number of the key that it was checked with.
    pub(crate) key: u32,
}

impl Grant {
    /// Whether it is good for the admin port.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.scopes.iter().any(|scope| matches!(scope, Scope::Other(name) if &**name == "admin"))
    }

    /// Whether a stream may be seen.
    #[must_use]
    pub fn allows(&self, symbol: &Symbol, channel: Channel) -> bool {
        self.scopes.iter().any(|scope| scope.allows(symbol, channel))
    }
}
