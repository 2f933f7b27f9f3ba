//! What a mapping says of a cell that holds a number or a text.

use model::{DecimalError, Price, Size};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::column::{Column, Short, Words, short};
use super::numerals::Numerals;
use super::row::{CellFault, Row, RowError};

/// A cell that holds a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextTable {
    column: Column,
    #[serde(default)]
    optional: bool,
    null: Option<Words>,
}

/// A cell that holds a number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberTable {
    column: Column,
    #[serde(default)]
    optional: bool,
    null: Option<Words>,
    decimals: Option<Decimals>,
    whole_decimals: Option<Decimals>,
}

/// Where the decimal point of a whole number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decimals {
    /// So many digits stand behind it.
    Digits(u32),
    /// As many as its instrument has.
    OfSymbol,
}

/// Most digits behind the point.
const DIGITS_MAX: u32 = 18;

/// A text, or a number, with what a mapping may leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) column: Column,
    pub(super) optional: bool,
    null: Option<Words>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) text: Text,
    decimals: Option<Decimals>,
    whole_decimals: Option<Decimals>,
}

impl From<Column> for Text {
    fn from(column: Column) -> Self {
        Self { column, optional: false, null: None }
    }
}

impl From<Column> for Number {
    fn from(column: Column) -> Self {
        Self { text: column.into(), decimals: None, whole_decimals: None }
    }
}

impl Short for Text {
    type Table = TextTable;

    fn of(table: TextTable) -> Result<Self, &'static str> {
        Ok(Self { column: table.column, optional: table.optional, null: table.null })
    }
}

impl Short for Number {
    type Table = NumberTable;

    fn of(table: NumberTable) -> Result<Self, &'static str> {
        let text = Text { column: table.column, optional: table.optional, null: table.null };
        if table.decimals.is_some() && table.whole_decimals.is_some() {
            return Err("\"decimals\" and \"whole_decimals\" do not go together");
        }
        Ok(Self { text, decimals: table.decimals, whole_decimals: table.whole_decimals })
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short(deserializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short(deserializer)
    }
}

impl<'de> Deserialize<'de> for Decimals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DecimalsVisitor;
        impl Visitor<'_> for DecimalsVisitor {
            type Value = Decimals;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a number of digits from 0 to {DIGITS_MAX}, or \"symbol\"")
            }

            fn visit_i64<E: Error>(self, digits: i64) -> Result<Decimals, E> {
                let found = u32::try_from(digits).ok().filter(|&digits| digits <= DIGITS_MAX);
                found.map(Decimals::Digits).ok_or_else(|| E::invalid_value(Unexpected::Signed(digits), &self))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Decimals, E> {
                match word {
                    "symbol" => Ok(Decimals::OfSymbol),
                    _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
                }
            }
        }
        deserializer.deserialize_any(DecimalsVisitor)
    }
}

impl Number {
    /// Whether it depends on the instrument.
    pub(super) fn is_of_symbol(&self) -> bool {
        [self.decimals, self.whole_decimals].contains(&Some(Decimals::OfSymbol))
    }
}

/// A text's place in the rows of one file.
#[derive(Clone, Debug)]
pub(super) struct TextCell {
    pub(super) at: usize,
    null: Words,
}

/// A number's place in the rows of one file.
#[derive(Clone, Debug)]
pub(super) struct NumberCell {
    text: TextCell,
    /// Some number says that there is none: `0` for no price.
    numbers_are_null: bool,
    /// Digits behind the point of a whole number, and whether a point of its own is wrong.
    digits: Option<(u32, bool)>,
    numerals: Numerals,
}

impl TextCell {
    pub(super) fn new(text: &Text, at: usize, null: &Words) -> Self {
        Self { at, null: text.null.as_ref().unwrap_or(null).clone() }
    }

    /// The text; `None` where the cell says that there is none.
    pub(super) fn read<'a>(&self, row: &Row<'a>) -> Result<Option<&'a [u8]>, RowError> {
        let cell = row.cell(self.at)?;
        Ok((!cell.is_empty() && !self.null.has(cell)).then_some(cell))
    }
}

impl NumberCell {
    /// `digits`: as many as the instrument has behind the point.
    pub(super) fn new(number: &Number, at: usize, null: &Words, digits: u32, numerals: Numerals) -> Self {
        let of = |decimals| match decimals {
            Decimals::Digits(digits) => digits,
            Decimals::OfSymbol => digits,
        };
        let fixed = number.decimals.map(|decimals| (of(decimals), true));
        let digits = fixed.or(number.whole_decimals.map(|decimals| (of(decimals), false)));
        let text = TextCell::new(&number.text, at, null);
        let numbers_are_null = text.null.has_numbers();
        Self { text, numbers_are_null, digits, numerals }
    }

    pub(super) const fn at(&self) -> usize {
        self.text.at
    }

    /// The same, so many columns further on.
    pub(super) fn further(&self, by: usize) -> Self {
        let mut cell = self.clone();
        cell.text.at += by;
        cell
    }

    /// The value; `None` where the cell says that there is none.
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<Decimal>, RowError> {
        let cell = row.cell(self.text.at)?;
        let is_digit = cell.first().is_some_and(u8::is_ascii_digit);
        if (self.numbers_are_null || !is_digit) && (cell.is_empty() || self.text.null.has(cell)) {
            return Ok(None);
        }
        let value = self.numerals.read(cell).map_err(|error| row.fault(self.text.at, error.into()))?;
        match self.digits {
            None => Ok(Some(value)),
            Some((_, false)) if value.scale() > 0 => Ok(Some(value)),
            Some((_, true)) if value.scale() > 0 => Err(row.fault(self.text.at, CellFault::NotWhole)),
            Some((digits, _)) => {
                let shifted = Decimal::try_from_i128_with_scale(value.mantissa(), digits);
                let refused = || row.fault(self.text.at, DecimalError::TooPrecise.into());
                shifted.map(Some).map_err(|_| refused())
            }
        }
    }

    /// As [`Self::read`], where something must stand.
    pub(super) fn value(&self, row: &Row<'_>) -> Result<Decimal, RowError> {
        self.read(row)?.ok_or_else(|| row.fault(self.text.at, CellFault::Empty))
    }

    pub(super) fn price(&self, row: &Row<'_>) -> Result<Price, RowError> {
        self.value(row).map(Price::new)
    }

    pub(super) fn size(&self, row: &Row<'_>) -> Result<Size, RowError> {
        self.sized(row, self.value(row)?)
    }

    /// A value that was read here, as a size.
    pub(super) fn sized(&self, row: &Row<'_>, value: Decimal) -> Result<Size, RowError> {
        Size::new(value).map_err(|error| row.fault(self.text.at, error.into()))
    }
}
