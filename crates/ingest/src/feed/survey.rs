//! A first look through a recording before it is played: what it holds, and in which order.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use model::{Instrument, UnixNanos};

use super::spec::ReplaySpec;
use crate::capture::{Format, Input, InputError, Line, Lines, ReadError};
use crate::recording::Reader;
use crate::venue::normaliser;

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// No such feed.
    #[error("unknown feed {0:?}")]
    Feed(String),
    /// A file cannot be opened.
    #[error("{}: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        error: InputError,
    },
    /// Nothing in it is a message of this feed.
    #[error("nothing in its files is a message of {0:?}: is \"feed\" the right one?")]
    Nothing(String),
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
    /// Lines that are broken, and ends that do not read.
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
    let normaliser = normaliser(&spec.feed).ok_or_else(|| ReplayError::Feed(spec.feed.clone()))?;
    let (mut reader, mut ticks) = (Reader::new(normaliser), Vec::new());
    let mut survey = Survey::default();
    let mut known = HashSet::new();
    for path in &spec.files {
        let input = Input::open(path).map_err(|error| ReplayError::Open { path: path.clone(), error })?;
        let (mut lines, mut format) = (Lines::new(input), None);
        let (mut connections, mut newest) = (Connections::default(), None);
        loop {
            let line = match lines.next_line() {
                Ok(Some(line)) => line,
                Err(ReadError::TooLong) => {
                    survey.faults += 1;
                    continue;
                }
                Ok(None) => break,
                // A cut: the replay will meet it again and say so.
                Err(ReadError::Input(_)) => {
                    survey.faults += 1;
                    break;
                }
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let format = *format.get_or_insert_with(|| Format::of(line));
            let Ok(parsed) = format.read(line) else {
                survey.faults += 1;
                continue;
            };
            if let Some((conn, at)) = place(&parsed) {
                if !connections.names.iter().any(|name| **name == *conn) {
                    connections.names.push(conn.into());
                }
                connections.apart |= at < newest;
                newest = newest.max(at);
                survey.span = match (survey.span, at) {
                    (Some((first, last)), Some(at)) => Some((first.min(at), last.max(at))),
                    (None, Some(at)) => Some((at, at)),
                    (span, None) => span,
                };
            }
            // What they are is the replay's to report.
            let fault = reader.line(format, line, &mut ticks).is_err_and(|error| !error.is_refusal());
            survey.faults += u64::from(fault);
            for tick in ticks.drain(..) {
                if known.insert(Arc::as_ptr(&tick.instrument)) {
                    survey.instruments.push(tick.instrument);
                }
            }
        }
        survey.files.push(connections);
    }
    if survey.instruments.is_empty() {
        return Err(ReplayError::Nothing(spec.feed.clone()));
    }
    Ok(survey)
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
