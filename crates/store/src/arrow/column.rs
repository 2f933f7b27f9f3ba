//! A column of a table: values as they come, and as Arrow holds them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal64Type, Decimal128Type, Int32Type};
use arrow_array::{
    ArrayRef, BooleanArray, Decimal64Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, NullArray, StringArray, TimestampNanosecondArray, UInt64Array,
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
    Time(Vec<Option<i64>>),
    Whole(Vec<Option<u64>>),
    Flag(Vec<bool>),
    Decimal {
        values: Vec<Option<Decimal>>,
        width: Width,
    },
    /// Few words, many times.
    Word {
        known: HashMap<Box<str>, i32>,
        words: Vec<Box<str>>,
        values: Vec<Option<i32>>,
        /// The newest: what comes next is mostly the same.
        last: i32,
    },
    /// Each its own.
    Text(Vec<Option<Box<str>>>),
}

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
            Kind::Decimal => Values::Decimal { values: Vec::new(), width: Width::default() },
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
            values.push(at.and_then(|at| i64::try_from(at.0).ok()));
        }
    }

    pub(super) fn whole(&mut self, value: Option<u64>) {
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
        if let Values::Decimal { values, width } = &mut self.values {
            if let Some(value) = value {
                width.take(value);
            }
            values.push(value);
        }
    }

    /// A word or a text.
    pub(super) fn text(&mut self, text: Option<&str>) {
        match &mut self.values {
            Values::Text(values) => values.push(text.map(Into::into)),
            Values::Word { known, words, values, last } => values.push(text.map(|text| {
                let same = usize::try_from(*last).ok().and_then(|last| words.get(last));
                if same.is_none_or(|same| **same != *text) {
                    *last = known.get(text).copied().unwrap_or_else(|| {
                        let at = i32::try_from(words.len()).unwrap_or(i32::MAX);
                        words.push(text.into());
                        known.insert(text.into(), at);
                        at
                    });
                }
                *last
            })),
            _ => {}
        }
    }

    /// Forgets the values, and not how wide they were.
    pub(super) fn clear(&mut self) {
        match &mut self.values {
            Values::None => {}
            Values::Time(values) => values.clear(),
            Values::Whole(values) => values.clear(),
            Values::Flag(values) => values.clear(),
            Values::Decimal { values, .. } => values.clear(),
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
                        Arc::new(values.collect::<TimestampNanosecondArray>().with_timezone("UTC"))
                    }
                    Timestamps::Naive => Arc::new(values.collect::<TimestampNanosecondArray>()),
                    Timestamps::Int64 => Arc::new(values.collect::<Int64Array>()),
                }
            }
            Values::Whole(values) => Arc::new(order.iter().map(|&at| values[at]).collect::<UInt64Array>()),
            Values::Flag(values) => {
                Arc::new(order.iter().map(|&at| Some(values[at])).collect::<BooleanArray>())
            }
            Values::Decimal { values, .. } => decimals(order.iter().map(|&at| values[at]), kind, self.name)?,
            Values::Word { words, values, .. } => {
                let keys = order.iter().map(|&at| values[at]).collect::<Int32Array>();
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
        // Nearly all: it fits, whatever the others need.
        if value.scale() <= 9 && value.mantissa().unsigned_abs() < 10_u128.pow(9 + value.scale()) {
            return;
        }
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

fn decimals(
    values: impl Iterator<Item = Option<Decimal>>,
    kind: &DataType,
    name: &str,
) -> Result<ArrayRef, ArrowError> {
    let scaled = |value: Decimal, scale: i8| {
        let short = value.scale() <= u32::from(scale.unsigned_abs());
        let value = if short { value } else { value.normalize() };
        let zeros = u32::from(scale.unsigned_abs()).checked_sub(value.scale());
        let power = zeros.and_then(|zeros| 10_i128.checked_pow(zeros));
        let too_wide =
            || ArrowError::CastError(format!("{name} = {value} has more digits than fit beside the others"));
        power.and_then(|power| value.mantissa().checked_mul(power)).ok_or_else(too_wide)
    };
    let small = |value: Decimal, scale: i8| {
        let too_wide = || {
            ArrowError::CastError(format!("{name} = {value} has more digits than fit: take --prices decimal"))
        };
        scaled(value, scale).and_then(|scaled| i64::try_from(scaled).map_err(|_| too_wide()))
    };
    Ok(match *kind {
        DataType::Float64 => Arc::new(
            values
                .map(|value| value.and_then(|value| value.to_string().parse().ok()))
                .collect::<Float64Array>(),
        ),
        DataType::Int64 => {
            let whole = values.map(|value| value.map(|value| small(value, SMALL.1)).transpose());
            Arc::new(whole.collect::<Result<Int64Array, _>>()?)
        }
        DataType::Decimal64(digits, scale) => {
            let whole = values.map(|value| value.map(|value| small(value, scale)).transpose());
            Arc::new(whole.collect::<Result<Decimal64Array, _>>()?.with_precision_and_scale(digits, scale)?)
        }
        DataType::Decimal128(digits, scale) => {
            let whole = values.map(|value| value.map(|value| scaled(value, scale)).transpose());
            Arc::new(whole.collect::<Result<Decimal128Array, _>>()?.with_precision_and_scale(digits, scale)?)
        }
        ref other => return Err(ArrowError::SchemaError(format!("{other} is no type of decimals"))),
    })
}
