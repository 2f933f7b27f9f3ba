//! Messages of JSON from venues that need no code of their own: a mapping says what stands where in them.
//!
//! A message, or each row of a list in it, becomes a row of text, and a [`Plan`] makes ticks of it, as it does of
//! the rows of files.

use model::{GapReason, Tick};
use serde::Deserialize;

use super::cells::{Cells, push};
use super::column::{Column, Names, Words};
use super::error::TableError;
use super::mapping::{
    BookTable, ChangeTable, InstrumentTable, OrderTable, QuoteTable, RowsTable, StatusTable, TimeTable,
    TradeTable, Written,
};
use super::name::Told;
use super::path::{Path, Places};
use super::plan::{self, Plan};
use super::row::{Row, Span, span};
use super::side::{Condition, Test};
use super::who::{Desk, Templates};
use crate::error::FeedError;
use crate::reader::Options;
use crate::venue::{Link, Normaliser, gap, unpack};

/// What stands where in a venue's messages: read it from TOML.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WrittenMessages")]
pub struct Messages {
    ignore: Option<Words>,
    kinds: Vec<Kind>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMessages {
    /// One line for people.
    #[serde(default, rename = "about")]
    _about: Option<String>,
    instrument: InstrumentTable,
    /// Frames that say nothing and are no JSON: `pong`.
    ignore: Option<Words>,
    /// Words that stand for nothing, as a missing field does.
    null: Option<Words>,
    message: Vec<MessageTable>,
}

/// One kind of message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageTable {
    /// What all messages of this kind have.
    #[serde(default)]
    when: Vec<Condition>,
    /// The list of which each row says something; absent: the message is the row.
    rows: Option<Box<str>>,
    /// The venue's name of the instrument, where these messages have it elsewhere.
    symbol: Option<Templates>,
    /// Such a message is the venue's refusal, and this is what it says.
    refused: Option<Box<str>>,
    time: Option<TimeTable>,
    trade: Option<TradeTable>,
    quote: Option<QuoteTable>,
    book: Option<BookTable>,
    change: Option<ChangeTable>,
    order: Option<OrderTable>,
    status: Option<StatusTable>,
}

/// One kind of message, its columns turned into paths.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    when: Vec<(Condition, Alternatives)>,
    rows: Vec<Path>,
    says: Says,
}

/// Paths, of which the first that leads somewhere counts.
type Alternatives = Vec<Path>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Says {
    Refusal(Path),
    /// What a row says, and the cells that it is to have.
    Rows(Box<Written>, Names, Vec<Alternatives>),
}

impl TryFrom<WrittenMessages> for Messages {
    type Error = String;

    fn try_from(written: WrittenMessages) -> Result<Self, Self::Error> {
        if written.message.is_empty() {
            return Err("a mapping of messages needs [[message]]".to_owned());
        }
        let (instrument, null) = (written.instrument, written.null);
        let kind = |(n, table): (usize, MessageTable)| {
            let number = n + 1;
            table.kind(&instrument, null.as_ref()).map_err(|why| format!("[[message]] {number}: {why}"))
        };
        let kinds = written.message.into_iter().enumerate().map(kind).collect::<Result<_, _>>()?;
        Ok(Self { ignore: written.ignore, kinds })
    }
}

fn path(text: &str) -> Result<Path, String> {
    Path::parse(text).map_err(|why| format!("{text:?}: {why}"))
}

fn paths(column: &Column) -> Result<Alternatives, String> {
    column.paths().iter().map(|text| path(text)).collect()
}

impl MessageTable {
    fn kind(self, instrument: &InstrumentTable, null: Option<&Words>) -> Result<Kind, String> {
        let condition = |condition: Condition| {
            if !condition.says_something() {
                return Err("when needs \"is\", \"begins\" or \"not\"".to_owned());
            }
            let paths = paths(&condition.column)?;
            Ok((condition, paths))
        };
        let when = self.when.into_iter().map(condition).collect::<Result<_, _>>()?;
        let rows = match self.rows.as_deref() {
            Some(text) => Path::parse_rows(text).map_err(|why| format!("{text:?}: {why}"))?,
            None => Vec::new(),
        };
        let mut written = Written {
            about: None,
            names: Vec::new(),
            instrument: instrument.clone(),
            rows: RowsTable::default(),
            time: self.time,
            recv: None,
            trade: self.trade,
            quote: self.quote,
            book: self.book,
            change: self.change,
            order: self.order,
            status: self.status,
            beside: None,
        };
        if let Some(null) = null {
            written.rows.null = null.clone();
        }
        if let Some(symbol) = self.symbol {
            written.instrument.symbol = symbol;
        }
        if let Some(refused) = &self.refused {
            if written.says_something() || written.time.is_some() {
                return Err("what is \"refused\" says nothing else".to_owned());
            }
            return Ok(Kind { when, rows, says: Says::Refusal(path(refused)?) });
        }
        written.check()?;
        let ladders = written.book.iter().flat_map(|book| [&book.bids, &book.asks]);
        if ladders.into_iter().any(|ladder| ladder.list.is_none()) {
            return Err("[message.book]: bids and asks need \"list\", the path of all levels".to_owned());
        }
        let (mut names, mut cells) = (Names::default(), Vec::new());
        for text in written.instrument.cells() {
            cells.push(vec![path(text)?]);
            names.0.push(text.into());
        }
        for column in written.columns_mut() {
            cells.push(paths(column)?);
            let name = column.paths().join(" or ");
            names.0.push(name.as_str().into());
            *column = Column::called(&name);
        }
        Ok(Kind { when, rows, says: Says::Rows(Box::new(written), names, cells) })
    }
}

/// Reads a venue's messages.
pub(super) struct Mapped {
    ignore: Option<Words>,
    readings: Vec<Reading>,
    desk: Desk,
}

struct Reading {
    when: Vec<(Test, Alternatives)>,
    rows: Vec<Path>,
    does: Does,
    cells: Vec<Span>,
    text: Vec<u8>,
}

enum Does {
    Refuse(Path),
    Read(Box<Plan>, Vec<Alternatives>),
}

impl Messages {
    /// What reads such messages.
    pub(super) fn reader(&self, options: &Options) -> Result<Mapped, TableError> {
        let reading = |kind: &Kind| {
            let does = match &kind.says {
                Says::Refusal(path) => Does::Refuse(path.clone()),
                Says::Rows(written, names, cells) => {
                    let mut plan = Plan::new(written, plan::File { names, told: &Told::default(), options })?;
                    plan.name_paths();
                    Does::Read(Box::new(plan), cells.clone())
                }
            };
            // Each is held against a row that has its cell alone.
            let when = kind.when.iter().map(|(condition, paths)| (condition.at(0), paths.clone())).collect();
            Ok(Reading { when, rows: kind.rows.clone(), does, cells: Vec::new(), text: Vec::new() })
        };
        let readings = self.kinds.iter().map(reading).collect::<Result<_, TableError>>()?;
        let own_quotes =
            |kind: &Kind| matches!(&kind.says, Says::Rows(written, ..) if written.quote.is_some());
        let own_quotes = self.kinds.iter().any(own_quotes);
        let mut desk = Desk::default();
        desk.own_quotes = own_quotes;
        Ok(Mapped { ignore: self.ignore.clone(), readings, desk })
    }
}

impl Reading {
    /// Whether a message is of this kind.
    fn fits(&mut self, whole: &Cells<'_>) -> Result<bool, FeedError> {
        for (test, paths) in &self.when {
            self.cells.clear();
            self.text.clear();
            gather(std::slice::from_ref(paths), Places::of(whole), &mut self.cells, &mut self.text)?;
            if !test.holds(&Row { text: &self.text, cells: &self.cells })? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads a message of this kind. Of several rows those that are whole are read, whatever the others are.
    fn read(&mut self, whole: &Cells<'_>, desk: &mut Desk, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let Does::Read(..) = &self.does else { return self.refuse(whole) };
        let rows = std::mem::take(&mut self.rows);
        let read = self.rows(&rows, Places::of(whole), desk, out);
        self.rows = rows;
        self.finish(read, desk, out)
    }

    /// Reads the rows that stand along a path; `places` is where it begins.
    fn rows(
        &mut self,
        path: &[Path],
        places: Places<'_, '_>,
        desk: &mut Desk,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let Some((first, rest)) = path.split_first() else { return self.row(places, desk, out) };
        let around = places.at(first.begin);
        let found = match first.find(around)? {
            Some(found) if found.get() == "null" => return Ok(()),
            Some(found) => Some(Cells::of(found.get())?),
            None if first.is_empty() => None,
            None => return Ok(()),
        };
        let mut read = Ok(());
        match found.as_ref().unwrap_or(around) {
            // A list of lists or objects; any other is a row itself.
            Cells::List(rows) if rows.first().is_none_or(|row| row.get().starts_with(['[', '{'])) => {
                for row in rows {
                    let row = Cells::of(row.get()).and_then(|row| {
                        self.rows(
                            rest,
                            Places { row: &row, around: places.row, whole: places.whole },
                            desk,
                            out,
                        )
                    });
                    read = read.and(row);
                }
            }
            row => {
                read = self.rows(rest, Places { row, around: places.row, whole: places.whole }, desk, out);
            }
        }
        read
    }

    fn refuse(&self, whole: &Cells<'_>) -> Result<(), FeedError> {
        let Does::Refuse(path) = &self.does else { return Ok(()) };
        let (mut cells, mut text) = (Vec::new(), Vec::new());
        gather(&[vec![path.clone()]], Places::of(whole), &mut cells, &mut text)?;
        Err(FeedError::refused(&String::from_utf8_lossy(&text)))
    }

    fn row(&mut self, places: Places<'_, '_>, desk: &mut Desk, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        let Does::Read(plan, paths) = &mut self.does else { return Ok(()) };
        self.cells.clear();
        self.text.clear();
        gather(paths, places, &mut self.cells, &mut self.text)?;
        let row = Row { text: &self.text, cells: &self.cells };
        plan.read(&row, None, desk, out).map(|_| ()).map_err(|error| plan.explain(error))
    }

    /// The message is at its end: what waited for more rows is whole, unless one of them was broken.
    fn finish(
        &mut self,
        read: Result<(), FeedError>,
        desk: &mut Desk,
        out: &mut Vec<Tick>,
    ) -> Result<(), FeedError> {
        let Does::Read(plan, _) = &mut self.does else { return Ok(()) };
        match &read {
            Ok(()) => plan.finish(desk, out),
            Err(_) => plan.broken(desk, out),
        }
        read
    }
}

/// Appends the cells that paths lead to; what is not there is an empty one.
fn gather(
    paths: &[Alternatives],
    places: Places<'_, '_>,
    cells: &mut Vec<Span>,
    text: &mut Vec<u8>,
) -> Result<(), FeedError> {
    for paths in paths {
        let mut found = None;
        for path in paths {
            found = path.find(places.at(path.begin))?;
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(cell) => push(cell, cells, text)?,
            None => cells.push(span(text.len(), text.len())),
        }
    }
    Ok(())
}

impl Normaliser for Mapped {
    fn handle_connect(&mut self, link: &Link<'_>, _addr: &str, out: &mut Vec<Tick>) {
        self.desk.board.void_all(link.conn, link.times(None), gap(GapReason::Reconnect), out);
    }

    fn handle_frame(&mut self, link: &Link<'_>, text: &str, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        if self.ignore.as_ref().is_some_and(|words| words.has(text.trim().as_bytes())) {
            return Ok(());
        }
        let whole = Cells::of(text)?;
        self.desk.comes_in(link);
        let mut read = Ok(());
        for reading in &mut self.readings {
            if reading.fits(&whole)? {
                read = read.and(reading.read(&whole, &mut self.desk, out));
            }
        }
        read
    }

    fn handle_binary(&mut self, link: &Link<'_>, bytes: &[u8], out: &mut Vec<Tick>) -> Result<(), FeedError> {
        self.handle_frame(link, &unpack::gunzip(bytes)?, out)
    }
}
