//! Instants: nanoseconds since the Unix epoch, and the texts that venues write for them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::date::{date_of, days_before, days_in};

/// Nanoseconds since the Unix epoch, UTC. For stamping ticks, never for timeouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnixNanos(pub u64);

/// Why a text is not an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not in the format that was asked for.
    #[error("not an instant")]
    Malformed,
    /// Before 1970 or after 2554, or finer than a nanosecond.
    #[error("outside what nanoseconds since 1970 can say")]
    OutOfRange,
}

const NANOS: u64 = 1_000_000_000;
const DAY_SECONDS: u64 = 86_400;

impl UnixNanos {
    /// From whole milliseconds since the epoch.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] after the year 2554.
    pub const fn from_millis(millis: u64) -> Result<Self, TimeError> {
        match millis.checked_mul(1_000_000) {
            Some(nanos) => Ok(Self(nanos)),
            None => Err(TimeError::OutOfRange),
        }
    }

    /// From seconds since the epoch, written as a decimal number (`1618678132.358447`), exactly.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] for more than nine decimals that are not zero.
    pub fn from_decimal_seconds(text: &str) -> Result<Self, TimeError> {
        let point = text.bytes().position(|byte| byte == b'.');
        let (whole, fraction) = text.as_bytes().split_at(point.unwrap_or(text.len()));
        let nanos = fraction.split_first().map_or(Ok(0), |(_, fraction)| fraction_nanos(fraction))?;
        Self::from_parts(digits(whole)?, nanos)
    }

    /// From RFC 3339 (`2026-08-09T21:05:48.228568804Z`, offsets `+01:00` too), up to nine decimals.
    ///
    /// # Errors
    /// What is not of that form, or before 1970. A leap second (`:60`) counts as the second after.
    pub fn from_rfc3339(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        let (head, rest) = bytes.split_first_chunk::<19>().ok_or(TimeError::Malformed)?;
        let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if marks.iter().any(|&(at, mark)| head[at] != mark) || !matches!(head[10], b'T' | b't' | b' ') {
            return Err(TimeError::Malformed);
        }
        let (year, month, day) = (digits(&head[..4])?, digits(&head[5..7])?, digits(&head[8..10])?);
        let (hour, minute, second) = (digits(&head[11..13])?, digits(&head[14..16])?, digits(&head[17..])?);
        if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
            return Err(TimeError::Malformed);
        }
        if hour > 23 || minute > 59 || second > 60 {
            return Err(TimeError::Malformed);
        }
        let is_zone = |byte: &u8| matches!(byte, b'Z' | b'z' | b'+' | b'-');
        let zone_at = rest.iter().position(is_zone).ok_or(TimeError::Malformed)?;
        let (fraction, zone) = rest.split_at(zone_at);
        let nanos = match fraction.split_first() {
            Some((b'.', digits)) => fraction_nanos(digits)?,
            None => 0,
            Some(_) => return Err(TimeError::Malformed),
        };
        let days = days_before(year, month, day).ok_or(TimeError::OutOfRange)?;
        let local = days * DAY_SECONDS + hour * 3_600 + minute * 60 + second;
        let seconds = local.checked_add_signed(-zone_seconds(zone)?).ok_or(TimeError::OutOfRange)?;
        Self::from_parts(seconds, nanos)
    }

    fn from_parts(seconds: u64, nanos: u64) -> Result<Self, TimeError> {
        let whole = seconds.checked_mul(NANOS).ok_or(TimeError::OutOfRange)?;
        whole.checked_add(nanos).map(Self).ok_or(TimeError::OutOfRange)
    }

    /// RFC 3339 with nine decimals and `Z`: always 30 bytes, `2026-11-20T14:30:00.000120000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> [u8; 30] {
        let (days, second) = (self.0 / NANOS / DAY_SECONDS, self.0 / NANOS % DAY_SECONDS);
        let (year, month, day) = date_of(days);
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        for (at, width, value) in [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, second / 3_600),
            (14, 2, second / 60 % 60),
            (17, 2, second % 60),
            (20, 9, self.0 % NANOS),
        ] {
            let mut value = value;
            for digit in text[at..at + width].iter_mut().rev() {
                *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
                value /= 10;
            }
        }
        text
    }

    /// Nanoseconds from `earlier` to this; 0 where this is not later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// So many nanoseconds later; no later than the last time there is.
    #[must_use]
    pub const fn later(self, nanos: u64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
}

impl fmt::Display for UnixNanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.to_rfc3339()).unwrap_or_default())
    }
}

/// A whole number.
fn digits(text: &[u8]) -> Result<u64, TimeError> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(TimeError::Malformed);
    }
    let add = |value: u64, digit: &u8| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    text.iter().try_fold(0, add).ok_or(TimeError::OutOfRange)
}

/// Nanoseconds of the digits behind a decimal point; digits behind the ninth must be zero.
fn fraction_nanos(text: &[u8]) -> Result<u64, TimeError> {
    let (kept, rest) = text.split_at(text.len().min(9));
    let nanos = digits(kept)?;
    if !rest.iter().all(u8::is_ascii_digit) {
        return Err(TimeError::Malformed);
    }
    if rest.iter().any(|&byte| byte != b'0') {
        return Err(TimeError::OutOfRange);
    }
    let missing = 9 - u32::try_from(kept.len()).unwrap_or(9);
    Ok(nanos * 10_u64.pow(missing))
}

fn zone_seconds(zone: &[u8]) -> Result<i64, TimeError> {
    let (sign, hour, minute) = match zone {
        [b'Z' | b'z'] => return Ok(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => (sign, digits(&[*h1, *h2])?, digits(&[*m1, *m2])?),
        _ => return Err(TimeError::Malformed),
    };
    if hour > 23 || minute > 59 {
        return Err(TimeError::Malformed);
    }
    let seconds = i64::try_from(hour * 3_600 + minute * 60).unwrap_or(0);
    Ok(if *sign == b'-' { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rfc(text: &str) -> Result<String, TimeError> {
        UnixNanos::from_rfc3339(text).map(|at| at.to_string())
    }

    #[test]
    fn reads_what_venues_write() {
        for (text, shown) in [
            ("2026-08-09T21:05:48.228568804Z", "2026-08-09T21:05:48.228568804Z"),
            ("2026-08-09T21:05:38.50436Z", "2026-08-09T21:05:38.504360000Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000000Z"),
            ("2013-01-01T23:00:00.295+01:00", "2013-01-01T22:00:00.295000000Z"),
            ("1970-01-01T00:00:00z", "1970-01-01T00:00:00.000000000Z"),
        ] {
            assert_eq!(rfc(text), Ok(shown.to_owned()), "{text}");
        }
        assert_eq!(
            UnixNanos::from_decimal_seconds("1618678132.9348202"),
            Ok(UnixNanos(1_618_678_132_934_820_200))
        );
        assert_eq!(UnixNanos::from_millis(1_723_161_255_208), Ok(UnixNanos(1_723_161_255_208_000_000)));
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "2026-08-09",
            "2026-08-09T21:05:48",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "2026-01-0éT00:00:00Z",
        ] {
            assert_eq!(rfc(text), Err(TimeError::Malformed), "{text}");
        }
        assert_eq!(rfc("1969-12-31T23:59:59Z"), Err(TimeError::OutOfRange));
        assert_eq!(rfc("2600-01-01T00:00:00Z"), Err(TimeError::OutOfRange));
        assert_eq!(rfc("2026-01-01T00:00:00.0000000001Z"), Err(TimeError::OutOfRange));
        assert_eq!(UnixNanos::from_millis(u64::MAX), Err(TimeError::OutOfRange));
        assert_eq!(UnixNanos::from_decimal_seconds("-1.5"), Err(TimeError::Malformed));
    }

    proptest! {
        #[test]
        fn text_and_value_agree(nanos: u64) {
            let at = UnixNanos(nanos);
            prop_assert_eq!(UnixNanos::from_rfc3339(&at.to_string()), Ok(at));
        }
    }
}
