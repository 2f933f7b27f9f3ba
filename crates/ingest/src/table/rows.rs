//! The rows of a file, however it is written.

use std::io::BufRead;

use super::column::Names;
use super::mapping::{Format, Header, Written};
use super::numerals::Numerals;
use super::row::{Row, RowError, Span};
use super::{bi5, columns, csv, json};
use crate::capture::{Input, Lines, ReadError};
use crate::error::FeedError;
use crate::reader::{Spot, Unit};

/// The rows of a file.
pub(super) enum Rows {
    Text(Text),
    Json(Held<json::Rows>),
    Records(bi5::Rows),
    Columns(columns::Rows),
}

/// Lines of delimited text.
pub(super) struct Text {
    lines: Lines<Input>,
    /// Absent until the first line told it.
    delimiter: Option<u8>,
    numerals: Numerals,
    /// The first line, while it waits to be a row.
    first: Option<Vec<u8>>,
    line: Vec<u8>,
    cells: Vec<Span>,
    unquoted: Vec<u8>,
}

/// Rows of which the first one was read to see what they are.
pub(super) struct Held<T> {
    rows: T,
    held: bool,
}

const MARK: &[u8] = "\u{feff}".as_bytes();
const PARQUET: &[u8] = b"PAR1";
const ARROW: &[u8] = b"ARROW1";

impl Rows {
    /// The rows of a file, which `mapping` may say how to read.
    pub(super) fn new(mut input: Input, mapping: Option<&Written>) -> Result<Self, FeedError> {
        if mapping.is_some_and(|mapping| mapping.rows.format == Format::Dukascopy) {
            return bi5::Rows::new(input).map(Self::Records);
        }
        let begin = input.fill_buf().map_err(ReadError::Input)?;
        if begin.starts_with(PARQUET) || begin.starts_with(ARROW) {
            return columns::Rows::new(input).map(Self::Columns);
        }
        let text = begin.strip_prefix(MARK).unwrap_or(begin).trim_ascii_start();
        if matches!(text.first(), Some(b'[' | b'{')) {
            return Ok(Self::Json(Held { rows: json::Rows::new(input), held: false }));
        }
        Ok(Self::Text(Text::new(input, mapping)))
    }

    /// The names of the columns, as far as the file has some; `None` where there is nothing in it. A line
    /// that has nothing else is read over.
    pub(super) fn names(&mut self, header: Header, preamble: u64) -> Result<Option<Names>, FeedError> {
        match self {
            Self::Text(text) => text.names(header, preamble),
            Self::Json(json) => {
                json.held = json.rows.next_row()?;
                Ok(json.held.then(|| json.rows.names.clone()))
            }
            Self::Records(records) => Ok(Some(records.names.clone())),
            Self::Columns(columns) => Ok(Some(columns.names().clone())),
        }
    }

    /// The next row; `None` at the end. An empty one says nothing.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, FeedError> {
        let (text, cells) = match self {
            Self::Text(text) => return text.next(),
            Self::Json(Held { rows, held }) => {
                if !(std::mem::take(held) || rows.next_row()?) {
                    return Ok(None);
                }
                (&rows.text, &rows.cells)
            }
            Self::Records(rows) => {
                if !rows.next_row()? {
                    return Ok(None);
                }
                (&rows.text, &rows.cells)
            }
            Self::Columns(rows) => {
                if !rows.next_row()? {
                    return Ok(None);
                }
                (&rows.text, &rows.cells)
            }
        };
        Ok(Some(Row { text, cells }))
    }

    /// What was read last.
    pub(super) fn spot(&self) -> Spot {
        match self {
            Self::Text(text) => Spot::line(text.lines.number()),
            Self::Json(json) => Spot { unit: Unit::Row, number: json.rows.number },
            Self::Records(rows) => Spot { unit: Unit::Record, number: rows.number() },
            Self::Columns(rows) => Spot { unit: Unit::Row, number: rows.number },
        }
    }
}

/// The delimiter of which a line has most, where nobody has said which it is; a space only where there
/// is no other.
fn likely(line: &[u8], numerals: Numerals) -> u8 {
    let is_free = |delimiter| delimiter != numerals.point && Some(delimiter) != numerals.group;
    let count = |delimiter| memchr::memchr_iter(delimiter, line).count() * usize::from(is_free(delimiter));
    let space = if line.trim_ascii().contains(&b' ') { b' ' } else { b',' };
    // Of those that stand equally often the last one is taken.
    let most = *b"|\t;,".iter().max_by_key(|&&delimiter| count(delimiter)).unwrap_or(&b',');
    if count(most) == 0 { space } else { most }
}

impl Text {
    pub(super) fn new(input: Input, mapping: Option<&Written>) -> Self {
        let delimiter = mapping.and_then(|mapping| mapping.rows.delimiter).map(|delimiter| delimiter.0);
        let numerals = mapping.and_then(|mapping| mapping.numerals().ok()).unwrap_or_default();
        let (line, cells, unquoted) = (Vec::new(), Vec::new(), Vec::new());
        Self { lines: Lines::new(input), delimiter, numerals, first: None, line, cells, unquoted }
    }

    /// Reads what stands before the first row.
    fn names(&mut self, header: Header, preamble: u64) -> Result<Option<Names>, FeedError> {
        for _ in 0..preamble {
            self.lines.next_line()?;
        }
        let first = loop {
            match self.lines.next_line()? {
                None => return Ok(None),
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => break line.strip_prefix(MARK).unwrap_or(line).to_vec(),
            }
        };
        let delimiter = *self.delimiter.get_or_insert_with(|| likely(&first, self.numerals));
        let text = csv::cut(&first, delimiter, &mut self.cells, &mut self.unquoted)?;
        let row = Row { text, cells: &self.cells };
        let cells = (0..row.cells.len()).map(|at| row.cell(at)).collect::<Result<Vec<_>, RowError>>()?;
        let numeric =
            |cell: &&[u8]| matches!(cell, [b'0'..=b'9', ..] | [b'-' | b'+' | b'.', b'0'..=b'9', ..]);
        let is_header = match header {
            Header::Yes => true,
            Header::No => false,
            Header::Maybe => !cells.iter().any(numeric),
        };
        if is_header {
            let name = |cell: &&[u8]| String::from_utf8_lossy(cell).into_owned().into_boxed_str();
            return Ok(Some(Names(cells.iter().map(name).collect())));
        }
        self.first = Some(first);
        Ok(Some(Names::default()))
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, FeedError> {
        let line = match self.first.take() {
            Some(first) => {
                self.line = first;
                self.line.as_slice()
            }
            None => match self.lines.next_line()? {
                None => return Ok(None),
                Some(line) => line,
            },
        };
        if line.first().is_none_or(u8::is_ascii_whitespace) && line.trim_ascii().is_empty() {
            self.cells.clear();
            return Ok(Some(Row { text: line, cells: &self.cells }));
        }
        let delimiter = *self.delimiter.get_or_insert_with(|| likely(line, self.numerals));
        let text = csv::cut(line, delimiter, &mut self.cells, &mut self.unquoted)?;
        Ok(Some(Row { text, cells: &self.cells }))
    }

    pub(super) fn number(&self) -> u64 {
        self.lines.number()
    }
}
