//! Rows of JSON: lists or objects, in one list or a line each.

use std::io::{self, BufRead};

use super::cells::{Cells, push};
use super::column::Names;
use super::row::{RowError, Span, span};
use crate::capture::{Input, LINE_BYTES_MAX, ReadError};
use crate::error::FeedError;

/// The rows of a file.
pub(super) struct Rows {
    input: Input,
    /// The text of the row at hand.
    row: Vec<u8>,
    /// Where the row's cells are in `text`.
    pub(super) cells: Vec<Span>,
    pub(super) text: Vec<u8>,
    pub(super) number: u64,
    /// The keys of the first object.
    pub(super) names: Names,
    /// The list around the rows was entered.
    begun: bool,
    failed: bool,
}

impl Rows {
    pub(super) fn new(input: Input) -> Self {
        Self {
            input,
            row: Vec::new(),
            cells: Vec::new(),
            text: Vec::new(),
            number: 0,
            names: Names::default(),
            begun: false,
            failed: false,
        }
    }

    /// Reads the next row into `cells` and `text`; false at the end.
    pub(super) fn next_row(&mut self) -> Result<bool, FeedError> {
        if self.failed || !self.gather()? {
            return Ok(false);
        }
        self.cells.clear();
        self.text.clear();
        let row: Cells<'_> = serde_json::from_slice(&self.row).map_err(FeedError::from)?;
        match row {
            Cells::List(list) => {
                for cell in list {
                    push(cell, &mut self.cells, &mut self.text)?;
                }
            }
            Cells::Object(object) => {
                if self.names.0.is_empty() {
                    self.names.0.extend(object.iter().map(|(key, _)| key.as_ref().into()));
                }
                for (n, name) in self.names.0.iter().enumerate() {
                    // Objects mostly have their keys in one order.
                    let same = object.get(n).filter(|(key, _)| **key == **name);
                    match same.or_else(|| object.iter().find(|(key, _)| **key == **name)) {
                        Some((_, cell)) => push(cell, &mut self.cells, &mut self.text)?,
                        None => self.cells.push(span(self.text.len(), self.text.len())),
                    }
                }
            }
        }
        Ok(true)
    }

    /// Copies the text of the next row; false at the end.
    fn gather(&mut self) -> Result<bool, FeedError> {
        self.row.clear();
        self.number += 1;
        let Some(first) = self.find_row()? else {
            self.number -= 1;
            return Ok(false);
        };
        let (mut depth, mut in_text, mut escaped, mut too_long) = (0_usize, false, false, false);
        let mut first = Some(first);
        loop {
            let next = first.take().map_or_else(|| self.peek(), |byte| Ok(Some(byte)))?;
            let Some(byte) = next else {
                self.failed = true;
                return Err(RowError::Json("the file ends in the middle of a row").into());
            };
            self.input.consume(1);
            too_long |= self.row.len() >= LINE_BYTES_MAX;
            if !too_long {
                self.row.push(byte);
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                _ if in_text => {}
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return if too_long { Err(ReadError::TooLong.into()) } else { Ok(true) };
            }
        }
    }

    /// Goes to the next row and says what it begins with; `None` at the end.
    fn find_row(&mut self) -> Result<Option<u8>, FeedError> {
        loop {
            match self.peek()? {
                None => return Ok(None),
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b'\x1e') => self.input.consume(1),
                // The end of the list around the rows.
                Some(b']') if self.begun => self.input.consume(1),
                Some(b'[') if !self.begun => {
                    self.begun = true;
                    // The list around the rows, or, where it begins with something else, a row itself.
                    if self.is_outer()? {
                        self.input.consume(1);
                    } else {
                        return Ok(Some(b'['));
                    }
                }
                Some(byte @ (b'[' | b'{')) => {
                    self.begun = true;
                    return Ok(Some(byte));
                }
                Some(_) => {
                    self.pass()?;
                    return Err(RowError::Json("a list or an object must stand here").into());
                }
            }
        }
    }

    /// Whether the list that begins here is one of rows.
    fn is_outer(&mut self) -> Result<bool, FeedError> {
        let ahead = self.input.fill_buf().map_err(ReadError::Input)?;
        let next = ahead.iter().skip(1).find(|byte| !byte.is_ascii_whitespace());
        Ok(matches!(next, Some(b'[' | b'{' | b']') | None))
    }

    /// Passes over what is no row, up to the next one or the end of the line.
    fn pass(&mut self) -> Result<(), FeedError> {
        while let Some(byte) = self.peek()? {
            if matches!(byte, b'[' | b'{' | b'\n') {
                break;
            }
            self.input.consume(1);
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<u8>, FeedError> {
        let chunk = self.input.fill_buf();
        self.failed |= chunk.is_err();
        Ok(chunk.map_err(|error: io::Error| ReadError::Input(error))?.first().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static str) -> Vec<String> {
        let mut rows = Rows::new(Input::new(Box::new(text.as_bytes()), None).unwrap());
        let mut found = Vec::new();
        loop {
            match rows.next_row() {
                Ok(false) => return found,
                Ok(true) => {
                    let cell = |cell: &Span| {
                        str::from_utf8(&rows.text[cell.start as usize..cell.end as usize]).unwrap().to_owned()
                    };
                    found.push(rows.cells.iter().map(cell).collect::<Vec<_>>().join("|"));
                }
                Err(error) => found.push(format!("! {error}")),
            }
        }
    }

    #[test]
    fn lists_and_objects() {
        assert_eq!(rows(r#"[[1,"a",null,1.50],[2,"b\"]",true,1e-5]]"#), ["1|a||1.50", r#"2|b"]|true|1e-5"#]);
        assert_eq!(rows("[1,2]\n[3,4]\n"), ["1|2", "3|4"]);
        assert_eq!(rows(r#"[{"a":1,"b":"x"}, {"b":"y","a":2},{"a":3}]"#), ["1|x", "2|y", "3|"]);
        assert_eq!(rows("{\"a\":{\"c\":[1]},\"b\":2}\n{\"a\":1,\"b\":3}"), ["{\"c\":[1]}|2", "1|3"]);
        assert_eq!(rows(""), [""; 0]);
        assert_eq!(rows("[]"), [""; 0]);
    }

    #[test]
    fn what_is_broken_is_passed_over() {
        assert_eq!(
            rows("[[1,2],7,[3,]\n,[4,5]]"),
            [
                "1|2",
                "! not a row: a list or an object must stand here",
                "! not JSON: trailing comma at line 1 column 4",
                "4|5"
            ]
        );
        assert_eq!(rows("[[1,2],[3,"), ["1|2", "! not a row: the file ends in the middle of a row"]);
    }
}
