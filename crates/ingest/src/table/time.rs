//! Times as files write them: numbers of some unit, texts, times of a day or an hour.

use model::{Date, TimeError, UnixNanos, decimal};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;

use super::row::CellFault;
use super::zone::Zone;

const NANOS: u64 = 1_000_000_000;
const DAY_NANOS: u64 = 86_400 * NANOS;
const HOUR_NANOS: u64 = 3_600 * NANOS;
/// So many digits fit into 64 bits whatever they are.
const CERTAIN_DIGITS: usize = 19;

/// What a number or a text of a time column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Unit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanos,
    /// A date and a time of day as text: ISO 8601 and its neighbours.
    #[serde(rename = "iso")]
    Iso,
    /// Since the epoch in the unit that its digits tell, or as text.
    #[serde(rename = "auto")]
    Auto,
}

/// What a time counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Since {
    /// 1970-01-01, UTC.
    #[default]
    Epoch,
    /// The beginning of the day, by the clock on the wall.
    Midnight,
    /// The beginning of the hour.
    Hour,
}

/// The order of year, month and day in a date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DateOrder {
    /// `2013-01-31`, `20130131`.
    #[default]
    Ymd,
    /// `01/31/2013`.
    Mdy,
    /// `31.01.2013`.
    Dmy,
}

impl Unit {
    const fn nanos(self) -> u64 {
        match self {
            Self::Seconds => NANOS,
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos | Self::Iso | Self::Auto => 1,
        }
    }
}

/// The instant of a number since the epoch.
pub(super) fn since_epoch(cell: &[u8], unit: Unit) -> Result<UnixNanos, CellFault> {
    span(cell, unit).map(UnixNanos)
}

/// The instant of a number since the beginning of a day or an hour, `begin` by the clock on the wall.
pub(super) fn since_begin(
    cell: &[u8],
    unit: Unit,
    since: Since,
    begin: UnixNanos,
    zone: &mut Zone,
) -> Result<UnixNanos, CellFault> {
    let nanos = span(cell, unit)?;
    let (length, name) = if since == Since::Hour { (HOUR_NANOS, "hour") } else { (DAY_NANOS, "day") };
    if nanos > length {
        return Err(CellFault::TooLate(name));
    }
    on_the_wall(begin.later(nanos), zone)
}

/// The instant at which the clock on the wall showed what UTC's shows at `wall`.
pub(super) fn on_the_wall(wall: UnixNanos, zone: &mut Zone) -> Result<UnixNanos, CellFault> {
    let (seconds, nanos) = (wall.0 / NANOS, wall.0 % NANOS);
    let seconds = zone.utc_of(seconds.cast_signed())?;
    let seconds = u64::try_from(seconds).map_err(|_| TimeError::OutOfRange)?;
    let whole = seconds.checked_mul(NANOS).ok_or(TimeError::OutOfRange)?;
    Ok(UnixNanos(whole.checked_add(nanos).ok_or(TimeError::OutOfRange)?))
}

/// The instant of a number whose unit its digits tell, or of a text.
pub(super) fn auto(cell: &[u8], zone: &mut Zone) -> Result<UnixNanos, CellFault> {
    if let Some(value) = plain(cell).filter(|_| cell.len() > DATE_DIGITS) {
        let nanos = value.checked_mul(unit_of(cell.len()).nanos()).ok_or(TimeError::OutOfRange)?;
        return Ok(UnixNanos(nanos));
    }
    if let Some(value) = scientific(cell) {
        let digits = value.trunc().normalize().to_string().len();
        return of_decimal(value, unit_of(digits)).map(UnixNanos);
    }
    let digits = cell.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if is_dotted(cell) {
        return iso(cell, DateOrder::Dmy, zone);
    }
    if digits <= DATE_DIGITS || cell.get(digits).is_some_and(|&byte| byte != b'.') {
        return iso(cell, DateOrder::Ymd, zone);
    }
    since_epoch(cell, unit_of(digits))
}

/// As many digits as a date has: fewer than a time has that is a number.
const DATE_DIGITS: usize = 8;

/// The unit of a number since the epoch: from 1973 to 5138 those of the units do not overlap.
const fn unit_of(digits: usize) -> Unit {
    match digits {
        ..=11 => Unit::Seconds,
        12..=14 => Unit::Millis,
        15..=17 => Unit::Micros,
        _ => Unit::Nanos,
    }
}

/// Nanoseconds of a plain number of units, exactly.
fn span(cell: &[u8], unit: Unit) -> Result<u64, CellFault> {
    if let Some(value) = plain(cell) {
        return Ok(value.checked_mul(unit.nanos()).ok_or(TimeError::OutOfRange)?);
    }
    if let Some(value) = scientific(cell) {
        return of_decimal(value, unit);
    }
    let (whole, fraction) = match cell.iter().position(|&byte| byte == b'.') {
        Some(at) => (&cell[..at], Some(&cell[at + 1..])),
        None => (cell, None),
    };
    let whole = number(whole)?.checked_mul(unit.nanos()).ok_or(TimeError::OutOfRange)?;
    let part = fraction.map_or(Ok(0), |digits| part(digits, unit.nanos()))?;
    Ok(whole.checked_add(part).ok_or(TimeError::OutOfRange)?)
}

/// The value of a number with an exponent, as spreadsheets and data frames write long ones.
fn scientific(cell: &[u8]) -> Option<Decimal> {
    let has_exponent = cell.iter().any(|byte| matches!(byte, b'e' | b'E'));
    if has_exponent { decimal::parse_bytes(cell).ok() } else { None }
}

fn of_decimal(value: Decimal, unit: Unit) -> Result<u64, CellFault> {
    let nanos = decimal::mul(value, unit.nanos().into()).filter(|nanos| nanos.fract().is_zero());
    Ok(nanos.and_then(|nanos| nanos.to_u64()).ok_or(TimeError::OutOfRange)?)
}

/// Nanoseconds of the digits behind the point; they must be whole.
fn part(digits: &[u8], unit: u64) -> Result<u64, TimeError> {
    let kept = digits.len() - digits.iter().rev().take_while(|&&byte| byte == b'0').count();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(TimeError::Malformed);
    }
    let (mut nanos, mut unit) = (0, unit);
    for digit in &digits[..kept] {
        if !unit.is_multiple_of(10) {
            return Err(TimeError::OutOfRange);
        }
        unit /= 10;
        nanos += u64::from(digit - b'0') * unit;
    }
    Ok(nanos)
}

fn number(digits: &[u8]) -> Result<u64, TimeError> {
    match plain(digits) {
        Some(value) => Ok(value),
        None if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) => Err(TimeError::Malformed),
        None => Err(TimeError::OutOfRange),
    }
}

/// The value of a few digits, and nothing else; `None` for anything that is not that.
fn plain(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > CERTAIN_DIGITS {
        return None;
    }
    let (chunks, rest) = digits.as_chunks::<8>();
    let mut value: u64 = 0;
    for chunk in chunks {
        value = value * 100_000_000 + eight(*chunk)?;
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

/// The value of eight digits: pairs of digits, then pairs of these, then of those, all of a kind at once.
const fn eight(digits: [u8; 8]) -> Option<u64> {
    const EACH: u64 = u64::MAX / 255;
    let bytes = u64::from_le_bytes(digits);
    let high = EACH * 0xf0;
    let are_digits = bytes & high == EACH * 0x30 && bytes.wrapping_add(EACH * 0x06) & high == EACH * 0x30;
    if !are_digits {
        return None;
    }
    let ones = bytes & (EACH * 0x0f);
    let pairs = ones.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000 << 32 | 1) >> 32)
}

/// The instant of a text: `2013-01-01 22:00:00.295+00:00`, `20090501 00:00:00.308`, `2020-01-01D00:00:01.123`,
/// `20120201 000003660`, `2013-01-01`. Without an offset it is what the clock on the wall showed.
pub(super) fn iso(cell: &[u8], order: DateOrder, zone: &mut Zone) -> Result<UnixNanos, CellFault> {
    let (date, rest) = leading_date(cell, order)?;
    let rest = match rest {
        [] => return on_the_wall(date.midnight(), zone),
        [b'T' | b't' | b' ' | b'D' | b'_' | b'-', rest @ ..] => rest.trim_ascii_start(),
        _ => return Err(TimeError::Malformed.into()),
    };
    let (of_day, rest) = clock(rest)?;
    let wall = date.midnight().later(of_day);
    match offset(rest)? {
        None => on_the_wall(wall, zone),
        Some(ahead) => {
            let nanos = wall.0.checked_add_signed(-ahead).ok_or(TimeError::OutOfRange)?;
            Ok(UnixNanos(nanos))
        }
    }
}

/// Whether a date has its day first, as points between its parts say (`04.02.2019`): slashes say nothing.
const fn is_dotted(cell: &[u8]) -> bool {
    matches!(cell, [_, _, b'.', _, _, b'.', _, _, _, _, ..])
}

/// The day of a text that is a date alone.
pub(super) fn date(cell: &[u8], order: DateOrder) -> Result<Date, CellFault> {
    let order = if is_dotted(cell) && order == DateOrder::Ymd { DateOrder::Dmy } else { order };
    match leading_date(cell, order)? {
        (date, []) => Ok(date),
        _ => Err(CellFault::Date),
    }
}

/// The date that a text begins with, with or without marks in it.
fn leading_date(cell: &[u8], order: DateOrder) -> Result<(Date, &[u8]), CellFault> {
    let is_mark = |byte: &u8| matches!(byte, b'-' | b'.' | b'/');
    let (year, first, second, rest) = match (order, cell) {
        (DateOrder::Ymd, [y1, y2, y3, y4, a, f1, f2, b, s1, s2, rest @ ..]) if is_mark(a) && is_mark(b) => {
            ([*y1, *y2, *y3, *y4], [*f1, *f2], [*s1, *s2], rest)
        }
        (DateOrder::Ymd, [y1, y2, y3, y4, f1, f2, s1, s2, rest @ ..]) => {
            ([*y1, *y2, *y3, *y4], [*f1, *f2], [*s1, *s2], rest)
        }
        (_, [f1, f2, a, s1, s2, b, y1, y2, y3, y4, rest @ ..]) if is_mark(a) && is_mark(b) => {
            ([*y1, *y2, *y3, *y4], [*f1, *f2], [*s1, *s2], rest)
        }
        _ => return Err(TimeError::Malformed.into()),
    };
    let (month, day) = if order == DateOrder::Dmy { (second, first) } else { (first, second) };
    Ok((Date::new(number(&year)?, number(&month)?, number(&day)?)?, rest))
}

/// Nanoseconds since midnight of the time of day that a text begins with.
pub(super) fn clock(text: &[u8]) -> Result<(u64, &[u8]), TimeError> {
    let (hour, minute, second, rest) = match text {
        [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] => ([*h1, *h2], [*m1, *m2], [*s1, *s2], rest),
        [h1, h2, b':', m1, m2, rest @ ..] => ([*h1, *h2], [*m1, *m2], *b"00", rest),
        [h1, h2, m1, m2, s1, s2, rest @ ..] => ([*h1, *h2], [*m1, *m2], [*s1, *s2], rest),
        _ => return Err(TimeError::Malformed),
    };
    let (hour, minute, second) = (number(&hour)?, number(&minute)?, number(&second)?);
    if hour > 23 || minute > 59 || second > 60 {
        return Err(TimeError::Malformed);
    }
    let rest = match rest {
        [b'.' | b',', rest @ ..] => rest,
        rest if rest.first().is_some_and(u8::is_ascii_digit) => rest,
        rest => return Ok(((hour * 3_600 + minute * 60 + second) * NANOS, rest)),
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let nanos = part(&rest[..digits], NANOS)?;
    Ok(((hour * 3_600 + minute * 60 + second) * NANOS + nanos, &rest[digits..]))
}

/// Nanoseconds ahead of UTC of the offset that a text ends with; `None` where it has none.
fn offset(text: &[u8]) -> Result<Option<i64>, TimeError> {
    let text = text.trim_ascii();
    let (sign, digits) = match text.strip_prefix(b"GMT").or_else(|| text.strip_prefix(b"UTC")).unwrap_or(text)
    {
        [] if text.is_empty() => return Ok(None),
        [] | b"Z" | b"z" => return Ok(Some(0)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return Err(TimeError::Malformed),
    };
    let (hours, minutes) = match digits {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => ([*h1, *h2], [*m1, *m2]),
        [h1, h2] => ([*h1, *h2], *b"00"),
        _ => return Err(TimeError::Malformed),
    };
    let (hours, minutes) = (number(&hours)?, number(&minutes)?);
    if hours > 23 || minutes > 59 {
        return Err(TimeError::Malformed);
    }
    Ok(Some(sign * ((hours * 3_600 + minutes * 60) * NANOS).cast_signed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(read: Result<UnixNanos, CellFault>) -> String {
        read.map_or_else(|fault| format!("{fault:?}"), |at| at.to_string())
    }

    #[test]
    fn numbers_of_every_unit() {
        for (cell, unit, wanted) in [
            ("1618678132.9348202", Unit::Seconds, "2021-04-17T16:48:52.934820200Z"),
            ("1618678132", Unit::Seconds, "2021-04-17T16:48:52.000000000Z"),
            ("1618678132934", Unit::Millis, "2021-04-17T16:48:52.934000000Z"),
            ("1618678132934.0", Unit::Millis, "2021-04-17T16:48:52.934000000Z"),
            ("1618678132934.1234", Unit::Millis, "2021-04-17T16:48:52.934123400Z"),
            ("1618678132934820", Unit::Micros, "2021-04-17T16:48:52.934820000Z"),
            ("1618678132934820201", Unit::Nanos, "2021-04-17T16:48:52.934820201Z"),
            ("1618678132934820201.5", Unit::Nanos, "Time(OutOfRange)"),
            ("1618678132.9348202011", Unit::Seconds, "Time(OutOfRange)"),
            ("99999999999", Unit::Seconds, "Time(OutOfRange)"),
            ("", Unit::Seconds, "Time(Malformed)"),
            ("1.", Unit::Seconds, "Time(Malformed)"),
            ("-1", Unit::Seconds, "Time(Malformed)"),
            ("1.618678132E9", Unit::Seconds, "2021-04-17T16:48:52.000000000Z"),
            ("1.618678132934e+12", Unit::Millis, "2021-04-17T16:48:52.934000000Z"),
            ("-1e9", Unit::Seconds, "Time(OutOfRange)"),
            ("1e", Unit::Seconds, "Time(Malformed)"),
        ] {
            assert_eq!(shown(since_epoch(cell.as_bytes(), unit)), wanted, "{cell}");
        }
    }

    #[test]
    fn digits_by_eights() {
        for text in [
            "0",
            "12345678",
            "123456789",
            "9999999999999999999",
            "00000000000000000001",
            "1609160400098821953",
        ] {
            let wanted = text.parse().ok().filter(|_| text.len() <= CERTAIN_DIGITS);
            assert_eq!(plain(text.as_bytes()), wanted, "{text}");
        }
        for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
            for at in 0..8 {
                let mut digits = *b"12345678";
                digits[at] = byte;
                assert_eq!(eight(digits), None, "{digits:?}");
            }
        }
    }

    #[test]
    fn texts() {
        for (cell, wanted) in [
            ("2013-01-01 22:00:00.295000+00:00", "2013-01-01T22:00:00.295000000Z"),
            ("2013-01-01T22:00:00Z", "2013-01-01T22:00:00.000000000Z"),
            ("2013-01-01 22:00:00+0100", "2013-01-01T21:00:00.000000000Z"),
            ("2013-01-01 22:00:00", "2013-01-02T03:00:00.000000000Z"),
            ("2013.01.01 22:00", "2013-01-02T03:00:00.000000000Z"),
            ("20090501 00:00:00.308", "2009-05-01T05:00:00.308000000Z"),
            ("20120201 000003660", "2012-02-01T05:00:03.660000000Z"),
            ("2020-01-01D00:00:01.123456789", "2020-01-01T05:00:01.123456789Z"),
            ("2013-01-01", "2013-01-01T05:00:00.000000000Z"),
            ("2013-01-01 24:00:00", "Time(Malformed)"),
            ("2013-02-29 22:00:00", "Time(Malformed)"),
            ("2013-01-01 22:00:00.1234567891", "Time(OutOfRange)"),
            ("2013-01-01 22:00:00 EST", "Time(Malformed)"),
            ("2013-01-01x22:00:00", "Time(Malformed)"),
            ("1969-12-31 00:00:00Z", "Time(OutOfRange)"),
            ("rubbish", "Time(Malformed)"),
        ] {
            let read = iso(cell.as_bytes(), DateOrder::Ymd, &mut Zone::parse("UTC-5").unwrap());
            assert_eq!(shown(read), wanted, "{cell}");
        }
        for (cell, order, wanted) in [
            ("01/31/2013 09:30:00", DateOrder::Mdy, "2013-01-31T09:30:00.000000000Z"),
            ("31.01.2013 09:30:00", DateOrder::Dmy, "2013-01-31T09:30:00.000000000Z"),
            ("31.01.2013 09:30:00", DateOrder::Mdy, "Time(Malformed)"),
            ("2013-01-31 09:30:00", DateOrder::Dmy, "Time(Malformed)"),
        ] {
            assert_eq!(shown(iso(cell.as_bytes(), order, &mut Zone::utc())), wanted, "{cell}");
        }
    }

    #[test]
    fn the_unit_is_told_by_the_digits() {
        for (cell, wanted) in [
            ("1735689600", "2025-01-01T00:00:00.000000000Z"),
            ("1735689600.5", "2025-01-01T00:00:00.500000000Z"),
            ("1735689600123", "2025-01-01T00:00:00.123000000Z"),
            ("1735689600123456", "2025-01-01T00:00:00.123456000Z"),
            ("1735689600123456789", "2025-01-01T00:00:00.123456789Z"),
            ("20250101", "2025-01-01T00:00:00.000000000Z"),
            ("20250101 00:00:01", "2025-01-01T00:00:01.000000000Z"),
            ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000000000Z"),
            ("2025.01.01 00:00", "2025-01-01T00:00:00.000000000Z"),
            ("", "Time(Malformed)"),
        ] {
            assert_eq!(shown(auto(cell.as_bytes(), &mut Zone::utc())), wanted, "{cell}");
        }
    }

    #[test]
    fn times_of_a_day_and_of_an_hour() {
        let day = Date::parse("2013-10-07").unwrap().midnight();
        let zone = &mut Zone::parse("America/New_York").unwrap();
        let read = |cell: &str, unit, since, zone: &mut Zone| {
            shown(since_begin(cell.as_bytes(), unit, since, day, zone))
        };
        assert_eq!(read("14400464", Unit::Millis, Since::Midnight, zone), "2013-10-07T08:00:00.464000000Z");
        assert_eq!(
            read("34200.004241176", Unit::Seconds, Since::Midnight, zone),
            "2013-10-07T13:30:00.004241176Z"
        );
        assert_eq!(read("86400001", Unit::Millis, Since::Midnight, zone), r#"TooLate("day")"#);
        assert_eq!(read("71", Unit::Millis, Since::Hour, &mut Zone::utc()), "2013-10-07T00:00:00.071000000Z");
        assert_eq!(read("3600001", Unit::Millis, Since::Hour, &mut Zone::utc()), r#"TooLate("hour")"#);
    }
}
