//! A first look through a recording before it is played: what it holds, and in which order.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Instrument, Tick, UnixNanos};

use super::spec::ReplaySpec;
use crate::capture::{Format, Input, InputError, Line, Lines, ReadError};
use crate::reader::{Reader, ReaderError, Step, reader};
use crate::recording::read_line;
use crate::venue::Normaliser;

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Nobody can read it.
    #[error(transparent)]
    Reader(#[from] ReaderError),
    /// A file cannot be opened.
    #[error("{}: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        error: InputError,
    },
    /// A live feed that cannot be had.
    #[error(transparent)]
    Live(#[from] crate::live::LiveError),
    /// Nothing in it is a message of this feed.
    #[error("nothing in its files is a message of {feed:?}: is \"feed\" the right one?{}", because(fault.as_deref()))]
    Nothing {
        /// The feed.
        feed: String,
        /// What was wrong first, where what is read is no messages.
        fault: Option<String>,
    },
}

fn because(fault: Option<&str>) -> String {
    fault.map(|fault| format!(" The first fault: {fault}")).unwrap_or_default()
}

/// What a recording holds.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Its instruments, in the order of their first ticks.
    pub(super) instruments: Vec<Arc<Instrument>>,
    /// Its connections, file by file.
    pub(super) files: Vec<Connections>,
    /// First and last receive time.
    pub(super) span: Option<(UnixNanos, UnixNanos)>,
    /// What is broken: lines, records, and ends that do not read.
    pub(super) faults: u64,
}

/// The connections of one file.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// In the order of their first lines.
    pub(super) names: Vec<Box<str>>,
    /// Receive times go back: connections were written one after the other.
    pub(super) apart: bool,
}

/// Lines of HTTP answers count as a connection of this name.
pub(super) const ANSWERS: &str = "http";

pub(super) fn survey(spec: &ReplaySpec) -> Result<Survey, ReplayError> {
    let mut reader = reader(&spec.feed, &spec.options)?;
    let mut look = Look { survey: Survey::default(), known: HashSet::new(), ticks: Vec::new(), fault: None };
    for path in &spec.files {
        let input = Input::open(path).map_err(|error| ReplayError::Open { path: path.clone(), error })?;
        let connections = match reader.normaliser() {
            Some(normaliser) => look.lines(normaliser, input),
            None => look.whatever(&mut reader, path, input),
        };
        look.survey.files.push(connections);
    }
    for note in reader.notes() {
        tracing::warn!(feed = spec.feed, "{note}");
    }
    if look.survey.instruments.is_empty() {
        let fault = look.fault.or_else(|| reader.notes().first().map(ToString::to_string));
        return Err(ReplayError::Nothing { feed: spec.feed.clone(), fault });
    }
    Ok(look.survey)
}

/// What was seen so far.
struct Look {
    survey: Survey,
    known: HashSet<*const Instrument>,
    ticks: Vec<Tick>,
    fault: Option<String>,
}

impl Look {
    fn lines(&mut self, normaliser: &mut dyn Normaliser, input: Input) -> Connections {
        let (mut lines, mut format) = (Lines::new(input), None);
        let (mut connections, mut newest) = (Connections::default(), None);
        loop {
            let line = match lines.next_line() {
                Ok(Some(line)) => line,
                Err(ReadError::TooLong) => {
                    self.survey.faults += 1;
                    continue;
                }
                Ok(None) => return connections,
                // A cut: the replay will meet it again and say so.
                Err(ReadError::Input(_)) => {
                    self.survey.faults += 1;
                    return connections;
                }
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let format = Format::settle(&mut format, line);
            let Ok(parsed) = format.read(line) else {
                self.survey.faults += 1;
                continue;
            };
            if let Some((conn, at)) = place(&parsed) {
                if !connections.names.iter().any(|name| **name == *conn) {
                    connections.names.push(conn.into());
                }
                connections.apart |= at < newest;
                newest = newest.max(at);
                self.span(at);
            }
            // What they are is the replay's to report.
            let fault =
                read_line(normaliser, format, line, &mut self.ticks).is_err_and(|error| !error.is_refusal());
            self.survey.faults += u64::from(fault);
            self.instruments();
        }
    }

    /// What is no lines has no connections.
    fn whatever(&mut self, reader: &mut Reader, path: &Path, input: Input) -> Connections {
        reader.open(input);
        loop {
            match reader.step(&mut self.ticks) {
                Step::Ticks => {}
                Step::Broken { spot, error } => {
                    self.survey.faults += 1;
                    self.fault.get_or_insert_with(|| format!("{} {spot}: {error}", path.display()));
                }
                Step::End => return Connections::default(),
            }
            if let (Some(first), Some(last)) = (self.ticks.first(), self.ticks.last()) {
                for at in [first, last].map(|tick| tick.ts_recv.or(tick.ts_event)) {
                    self.span(at);
                }
            }
            self.instruments();
        }
    }

    fn span(&mut self, at: Option<UnixNanos>) {
        let span = &mut self.survey.span;
        *span = match (*span, at) {
            (Some((first, last)), Some(at)) => Some((first.min(at), last.max(at))),
            (None, Some(at)) => Some((at, at)),
            (span, None) => span,
        };
    }

    fn instruments(&mut self) {
        for tick in self.ticks.drain(..) {
            if self.known.insert(Arc::as_ptr(&tick.instrument)) {
                self.survey.instruments.push(tick.instrument);
            }
        }
    }
}

/// The connection a line belongs to, and its time.
pub(super) fn place<'a>(line: &'a Line<'_>) -> Option<(&'a str, Option<UnixNanos>)> {
    match line {
        Line::Header { .. } | Line::Sent => None,
        Line::Connected { conn, at, .. } | Line::Frame { conn, at, .. } | Line::Binary { conn, at, .. } => {
            Some((conn, *at))
        }
        Line::Answer { at, .. } => Some((ANSWERS, *at)),
    }
}
