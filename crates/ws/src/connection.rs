//! A connection: what is answered without being asked, and how it ends.

use bytes::Bytes;

use crate::decoder::{Decoder, Incoming, Limits};
use crate::deflate::WindowBits;
use crate::extensions::Deflate;
use crate::fault::Fault;
use crate::frame::{self, Opcode};
use crate::input::Input;

/// The state of one connection.
///
/// The shell feeds what it read to [`Self::handle`] until nothing is left of it. Before each frame of its
/// own it sends [`Self::poll_control`]; where it has none, [`Self::poll_close`]. After a close frame
/// ([`Self::is_closed`]) it sends nothing more.
pub struct Connection {
    decoder: Decoder,
    window: Option<WindowBits>,
    hearing: Hearing,
    pong: Option<Bytes>,
    close: Close,
}

/// Something that the shell must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping; its answer is in the control lane.
    Ping,
    /// A pong.
    Pong,
    /// The client closes; the answer is in the control lane. Nothing comes after it.
    Close(Option<u16>),
    /// The client broke a rule; a close frame waits in [`Connection::poll_close`]. Nothing comes after it.
    Fault(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearing {
    Open,
    /// The client has closed.
    Closed,
    /// The client broke a rule.
    Deaf,
}

#[derive(Debug)]
enum Close {
    /// Nobody wants to close.
    Open,
    /// Ours, behind what waits to be sent.
    Queued(Bytes),
    /// The answer to the client's, ahead of what waits.
    Answer(Bytes),
    Sent,
}

impl Connection {
    /// A connection right after the handshake.
    #[must_use]
    pub fn new(limits: Limits, deflate: Option<Deflate>) -> Self {
        Self {
            decoder: Decoder::new(limits, deflate.is_some()),
            window: deflate.map(Deflate::window),
            hearing: Hearing::Open,
            pong: None,
            close: Close::Open,
        }
    }

    /// Input: bytes of the client. Takes them from the front of `input` up to the next event, all of
    /// them where there is none.
    pub fn handle(&mut self, input: &mut Input<'_>) -> Option<Event> {
        if self.hearing != Hearing::Open {
            input.clear();
            return None;
        }
        match self.decoder.decode(input) {
            Ok(None) => None,
            Ok(Some(Incoming::Text(text))) => Some(Event::Text(text)),
            Ok(Some(Incoming::Binary(bytes))) => Some(Event::Binary(bytes)),
            Ok(Some(Incoming::Ping(payload))) => {
                // Of several that wait, only the last is answered (RFC 6455, 5.5.3).
                self.pong = Some(frame::control(Opcode::Pong, &payload));
                Some(Event::Ping)
            }
            Ok(Some(Incoming::Pong)) => Some(Event::Pong),
            Ok(Some(Incoming::Close(code))) => {
                self.hearing = Hearing::Closed;
                if !self.is_closed() {
                    self.close = Close::Answer(frame::close(code, ""));
                }
                Some(Event::Close(code))
            }
            Err(fault) => {
                self.hearing = Hearing::Deaf;
                self.decoder = Decoder::new(Limits { message_bytes: 0, inflated_bytes: 0, frames: 0 }, false);
                if !self.is_closed() {
                    self.close = Close::Queued(frame::close(Some(fault.close_code()), ""));
                }
                Some(Event::Fault(fault))
            }
        }
    }

    /// Input: we want to close. Replaces what a fault would say; too late after another close frame, and
    /// where the client's is being answered.
    pub fn close(&mut self, code: u16, reason: &str) {
        if matches!(self.close, Close::Open | Close::Queued(_)) {
            self.close = Close::Queued(frame::close(Some(code), reason));
        }
    }

    /// Output: a control frame to send ahead of all that waits.
    pub fn poll_control(&mut self) -> Option<Bytes> {
        if self.is_closed() {
            return None;
        }
        self.pong.take().or_else(|| self.take_close(|close| matches!(close, Close::Answer(_))))
    }

    /// Output: the close frame to send behind all that waits.
    pub fn poll_close(&mut self) -> Option<Bytes> {
        self.take_close(|_| true)
    }

    fn take_close(&mut self, wanted: impl FnOnce(&Close) -> bool) -> Option<Bytes> {
        if !matches!(self.close, Close::Queued(_) | Close::Answer(_)) || !wanted(&self.close) {
            return None;
        }
        self.pong = None;
        match std::mem::replace(&mut self.close, Close::Sent) {
            Close::Queued(frame) | Close::Answer(frame) => Some(frame),
            Close::Open | Close::Sent => None,
        }
    }

    /// Whether [`Self::poll_control`] has something.
    #[must_use]
    pub const fn has_control(&self) -> bool {
        !self.is_closed() && (self.pong.is_some() || matches!(self.close, Close::Answer(_)))
    }

    /// Our close frame was handed out: nothing more is sent.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.close, Close::Sent)
    }

    /// Both have closed: the line can be cut.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_closed() && self.hearing == Hearing::Closed
    }

    /// The client broke a rule: what it sends is not understood any more.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.hearing == Hearing::Deaf
    }

    /// The window of messages to this client; `None`: they are not compressed.
    #[must_use]
    pub const fn window(&self) -> Option<WindowBits> {
        self.window
    }
}
