//! What a client and its session say to each other, as Socket.IO packets, whatever carries them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_stream::Stream;
use wire::{CloseCode, ErrorCode};

use super::asked::{Answer, Asked};
use super::packet::{self, Call, ROOT};
use crate::asked::Origin;
use crate::auth::Grant;
use crate::bucket::Bucket;
use crate::clock;
use crate::doors::text::type_of;
use crate::handshake::{bearer, cookie};
use crate::limits::{AHEAD_MAX, CONNECTS_PER_SECOND, CONNECTS_REFUSED_MAX};
use crate::metrics::REFUSALS;
use crate::problem::Problem;
use crate::routes::App;
use crate::secret::secret;
use crate::socket::{Client, Inbound, Said, pipe};

/// What a handshake brings to be let in with, unless the client says something better as it connects.
pub(super) struct Credentials {
    header: Result<Option<String>, Problem>,
    ticket: Option<String>,
    cookie: Option<String>,
    origin: Origin,
}

impl Credentials {
    pub(super) fn of(app: &App, parts: &Parts, ticket: Option<String>) -> Self {
        let cookie = cookie(&parts.headers, app.settings.cookie.as_deref());
        Self { header: bearer(&parts.headers), ticket, cookie, origin: Origin::of(parts) }
    }
}

/// Whose requests a subject's rate over plain HTTP is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Polling,
    WebSocket,
}

/// One client's side of a session, which begins when it connects to the namespace.
pub(super) struct Line {
    app: Arc<App>,
    credentials: Credentials,
    session: Option<Client>,
    /// Packets that go before the session's.
    ahead: VecDeque<String>,
    asked: Asked,
    /// Binary packets that are still to be passed over.
    attachments: u32,
    refused: usize,
    /// How often it may connect: each time is a session, and a look at a token.
    connects: Bucket,
    /// It has shown a good token.
    known: bool,
    first_by: Instant,
    /// The client must have connected by then.
    connect_by: Option<Instant>,
    /// Why the session is over.
    goodbye: Option<CloseCode>,
}

/// The client broke a rule, or has nothing more to say: its connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Breach;

/// What a client shows as it connects.
#[derive(Default, Deserialize)]
struct Auth {
    token: Option<String>,
}

impl Line {
    pub(super) fn new(app: Arc<App>, credentials: Credentials) -> Self {
        let first_by = Instant::now() + app.settings.limits.now().auth_timeout;
        Self {
            app,
            credentials,
            session: None,
            ahead: VecDeque::new(),
            asked: Asked::default(),
            attachments: 0,
            refused: 0,
            connects: Bucket::default(),
            known: false,
            first_by,
            connect_by: Some(first_by),
            goodbye: None,
        }
    }

    /// Whether more may be heard of the client: what it is owed has its bound.
    pub(super) fn hears(&self, cx: &mut Context<'_>) -> bool {
        !self.asked.is_full()
            && self.ahead.len() < AHEAD_MAX
            && self.session.as_ref().is_none_or(|session| session.has_room(cx))
    }

    /// Whether the session has ended, said or not; where it has not, the task is woken when it does.
    pub(super) fn is_over(&self, cx: &mut Context<'_>) -> bool {
        self.goodbye.is_some() || self.session.as_ref().is_some_and(|session| session.is_over(cx))
    }

    /// When a client that has not connected has waited long enough.
    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.connect_by
    }

    /// Why the session is over, once that was said.
    pub(super) const fn goodbye(&self) -> Option<CloseCode> {
        self.goodbye
    }

    /// A packet of the transport goes before all else that is said.
    pub(super) fn say(&mut self, packet: String) {
        self.ahead.push_back(packet);
    }

    /// Input: what a message of the client holds.
    ///
    /// # Errors
    /// It is no packet, or not one that may come.
    pub(super) async fn handle(&mut self, text: &str, way: Way) -> Result<(), Breach> {
        if self.attachments > 0 {
            return Err(Breach);
        }
        match Call::parse(text).ok_or(Breach)? {
            Call::Connect { namespace, auth } => self.connect(namespace, auth, way).await,
            Call::Disconnect { namespace } => {
                self.session_of(namespace)?;
                (self.session, self.asked) = (None, Asked::default());
                // A client that comes back to say more is as welcome as one that leaves, if it has said who it is.
                let limits = self.app.settings.limits.now();
                let again = Instant::now() + limits.ping + limits.auth_timeout;
                self.connect_by = Some(if self.known { again } else { self.first_by });
                Ok(())
            }
            Call::Event { namespace, callback, arguments, attachments } => {
                let session = self.session.as_ref().filter(|_| namespace == ROOT).ok_or(Breach)?;
                self.attachments = attachments;
                session.tell(if text.len() > self.app.settings.limits.now().message_bytes {
                    Inbound::Fault(CloseCode::TooBig, None)
                } else {
                    match self.asked.ask(callback, &arguments, attachments) {
                        Ok(request) => Inbound::Text(request),
                        Err(error) => Inbound::Refused(Box::new(error)),
                    }
                });
                Ok(())
            }
            Call::Ack { namespace, attachments } => {
                self.session_of(namespace)?;
                self.attachments = attachments;
                Ok(())
            }
        }
    }

    /// Input: a binary packet.
    ///
    /// # Errors
    /// None was announced.
    pub(super) fn handle_binary(&mut self) -> Result<(), Breach> {
        self.attachments = self.attachments.checked_sub(1).ok_or(Breach)?;
        Ok(())
    }

    /// Input: the client sent more than it may. False where there is no session that could say so.
    pub(super) fn handle_too_big(&mut self) -> bool {
        if let Some(session) = &self.session {
            session.tell(Inbound::Fault(CloseCode::TooBig, None));
        }
        self.session.is_some()
    }

    fn session_of(&self, namespace: &str) -> Result<&Client, Breach> {
        self.session.as_ref().filter(|_| namespace == ROOT).ok_or(Breach)
    }

    async fn connect(&mut self, namespace: &str, auth: Option<&RawValue>, way: Way) -> Result<(), Breach> {
        if namespace != ROOT {
            return self.refuse(namespace, &json!({ "message": "Invalid namespace" }));
        }
        if self.session.is_some() || self.connects.take(CONNECTS_PER_SECOND, clock::now()).is_some() {
            return Err(Breach);
        }
        match self.enter(auth, way).await {
            Ok((sid, session)) => {
                self.ahead.push_back(packet::connected(&sid));
                (self.session, self.connect_by) = (Some(session), None);
                Ok(())
            }
            Err(problem) => {
                REFUSALS.count(problem.code);
                self.refuse(ROOT, &told(&problem))
            }
        }
    }

    fn refuse(&mut self, namespace: &str, error: &Value) -> Result<(), Breach> {
        self.ahead.push_back(packet::not_connected(namespace, error));
        self.refused += 1;
        if self.refused < CONNECTS_REFUSED_MAX { Ok(()) } else { Err(Breach) }
    }

    /// Opens the session, under a name that only its client knows.
    async fn enter(&mut self, auth: Option<&RawValue>, way: Way) -> Result<(String, Client), Problem> {
        let grant = self.grant(auth).await?;
        if let Some(grant) = grant.as_ref().filter(|_| way == Way::Polling) {
            self.app.pass(grant)?;
        }
        self.known |= grant.is_some();
        let pass = grant.map(|grant| self.app.seat(grant)).transpose()?;
        let (socket, client) = pipe("socketio", []);
        match secret() {
            Ok(sid)
                if self.app.enter(Box::new(socket), pass, self.credentials.origin.clone(), None).await =>
            {
                Ok((sid, client))
            }
            _ => Err(Problem::of(ErrorCode::Unavailable, "The server goes away. Try again soon.")),
        }
    }

    /// Who connects: by the token that it shows, else by what the handshake brought, else nobody yet.
    async fn grant(&mut self, auth: Option<&RawValue>) -> Result<Option<Grant>, Problem> {
        let auth: Auth = match auth {
            None => Auth::default(),
            Some(auth) => serde_json::from_str(auth.get())
                .map_err(|_| Problem::of(ErrorCode::InvalidRequest, "\"token\" must be a text."))?,
        };
        let token = match auth.token {
            Some(token) => Some(token),
            None => self.credentials.header.clone()?,
        };
        // A ticket is used up; what else there is counts again.
        let ticket = self.credentials.ticket.take_if(|_| token.is_none());
        self.app.whose(token.as_deref(), ticket.as_deref(), self.credentials.cookie.as_deref()).await
    }

    /// Output: the next packet. `None`: the session is over, and its goodbye was the last.
    pub(super) fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<Option<String>> {
        loop {
            if let Some(packet) = self.ahead.pop_front() {
                return Poll::Ready(Some(packet));
            }
            if self.goodbye.is_some() {
                return Poll::Ready(None);
            }
            let Some(session) = &mut self.session else { return Poll::Pending };
            match ready!(Pin::new(session).poll_next(cx)) {
                Some(Said::Message(message)) => {
                    // A session says nothing but JSON.
                    let text = std::str::from_utf8(message.payload()).unwrap_or_default();
                    return Poll::Ready(Some(self.packet(text)));
                }
                // The transport has a heart of its own.
                Some(Said::Ping) => {}
                Some(Said::Close(code)) => self.end(code),
                None => self.end(CloseCode::GoingAway),
            }
        }
    }

    fn packet(&mut self, text: &str) -> String {
        let Answer { callback, message } = self.asked.answer(text);
        if let Some(callback) = callback {
            return packet::ack(callback, &message);
        }
        let name = String::from_utf8_lossy(type_of(message.as_bytes()));
        packet::event(&name, &message)
    }

    /// The packets that were not said yet, and the session; dropped, it hears that there is nobody.
    pub(super) fn part(self) -> (VecDeque<String>, Option<Client>) {
        (self.ahead, self.session)
    }

    /// A client that is told to leave the namespace does not come back by itself; one that loses its
    /// connection does.
    fn end(&mut self, code: CloseCode) {
        self.goodbye = Some(code);
        if !CloseCode::should_reconnect(code.number()) {
            self.ahead.push_back(packet::DISCONNECT.to_owned());
        }
    }
}

/// What a client that is not let in is told.
fn told(problem: &Problem) -> Value {
    let code = serde_json::from_value::<ErrorCode>(problem.code.into()).ok();
    let retryable = code.is_some_and(ErrorCode::retryable);
    json!({
        "message": problem.detail,
        "data": { "type": "error", "code": problem.code, "message": problem.detail, "retryable": retryable },
    })
}
