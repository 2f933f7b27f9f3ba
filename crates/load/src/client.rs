//! One client: a socket, how far it has come, and what it counted.

use std::time::Instant;

use memchr::memmem;

use crate::account::{Account, Fault};
use crate::dialect::{Dialect, frame};
use crate::door::Visit;
use crate::error::LoadError;
use crate::frames::{Walker, parse};
use crate::stream::{Buffers, Came, Stream};
use crate::tally::Tally;

pub(crate) struct Client {
    pub(crate) stream: Stream,
    stage: Stage,
    /// What came in before the client was live.
    inbox: Vec<u8>,
    books: Books,
    pub(crate) began: Instant,
    pub(crate) group: usize,
}

/// What a client makes of what it gets.
pub(crate) enum Books {
    /// It counts frames and records.
    Walker(Walker),
    /// It holds the server to its promise.
    Account(Box<Account>),
    /// It stands at a door that is no WebSocket.
    Visit(Box<Visit>),
    /// It does not look: what is read is not even deciphered.
    Sealed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// TLS is being agreed on.
    Securing,
    /// Waits for the head of the answer.
    Greeting,
    /// Waits for the answer of that turn.
    Turn(usize),
    Live,
    /// The server hung up, or was caught.
    Gone(Fault),
}

/// What a look at a client came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    None,
    /// It is subscribed.
    Live,
    /// The server hung up, or was caught.
    Gone,
}

/// What a client is told, and by whom.
pub(crate) struct Script<'a> {
    pub(crate) dialect: &'a Dialect,
    pub(crate) host: &'a str,
    pub(crate) symbols: &'a [&'a str],
}

impl Client {
    pub(crate) fn new(stream: Stream, books: Books, group: usize) -> Self {
        let (stage, inbox) = (Stage::Connecting, Vec::new());
        Self { stream, stage, inbox, books, began: Instant::now(), group }
    }

    /// Why it is gone, if it is.
    pub(crate) const fn fault(&self) -> Option<&Fault> {
        if let Stage::Gone(fault) = &self.stage { Some(fault) } else { None }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }

    /// Whether its ledger has not come.
    pub(crate) fn owes(&self) -> bool {
        self.is_live() && self.account().is_some_and(|account| !account.audited)
    }

    pub(crate) fn account(&self) -> Option<&Account> {
        if let Books::Account(account) = &self.books { Some(account) } else { None }
    }

    /// The socket is connected: greets the server.
    pub(crate) fn handle_writable(&mut self, script: &Script<'_>) -> Result<(), LoadError> {
        if self.stage != Stage::Connecting {
            return Ok(());
        }
        if let Some(error) = self.stream.socket.take_error()? {
            return Err(error.into());
        }
        self.stage = Stage::Securing;
        self.stream.flush()?;
        self.greet(script)
    }

    /// Asks for the WebSocket, or what else the door is for, once that is secure.
    fn greet(&mut self, script: &Script<'_>) -> Result<(), LoadError> {
        if self.stage == Stage::Securing && self.stream.is_ready() {
            self.stage = Stage::Greeting;
            let request = match &mut self.books {
                Books::Visit(visit) => visit.ask().unwrap_or_default(),
                _ => script.dialect.upgrade(script.host).into_bytes(),
            };
            self.stream.say(&request)?;
        }
        Ok(())
    }

    /// Asks once more, at a door, unless an answer is due.
    pub(crate) fn ask(&mut self, tally: &mut Tally) -> Result<(), LoadError> {
        if let (Stage::Live, Books::Visit(visit)) = (&self.stage, &mut self.books)
            && let Some(request) = visit.ask()
        {
            tally.sent += request.len() as u64;
            self.stream.say(&request)?;
        }
        Ok(())
    }

    /// Reads until nothing is left while the client is being subscribed.
    pub(crate) fn handle_opening(
        &mut self,
        buffers: &mut Buffers,
        script: &Script<'_>,
        tally: &mut Tally,
    ) -> Result<News, LoadError> {
        while self.stage != Stage::Live {
            let inbox = &mut self.inbox;
            match self.stream.read(buffers, usize::MAX, false, |bytes| inbox.extend_from_slice(bytes))? {
                Came::Bytes(_) => {}
                Came::Nothing => return Ok(News::None),
                Came::End => return Err(LoadError::HungUp),
            }
            self.greet(script)?;
            self.advance(script)?;
        }
        let rest = std::mem::take(&mut self.inbox);
        self.look(&rest, script.dialect.batches, tally)?;
        self.read(buffers, usize::MAX, script.dialect.batches, tally)?;
        Ok(News::Live)
    }

    /// Reads until nothing is left, or `most` bytes. `buffers` are shared by all clients.
    pub(crate) fn read(
        &mut self,
        buffers: &mut Buffers,
        mut most: usize,
        many: bool,
        tally: &mut Tally,
    ) -> Result<News, LoadError> {
        while self.stage == Stage::Live && most > 0 {
            let sealed = matches!(self.books, Books::Sealed);
            let (books, mut answer) = (&mut self.books, Ok(Vec::new()));
            let came = self.stream.read(buffers, most, sealed, |bytes| {
                if let Ok(said) = &mut answer {
                    match books.take(bytes, many, tally) {
                        Ok(more) => said.extend(more),
                        Err(fault) => answer = Err(fault),
                    }
                }
            })?;
            match came {
                Came::Nothing => break,
                Came::End => self.stage = Stage::Gone(Fault::HungUp),
                Came::Bytes(count) => {
                    tally.bytes += count as u64;
                    tally.seen += if sealed { 0 } else { count as u64 };
                    // The poll tells of what comes after a read that got less than it could have.
                    let last = count < most.min(buffers.room());
                    most = if last { 0 } else { most - count };
                }
            }
            self.answer(answer, tally)?;
        }
        Ok(if self.fault().is_some() { News::Gone } else { News::None })
    }

    fn look(&mut self, bytes: &[u8], many: bool, tally: &mut Tally) -> Result<(), LoadError> {
        let answer = self.books.take(bytes, many, tally);
        self.answer(answer, tally)
    }

    fn answer(&mut self, answer: Result<Vec<u8>, Fault>, tally: &mut Tally) -> Result<(), LoadError> {
        match answer {
            Ok(said) if said.is_empty() => {}
            Ok(said) => {
                tally.sent += said.len() as u64;
                self.stream.say(&said)?;
            }
            Err(fault) => self.stage = Stage::Gone(fault),
        }
        Ok(())
    }

    /// Sends a text message.
    pub(crate) fn send(&mut self, text: &str) -> Result<(), LoadError> {
        self.stream.say(&frame(1, text.as_bytes()))
    }

    /// Answers what waits in the inbox.
    fn advance(&mut self, script: &Script<'_>) -> Result<(), LoadError> {
        if self.stage == Stage::Greeting {
            let Some(end) = memmem::find(&self.inbox, b"\r\n\r\n") else { return Ok(()) };
            let head = String::from_utf8_lossy(&self.inbox[..end]);
            let is_visit = matches!(self.books, Books::Visit(_));
            if !head.starts_with(if is_visit { "HTTP/1.1 200 " } else { "HTTP/1.1 101" }) {
                return Err(LoadError::Refused(head.into()));
            }
            if is_visit {
                // It reads the answer from its first byte on.
                self.stage = Stage::Live;
                return Ok(());
            }
            self.inbox.drain(..end + 4);
            self.begin(0, script)?;
        }
        while let Stage::Turn(number) = self.stage {
            let Some((head, length)) = parse(&self.inbox) else { return Ok(()) };
            let end = usize::try_from(length).map_or(usize::MAX, |length| head + length);
            if self.inbox.len() < end {
                return Ok(());
            }
            let payload: Vec<u8> = self.inbox.drain(..end).skip(head).collect();
            let turn = script.dialect.turn(number, script.symbols);
            if turn.is_some_and(|turn| memmem::find(&payload, turn.hear).is_some()) {
                self.begin(number + 1, script)?;
            } else if memmem::find(&payload, b"\"error\"").is_some() {
                return Err(LoadError::Unwilling(String::from_utf8_lossy(&payload).into()));
            }
        }
        Ok(())
    }

    fn begin(&mut self, number: usize, script: &Script<'_>) -> Result<(), LoadError> {
        let Some(turn) = script.dialect.turn(number, script.symbols) else {
            self.stage = Stage::Live;
            return Ok(());
        };
        self.stage = Stage::Turn(number);
        turn.say.map_or(Ok(()), |text| self.send(&text))
    }
}

impl Books {
    fn take(&mut self, bytes: &[u8], many: bool, tally: &mut Tally) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Walker(walker) => walker.take(bytes, many, tally),
            Self::Account(account) => return account.take(bytes, tally),
            Self::Visit(visit) => return visit.take(bytes, tally),
            Self::Sealed => {}
        }
        Ok(Vec::new())
    }
}
