//! Time zones: what a clock on the wall showed, as an instant.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use model::TimeError;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

const HOUR: i64 = 3_600;
const MINUTE: i64 = 60;
/// The clocks of no place are further from UTC.
const OFFSET_MAX: i64 = 26 * HOUR;

/// A time zone: one of the IANA database, or a fixed offset from UTC.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    name: Box<str>,
    rules: Rules,
    /// The minute on the wall that was asked for last, counted as if it were UTC's, and how far it is ahead
    /// of UTC in seconds: rows stand in the order of their times, and clocks change on whole minutes.
    last: (i64, i64),
}

#[derive(Clone, Debug)]
enum Rules {
    Fixed(i64),
    Iana(TimeZone),
}

impl Zone {
    pub(super) fn utc() -> Self {
        Self { name: "UTC".into(), rules: Rules::Fixed(0), last: (i64::MIN, 0) }
    }

    /// `America/New_York`, `UTC`, `UTC-5`, `+05:30`.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let rules = match fixed(name) {
            Some(seconds) => Rules::Fixed(seconds),
            None => Rules::Iana(TimeZone::get(name).ok()?),
        };
        Some(Self { name: name.into(), rules, last: (i64::MIN, 0) })
    }

    /// Seconds since the epoch of what the clock on the wall showed, given as if it were UTC's.
    ///
    /// Of a time that the clock showed twice the first one counts, and of one that it leapt over the one
    /// as long after midnight, as RFC 5545 has it.
    pub(super) fn utc_of(&mut self, wall: i64) -> Result<i64, TimeError> {
        let ahead = match &self.rules {
            Rules::Fixed(ahead) => *ahead,
            Rules::Iana(zone) => {
                let minute = wall.div_euclid(MINUTE);
                if self.last.0 != minute {
                    self.last = (minute, ahead(zone, minute * MINUTE)?);
                }
                self.last.1
            }
        };
        Ok(wall - ahead)
    }
}

fn ahead(zone: &TimeZone, wall: i64) -> Result<i64, TimeError> {
    let wall = Timestamp::from_second(wall).map_err(|_| TimeError::OutOfRange)?;
    let shown = Offset::UTC.to_datetime(wall);
    let offset = match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
    };
    Ok(offset.seconds().into())
}

/// Seconds ahead of UTC: `UTC`, `UTC-5`, `UTC+05:30`, `-05:00`, `Z`.
fn fixed(name: &str) -> Option<i64> {
    let rest = ["UTC", "GMT", "Z"].iter().find_map(|utc| name.strip_prefix(utc)).unwrap_or(name);
    if rest.is_empty() {
        return (!name.is_empty()).then_some(0);
    }
    let (sign, rest) = match rest.as_bytes()[0] {
        b'+' => (1, &rest[1..]),
        b'-' => (-1, &rest[1..]),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if rest.len() == 4 => rest.split_at(2),
        None => (rest, "0"),
    };
    let number = |text: &str| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| digits)
    };
    let seconds = number(hours)? * HOUR + number(minutes).filter(|&minutes| minutes < 60)? * MINUTE;
    (seconds <= OFFSET_MAX).then_some(sign * seconds)
}

/// What was asked for last is not what a zone is.
impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Box::<str>::deserialize(deserializer)?;
        let unknown =
            || format!("no time zone {name:?}; write \"America/New_York\", \"UTC\", \"UTC-5\" or \"+05:30\"");
        Self::parse(&name).ok_or_else(|| D::Error::custom(unknown()))
    }
}

#[cfg(test)]
mod tests {
    use model::UnixNanos;

    use super::*;

    fn utc(zone: &str, wall: &str) -> String {
        let seconds =
            |text: &str| i64::try_from(UnixNanos::from_rfc3339(text).unwrap().0 / 1_000_000_000).unwrap();
        let seconds = Zone::parse(zone).unwrap().utc_of(seconds(&format!("{wall}Z"))).unwrap();
        UnixNanos(u64::try_from(seconds).unwrap() * 1_000_000_000).to_string()[..19].to_owned()
    }

    #[test]
    fn clocks_on_the_wall() {
        for (zone, wall, instant) in [
            ("America/New_York", "2012-06-21T09:30:00", "2012-06-21T13:30:00"),
            ("America/New_York", "2013-12-09T09:30:00", "2013-12-09T14:30:00"),
            // The night in which the clock leaps from two to three, and the one in which it goes back.
            ("America/New_York", "2024-03-10T01:59:59", "2024-03-10T06:59:59"),
            ("America/New_York", "2024-03-10T02:30:00", "2024-03-10T07:30:00"),
            ("America/New_York", "2024-03-10T03:00:00", "2024-03-10T07:00:00"),
            ("America/New_York", "2024-11-03T00:59:59", "2024-11-03T04:59:59"),
            ("America/New_York", "2024-11-03T01:30:00", "2024-11-03T05:30:00"),
            ("America/New_York", "2024-11-03T02:00:00", "2024-11-03T07:00:00"),
            ("Europe/London", "2024-07-01T08:00:00", "2024-07-01T07:00:00"),
            ("Asia/Kolkata", "2024-07-01T09:15:00", "2024-07-01T03:45:00"),
            // Clocks that changed a minute after midnight.
            ("America/St_Johns", "2010-03-14T00:00:30", "2010-03-14T03:30:30"),
            ("America/St_Johns", "2010-03-14T01:01:00", "2010-03-14T03:31:00"),
            ("Etc/GMT+5", "2014-05-07T00:00:01", "2014-05-07T05:00:01"),
            ("UTC-5", "2014-05-07T00:00:01", "2014-05-07T05:00:01"),
            ("+05:30", "2014-05-07T06:00:00", "2014-05-07T00:30:00"),
            ("UTC", "2014-05-07T00:00:01", "2014-05-07T00:00:01"),
            ("GMT+0100", "2014-05-07T01:00:01", "2014-05-07T00:00:01"),
        ] {
            assert_eq!(utc(zone, wall), instant, "{zone} {wall}");
        }
    }

    #[test]
    fn unknown_zones() {
        for name in ["", "New_York", "UTC-", "UTC-99", "+5:300", "+05:60", "america"] {
            assert_eq!(Zone::parse(name), None, "{name}");
        }
    }
}
