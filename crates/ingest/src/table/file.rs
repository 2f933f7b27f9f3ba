//! One file of rows, and the one beside it.

use std::collections::{HashSet, VecDeque};
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};

use model::Tick;

use super::begin;
use super::column::Names;
use super::error::TableError;
use super::mapping::{BesideTable, Header, Mapping, Written};
use super::name::{self, Told};
use super::plan::{self, Plan};
use super::rows::{Rows, Text};
use super::shipped;
use super::who::Desk;
use crate::board::Times;
use crate::capture::{Input, InputError, ReadError};
use crate::error::FeedError;
use crate::reader::{Options, Spot};

/// A file that is read row by row.
pub(super) struct File {
    rows: Rows,
    /// The names that the file has, the nearest first.
    names: Vec<String>,
    /// Absent until its columns have told which one it is.
    mapping: Option<Mapping>,
    plan: Option<Plan>,
    /// Its rows are those of the second file of a pair.
    is_second: bool,
    beside: Option<Beside>,
    has_rows: bool,
}

/// The file that stands beside the first: its row n belongs to row n of that one.
struct Beside {
    path: String,
    text: Text,
    plan: Plan,
    ended: bool,
}

/// What went wrong, and whether nothing can be read after it.
pub(super) struct Fault {
    pub(super) error: FeedError,
    pub(super) is_end: bool,
}

impl File {
    /// Opens a file, and what stands beside it: in the archive, of which the rest waits, or in its folder.
    pub(super) fn open(
        mut input: Input,
        mapping: Option<&Mapping>,
        waiting: &mut VecDeque<Input>,
        along: &mut HashSet<PathBuf>,
    ) -> Result<Self, FeedError> {
        // The records of an hour name no columns, but their file's ending does.
        let name =
            input.member().map(str::to_owned).or_else(|| Some(input.path()?.to_string_lossy().into_owned()));
        let begin = input.fill_buf().map_err(ReadError::Input)?;
        let hour = mapping.is_none() && begin::is_dukascopy(name.as_deref().unwrap_or_default(), begin);
        let hour = hour.then(|| shipped::named("dukascopy")).flatten();
        let mapping = mapping.or(hour.as_ref());
        let written = mapping.map(|mapping| &mapping.written);
        let (mut second, mut is_second) = (None, false);
        if let Some(beside) = written.and_then(|written| written.beside.as_ref()) {
            if let Some(name) = other(&input, &beside.from, &beside.to) {
                second = find(&name, &input, waiting, along)?;
            } else if let Some(name) = other(&input, &beside.to, &beside.from) {
                match find(&name, &input, waiting, along)? {
                    Some(first) => second = Some(std::mem::replace(&mut input, first)),
                    None => is_second = true,
                }
            }
        }
        let names = name::names(input.path(), input.member());
        let beside = match (second, written.and_then(|written| written.beside.as_ref().zip(Some(written)))) {
            (Some(second), Some((table, written))) => Some(Beside::open(second, table, written, &names)?),
            _ => None,
        };
        Ok(Self {
            rows: Rows::new(input, written)?,
            names,
            mapping: mapping.cloned(),
            plan: None,
            is_second,
            beside,
            has_rows: false,
        })
    }

    pub(super) fn spot(&self) -> Spot {
        self.rows.spot()
    }

    /// Whether it had any row, or a line that should have been one.
    pub(super) const fn has_rows(&self) -> bool {
        self.has_rows
    }

    /// Reads the next row and appends its ticks to `out`; false at the end of the file.
    pub(super) fn step(
        &mut self,
        options: &Options,
        desk: &mut Desk,
        out: &mut Vec<Tick>,
    ) -> Result<bool, Fault> {
        if self.plan.is_none() {
            self.begin(options).map_err(|error| Fault { error, is_end: true })?;
        }
        let Some(plan) = &mut self.plan else { return Ok(false) };
        let read = match self.rows.next() {
            Ok(None) => {
                plan.finish(desk, out);
                return match &mut self.beside {
                    Some(beside) => beside.finish().map_err(|error| Fault { error, is_end: true }),
                    None => Ok(false),
                };
            }
            Ok(Some(row)) if row.cells.is_empty() => return Ok(true),
            Ok(Some(row)) => {
                self.has_rows = true;
                plan.read(&row, None, desk, out)
            }
            Err(error) => Err(error),
        };
        let read = read.map_err(|error| plan.explain(error));
        let times = if let Ok(times) = &read {
            *times
        } else {
            plan.broken(desk, out);
            Times { event: None, source: None, recv: None }
        };
        let beside = self.beside.as_mut().map_or(Ok(()), |beside| beside.step(times, desk, out));
        read.map(|_| ()).and(beside).map(|()| true).map_err(|error| Fault { error, is_end: false })
    }

    /// Looks at what stands before the first row.
    fn begin(&mut self, options: &Options) -> Result<(), FeedError> {
        let (header, preamble) = match &self.mapping {
            Some(_) if self.is_second => (Header::No, 0),
            Some(mapping) => (mapping.written.rows.header, mapping.written.rows.preamble),
            None => (Header::Maybe, 0),
        };
        let Some(names) = self.rows.names(header, preamble)? else { return Ok(()) };
        if self.mapping.is_none() {
            self.mapping = Some(shipped::by_names(&names)?);
        }
        let Some(mapping) = &self.mapping else { return Ok(()) };
        let told = Told::by(&mapping.written.names, &self.names);
        let file = plan::File { names: &names, told: &told, options };
        self.plan = Some(match &mapping.written.beside {
            Some(beside) if self.is_second => Plan::beside(&mapping.written, beside, file)?,
            _ => Plan::new(&mapping.written, file)?,
        });
        Ok(())
    }
}

impl Beside {
    fn open(
        input: Input,
        table: &BesideTable,
        mapping: &Written,
        names: &[String],
    ) -> Result<Self, FeedError> {
        let path = name::names(input.path(), input.member()).swap_remove(0);
        let text = Text::new(input, Some(mapping));
        let told = Told::by(&mapping.names, names);
        let file = plan::File { names: &Names::default(), told: &told, options: &Options::default() };
        Ok(Self { path, text, plan: Plan::beside(mapping, table, file)?, ended: false })
    }

    /// Reads the row that belongs to one of those times.
    fn step(&mut self, times: Times, desk: &mut Desk, out: &mut Vec<Tick>) -> Result<(), FeedError> {
        if self.ended {
            return Ok(());
        }
        let read = match self.text.next() {
            Ok(None) => {
                self.ended = true;
                return Err(TableError::BesideLength { path: self.path.clone(), more: false }.into());
            }
            Ok(Some(row)) => self
                .plan
                .read(&row, Some(times), desk, out)
                .map(|_| ())
                .map_err(|error| self.plan.explain(error)),
            Err(error) => Err(error),
        };
        let at = |error: FeedError| {
            let (path, row) = (self.path.clone(), self.text.number());
            TableError::BesideRow { path, row, error: Box::new(error) }.into()
        };
        read.map_err(at)
    }

    /// The first file is at its end: so must this one be.
    fn finish(&mut self) -> Result<bool, FeedError> {
        let more = !self.ended && matches!(self.text.next(), Ok(Some(row)) if !row.cells.is_empty());
        self.ended = true;
        if more {
            return Err(TableError::BesideLength { path: self.path.clone(), more }.into());
        }
        Ok(false)
    }
}

/// The name of the other file of a pair, where this one's has `from` in it.
fn other(input: &Input, from: &str, to: &str) -> Option<String> {
    let name = match (input.member(), input.path()) {
        (Some(member), _) => member.to_owned(),
        (None, Some(path)) => path.to_str()?.to_owned(),
        (None, None) => return None,
    };
    let (folder, name) = name.split_at(name.rfind('/').map_or(0, |at| at + 1));
    name.contains(from).then(|| format!("{folder}{}", name.replacen(from, to, 1)))
}

/// The other file of a pair: taken out of those of the archive, or opened in its folder.
fn find(
    name: &str,
    input: &Input,
    waiting: &mut VecDeque<Input>,
    along: &mut HashSet<PathBuf>,
) -> Result<Option<Input>, FeedError> {
    if input.member().is_some() {
        let at = waiting.iter().position(|input| input.member() == Some(name));
        return Ok(at.and_then(|at| waiting.remove(at)));
    }
    let path = Path::new(name);
    match Input::open(path) {
        Ok(input) => {
            along.extend(path.canonicalize().ok());
            Ok(Some(input))
        }
        Err(InputError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TableError::Beside { path: name.to_owned(), error }.into()),
    }
}

impl Mapping {
    /// Whether the name of a file is one of those that are meant.
    pub(super) fn names_fit(&self, input: &Input) -> bool {
        let Some(member) = input.member() else { return false };
        let names = [member.to_owned()];
        let told = Told::by(&self.written.names, &names) != Told::default();
        told || self.written.beside.as_ref().is_some_and(|beside| member.contains(&*beside.to))
    }
}
