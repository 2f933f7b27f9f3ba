//! Lines of an input, bounded in length.

use std::io::{self, BufRead};
use std::mem;

use memchr::memchr;

/// Longest line. The longest seen in the wild, a full Coinbase book, has 5 MB.
pub const LINE_BYTES_MAX: usize = 64 << 20;

/// Why a line could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Longer than [`LINE_BYTES_MAX`]: passed over, the next one may be read.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// The input ends in the middle or is damaged. Told once; then the input is at its end.
    #[error("nothing can be read from here on: {0}")]
    Input(#[from] io::Error),
}

/// Reads lines and counts them.
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
    /// Bytes of the input that are the line that was given last.
    given: usize,
    /// The input failed: there is nothing after that.
    failed: bool,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `input`.
    pub const fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0, given: 0, failed: false }
    }

    /// The next line without its end, or `None` at the end of the input. Cost: no copy where the line
    /// stands whole in what the input has at hand.
    ///
    /// # Errors
    /// Says whether reading may go on.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, ReadError> {
        self.input.consume(mem::take(&mut self.given));
        if self.failed {
            return Ok(None);
        }
        self.number += 1;
        let chunk = self.input.fill_buf().inspect_err(|_| self.failed = true)?;
        match memchr(b'\n', chunk) {
            Some(end) if end <= LINE_BYTES_MAX => {
                self.given = end + 1;
                // It is at hand: this reads nothing.
                let line = &self.input.fill_buf()?[..end];
                Ok(Some(bare(line, self.number)))
            }
            _ => self.gather(),
        }
    }

    /// The next line, of which at first only a part is at hand.
    fn gather(&mut self) -> Result<Option<&[u8]>, ReadError> {
        self.buffer.clear();
        let mut too_long = false;
        loop {
            let chunk = self.input.fill_buf().inspect_err(|_| self.failed = true)?;
            if chunk.is_empty() {
                break;
            }
            let end = memchr(b'\n', chunk);
            let take = end.unwrap_or(chunk.len());
            too_long |= self.buffer.len() + take > LINE_BYTES_MAX;
            if !too_long {
                self.buffer.extend_from_slice(&chunk[..take]);
            }
            self.input.consume(end.map_or(take, |at| at + 1));
            if end.is_some() {
                return self.finish(too_long);
            }
        }
        if self.buffer.is_empty() && !too_long {
            self.number -= 1;
            return Ok(None);
        }
        self.finish(too_long)
    }

    /// Number of the line that was read last; the first is 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    fn finish(&self, too_long: bool) -> Result<Option<&[u8]>, ReadError> {
        if too_long {
            return Err(ReadError::TooLong);
        }
        Ok(Some(bare(&self.buffer, self.number)))
    }
}

/// A line without what belongs to the file: the rest of its end, and the mark at the begin of the first.
fn bare(line: &[u8], number: u64) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    #[test]
    fn lines_are_counted() {
        let mut lines = Lines::new(BufReader::with_capacity(2, &b"\xef\xbb\xbfone\r\n\nthree"[..]));
        for (number, wanted) in [(1, &b"one"[..]), (2, b""), (3, b"three")] {
            assert_eq!(lines.next_line().unwrap(), Some(wanted));
            assert_eq!(lines.number(), number);
        }
        assert_eq!(lines.next_line().unwrap(), None);
        assert_eq!(lines.number(), 3);
    }

    #[test]
    fn a_damaged_input_is_told_once() {
        struct Damaged;
        impl Read for Damaged {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("damaged"))
            }
        }
        let mut lines = Lines::new(BufReader::new(b"one\nhalf".chain(Damaged)));
        assert_eq!(lines.next_line().unwrap(), Some(&b"one"[..]));
        assert!(matches!(lines.next_line(), Err(ReadError::Input(_))));
        assert_eq!(lines.number(), 2);
        assert_eq!(lines.next_line().unwrap(), None);
    }

    #[test]
    fn a_line_over_the_limit_is_skipped() {
        let long = io::repeat(b'x').take(LINE_BYTES_MAX as u64 + 1);
        let mut lines = Lines::new(BufReader::new(long.chain(&b"\nnext\n"[..])));
        assert!(matches!(lines.next_line(), Err(ReadError::TooLong)));
        assert_eq!(lines.next_line().unwrap(), Some(&b"next"[..]));
        assert_eq!(lines.number(), 2);
    }
}
