//! An Engine.IO session: one client, by whichever transport, and how long it stays.
//!
//! One task has it all; requests over plain HTTP come to it as [`Visit`]s.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::response::IntoResponse;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep_until};
use wire::CloseCode;

use super::Entry;
use super::heart::{Beat, Heart};
use super::line::{Breach, Credentials, Line, Way};
use super::packet::{CLOSE, NOOP, PING, Packet};
use super::polling::{Polling, Posted, Reply, push};
use super::refusal::Refusal;
use super::websocket::Wire;
use crate::limits::LAST_POLL;
use crate::routes::App;
use crate::socket::{Gone, Slot, WsSocket};

/// A request of the client's over HTTP.
pub(super) enum Visit {
    /// What is there to say?
    Poll(Reply),
    /// Something that the client says.
    Payload(String, Reply),
    /// It said more than it may.
    TooBig,
    /// A WebSocket asks whether the session could move to it; answered where it could.
    Opened(oneshot::Sender<()>),
    /// It is about to.
    Probed,
    /// Nothing came of it.
    Unprobed,
    /// It has moved.
    Upgraded(Box<WsSocket>, Slot),
}

/// Something that a client said.
pub(super) enum Heard {
    Text(String),
    Binary,
    TooBig,
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All is said: the session behind it is over.
    Said,
    /// The client says goodbye.
    Left,
    /// The client broke a rule.
    Breach,
    /// It does not answer.
    Silent,
    /// Its connection is gone.
    Lost(Gone),
}

impl End {
    /// How the session behind it hears that there is nobody any more.
    const fn gone(self) -> Gone {
        match self {
            Self::Silent => Gone::TimedOut,
            Self::Lost(gone) => gone,
            Self::Said | Self::Left | Self::Breach => Gone::Left,
        }
    }
}

impl From<Breach> for End {
    fn from(_: Breach) -> Self {
        Self::Breach
    }
}

pub(super) struct Engine {
    line: Line,
    heart: Heart,
    transport: Transport,
    /// A WebSocket asks, or is about to have the session.
    probing: bool,
    posted: Option<Posted>,
    /// Requests over HTTP, where the session began with one.
    visits: Option<mpsc::Receiver<Visit>>,
    sleep: Pin<Box<Sleep>>,
    /// Its session has ended, and it must have fetched the last words by then.
    leave_by: Option<Instant>,
    entry: Option<Entry>,
}

enum Transport {
    Polling(Polling),
    WebSocket(Box<Wire>),
}

enum Event {
    Visit(Visit),
    Heard(Heard),
    Time,
    End(End),
}

impl Engine {
    /// A session that begins with polls.
    pub(super) fn polling(
        app: Arc<App>,
        credentials: Credentials,
        visits: mpsc::Receiver<Visit>,
        entry: Entry,
    ) -> Self {
        let transport = Transport::Polling(Polling::default());
        Self { visits: Some(visits), entry: Some(entry), ..Self::new(app, credentials, transport) }
    }

    /// A session that begins with a WebSocket; `open` is the first thing it says.
    pub(super) fn websocket(
        app: Arc<App>,
        credentials: Credentials,
        open: String,
        socket: WsSocket,
        slot: Slot,
    ) -> Self {
        let transport = Transport::WebSocket(Box::new(Wire::new(socket, slot)));
        let mut engine = Self::new(app, credentials, transport);
        engine.line.say(open);
        engine
    }

    fn new(app: Arc<App>, credentials: Credentials, transport: Transport) -> Self {
        let (limits, now) = (app.settings.limits.now(), Instant::now());
        Self {
            line: Line::new(app, credentials),
            heart: Heart::new(limits.ping, limits.silence, now),
            transport,
            probing: false,
            posted: None,
            visits: None,
            sleep: Box::pin(sleep_until(now)),
            leave_by: None,
            entry: None,
        }
    }

    /// Serves the client until one of both has enough.
    pub(super) async fn run(mut self) {
        let end = loop {
            let done = match poll_fn(|cx| self.poll(cx)).await {
                Event::Visit(visit) => self.handle_visit(visit),
                Event::Heard(heard) => self.handle(heard).await,
                Event::Time => self.handle_timeout(),
                Event::End(end) => Err(end),
            };
            if let Err(end) = done {
                break end;
            }
        };
        self.part(end).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let end = match &mut self.transport {
            Transport::Polling(polling) => polling.poll(&mut self.line, cx),
            Transport::WebSocket(wire) => wire.poll_send(&mut self.line, cx),
        };
        if let Poll::Ready(end) = end {
            return Poll::Ready(Event::End(end));
        }
        // Over a WebSocket the last words need nobody to ask for them.
        let polls = matches!(self.transport, Transport::Polling(_));
        if self.leave_by.is_some() != (polls && self.line.is_over(cx)) {
            self.leave_by = polls.then(|| Instant::now() + LAST_POLL);
        }
        if let Some(visits) = &mut self.visits
            && let Poll::Ready(Some(visit)) = visits.poll_recv(cx)
        {
            return Poll::Ready(Event::Visit(visit));
        }
        if let Poll::Ready(event) = self.poll_heard(cx) {
            return Poll::Ready(event);
        }
        let due = self.heart.poll_timeout();
        let due = [self.line.poll_timeout(), self.leave_by].into_iter().flatten().fold(due, Instant::min);
        if self.sleep.deadline() != due {
            self.sleep.as_mut().reset(due);
        }
        self.sleep.as_mut().poll(cx).map(|()| Event::Time)
    }

    /// What the client says next, unless it is to be answered first.
    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if !self.line.hears(cx) {
            return Poll::Pending;
        }
        if let Some(posted) = &mut self.posted {
            match posted.next() {
                Some(packet) => return Poll::Ready(Event::Heard(Heard::Text(packet))),
                None => self.posted.take().into_iter().for_each(|posted| posted.reply(true)),
            }
        }
        match &mut self.transport {
            Transport::Polling(_) => Poll::Pending,
            Transport::WebSocket(wire) => {
                wire.poll_recv(cx).map(|heard| heard.map_or_else(Event::End, Event::Heard))
            }
        }
    }

    fn handle_visit(&mut self, visit: Visit) -> Result<(), End> {
        let Transport::Polling(polling) = &mut self.transport else {
            // Who has moved is not met at its old place.
            if let Visit::Poll(reply) | Visit::Payload(_, reply) = visit {
                let _ = reply.send(Refusal::BadRequest.into_response());
            }
            return Ok(());
        };
        match visit {
            Visit::Poll(reply) => return polling.handle_poll(reply),
            Visit::Payload(_, reply) if self.posted.is_some() => {
                let _ = reply.send(Refusal::BadRequest.into_response());
                return Err(End::Breach);
            }
            Visit::Payload(body, reply) => self.posted = Some(Posted::new(body, reply).ok_or(End::Breach)?),
            Visit::TooBig if !self.line.handle_too_big() => return Err(End::Breach),
            Visit::TooBig => {}
            Visit::Opened(welcome) => {
                if !self.probing {
                    self.probing = welcome.send(()).is_ok();
                }
            }
            Visit::Probed => polling.hurried = true,
            Visit::Unprobed => (self.probing, polling.hurried) = (false, false),
            Visit::Upgraded(socket, slot) => {
                polling.answer(NOOP.to_owned());
                self.transport = Transport::WebSocket(Box::new(Wire::new(*socket, slot)));
                if let Some(entry) = &mut self.entry {
                    entry.leave_place();
                }
            }
        }
        Ok(())
    }

    async fn handle(&mut self, heard: Heard) -> Result<(), End> {
        let text = match heard {
            Heard::Text(text) => text,
            Heard::Binary => return Ok(self.line.handle_binary()?),
            Heard::TooBig if self.line.handle_too_big() => return Ok(()),
            Heard::TooBig => return Err(End::Breach),
        };
        match Packet::parse(&text).ok_or(Breach)? {
            Packet::Close => Err(End::Left),
            Packet::Pong => {
                self.heart.handle_pong(Instant::now());
                Ok(())
            }
            Packet::Binary => Ok(self.line.handle_binary()?),
            Packet::Message(message) => {
                let way = match self.transport {
                    Transport::Polling(_) => Way::Polling,
                    Transport::WebSocket(_) => Way::WebSocket,
                };
                Ok(self.line.handle(message, way).await?)
            }
        }
    }

    fn handle_timeout(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.line.poll_timeout().is_some_and(|connect_by| now >= connect_by) {
            return Err(End::Breach);
        }
        if self.leave_by.is_some_and(|by| now >= by) {
            return Err(End::Lost(Gone::Left));
        }
        match self.heart.handle_timeout(now) {
            Some(Beat::Stopped) => Err(End::Silent),
            Some(Beat::Ping) => {
                self.line.say(PING.to_owned());
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The last words. The session behind it hears at once that there is nobody, unless they are its own:
    /// a server that goes away waits for its sessions.
    async fn part(self, end: End) {
        let Self { line, transport, posted, visits, entry, .. } = self;
        let code = line.goodbye();
        let (rest, mut until_said) = line.part();
        if end != End::Said
            && let Some(session) = until_said.take()
        {
            session.leave(end.gone());
        }
        // Whoever comes from now on is told that there is no such session.
        drop((visits, entry));
        if let Some(posted) = posted {
            posted.reply(!matches!(end, End::Breach | End::Silent));
        }
        match transport {
            Transport::Polling(mut polling) => match end {
                End::Left => polling.answer(NOOP.to_owned()),
                End::Breach | End::Silent => {
                    let mut payload = String::new();
                    rest.iter()
                        .map(String::as_str)
                        .chain([CLOSE])
                        .for_each(|packet| push(&mut payload, packet));
                    polling.answer(payload);
                }
                End::Said => polling.taken().await,
                End::Lost(_) => {}
            },
            Transport::WebSocket(_) if matches!(end, End::Lost(_)) => {}
            Transport::WebSocket(wire) => wire.part(rest, code.unwrap_or(CloseCode::Normal)).await,
        }
    }
}
