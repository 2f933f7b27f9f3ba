//! A mapping as it is written: what the columns of a kind of file mean.

use model::State;
use serde::Deserialize;

use super::column::{Column, Words};
use super::field::{Number, Text};
use super::form::{Form, FormTable, Forms};
use super::name::Pattern;
use super::numerals::{Mark, Numerals};
use super::side::{Condition, SideField};
use super::time::{DateOrder, Since, Unit};
use super::who::{Template, Templates};
use super::zone::Zone;

/// What the columns of a kind of file mean: read it from TOML.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Mapping {
    pub(super) written: Written,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// One line for people.
    pub(super) about: Option<String>,
    /// What the file's name tells.
    #[serde(default)]
    pub(super) names: Vec<Pattern>,
    pub(super) instrument: InstrumentTable,
    #[serde(default)]
    pub(super) rows: RowsTable,
    pub(super) time: Option<TimeTable>,
    pub(super) recv: Option<TimeTable>,
    pub(super) trade: Option<TradeTable>,
    pub(super) quote: Option<QuoteTable>,
    pub(super) book: Option<BookTable>,
    pub(super) change: Option<ChangeTable>,
    pub(super) order: Option<OrderTable>,
    pub(super) status: Option<StatusTable>,
    pub(super) beside: Option<BesideTable>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstrumentTable {
    pub(super) venue: Templates,
    pub(super) symbol: Templates,
    #[serde(default)]
    pub(super) form: Form,
    /// The forms of venues that have another one.
    #[serde(default)]
    pub(super) forms: Vec<FormTable>,
    /// Put behind our symbol, where one symbol is of several venues.
    pub(super) suffix: Option<Template>,
    /// Digits behind the point of whole numbers.
    #[serde(default)]
    pub(super) decimals: Vec<DecimalsTable>,
}

impl InstrumentTable {
    /// The cells that tell it.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        let suffix = self.suffix.iter().flat_map(Template::cells);
        self.venue.cells().chain(self.symbol.cells()).chain(suffix)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecimalsTable {
    /// Patterns of symbols: `*JPY`.
    pub(super) symbols: Vec<Box<str>>,
    pub(super) digits: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RowsTable {
    pub(super) format: Format,
    /// Absent: the one of which the first line has most.
    pub(super) delimiter: Option<Delimiter>,
    /// What stands before decimals, and between groups of three digits.
    point: Option<Mark>,
    group: Option<Mark>,
    pub(super) header: Header,
    /// Lines before the header, or before the first row.
    pub(super) preamble: u64,
    /// Cells of every row.
    pub(super) columns: Option<usize>,
    /// Words that stand for nothing, as an empty cell does.
    pub(super) null: Words,
    /// Rows that are passed over.
    pub(super) skip: Vec<Condition>,
}

impl Default for RowsTable {
    fn default() -> Self {
        Self {
            format: Format::Text,
            delimiter: None,
            point: None,
            group: None,
            header: Header::Yes,
            preamble: 0,
            columns: None,
            null: Words::new(&["null", "none", "nan"]),
            skip: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// Delimited text or JSON, or Parquet or Arrow's own format, which their first bytes tell.
    Text,
    /// Dukascopy's hours: LZMA of records of 20 bytes.
    Dukascopy,
}

/// Whether the first line has the columns' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Header {
    Yes,
    No,
    /// It has where none of its cells begins like a number.
    Maybe,
}

/// What stands between cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Box<str>")]
pub(super) struct Delimiter(pub(super) u8);

impl TryFrom<Box<str>> for Delimiter {
    type Error = &'static str;

    fn try_from(text: Box<str>) -> Result<Self, Self::Error> {
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\n\r.-".contains(byte) => {
                Ok(Self(*byte))
            }
            _ => Err("a delimiter is one character such as \",\", \";\", \"|\" or \"\\t\""),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeTable {
    pub(super) column: Column,
    pub(super) unit: Unit,
    #[serde(default)]
    pub(super) since: Since,
    /// The day, where it stands in a column of its own.
    pub(super) date: Option<Column>,
    #[serde(default)]
    pub(super) date_order: DateOrder,
    pub(super) zone: Option<Zone>,
    #[serde(default)]
    pub(super) optional: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TradeTable {
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    pub(super) price: Number,
    pub(super) size: Number,
    pub(super) side: Option<SideField>,
    /// Other columns that may say it, each with words of its own: the first that the file has counts.
    #[serde(default)]
    pub(super) sides: Vec<SideField>,
    pub(super) id: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuoteTable {
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    pub(super) bid: Number,
    pub(super) bid_size: Option<Number>,
    pub(super) ask: Number,
    pub(super) ask_size: Option<Number>,
}

/// Every row is a whole book.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BookTable {
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    pub(super) bids: LadderTable,
    pub(super) asks: LadderTable,
    /// Rows that are whole books, where others are changes of them.
    pub(super) snapshot: Option<Condition>,
}

/// Levels of one side that a row may have.
pub(super) const LEVELS_MAX: usize = 1_000;

/// The levels of one side in a row.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LadderTable {
    /// The cell that is a list of all levels, in JSON; price and size are then in each of these.
    pub(super) list: Option<Column>,
    /// Of the best level; in a name `{n}` or `{nn}` is the level's number.
    pub(super) price: Number,
    pub(super) size: Number,
    /// Columns from one level to the next one.
    pub(super) step: Option<usize>,
    /// The number of the best level, where columns have names.
    #[serde(default)]
    pub(super) first: usize,
}

/// Every row is a level of a book that changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeTable {
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    pub(super) side: SideField,
    pub(super) price: Number,
    pub(super) size: Number,
    /// Rows that are levels of a whole book.
    pub(super) snapshot: Option<Condition>,
    /// Rows that have the same here belong to one message.
    #[serde(default)]
    pub(super) message: Vec<Column>,
}

/// Every row is something that happens to one order; before the first one the book is empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderTable {
    pub(super) id: Text,
    pub(super) side: SideField,
    pub(super) price: Number,
    pub(super) size: Number,
    pub(super) event: Column,
    /// Words for an order that comes into the book.
    pub(super) add: Words,
    /// Words for one that loses as much as the size says.
    #[serde(default)]
    pub(super) reduce: Option<Words>,
    /// Words for one that goes.
    #[serde(default)]
    pub(super) delete: Option<Words>,
    /// Words for one that gets another price or size.
    #[serde(default)]
    pub(super) replace: Option<Words>,
    /// Words for a book that is empty from here on.
    #[serde(default)]
    pub(super) clear: Option<Words>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusTable {
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    pub(super) column: Column,
    pub(super) states: Vec<StateTable>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateTable {
    pub(super) is: Words,
    pub(super) state: StateName,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Box<str>")]
pub(super) struct StateName(pub(super) State);

impl TryFrom<Box<str>> for StateName {
    type Error = &'static str;

    fn try_from(name: Box<str>) -> Result<Self, Self::Error> {
        let known = State::from_name(&name)
            .filter(|state| matches!(state, State::Open | State::Halted | State::Closed));
        known.map(Self).ok_or("a state is \"open\", \"halted\" or \"closed\"")
    }
}

/// A second file beside each: its row n is the book after row n of the first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BesideTable {
    /// What stands in the name of the first file,
    pub(super) from: Box<str>,
    /// and in that of the second one in its place.
    pub(super) to: Box<str>,
    pub(super) columns: Option<usize>,
    pub(super) bids: LadderTable,
    pub(super) asks: LadderTable,
}

impl TryFrom<Written> for Mapping {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        written.check()?;
        Ok(Self { written })
    }
}

impl Written {
    /// What the parts of a mapping cannot know of each other.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.says_something() {
            return Err("a mapping needs [trade], [quote], [book], [change], [order] or [status]".to_owned());
        }
        for (key, time) in [("time", &self.time), ("recv", &self.recv)] {
            let Some(time) = time else { continue };
            let is_text = matches!(time.unit, Unit::Iso | Unit::Auto);
            if is_text && time.since != Since::Epoch {
                return Err(format!("[{key}] since: only a number of s, ms, us or ns counts from somewhere"));
            }
            let of_day = time.since == Since::Midnight || (is_text && time.since == Since::Epoch);
            if time.date.is_some() && !of_day {
                return Err(format!(
                    "[{key}] date goes with since = \"midnight\", unit = \"iso\" or unit = \"auto\""
                ));
            }
            if time.date_order != DateOrder::Ymd && time.unit != Unit::Iso && time.date.is_none() {
                return Err(format!("[{key}] date_order: there is no date"));
            }
        }
        self.numerals().map_err(|why| format!("[rows] {why}"))?;
        if let Some((key, _)) = self.conditions().find(|(_, condition)| !condition.says_something()) {
            return Err(format!("{key} needs \"is\", \"begins\" or \"not\""));
        }
        let ladders =
            self.book.iter().flat_map(|book| [("[book] bids", &book.bids), ("[book] asks", &book.asks)]);
        let beside =
            self.beside.iter().flat_map(|b| [("[beside] bids", &b.bids), ("[beside] asks", &b.asks)]);
        for (key, ladder) in ladders.chain(beside) {
            ladder.check().map_err(|why| format!("{key}: {why}"))?;
        }
        if self.book.is_some() && (self.change.is_some() || self.order.is_some()) {
            return Err("[book] does not go with [change] or [order]: whose book would it be?".to_owned());
        }
        if self.change.is_some() && self.order.is_some() {
            return Err("[change] does not go with [order]: whose book would it be?".to_owned());
        }
        Ok(())
    }

    pub(super) const fn says_something(&self) -> bool {
        self.trade.is_some()
            || self.quote.is_some()
            || self.book.is_some()
            || self.change.is_some()
            || self.order.is_some()
            || self.status.is_some()
    }

    /// How numbers are written.
    pub(super) fn numerals(&self) -> Result<Numerals, &'static str> {
        Numerals::new(self.rows.point, self.rows.group)
    }

    pub(super) fn forms(&self) -> Forms {
        Forms { usual: self.instrument.form, of_venues: self.instrument.forms.clone() }
    }
}

impl LadderTable {
    fn check(&self) -> Result<(), &'static str> {
        if self.list.is_some() {
            return if self.step.is_none() {
                Ok(())
            } else {
                Err("a step goes with positions, not with a list")
            };
        }
        let named = self.price.text.column.has_level() && self.size.text.column.has_level();
        match self.step {
            Some(0) => Err("step is at least 1"),
            Some(_) if named => Err("a step goes with positions, {n} with names"),
            None if !named => {
                Err("columns of levels need {n} in their names, or a step between their positions")
            }
            _ => Ok(()),
        }
    }
}
