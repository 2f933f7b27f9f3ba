//! A socket whose other end is in this process: a door that is no WebSocket takes a session's messages
//! out here, and carries them in its own way.
//!
//! What lies in it cannot be coalesced any more, so it holds little: a reader that does not take it makes
//! the session slow, as a full socket does.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio_stream::Stream;
use ws::Message;

use super::outbox::Outgoing;
use super::{Gone, Inbound, Outbox, Socket};
use crate::limits::PIPE_BYTES_MAX;

/// The session's end.
pub(crate) struct PipeSocket(Arc<Mutex<Pipe>>);

/// The door's end. Dropped, the client is gone.
pub(crate) struct Client(Arc<Mutex<Pipe>>);

/// Something that a session sent.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// A message.
    Message(Message),
    /// It wants to know whether the client is alive, and takes it for so when this is sent.
    Ping,
    /// Nothing more comes.
    Close,
}

#[derive(Default)]
struct Pipe {
    said: VecDeque<Said>,
    /// Of the messages among them.
    bytes: usize,
    /// What the client has said, and the session has not heard.
    asked: VecDeque<String>,
    /// The client was alive when it last took something.
    alive: bool,
    gone: bool,
    /// Who waits for something said, for something asked, for room.
    reader: Option<Waker>,
    listener: Option<Waker>,
    writer: Option<Waker>,
}

/// Both ends; `requests` are the first that the session hears.
pub(crate) fn pipe(requests: impl IntoIterator<Item = String>) -> (PipeSocket, Client) {
    let asked = requests.into_iter().collect();
    let pipe = Arc::new(Mutex::new(Pipe { asked, ..Pipe::default() }));
    (PipeSocket(Arc::clone(&pipe)), Client(pipe))
}

fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl Pipe {
    fn pop(&mut self) -> Option<Said> {
        let said = self.said.pop_front()?;
        match &said {
            Said::Message(message) => self.bytes -= message.payload().len(),
            Said::Ping => {
                self.alive = true;
                wake(&mut self.listener);
            }
            Said::Close => {}
        }
        if self.bytes < PIPE_BYTES_MAX {
            wake(&mut self.writer);
        }
        Some(said)
    }
}

impl Socket for PipeSocket {
    fn poll_recv(&mut self, cx: &mut Context<'_>, _scratch: &mut [u8]) -> Poll<Inbound> {
        let mut pipe = lock(&self.0);
        if pipe.gone {
            return Poll::Ready(Inbound::Gone);
        }
        if std::mem::take(&mut pipe.alive) {
            return Poll::Ready(Inbound::Alive);
        }
        if let Some(text) = pipe.asked.pop_front() {
            return Poll::Ready(Inbound::Text(text));
        }
        pipe.listener = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<Result<(), Gone>> {
        let mut pipe = lock(&self.0);
        if pipe.gone {
            return Poll::Ready(Err(Gone));
        }
        while pipe.bytes < PIPE_BYTES_MAX {
            let said = match outbox.pop() {
                Some(Outgoing::Message(message)) => {
                    pipe.bytes += message.payload().len();
                    Said::Message(message)
                }
                Some(Outgoing::Ping) => Said::Ping,
                Some(Outgoing::Close(..)) => Said::Close,
                None => return Poll::Ready(Ok(())),
            };
            pipe.said.push_back(said);
            wake(&mut pipe.reader);
        }
        pipe.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn warm(&self) {}
}

impl Drop for PipeSocket {
    fn drop(&mut self) {
        let mut pipe = lock(&self.0);
        pipe.gone = true;
        wake(&mut pipe.reader);
    }
}

impl Client {
    /// The client says something.
    pub(crate) fn ask(&self, text: String) {
        let mut pipe = lock(&self.0);
        pipe.asked.push_back(text);
        wake(&mut pipe.listener);
    }
}

impl Stream for Client {
    type Item = Said;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Said>> {
        let mut pipe = lock(&self.0);
        if let Some(said) = pipe.pop() {
            return Poll::Ready(Some(said));
        }
        if pipe.gone {
            return Poll::Ready(None);
        }
        pipe.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut pipe = lock(&self.0);
        pipe.gone = true;
        wake(&mut pipe.listener);
        wake(&mut pipe.writer);
    }
}
