//! The floor: what any server must do at least. A handshake, and then the bytes of each update, made
//! once, into the sockets of those who want it. No token, no account, no repair: what a full socket
//! does not take is lost. Over TLS it is rustls and these bytes: where each update is a write of its own, as
//! many as Tickwire sends.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use gateway::Tls;
use memchr::memmem;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};

use super::wire::Wire;
use crate::schedule::{Due, Pace, Schedule, write_update};

/// The answer to the one key that the crowd's clients send.
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// `ok`, as a text frame.
const OK: &[u8] = &[0x81, 2, b'o', b'k'];
/// What Tickwire puts around a record that stands alone.
const ENVELOPE: [&str; 2] =
    ["{\"type\":\"update\",\"channel\":\"quotes\",\"cursor\":\"mwpzsdba:918230\",\"data\":[", "]}"];
const LISTENER: Token = Token(usize::MAX);
const BACKLOG: i32 = 8_192;
/// Updates that wait for a connection at most; beyond, they are lost to it.
const WAITING_MAX: usize = 1_280;

struct Connection {
    wire: Wire,
    /// What came in of a request.
    inbox: Vec<u8>,
    /// What waits to be written, and how much of the first of it the socket took.
    queue: VecDeque<Rc<[u8]>>,
    taken: usize,
    stage: Stage,
    dirty: bool,
    full: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Upgrading,
    /// What it wants is not known.
    Asking,
    Live,
}

struct Floor {
    poll: Poll,
    tls: Option<Arc<ServerConfig>>,
    listener: TcpListener,
    connections: Vec<Connection>,
    names: Vec<String>,
    /// By symbol: who wants it.
    readers: Vec<Vec<usize>>,
    sequences: Vec<u64>,
    batched: bool,
    dirty: Vec<usize>,
    gathered: Vec<u8>,
}

pub(super) fn run(schedule: Schedule, batched: bool, tls: Option<&Tls>) -> anyhow::Result<()> {
    let tls = tls.map(Tls::config).transpose()?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(BACKLOG)?;
    let mut listener = TcpListener::from_std(socket.into());
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("ready {}", listener.local_addr()?.port());
    let count = schedule.symbols.len();
    let mut floor = Floor {
        poll,
        tls,
        listener,
        connections: Vec::new(),
        names: schedule.symbols,
        readers: vec![Vec::new(); count],
        sequences: vec![0; count],
        batched,
        dirty: Vec::new(),
        gathered: Vec::new(),
    };
    let mut pace = Pace::from_input(schedule.order, || {});
    let (mut events, mut due) = (Events::with_capacity(4_096), Vec::new());
    loop {
        pace.due(&mut due);
        for update in due.drain(..) {
            floor.publish(update);
        }
        floor.flush();
        // A poll waits in whole milliseconds; updates are due more exactly.
        let rest = pace.rest();
        let most = rest.saturating_sub(Duration::from_millis(2));
        floor.poll.poll(&mut events, Some(most))?;
        let idle = events.is_empty();
        for event in &events {
            floor.handle(event)?;
        }
        if idle && most.is_zero() {
            std::thread::sleep(pace.rest());
        }
    }
}

impl Floor {
    fn publish(&mut self, due: Due) {
        let sequence = &mut self.sequences[due.symbol];
        *sequence += 1;
        let mut frame = vec![0x81, 126, 0, 0];
        let [before, after] = if self.tls.is_some() && !self.batched { ENVELOPE } else { [""; 2] };
        frame.extend(before.bytes());
        write_update(&mut frame, &self.names[due.symbol], *sequence, due.at);
        frame.extend(after.bytes());
        let length = u16::try_from(frame.len() - 4).unwrap_or(0).to_be_bytes();
        frame[2..4].copy_from_slice(&length);
        let frame = Rc::from(frame);
        for &reader in &self.readers[due.symbol] {
            let connection = &mut self.connections[reader];
            if self.batched {
                if connection.queue.len() < WAITING_MAX {
                    connection.queue.push_back(Rc::clone(&frame));
                }
                if !connection.dirty && !connection.full {
                    connection.dirty = true;
                    self.dirty.push(reader);
                }
            } else if connection.queue.is_empty() {
                connection.send(&frame);
            }
        }
    }

    fn flush(&mut self) {
        for reader in self.dirty.drain(..) {
            self.connections[reader].flush(&mut self.gathered);
        }
    }

    fn handle(&mut self, event: &mio::event::Event) -> anyhow::Result<()> {
        if event.token() == LISTENER {
            return self.accept();
        }
        let number = event.token().0;
        let connection = &mut self.connections[number];
        if event.is_readable() && connection.stage != Stage::Live {
            connection.read(number, &self.names, &mut self.readers)?;
        }
        let waits = connection.wire.waits() || !connection.queue.is_empty();
        if event.is_writable() && connection.stage == Stage::Live && waits {
            connection.flush(&mut self.gathered);
        }
        Ok(())
    }

    fn accept(&mut self) -> anyhow::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    stream.set_nodelay(true)?;
                    let token = Token(self.connections.len());
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    self.poll.registry().register(&mut stream, token, interest)?;
                    let wire = Wire::new(stream, self.tls.as_ref())?;
                    let (inbox, queue, stage) = (Vec::new(), VecDeque::new(), Stage::Upgrading);
                    let connection =
                        Connection { wire, inbox, queue, taken: 0, stage, dirty: false, full: false };
                    self.connections.push(connection);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accept"),
            }
        }
    }
}

impl Connection {
    /// Reads the handshake and the list of symbols.
    fn read(&mut self, number: usize, names: &[String], readers: &mut [Vec<usize>]) -> anyhow::Result<()> {
        let mut buffer = [0; 4_096];
        match self.wire.read(&mut buffer) {
            Ok(count) => self.inbox.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Ok(()),
        }
        if self.stage == Stage::Upgrading {
            let Some(end) = memmem::find(&self.inbox, b"\r\n\r\n") else { return Ok(()) };
            self.inbox.drain(..end + 4);
            self.stage = Stage::Asking;
            self.wire.write_all(SWITCH)?;
        }
        let (head, length) = match (self.inbox.get(1), self.inbox.get(2..4)) {
            (Some(0xFE), Some(long)) => (8, usize::from(u16::from_be_bytes(long.try_into()?))),
            (Some(&short), Some(_)) => (6, usize::from(short & 0x7F)),
            _ => return Ok(()),
        };
        let Some(text) = self.inbox.get(head..head + length) else { return Ok(()) };
        for name in std::str::from_utf8(text)?.split(',') {
            let symbol = names.binary_search_by(|known| known.as_str().cmp(name));
            readers[symbol.ok().context("an unknown symbol")?].push(number);
        }
        self.inbox = Vec::new();
        self.stage = Stage::Live;
        Ok(self.wire.write_all(OK)?)
    }

    /// One write for one update. What is left of it must go before the next one.
    fn send(&mut self, frame: &Rc<[u8]>) {
        // Where nothing of it was taken, it is lost.
        if let Ok(count) = self.wire.write(frame)
            && count < frame.len()
        {
            self.queue.push_back(Rc::clone(frame));
            self.taken = count;
        }
    }

    /// One write for all that waits, by way of a buffer that all connections share: what each has of its
    /// own would not stay in the processor's memory.
    fn flush(&mut self, gathered: &mut Vec<u8>) {
        self.dirty = false;
        self.full = matches!(self.wire.flush(), Err(error) if error.kind() == ErrorKind::WouldBlock);
        while !self.full && !self.queue.is_empty() {
            gathered.clear();
            for frame in &self.queue {
                gathered.extend_from_slice(frame);
                if gathered.len() >= self.wire.room() {
                    break;
                }
            }
            match self.wire.write(&gathered[self.taken..]) {
                Ok(count) => {
                    self.taken += count;
                    while let Some(frame) = self.queue.pop_front_if(|frame| frame.len() <= self.taken) {
                        self.taken -= frame.len();
                    }
                }
                Err(error) => {
                    self.full = error.kind() == ErrorKind::WouldBlock;
                    if !self.full {
                        (self.queue, self.taken) = (VecDeque::new(), 0);
                    }
                }
            }
        }
    }
}
