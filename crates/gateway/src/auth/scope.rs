//! What a token allows.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fanout::Depth;
use model::{Channel, Pattern, PatternError, Symbol, UnixNanos};
use wire::{CONFLATE_MS_MAX, DEPTHS};

use super::revocation::Mark;
use crate::delay::Delays;
use crate::limits::DELAY_MAX;

const DELAY_MS_MAX: u128 = DELAY_MAX.as_millis();

/// One thing that a token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `stream:PATTERN` or `stream:PATTERN/CHANNEL`, and `?BOUND&BOUND`: the streams of these symbols.
    Stream {
        /// The symbols.
        symbols: Pattern,
        /// Only this channel; `None` = all.
        channel: Option<Channel>,
        /// Within these bounds.
        bounds: Bounds,
    },
    /// Something that is not about streams (`replay`, `admin`), or not known here.
    Other(Box<str>),
}

/// How much of a stream may be had, and how soon: `depth=10` levels a side of a book, an update every
/// `conflate_ms=250` at most, all of it `delay_ms=900000` after it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Levels a side of a book.
    pub depth: Depth,
    /// The shortest time between two updates.
    pub conflate: Duration,
    /// How late it is had.
    pub delay: Duration,
}

/// Why a text is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// Its pattern is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// One of its bounds is none. What bounds nothing must not be taken for a bound.
    #[error(
        "{0:?} is no bound; depth=1, 5, 10, 20 or 50, conflate_ms=1 to {CONFLATE_MS_MAX} and delay_ms=1 to {DELAY_MS_MAX} are"
    )]
    Bound(String),
}

impl Default for Bounds {
    /// None.
    fn default() -> Self {
        Self { depth: Depth::All, conflate: Duration::ZERO, delay: Duration::ZERO }
    }
}

impl Bounds {
    fn parse(text: &str) -> Result<Self, ScopeError> {
        let mut bounds = Self::default();
        for bound in text.split('&') {
            let refused = || ScopeError::Bound(bound.to_owned());
            let (name, value) = bound.split_once('=').ok_or_else(refused)?;
            let millis = |most: Duration| {
                let millis = value.parse().ok().filter(|millis| *millis > 0).map(Duration::from_millis);
                millis.filter(|time| *time <= most).ok_or_else(refused)
            };
            match name {
                "depth" if bounds.depth == Depth::All => {
                    let levels = value.parse().ok().filter(|levels| *levels > 0 && DEPTHS.contains(levels));
                    bounds.depth = Depth::Top(levels.ok_or_else(refused)?);
                }
                "conflate_ms" if bounds.conflate.is_zero() => {
                    bounds.conflate = millis(Duration::from_millis(CONFLATE_MS_MAX))?;
                }
                "delay_ms" if bounds.delay.is_zero() => bounds.delay = millis(DELAY_MAX)?,
                _ => return Err(refused()),
            }
        }
        Ok(bounds)
    }

    /// What is had of what is wanted.
    #[must_use]
    pub fn narrow(self, wanted: Self) -> Self {
        Self {
            depth: shallower(self.depth, wanted.depth),
            conflate: self.conflate.max(wanted.conflate),
            delay: self.delay.max(wanted.delay),
        }
    }
}

fn shallower(one: Depth, other: Depth) -> Depth {
    if levels(one) <= levels(other) { one } else { other }
}

const fn levels(depth: Depth) -> usize {
    match depth {
        Depth::All => usize::MAX,
        Depth::Top(levels) => levels,
    }
}

impl Scope {
    /// Whether it is good for the admin port.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::Other(name) if &**name == "admin")
    }

    /// The scope of a text.
    ///
    /// # Errors
    /// A stream scope whose pattern is empty or too long, or one of whose bounds is none.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let Some(rest) = text.strip_prefix("stream:") else {
            return Ok(Self::Other(text.into()));
        };
        // No symbol has a question mark.
        let (rest, bounds) = match rest.split_once('?') {
            Some((rest, bounds)) => (rest, Bounds::parse(bounds)?),
            None => (rest, Bounds::default()),
        };
        // A slash may belong to a symbol: only the name of a channel behind it ends the pattern.
        let named = rest.rsplit_once('/').and_then(|(symbols, name)| Some((symbols, name.parse().ok()?)));
        let (symbols, channel) = named.map_or((rest, None), |(symbols, channel)| (symbols, Some(channel)));
        Ok(Self::Stream { symbols: Pattern::parse(symbols)?, channel, bounds })
    }

    /// Within which bounds a stream may be seen.
    fn bounds(&self, symbol: &Symbol, wanted: Channel) -> Option<Bounds> {
        match self {
            Self::Stream { symbols, channel, bounds } => {
                let covers = channel.is_none_or(|channel| channel == wanted) && symbols.matches(symbol);
                covers.then_some(*bounds)
            }
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream { symbols, channel, bounds } => {
                write!(f, "stream:{symbols}")?;
                if let Some(channel) = channel {
                    write!(f, "/{channel}")?;
                }
                let depth = match bounds.depth {
                    Depth::Top(levels) => levels as u128,
                    Depth::All => 0,
                };
                let (conflate, delay) = (bounds.conflate.as_millis(), bounds.delay.as_millis());
                let named = [("depth", depth), ("conflate_ms", conflate), ("delay_ms", delay)];
                let named = named.into_iter().filter(|(_, value)| *value > 0);
                for (sign, (name, value)) in ['?', '&', '&'].into_iter().zip(named) {
                    write!(f, "{sign}{name}={value}")?;
                }
                Ok(())
            }
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// What a good token gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose it is.
    pub subject: String,
    /// Whose that is, where the token says so: who shares the bounds of a tenant.
    pub tenant: Option<Box<str>>,
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

#[cfg(test)]
impl Grant {
    /// Somebody who may see nothing, for ever.
    pub(crate) fn for_tests(subject: &str) -> Self {
        let far = UnixNanos(u64::MAX);
        let (scopes, subject) = ([].into(), subject.to_owned());
        Self { subject, tenant: None, scopes, expires_at: far, ends_at: far, token: None, key: 0 }
    }
}

impl Grant {
    /// Whether it is good for the admin port.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.scopes.iter().any(Scope::is_admin)
    }

    /// Whether a stream may be seen, be it late.
    #[must_use]
    pub fn allows(&self, symbol: &Symbol, channel: Channel) -> bool {
        self.delay(symbol, channel).is_some()
    }

    /// How late a stream may be seen at the soonest.
    pub(crate) fn delay(&self, symbol: &Symbol, channel: Channel) -> Option<Duration> {
        self.scopes.iter().filter_map(|scope| scope.bounds(symbol, channel)).map(|bounds| bounds.delay).min()
    }

    /// Whether some streams are had in intervals only.
    pub(crate) fn conflates(&self) -> bool {
        let bounded =
            |scope: &Scope| matches!(scope, Scope::Stream { bounds, .. } if !bounds.conflate.is_zero());
        self.scopes.iter().any(bounded)
    }

    /// Whether recordings may be played and read.
    pub(crate) fn may_replay(&self) -> bool {
        self.scopes.iter().any(|scope| matches!(scope, Scope::Other(name) if &**name == "replay"))
    }

    /// Which twin of a symbol is had on a channel, of those that there are; 0 = the symbol itself.
    pub(crate) fn twin(&self, symbol: &Symbol, channel: Channel, delays: &Delays) -> Option<usize> {
        delays.twin(self.delay(symbol, channel)?)
    }

    /// How much of a stream is had by who wants that much: of the scopes that cover it the one that gives all of it,
    /// or the soonest, then the deepest and then the fastest. Bounds are not mixed: each scope is an offer of its
    /// own, as far as the server has its delay or a longer one.
    #[must_use]
    pub fn narrow(
        &self,
        symbol: &Symbol,
        channel: Channel,
        wanted: Bounds,
        delays: &Delays,
    ) -> Option<Bounds> {
        let offers = self.scopes.iter().filter_map(|scope| scope.bounds(symbol, channel));
        let had = offers.filter_map(|offer| {
            let delay = delays.of(delays.twin(offer.delay)?);
            Some(Bounds { delay, ..offer }.narrow(wanted))
        });
        had.max_by_key(|had| (Reverse(had.delay), levels(had.depth), Reverse(had.conflate)))
    }
}
