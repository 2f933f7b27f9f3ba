//! The decimals of a column: whole numbers at one scale, as wide as they need to be.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal64Type, Decimal128Type, Int64Type};
use arrow_array::{ArrayRef, Decimal128Array, Float64Array};
use arrow_schema::{ArrowError, DataType};
use rust_decimal::Decimal;

use super::Prices;
use super::column::{ABSENT, present};

/// The decimals of a column, since it was last written.
#[derive(Default)]
pub(super) struct Decimals {
    /// Billionths, where that is the value exactly; or [`ABSENT`], or [`LARGE_ONE`].
    small: Vec<i64>,
    /// The others, and their rows.
    large: Vec<(usize, Decimal)>,
    /// How many digits each has behind its point; [`NO_SCALE`] where there is none.
    scales: Vec<u8>,
    width: Width,
}

/// The value is among the large ones.
const LARGE_ONE: i64 = i64::MIN + 1;
/// The scale of a value that is not there.
pub(super) const NO_SCALE: u8 = u8::MAX;

/// How many digits the values of a column have, at most.
#[derive(Clone, Copy, Default)]
struct Width {
    before: u32,
    behind: u32,
}

/// Digits of the small decimals, which are whole numbers of 64 bits: all of them, and behind the point.
const SMALL: (u8, i8) = (18, 9);
/// Digits of the large ones.
const LARGE: (u8, i8) = (38, 18);
/// Digits behind the point of prices that are whole numbers.
#[cfg(feature = "tables")]
pub(crate) const FIXED: i8 = SMALL.1;

impl Decimals {
    pub(super) fn push(&mut self, value: Option<Decimal>) {
        let Some(value) = value else {
            self.small.push(ABSENT);
            return self.scales.push(NO_SCALE);
        };
        // Never more than 28: see `model::decimal`.
        self.scales.push(u8::try_from(value.scale()).unwrap_or(NO_SCALE));
        let small = billionths(value).unwrap_or_else(|| {
            self.width.take(value);
            self.large.push((self.small.len(), value));
            LARGE_ONE
        });
        self.small.push(small);
    }

    /// Forgets the values, and not how wide they were.
    pub(super) fn clear(&mut self) {
        self.small.clear();
        self.large.clear();
        self.scales.clear();
    }

    /// The smallest type that has all that were ever there exactly.
    pub(super) fn kind(&self, prices: Prices) -> DataType {
        self.width.kind(prices)
    }

    /// How many digits the values have behind their points.
    pub(super) fn scales(&self) -> &[u8] {
        &self.scales
    }

    /// The value of a row, with the digits that it had.
    #[cfg(feature = "tables")]
    pub(super) fn value(&self, at: usize) -> Option<Decimal> {
        match self.small[at] {
            ABSENT => None,
            LARGE_ONE => self.large_at(at),
            small => {
                let scale = self.scales[at];
                let zeros = SMALL.1.unsigned_abs().saturating_sub(scale);
                Some(Decimal::new(small / 10_i64.pow(zeros.into()), scale.into()))
            }
        }
    }

    /// The values in an order, as a type of decimals; `name` is told where one does not fit.
    pub(super) fn array(&self, name: &str, order: &[usize], kind: &DataType) -> Result<ArrayRef, ArrowError> {
        Ordered { name, of: self, order }.array(kind)
    }

    fn large_at(&self, at: usize) -> Option<Decimal> {
        let found = self.large.binary_search_by_key(&at, |(row, _)| *row).ok()?;
        Some(self.large[found].1)
    }
}

impl Width {
    fn take(&mut self, value: Decimal) {
        let value = value.normalize();
        let digits = value.mantissa().unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        self.behind = self.behind.max(value.scale());
        self.before = self.before.max(digits.saturating_sub(value.scale()));
    }

    /// The smallest type that has all of them exactly.
    fn kind(self, prices: Prices) -> DataType {
        let fits = |(digits, behind): (u8, i8)| {
            let behind = u32::from(behind.unsigned_abs());
            self.behind <= behind && self.before + behind <= u32::from(digits)
        };
        match prices {
            Prices::Float => DataType::Float64,
            Prices::Fixed => DataType::Int64,
            Prices::Decimal if fits(SMALL) => DataType::Decimal64(SMALL.0, SMALL.1),
            Prices::Wide if fits(SMALL) => DataType::Decimal128(SMALL.0, SMALL.1),
            Prices::Decimal | Prices::Wide if fits(LARGE) => DataType::Decimal128(LARGE.0, LARGE.1),
            // Never more than 28: see `model::decimal`. Small ones have as many as they have.
            Prices::Decimal | Prices::Wide => {
                DataType::Decimal128(LARGE.0, i8::try_from(self.behind).unwrap_or(i8::MAX).max(SMALL.1))
            }
        }
    }
}

/// The same values as a type that has all of them.
pub(super) fn widen(array: &ArrayRef, kind: &DataType) -> Result<ArrayRef, ArrowError> {
    let (DataType::Decimal64(_, from) | DataType::Decimal128(_, from), DataType::Decimal128(digits, to)) =
        (array.data_type(), kind)
    else {
        return Ok(Arc::clone(array));
    };
    // Where there are more digits before the point, there are fewer behind it.
    let power = |zeros: i8| 10_i128.pow(u32::try_from(zeros).unwrap_or_default());
    let (factor, divisor) = (power(to.saturating_sub(*from)), power(from.saturating_sub(*to)));
    let wider = |value: i128| {
        let wider =
            (value % divisor == 0).then_some(value / divisor).and_then(|value| value.checked_mul(factor));
        wider.ok_or_else(|| {
            ArrowError::CastError(format!("{value} has more digits than fit beside the others"))
        })
    };
    let values: Result<Decimal128Array, _> = if let Some(small) = array.as_primitive_opt::<Decimal64Type>() {
        small.iter().map(|value| value.map(|value| wider(value.into())).transpose()).collect()
    } else {
        array.as_primitive::<Decimal128Type>().iter().map(|value| value.map(wider).transpose()).collect()
    };
    Ok(Arc::new(values?.with_precision_and_scale(*digits, *to)?))
}

/// A value in billionths, where that is exact and has no more than 18 digits: nearly all are so.
fn billionths(value: Decimal) -> Option<i64> {
    const POWERS: [i64; 10] =
        [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let power = POWERS.get(usize::try_from(value.scale()).ok()?)?;
    let scaled = i64::try_from(value.mantissa()).ok()?.checked_mul(*power)?;
    (scaled.unsigned_abs() < 10_u64.pow(18)).then_some(scaled)
}

/// The decimals of a column, in an order.
struct Ordered<'a> {
    name: &'a str,
    of: &'a Decimals,
    order: &'a [usize],
}

impl Ordered<'_> {
    fn array(&self, kind: &DataType) -> Result<ArrayRef, ArrowError> {
        Ok(match *kind {
            DataType::Float64 => {
                let float = |at: &usize| match self.of.small[*at] {
                    ABSENT => None,
                    LARGE_ONE => self.of.large_at(*at).and_then(|value| value.to_string().parse().ok()),
                    small => nearest(small),
                };
                Arc::new(self.order.iter().map(float).collect::<Float64Array>())
            }
            DataType::Int64 => Arc::new(present::<Int64Type>(self.narrow(SMALL.1)?.into_iter(), ABSENT)),
            DataType::Decimal64(digits, scale) => {
                let values = present::<Decimal64Type>(self.narrow(scale)?.into_iter(), ABSENT);
                Arc::new(values.with_precision_and_scale(digits, scale)?)
            }
            DataType::Decimal128(digits, scale) => {
                let power = 10_i128.pow(u32::from(scale.unsigned_abs() - SMALL.1.unsigned_abs()));
                let wide = |small| if small == ABSENT { i128::MIN } else { i128::from(small) * power };
                let values = self.order.iter().map(|&at| match self.of.small[at] {
                    LARGE_ONE => self.scaled(at, scale),
                    small => Ok(wide(small)),
                });
                // Without large ones nothing can fail, and the loop is a plain one.
                let values = if self.of.large.is_empty() {
                    self.order.iter().map(|&at| wide(self.of.small[at])).collect()
                } else {
                    values.collect::<Result<Vec<_>, _>>()?
                };
                let values = present::<Decimal128Type>(values.into_iter(), i128::MIN);
                Arc::new(values.with_precision_and_scale(digits, scale)?)
            }
            ref other => return Err(ArrowError::SchemaError(format!("{other} is no type of decimals"))),
        })
    }

    /// Whole numbers of 64 bits, at the scale of the small ones.
    fn narrow(&self, scale: i8) -> Result<Vec<i64>, ArrowError> {
        let narrow = self.order.iter().map(|&at| match self.of.small[at] {
            LARGE_ONE => self.scaled(at, scale).and_then(|scaled| {
                i64::try_from(scaled).map_err(|_| self.unfit(at, "take --prices decimal"))
            }),
            small => Ok(small),
        });
        narrow.collect()
    }

    fn scaled(&self, at: usize, scale: i8) -> Result<i128, ArrowError> {
        let value = self.of.large_at(at).unwrap_or_default().normalize();
        let zeros = u32::from(scale.unsigned_abs()).checked_sub(value.scale());
        let power = zeros.and_then(|zeros| 10_i128.checked_pow(zeros));
        let scaled = power.and_then(|power| value.mantissa().checked_mul(power));
        scaled.ok_or_else(|| self.unfit(at, "it does not beside the others"))
    }

    fn unfit(&self, at: usize, what: &str) -> ArrowError {
        let value = self.of.large_at(at).unwrap_or_default();
        ArrowError::CastError(format!("{} = {value} has more digits than fit: {what}", self.name))
    }
}

/// The nearest float of so many billionths.
fn nearest(billionths: i64) -> Option<f64> {
    // Both are floats exactly, so that the quotient is the nearest one.
    #[expect(clippy::cast_precision_loss, reason = "none is lost of so few bits")]
    let quotient = |whole: i64| whole as f64 / 1e9;
    if billionths.unsigned_abs() <= 1 << 53 {
        return Some(quotient(billionths));
    }
    Decimal::new(billionths, 9).to_string().parse().ok()
}
