//! Where in the rows of one file stands what a mapping means.

use std::cell::RefCell;

use super::TableError;
use super::column::{Column, Names, Words};
use super::field::{Number, NumberCell, Text, TextCell};
use super::mapping::Written;
use super::numerals::Numerals;
use super::side::{Condition, Test};

/// Finds the cells that a mapping means.
pub(super) struct Finder<'a> {
    names: &'a Names,
    null: &'a Words,
    /// Digits behind the point of the file's instrument.
    digits: Option<u32>,
    numerals: Numerals,
    /// What was found where, for messages.
    keys: RefCell<Keys>,
}

/// Which of the mapping's keys mean which column.
pub(super) type Keys = Vec<(usize, &'static str)>;

impl<'a> Finder<'a> {
    pub(super) fn new(mapping: &'a Written, names: &'a Names, digits: Option<u32>) -> Self {
        let numerals = mapping.numerals().unwrap_or_default();
        Self { names, null: &mapping.rows.null, digits, numerals, keys: RefCell::default() }
    }

    /// What was found where.
    pub(super) fn into_keys(self) -> Keys {
        self.keys.into_inner()
    }

    pub(super) const fn null(&self) -> &'a Words {
        self.null
    }

    pub(super) const fn names(&self) -> &'a Names {
        self.names
    }

    pub(super) fn column(&self, key: &'static str, column: &Column) -> Result<usize, TableError> {
        let missing = || TableError::column(key, column, self.names);
        let at = column.find(self.names).ok_or_else(missing)?;
        if at >= self.names.0.len() && !self.names.0.is_empty() {
            return Err(missing());
        }
        self.keys.borrow_mut().push((at, key));
        Ok(at)
    }

    pub(super) fn number(&self, key: &'static str, number: &Number) -> Result<NumberCell, TableError> {
        self.number_at(number, self.column(key, &number.text.column)?)
    }

    /// As [`Self::number`], where the column of each level was found by its name.
    pub(super) fn level(
        &self,
        key: &'static str,
        number: &Number,
        at: usize,
    ) -> Result<NumberCell, TableError> {
        self.keys.borrow_mut().push((at, key));
        self.number_at(number, at)
    }

    pub(super) fn number_at(&self, number: &Number, at: usize) -> Result<NumberCell, TableError> {
        let digits = match self.digits {
            None if number.is_of_symbol() => return Err(TableError::Decimals),
            digits => digits.unwrap_or(0),
        };
        Ok(NumberCell::new(number, at, self.null, digits, self.numerals))
    }

    pub(super) fn text(&self, key: &'static str, text: &Text) -> Result<Option<TextCell>, TableError> {
        match self.column(key, &text.column) {
            Ok(at) => Ok(Some(TextCell::new(text, at, self.null))),
            Err(_) if text.optional => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn test(&self, key: &'static str, condition: &Condition) -> Result<Test, TableError> {
        condition.find(self.names).ok_or_else(|| TableError::column(key, &condition.column, self.names))
    }

    pub(super) fn tests(&self, key: &'static str, conditions: &[Condition]) -> Result<Vec<Test>, TableError> {
        conditions.iter().map(|condition| self.test(key, condition)).collect()
    }

    pub(super) fn optional(
        &self,
        key: &'static str,
        number: &Number,
    ) -> Result<Option<NumberCell>, TableError> {
        match self.number(key, number) {
            Err(TableError::Column { .. }) if number.text.optional => Ok(None),
            found => found.map(Some),
        }
    }
}
