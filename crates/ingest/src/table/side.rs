//! Who took, or on which side of the book something is; and which rows are meant.

use model::{BookSide, Side};
use serde::Deserialize;
use serde::de::Deserializer;

use super::column::{Column, Names, Short, Words, short};
use super::row::{CellFault, Row, RowError};

/// A cell that says who took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SideField {
    /// `None`: the sign of the size says it.
    pub(super) column: Option<Column>,
    pub(super) optional: bool,
    words: SideWords,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SideWords {
    maker: bool,
    buy: Words,
    sell: Words,
    unknown: Words,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    #[default]
    Taker,
    Maker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SignOf {
    Size,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SideTable {
    column: Option<Column>,
    sign_of: Option<SignOf>,
    #[serde(default)]
    of: Of,
    buy: Option<Words>,
    sell: Option<Words>,
    unknown: Option<Words>,
    #[serde(default)]
    optional: bool,
}

impl Default for SideWords {
    fn default() -> Self {
        Self {
            maker: false,
            buy: Words::new(&["buy", "b", "bid", "long", "buyer", "buy_estimated"]),
            sell: Words::new(&["sell", "s", "ask", "a", "offer", "short", "seller", "sell_estimated"]),
            unknown: Words::new(&["unknown", "n"]),
        }
    }
}

impl From<Column> for SideField {
    fn from(column: Column) -> Self {
        Self { column: Some(column), optional: false, words: SideWords::default() }
    }
}

impl Short for SideField {
    type Table = SideTable;

    fn of(table: SideTable) -> Result<Self, &'static str> {
        let usual = SideWords::default();
        let words = SideWords {
            maker: table.of == Of::Maker,
            buy: table.buy.unwrap_or(usual.buy),
            sell: table.sell.unwrap_or(usual.sell),
            unknown: table.unknown.unwrap_or(usual.unknown),
        };
        if words.buy.iter().any(|word| words.sell.has(word.as_bytes())) {
            return Err("a word cannot be of \"buy\" and of \"sell\"");
        }
        if table.column.is_some() == table.sign_of.is_some() {
            return Err("a side needs \"column\", or sign_of = \"size\"");
        }
        Ok(Self { column: table.column, optional: table.optional, words })
    }
}

impl<'de> Deserialize<'de> for SideField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short(deserializer)
    }
}

/// A side's place in the rows of one file.
#[derive(Clone, Debug)]
pub(super) struct SideCell {
    at: usize,
    words: SideWords,
    null: Words,
}

impl SideCell {
    pub(super) fn new(field: &SideField, at: usize, null: &Words) -> Self {
        Self { at, words: field.words.clone(), null: null.clone() }
    }

    /// Who took.
    pub(super) fn taker(&self, row: &Row<'_>) -> Result<Side, RowError> {
        let cell = row.cell(self.at)?;
        let side = if self.words.buy.has(cell) {
            Side::Buy
        } else if self.words.sell.has(cell) {
            Side::Sell
        } else if cell.is_empty() || self.words.unknown.has(cell) || self.null.has(cell) {
            Side::Unknown
        } else {
            return Err(row.fault(self.at, CellFault::Word));
        };
        Ok(if self.words.maker { side.opposite() } else { side })
    }

    /// The side of the book that a buyer or a seller is on.
    pub(super) fn of_book(&self, row: &Row<'_>) -> Result<BookSide, RowError> {
        match self.taker(row)? {
            Side::Buy => Ok(BookSide::Bid),
            Side::Sell => Ok(BookSide::Ask),
            Side::Unknown => Err(row.fault(self.at, CellFault::Word)),
        }
    }
}

/// Which rows are meant: a cell is one of some words, or none of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) column: Column,
    is: Option<Words>,
    begins: Option<Words>,
    #[serde(rename = "not")]
    is_not: Option<Words>,
}

/// A condition in the rows of one file.
#[derive(Clone, Debug)]
pub(super) struct Test {
    at: usize,
    is: Option<Words>,
    begins: Option<Words>,
    is_not: Option<Words>,
}

impl Condition {
    /// Whether it says anything.
    pub(super) const fn says_something(&self) -> bool {
        self.is.is_some() || self.begins.is_some() || self.is_not.is_some()
    }

    pub(super) fn find(&self, names: &Names) -> Option<Test> {
        self.column.find(names).map(|at| self.at(at))
    }

    /// The condition, of a cell whose place is known.
    pub(super) fn at(&self, at: usize) -> Test {
        Test { at, is: self.is.clone(), begins: self.begins.clone(), is_not: self.is_not.clone() }
    }
}

impl Test {
    /// Whether a row is meant.
    pub(super) fn holds(&self, row: &Row<'_>) -> Result<bool, RowError> {
        let cell = row.cell(self.at)?;
        let is = self.is.as_ref().is_none_or(|words| words.has(cell));
        let begins = self.begins.as_ref().is_none_or(|words| words.begin(cell));
        Ok(is && begins && !self.is_not.as_ref().is_some_and(|words| words.has(cell)))
    }
}
