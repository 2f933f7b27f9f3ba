//! A column of a table: values as they come, and as Arrow holds them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type, TimestampNanosecondType};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, NullArray, PrimitiveArray, StringArray, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use model::UnixNanos;
use rust_decimal::Decimal;

use super::decimals::Decimals;
use super::{Format, Timestamps};

/// A column's values since it was last written.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) values: Values,
    /// Nobody wants it for itself.
    is_hidden: bool,
}

pub(super) enum Values {
    /// Nobody wants them.
    None,
    /// Nanoseconds, or [`ABSENT`].
    Time(Vec<i64>),
    Whole(Vec<u64>),
    /// Whole numbers that are mostly not there: those that are, and their rows.
    Rare {
        rows: usize,
        values: Vec<(usize, u64)>,
    },
    Flag(Vec<bool>),
    Decimal(Decimals),
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
pub(super) const ABSENT: i64 = i64::MIN;
/// See [`Values::Word`].
const NO_WORD: i32 = -1;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Time,
    Whole,
    /// Whole numbers that are mostly not there.
    Rare,
    Flag,
    Decimal,
    Word,
    Text,
}

impl Column {
    /// A column of a kind; one that nobody wants holds nothing.
    pub(super) fn new(name: &'static str, kind: Option<Kind>) -> Self {
        let Some(kind) = kind else { return Self { name, values: Values::None, is_hidden: true } };
        let values = match kind {
            Kind::Time => Values::Time(Vec::new()),
            Kind::Whole => Values::Whole(Vec::new()),
            Kind::Rare => Values::Rare { rows: 0, values: Vec::new() },
            Kind::Flag => Values::Flag(Vec::new()),
            Kind::Decimal => Values::Decimal(Decimals::default()),
            Kind::Word => {
                Values::Word { known: HashMap::new(), words: Vec::new(), values: Vec::new(), last: 0 }
            }
            Kind::Text => Values::Text(Vec::new()),
        };
        Self { name, values, is_hidden: false }
    }

    /// A column whose values are for another one.
    pub(super) fn hidden(self) -> Self {
        Self { is_hidden: true, ..self }
    }

    pub(super) const fn is_there(&self) -> bool {
        !self.is_hidden
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

    pub(super) fn rare(&mut self, value: Option<u64>) {
        if let Values::Rare { rows, values } = &mut self.values {
            values.extend(value.map(|value| (*rows, value)));
            *rows += 1;
        }
    }

    pub(super) fn flag(&mut self, value: bool) {
        if let Values::Flag(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(super) fn decimal(&mut self, value: Option<Decimal>) {
        if let Values::Decimal(values) = &mut self.values {
            values.push(value);
        }
    }

    /// The decimals of the column, where it has them.
    pub(super) fn decimals(&self) -> Option<&Decimals> {
        if let Values::Decimal(values) = &self.values { Some(values) } else { None }
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
            Values::Decimal(values) => values.clear(),
            Values::Rare { rows, values } => {
                *rows = 0;
                values.clear();
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
        if self.is_hidden {
            return None;
        }
        let (kind, nullable) = match &self.values {
            Values::None => return None,
            Values::Time(_) => (time_type(format.timestamps), true),
            Values::Whole(_) | Values::Rare { .. } => (DataType::UInt64, true),
            Values::Flag(_) => (DataType::Boolean, false),
            Values::Decimal(values) => (values.kind(format.prices), true),
            Values::Word { .. } => (words(), true),
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
            Values::Rare { values, .. } if values.is_empty() => Arc::new(UInt64Array::new_null(order.len())),
            Values::Rare { values, .. } => {
                Arc::new(order.iter().map(|&at| rare_at(values, at)).collect::<UInt64Array>())
            }
            Values::Decimal(values) => values.array(self.name, order, kind)?,
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

/// The type of words.
pub(super) fn words() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The value of a row of numbers that are mostly not there.
pub(super) fn rare_at(values: &[(usize, u64)], at: usize) -> Option<u64> {
    let found = values.binary_search_by_key(&at, |(row, _)| *row).ok()?;
    Some(values[found].1)
}

fn time_type(timestamps: Timestamps) -> DataType {
    match timestamps {
        Timestamps::Utc => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        Timestamps::Naive => DataType::Timestamp(TimeUnit::Nanosecond, None),
        Timestamps::Int64 => DataType::Int64,
    }
}

/// Values as an array, some of which stand for none.
pub(super) fn present<T: ArrowPrimitiveType>(
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
