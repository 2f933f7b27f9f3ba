//! The rows of a file, however it is written.

use std::collections::VecDeque;
use std::io::BufRead;

use super::column::Names;
use super::mapping::{Format, Header, Written};
use super::numerals::Numerals;
use super::row::{Row, RowError, Span};
use super::{TableError, begin, bi5, columns, csv, json};
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
    /// The first line, while it waits to be a row; and lines that a quoted cell did not go on in.
    first: Option<Vec<u8>>,
    waiting: VecDeque<Vec<u8>>,
    /// A line of which a quoted cell is not closed.
    open: Option<Vec<u8>>,
    /// The line that names the columns, where there is one.
    header: Vec<u8>,
    line: Vec<u8>,
    cells: Vec<Span>,
    unquoted: Vec<u8>,
}

/// Rows of which the first one was read to see what they are.
pub(super) struct Held<T> {
    rows: T,
    held: bool,
}

/// Lines that a quoted cell may go on for.
const CELL_LINES_MAX: usize = 8;
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
        if let Some(what) = begin::refused(begin) {
            return Err(TableError::Other(what).into());
        }
        let text = begin.strip_prefix(MARK).unwrap_or(begin).trim_ascii_start();
        if matches!(text.first(), Some(b'[' | b'{')) {
            return Ok(Self::Json(Held { rows: json::Rows::new(input), held: false }));
        }
        if begin::has_old_lines(begin) {
            let read = Input::new(Box::new(begin::OldLines(input)), None).map_err(TableError::Input)?;
            return Ok(Self::Text(Text::new(read, mapping)));
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
            Self::Text(text) => Spot::line(text.number()),
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
        let (waiting, open, header) = (VecDeque::new(), None, Vec::new());
        let first = None;
        Self {
            lines: Lines::new(input),
            delimiter,
            numerals,
            first,
            waiting,
            open,
            header,
            line,
            cells,
            unquoted,
        }
    }

    /// Reads what stands before the first row.
    fn names(&mut self, header: Header, preamble: u64) -> Result<Option<Names>, FeedError> {
        for _ in 0..preamble {
            self.lines.next_line()?;
        }
        let mut remark = None;
        let first = loop {
            match self.lines.next_line()? {
                None => return Ok(None),
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => match line {
                    // What spreadsheets are told of the delimiter.
                    [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => {
                        self.delimiter.get_or_insert(*delimiter);
                    }
                    [b'#', text @ ..] => remark = Some(text.to_vec()),
                    line => break line.to_vec(),
                },
            }
        };
        let delimiter = *self.delimiter.get_or_insert_with(|| likely(&first, self.numerals));
        let mut cells = self.texts(&first, delimiter)?;
        let is_numeric =
            |cell: &str| matches!(cell.as_bytes(), [b'0'..=b'9', ..] | [b'-' | b'+' | b'.', b'0'..=b'9', ..]);
        let has_numbers = cells.iter().any(|cell| is_numeric(cell));
        // Some write the names as a remark.
        if let Some(remark) = remark.filter(|_| has_numbers && header != Header::No) {
            let names = self.texts(&remark, delimiter)?;
            if names.len() == cells.len() && names.len() > 2 {
                (self.header, cells) = ([b"#".as_slice(), &remark].concat(), names);
                self.first = Some(first);
                return Ok(Some(Names(cells)));
            }
        }
        let is_header = match header {
            Header::Yes => true,
            Header::No => false,
            Header::Maybe => !has_numbers,
        };
        if is_header {
            self.header = first;
            return Ok(Some(Names(cells)));
        }
        self.first = Some(first);
        Ok(Some(Names::default()))
    }

    /// The cells of a line that may be the header.
    fn texts(&mut self, line: &[u8], delimiter: u8) -> Result<Vec<Box<str>>, FeedError> {
        let text = csv::cut(line, delimiter, &mut self.cells, &mut self.unquoted)?;
        let row = Row { text, cells: &self.cells };
        let cell = |at| row.cell(at).map(|cell| String::from_utf8_lossy(cell).into_owned().into_boxed_str());
        Ok((0..row.cells.len()).map(cell).collect::<Result<_, RowError>>()?)
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, FeedError> {
        if let Some((line, delimiter)) = self.open.take().zip(self.delimiter) {
            return self.joined(line, delimiter).map(Some);
        }
        let line = match self.first.take().or_else(|| self.waiting.pop_front()) {
            Some(first) => {
                self.line = first;
                self.line.as_slice()
            }
            None => match self.lines.next_line()? {
                None => return Ok(None),
                Some(line) => line,
            },
        };
        let is_blank = line.first().is_none_or(u8::is_ascii_whitespace) && line.trim_ascii().is_empty();
        // Files that were put one behind the other have the header again.
        let is_header = || !self.header.is_empty() && line.strip_prefix(MARK).unwrap_or(line) == self.header;
        if is_blank || is_header() {
            self.cells.clear();
            return Ok(Some(Row { text: &[], cells: &self.cells }));
        }
        let delimiter = *self.delimiter.get_or_insert_with(|| likely(line, self.numerals));
        match csv::cut(line, delimiter, &mut self.cells, &mut self.unquoted) {
            Ok(text) => Ok(Some(Row { text, cells: &self.cells })),
            // It may go on in the next lines, which are looked at when it is asked again.
            Err(RowError::Quote { .. }) if !self.header.is_empty() => {
                self.open = Some(line.to_vec());
                self.cells.clear();
                Ok(Some(Row { text: &[], cells: &self.cells }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A row of which a quoted cell was not closed on its line: it goes on where that closes it and the row has as
    /// many cells as the header then. A stray mark must not swallow what comes after.
    fn joined(&mut self, line: Vec<u8>, delimiter: u8) -> Result<Row<'_>, FeedError> {
        let refused = csv::cut(&line, delimiter, &mut self.cells, &mut self.unquoted).err();
        let width = self.header_width(delimiter);
        self.line = line;
        for n in 0..CELL_LINES_MAX {
            if n >= self.waiting.len() {
                let Some(next) = self.lines.next_line()? else { break };
                self.waiting.push_back(next.to_vec());
            }
            self.line.push(b'\n');
            self.line.extend_from_slice(&self.waiting[n]);
            if csv::cut(&self.line, delimiter, &mut self.cells, &mut self.unquoted).is_err() {
                continue;
            }
            if self.cells.len() == width {
                self.waiting.drain(..=n);
                return Ok(Row { text: &self.unquoted, cells: &self.cells });
            }
            break;
        }
        Err(refused.unwrap_or(RowError::Quote { column: 1 }).into())
    }

    fn header_width(&mut self, delimiter: u8) -> usize {
        match csv::cut(&self.header, delimiter, &mut self.cells, &mut self.unquoted) {
            Ok(_) => self.cells.len(),
            Err(_) => 0,
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.lines.number() - self.waiting.len() as u64
    }
}
