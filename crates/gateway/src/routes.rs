//! The routes of the public port.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::sync::{Semaphore, mpsc, watch};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use wire::ErrorCode;
use ws::Limits;

use crate::asked::Origin;
use crate::auth::{AuthError, Grant};
use crate::doors::{self, Catalogue, Engines, Rates, Room, Tickets, ticket_of};
use crate::handshake::{self, Origins, cookie};
use crate::hub::Feeds;
use crate::limits::{CONNECTION_RETRY, ECHO_BYTES_MAX, ECHO_FRAMES_MAX, ECHO_INFLATED_BYTES_MAX, FRAMES_MAX};
use crate::metrics::{CHECKS, REFUSALS};
use crate::problem::Problem;
use crate::recordings::Recordings;
use crate::roster::Roster;
use crate::settings::Settings;
use crate::shard::{Arrival, Pass, Reads};
use crate::socket::{Encoding, Peer, Slot, Socket, Succession, Terms, switching};
use crate::visitors::{Unwelcome, Visit, Visitors};
use crate::{clock, echo, page};

/// What the routes share.
pub(crate) struct App {
    /// True when the server goes away.
    pub(crate) leaving: watch::Receiver<bool>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) shards: Vec<mpsc::Sender<Arrival>>,
    pub(crate) reads: Vec<Reads>,
    pub(crate) feeds: Feeds,
    pub(crate) catalogue: Catalogue,
    pub(crate) tickets: Tickets,
    pub(crate) rates: Rates,
    pub(crate) room: Room,
    pub(crate) engines: Engines,
    /// Slots of the echo service.
    pub(crate) echoes: Arc<Semaphore>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) visitors: Arc<Visitors>,
    pub(crate) recordings: Recordings,
}

impl App {
    /// What a ticket stands for.
    fn redeem(&self, ticket: &str) -> Result<Grant, Problem> {
        let grant = self.tickets.take(ticket)?;
        if self.settings.keys.honours(&grant) {
            return Ok(grant);
        }
        Err(Problem::of(ErrorCode::TokenRevoked, "The token that the ticket stands for was revoked."))
    }

    /// Who asks: by the token that is shown, else by a ticket, else by what a browser sends of itself, else nobody.
    pub(crate) async fn whose(
        &self,
        token: Option<&str>,
        ticket: Option<&str>,
        cookie: Option<&str>,
    ) -> Result<Option<Grant>, Problem> {
        match (token, ticket, cookie) {
            (Some(token), ..) | (None, None, Some(token)) => grant(&self.settings, token).await.map(Some),
            (None, Some(ticket), _) => self.redeem(ticket).map(Some),
            (None, None, None) => Ok(None),
        }
    }

    /// Opens a session on a socket; false where the server is on its way out.
    pub(crate) async fn enter(
        &self,
        socket: Box<dyn Socket>,
        pass: Option<Pass>,
        origin: Origin,
        slot: Option<Slot>,
    ) -> bool {
        let (name, shard) = name_and_shard(self.shards.len());
        self.shards[shard].send(Arrival { socket, pass, name, origin, slot }).await.is_ok()
    }

    /// What lets a session of that grant in.
    pub(crate) fn seat(&self, grant: Grant) -> Result<Pass, Problem> {
        match self.roster.take(&grant, &self.settings.limits.now()) {
            Ok(seat) => Ok(Pass { grant, seat: Some(seat) }),
            Err(full) => {
                let detail = full.told(&grant);
                Err(Problem::too_many(ErrorCode::ConnectionLimit, detail).retry_after(CONNECTION_RETRY))
            }
        }
    }

    /// Counts a client that has no connection of its own among those of its address.
    pub(crate) fn visit(&self, parts: &Parts) -> Result<Option<Visit>, Problem> {
        let Some(from) = Peer::of(parts) else { return Ok(None) };
        self.visitors.enter(from.ip(), &self.settings.limits.now(), clock::now()).map_err(Unwelcome::problem)
    }

    /// Lets a subject's request over plain HTTP pass.
    pub(crate) fn pass(&self, grant: &Grant) -> Result<(), Problem> {
        self.rates.pass(grant, &self.settings.limits.now())
    }

    /// Puts an answer on the account of whoever gets it.
    pub(crate) fn charge(&self, grant: &Grant, answer: Response) -> Response {
        let length = answer.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if let Some(bytes) = length.and_then(|length| length.parse().ok()) {
            self.rates.charge(grant, &self.settings.limits.now(), bytes);
        }
        answer
    }
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let limit = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PAGE_TIMEOUT);
    let pages = page::router(&app.settings.page).layer(limit);
    Router::new()
        .merge(pages)
        .merge(doors::router(&app))
        .route("/v1/stream", any(stream))
        .route("/echo", any(echo))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .with_state(app)
}

/// What is not a stream is answered by then.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);

fn fixed(name: header::HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

async fn stream(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match open(&app, &parts).await {
        Ok(response) => response,
        Err(problem) => {
            REFUSALS.count(problem.code);
            problem.into_response()
        }
    }
}

/// A session's handshake.
async fn open(app: &Arc<App>, parts: &Parts) -> Result<Response, Problem> {
    let succession = Succession::of(parts)?;
    let request = check(app, parts)?;
    let (ticket, cookie) = (ticket_of(&parts.uri)?, cookie(&parts.headers, app.settings.cookie.as_deref()));
    let grant = app.whose(request.token.as_deref(), ticket.as_deref(), cookie.as_deref()).await?;
    let origin = Origin::of(parts);
    let deflate = request.deflate.filter(|_| app.settings.compression);
    let message_bytes = app.settings.limits.now().message_bytes;
    let limits = Limits { message_bytes, inflated_bytes: message_bytes, frames: FRAMES_MAX };
    let terms = Terms { limits, deflate, encoding: request.encoding() };
    let pass = grant.map(|grant| app.seat(grant)).transpose()?;
    let app = Arc::clone(app);
    succession.hand_to(terms, async move |socket, slot| {
        app.enter(Box::new(socket), pass, origin, Some(slot)).await;
    });
    Ok(switching(&request, deflate))
}

async fn echo(State(app): State<Arc<App>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    open_echo(&app, &mut parts).unwrap_or_else(IntoResponse::into_response)
}

/// A handshake of the echo service.
fn open_echo(app: &App, parts: &mut Parts) -> Result<Response, Problem> {
    let succession = Succession::of(parts)?;
    let one_of_few = Arc::clone(&app.echoes).try_acquire_owned().map_err(|_| {
        let detail = "The echo service is in use by as many as it takes. Try again soon.";
        Problem::of(ErrorCode::Unavailable, detail).header(header::RETRY_AFTER, "5")
    })?;
    // Any subprotocol is as good as none here: nothing is interpreted.
    parts.headers.remove(header::SEC_WEBSOCKET_PROTOCOL);
    let request = check(app, parts)?;
    let limits = Limits {
        message_bytes: ECHO_BYTES_MAX,
        inflated_bytes: ECHO_INFLATED_BYTES_MAX,
        frames: ECHO_FRAMES_MAX,
    };
    let terms = Terms { limits, deflate: request.deflate, encoding: Encoding::Json };
    succession.hand_to(terms, async move |socket, slot| {
        echo::serve(socket).await;
        drop((slot, one_of_few));
    });
    Ok(switching(&request, request.deflate))
}

fn check(app: &App, parts: &Parts) -> Result<handshake::Request, Problem> {
    handshake::check(parts, &Origins::of(&app.settings))
}

/// What a token gives, counted.
pub(crate) async fn grant(settings: &Settings, token: &str) -> Result<Grant, Problem> {
    let checked = settings.keys.admit(token).await;
    let result = match &checked {
        Ok(_) => "ok",
        Err(AuthError::Expired(_)) => "expired",
        Err(AuthError::Algorithm) => "bad_alg",
        Err(AuthError::Revoked) => "revoked",
        Err(AuthError::Pending(_)) => "pending",
        Err(_) => "invalid",
    };
    CHECKS.count(result);
    checked.map_err(|error| {
        if let AuthError::Pending(wait) = error {
            return Problem::of(ErrorCode::Unavailable, format!("Not yet: {error}. Try again."))
                .retry_after(wait);
        }
        let code = match error {
            AuthError::Expired(_) => ErrorCode::TokenExpired,
            AuthError::Revoked => ErrorCode::TokenRevoked,
            _ => ErrorCode::TokenInvalid,
        };
        Problem::of(code, format!("Refused: {error}."))
    })
}

/// A name for a session, hard to guess but no secret, and the shard it falls to.
fn name_and_shard(shards: usize) -> (String, usize) {
    use std::hash::{BuildHasher, RandomState};
    let number = RandomState::new().hash_one(clock::wall().0);
    let shard = usize::try_from(number % shards.max(1) as u64).unwrap_or(0);
    (format!("{number:016x}"), shard)
}
