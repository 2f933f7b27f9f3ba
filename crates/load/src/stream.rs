//! A socket, with TLS on it or not.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpStream;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::LoadError;

/// Whom TLS is spoken with, and who is believed to be that.
#[derive(Clone, Debug)]
pub struct Trust {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Trust {
    /// In the server of that name, with these settings. No session is resumed: each client is somebody
    /// else, so that every handshake is a full one.
    #[must_use]
    pub fn new(config: &ClientConfig, name: ServerName<'static>) -> Self {
        let mut config = config.clone();
        config.resumption = Resumption::disabled();
        Self { config: Arc::new(config), name }
    }
}

/// A socket, with TLS on it or not.
pub(crate) struct Stream {
    pub(crate) socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

/// Buffers that all clients share: what came, and what it was before it was enciphered.
pub(crate) struct Buffers {
    wire: Vec<u8>,
    plain: Vec<u8>,
}

const WIRE: usize = 256 << 10;
/// A record of TLS has at most that much in it.
const PLAIN: usize = 16 << 10;

/// Source addresses, so that there are ports enough.
const SOURCES: usize = 4;

impl Buffers {
    pub(crate) fn new() -> Self {
        Self { wire: vec![0; WIRE], plain: vec![0; PLAIN] }
    }

    /// Bytes that are read at a time.
    pub(crate) fn room(&self) -> usize {
        self.wire.len()
    }
}

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// So many bytes.
    Bytes(usize),
    Nothing,
    /// There will be nothing more.
    End,
}

impl Stream {
    /// Begins to connect. `window`: bytes of the receive buffer, where the system's choice is too large.
    pub(crate) fn connect(
        number: usize,
        to: SocketAddr,
        window: Option<usize>,
        trust: Option<&Trust>,
    ) -> Result<Self, LoadError> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(window) = window {
            socket.set_recv_buffer_size(window)?;
        }
        if to.is_ipv4() && to.ip().is_loopback() {
            let source = [127, 0, 0, u8::try_from(number % SOURCES + 1).unwrap_or(1)];
            socket.bind(&SocketAddr::from((source, 0)).into())?;
            // Whoever parts in peace keeps its port for a minute, and the next ten thousand look for theirs long.
            socket.set_linger(Some(Duration::ZERO))?;
        }
        match socket.connect(&to.into()) {
            Err(error) if error.raw_os_error() != Some(EINPROGRESS) => return Err(error.into()),
            _ => {}
        }
        let tls = trust.map(|trust| ClientConnection::new(Arc::clone(&trust.config), trust.name.clone()));
        let tls = tls.transpose()?.map(Box::new);
        Ok(Self { socket: TcpStream::from_std(socket.into()), tls })
    }

    /// Whether it can be written to: the handshake is over.
    pub(crate) fn is_ready(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking())
    }

    /// Sends what TLS itself has to say, if anything. A new socket takes these few bytes at once.
    pub(crate) fn flush(&mut self) -> Result<(), LoadError> {
        while let Some(tls) = self.tls.as_mut().filter(|tls| tls.wants_write()) {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// Sends a few bytes. A socket whose server listens takes them at once.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(bytes)?;
            return self.flush();
        }
        Ok(self.socket.write_all(bytes)?)
    }

    /// Reads at most `most` bytes off the wire and hands what they say to `take`; not if `sealed`: then
    /// they are read and not deciphered.
    pub(crate) fn read(
        &mut self,
        buffers: &mut Buffers,
        most: usize,
        sealed: bool,
        mut take: impl FnMut(&[u8]),
    ) -> Result<Came, LoadError> {
        let most = most.min(buffers.wire.len());
        let count = loop {
            match self.socket.read(&mut buffers.wire[..most]) {
                Ok(0) => return Ok(Came::End),
                Ok(count) => break count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Came::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_cut(&error) => return Ok(Came::End),
                Err(error) => return Err(error.into()),
            }
        };
        let mut wire = &buffers.wire[..count];
        match &mut self.tls {
            None => take(wire),
            Some(_) if sealed => {}
            Some(tls) => {
                while !wire.is_empty() {
                    tls.read_tls(&mut wire)?;
                    let state = tls.process_new_packets()?;
                    let mut left = state.plaintext_bytes_to_read();
                    while left > 0 {
                        let read = tls.reader().read(&mut buffers.plain)?;
                        take(&buffers.plain[..read]);
                        left -= read;
                    }
                }
            }
        }
        self.flush()?;
        Ok(Came::Bytes(count))
    }
}

const EINPROGRESS: i32 = 115;

fn is_cut(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}
