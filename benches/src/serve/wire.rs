//! A socket of the floor, with TLS on it or not: as the gateway's is set up, and nothing else.

use std::io::{self, Read, Write};
use std::sync::Arc;

use gateway::limits::TLS_UNSENT_BYTES_MAX;
use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};

pub(super) struct Wire {
    pub(super) stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

const PLAIN_BYTES_MAX: usize = 256 << 10;

impl Wire {
    pub(super) fn new(stream: TcpStream, config: Option<&Arc<ServerConfig>>) -> Result<Self, rustls::Error> {
        let mut tls =
            config.map(|config| ServerConnection::new(Arc::clone(config))).transpose()?.map(Box::new);
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(Some(TLS_UNSENT_BYTES_MAX));
        }
        Ok(Self { stream, tls })
    }

    /// Bytes that it takes at a time, about.
    pub(super) fn room(&self) -> usize {
        if self.tls.is_some() { TLS_UNSENT_BYTES_MAX } else { PLAIN_BYTES_MAX }
    }

    /// Whether something enciphered waits for room in the socket.
    pub(super) fn waits(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }
}

impl Read for Wire {
    /// What came, if it says anything: 0 bytes are no end.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.read(into) };
        loop {
            match tls.read_tls(&mut self.stream) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => tls.process_new_packets().map_err(io::Error::other)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
        }
        while tls.wants_write() {
            tls.write_tls(&mut self.stream)?;
        }
        tls.reader().read(into)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.write(bytes) };
        // What was enciphered before goes first.
        while tls.wants_write() {
            tls.write_tls(&mut self.stream)?;
        }
        let taken = tls.writer().write(bytes)?;
        match self.flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while let Some(tls) = self.tls.as_mut().filter(|tls| tls.wants_write()) {
            tls.write_tls(&mut self.stream)?;
        }
        Ok(())
    }
}
