//! A recording read through a normaliser: line by line to ticks, faults counted and passed over.

use std::io::BufRead;

use model::Tick;

use crate::capture::{Format, Line, Lines};
use crate::error::FeedError;
use crate::venue::{Link, Normaliser};

/// Reads recordings of one session, file after file, through one normaliser.
pub struct Reader {
    normaliser: Box<dyn Normaliser>,
}

/// What a line of a recording gave.
#[derive(Debug)]
pub enum Step {
    /// Its ticks were appended, if it had any.
    Ticks,
    /// It was broken and is passed over. Where nothing can be read after it, the end comes next.
    Broken {
        /// Number of the line in its file, from 1.
        line: u64,
        /// Why.
        error: FeedError,
    },
    /// The file is at its end.
    End,
}

/// One file of a recording.
pub struct Recording<R> {
    lines: Lines<R>,
    format: Option<Format>,
}

impl<R: BufRead> Recording<R> {
    /// A recording in any format; which one is told by its first line.
    pub const fn new(input: R) -> Self {
        Self { lines: Lines::new(input), format: None }
    }

    /// Number of the line that was read last.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.lines.number()
    }
}

impl Reader {
    /// A reader that speaks through `normaliser`.
    #[must_use]
    pub fn new(normaliser: Box<dyn Normaliser>) -> Self {
        Self { normaliser }
    }

    /// Reads the next line of `recording` and appends its ticks to `out`.
    pub fn step<R: BufRead>(&mut self, recording: &mut Recording<R>, out: &mut Vec<Tick>) -> Step {
        let line = match recording.lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return Step::End,
            Err(error) => return Step::Broken { line: recording.lines.number(), error: error.into() },
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            return Step::Ticks;
        }
        let format = *recording.format.get_or_insert_with(|| Format::of(line));
        match self.line(format, line, out) {
            Ok(()) => Step::Ticks,
            Err(error) => Step::Broken { line: recording.lines.number(), error },
        }
    }

    /// Reads one line.
    ///
    /// # Errors
    /// The line is broken; what was appended to `out` before the fault was found stays.
    pub fn line(&mut self, format: Format, line: &[u8], out: &mut Vec<Tick>) -> Result<(), FeedError> {
        match format.read(line)? {
            Line::Sent => Ok(()),
            Line::Header { exchange } => {
                self.normaliser.handle_header(&exchange);
                Ok(())
            }
            Line::Connected { conn, addr, at } => {
                self.normaliser.handle_connect(&Link { conn: &conn, recv: at }, &addr, out);
                Ok(())
            }
            Line::Frame { conn, text, at } => {
                self.normaliser.handle_frame(&Link { conn: &conn, recv: at }, &text, out)
            }
            Line::Binary { conn, bytes, at } => {
                self.normaliser.handle_binary(&Link { conn: &conn, recv: at }, &bytes, out)
            }
            Line::Answer { url, body, at } => {
                self.normaliser.handle_answer(&Link { conn: "", recv: at }, &url, &body, out)
            }
        }
    }
}
