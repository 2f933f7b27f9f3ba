//! Answers in HTTP/1.1, read as they come in and held to the letter: a client that overlooks a fault would
//! measure something else than what it was to measure.
//!
//! Only what a server has a reason to send to these clients is understood; all else is a fault.

use crate::account::Fault;

/// Reads answers, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    state: State,
    /// A line of the head or of the framing that came in part.
    line: Vec<u8>,
    /// What has come of the body, without its framing. Whoever reads takes away what is used.
    pub(crate) body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Status,
    Fields(Option<Framing>),
    /// Bytes of the body that have not come.
    Rest(usize),
    Size,
    /// Bytes of the chunk that have not come.
    Chunk(usize),
    /// The line that ends a chunk.
    Seam,
    /// The line that ends the last one.
    Last,
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    Length(usize),
    Chunked,
}

const LINE_BYTES_MAX: usize = 8 << 10;
/// Of a body that nobody has taken away: as much as a poll may be answered with.
const BODY_BYTES_MAX: usize = 8 << 20;

impl Answers {
    /// Takes what was read, up to the end of an answer, off the front of `bytes`; returns whether that end
    /// was reached.
    ///
    /// # Errors
    /// The status is not 200, or it is no HTTP.
    pub(crate) fn take(&mut self, bytes: &mut &[u8]) -> Result<bool, Fault> {
        while !bytes.is_empty() {
            let (state, is_over) = match self.state {
                State::Rest(left) => match self.gather(bytes, left)? {
                    0 => (State::Status, true),
                    left => (State::Rest(left), false),
                },
                State::Chunk(left) => match self.gather(bytes, left)? {
                    0 => (State::Seam, false),
                    left => (State::Chunk(left), false),
                },
                _ => self.line(bytes)?,
            };
            self.state = state;
            if is_over {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes what is there of `left` bytes of the body; returns how many are left.
    fn gather(&mut self, bytes: &mut &[u8], left: usize) -> Result<usize, Fault> {
        let (here, rest) = bytes.split_at(left.min(bytes.len()));
        self.body.extend_from_slice(here);
        *bytes = rest;
        if self.body.len() > BODY_BYTES_MAX {
            return Err(fault("a body without an end", b""));
        }
        Ok(left - here.len())
    }

    /// Takes a line, if it is all here; returns what comes next, and whether the answer ends with this line.
    fn line(&mut self, bytes: &mut &[u8]) -> Result<(State, bool), Fault> {
        let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
        let (here, rest) = bytes.split_at(end);
        self.line.extend_from_slice(here);
        *bytes = rest;
        if self.line.len() > LINE_BYTES_MAX {
            return Err(fault("a line without an end", b""));
        }
        if !self.line.ends_with(b"\n") {
            return Ok((self.state, false));
        }
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\r\n").ok_or_else(|| fault("a line that ends in half", &line))?;
        let next = match self.state {
            State::Status if text.starts_with(b"HTTP/1.1 200 ") => State::Fields(None),
            State::Status => return Err(fault("another status than 200", text)),
            State::Fields(framing) if text.is_empty() => match framing {
                Some(Framing::Length(0)) => return Ok((State::Status, true)),
                Some(Framing::Length(length)) => State::Rest(length),
                Some(Framing::Chunked) => State::Size,
                None => return Err(fault("a body of an unknown length", b"")),
            },
            State::Fields(framing) => State::Fields(field(text, framing)?),
            State::Size => match number(text, 16) {
                Some(0) => State::Last,
                Some(size) => State::Chunk(size),
                None => return Err(fault("a chunk of an unknown length", text)),
            },
            State::Seam if text.is_empty() => State::Size,
            State::Last if text.is_empty() => return Ok((State::Status, true)),
            _ => return Err(fault("a chunk that goes on behind its end", text)),
        };
        Ok((next, false))
    }
}

/// What a field of the head says of the body, after what others said.
fn field(text: &[u8], framing: Option<Framing>) -> Result<Option<Framing>, Fault> {
    let colon = memchr::memchr(b':', text).ok_or_else(|| fault("a field without a value", text))?;
    let (name, value) = (&text[..colon], text[colon + 1..].trim_ascii());
    let told = if name.eq_ignore_ascii_case(b"content-length") {
        let length = number(value, 10).ok_or_else(|| fault("a length that is none", text))?;
        Framing::Length(length)
    } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err(fault("an unknown encoding", text));
        }
        Framing::Chunked
    } else {
        return Ok(framing);
    };
    if framing.is_some() {
        return Err(fault("two lengths", text));
    }
    Ok(Some(told))
}

/// Digits and nothing else.
fn number(text: &[u8], radix: u32) -> Option<usize> {
    let digits = std::str::from_utf8(text).ok().filter(|digits| !digits.starts_with('+'))?;
    usize::from_str_radix(digits, radix).ok()
}

/// What is wrong with an answer, and where.
pub(crate) fn fault(what: &'static str, text: &[u8]) -> Fault {
    Fault::Answer { what, text: String::from_utf8_lossy(text).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nvary: origin\r\n\r\nhello";
    const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    /// The bodies of a stream that comes in pieces of `size`.
    fn bodies(stream: &str, size: usize) -> Result<Vec<String>, Fault> {
        let (mut answers, mut bodies) = (Answers::default(), Vec::new());
        for mut piece in stream.as_bytes().chunks(size) {
            while !piece.is_empty() {
                if answers.take(&mut piece)? {
                    bodies.push(String::from_utf8(std::mem::take(&mut answers.body)).unwrap());
                }
            }
        }
        // What has not ended, too.
        bodies.push(String::from_utf8(answers.body).unwrap());
        Ok(bodies)
    }

    #[test]
    fn answers_are_whole_however_they_are_cut() {
        let chunks = "1\r\na\r\n1B\r\n\r\n23456789 123456789 1234\r\n\r\n0\r\n\r\n";
        let stream = [WHOLE, CHUNKED, chunks, EMPTY, WHOLE, CHUNKED, "3\r\nabc\r\n2\r\nd"].concat();
        for size in (1..40).chain([100, 1_000]) {
            let found = bodies(&stream, size).unwrap();
            let expected = ["hello", "a\r\n23456789 123456789 1234\r\n", "", "hello", "abcd"];
            assert_eq!(found, expected, "{size}");
        }
    }

    #[test]
    fn what_is_no_answer_is_a_fault() {
        let fault = |stream: &str| bodies(stream, 7).unwrap_err().to_string();
        let missing = "HTTP/1.1 404 Not Found";
        let expected = format!("an answer has another status than 200: {missing}");
        assert_eq!(fault(&format!("{missing}\r\n\r\n")), expected);
        let told = |fields: &str| fault(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"));
        assert_eq!(told("vary: origin"), "an answer has a body of an unknown length: ");
        assert_eq!(told("content-length: +5"), "an answer has a length that is none: content-length: +5");
        assert_eq!(told("vary"), "an answer has a field without a value: vary");
        let two = "content-length: 5\r\ntransfer-encoding: chunked";
        assert_eq!(told(two), "an answer has two lengths: transfer-encoding: chunked");
        let torn = |chunks: &str| fault(&[CHUNKED, chunks].concat());
        assert_eq!(torn("x\r\n"), "an answer has a chunk of an unknown length: x");
        assert_eq!(torn("1\r\nab\r\n"), "an answer has a chunk that goes on behind its end: b");
        assert_eq!(torn("1\n"), "an answer has a line that ends in half: 1\n");
    }
}
