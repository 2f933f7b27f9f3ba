//! The day that times of day count from.

use std::path::Path;

use model::{Date, UnixNanos};

const HALF_A_DAY: u64 = 43_200_000_000_000;

/// Midnight in New York, of the day that is read.
#[derive(Clone, Copy, Default)]
pub(super) struct Day {
    midnight: UnixNanos,
    /// Until when a time of receipt is of that day.
    until: UnixNanos,
    /// Times of receipt say nothing of the day.
    given: bool,
}

impl Day {
    /// A day that was given: whatever a time of receipt says, such as that of a replay.
    pub(super) fn given(date: Date) -> Self {
        Self { given: true, ..Self::until_received(date) }
    }

    /// The day of what has no time of receipt, as long as nothing has one.
    pub(super) fn until_received(date: Date) -> Self {
        Self { midnight: date.midnight_new_york(), until: UnixNanos(0), given: false }
    }

    /// Whether there is a day for what was received at a time.
    pub(super) fn is_known(&self, recv: Option<UnixNanos>) -> bool {
        recv.is_some() || self.midnight.0 > 0
    }

    /// What was received at a time is of the day that it was in New York then.
    #[inline]
    pub(super) fn receive(&mut self, at: UnixNanos) {
        if (at < self.midnight || at >= self.until) && !self.given {
            let date = Date::new_york(at);
            self.midnight = date.midnight_new_york();
            // The next day begins within 26 hours, whatever the clocks do.
            let next = Date::new_york(self.midnight.later(26 * 3_600_000_000_000));
            self.until = next.midnight_new_york();
        }
    }

    /// The instant of a time of day in a message that was received at `recv`.
    #[inline]
    pub(super) fn instant(&self, nanos: u64, recv: Option<UnixNanos>) -> UnixNanos {
        let at = self.midnight.later(nanos);
        match recv {
            // Received just after midnight, and from just before it.
            Some(recv) if at > recv.later(HALF_A_DAY) && !self.given => {
                let before = Date::new_york(UnixNanos(self.midnight.0.saturating_sub(1)));
                before.midnight_new_york().later(nanos)
            }
            _ => at,
        }
    }
}

/// The day that a file's name says: `01302020.NASDAQ_ITCH50`, `S013020-v50.txt`, `013020.NASDAQ_ITCH50`,
/// `20200130.NASDAQ_ITCH50`, `itch_2020-01-30.bin`.
pub(super) fn named(path: &Path) -> Option<Date> {
    let name = path.file_name()?.to_str()?;
    let together = name.split(|c: char| !c.is_ascii_digit()).find_map(|digits| match digits.len() {
        8 => Date::parse(&[&digits[4..], &digits[..4]].concat()).or_else(|_| Date::parse(digits)).ok(),
        6 if is_short(name, digits) => Date::parse(&["20", &digits[4..], &digits[..4]].concat()).ok(),
        _ => None,
    });
    together.or_else(|| apart(name))
}

/// Whether six digits of a name are a day: only names as the exchange gives them have days of six.
fn is_short(name: &str, digits: &str) -> bool {
    name.starts_with(['S', 's']) || name.starts_with(digits) && name.to_ascii_lowercase().contains("itch")
}

/// A day whose parts stand apart, the year first or last.
fn apart(name: &str) -> Option<Date> {
    let parts: Vec<&str> = name.split(['-', '_', '.']).collect();
    parts.windows(3).find_map(|three| {
        let &[first, second, third] = three else { return None };
        let ordered = match [first, second, third].map(str::len) {
            [4, 2, 2] => [first, second, third],
            [2, 2, 4] => [third, first, second],
            _ => return None,
        };
        Date::parse(&ordered.concat()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_days() {
        for (name, wanted) in [
            ("01302020.NASDAQ_ITCH50", Some("2020-01-30")),
            ("12302019.NASDAQ_ITCH50.gz", Some("2019-12-30")),
            ("20190730.PSX_ITCH_50.gz", Some("2019-07-30")),
            ("S081321-v50.txt.gz", Some("2021-08-13")),
            ("123019.NASDAQ_ITCH50", Some("2019-12-30")),
            ("nasdaq-itch50-20191230-v2.bin", Some("2019-12-30")),
            ("itch_2019-12-30.bin", Some("2019-12-30")),
            ("2019_12_30.itch", Some("2019-12-30")),
            ("itch.2019.12.30.gz", Some("2019-12-30")),
            ("12-30-2019-v50.bin", Some("2019-12-30")),
            ("123019.bin", None),
            ("itch-2.bin", None),
            ("itch-2019-13-30.bin", None),
            ("99999999.NASDAQ_ITCH50", None),
        ] {
            assert_eq!(named(Path::new(name)).map(|date| date.to_string()).as_deref(), wanted, "{name}");
        }
    }

    #[test]
    fn times_of_day_become_instants() {
        let at = |text: &str| UnixNanos::from_rfc3339(text).unwrap();
        let nine_thirty = 34_200_000_000_001;
        let mut day = Day::default();
        for (recv, wanted) in [
            ("2023-08-22T13:30:00.1Z", "2023-08-22T13:30:00.000000001Z"),
            ("2023-08-22T20:30:00Z", "2023-08-22T13:30:00.000000001Z"),
            ("2024-03-08T15:00:00Z", "2024-03-08T14:30:00.000000001Z"),
            ("2024-03-11T15:00:00Z", "2024-03-11T13:30:00.000000001Z"),
            ("2024-11-04T15:00:00Z", "2024-11-04T14:30:00.000000001Z"),
            ("2024-11-01T15:00:00Z", "2024-11-01T13:30:00.000000001Z"),
        ] {
            day.receive(at(recv));
            assert_eq!(day.instant(nine_thirty, Some(at(recv))), at(wanted), "{recv}");
        }
        assert!(day.is_known(None) && !Day::default().is_known(None));
        // Sent before midnight, received after it.
        let recv = at("2024-01-03T05:00:00.000000100Z");
        day.receive(recv);
        assert_eq!(day.instant(86_399_999_999_999, Some(recv)), at("2024-01-03T04:59:59.999999999Z"));
        assert_eq!(Day::given(Date::parse("20200130").unwrap()).instant(0, None), at("2020-01-30T05:00:00Z"));
    }
}
