//! The doors that are no WebSocket: the same sessions and the same messages over plain HTTP.
//!
//! A door is a [`crate::socket::Client`]: it asks what a client of the WebSocket would ask, and carries
//! what the session says. Who reads slowly is coalesced as anywhere else.

mod catalogue;
mod poll;
mod query;
mod sse;
mod text;
mod tickets;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::auth::Grant;
use crate::handshake::{Origins, bearer, unauthorized};
use crate::limits::{POLL_WAIT, POLL_WAIT_MAX};
use crate::metrics::REFUSED;
use crate::problem::Problem;
use crate::routes::{App, grant, name_and_shard};
use crate::shard::Arrival;
use crate::socket::{Client, pipe};
use query::Wanted;

pub(crate) use catalogue::Catalogue;
pub(crate) use tickets::Tickets;

/// The routes of all doors.
pub(crate) fn router(app: &App) -> Router<Arc<App>> {
    Router::new()
        .route("/v1/events", get(events))
        .route("/v1/poll", get(news))
        .route("/v1/snapshot", get(state))
        .route("/v1/symbols", get(symbols))
        .route("/v1/tickets", post(ticket))
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
        .allow_headers([header::AUTHORIZATION, HeaderName::from_static("last-event-id")])
        .max_age(Duration::from_secs(600))
}

async fn events(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    told(
        async {
            let (grant, wanted) = admit(&app, &parts, false)?;
            Ok(sse::respond(enter(&app, grant, [wanted.checked()?]).await?))
        }
        .await,
    )
}

async fn news(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    told(
        async {
            let (grant, wanted) = admit(&app, &parts, true)?;
            let wait = wait(wanted.wait_ms.as_deref())?;
            poll::poll(enter(&app, grant, poll::requests(wanted.checked()?)).await?, wait).await
        }
        .await,
    )
}

async fn state(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    told(
        async {
            let (grant, wanted) = admit(&app, &parts, false)?;
            if wanted.request.get("channels").and_then(|channels| channels.as_array()?.get(1)).is_some() {
                let detail = "One channel at a time: a state is one snapshot message.";
                return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail));
            }
            poll::snapshot(enter(&app, grant, poll::requests(wanted.checked()?)).await?).await
        }
        .await,
    )
}

async fn symbols(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    told(admit(&app, &parts, false).and_then(|(grant, wanted)| app.catalogue.answer(&grant, &wanted.request)))
}

async fn ticket(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    told(admit(&app, &parts, false).and_then(|(grant, _)| app.tickets.issue(grant)))
}

fn told(answer: Result<Response, Problem>) -> Response {
    answer.unwrap_or_else(|problem| {
        metrics::counter!(REFUSED, "reason" => problem.code).increment(1);
        problem.into_response()
    })
}

/// Who asks, and for what. There is nobody to ask for a token later.
fn admit(app: &App, parts: &Parts, waits: bool) -> Result<(Grant, Wanted), Problem> {
    Origins::of(&app.settings).check(&parts.headers)?;
    let wanted = Wanted::parse(&parts.uri, &parts.headers)?;
    if !waits && wanted.wait_ms.is_some() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Only /v1/poll has \"wait_ms\".",
        ));
    }
    let grant = match (bearer(&parts.headers)?, &wanted.ticket) {
        (Some(token), _) => grant(app, &token)?,
        (None, Some(ticket)) => app.tickets.take(ticket)?,
        (None, None) => {
            let detail = "Send a token as \"Authorization: Bearer <token>\", or a ticket of POST /v1/tickets as ?ticket=.";
            return Err(unauthorized("unauthenticated", detail));
        }
    };
    Ok((grant, wanted))
}

fn wait(millis: Option<&str>) -> Result<Duration, Problem> {
    let Some(millis) = millis else { return Ok(POLL_WAIT) };
    let wait = millis.parse().ok().map(Duration::from_millis).filter(|wait| *wait <= POLL_WAIT_MAX);
    wait.ok_or_else(|| {
        let most = POLL_WAIT_MAX.as_millis();
        let detail = format!("\"wait_ms\" must be a whole number of milliseconds up to {most}.");
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
    })
}

/// Opens a session.
async fn enter(
    app: &App,
    grant: Grant,
    requests: impl IntoIterator<Item = String>,
) -> Result<Client, Problem> {
    let (socket, client) = pipe(requests);
    let (name, shard) = name_and_shard(app.shards.len());
    let arrival = Arrival { socket: Box::new(socket), grant: Some(grant), name, permit: None };
    app.shards[shard].send(arrival).await.map_err(|_| {
        let detail = "The server goes away. Try again soon.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).header(header::RETRY_AFTER, "2")
    })?;
    Ok(client)
}
