//! The seam to the socket layer: messages in, messages out, nothing that blocks.
//!
//! Behind it stands axum's own WebSocket, with the repairs that it needs (close frames after
//! protocol errors, bounded buffers). What replaces it one day implements [`Socket`] and changes
//! nothing else.

use std::collections::VecDeque;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{Sink, Stream};
use tokio_tungstenite::tungstenite;
use wire::CloseCode;

/// A socket that carries messages.
pub(crate) trait Socket: Send {
    /// The next thing that came in. Not called again after [`Inbound::Gone`].
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Inbound>;
    /// Takes from `outbox` what the socket can take. Ready when all of it is with the kernel.
    fn poll_send(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<Result<(), Gone>>;
}

/// Something that came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inbound {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary,
    /// A ping or a pong: the client is alive.
    Alive,
    /// The client closes; the answer is under way.
    Closing,
    /// The client broke a rule of the transport.
    Fault(CloseCode),
    /// There is nobody any more.
    Gone,
}

/// There is nobody any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// Messages on their way into a socket.
#[derive(Debug, Default)]
pub(crate) struct Outbox(VecDeque<Outgoing>);

#[derive(Debug)]
enum Outgoing {
    Text(String),
    Ping,
    Close(CloseCode, &'static str),
}

impl Outbox {
    pub(crate) fn text(&mut self, text: String) {
        self.0.push_back(Outgoing::Text(text));
    }

    pub(crate) fn ping(&mut self) {
        self.0.push_back(Outgoing::Ping);
    }

    pub(crate) fn close(&mut self, code: CloseCode, reason: &'static str) {
        self.0.push_back(Outgoing::Close(code, reason));
    }

    /// How many bytes of messages wait; control frames are none.
    pub(crate) fn bytes(&self) -> usize {
        let bytes = |message: &Outgoing| if let Outgoing::Text(text) = message { text.len() } else { 0 };
        self.0.iter().map(bytes).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// axum's WebSocket.
pub(crate) struct AxumSocket {
    inner: WebSocket,
    /// Something was given to the inner socket that is not with the kernel yet.
    unflushed: bool,
    /// The client broke a rule: nothing it sends is understood any more.
    deaf: bool,
}

impl AxumSocket {
    pub(crate) const fn new(inner: WebSocket) -> Self {
        Self { inner, unflushed: false, deaf: false }
    }
}

impl Socket for AxumSocket {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Inbound> {
        if self.deaf {
            return Poll::Pending;
        }
        let inbound = match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
            Some(Ok(Message::Text(text))) => Inbound::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(_))) => Inbound::Binary,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Inbound::Alive,
            Some(Ok(Message::Close(_))) => {
                // The answer was queued by the inner socket: flush it before anything else.
                self.unflushed = true;
                Inbound::Closing
            }
            Some(Err(error)) => fault_of(&error).map_or(Inbound::Gone, |code| {
                self.deaf = true;
                Inbound::Fault(code)
            }),
            None => Inbound::Gone,
        };
        Poll::Ready(inbound)
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<Result<(), Gone>> {
        while !outbox.0.is_empty() {
            if ready!(Pin::new(&mut self.inner).poll_ready(cx)).is_err() {
                return Poll::Ready(Err(Gone));
            }
            let Some(message) = outbox.0.pop_front() else { break };
            let message = match message {
                Outgoing::Text(text) => Message::Text(text.into()),
                Outgoing::Ping => Message::Ping(axum::body::Bytes::new()),
                Outgoing::Close(code, reason) => {
                    Message::Close(Some(CloseFrame { code: code.number(), reason: reason.into() }))
                }
            };
            if Pin::new(&mut self.inner).start_send(message).is_err() {
                return Poll::Ready(Err(Gone));
            }
            self.unflushed = true;
        }
        if self.unflushed {
            if ready!(Pin::new(&mut self.inner).poll_flush(cx)).is_err() {
                return Poll::Ready(Err(Gone));
            }
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

/// The close code that a fault of the client calls for; `None` where there is no client any more.
pub(crate) fn fault_of(error: &axum::Error) -> Option<CloseCode> {
    let error = error.source()?.downcast_ref::<tungstenite::Error>()?;
    match error {
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some(CloseCode::Protocol),
        tungstenite::Error::Utf8(_) => Some(CloseCode::NotUtf8),
        tungstenite::Error::Capacity(_) => Some(CloseCode::TooBig),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ping must not stand for a heartbeat, so it is no bytes of messages; it must be sent all the same.
    #[test]
    fn control_frames_are_no_messages() {
        let mut outbox = Outbox::default();
        outbox.ping();
        outbox.close(CloseCode::Normal, "");
        assert_eq!((outbox.bytes(), outbox.is_empty()), (0, false));
        outbox.text("four".into());
        assert_eq!(outbox.bytes(), 4);
    }
}
