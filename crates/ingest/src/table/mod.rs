//! Files of rows: delimited text, lists of JSON, Dukascopy's records, Parquet and Arrow.
//!
//! A [`Mapping`] says what the columns of a kind of file mean. Those that are known come with the
//! program (`shipped`); a file whose columns have names that one of them knows needs none. A row
//! becomes a trade, a quote, a book, a change of one, an event of an order, a status, or several.

mod begin;
mod bi5;
mod books;
mod cells;
mod clock;
mod column;
#[cfg(feature = "columns")]
mod columns;
#[cfg(not(feature = "columns"))]
#[path = "no_columns.rs"]
mod columns;
mod csv;
mod error;
mod field;
mod file;
mod finder;
mod form;
mod json;
mod ladders;
mod mapping;
mod meant;
mod messages;
mod name;
mod numerals;
mod path;
mod plan;
mod row;
mod rows;
mod shipped;
mod side;
mod stem;
mod time;
mod who;
mod zone;

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;

use model::Tick;
use serde::de::DeserializeOwned;

pub use error::TableError;
pub use mapping::Mapping;
pub use messages::Messages;
pub use row::{CellFault, Place, RowError};
pub use shipped::{Shipped, known, shipped};

use file::File;
use who::Desk;

use crate::capture::Input;
use crate::error::FeedError;
use crate::reader::{Decoder, Map, Options, ReaderError, Spot, Step};
use crate::venue::Normaliser;

/// The feed of files of rows.
const FEED: &str = "csv";

/// What reads files of rows, where `feed` is that of theirs.
pub(crate) fn decoder(feed: &str, options: &Options) -> Result<Option<Box<dyn Decoder>>, ReaderError> {
    if feed != FEED {
        return Ok(None);
    }
    let mapping = options.map.as_ref().map(read).transpose()?;
    Ok(Some(Box::new(Tables::new(mapping, options.clone()))))
}

/// The feed of messages that a mapping describes.
const MESSAGES: &str = "json";

/// What reads messages by a mapping of them, where `feed` is that of theirs.
pub(crate) fn normaliser(feed: &str, options: &Options) -> Result<Option<Box<dyn Normaliser>>, ReaderError> {
    if feed != MESSAGES {
        return Ok(None);
    }
    let map = options.map.as_ref().ok_or_else(|| ReaderError::Unmapped(feed.to_owned()))?;
    let messages: Messages = read(map)?;
    let reader = messages.reader(options).map_err(|error| map.refused(&error))?;
    Ok(Some(Box::new(reader)))
}

fn read<T: DeserializeOwned>(map: &Map) -> Result<T, ReaderError> {
    toml::from_str(&map.text).map_err(|error| map.refused(&error))
}

impl Map {
    fn refused(&self, error: &dyn std::error::Error) -> ReaderError {
        ReaderError::Map { name: self.name.clone(), error: error.to_string().trim_end().to_owned() }
    }
}

/// Reads files of rows.
struct Tables {
    mapping: Option<Mapping>,
    options: Options,
    desk: Desk,
    /// Members of the archive at hand that are still to be read.
    waiting: VecDeque<Input>,
    file: Option<File>,
    /// Files that were read beside others, and are not read again.
    along: HashSet<PathBuf>,
    spot: Spot,
}

impl Tables {
    fn new(mapping: Option<Mapping>, options: Options) -> Self {
        Self {
            mapping,
            options,
            desk: Desk::default(),
            waiting: VecDeque::new(),
            file: None,
            along: HashSet::new(),
            spot: Spot::line(0),
        }
    }

    /// The next member of what was opened; false where there is none.
    fn next_file(&mut self) -> Result<bool, FeedError> {
        while let Some(input) = self.waiting.pop_front() {
            let path = input.path().and_then(|path| path.canonicalize().ok());
            if input.member().is_none() && path.is_some_and(|path| self.along.contains(&path)) {
                continue;
            }
            let (mapping, waiting) = (self.mapping.as_ref(), &mut self.waiting);
            self.file = Some(File::open(input, mapping, waiting, &mut self.along)?);
            return Ok(true);
        }
        Ok(false)
    }
}

impl Decoder for Tables {
    fn open(&mut self, file: Input) {
        self.file = None;
        self.spot = Spot::line(0);
        self.waiting = begin::meant(file.members()).into();
        // Of an archive that has files of this kind, only these are meant.
        if let Some(mapping) = &self.mapping
            && self.waiting.iter().any(|input| mapping.names_fit(input))
        {
            self.waiting.retain(|input| input.member().is_none() || mapping.names_fit(input));
        }
    }

    fn step(&mut self, out: &mut Vec<Tick>) -> Step {
        let before = out.len();
        loop {
            if let Some(file) = &mut self.file {
                let step = file.step(&self.options, &mut self.desk, out);
                self.spot = file.spot();
                match step {
                    Ok(true) => return Step::Ticks,
                    Ok(false) => {
                        // Lines without a row in them are none of another feed.
                        if !file.has_rows() {
                            self.spot.number = 0;
                        }
                        self.file = None;
                    }
                    Err(fault) => {
                        if fault.is_end {
                            self.file = None;
                        }
                        return Step::Broken { spot: self.spot, error: fault.error };
                    }
                }
                if out.len() > before {
                    return Step::Ticks;
                }
            }
            match self.next_file() {
                Ok(true) => {}
                Ok(false) => return Step::End,
                Err(error) => return Step::Broken { spot: self.spot, error },
            }
        }
    }

    fn spot(&self) -> Spot {
        self.spot
    }
}
