//! A client of a door that is no WebSocket: what it asks, and what it makes of the answers.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use memchr::memmem::{self, Finder};

use crate::account::{Fault, number};
use crate::http::{Answers, fault};
use crate::tally::Tally;

/// A way to the same messages over plain HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Server-sent events: one answer, which does not end.
    Events,
    /// Long polling: an answer has what is new, and is asked for again as soon as it is there.
    Poll,
    /// Plain polling: the state, asked for every so often, whether or not there is a newer one.
    Snapshot(Duration),
}

/// A client's requests, all alike but for the cursor.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Up to the place of a cursor.
    pub(crate) target: String,
    /// All behind it.
    pub(crate) rest: String,
}

/// A client's place at a door.
#[derive(Debug)]
pub(crate) struct Visit {
    door: Door,
    request: Request,
    answers: Answers,
    /// An answer is due, or on its way.
    waits: bool,
    /// The newest record so far. Clients of doors take one symbol.
    newest: u64,
}

/// In front of a record's sequence.
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"sequence\":"));
/// What a session says when it refuses something.
const ERROR: &[u8] = b"{\"type\":\"error\"";

impl Visit {
    pub(crate) fn new(door: Door, request: Request) -> Self {
        Self { door, request, answers: Answers::default(), waits: false, newest: 0 }
    }

    /// The request without a cursor; `None` while an answer is due, which the next one waits for.
    pub(crate) fn ask(&mut self) -> Option<Vec<u8>> {
        let waited = std::mem::replace(&mut self.waits, true);
        (!waited).then(|| [self.request.target.as_bytes(), self.request.rest.as_bytes()].concat())
    }

    /// Takes what was read; returns what is to be said to it.
    pub(crate) fn take(&mut self, mut bytes: &[u8], tally: &mut Tally) -> Result<Vec<u8>, Fault> {
        let mut said = Vec::new();
        while !bytes.is_empty() {
            if !self.waits {
                return Err(fault("not been asked for", bytes));
            }
            self.waits = !self.answers.take(&mut bytes)?;
            if self.door == Door::Events {
                self.events(tally)?;
            }
            if !self.waits {
                let body = std::mem::take(&mut self.answers.body);
                said.extend(self.answer(&body, tally)?);
            }
        }
        Ok(said)
    }

    /// What an answer that is over comes to.
    fn answer(&mut self, body: &[u8], tally: &mut Tally) -> Result<Vec<u8>, Fault> {
        let text = || String::from_utf8_lossy(body).into();
        match self.door {
            Door::Events => Err(Fault::HungUp),
            Door::Snapshot(_) if body.starts_with(b"{\"type\":\"snapshot\"") => {
                self.records(body, tally);
                Ok(Vec::new())
            }
            Door::Poll if memmem::find(body, ERROR).is_none() => {
                let cursor = body.strip_prefix(b"{\"cursor\":\"").and_then(|rest| {
                    let end = memchr::memchr(b'"', rest).filter(|end| *end > 0)?;
                    Some(&rest[..end])
                });
                let cursor = cursor.ok_or_else(|| Fault::Said(text()))?;
                self.records(body, tally);
                self.waits = true;
                let Request { target, rest } = &self.request;
                Ok([target.as_bytes(), b"&cursor=", cursor, rest.as_bytes()].concat())
            }
            _ => Err(Fault::Said(text())),
        }
    }

    /// Takes the events that are whole.
    fn events(&mut self, tally: &mut Tally) -> Result<(), Fault> {
        let mut body = std::mem::take(&mut self.answers.body);
        let mut used = 0;
        while let Some(length) = memmem::find(&body[used..], b"\n\n") {
            for line in body[used..used + length].split(|&byte| byte == b'\n') {
                if let Some(message) = line.strip_prefix(b"data: ") {
                    if message.starts_with(ERROR) {
                        return Err(Fault::Said(String::from_utf8_lossy(message).into()));
                    }
                    self.records(message, tally);
                } else if ![&b"event: "[..], b"id: ", b"retry: ", b": "].iter().any(|of| line.starts_with(of))
                {
                    return Err(fault("an event with an unknown field", line));
                }
            }
            used += length + 2;
        }
        body.drain(..used);
        self.answers.body = body;
        Ok(())
    }

    /// Counts the records that are newer than all before.
    fn records(&mut self, message: &[u8], tally: &mut Tally) {
        tally.frames += 1;
        for at in MARK.find_iter(message) {
            let record = &message[at..];
            let sequence = number(&mut &record[MARK.needle().len()..]);
            if sequence > self.newest {
                self.newest = sequence;
                tally.record(record);
            }
        }
    }
}

/// Whose turn it is to ask. All have the same interval, and their turns lie evenly in it, so that the
/// server is asked all the time and not by all at once.
#[derive(Debug)]
pub(crate) struct Round {
    /// From one client's turn to the next one's.
    step: Duration,
    count: usize,
    /// When the next turn is, and whose.
    next: (Instant, usize),
}

impl Round {
    pub(crate) fn begin(every: Duration, count: usize) -> Self {
        let step = every / u32::try_from(count).unwrap_or(u32::MAX).max(1);
        Self { step, count, next: (Instant::now(), 0) }
    }

    /// Who asks now; `None` until it is somebody's turn.
    pub(crate) fn next(&mut self) -> Option<usize> {
        let (at, who) = self.next;
        if at > Instant::now() || self.count == 0 {
            return None;
        }
        self.next = (at + self.step, (who + 1) % self.count);
        Some(who)
    }

    /// How long it is nobody's turn.
    pub(crate) fn rest(&self) -> Duration {
        self.next.0.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::clock::Stamp;

    fn visit(door: Door) -> Visit {
        let request =
            Request { target: "GET /v1/x?symbols=A".to_owned(), rest: " HTTP/1.1\r\n\r\n".to_owned() };
        let mut visit = Visit::new(door, request);
        assert_eq!(visit.ask().unwrap(), b"GET /v1/x?symbols=A HTTP/1.1\r\n\r\n");
        assert_eq!(visit.ask(), None);
        visit
    }

    fn answer(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    fn snapshot(sequence: u64) -> String {
        answer(&format!(r#"{{"type":"snapshot","data":[{{"symbol":"A","sequence":{sequence},"bid":1}}]}}"#))
    }

    #[test]
    fn a_state_counts_once() {
        let (mut visit, mut tally) =
            (visit(Door::Snapshot(Duration::from_secs(1))), Tally::new(Stamp::Received, 0));
        for (sequence, records) in [(7, 1), (7, 1), (9, 2)] {
            assert_eq!(visit.take(snapshot(sequence).as_bytes(), &mut tally), Ok(Vec::new()));
            assert_eq!(tally.records, records);
            assert!(visit.ask().is_some());
        }
        let twice = snapshot(9).repeat(2);
        let unasked = visit.take(twice.as_bytes(), &mut tally).unwrap_err();
        assert!(unasked.to_string().starts_with("an answer has not been asked for: HTTP"), "{unasked}");
    }

    #[test]
    fn a_poll_goes_on_where_the_answer_ended() {
        let (mut visit, mut tally) = (visit(Door::Poll), Tally::new(Stamp::Received, 0));
        let news = answer(r#"{"cursor":"e:8","messages":[{"data":[{"symbol":"A","sequence":8}]}]}"#);
        let (first, last) = news.as_bytes().split_at(60);
        assert_eq!(visit.take(first, &mut tally), Ok(Vec::new()));
        let next = visit.take(last, &mut tally).unwrap();
        assert_eq!(next, b"GET /v1/x?symbols=A&cursor=e:8 HTTP/1.1\r\n\r\n");
        assert_eq!(tally.records, 1);
        let nowhere = r#"{"cursor":"","messages":[]}"#;
        let refused = visit.take(answer(nowhere).as_bytes(), &mut tally);
        assert_eq!(refused, Err(Fault::Said(nowhere.into())));
    }

    #[test]
    fn events_are_counted_however_they_are_cut() {
        let events = "retry: 2000\n\n: ping\n\nevent: update\nid: e:8\ndata: {\"data\":[{\"sequence\":8}]}\n\n\
                      event: update\nid: e:10\ndata: {\"data\":[{\"sequence\":9},{\"sequence\":10}]}\n\n";
        let mut stream = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
        for chunk in events.as_bytes().chunks(9) {
            write!(stream, "{:x}\r\n{}\r\n", chunk.len(), str::from_utf8(chunk).unwrap()).unwrap();
        }
        for size in (1..30).chain([1_000]) {
            let (mut visit, mut tally) = (visit(Door::Events), Tally::new(Stamp::Received, 0));
            for piece in stream.as_bytes().chunks(size) {
                assert_eq!(visit.take(piece, &mut tally), Ok(Vec::new()));
            }
            assert_eq!((tally.frames, tally.records), (2, 3), "{size}");
        }
        let (mut visit, mut tally) = (visit(Door::Events), Tally::new(Stamp::Received, 0));
        let ended = visit.take(format!("{stream}0\r\n\r\n").as_bytes(), &mut tally);
        assert_eq!(ended, Err(Fault::HungUp));
    }
}
