//! Columns as Arrow holds them.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Decimal64Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, StringArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use rust_decimal::Decimal;

use super::column::{Column, Values, Width};
use super::{Format, Prices, Timestamps};

/// Digits of the small decimals, which are whole numbers of 64 bits: all of them, and behind the point.
const SMALL: (u8, i8) = (18, 9);
/// Digits of the large ones.
const LARGE: (u8, i8) = (38, 18);
/// Digits behind the point of prices that are whole numbers.
pub(super) const FIXED: i8 = SMALL.1;

impl Column {
    /// The type of the column, once all values were seen.
    pub(super) fn field(&self, format: Format) -> Field {
        let (kind, nullable) = match &self.values {
            Values::Time(_) => (time_type(format.timestamps), true),
            Values::Whole(_) => (DataType::UInt64, true),
            Values::Flag(_) => (DataType::Boolean, false),
            Values::Decimal { width, .. } => (width.kind(format.prices), true),
            Values::Word { .. } => {
                (DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), true)
            }
            Values::Text(_) => (DataType::Utf8, true),
        };
        Field::new(self.name, kind, nullable)
    }

    /// The values in an order.
    pub(super) fn array(&self, order: &[usize], format: Format) -> Result<ArrayRef, ArrowError> {
        Ok(match &self.values {
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
            Values::Decimal { values, width } => {
                decimals(order.iter().map(|&at| values[at]), &width.kind(format.prices), self.name)?
            }
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
            Prices::Decimal if fits(LARGE) => DataType::Decimal128(LARGE.0, LARGE.1),
            // Never more than 28: see `model::decimal`.
            Prices::Decimal => DataType::Decimal128(LARGE.0, i8::try_from(self.behind).unwrap_or(i8::MAX)),
        }
    }
}

fn decimals(
    values: impl Iterator<Item = Option<Decimal>>,
    kind: &DataType,
    name: &str,
) -> Result<ArrayRef, ArrowError> {
    let scaled = |value: Decimal, scale: i8| {
        let value = value.normalize();
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
