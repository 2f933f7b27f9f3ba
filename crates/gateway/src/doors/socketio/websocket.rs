//! The WebSocket transport: a packet is a text message.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use tokio::time::timeout;
use wire::CloseCode;

use super::engine::{End, Heard};
use super::line::Line;
use super::packet::{PROBE, PROBED, UPGRADE};
use crate::limits::{CLOSE_TIMEOUT, GOODBYE_TIMEOUT, SOCKETIO_FLUSH_BYTES, SOCKETIO_SCRATCH_BYTES};
use crate::socket::{Inbound, Outbox, Slot, Socket, WsSocket};

/// A client's WebSocket, and what is on its way into it: the next comes out of the session when all of it
/// has gone.
pub(super) struct Wire {
    socket: WsSocket,
    outbox: Outbox,
    /// All is in the outbox that there was to say.
    said: bool,
    /// Nothing more is heard.
    deaf: bool,
    _slot: Slot,
}

/// Flushes before others have their turn.
const FLUSHES_PER_TURN: usize = 16;

impl Wire {
    pub(super) fn new(socket: WsSocket, slot: Slot) -> Self {
        Self { socket, outbox: Outbox::default(), said: false, deaf: false, _slot: slot }
    }

    /// The next thing that the client says.
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, End>> {
        if self.deaf {
            return Poll::Pending;
        }
        Poll::Ready(match ready!(recv(&mut self.socket, cx)) {
            Inbound::Alive => {
                // The answer to a ping frame is under way: it goes out with the next look.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Inbound::Text(text) => Ok(Heard::Text(text)),
            Inbound::Binary(_) => Ok(Heard::Binary),
            Inbound::Fault(CloseCode::TooBig, _) => {
                self.deaf = true;
                Ok(Heard::TooBig)
            }
            Inbound::Closing | Inbound::Fault(..) | Inbound::Refused(_) => Err(End::Left),
            Inbound::Gone(gone) => Err(End::Lost(gone)),
        })
    }

    /// Writes what there is to say, as far as the socket takes it. Ready when nothing more can be said.
    pub(super) fn poll_send(&mut self, line: &mut Line, cx: &mut Context<'_>) -> Poll<End> {
        for _ in 0..FLUSHES_PER_TURN {
            while !self.said && self.outbox.bytes() < SOCKETIO_FLUSH_BYTES {
                match line.poll_packet(cx) {
                    Poll::Ready(Some(packet)) => self.outbox.text(packet),
                    Poll::Ready(None) => self.said = true,
                    Poll::Pending => break,
                }
            }
            let idle = self.outbox.is_empty();
            if idle && self.deaf && !self.said {
                // The close frame waits for what the session says of it.
                return Poll::Pending;
            }
            if let Err(gone) = ready!(self.socket.poll_send(cx, &mut self.outbox)) {
                return Poll::Ready(End::Lost(gone));
            }
            if self.said {
                return Poll::Ready(End::Said);
            }
            if idle {
                return Poll::Pending;
            }
        }
        // There may be more; others have their turn first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Says the rest and goodbye, to a client that may be slow to take it.
    pub(super) async fn part(mut self, rest: impl IntoIterator<Item = String>, code: CloseCode) {
        for packet in rest {
            self.outbox.text(packet);
        }
        self.outbox.close(code, "");
        let sent = timeout(GOODBYE_TIMEOUT, poll_fn(|cx| self.socket.poll_send(cx, &mut self.outbox))).await;
        if let Ok(Ok(())) = sent {
            let _ = timeout(CLOSE_TIMEOUT, until_gone(&mut self.socket)).await;
        }
    }
}

/// Reads on until there is nobody: closed with something unread, the goodbye could be lost to a reset.
async fn until_gone(socket: &mut WsSocket) {
    let mut outbox = Outbox::default();
    while !matches!(poll_fn(|cx| recv(socket, cx)).await, Inbound::Gone(_))
        && poll_fn(|cx| socket.poll_send(cx, &mut outbox)).await.is_ok()
    {}
}

/// The next thing that came in. What it is read into is nobody's between two looks.
fn recv(socket: &mut WsSocket, cx: &mut Context<'_>) -> Poll<Inbound> {
    socket.poll_recv(cx, &mut [0; SOCKETIO_SCRATCH_BYTES])
}

/// Closes a WebSocket that nothing came of.
pub(super) async fn turn_away(socket: WsSocket, slot: Slot) {
    Wire::new(socket, slot).part([], CloseCode::Normal).await;
}

/// A client that polls asks whether it could do so here. True once it has changed; in between, `probed` is
/// told that it is about to.
pub(super) async fn probe(socket: &mut WsSocket, probed: impl AsyncFnOnce()) -> bool {
    if next(socket).await.as_deref() != Some(PROBE) {
        return false;
    }
    let mut outbox = Outbox::default();
    outbox.text(PROBED.to_owned());
    if poll_fn(|cx| socket.poll_send(cx, &mut outbox)).await.is_err() {
        return false;
    }
    probed().await;
    next(socket).await.as_deref() == Some(UPGRADE)
}

async fn next(socket: &mut WsSocket) -> Option<String> {
    let mut outbox = Outbox::default();
    loop {
        match poll_fn(|cx| recv(socket, cx)).await {
            Inbound::Text(text) => return Some(text),
            // The answer to a ping frame is under way.
            Inbound::Alive => poll_fn(|cx| socket.poll_send(cx, &mut outbox)).await.ok()?,
            _ => return None,
        }
    }
}
