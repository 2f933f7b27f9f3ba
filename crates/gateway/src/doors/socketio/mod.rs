//! Socket.IO at `/socket.io/`: the same sessions for clients of `socket.io-client` 4 and its kin.
//!
//! Engine.IO v4 carries it, over WebSocket, over HTTP long-polling, and from the one to the other. An
//! [`engine::Engine`] is a client; what it says and hears goes through a [`line::Line`] to a session's
//! pipe; [`packet`] knows how all of it is written.

mod asked;
mod engine;
mod heart;
mod line;
mod packet;
mod polling;
mod refusal;
mod websocket;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use wire::ErrorCode;
use ws::Limits;

use crate::handshake::{self, Origins};
use crate::limits::{FRAMES_MAX, PACKET_MARGIN, PAYLOAD_TIMEOUT, POLLERS_MAX, PROBE_TIMEOUT};
use crate::metrics::REFUSALS;
use crate::problem::Problem;
use crate::routes::App;
use crate::secret::secret;
use crate::settings::Settings;
use crate::socket::{Encoding, Slot, Succession, Terms, WsSocket, switching};
use crate::visitors::Visit;
use engine::Engine;
use line::Credentials;
use refusal::Refusal;

/// The clients that requests over plain HTTP can be of, by the name that only they know.
#[derive(Clone)]
pub(crate) struct Engines {
    table: Table,
    places: Arc<Semaphore>,
}

type Table = Arc<Mutex<HashMap<Box<str>, mpsc::Sender<engine::Visit>>>>;

impl Default for Engines {
    fn default() -> Self {
        Self { table: Table::default(), places: Arc::new(Semaphore::new(POLLERS_MAX)) }
    }
}

/// A client's line in the table, and its place among those who poll.
struct Entry {
    table: Table,
    sid: Box<str>,
    place: Option<(OwnedSemaphorePermit, Option<Visit>)>,
}

/// Requests on their way to a client's task: it has at most two at a time, unless it breaks the rules.
const VISITS_QUEUED: usize = 4;

impl Engines {
    /// `None` where there is no place left. `visit` counts the client among those of its address.
    fn enter(&self, sid: &str, visit: Option<Visit>) -> Option<(Entry, mpsc::Receiver<engine::Visit>)> {
        let place = (Arc::clone(&self.places).try_acquire_owned().ok()?, visit);
        let (sender, visits) = mpsc::channel(VISITS_QUEUED);
        lock(&self.table).insert(sid.into(), sender);
        Some((Entry { table: Arc::clone(&self.table), sid: sid.into(), place: Some(place) }, visits))
    }

    fn find(&self, sid: &str) -> Result<mpsc::Sender<engine::Visit>, Refusal> {
        lock(&self.table).get(sid).cloned().ok_or(Refusal::Sid)
    }
}

impl Entry {
    /// The client has a connection of its own, which counts it.
    fn leave_place(&mut self) {
        self.place = None;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.table).remove(&self.sid);
    }
}

fn lock(table: &Table) -> MutexGuard<'_, HashMap<Box<str>, mpsc::Sender<engine::Visit>>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a URL asks for; what else it has is the client's own affair.
#[derive(Default)]
struct Asks {
    version: Option<String>,
    transport: Option<String>,
    sid: Option<String>,
    ticket: Option<String>,
}

impl Asks {
    fn parse(parts: &Parts) -> Self {
        let mut asks = Self::default();
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) else { return asks };
        for (name, value) in pairs {
            match name.as_str() {
                "EIO" => asks.version = Some(value),
                "transport" => asks.transport = Some(value),
                "sid" => asks.sid = Some(value),
                "ticket" => asks.ticket = Some(value),
                _ => {}
            }
        }
        asks
    }
}

/// All requests to the door.
pub(super) async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    answer(&app, parts, body).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(app: &Arc<App>, parts: Parts, body: Body) -> Result<Response, Refusal> {
    let asks = Asks::parse(&parts);
    let polls = match asks.transport.as_deref() {
        Some("polling") => true,
        Some("websocket") => false,
        _ => return Err(Refusal::Transport),
    };
    Origins::of(&app.settings).check(&parts.headers).map_err(|_| Refusal::Forbidden)?;
    let upgrades = parts.headers.contains_key(header::UPGRADE);
    let Some(sid) = &asks.sid else {
        return match (&parts.method, polls) {
            (&Method::GET, false) if !upgrades => Err(Refusal::BadRequest),
            (&Method::GET, _) if asks.version.as_deref() != Some("4") => Err(Refusal::Version),
            (&Method::GET, true) => Ok(begin(app, &parts, asks.ticket)),
            (&Method::GET, false) => Ok(begin_with_websocket(app, parts, asks.ticket)),
            _ => Err(Refusal::Method),
        };
    };
    let visits = app.engines.find(sid)?;
    match (parts.method.clone(), polls) {
        (Method::GET, true) => ask(&visits, engine::Visit::Poll).await,
        (Method::POST, true) => hear(app, &visits, body).await,
        (Method::GET, false) if upgrades => Ok(change(app, parts, visits)),
        (Method::GET, false) => Err(Refusal::BadRequest),
        _ => Err(Refusal::Method),
    }
}

/// Bytes that a packet, or a payload, may have.
fn payload_max(settings: &Settings) -> usize {
    settings.limits.now().message_bytes + PACKET_MARGIN
}

/// What opens a client's session.
fn open(sid: &str, upgrades: &[&str], settings: &Settings) -> String {
    let limits = settings.limits.now();
    let heart = (limits.ping, limits.silence);
    packet::open(sid, upgrades, heart, payload_max(settings))
}

/// A client begins by polling.
fn begin(app: &Arc<App>, parts: &Parts, ticket: Option<String>) -> Response {
    // It has no connection of its own that would count it.
    let visit = match app.visit(parts) {
        Ok(visit) => visit,
        Err(problem) => return counted(problem),
    };
    let begun = secret().map_err(|_| ()).and_then(|sid| Ok((app.engines.enter(&sid, visit).ok_or(())?, sid)));
    let Ok(((entry, visits), sid)) = begun else {
        let detail = "As many clients poll as are taken. Try again soon, or over WebSocket.";
        return counted(Problem::of(ErrorCode::ConnectionLimit, detail).header(header::RETRY_AFTER, "5"));
    };
    let engine = Engine::polling(Arc::clone(app), Credentials::of(app, parts, ticket), visits, entry);
    tokio::spawn(engine.run());
    (polling::text_headers(), open(&sid, &["websocket"], &app.settings)).into_response()
}

/// A client begins with a WebSocket. Nobody else can name it: its name is not in the table.
fn begin_with_websocket(app: &Arc<App>, parts: Parts, ticket: Option<String>) -> Response {
    let credentials = Credentials::of(app, &parts, ticket);
    let serving = Arc::clone(app);
    upgrade(app, parts, async move |socket, slot| {
        let Ok(sid) = secret() else { return };
        let open = open(&sid, &[], &serving.settings);
        Engine::websocket(serving, credentials, open, socket, slot).run().await;
    })
}

/// A client that polls wants to go on with a WebSocket.
fn change(app: &Arc<App>, parts: Parts, visits: mpsc::Sender<engine::Visit>) -> Response {
    upgrade(app, parts, async move |mut socket, slot| {
        let (welcome, welcomed) = oneshot::channel();
        let _ = visits.send(engine::Visit::Opened(welcome)).await;
        if welcomed.await.is_err() {
            return websocket::turn_away(socket, slot).await;
        }
        let probed = async || drop(visits.send(engine::Visit::Probed).await);
        if let Ok(true) = timeout(PROBE_TIMEOUT, websocket::probe(&mut socket, probed)).await {
            let _ = visits.send(engine::Visit::Upgraded(Box::new(socket), slot)).await;
        } else {
            let _ = visits.send(engine::Visit::Unprobed).await;
            websocket::turn_away(socket, slot).await;
        }
    })
}

/// The answer to a WebSocket handshake; `serve` has the socket after it.
fn upgrade<F>(
    app: &App,
    mut parts: Parts,
    serve: impl FnOnce(WsSocket, Slot) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    // Whoever is not let in is told so by Socket.IO.
    parts.headers.remove(header::AUTHORIZATION);
    let checked = Succession::of(&parts)
        .and_then(|succession| Ok((succession, handshake::check(&parts, &Origins::of(&app.settings))?)));
    let (succession, request) = match checked {
        Ok(checked) => checked,
        Err(problem) => return counted(problem),
    };
    let deflate = request.deflate.filter(|_| app.settings.compression);
    let message_bytes = payload_max(&app.settings);
    let limits = Limits { message_bytes, inflated_bytes: message_bytes, frames: FRAMES_MAX };
    succession.hand_to(Terms { limits, deflate, encoding: Encoding::Json }, serve);
    switching(&request, deflate)
}

/// A poll, or anything else that the client's task answers.
async fn ask(
    visits: &mpsc::Sender<engine::Visit>,
    visit: impl FnOnce(polling::Reply) -> engine::Visit,
) -> Result<Response, Refusal> {
    let (reply, replied) = oneshot::channel();
    visits.send(visit(reply)).await.map_err(|_| Refusal::Sid)?;
    replied.await.map_err(|_| Refusal::Sid)
}

/// Something that a client says.
async fn hear(app: &App, visits: &mpsc::Sender<engine::Visit>, body: Body) -> Result<Response, Refusal> {
    let read = timeout(PAYLOAD_TIMEOUT, to_bytes(body, payload_max(&app.settings))).await;
    let Ok(bytes) = read.map_err(|_| Refusal::TooSlow)? else {
        // Too large, or broken off: in either case not what the client said.
        let _ = visits.send(engine::Visit::TooBig).await;
        return Err(Refusal::TooLarge);
    };
    // What is no text is no packet.
    let text = String::from_utf8(bytes.into()).unwrap_or_default();
    ask(visits, |reply| engine::Visit::Payload(text, reply)).await
}

fn counted(problem: Problem) -> Response {
    REFUSALS.count(problem.code);
    problem.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_poll_at_a_time() {
        let engines = Engines::default();
        let mut entered: Vec<_> =
            (0..POLLERS_MAX).map_while(|n| engines.enter(&n.to_string(), None)).collect();
        assert!(entered.len() == POLLERS_MAX && engines.enter("more", None).is_none());
        // Who has moved to a connection of its own makes room, and can still be named.
        entered[0].0.leave_place();
        let more = engines.enter("more", None).unwrap();
        assert!(engines.find("0").is_ok() && engines.find("more").is_ok());
        drop((entered, more));
        assert!(lock(&engines.table).is_empty());
    }
}
