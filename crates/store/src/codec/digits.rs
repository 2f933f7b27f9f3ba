//! Decimals as their digits: a whole number, and how many of them stand behind the point.

use rust_decimal::Decimal;

use super::Malformed;
use super::columns::{Column, Columns, Views};
use super::varint::{self, unzigzag, zigzag};

/// The digits of a decimal. `1.0` and `1.00` are not the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digits {
    mantissa: i128,
    scale: u8,
}

impl From<Decimal> for Digits {
    fn from(value: Decimal) -> Self {
        // Never above 28.
        Self { mantissa: value.mantissa(), scale: u8::try_from(value.scale()).unwrap_or(u8::MAX) }
    }
}

/// Whether two decimals are written alike.
pub(super) fn same(one: Decimal, other: Decimal) -> bool {
    one.scale() == other.scale() && one.mantissa() == other.mantissa()
}

impl Digits {
    fn value(self) -> Result<Decimal, Malformed> {
        let value = match i64::try_from(self.mantissa) {
            Ok(mantissa) => Decimal::try_new(mantissa, self.scale.into()),
            Err(_) => Decimal::try_from_i128_with_scale(self.mantissa, self.scale.into()),
        };
        value.map_err(|_| Malformed("a decimal is out of range"))
    }
}

/// The price before, and the step that all prices since the last that was told whole are multiples of: many
/// venues write more zeros than their prices have use for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    last: Digits,
    step: i128,
}

impl Default for Steps {
    fn default() -> Self {
        Self { last: Digits::default(), step: 1 }
    }
}

/// No step is larger.
const STEP_ZEROS_MAX: u8 = 18;

impl Steps {
    /// Writes a price as its difference to the one before.
    pub(super) fn put(&mut self, value: Decimal, columns: &mut Columns) {
        let next = Digits::from(value);
        let difference = next.mantissa - self.last.mantissa;
        if next.scale == self.last.scale && difference % self.step == 0 {
            varint::put(columns.of(Column::Prices), zigzag(difference / self.step) << 1);
        } else {
            let mut zeros = zeros(next.mantissa);
            if next.scale == self.last.scale {
                // Whatever made the last step too large stays.
                while 10_i128.pow(zeros.into()) > self.step {
                    zeros -= 1;
                }
            }
            self.step = 10_i128.pow(zeros.into());
            varint::put(columns.of(Column::Prices), zigzag(next.mantissa / self.step) << 1 | 1);
            columns.of(Column::Scales).extend([next.scale, zeros]);
        }
        self.last = next;
    }

    /// Reads what [`Self::put`] wrote.
    pub(super) fn get(&mut self, columns: &mut Views<'_>) -> Result<Decimal, Malformed> {
        let told = varint::get(columns.of(Column::Prices))?;
        let number = unzigzag(told >> 1);
        let too_large = Malformed("a decimal is out of range");
        if told & 1 == 0 {
            let moved = number.checked_mul(self.step);
            let moved = moved.and_then(|by| self.last.mantissa.checked_add(by));
            self.last.mantissa = moved.ok_or(too_large)?;
        } else {
            let scale = varint::byte(columns.of(Column::Scales))?;
            let zeros = varint::byte(columns.of(Column::Scales))?;
            self.step = 10_i128.checked_pow(zeros.min(STEP_ZEROS_MAX).into()).ok_or(too_large)?;
            self.last = Digits { mantissa: number.checked_mul(self.step).ok_or(too_large)?, scale };
        }
        self.last.value()
    }
}

/// How many zeros a number ends with, as far as that matters.
fn zeros(mut mantissa: i128) -> u8 {
    let mut zeros = 0;
    while zeros < STEP_ZEROS_MAX && mantissa % 10 == 0 {
        mantissa /= 10;
        zeros += 1;
    }
    zeros
}

/// Sizes have many zeros at their end; these are counted. The scale is mostly the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SizeScale(u8);

/// The zeros of a size that is zero.
const NOTHING: u8 = 31;
/// The scale is another one.
const RESCALED: u8 = 0x20;
const NEGATIVE: u8 = 0x40;

impl SizeScale {
    pub(super) fn put(&mut self, value: Decimal, columns: &mut Columns) {
        let Digits { mantissa, scale } = value.into();
        let mut magnitude = mantissa.unsigned_abs();
        let mut zeros = 0;
        if magnitude == 0 {
            zeros = NOTHING;
        } else {
            while magnitude.is_multiple_of(10) {
                magnitude /= 10;
                zeros += 1;
            }
            varint::put(columns.of(Column::Sizes), magnitude);
        }
        let rescaled = if self.0 == scale { 0 } else { RESCALED };
        if rescaled > 0 {
            self.0 = scale;
            columns.of(Column::Scales).push(scale);
        }
        let negative = if mantissa < 0 { NEGATIVE } else { 0 };
        columns.of(Column::Zeros).push(zeros | rescaled | negative);
    }

    pub(super) fn get(&mut self, columns: &mut Views<'_>) -> Result<Decimal, Malformed> {
        let told = varint::byte(columns.of(Column::Zeros))?;
        let zeros = told & !(RESCALED | NEGATIVE);
        if told & RESCALED > 0 {
            self.0 = varint::byte(columns.of(Column::Scales))?;
        }
        let magnitude = if zeros == NOTHING {
            0
        } else {
            let digits = varint::get(columns.of(Column::Sizes))?;
            let zeros = 10_u128.checked_pow(zeros.into());
            zeros.and_then(|zeros| digits.checked_mul(zeros)).ok_or(Malformed("a decimal is out of range"))?
        };
        let mantissa = i128::try_from(magnitude).map_err(|_| Malformed("a decimal is out of range"))?;
        Digits { mantissa: if told & NEGATIVE > 0 { -mantissa } else { mantissa }, scale: self.0 }.value()
    }
}
