//! One client: a socket, how far it has come, and what it counted.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use memchr::memmem;
use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

use super::dialect::{Dialect, frame};
use super::frames::{Tally, Walker, parse};

pub(crate) struct Client {
    pub(super) stream: TcpStream,
    stage: Stage,
    /// What came in before the client was live.
    inbox: Vec<u8>,
    walker: Walker,
    pub(super) began: Instant,
    /// Does not read.
    pub(super) stalled: bool,
    pub(super) group: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    Upgrading,
    /// Waits for the answer of that turn.
    Turn(usize),
    Live,
    /// The server hung up.
    Gone,
}

/// What a look at a client came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    None,
    /// It is subscribed.
    Live,
    /// The server hung up.
    Gone,
}

/// Source addresses, so that there are ports enough.
const SOURCES: usize = 4;

impl Client {
    /// Begins to connect. `window`: bytes of the receive buffer, where the system's choice is too large.
    pub(super) fn connect(number: usize, to: SocketAddr, window: Option<usize>) -> anyhow::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(window) = window {
            socket.set_recv_buffer_size(window)?;
        }
        let source = [127, 0, 0, u8::try_from(number % SOURCES + 1)?];
        socket.bind(&SocketAddr::from((source, 0)).into())?;
        match socket.connect(&to.into()) {
            Err(error) if error.raw_os_error() != Some(EINPROGRESS) => return Err(error.into()),
            _ => {}
        }
        Ok(Self {
            stream: TcpStream::from_std(socket.into()),
            stage: Stage::Connecting,
            inbox: Vec::new(),
            walker: Walker::default(),
            began: Instant::now(),
            stalled: false,
            group: 0,
        })
    }

    pub(super) fn is_gone(&self) -> bool {
        self.stage == Stage::Gone
    }

    /// The socket is connected: asks for the WebSocket.
    pub(super) fn handle_writable(&mut self, dialect: &Dialect, to: SocketAddr) -> anyhow::Result<()> {
        if self.stage != Stage::Connecting {
            return Ok(());
        }
        if let Some(error) = self.stream.take_error()? {
            return Err(error).context("cannot connect");
        }
        self.stage = Stage::Upgrading;
        self.say(dialect.upgrade(to).as_bytes())
    }

    /// Reads what there is. `buffer` is shared by all clients.
    pub(super) fn handle_readable(
        &mut self,
        buffer: &mut [u8],
        dialect: &Dialect,
        symbols: &[&str],
        tally: &mut Tally,
    ) -> anyhow::Result<News> {
        let mut news = News::None;
        while !self.stalled && self.stage != Stage::Gone {
            let count = match self.stream.read(buffer) {
                Ok(0) => 0,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if is_cut(&error) => 0,
                Err(error) => return Err(error.into()),
            };
            if count == 0 {
                ensure!(self.stage == Stage::Live, "the server hung up at {:?}", self.stage);
                self.stage = Stage::Gone;
                return Ok(News::Gone);
            }
            if self.stage == Stage::Live {
                self.walker.take(&buffer[..count], dialect.batches(), tally);
            } else {
                self.inbox.extend_from_slice(&buffer[..count]);
                if self.advance(dialect, symbols)? {
                    news = News::Live;
                    let rest = std::mem::take(&mut self.inbox);
                    self.walker.take(&rest, dialect.batches(), tally);
                }
            }
            // The poll tells of what comes after a read that got less than it could have.
            if count < buffer.len() {
                break;
            }
        }
        Ok(news)
    }

    /// Answers what waits in the inbox; true once the client is live.
    fn advance(&mut self, dialect: &Dialect, symbols: &[&str]) -> anyhow::Result<bool> {
        if self.stage == Stage::Upgrading {
            let Some(end) = memmem::find(&self.inbox, b"\r\n\r\n") else { return Ok(false) };
            let head = String::from_utf8_lossy(&self.inbox[..end]).into_owned();
            ensure!(head.starts_with("HTTP/1.1 101"), "{head}");
            self.inbox.drain(..end + 4);
            self.begin(0, dialect, symbols)?;
        }
        while let Stage::Turn(number) = self.stage {
            let Some((head, length)) = parse(&self.inbox) else { return Ok(false) };
            let end = head + usize::try_from(length)?;
            if self.inbox.len() < end {
                return Ok(false);
            }
            let payload: Vec<u8> = self.inbox.drain(..end).skip(head).collect();
            let turn = dialect.turn(number, symbols).context("a turn")?;
            if memmem::find(&payload, turn.hear).is_some() {
                self.begin(number + 1, dialect, symbols)?;
            } else if memmem::find(&payload, b"\"error\"").is_some() {
                bail!("{}", String::from_utf8_lossy(&payload));
            }
        }
        Ok(self.stage == Stage::Live)
    }

    fn begin(&mut self, number: usize, dialect: &Dialect, symbols: &[&str]) -> anyhow::Result<()> {
        let Some(turn) = dialect.turn(number, symbols) else {
            self.stage = Stage::Live;
            return Ok(());
        };
        self.stage = Stage::Turn(number);
        turn.say.map_or(Ok(()), |text| self.say(&frame(&text)))
    }

    /// A new socket takes these few bytes at once.
    fn say(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(bytes).context("cannot send")
    }
}

const EINPROGRESS: i32 = 115;

fn is_cut(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}
