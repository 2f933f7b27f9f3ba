//! Exact decimals: text in, text out, and arithmetic that refuses instead of rounding.
//!
//! `rust_decimal` rounds in silence where a value or a result does not fit its 96-bit mantissa
//! (`from_str`, `+`, `*`). Market data must not: these functions give the exact value or an error.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::limits::DECIMAL_DIGITS_MAX;

/// So many digits fit 64 bits, whatever they are.
const SHORT_BYTES_MAX: usize = 19;

/// Why a text is not an exact decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// Not a number: empty, a stray character, or no digit where one must stand.
    #[error("not a decimal number (at byte {at})")]
    Malformed {
        /// Offset of the first byte that does not fit.
        at: usize,
    },
    /// A valid number with more digits than can be held exactly.
    #[error("more digits than fit exactly (at most {DECIMAL_DIGITS_MAX})")]
    TooPrecise,
    /// A size below zero.
    #[error("negative where only zero or more is possible")]
    Negative,
}

/// The value of a plain or scientific decimal text, its trailing zeros kept as scale.
///
/// Accepts the number grammar of JSON (`-1.50`, `9.121E-7`) plus leading zeros; refuses `.5`, `5.`,
/// `+1`, `1_000`, `NaN`.
///
/// # Errors
/// [`DecimalError::Malformed`] outside that grammar, [`DecimalError::TooPrecise`] where the digits
/// do not fit: the value is never rounded.
pub fn parse(text: &str) -> Result<Decimal, DecimalError> {
    parse_bytes(text.as_bytes())
}

/// As [`parse`], of text that nobody has looked at as UTF-8.
///
/// # Errors
/// See [`parse`].
pub fn parse_bytes(bytes: &[u8]) -> Result<Decimal, DecimalError> {
    match short(bytes) {
        Some(value) => Ok(value),
        None => long(bytes),
    }
}

fn long(bytes: &[u8]) -> Result<Decimal, DecimalError> {
    let negative = bytes.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let mut mantissa: i128 = 0;
    let mut scale: i32 = 0;

    let whole = digits(bytes, &mut at, &mut mantissa)?;
    if whole == 0 {
        return Err(DecimalError::Malformed { at });
    }
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        scale = digits(bytes, &mut at, &mut mantissa)?;
        if scale == 0 {
            return Err(DecimalError::Malformed { at });
        }
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        scale -= exponent(bytes, &mut at)?;
    }
    if at != bytes.len() {
        return Err(DecimalError::Malformed { at });
    }
    if scale < 0 && mantissa == 0 {
        scale = 0;
    } else if scale < 0 {
        let factor = 10_i128.checked_pow(scale.unsigned_abs()).ok_or(DecimalError::TooPrecise)?;
        mantissa = mantissa.checked_mul(factor).ok_or(DecimalError::TooPrecise)?;
        scale = 0;
    }
    let signed = if negative { -mantissa } else { mantissa };
    from_mantissa(signed, scale.unsigned_abs())
}

/// The value of a plain text whose digits fit 64 bits: nearly all that venues write. What this leaves
/// alone may be a number yet.
fn short(bytes: &[u8]) -> Option<Decimal> {
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > SHORT_BYTES_MAX {
        return None;
    }
    let (mut mantissa, mut point) = (0_u64, digits.len());
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if at > 0 && at + 1 < digits.len() && point == digits.len() => point = at,
            _ => return None,
        }
    }
    let scale = digits.len().saturating_sub(point + 1);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    let (low, high) = (mantissa as u32, (mantissa >> 32) as u32);
    // Nothing has no sign.
    Some(Decimal::from_parts(low, high, 0, negative && mantissa != 0, u32::try_from(scale).ok()?))
}

/// Reads digits into `mantissa` and returns how many there were.
fn digits(bytes: &[u8], at: &mut usize, mantissa: &mut i128) -> Result<i32, DecimalError> {
    let start = *at;
    while let Some(digit) = bytes.get(*at).filter(|byte| byte.is_ascii_digit()) {
        *mantissa = mantissa
            .checked_mul(10)
            .and_then(|m| m.checked_add(i128::from(digit - b'0')))
            .ok_or(DecimalError::TooPrecise)?;
        *at += 1;
    }
    i32::try_from(*at - start).map_err(|_| DecimalError::TooPrecise)
}

fn exponent(bytes: &[u8], at: &mut usize) -> Result<i32, DecimalError> {
    let negative = bytes.get(*at) == Some(&b'-');
    if matches!(bytes.get(*at), Some(b'-' | b'+')) {
        *at += 1;
    }
    let mut value: i128 = 0;
    if digits(bytes, at, &mut value)? == 0 {
        return Err(DecimalError::Malformed { at: *at });
    }
    // Anything near this size fails the mantissa check anyway; the bound only keeps `i32` safe.
    let value = i32::try_from(value.min(10_000)).map_err(|_| DecimalError::TooPrecise)?;
    Ok(if negative { -value } else { value })
}

fn from_mantissa(mantissa: i128, scale: u32) -> Result<Decimal, DecimalError> {
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| DecimalError::TooPrecise)
}

/// Appends a decimal in plain notation, its scale kept: `0.00150000`.
pub fn push(out: &mut Vec<u8>, value: Decimal) {
    let (mantissa, scale) = (value.mantissa(), value.scale() as usize);
    if mantissa < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = shown(mantissa, &mut buffer);
    if scale == 0 {
        out.extend_from_slice(digits);
    } else if digits.len() > scale {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    } else {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + scale - digits.len(), b'0');
        out.extend_from_slice(digits);
    }
}

/// The digits of a mantissa, without its sign.
pub(crate) fn shown(mantissa: i128, buffer: &mut itoa::Buffer) -> &[u8] {
    match u64::try_from(mantissa.unsigned_abs()) {
        Ok(short) => buffer.format(short).as_bytes(),
        Err(_) => buffer.format(mantissa.unsigned_abs()).as_bytes(),
    }
}

/// How two values compare, whatever their scales; soonest where these are the same, as most of a venue's are.
#[inline]
#[must_use]
pub fn order(a: Decimal, b: Decimal) -> Ordering {
    let (coarse, fine) = (a.scale(), b.scale());
    let known = match coarse.cmp(&fine) {
        Ordering::Equal => Some(a.mantissa().cmp(&b.mantissa())),
        Ordering::Less => finer(a, fine - coarse).map(|a| a.cmp(&b.mantissa())),
        Ordering::Greater => finer(b, coarse - fine).map(|b| a.mantissa().cmp(&b)),
    };
    known.unwrap_or_else(|| a.cmp(&b))
}

/// The mantissa with so many digits more, where it fits.
#[inline]
fn finer(value: Decimal, digits: u32) -> Option<i128> {
    value.mantissa().checked_mul(10_i128.checked_pow(digits)?)
}

/// `a + b` at the larger of the two scales, or `None` where that does not fit exactly.
#[must_use]
pub fn add(a: Decimal, b: Decimal) -> Option<Decimal> {
    let scale = a.scale().max(b.scale());
    let sum = at_scale(a, scale)?.checked_add(at_scale(b, scale)?)?;
    from_mantissa(sum, scale).ok()
}

/// `a - b` at the larger of the two scales, or `None` where that does not fit exactly.
#[must_use]
pub fn sub(a: Decimal, b: Decimal) -> Option<Decimal> {
    add(a, -b)
}

/// `a × b` at the sum of the two scales, or `None` where that does not fit exactly.
#[must_use]
pub fn mul(a: Decimal, b: Decimal) -> Option<Decimal> {
    from_mantissa(a.mantissa().checked_mul(b.mantissa())?, a.scale() + b.scale()).ok()
}

fn at_scale(value: Decimal, scale: u32) -> Option<i128> {
    finer(value, scale - value.scale())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, shown: &str) {
        assert_eq!(parse(text).map(|d| d.to_string()), Ok(shown.to_owned()), "{text}");
    }

    fn refuse(text: &str, error: DecimalError) {
        assert_eq!(parse(text), Err(error), "{text}");
    }

    #[test]
    fn keeps_the_scale_the_venue_wrote() {
        check("68900.50", "68900.50");
        check("0.00000000", "0.00000000");
        check("-1.0", "-1.0");
        check("-0.0", "0.0");
        check("9999999999999999999", "9999999999999999999");
        check("-99999999999999999999", "-99999999999999999999");
        check("0.9999999999999999999", "0.9999999999999999999");
        check("007", "7");
        check("9.121E-7", "0.0000009121");
        check("1.5e3", "1500");
        check("1.50e1", "15.0");
        check("0e50", "0");
        check("0.0e50", "0");
        check("79228162514264337593543950335", "79228162514264337593543950335");
        check("0.0000000000000000000000000001", "0.0000000000000000000000000001");
        // As long as fits into 64 bits, and one digit more.
        check("9999999999999999999", "9999999999999999999");
        check("-99999999999999999.9", "-99999999999999999.9");
        check("99999999999999999999.9", "99999999999999999999.9");
        check("-0.00", "0.00");
    }

    #[test]
    fn refuses_what_is_not_a_number() {
        for (text, at) in [
            ("", 0),
            ("-", 1),
            (".5", 0),
            ("5.", 2),
            ("-.5", 1),
            ("1.2.3", 3),
            ("1..2", 2),
            ("+1", 0),
            ("1_000", 1),
            ("NaN", 0),
            ("1e", 2),
            ("1 ", 1),
        ] {
            refuse(text, DecimalError::Malformed { at });
        }
    }

    #[test]
    fn refuses_what_it_would_have_to_round() {
        refuse("79228162514264337593543950336", DecimalError::TooPrecise);
        refuse("0.00000000000000000000000000001", DecimalError::TooPrecise);
        refuse("1e29", DecimalError::TooPrecise);
        refuse("1e999999999999", DecimalError::TooPrecise);
        refuse(&"9".repeat(60), DecimalError::TooPrecise);
    }

    #[test]
    fn arithmetic_is_exact_or_absent() {
        let d = |text| parse(text).unwrap();
        assert_eq!(add(d("1.10"), d("2.9")).unwrap().to_string(), "4.00");
        assert_eq!(sub(d("1.10"), d("2.9")).unwrap().to_string(), "-1.80");
        assert_eq!(mul(d("1.10"), d("2.00")).unwrap().to_string(), "2.2000");
        assert_eq!(mul(d("0.00"), d("2.00")).unwrap().to_string(), "0.0000");
        assert_eq!(add(Decimal::MAX, Decimal::ONE), None);
        assert_eq!(add(Decimal::MAX, d("0.1")), None);
        assert_eq!(mul(d("0.00000000000001"), d("0.000000000000001")), None);
    }

    proptest! {
        #[test]
        fn orders_as_values_do(a in any::<i64>(), b in any::<i64>(), scales in (0_u32..3, 0_u32..3), near: bool) {
            let b = if near { a.saturating_add(b % 2) } else { b };
            let (a, b) = (Decimal::new(a, scales.0), Decimal::new(b, scales.1));
            prop_assert_eq!(order(a, b), a.cmp(&b));
        }

        #[test]
        fn orders_what_no_common_scale_holds(a in any::<i64>(), b in -9_i64..9, more in 0_u32..=28, scales in (0_u32..=28, 0_u32..=28)) {
            let large = 10_i128.pow(more);
            let mantissa = |value: i64| i128::from(value).saturating_mul(large).clamp(-(1 << 95), 1 << 95);
            let a = Decimal::from_i128_with_scale(mantissa(a), scales.0);
            let b = Decimal::from_i128_with_scale(mantissa(b), scales.1);
            prop_assert_eq!(order(a, b), a.cmp(&b));
            prop_assert_eq!(order(b, a), b.cmp(&a));
        }

        #[test]
        fn pushes_what_it_would_show(low: u64, high: u32, negative: bool, scale in 0_u32..=28) {
            for magnitude in [i128::from(low), (i128::from(high) << 64) + i128::from(low)] {
                let value = Decimal::from_i128_with_scale(if negative { -magnitude } else { magnitude }, scale);
                let mut out = Vec::new();
                push(&mut out, value);
                prop_assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
            }
        }

        #[test]
        fn the_short_way_and_the_long_way_agree(text in "-?[0-9]{0,12}[.x]?[0-9]{0,8}") {
            if let Some(value) = short(text.as_bytes()) {
                let long = long(text.as_bytes()).unwrap();
                prop_assert_eq!((value, value.scale()), (long, long.scale()));
                prop_assert_eq!(value.is_sign_negative(), long.is_sign_negative());
            }
        }

        #[test]
        fn shows_what_it_read(whole in 0_u64.., fraction in "[0-9]{1,9}", negative: bool) {
            let text = format!("{}{whole}.{fraction}", if negative { "-" } else { "" });
            prop_assert_eq!(parse(&text).unwrap().to_string(), text);
        }
    }
}
