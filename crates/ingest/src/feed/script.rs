//! What is played of a file, in the order in which it was received.
//!
//! Some captures write their connections one after the other. To play them as they were, each
//! connection is read on its own and the earliest line comes first; within a connection the order
//! of the file stays. Memory is one line per connection, however long the file.

use std::path::Path;

use model::{Tick, UnixNanos};

use super::survey::{Connections, place};
use crate::capture::{Format, Input, InputError, Lines, ReadError};
use crate::error::FeedError;
use crate::reader::{Reader, Spot, Step};
use crate::recording::read_line;

/// Connections that are put in order; with more, the order of the file has to do.
const TRACKS_MAX: usize = 32;

pub(super) enum Script {
    /// Lines of connections, in their order of receipt.
    Lines(Vec<Track>),
    /// Whatever else, as it stands in the file.
    File,
}

/// Something that is played in its turn.
#[derive(Debug)]
pub(super) struct Cue {
    /// When it was received.
    pub(super) at: Option<UnixNanos>,
    /// What was wrong with it, and where it stands.
    pub(super) fault: Option<(Spot, FeedError)>,
}

struct Line {
    number: u64,
    at: Option<UnixNanos>,
    format: Format,
    text: Result<Vec<u8>, ReadError>,
}

pub(super) struct Track {
    lines: Lines<Input>,
    format: Option<Format>,
    /// Only lines of this connection; `None` = all.
    conn: Option<Box<str>>,
    /// This track also takes the lines that belong to no connection, so that each is met once.
    takes_strays: bool,
    /// The time of the line before, for lines without one.
    at: Option<UnixNanos>,
    next: Option<Line>,
}

impl Script {
    pub(super) fn open(
        reader: &mut Reader,
        path: &Path,
        connections: &Connections,
    ) -> Result<Self, InputError> {
        if reader.normaliser().is_none() {
            reader.open(Input::open(path)?);
            return Ok(Self::File);
        }
        let split = connections.apart && connections.names.len() <= TRACKS_MAX;
        let conns = if split { connections.names.iter().cloned().map(Some).collect() } else { vec![None] };
        let track = |(index, conn)| {
            let lines = Lines::new(Input::open(path)?);
            let mut track =
                Track { lines, format: None, conn, takes_strays: index == 0, at: None, next: None };
            track.advance();
            Ok(track)
        };
        conns.into_iter().enumerate().map(track).collect::<Result<_, InputError>>().map(Self::Lines)
    }

    /// What comes next; its ticks are appended to `out`.
    pub(super) fn next(&mut self, reader: &mut Reader, out: &mut Vec<Tick>) -> Option<Cue> {
        let (Self::Lines(tracks), Some(normaliser)) = (self, reader.normaliser()) else {
            let fault = match reader.step(out) {
                Step::Ticks => None,
                Step::Broken { spot, error } => Some((spot, error)),
                Step::End => return None,
            };
            return Some(Cue { at: out.first().and_then(|tick| tick.ts_recv), fault });
        };
        let line = next_line(tracks)?;
        let fault = match line.text {
            Ok(text) => read_line(normaliser, line.format, &text, out).err(),
            Err(error) => Some(error.into()),
        };
        Some(Cue { at: line.at, fault: fault.map(|error| (Spot::line(line.number), error)) })
    }
}

fn next_line(tracks: &mut [Track]) -> Option<Line> {
    let waiting = tracks.iter_mut().filter(|track| track.next.is_some());
    let track = waiting.min_by_key(|track| track.next.as_ref().and_then(|line| line.at))?;
    let line = track.next.take();
    track.advance();
    line
}

impl Track {
    fn advance(&mut self) {
        loop {
            let line = match self.lines.next_line() {
                Ok(None) => return,
                Ok(Some(line)) if line.iter().all(u8::is_ascii_whitespace) => continue,
                Ok(Some(line)) => Ok(line),
                Err(error) => Err(error),
            };
            let format = match &line {
                Ok(line) => Format::settle(&mut self.format, line),
                Err(_) => self.format.unwrap_or(Format::Raw),
            };
            let parsed = line.as_ref().ok().and_then(|line| format.read(line).ok());
            let placed = parsed.as_ref().and_then(place);
            let ours = match (&self.conn, placed) {
                (None, _) => true,
                (Some(conn), Some((place, _))) => **conn == *place,
                (Some(_), None) => self.takes_strays,
            };
            if !ours {
                continue;
            }
            self.at = placed.and_then(|(_, at)| at).max(self.at);
            let text = line.map(<[u8]>::to_vec);
            self.next = Some(Line { number: self.lines.number(), at: self.at, format, text });
            return;
        }
    }
}
