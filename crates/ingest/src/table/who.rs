//! Which instrument a row is about: out of its cells, or out of the file's name.

use std::collections::HashMap;
use std::fmt;

use model::{FeedGap, GapReason, Instrument, Symbol, Tick, UnixNanos, Venue};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::column::Names;
use super::form::{Form, Forms, is_ticker, safe};
use super::name::Told;
use super::row::{CellFault, Row};
use crate::board::{Board, Slot, Times};
use crate::error::FeedError;
use crate::venue::Link;

/// A text with places in it for cells and for what the file's name tells: `usa-{6}`, `{file.SYMBOL}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    /// What the file's name tells; in capitals.
    File(Box<str>, bool),
    /// A cell, or the part of it that stands for `*` in a pattern.
    Cell(Box<str>, Option<Part>),
}

/// What stands before and behind the part of a cell that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part(Box<str>, Box<str>);

/// Templates, of which the first counts that has all it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Templates(pub(super) Vec<Template>);

/// Where [`Templates`] find what they need, in one file.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) names: &'a Names,
    pub(super) told: &'a Told,
}

/// A template in the rows of one file.
#[derive(Debug)]
struct Filled(Vec<Bit>);

#[derive(Debug)]
enum Bit {
    Text(String),
    Cell(usize, Option<Part>),
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, place)) = rest.split_once('{') {
            let (name, behind) = place.split_once('}').ok_or("\"{\" without \"}\"")?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(match name.strip_prefix("file.") {
                Some(told) => {
                    let small = told.to_ascii_lowercase();
                    Piece::File(small.as_str().into(), small != told)
                }
                None if name.is_empty() || name == "0" => {
                    return Err("what stands in { } is a column or file.…, what the file's name tells");
                }
                None => match name.split_once('|') {
                    None => Piece::Cell(name.into(), None),
                    Some((name, pattern)) => {
                        let (before, behind) =
                            pattern.split_once('*').ok_or("a pattern behind | needs a *")?;
                        Piece::Cell(name.into(), Some(Part(before.into(), behind.into())))
                    }
                },
            });
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Self(pieces))
    }

    /// The cells that are meant.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Cell(name, _) => Some(&**name),
            Piece::Text(_) | Piece::File(..) => None,
        })
    }

    /// A text that has no places.
    pub(super) fn of(text: &str) -> Self {
        Self(vec![Piece::Text(text.into())])
    }

    fn fill(&self, source: &Source<'_>) -> Option<Filled> {
        let bit = |piece: &Piece| match piece {
            Piece::Text(text) => Some(Bit::Text(text.to_string())),
            Piece::File(name, capitals) => {
                let told = source.told.get(name)?;
                Some(Bit::Text(if *capitals { told.to_ascii_uppercase() } else { told.to_owned() }))
            }
            Piece::Cell(name, part) => {
                // Positions are for files that do not name their columns.
                let nameless = source.names.0.is_empty();
                let position = || name.parse::<usize>().ok().filter(|_| nameless).map(|at| at - 1);
                source.names.find(name).or_else(position).map(|at| Bit::Cell(at, part.clone()))
            }
        };
        self.0.iter().map(bit).collect::<Option<_>>().map(Filled)
    }
}

impl Templates {
    fn fill(&self, source: &Source<'_>) -> Option<Filled> {
        self.0.iter().find_map(|template| template.fill(source))
    }

    /// The cells that are meant.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(Template::cells)
    }

    /// How many columns it finds by their names, in the first of its templates that finds all.
    pub(super) fn named(&self, names: &Names) -> usize {
        let cells = |template: &Template| {
            let cells = template.0.iter().filter_map(|piece| match piece {
                Piece::Cell(name, _) => Some(names.find(name).is_some()),
                Piece::Text(_) | Piece::File(..) => None,
            });
            cells.collect::<Vec<_>>()
        };
        let found =
            self.0.iter().map(cells).find(|cells| !cells.is_empty() && cells.iter().all(|&found| found));
        found.map_or(0, |cells| cells.len())
    }
}

impl Filled {
    fn cells(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter_map(|bit| match bit {
            Bit::Cell(at, _) => Some(*at),
            Bit::Text(_) => None,
        })
    }

    fn text(&self, row: &Row<'_>) -> Result<String, FeedError> {
        let mut text = String::new();
        for bit in &self.0 {
            match bit {
                Bit::Text(part) => text.push_str(part),
                Bit::Cell(at, part) => {
                    let cell = String::from_utf8_lossy(row.cell(*at)?);
                    let meant = match part {
                        None => Some(&*cell),
                        Some(Part(before, behind)) => {
                            cell.strip_prefix(&**before).and_then(|rest| rest.strip_suffix(&**behind))
                        }
                    };
                    text.push_str(meant.ok_or_else(|| row.fault(*at, CellFault::Pattern))?);
                }
            }
        }
        Ok(text)
    }
}

/// The instruments of a session, whatever file they are in.
pub(super) struct Desk {
    pub(super) board: Board,
    /// Where and when a message came in; files say nothing of it.
    pub(super) conn: String,
    pub(super) recv: Option<UnixNanos>,
    /// Quotes come as such: none are made from books.
    pub(super) own_quotes: bool,
    slots: HashMap<(String, String), Slot>,
}

impl Default for Desk {
    fn default() -> Self {
        // Its instruments are listed one by one, each with a venue of its own.
        let board = Board::new("", str::to_owned);
        Self { board, conn: String::new(), recv: None, own_quotes: false, slots: HashMap::new() }
    }
}

impl Desk {
    fn slot(&mut self, venue: String, name: String, symbol: &str) -> Result<Slot, FeedError> {
        let key = (venue, name);
        if let Some(&slot) = self.slots.get(&key) {
            return Ok(slot);
        }
        let symbol =
            Symbol::parse(symbol).map_err(|source| FeedError::Symbol { text: symbol.to_owned(), source })?;
        let slot = self.board.list(Instrument::named(symbol, Venue::new(&key.0), &key.1))?;
        self.slots.insert(key, slot);
        Ok(slot)
    }

    /// What is read from now on came in here.
    pub(super) fn comes_in(&mut self, link: &Link<'_>) {
        self.recv = link.recv;
        if self.conn != link.conn {
            link.conn.clone_into(&mut self.conn);
        }
    }

    /// Updates were lost: no book that is made of them can be trusted.
    pub(super) fn void(&mut self, out: &mut Vec<Tick>) {
        let gap = FeedGap { reason: GapReason::Sequence, venue_from: None, venue_to: None };
        self.board.void_all(&self.conn, Times { event: None, source: None, recv: self.recv }, gap, out);
    }
}

/// Which instrument the rows of one file are about.
#[derive(Debug)]
pub(super) struct Who {
    venue: Filled,
    symbol: Filled,
    suffix: Filled,
    forms: Forms,
    /// The cells that tell it.
    cells: Vec<usize>,
    /// What they said last.
    last: Option<(Vec<u8>, Slot)>,
    known: HashMap<Vec<u8>, Slot>,
    key: Vec<u8>,
}

impl Who {
    /// `None` where a template lacks what it needs: the first of them.
    pub(super) fn new(
        venue: &Templates,
        symbol: &Templates,
        suffix: Option<&Template>,
        forms: Forms,
        source: &Source<'_>,
    ) -> Result<Self, &'static str> {
        let venue = venue.fill(source).ok_or("venue")?;
        let symbol = symbol.fill(source).ok_or("symbol")?;
        let suffix = suffix.map_or(Some(Filled(Vec::new())), |suffix| suffix.fill(source)).ok_or("suffix")?;
        let cells = venue.cells().chain(symbol.cells()).chain(suffix.cells()).collect();
        Ok(Self { venue, symbol, suffix, forms, cells, last: None, known: HashMap::new(), key: Vec::new() })
    }

    /// The name that the venue has for the instrument, where no cell tells it.
    pub(super) fn fixed_symbol(&self) -> Option<String> {
        self.symbol.cells().next().is_none().then(|| self.symbol.text(&Row { text: b"", cells: &[] }).ok())?
    }

    pub(super) fn slot(&mut self, row: &Row<'_>, desk: &mut Desk) -> Result<Slot, FeedError> {
        self.key.clear();
        for &at in &self.cells {
            self.key.extend_from_slice(row.cell(at)?);
            self.key.push(b'\n');
        }
        // To compare nothing with nothing is slow: its place in memory is none that can be read.
        if let Some((last, slot)) = &self.last
            && (self.cells.is_empty() || *last == self.key)
        {
            return Ok(*slot);
        }
        let slot = match self.known.get(&self.key) {
            Some(&slot) => slot,
            None => self.list(row, desk)?,
        };
        self.last = Some((self.key.clone(), slot));
        Ok(slot)
    }

    fn list(&mut self, row: &Row<'_>, desk: &mut Desk) -> Result<Slot, FeedError> {
        let (venue, name) = (self.venue.text(row)?.to_ascii_lowercase(), self.symbol.text(row)?);
        let form = self.forms.at(&venue);
        let form = if form == Form::Pair && is_ticker(&venue, &name) { Form::Plain } else { form };
        let ours = safe(&format!("{}{}", form.of(&name), self.suffix.text(row)?.to_ascii_uppercase()));
        let slot = desk.slot(venue, name, &ours)?;
        self.known.insert(self.key.clone(), slot);
        Ok(slot)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(|why| D::Error::custom(format!("{text:?}: {why}")))
    }
}

impl<'de> Deserialize<'de> for Templates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TemplatesVisitor;
        impl<'de> Visitor<'de> for TemplatesVisitor {
            type Value = Templates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a text such as \"binance\", \"{symbol}\" or \"{file.SYMBOL}\", or a list of these",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Templates, E> {
                let template = Template::parse(text).map_err(|why| E::custom(format!("{text:?}: {why}")))?;
                Ok(Templates(vec![template]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Templates, A::Error> {
                let mut templates = Vec::new();
                while let Some(template) = list.next_element()? {
                    templates.push(template);
                }
                if templates.is_empty() {
                    return Err(A::Error::invalid_length(0, &self));
                }
                Ok(Templates(templates))
            }
        }
        deserializer.deserialize_any(TemplatesVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_may_be_wrong() {
        for text in ["{symbol", "{}", "{0}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
