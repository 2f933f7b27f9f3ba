//! How fast a recording is played.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How fast a recording is played: a factor in thousandths, or as fast as it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(Option<u64>);

/// Why a text is not a [`Speed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a speed is a factor from 0.001 to 1000 (\"1\", \"10x\", \"0.5x\") or \"max\"")]
pub struct SpeedError;

impl Speed {
    /// As it was.
    pub const REAL: Self = Self(Some(1_000));
    /// As fast as it is taken.
    pub const MAX: Self = Self(None);

    /// How long `recorded` nanoseconds take to play.
    #[must_use]
    pub fn played(self, recorded: u64) -> Duration {
        let nanos = self.0.map_or(0, |factor| u128::from(recorded) * 1_000 / u128::from(factor));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many nanoseconds of it are played in `real`.
    #[must_use]
    pub fn recorded(self, real: Duration) -> u64 {
        let nanos = self.0.map_or(0, |factor| real.as_nanos() * u128::from(factor) / 1_000);
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

impl Speed {
    /// The factor in thousandths; `None` = as fast as it is taken.
    #[must_use]
    pub const fn thousandths(self) -> Option<u64> {
        self.0
    }
}

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Self, SpeedError> {
        if text == "max" {
            return Ok(Self::MAX);
        }
        let number = crate::decimal::parse(text.strip_suffix('x').unwrap_or(text)).map_err(|_| SpeedError)?;
        let thousandths =
            crate::decimal::mul(number, 1_000.into()).map(|d| d.normalize()).ok_or(SpeedError)?;
        let factor = u64::try_from(thousandths).map_err(|_| SpeedError)?;
        let whole = thousandths.scale() == 0 && (1..=1_000_000).contains(&factor);
        if whole { Ok(Self(Some(factor))) } else { Err(SpeedError) }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(factor) => write!(f, "{}x", rust_decimal::Decimal::new(factor.cast_signed(), 3).normalize()),
            None => f.write_str("max"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds() {
        for (text, shown) in
            [("1", "1x"), ("10x", "10x"), ("0.5x", "0.5x"), ("1000", "1000x"), ("max", "max")]
        {
            assert_eq!(text.parse::<Speed>().map(|speed| speed.to_string()), Ok(shown.to_owned()));
        }
        for text in ["", "0", "-1", "1001", "0.0001", "fast", "1e308", "NaN"] {
            assert_eq!(text.parse::<Speed>(), Err(SpeedError), "{text}");
        }
        assert_eq!("10x".parse::<Speed>().unwrap().played(1_000_000_000), Duration::from_millis(100));
        assert_eq!(Speed::MAX.played(u64::MAX), Duration::ZERO);
    }
}
