//! The doors that are no WebSocket: the same sessions and the same messages over plain HTTP.
//!
//! A door is a [`crate::socket::Client`]: it asks what a client of the WebSocket would ask, and carries
//! what the session says. Who reads slowly is coalesced as anywhere else.

mod answer;
mod catalogue;
#[cfg(test)]
mod described;
mod descriptions;
mod given;
mod guests;
mod history;
mod poll;
mod query;
mod rates;
mod recordings;
mod socketio;
mod sse;
mod state;
mod text;
mod tickets;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::Value;
use tower_http::cors::{AllowOrigin, CorsLayer};
use wire::ErrorCode;

use crate::asked::{Origin, REQUEST_ID, TRACEPARENT};
use crate::auth::Grant;
use crate::handshake::{Origins, bearer, cookie};
use crate::limits::{POLL_WAIT, POLL_WAIT_MAX};
use crate::metrics::REFUSALS;
use crate::problem::{HttpCode, Problem};
use crate::routes::App;
use crate::shard::Pass;
use crate::socket::{Client, pipe};
use answer::requests;
use descriptions::{ASYNCAPI, OPENAPI};
use query::Wanted;

pub(crate) use answer::Room;
pub(crate) use catalogue::Catalogue;
pub(crate) use rates::Rates;
pub(crate) use socketio::Engines;
pub(crate) use tickets::Tickets;

/// Where Socket.IO is spoken.
pub(crate) const SOCKETIO: &str = "/socket.io/";

/// Where an event source says how far it came.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The routes of all doors.
pub(crate) fn router(app: &App) -> Router<Arc<App>> {
    Router::new()
        .route("/v1/events", get(events))
        .route("/v1/poll", get(news))
        .route("/v1/snapshot", get(state))
        .route("/v1/history", get(history::records))
        .route("/v1/candles", get(history::candles))
        .route("/v1/symbols", get(symbols))
        .route("/v1/recordings", get(recordings::all))
        .route("/v1/recordings/{recording}", get(recordings::one))
        .route("/v1/recordings/{recording}/book", get(recordings::book))
        .route("/v1/tickets", post(ticket))
        .route("/v1/guests", post(guests::welcome))
        .route(SOCKETIO, any(socketio::serve))
        .route("/v1/asyncapi.json", get(async |headers: HeaderMap| ASYNCAPI.respond(&headers)))
        .route("/v1/openapi.json", get(async |headers: HeaderMap| OPENAPI.respond(&headers)))
        .layer(cors(app))
}

/// Pages of the allowed origins may read what the doors answer.
fn cors(app: &App) -> CorsLayer {
    let settings = Arc::clone(&app.settings);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, parts| {
            Origins::of(&settings).allow(origin.to_str().unwrap_or_default(), &parts.headers)
        }))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, LAST_EVENT_ID, REQUEST_ID, TRACEPARENT])
        .expose_headers([REQUEST_ID])
        // A page may read what it has asked for with its cookie.
        .allow_credentials(app.settings.cookie.is_some())
        .max_age(Duration::from_secs(600))
}

async fn events(State(app): State<Arc<App>>, request: Request) -> Response {
    told(open_events(&app, &request.into_parts().0).await)
}

async fn open_events(app: &App, parts: &Parts) -> Result<Response, Problem> {
    let (grant, mut wanted) = admit(app, parts).await?;
    wanted.has_no_wait()?;
    // A client that comes back by itself repeats the URL it began with.
    if let Some(cursor) = parts.headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()) {
        wanted.request.insert("resume".to_owned(), cursor.into());
    }
    let client = enter(app, parts, "events", app.seat(grant)?, requests(wanted.checked()?)).await?;
    Ok(sse::respond(client))
}

async fn news(State(app): State<Arc<App>>, request: Request) -> Response {
    told(open_poll(&app, &request.into_parts().0).await)
}

async fn open_poll(app: &App, parts: &Parts) -> Result<Response, Problem> {
    let (grant, wanted) = admit(app, parts).await?;
    let wait = wait(wanted.wait_ms.as_deref())?;
    let cursor = wanted.request.get("resume").and_then(Value::as_str).unwrap_or_default().to_owned();
    let states = cursor.is_empty() && wanted.request.get("snapshot") != Some(&Value::Bool(false));
    let pass = briefly(grant.clone());
    let client = enter(app, parts, "poll", pass, requests(wanted.checked()?)).await?;
    let answer = poll::poll(client, answer::Wanted { states, wait, cursor }, &app.room).await?;
    Ok(app.charge(&grant, answer))
}

async fn state(State(app): State<Arc<App>>, request: Request) -> Response {
    told(open_state(&app, &request.into_parts().0).await)
}

async fn open_state(app: &App, parts: &Parts) -> Result<Response, Problem> {
    let (grant, wanted) = admit(app, parts).await?;
    wanted.has_no_wait()?;
    for none in ["resume", "snapshot"] {
        if wanted.request.contains_key(none) {
            let detail = "A state is as of now: there is no cursor to go on from, and no way without it.";
            return Err(Problem::of(ErrorCode::InvalidRequest, detail));
        }
    }
    if wanted.request.get("channels").and_then(|channels| channels.as_array()?.get(1)).is_some() {
        let detail = "One channel at a time: a state is one snapshot message.";
        return Err(Problem::of(ErrorCode::InvalidRequest, detail));
    }
    let pass = briefly(grant.clone());
    let client = enter(app, parts, "snapshot", pass, requests(wanted.checked()?)).await?;
    let wanted = answer::Wanted { states: true, wait: Duration::ZERO, cursor: String::new() };
    Ok(app.charge(&grant, state::snapshot(client, wanted, &app.room).await?))
}

async fn symbols(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    told(admit(&app, &parts).await.and_then(|(grant, wanted)| {
        wanted.has_no_wait()?;
        Ok(app.charge(&grant, app.room.respond(app.catalogue.answer(&grant, &wanted.request)?)?))
    }))
}

async fn ticket(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    told(issue(&app, &parts).await)
}

async fn issue(app: &App, parts: &Parts) -> Result<Response, Problem> {
    let token = origin_and_token(app, parts)?;
    if parts.uri.query().is_some() {
        return Err(Problem::of(ErrorCode::InvalidRequest, "A ticket is asked for without a query."));
    }
    // A ticket is no token: it cannot be made to last.
    let cookie = cookie(&parts.headers, app.settings.cookie.as_deref());
    let grant = app.whose(token.as_deref(), None, cookie.as_deref()).await?.ok_or_else(unauthenticated)?;
    app.pass(&grant)?;
    if *app.leaving.borrow() {
        // It would be worth nothing at whoever serves next.
        return Err(leaving());
    }
    app.tickets.issue(grant)
}

fn told(answer: Result<Response, Problem>) -> Response {
    answer.unwrap_or_else(|problem| {
        REFUSALS.count(problem.code);
        problem.into_response()
    })
}

/// Who asks, and for what. There is nobody to ask for a token later.
async fn admit(app: &App, parts: &Parts) -> Result<(Grant, Wanted), Problem> {
    admit_for(app, parts, |uri| {
        let wanted = Wanted::parse(uri)?;
        Ok((wanted.ticket.clone(), wanted))
    })
    .await
}

/// The same where the query is of another kind; `parse` gives its ticket and what it asks for.
async fn admit_for<T>(
    app: &App,
    parts: &Parts,
    parse: impl FnOnce(&Uri) -> Result<(Option<String>, T), Problem>,
) -> Result<(Grant, T), Problem> {
    if parts.method != Method::GET {
        let problem = Problem::http(HttpCode::MethodNotAllowed, "Ask with GET.");
        return Err(problem.header(header::ALLOW, "GET"));
    }
    let token = origin_and_token(app, parts)?;
    let (ticket, wanted) = parse(&parts.uri)?;
    let cookie = cookie(&parts.headers, app.settings.cookie.as_deref());
    let grant = app.whose(token.as_deref(), ticket.as_deref(), cookie.as_deref()).await?;
    let grant = grant.ok_or_else(unauthenticated)?;
    app.pass(&grant)?;
    Ok((grant, wanted))
}

fn origin_and_token(app: &App, parts: &Parts) -> Result<Option<String>, Problem> {
    Origins::of(&app.settings).check(&parts.headers)?;
    bearer(&parts.headers)
}

fn unauthenticated() -> Problem {
    let detail =
        "Send a token as \"Authorization: Bearer <token>\", or a ticket of POST /v1/tickets as ?ticket=.";
    Problem::of(ErrorCode::Unauthenticated, detail)
}

fn wait(millis: Option<&str>) -> Result<Duration, Problem> {
    let Some(millis) = millis else { return Ok(POLL_WAIT) };
    let wait = millis.parse().ok().map(Duration::from_millis).filter(|wait| *wait <= POLL_WAIT_MAX);
    wait.ok_or_else(|| {
        let most = POLL_WAIT_MAX.as_millis();
        let detail = format!("\"wait_ms\" must be a whole number of milliseconds up to {most}.");
        Problem::of(ErrorCode::InvalidRequest, detail)
    })
}

/// The ticket that a URL brings.
pub(crate) fn ticket_of(uri: &Uri) -> Result<Option<String>, Problem> {
    Wanted::parse(uri).map(|wanted| wanted.ticket)
}

/// What lets a session in for one answer. It takes nobody's place: that there are not too many is a matter of the rate.
const fn briefly(grant: Grant) -> Pass {
    Pass { grant, seat: None }
}

/// Opens a session.
async fn enter(
    app: &App,
    parts: &Parts,
    door: &'static str,
    pass: Pass,
    requests: [String; 3],
) -> Result<Client, Problem> {
    let (socket, client) = pipe(door, requests);
    if !app.enter(Box::new(socket), Some(pass), Origin::of(parts), None).await {
        return Err(leaving());
    }
    Ok(client)
}

fn leaving() -> Problem {
    let gone = Problem::of(ErrorCode::Unavailable, "The server goes away. Try again soon.");
    gone.retry_after(Duration::from_secs(2))
}
