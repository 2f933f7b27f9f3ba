//! A recording of lines read through a normaliser.

use model::Tick;

use crate::capture::{Format, Input, Line, Lines};
use crate::error::FeedError;
use crate::reader::{Spot, Step};
use crate::venue::{Link, Normaliser};

/// One file of a recording.
pub(crate) struct Recording {
    lines: Lines<Input>,
    /// Told by the first line that can be read.
    format: Option<Format>,
}

impl Recording {
    pub(crate) const fn new(input: Input) -> Self {
        Self { lines: Lines::new(input), format: None }
    }

    /// Number of the line that was read last.
    pub(crate) const fn line(&self) -> u64 {
        self.lines.number()
    }

    /// Reads the next line and appends its ticks to `out`.
    pub(crate) fn step(&mut self, normaliser: &mut dyn Normaliser, out: &mut Vec<Tick>) -> Step {
        let line = match self.lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return Step::End,
            Err(error) => return Step::Broken { spot: Spot::line(self.lines.number()), error: error.into() },
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            return Step::Ticks;
        }
        let format = Format::settle(&mut self.format, line);
        match read_line(normaliser, format, line, out) {
            Ok(()) => Step::Ticks,
            Err(error) => Step::Broken { spot: Spot::line(self.lines.number()), error },
        }
    }
}

/// Reads one line.
///
/// # Errors
/// The line is broken; what was appended to `out` before the fault was found stays.
pub(crate) fn read_line(
    normaliser: &mut dyn Normaliser,
    format: Format,
    line: &[u8],
    out: &mut Vec<Tick>,
) -> Result<(), FeedError> {
    match format.read(line)? {
        Line::Sent => Ok(()),
        Line::Header { exchange } => {
            normaliser.handle_header(&exchange);
            Ok(())
        }
        Line::Connected { conn, addr, at } => {
            normaliser.handle_connect(&Link { conn: &conn, recv: at }, &addr, out);
            Ok(())
        }
        Line::Frame { conn, text, at } => {
            normaliser.handle_frame(&Link { conn: &conn, recv: at }, &text, out)
        }
        Line::Binary { conn, bytes, at } => {
            normaliser.handle_binary(&Link { conn: &conn, recv: at }, &bytes, out)
        }
        Line::Answer { url, body, at } => {
            normaliser.handle_answer(&Link { conn: "", recv: at }, &url, &body, out)
        }
    }
}
