//! The routes of the public port.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::auth::{AuthError, Grant};
use crate::handshake::{self, Origins, unauthorized};
use crate::hub::Feeds;
use crate::limits::{ECHO_BYTES_MAX, SEND_BYTES_MAX};
use crate::metrics::{AUTH, Census, REFUSED};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::shard::Arrival;
use crate::socket::AxumSocket;
use crate::{clock, echo, page};

/// What the routes share.
pub(crate) struct App {
    pub(crate) settings: Arc<Settings>,
    pub(crate) shards: Vec<mpsc::Sender<Arrival>>,
    pub(crate) feeds: Feeds,
    pub(crate) census: Census,
    /// Slots of the echo service.
    pub(crate) echoes: Arc<Semaphore>,
}

/// The slot that a connection holds; it becomes the session's when there is one.
#[derive(Clone)]
pub(crate) struct Permit(pub(crate) Arc<std::sync::Mutex<Option<OwnedSemaphorePermit>>>);

pub(crate) fn router(app: Arc<App>) -> Router {
    let limit = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PAGE_TIMEOUT);
    let pages = Router::new()
        .route("/", get(home))
        .layer(limit)
        .layer(fixed(header::CONTENT_SECURITY_POLICY, page::POLICY));
    Router::new()
        .merge(pages)
        .route("/v1/stream", any(stream))
        .route("/echo", any(echo))
        .fallback(nothing)
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .with_state(app)
}

/// What is not a stream is answered by then.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);

fn fixed(name: header::HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

async fn home(State(app): State<Arc<App>>, request: Request) -> Html<String> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let states = app.feeds.states().into_iter();
    let feeds: Vec<_> = states.map(|(feed, state)| (feed.to_string(), state.to_string())).collect();
    let facts = page::Facts {
        symbols: app.census.symbols(),
        feeds: &feeds,
        secure: app.settings.tls.is_some(),
        host,
    };
    Html(page::render(&facts))
}

async fn nothing() -> Problem {
    let detail = "There is nothing here. The stream is at /v1/stream, the echo service at /echo.";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}

async fn stream(State(app): State<Arc<App>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match open(&app, &mut parts).await {
        Ok(response) => response,
        Err(problem) => {
            metrics::counter!(REFUSED, "reason" => problem.code).increment(1);
            problem.into_response()
        }
    }
}

/// A session's handshake.
async fn open(app: &Arc<App>, parts: &mut Parts) -> Result<Response, Problem> {
    let permit = take_permit(parts)?;
    let request = check(app, parts)?;
    let grant = request.token.map(|token| grant(app, &token)).transpose()?;
    let limit = app.settings.limits.message_bytes;
    let upgrade = upgrade(parts, limit).await?;
    let app = Arc::clone(app);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let (name, shard) = name_and_shard(app.shards.len());
        let socket = Box::new(AxumSocket::new(socket));
        // Refused only when the server is on its way out.
        let _ = app.shards[shard].send(Arrival { socket, grant, name, permit }).await;
    }))
}

async fn echo(State(app): State<Arc<App>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let opened = async {
        let permit = take_permit(&parts)?;
        let slot = Arc::clone(&app.echoes).try_acquire_owned().map_err(|_| {
            let detail = "The echo service is in use by as many as it takes. Try again soon.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
                .header(header::RETRY_AFTER, "5")
        })?;
        // Any subprotocol is as good as none here: nothing is interpreted.
        parts.headers.remove(header::SEC_WEBSOCKET_PROTOCOL);
        check(&app, &mut parts)?;
        let upgrade = upgrade(&mut parts, ECHO_BYTES_MAX).await?;
        Ok(upgrade.on_upgrade(|socket| async move {
            echo::serve(socket).await;
            drop((permit, slot));
        }))
    };
    opened.await.unwrap_or_else(|problem: Problem| problem.into_response())
}

fn check(app: &App, parts: &mut Parts) -> Result<handshake::Request, Problem> {
    let origins = Origins { allowed: &app.settings.allowed_origins, secure: app.settings.tls.is_some() };
    handshake::check(parts, &origins)
}

fn grant(app: &App, token: &str) -> Result<Grant, Problem> {
    let checked = app.settings.keys.check(token, clock::wall());
    let result = match &checked {
        Ok(_) => "ok",
        Err(AuthError::Expired(_)) => "expired",
        Err(AuthError::Algorithm) => "bad_alg",
        Err(_) => "invalid",
    };
    metrics::counter!(AUTH, "result" => result).increment(1);
    checked.map_err(|error| {
        let code = if matches!(error, AuthError::Expired(_)) { "token_expired" } else { "token_invalid" };
        unauthorized(code, &format!("Refused: {error}."))
    })
}

async fn upgrade(parts: &mut Parts, message_bytes: usize) -> Result<WebSocketUpgrade, Problem> {
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(|rejection| {
        Problem::new(rejection.into_response().status(), "bad_handshake", "The handshake cannot be upgraded.")
    })?;
    Ok(upgrade
        .protocols([wire::SUBPROTOCOL_JSON])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(SEND_BYTES_MAX)
        .max_message_size(message_bytes)
        .max_frame_size(message_bytes))
}

/// The library keeps this for every connection.
const READ_BUFFER: usize = 4 << 10;
/// What is gathered before it is written, unless it is flushed, as it always is.
const WRITE_BUFFER: usize = 64 << 10;

fn take_permit(parts: &Parts) -> Result<OwnedSemaphorePermit, Problem> {
    let slot = parts.extensions.get::<Permit>();
    let taken = slot.and_then(|slot| slot.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
    taken.ok_or_else(|| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The connection is in use already.")
    })
}

/// A name for a session, hard to guess but no secret, and the shard it falls to.
fn name_and_shard(shards: usize) -> (String, usize) {
    use std::hash::{BuildHasher, RandomState};
    let number = RandomState::new().hash_one(clock::wall().0);
    let shard = usize::try_from(number % shards.max(1) as u64).unwrap_or(0);
    (format!("{number:016x}"), shard)
}
