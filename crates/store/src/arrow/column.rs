//! A column of a table: values as they come, and as Arrow holds them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal64Type, Decimal128Type, Int32Type, Int64Type, TimestampNanosecondType,
};
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, NullArray, PrimitiveArray,
    StringArray, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use model::UnixNanos;
use rust_decimal::Decimal;

use super::{Format, Prices, Timestamps};

/// A column's values since it was last written.
pub(super) struct Column {
    name: &'static str,
    values: Values,
}

enum Values {
    /// Nobody wants them.
    None,
    /// Nanoseconds, or [`ABSENT`].
    Time(Vec<i64>),
    Whole(Vec<u64>),
    Flag(Vec<bool>),
    Decimal {
        /// Billionths, where that is the value exactly; or [`ABSENT`], or [`LARGE_ONE`].
        small: Vec<i64>,
        /// The others, and their rows.
        large: Vec<(usize, Decimal)>,
        width: Width,
    },
    /// Few words, many times: their numbers, or −1.
    Word {
        known: HashMap<Box<str>, i32>,
        words: Vec<Box<str>>,
        values: Vec<i32>,
        /// The newest: what comes next is mostly the same.
        last: i32,
    },
    /// Each its own.
    Text(Vec<Option<Box<str>>>),
}

/// There is no value.
const ABSENT: i64 = i64::MIN;
/// See [`Values::Word`].
const NO_WORD: i32 = -1;
/// The value is among the large ones.
const LARGE_ONE: i64 = i64::MIN + 1;

/// How many digits the values of a column have, at most.
#[derive(Clone, Copy, Default)]
struct Width {
    before: u32,
    behind: u32,
}

/// What a column holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Time,
    Whole,
    Flag,
    Decimal,
    Word,
    Text,
}

/// Digits of the small decimals, which are whole numbers of 64 bits: all of them, and behind the point.
const SMALL: (u8, i8) = (18, 9);
/// Digits of the large ones.
const LARGE: (u8, i8) = (38, 18);

impl Column {
    /// A column of a kind; one that nobody wants holds nothing.
    pub(super) fn new(name: &'static str, kind: Option<Kind>) -> Self {
        let Some(kind) = kind else { return Self { name, values: Values::None } };
        let values = match kind {
            Kind::Time => Values::Time(Vec::new()),
            Kind::Whole => Values::Whole(Vec::new()),
            Kind::Flag => Values::Flag(Vec::new()),
            Kind::Decimal => {
                Values::Decimal { small: Vec::new(), large: Vec::new(), width: Width::default() }
            }
            Kind::Word => {
                Values::Word { known: HashMap::new(), words: Vec::new(), values: Vec::new(), last: 0 }
            }
            Kind::Text => Values::Text(Vec::new()),
        };
        Self { name, values }
    }

    pub(super) fn is_there(&self) -> bool {
        !matches!(self.values, Values::None)
    }

    pub(super) fn time(&mut self, at: Option<UnixNanos>) {
        if let Values::Time(values) = &mut self.values {
            // Up to the year 2262; what is later has no time in Arrow.
            values.push(at.and_then(|at| i64::try_from(at.0).ok()).unwrap_or(ABSENT));
        }
    }

    pub(super) fn whole(&mut self, value: u64) {
        if let Values::Whole(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(super) fn flag(&mut self, value: bool) {
        if let Values::Flag(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(super) fn decimal(&mut self, value: Option<Decimal>) {
        if let Values::Decimal { small, large, width } = &mut self.values {
            small.push(match value {
                None => ABSENT,
                Some(value) => billionths(value).unwrap_or_else(|| {
                    width.take(value);
                    large.push((small.len(), value));
                    LARGE_ONE
                }),
            });
        }
    }

    /// A word or a text.
    pub(super) fn text(&mut self, text: Option<&str>) {
        match &mut self.values {
            Values::Text(values) => values.push(text.map(Into::into)),
            Values::Word { known, words, values, last } => {
                let Some(text) = text else { return values.push(NO_WORD) };
                let same = usize::try_from(*last).ok().and_then(|last| words.get(last));
                if same.is_none_or(|same| **same != *text) {
                    *last = known.get(text).copied().unwrap_or_else(|| {
                        let at = i32::try_from(words.len()).unwrap_or(i32::MAX);
                        words.push(text.into());
                        known.insert(text.into(), at);
                        at
                    });
                }
                values.push(*last);
            }
            _ => {}
        }
    }

    /// The same word as the newest.
    pub(super) fn again(&mut self) {
        if let Values::Word { values, last, .. } = &mut self.values {
            values.push(*last);
        }
    }

    /// Forgets the values, and not how wide they were.
    pub(super) fn clear(&mut self) {
        match &mut self.values {
            Values::None => {}
            Values::Time(values) => values.clear(),
            Values::Whole(values) => values.clear(),
            Values::Flag(values) => values.clear(),
            Values::Decimal { small, large, .. } => {
                small.clear();
                large.clear();
            }
            Values::Text(values) => values.clear(),
            Values::Word { known, words, values, last } => {
                known.clear();
                words.clear();
                values.clear();
                *last = 0;
            }
        }
    }

    /// The type of the column, once all values were seen; none where nobody wants it.
    pub(super) fn field(&self, format: Format) -> Option<Field> {
        let (kind, nullable) = match &self.values {
            Values::None => return None,
            Values::Time(_) => (time_type(format.timestamps), true),
            Values::Whole(_) => (DataType::UInt64, true),
            Values::Flag(_) => (DataType::Boolean, false),
            Values::Decimal { width, .. } => (width.kind(format.prices), true),
            Values::Word { .. } => {
                (DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), true)
            }
            Values::Text(_) => (DataType::Utf8, true),
        };
        Some(Field::new(self.name, kind, nullable))
    }

    /// The values in an order, as the type that the column has.
    pub(super) fn array(
        &self,
        order: &[usize],
        kind: &DataType,
        format: Format,
    ) -> Result<ArrayRef, ArrowError> {
        Ok(match &self.values {
            Values::None => Arc::new(NullArray::new(order.len())),
            Values::Time(values) => {
                let values = order.iter().map(|&at| values[at]);
                match format.timestamps {
                    Timestamps::Utc => {
                        Arc::new(present::<TimestampNanosecondType>(values, ABSENT).with_timezone("UTC"))
                    }
                    Timestamps::Naive => Arc::new(present::<TimestampNanosecondType>(values, ABSENT)),
                    Timestamps::Int64 => Arc::new(present::<Int64Type>(values, ABSENT)),
                }
            }
            Values::Whole(values) => {
                Arc::new(UInt64Array::from(order.iter().map(|&at| values[at]).collect::<Vec<_>>()))
            }
            Values::Flag(values) => {
                Arc::new(BooleanArray::from(order.iter().map(|&at| values[at]).collect::<Vec<_>>()))
            }
            Values::Decimal { small, large, .. } => {
                Decimals { name: self.name, small, large, order }.array(kind)?
            }
            Values::Word { words, values, .. } => {
                let keys = present::<Int32Type>(order.iter().map(|&at| values[at]), NO_WORD);
                let words = StringArray::from_iter_values(words);
                Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(words))?)
            }
            Values::Text(values) => {
                Arc::new(order.iter().map(|&at| values[at].as_deref()).collect::<StringArray>())
            }
        })
    }
}

fn time_type(timestamps: Timestamps) -> DataType {
    match timestamps {
        Timestamps::Utc => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        Timestamps::Naive => DataType::Timestamp(TimeUnit::Nanosecond, None),
        Timestamps::Int64 => DataType::Int64,
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
            // Never more than 28: see `model::decimal`.
            Prices::Decimal | Prices::Wide => {
                DataType::Decimal128(LARGE.0, i8::try_from(self.behind).unwrap_or(i8::MAX))
            }
        }
    }
}

/// The same values as a type that is at least as wide.
pub(super) fn widen(array: &ArrayRef, kind: &DataType) -> Result<ArrayRef, ArrowError> {
    let (DataType::Decimal64(_, from) | DataType::Decimal128(_, from), DataType::Decimal128(digits, to)) =
        (array.data_type(), kind)
    else {
        return Ok(Arc::clone(array));
    };
    let power = to.checked_sub(*from).and_then(|zeros| 10_i128.checked_pow(u32::try_from(zeros).ok()?));
    let power =
        power.ok_or_else(|| ArrowError::CastError(format!("{kind} is narrower than what is there")))?;
    let wider = |value: i128| {
        let too_wide =
            || ArrowError::CastError(format!("{value} has more digits than fit beside the others"));
        value.checked_mul(power).ok_or_else(too_wide)
    };
    let values: Result<Decimal128Array, _> = if let Some(small) = array.as_primitive_opt::<Decimal64Type>() {
        small.iter().map(|value| value.map(|value| wider(value.into())).transpose()).collect()
    } else {
        array.as_primitive::<Decimal128Type>().iter().map(|value| value.map(wider).transpose()).collect()
    };
    Ok(Arc::new(values?.with_precision_and_scale(*digits, *to)?))
}

/// Values as an array, some of which stand for none.
fn present<T: ArrowPrimitiveType>(
    values: impl Iterator<Item = T::Native>,
    none: T::Native,
) -> PrimitiveArray<T>
where
    PrimitiveArray<T>: From<Vec<T::Native>>,
{
    let values: Vec<_> = values.collect();
    if values.contains(&none) {
        return values.into_iter().map(|value| (value != none).then_some(value)).collect();
    }
    PrimitiveArray::from(values)
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
struct Decimals<'a> {
    name: &'a str,
    small: &'a [i64],
    large: &'a [(usize, Decimal)],
    order: &'a [usize],
}

impl Decimals<'_> {
    fn array(&self, kind: &DataType) -> Result<ArrayRef, ArrowError> {
        Ok(match *kind {
            DataType::Float64 => {
                let float = |at: &usize| match self.small[*at] {
                    ABSENT => None,
                    LARGE_ONE => self.large_at(*at).and_then(|value| value.to_string().parse().ok()),
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
                let values = if self.large.is_empty() {
                    self.order.iter().map(|&at| wide(self.small[at])).collect()
                } else {
                    let values = self.order.iter().map(|&at| match self.small[at] {
                        LARGE_ONE => self.scaled(at, scale),
                        small => Ok(wide(small)),
                    });
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
        let narrow = self.order.iter().map(|&at| match self.small[at] {
            LARGE_ONE => self.scaled(at, scale).and_then(|scaled| {
                i64::try_from(scaled).map_err(|_| self.unfit(at, "take --prices decimal"))
            }),
            small => Ok(small),
        });
        narrow.collect()
    }

    fn scaled(&self, at: usize, scale: i8) -> Result<i128, ArrowError> {
        let value = self.large_at(at).unwrap_or_default().normalize();
        let zeros = u32::from(scale.unsigned_abs()).checked_sub(value.scale());
        let power = zeros.and_then(|zeros| 10_i128.checked_pow(zeros));
        let scaled = power.and_then(|power| value.mantissa().checked_mul(power));
        scaled.ok_or_else(|| self.unfit(at, "it does not beside the others"))
    }

    fn large_at(&self, at: usize) -> Option<Decimal> {
        let found = self.large.binary_search_by_key(&at, |(row, _)| *row).ok()?;
        Some(self.large[found].1)
    }

    fn unfit(&self, at: usize, what: &str) -> ArrowError {
        let value = self.large_at(at).unwrap_or_default();
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
