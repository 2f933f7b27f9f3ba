//! Days of the calendar, and when they begin in New York: exchanges count the time from there.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::{TimeError, UnixNanos};

const DAY_NANOS: u64 = 86_400_000_000_000;
const HOUR_NANOS: u64 = 3_600_000_000_000;
const WEEKDAYS: u64 = 7;
/// 1970-01-01 was a Thursday; weekdays are counted from Sunday.
const EPOCH_WEEKDAY: u64 = 4;

/// A day of the Gregorian calendar, 1970 to 2553.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Box<str>", into = "String")]
pub struct Date {
    /// Since 1970-01-01.
    days: u64,
}

impl Date {
    const LAST: Self = Self { days: 213_301 };

    /// From `2020-01-30` or `20200130`.
    ///
    /// # Errors
    /// What is no date, or before 1970 or after 2553.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        let (year, month, day) = match bytes {
            [y @ .., b'-', m1, m2, b'-', d1, d2] if y.len() == 4 => (y, [*m1, *m2], [*d1, *d2]),
            [y @ .., m1, m2, d1, d2] if y.len() == 4 => (y, [*m1, *m2], [*d1, *d2]),
            _ => return Err(TimeError::Malformed),
        };
        Self::new(digits(year)?, digits(&month)?, digits(&day)?)
    }

    /// The day of this year, month (1 to 12) and day of the month (from 1).
    ///
    /// # Errors
    /// There is no such day, or it is before 1970 or after 2553.
    pub fn new(year: u64, month: u64, day: u64) -> Result<Self, TimeError> {
        if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
            return Err(TimeError::Malformed);
        }
        let days = days_before(year, month, day).ok_or(TimeError::OutOfRange)?;
        if days > Self::LAST.days { Err(TimeError::OutOfRange) } else { Ok(Self { days }) }
    }

    /// The day it is in UTC at an instant.
    #[must_use]
    pub const fn utc(at: UnixNanos) -> Self {
        Self { days: at.0 / DAY_NANOS }
    }

    /// The day it is in New York at an instant.
    #[must_use]
    pub fn new_york(at: UnixNanos) -> Self {
        let utc = Self::utc(at);
        let before = Self { days: utc.days.saturating_sub(1) };
        if utc.midnight_new_york() <= at { utc } else { before }
    }

    /// When the day begins in UTC.
    #[must_use]
    pub const fn midnight(self) -> UnixNanos {
        UnixNanos(self.days * DAY_NANOS)
    }

    /// When the day begins in New York, by the rules of its daylight saving time since 1987.
    #[must_use]
    pub fn midnight_new_york(self) -> UnixNanos {
        // The clocks change at two: the day on which they do begins by the old time.
        let (year, ..) = date_of(self.days);
        let (from, to) = if year >= 2007 {
            (Self::sunday(year, 3, 8), Self::sunday(year, 11, 1))
        } else {
            (Self::sunday(year, 4, 1), Self::sunday(year, 10, 25))
        };
        let behind = if from < self && self <= to { 4 } else { 5 };
        UnixNanos(self.midnight().0 + behind * HOUR_NANOS)
    }

    /// The first Sunday that is not before a day of the month.
    fn sunday(year: u64, month: u64, day: u64) -> Self {
        let days = days_before(year, month, day).unwrap_or_default();
        let weekday = (days + EPOCH_WEEKDAY) % WEEKDAYS;
        Self { days: days + (WEEKDAYS - weekday) % WEEKDAYS }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of(self.days);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl TryFrom<Box<str>> for Date {
    type Error = TimeError;

    fn try_from(text: Box<str>) -> Result<Self, TimeError> {
        Self::parse(&text)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

fn digits(text: &[u8]) -> Result<u64, TimeError> {
    text.iter().try_fold(0, |number, byte| match byte {
        b'0'..=b'9' => Ok(number * 10 + u64::from(byte - b'0')),
        _ => Err(TimeError::Malformed),
    })
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

pub(crate) const fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the epoch to a date of the Gregorian calendar, or `None` before 1970.
pub(crate) fn days_before(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 {
        return None;
    }
    // Years counted from March, so that the leap day is the last of its year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (y / 400, y % 400);
    let day_of_year = (153 * m + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month and day of a day counted from the epoch: the inverse of [`days_before`].
pub(crate) const fn date_of(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = era * 400 + year_of_era + (month <= 2) as u64;
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_shown() {
        for (text, shown) in
            [("2020-01-30", "2020-01-30"), ("20240229", "2024-02-29"), ("19700101", "1970-01-01")]
        {
            assert_eq!(Date::parse(text).map(|date| date.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for text in ["", "2020-1-30", "20200230", "2020/01/30", "202001301", "2020013x", "2020-13-01"] {
            assert_eq!(Date::parse(text), Err(TimeError::Malformed), "{text}");
        }
        assert_eq!(Date::parse("19691231"), Err(TimeError::OutOfRange));
        assert_eq!(Date::parse("2553-12-31"), Ok(Date::LAST));
        assert_eq!(Date::parse("2554-01-01"), Err(TimeError::OutOfRange));
    }

    /// The instants at which days began, as the time zone database has them.
    #[test]
    fn days_begin_by_the_clocks_of_new_york() {
        for (day, begins) in [
            ("2020-01-30", "2020-01-30T05:00:00Z"),
            ("2019-07-01", "2019-07-01T04:00:00Z"),
            ("2024-03-10", "2024-03-10T05:00:00Z"),
            ("2024-03-11", "2024-03-11T04:00:00Z"),
            ("2024-11-03", "2024-11-03T04:00:00Z"),
            ("2024-11-04", "2024-11-04T05:00:00Z"),
            ("2007-03-11", "2007-03-11T05:00:00Z"),
            ("2007-03-12", "2007-03-12T04:00:00Z"),
            ("2006-04-02", "2006-04-02T05:00:00Z"),
            ("2006-04-03", "2006-04-03T04:00:00Z"),
            ("2006-10-29", "2006-10-29T04:00:00Z"),
            ("2006-10-30", "2006-10-30T05:00:00Z"),
        ] {
            let (day, begins) = (Date::parse(day).unwrap(), UnixNanos::from_rfc3339(begins).unwrap());
            assert_eq!(day.midnight_new_york(), begins, "{day}");
            assert_eq!(Date::new_york(begins), day);
            assert!(Date::new_york(UnixNanos(begins.0 - 1)) < day);
        }
    }
}
