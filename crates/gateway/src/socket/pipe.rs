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
use wire::CloseCode;
use ws::Message;

use super::outbox::Outgoing;
use super::{Encoding, Gone, Inbound, Outbox, Socket};
use crate::limits::PIPE_BYTES_MAX;

/// The session's end.
pub(crate) struct PipeSocket {
    pipe: Arc<Mutex<Pipe>>,
    door: &'static str,
}

/// The door's end. Dropped, the client is gone.
pub(crate) struct Client(Arc<Mutex<Pipe>>);

/// Something that a session sent.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// A message.
    Message(Message),
    /// It wants to know whether the client is alive, and takes it for so when this is sent.
    Ping,
    /// Nothing more comes, and why.
    Close(CloseCode),
}

#[derive(Default)]
struct Pipe {
    said: VecDeque<Said>,
    /// Of the messages among them.
    bytes: usize,
    /// What the client has said, and the session has not heard.
    asked: VecDeque<Inbound>,
    /// Of the texts among them.
    asked_bytes: usize,
    /// The client was alive when it last took something.
    alive: bool,
    /// There is nobody at the other end any more, and why.
    gone: Option<Gone>,
    /// Who waits for something said, for something asked, for room, for room to ask.
    reader: Option<Waker>,
    listener: Option<Waker>,
    writer: Option<Waker>,
    asker: Option<Waker>,
}

/// Both ends; `door` is the name of what carries it, `requests` are the first that the session hears.
pub(crate) fn pipe(door: &'static str, requests: impl IntoIterator<Item = String>) -> (PipeSocket, Client) {
    let asked: VecDeque<_> = requests.into_iter().map(Inbound::Text).collect();
    let asked_bytes = asked.iter().map(size).sum();
    let pipe = Arc::new(Mutex::new(Pipe { asked, asked_bytes, ..Pipe::default() }));
    (PipeSocket { pipe: Arc::clone(&pipe), door }, Client(pipe))
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
            Said::Close(_) => {}
        }
        if self.bytes < PIPE_BYTES_MAX {
            wake(&mut self.writer);
        }
        Some(said)
    }
}

impl Socket for PipeSocket {
    fn poll_recv(&mut self, cx: &mut Context<'_>, _scratch: &mut [u8]) -> Poll<Inbound> {
        let mut pipe = lock(&self.pipe);
        if let Some(gone) = pipe.gone {
            return Poll::Ready(Inbound::Gone(gone));
        }
        if std::mem::take(&mut pipe.alive) {
            return Poll::Ready(Inbound::Alive);
        }
        if let Some(inbound) = pipe.asked.pop_front() {
            pipe.asked_bytes = pipe.asked_bytes.saturating_sub(size(&inbound));
            if pipe.asked_bytes < PIPE_BYTES_MAX {
                wake(&mut pipe.asker);
            }
            return Poll::Ready(inbound);
        }
        pipe.listener = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<Result<(), Gone>> {
        let mut pipe = lock(&self.pipe);
        if let Some(gone) = pipe.gone {
            return Poll::Ready(Err(gone));
        }
        while pipe.bytes < PIPE_BYTES_MAX {
            let said = match outbox.pop() {
                Some(Outgoing::Message(message)) => {
                    pipe.bytes += message.payload().len();
                    Said::Message(message)
                }
                Some(Outgoing::Ping) => Said::Ping,
                Some(Outgoing::Close(code, _)) => Said::Close(code),
                None => return Poll::Ready(Ok(())),
            };
            pipe.said.push_back(said);
            wake(&mut pipe.reader);
        }
        pipe.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn door(&self) -> &'static str {
        self.door
    }

    fn encoding(&self) -> Encoding {
        Encoding::Json
    }

    fn warm(&self) {}
}

impl Drop for PipeSocket {
    fn drop(&mut self) {
        let mut pipe = lock(&self.pipe);
        pipe.gone.get_or_insert(Gone::Left);
        (pipe.asked, pipe.asked_bytes) = (VecDeque::new(), 0);
        wake(&mut pipe.reader);
        wake(&mut pipe.asker);
    }
}

/// What lies in the pipe of something asked.
fn size(inbound: &Inbound) -> usize {
    match inbound {
        Inbound::Text(text) => text.len(),
        Inbound::Binary(bytes) => bytes.len(),
        _ => 0,
    }
}

impl Client {
    /// The client says something.
    pub(crate) fn ask(&self, text: String) {
        self.tell(Inbound::Text(text));
    }

    /// Something came in.
    pub(crate) fn tell(&self, inbound: Inbound) {
        let mut pipe = lock(&self.0);
        if pipe.gone.is_none() {
            pipe.asked_bytes += size(&inbound);
            pipe.asked.push_back(inbound);
            wake(&mut pipe.listener);
        }
    }

    /// Whether there is room to ask more; where there is none, the task is woken when there is.
    pub(crate) fn has_room(&self, cx: &mut Context<'_>) -> bool {
        let mut pipe = lock(&self.0);
        let has_room = pipe.asked_bytes < PIPE_BYTES_MAX;
        if !has_room {
            pipe.asker = Some(cx.waker().clone());
        }
        has_room
    }

    /// Whether the session is over; where it is not, the task is woken when it is.
    pub(crate) fn is_over(&self, cx: &mut Context<'_>) -> bool {
        let mut pipe = lock(&self.0);
        if pipe.gone.is_none() {
            pipe.reader = Some(cx.waker().clone());
        }
        pipe.gone.is_some()
    }

    /// There is nobody any more.
    pub(crate) fn leave(&self, gone: Gone) {
        let mut pipe = lock(&self.0);
        pipe.gone.get_or_insert(gone);
        wake(&mut pipe.listener);
        wake(&mut pipe.writer);
    }
}

impl Stream for Client {
    type Item = Said;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Said>> {
        let mut pipe = lock(&self.0);
        if let Some(said) = pipe.pop() {
            return Poll::Ready(Some(said));
        }
        if pipe.gone.is_some() {
            return Poll::Ready(None);
        }
        pipe.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.leave(Gone::Left);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Count {
        fn take(&self) -> usize {
            self.0.swap(0, Ordering::Relaxed)
        }
    }

    fn next(client: &mut Client, cx: &mut Context<'_>) -> Poll<Option<String>> {
        Pin::new(client).poll_next(cx).map(|said| {
            said.map(|said| match said {
                Said::Message(message) => String::from_utf8(message.payload().to_vec()).unwrap(),
                other => format!("{other:?}"),
            })
        })
    }

    #[test]
    fn what_is_not_taken_makes_the_session_slow() {
        let (session, door) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let (in_session, at_door) = (Waker::from(Arc::clone(&session)), Waker::from(Arc::clone(&door)));
        let (mut in_session, mut at_door) = (Context::from_waker(&in_session), Context::from_waker(&at_door));
        let (mut socket, mut client) = pipe("test", []);
        assert!(next(&mut client, &mut at_door).is_pending());
        let (large, mut outbox) = ("x".repeat(PIPE_BYTES_MAX - 1), Outbox::default());
        for text in [&large, "one", "two"] {
            outbox.text(text.to_owned());
        }
        outbox.close(CloseCode::Normal, "");
        assert!(socket.poll_send(&mut in_session, &mut outbox).is_pending(), "it is full");
        assert_eq!((outbox.bytes(), door.take(), session.take()), (3, 1, 0));
        assert_eq!(next(&mut client, &mut at_door), Poll::Ready(Some(large)));
        assert_eq!(session.take(), 1, "there is room");
        assert_eq!(socket.poll_send(&mut in_session, &mut outbox), Poll::Ready(Ok(())));
        for said in ["one", "two", "Close(Normal)"] {
            assert_eq!(next(&mut client, &mut at_door), Poll::Ready(Some(said.to_owned())));
        }
        drop(socket);
        assert_eq!(next(&mut client, &mut at_door), Poll::Ready(None));
    }

    #[test]
    fn what_is_not_heard_makes_the_client_wait() {
        let door = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&door));
        let mut cx = Context::from_waker(&waker);
        let (mut socket, client) = pipe("test", []);
        client.ask("x".repeat(PIPE_BYTES_MAX - 1));
        assert!(client.has_room(&mut cx));
        client.ask("yz".to_owned());
        assert!(!client.has_room(&mut cx) && door.take() == 0);
        assert!(socket.poll_recv(&mut cx, &mut []).is_ready());
        assert!(door.take() == 1 && client.has_room(&mut cx));
        client.ask("x".repeat(PIPE_BYTES_MAX));
        assert!(!client.has_room(&mut cx) && !client.is_over(&mut cx));
        drop(socket);
        assert!(door.take() > 0 && client.is_over(&mut cx) && client.has_room(&mut cx));
        client.ask("late".to_owned());
        assert!(lock(&client.0).asked.is_empty(), "nobody hears it");
    }

    #[test]
    fn each_end_hears_of_the_other() {
        let session = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&session));
        let mut cx = Context::from_waker(&waker);
        let (mut socket, mut client) = pipe("test", ["first".to_owned()]);
        let hear = |socket: &mut PipeSocket, cx: &mut Context<'_>| socket.poll_recv(cx, &mut []);
        assert_eq!(hear(&mut socket, &mut cx), Poll::Ready(Inbound::Text("first".into())));
        assert!(hear(&mut socket, &mut cx).is_pending());
        client.ask("more".to_owned());
        assert_eq!(session.take(), 1);
        assert_eq!(hear(&mut socket, &mut cx), Poll::Ready(Inbound::Text("more".into())));
        assert!(hear(&mut socket, &mut cx).is_pending());
        // Who takes a ping is alive.
        let mut outbox = Outbox::default();
        outbox.ping();
        assert!(socket.poll_send(&mut cx, &mut outbox).is_ready());
        assert!(hear(&mut socket, &mut cx).is_pending());
        assert_eq!(next(&mut client, &mut cx), Poll::Ready(Some("Ping".to_owned())));
        assert_eq!(session.take(), 1);
        assert_eq!(hear(&mut socket, &mut cx), Poll::Ready(Inbound::Alive));
        assert!(hear(&mut socket, &mut cx).is_pending());
        client.leave(Gone::TimedOut);
        assert_eq!(session.take(), 1);
        drop(client);
        assert_eq!(
            hear(&mut socket, &mut cx),
            Poll::Ready(Inbound::Gone(Gone::TimedOut)),
            "the first word counts"
        );
        outbox.text("late".to_owned());
        assert_eq!(socket.poll_send(&mut cx, &mut outbox), Poll::Ready(Err(Gone::TimedOut)));
    }
}
