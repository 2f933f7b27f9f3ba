//! Lists and objects of JSON, cell by cell, each still as it is written.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::column::COLUMNS_MAX;
use super::row::{Span, span};
use crate::error::FeedError;

/// The cells of a row, still as JSON.
pub(super) enum Cells<'a> {
    List(Vec<&'a RawValue>),
    Object(Vec<(Cow<'a, str>, &'a RawValue)>),
}

impl<'a> Cells<'a> {
    /// Those of a list or an object.
    pub(super) fn of(text: &'a str) -> Result<Self, FeedError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The cell at a position, from 0, or of a key.
    pub(super) fn get(&self, step: &Step) -> Option<&'a RawValue> {
        match (self, step) {
            (Self::List(list), Step::At(at)) => list.get(*at).copied(),
            (Self::Object(object), Step::Key(key)) => {
                object.iter().find(|(known, _)| **known == **key).map(|(_, cell)| *cell)
            }
            (Self::List(_), Step::Key(_)) | (Self::Object(_), Step::At(_)) => None,
        }
    }
}

/// One step into JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Of an object.
    Key(Box<str>),
    /// Of a list, from 0.
    At(usize),
}

impl<'de> Deserialize<'de> for Cells<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CellsVisitor;
        impl<'de> Visitor<'de> for CellsVisitor {
            type Value = Cells<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list or an object")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut cells = Vec::new();
                while let Some(cell) = list.next_element()? {
                    cells.push(cell);
                    if cells.len() > COLUMNS_MAX {
                        return Err(A::Error::invalid_length(cells.len(), &self));
                    }
                }
                Ok(Cells::List(cells))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut cells = Vec::new();
                while let Some((Key(key), cell)) = map.next_entry()? {
                    cells.push((key, cell));
                    if cells.len() > COLUMNS_MAX {
                        return Err(A::Error::invalid_length(cells.len(), &self));
                    }
                }
                Ok(Cells::Object(cells))
            }
        }
        deserializer.deserialize_any(CellsVisitor)
    }
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Appends a cell: of a text what it says, of anything else how it is written.
pub(super) fn push(cell: &RawValue, cells: &mut Vec<Span>, text: &mut Vec<u8>) -> Result<(), FeedError> {
    let start = text.len();
    let raw = cell.get();
    if raw.starts_with('"') {
        let Key(said) = serde_json::from_str(raw)?;
        text.extend_from_slice(said.as_bytes());
    } else if raw != "null" {
        text.extend_from_slice(raw.as_bytes());
    }
    cells.push(span(start, text.len()));
    Ok(())
}
