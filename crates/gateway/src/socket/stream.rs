//! A WebSocket on a stream of our own, plain or TLS.

use std::hint::black_box;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use rustix::net::SendFlags;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use wire::CloseCode;
use ws::{Connection, Event, Input};

use super::{Encoding, Form, Gone, Inbound, Outbox, Socket};
use crate::limits::{GATHERED_MAX, READS_PER_MESSAGE};

/// A stream of bytes to a client.
pub(crate) enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A WebSocket. It reads into the scratch of whoever polls it, and keeps a buffer only while part of a
/// message, or of what was read, waits.
pub(crate) struct WsSocket {
    io: Io,
    connection: Connection,
    encoding: Encoding,
    /// What must go first: the rest of a frame, or a control frame.
    head: Bytes,
    /// What was read behind an event, and not yet decoded.
    rest: Option<Box<Rest>>,
    /// We have said that nothing more comes.
    shut: bool,
}

struct Rest {
    bytes: Vec<u8>,
    at: usize,
}

impl Rest {
    fn keep(bytes: &[u8]) -> Option<Box<Self>> {
        (!bytes.is_empty()).then(|| Box::new(Self { bytes: bytes.to_vec(), at: 0 }))
    }
}

impl WsSocket {
    /// A socket after the handshake; `early` is what the client sent right behind its own part of it.
    pub(super) fn new(io: Io, connection: Connection, encoding: Encoding, early: &[u8]) -> Self {
        Self { io, connection, encoding, head: Bytes::new(), rest: Rest::keep(early), shut: false }
    }

    fn handle_rest(&mut self) -> Option<Event> {
        let rest = self.rest.as_mut()?;
        let mut input = Input::new(&mut rest.bytes[rest.at..]);
        let event = self.connection.handle(&mut input);
        let left = input.rest().len();
        rest.at = rest.bytes.len() - left;
        if left == 0 {
            self.rest = None;
        }
        event
    }

    /// Says that nothing more comes, as far as that goes without waiting.
    fn shut(&mut self, cx: &mut Context<'_>) {
        if !std::mem::replace(&mut self.shut, true) {
            let _ = self.io.poll_shutdown(cx);
        }
    }

    /// Chooses what goes first.
    fn refill(&mut self, outbox: &mut Outbox) {
        if self.head.is_empty() && self.connection.has_control() {
            self.head = self.connection.poll_control().unwrap_or_default();
        }
        if self.head.is_empty() {
            let goodbye = outbox.pop_close();
            if let Some((code, reason)) = goodbye {
                self.connection.close(code.number(), reason);
            }
            if goodbye.is_some() || outbox.is_empty() {
                self.head = self.connection.poll_close().unwrap_or_default();
            }
        }
        if self.connection.is_closed() {
            outbox.clear();
        }
    }

    /// Writes the head, and as much of the outbox as goes with it.
    fn write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<()>> {
        let form = Form { encoding: self.encoding, window: self.connection.window() };
        if let (true, Some(frame)) = (self.head.is_empty(), outbox.sole(form)) {
            let written = ready!(self.io.poll_write(cx, &[IoSlice::new(frame)]))?;
            self.head = outbox.advance(some(written)?, form);
            return Poll::Ready(Ok(()));
        }
        let mut slices = [IoSlice::new(&[]); GATHERED_MAX];
        let mut count = 0;
        if !self.head.is_empty() {
            slices[0] = IoSlice::new(&self.head);
            count = 1;
        }
        // Behind the rest of a frame, a control frame is next.
        if count == 0 || !self.connection.has_control() {
            for (slice, frame) in slices[count..].iter_mut().zip(outbox.frames(form)) {
                *slice = IoSlice::new(frame);
                count += 1;
            }
        }
        let written = some(ready!(self.io.poll_write(cx, &slices[..count]))?)?;
        let of_head = written.min(self.head.len());
        self.head.advance(of_head);
        if written > of_head || self.head.is_empty() {
            self.head = outbox.advance(written - of_head, form);
        }
        Poll::Ready(Ok(()))
    }
}

impl Socket for WsSocket {
    fn poll_recv(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> Poll<Inbound> {
        for _ in 0..READS_PER_MESSAGE {
            if self.connection.is_over() && self.head.is_empty() {
                self.shut(cx);
                return Poll::Ready(Inbound::Gone(Gone::Left));
            }
            let event = if self.rest.is_some() {
                self.handle_rest()
            } else {
                let read = match ready!(self.io.poll_read(cx, scratch)) {
                    Ok(read @ 1..) => read,
                    Ok(0) => return Poll::Ready(Inbound::Gone(Gone::Left)),
                    Err(error) => return Poll::Ready(Inbound::Gone(Gone::of(&error))),
                };
                let mut input = Input::new(&mut scratch[..read]);
                let event = self.connection.handle(&mut input);
                self.rest = Rest::keep(input.rest());
                event
            };
            if let Some(event) = event {
                return Poll::Ready(inbound(event));
            }
        }
        // There may be more; others have their turn first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<Result<(), Gone>> {
        loop {
            self.refill(outbox);
            if self.head.is_empty() && outbox.is_empty() {
                break;
            }
            ready!(self.write(cx, outbox)).map_err(|error| Gone::of(&error))?;
        }
        ready!(self.io.poll_flush(cx)).map_err(|error| Gone::of(&error))?;
        if self.connection.is_over() {
            self.shut(cx);
            return Poll::Ready(Err(Gone::Left));
        }
        if self.connection.is_closed() && self.connection.is_deaf() {
            // Nothing is expected but the end. Read up to it, the close frame is not lost to a reset.
            self.shut(cx);
        }
        Poll::Ready(Ok(()))
    }

    fn door(&self) -> &'static str {
        "websocket"
    }

    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn warm(&self) {
        let plain = matches!(self.io, Io::Plain(_));
        black_box((plain, self.head.len(), self.connection.has_control(), self.connection.window()));
    }
}

/// How much was written; nothing at all is an error.
fn some(written: usize) -> io::Result<usize> {
    if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written) }
}

fn inbound(event: Event) -> Inbound {
    match event {
        Event::Text(text) => Inbound::Text(text),
        Event::Binary(bytes) => Inbound::Binary(bytes),
        Event::Ping | Event::Pong => Inbound::Alive,
        Event::Close(_) => Inbound::Closing,
        Event::Fault(fault) => {
            let code = match fault.close_code() {
                1007 => CloseCode::NotUtf8,
                1009 => CloseCode::TooBig,
                _ => CloseCode::Protocol,
            };
            Inbound::Fault(code, Some(fault))
        }
    }
}

impl Io {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        ready!(match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, &mut buffer),
        })?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// One system call, or one record, for many frames.
    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => {
                // Most sockets have room: the kernel is asked at once, and the runtime, whose note of that
                // is far from the core, only where there is none.
                let sent = match slices {
                    // Right into the kernel: libc makes a send a point where a thread may be cancelled.
                    [slice] => rustix::net::send(&*stream, slice, SendFlags::NOSIGNAL).map_err(Into::into),
                    _ => SockRef::from(&*stream).send_vectored(slices),
                };
                match sent {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        Pin::new(stream).poll_write_vectored(cx, slices)
                    }
                    sent => Poll::Ready(sent),
                }
            }
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // The kernel has it all.
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
