//! The lines of a recording in the order in which they were received.
//!
//! Some captures write their connections one after the other. To play them as they were, each
//! connection is read on its own and the earliest line comes first; within a connection the order
//! of the file stays. Memory is one line per connection, however long the file.

use std::path::Path;

use model::UnixNanos;

use super::survey::{Connections, place};
use crate::capture::{Format, Input, InputError, Lines, ReadError};

/// Connections that are put in order; with more, the order of the file has to do.
const TRACKS_MAX: usize = 32;

pub(super) struct Script {
    tracks: Vec<Track>,
}

/// A line in its turn.
#[derive(Debug)]
pub(super) struct Cue {
    pub(super) number: u64,
    pub(super) at: Option<UnixNanos>,
    pub(super) format: Format,
    pub(super) line: Result<Vec<u8>, ReadError>,
}

struct Track {
    lines: Lines<Input>,
    format: Option<Format>,
    /// Only lines of this connection; `None` = all.
    conn: Option<Box<str>>,
    /// This track also takes the lines that belong to no connection, so that each is met once.
    takes_strays: bool,
    /// The time of the line before, for lines without one.
    at: Option<UnixNanos>,
    next: Option<Cue>,
}

impl Script {
    pub(super) fn open(path: &Path, connections: &Connections) -> Result<Self, InputError> {
        let split = connections.apart && connections.names.len() <= TRACKS_MAX;
        let conns = if split { connections.names.iter().cloned().map(Some).collect() } else { vec![None] };
        let track = |(index, conn)| {
            let lines = Lines::new(Input::open(path)?);
            let mut track =
                Track { lines, format: None, conn, takes_strays: index == 0, at: None, next: None };
            track.advance();
            Ok(track)
        };
        let tracks = conns.into_iter().enumerate().map(track).collect::<Result<_, InputError>>()?;
        Ok(Self { tracks })
    }
}

impl Iterator for Script {
    type Item = Cue;

    fn next(&mut self) -> Option<Cue> {
        let waiting = self.tracks.iter_mut().filter(|track| track.next.is_some());
        let track = waiting.min_by_key(|track| track.next.as_ref().and_then(|cue| cue.at))?;
        let cue = track.next.take();
        track.advance();
        cue
    }
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
            let format = match (&line, self.format) {
                (_, Some(format)) => format,
                (Ok(line), None) => *self.format.insert(Format::of(line)),
                (Err(_), None) => Format::Raw,
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
            let line = line.map(<[u8]>::to_vec);
            let number = self.lines.number();
            self.next = Some(Cue { number, at: self.at, format, line });
            return;
        }
    }
}
