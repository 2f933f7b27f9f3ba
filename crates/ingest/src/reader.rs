//! Recordings of one session, file after file, to ticks: lines go through a venue's normaliser,
//! anything else through a decoder of its own. Faults are counted by the caller and passed over.

use std::fmt;

use model::{Date, Tick};
use serde::{Deserialize, Serialize};

use crate::binary;
use crate::capture::Input;
use crate::error::FeedError;
use crate::note::Note;
use crate::recording::Recording;
use crate::table;
use crate::venue::{Normaliser, normaliser};

/// Reads the recordings of one session, file after file.
pub struct Reader {
    source: Source,
}

enum Source {
    Lines { normaliser: Box<dyn Normaliser>, file: Option<Recording> },
    Decoded(Box<dyn Decoder>),
}

/// What is read is no lines: a stream of records or packets, or a table.
pub(crate) trait Decoder: Send {
    /// The next file of the session begins.
    fn open(&mut self, file: Input);

    /// Reads the next record and appends its ticks to `out`; [`Step::End`] where no file is open.
    fn step(&mut self, out: &mut Vec<Tick>) -> Step;

    /// What was read last of the file.
    fn spot(&self) -> Spot;

    /// What is to be said of all files so far.
    fn notes(&self) -> Vec<Note> {
        Vec::new()
    }
}

/// What a line, a record or a row of a recording gave.
#[derive(Debug)]
pub enum Step {
    /// Its ticks were appended, if it had any.
    Ticks,
    /// It was broken and is passed over; what was appended before the fault was found stays. Where
    /// nothing can be read after it, the end comes next.
    Broken {
        /// Where it stands.
        spot: Spot,
        /// Why.
        error: FeedError,
    },
    /// The file is at its end.
    End,
}

/// Where something stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// What is counted.
    pub unit: Unit,
    /// Which one: from 1; a byte is an offset, from 0.
    pub number: u64,
}

/// What the parts of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Lines of text.
    Line,
    /// Rows of a table.
    Row,
    /// Records of a binary stream.
    Record,
    /// Packets of a network capture.
    Packet,
    /// Bytes.
    Byte,
}

/// What a feed's reader has to be told besides the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The day that times of day count from, where the files do not say it.
    pub date: Option<Date>,
    /// What the columns of files of rows mean, where these do not say it.
    pub map: Option<Map>,
    /// The instrument that they are about, where it is another than they say.
    pub symbol: Option<Box<str>>,
    /// Its venue, where it is another than they say.
    pub venue: Option<Box<str>>,
}

/// A mapping of columns as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// What it is called: a name or a path.
    pub name: String,
    /// Its text: TOML that a [`table::Mapping`] can be read from.
    pub text: String,
}

/// Why there is no such reader.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReaderError {
    /// No such feed.
    #[error("unknown feed {0:?}")]
    Feed(String),
    /// The feed has no use for an option.
    #[error("{feed:?} takes no {option:?}")]
    Option {
        /// The feed.
        feed: String,
        /// The option.
        option: &'static str,
    },
    /// The feed is nothing without a mapping.
    #[error(
        "{0:?} needs a mapping, which says where in the messages things are: --map FILE, or the key map of a feed"
    )]
    Unmapped(String),
    /// The mapping of columns is wrong.
    #[error("{name}: {error}")]
    Map {
        /// What it is called.
        name: String,
        /// Where it is wrong, and why.
        error: String,
    },
}

/// The reader of a feed, fresh.
///
/// # Errors
/// There is no such feed, or it has no use for one of the options.
pub fn reader(feed: &str, options: &Options) -> Result<Reader, ReaderError> {
    if let Some(decoder) = binary::decoder(feed, options)? {
        return Ok(Reader { source: Source::Decoded(decoder) });
    }
    if let Some(decoder) = table::decoder(feed, options)? {
        return Ok(Reader { source: Source::Decoded(decoder) });
    }
    if let Some(normaliser) = table::normaliser(feed, options)? {
        return Ok(Reader { source: Source::Lines { normaliser, file: None } });
    }
    let Some(normaliser) = normaliser(feed) else { return Err(ReaderError::Feed(feed.to_owned())) };
    options.only(feed, &[])?;
    Ok(Reader { source: Source::Lines { normaliser, file: None } })
}

impl Options {
    /// Refuses what `feed` has no use for: all that is not `taken`.
    ///
    /// # Errors
    /// Names the first option that is set and not taken.
    pub(crate) fn only(&self, feed: &str, taken: &[&str]) -> Result<(), ReaderError> {
        let set = [
            ("date", self.date.is_some()),
            ("map", self.map.is_some()),
            ("symbol", self.symbol.is_some()),
            ("venue", self.venue.is_some()),
        ];
        match set.into_iter().find(|(option, set)| *set && !taken.contains(option)) {
            Some((option, _)) => Err(ReaderError::Option { feed: feed.to_owned(), option }),
            None => Ok(()),
        }
    }
}

impl Reader {
    /// The next file of the session begins; what was not read of the one before is left.
    pub fn open(&mut self, input: Input) {
        match &mut self.source {
            Source::Lines { file, .. } => *file = Some(Recording::new(input)),
            Source::Decoded(decoder) => decoder.open(input),
        }
    }

    /// Reads on in the file and appends what that gives to `out`; [`Step::End`] where no file is open.
    pub fn step(&mut self, out: &mut Vec<Tick>) -> Step {
        match &mut self.source {
            Source::Lines { normaliser, file: Some(file) } => file.step(normaliser.as_mut(), out),
            Source::Lines { file: None, .. } => Step::End,
            Source::Decoded(decoder) => decoder.step(out),
        }
    }

    /// What was read last of the file.
    #[must_use]
    pub fn spot(&self) -> Spot {
        match &self.source {
            Source::Lines { file, .. } => Spot::line(file.as_ref().map_or(0, Recording::line)),
            Source::Decoded(decoder) => decoder.spot(),
        }
    }

    /// What is to be said of all files so far, besides their ticks and faults.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        match &self.source {
            Source::Lines { .. } => Vec::new(),
            Source::Decoded(decoder) => decoder.notes(),
        }
    }

    /// Who understands the lines, where what is read is lines.
    pub(crate) fn normaliser(&mut self) -> Option<&mut dyn Normaliser> {
        match &mut self.source {
            Source::Lines { normaliser, .. } => Some(normaliser.as_mut()),
            Source::Decoded(_) => None,
        }
    }
}

impl Spot {
    /// A record.
    #[must_use]
    pub const fn record(number: u64) -> Self {
        Self { unit: Unit::Record, number }
    }

    /// A packet.
    #[must_use]
    pub const fn packet(number: u64) -> Self {
        Self { unit: Unit::Packet, number }
    }

    /// A byte.
    #[must_use]
    pub const fn byte(number: u64) -> Self {
        Self { unit: Unit::Byte, number }
    }

    /// A line.
    #[must_use]
    pub const fn line(number: u64) -> Self {
        Self { unit: Unit::Line, number }
    }
}

impl Unit {
    /// The word for one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Row => "row",
            Self::Record => "record",
            Self::Packet => "packet",
            Self::Byte => "byte",
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.unit.as_str(), self.number)
    }
}
