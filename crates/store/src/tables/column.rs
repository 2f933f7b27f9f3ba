//! A column of a table: values as they come.

use std::collections::HashMap;
use std::fmt::Write;

use model::UnixNanos;
use rust_decimal::Decimal;

/// A column's values since it was last written.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) values: Values,
}

pub(super) enum Values {
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
    },
    /// Each its own.
    Text(Vec<Option<Box<str>>>),
}

/// How many digits the values of a column have, at most.
#[derive(Clone, Copy, Default)]
pub(super) struct Width {
    pub(super) before: u32,
    pub(super) behind: u32,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Time,
    Whole,
    Flag,
    Decimal,
    Word,
    Text,
}

/// A value of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    #[default]
    None,
    Time(UnixNanos),
    Whole(u64),
    Flag(bool),
    Decimal(Decimal),
    Text(&'a str),
}

impl Column {
    pub(super) fn new(name: &'static str, kind: Kind) -> Self {
        let values = match kind {
            Kind::Time => Values::Time(Vec::new()),
            Kind::Whole => Values::Whole(Vec::new()),
            Kind::Flag => Values::Flag(Vec::new()),
            Kind::Decimal => Values::Decimal { values: Vec::new(), width: Width::default() },
            Kind::Word => Values::Word { known: HashMap::new(), words: Vec::new(), values: Vec::new() },
            Kind::Text => Values::Text(Vec::new()),
        };
        Self { name, values }
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
                let value = value.normalize();
                let digits = value.mantissa().unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
                width.behind = width.behind.max(value.scale());
                width.before = width.before.max(digits.saturating_sub(value.scale()));
            }
            values.push(value);
        }
    }

    /// A word or a text.
    pub(super) fn text(&mut self, text: Option<&str>) {
        match &mut self.values {
            Values::Text(values) => values.push(text.map(Into::into)),
            Values::Word { known, words, values } => values.push(text.map(|text| {
                known.get(text).copied().unwrap_or_else(|| {
                    let at = i32::try_from(words.len()).unwrap_or(i32::MAX);
                    words.push(text.into());
                    known.insert(text.into(), at);
                    at
                })
            })),
            _ => {}
        }
    }

    /// Forgets the values, and not how wide they were.
    pub(super) fn clear(&mut self) {
        match &mut self.values {
            Values::Time(values) => values.clear(),
            Values::Whole(values) => values.clear(),
            Values::Flag(values) => values.clear(),
            Values::Decimal { values, .. } => values.clear(),
            Values::Text(values) => values.clear(),
            Values::Word { known, words, values } => {
                known.clear();
                words.clear();
                values.clear();
            }
        }
    }

    /// Of a column of decimals, says how many digits the newest one has behind its point.
    pub(super) fn tell_digits(&self, out: &mut String) {
        let Values::Decimal { values, .. } = &self.values else { return };
        let space = if out.is_empty() { "" } else { " " };
        let _ = match values.last().copied().flatten() {
            Some(value) => write!(out, "{space}{}", value.scale()),
            None => write!(out, "{space}-"),
        };
    }

    /// The value of a row.
    pub(super) fn cell(&self, at: usize) -> Cell<'_> {
        let cell = match &self.values {
            Values::Time(values) => values[at].map(|at| Cell::Time(UnixNanos(at.unsigned_abs()))),
            Values::Whole(values) => values[at].map(Cell::Whole),
            Values::Flag(values) => Some(Cell::Flag(values[at])),
            Values::Decimal { values, .. } => values[at].map(Cell::Decimal),
            Values::Word { words, values, .. } => {
                let word = values[at].and_then(|at| words.get(usize::try_from(at).ok()?));
                word.map(|word| Cell::Text(word))
            }
            Values::Text(values) => values[at].as_deref().map(Cell::Text),
        };
        cell.unwrap_or_default()
    }
}
