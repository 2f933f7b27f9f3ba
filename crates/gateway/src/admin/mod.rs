//! The admin port: metrics and health for everybody, sessions and levers for who has the scope `admin`.

mod levers;
mod sessions;
mod symbols;
mod thread;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use model::State as FeedState;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::RuntimeMetrics;
use tokio::sync::{Notify, mpsc, watch};
use wire::ErrorCode;

use crate::asked::Asked;
use crate::handshake::bearer;
use crate::hub::{Feeds, Probe};
use crate::problem::{HttpCode, Problem};
use crate::routes::grant;
use crate::settings::Settings;
use crate::shard::Order;
pub use levers::{Levers, LogLever};
pub(crate) use thread::Thread;

pub(crate) struct Admin {
    pub(crate) metrics: PrometheusHandle,
    /// Of the runtime that serves sessions.
    pub(crate) runtime: RuntimeMetrics,
    pub(crate) feeds: Feeds,
    pub(crate) probe: Probe,
    pub(crate) shutdown: watch::Receiver<bool>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) shards: Vec<mpsc::Sender<Order>>,
    pub(crate) levers: Option<Levers>,
    /// Told when the server is to go.
    pub(crate) drain: Arc<Notify>,
    /// True while another process leads, whose work this one is to go on with.
    pub(crate) follows: Arc<AtomicBool>,
}

pub(crate) fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(|| async { Json(json!({ "status": "alive" })) }))
        .route("/readyz", get(ready))
        .route("/healthz", get(ready))
        .route("/v1/sessions", get(sessions::list))
        .route("/v1/sessions/{session}", get(sessions::show).patch(sessions::change).delete(sessions::kick))
        .route("/v1/symbols", get(symbols::busiest))
        .route("/v1/log", get(levers::log).put(levers::set_log))
        .route("/v1/config", get(levers::config))
        .route("/v1/drain", post(drain))
        .fallback(nothing)
        .with_state(admin)
}

async fn nothing() -> Problem {
    let detail = "There is nothing here. /metrics, /livez, /readyz; for operators /v1/sessions, /v1/symbols, /v1/log, /v1/config, /v1/drain.";
    Problem::http(HttpCode::NotFound, detail)
}

/// Somebody with the scope `admin`, and what the request is called.
struct Operator {
    name: String,
    asked: Option<Asked>,
}

impl Operator {
    fn request_id(&self) -> Option<&str> {
        self.asked.as_ref().map(Asked::id)
    }
}

impl FromRequestParts<Arc<Admin>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &Arc<Admin>) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)?.ok_or_else(|| {
            Problem::of(
                ErrorCode::Unauthenticated,
                "Send a token with the scope admin as \"Authorization: Bearer <token>\".",
            )
        })?;
        let grant = grant(&admin.settings, &token).await?;
        if grant.is_operator() {
            return Ok(Self { name: grant.subject, asked: parts.extensions.get().cloned() });
        }
        Err(Problem::of(ErrorCode::Forbidden, "The token lacks the scope admin."))
    }
}

fn answer(body: &impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response()
}

/// How long may be looked at what goes on.
const SECONDS: std::ops::RangeInclusive<f64> = 0.1..=10.0;

/// # Errors
/// It would be too short, or too long.
fn look(seconds: f64) -> Result<(), Problem> {
    if SECONDS.contains(&seconds) {
        return Ok(());
    }
    let detail = format!("\"seconds\" must be from {} to {}.", SECONDS.start(), SECONDS.end());
    Err(Problem::of(ErrorCode::InvalidRequest, detail))
}

/// The server goes as it does on SIGTERM.
async fn drain(
    State(admin): State<Arc<Admin>>,
    operator: Operator,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if admin.follows.load(Ordering::Relaxed) {
        let detail = "This server is taking over from another one, whose clients have nowhere else to go.";
        return Err(Problem::of(ErrorCode::Unavailable, detail));
    }
    tracing::info!(operator = operator.name, request_id = operator.request_id(), "told to go");
    admin.drain.notify_one();
    Ok((StatusCode::ACCEPTED, Json(json!({ "window_seconds": admin.settings.drain.as_secs_f64() }))))
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    // Rendering walks every series: whoever asks for less does not wait for it.
    let render = move || {
        crate::metrics::look(&admin.runtime);
        let known = crate::metrics::finer(&admin.metrics.render());
        format!("{known}{}", crate::metrics::rest(&admin.runtime))
    };
    let text = tokio::task::spawn_blocking(render).await.unwrap_or_default();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Ready while at least one feed is live and the server is not on its way out.
async fn ready(State(admin): State<Arc<Admin>>) -> (StatusCode, Json<Value>) {
    let feeds = admin.feeds.states();
    let live = feeds.values().any(|state| *state == FeedState::Open);
    let states: serde_json::Map<_, _> =
        feeds.iter().map(|(feed, state)| (feed.to_string(), state.as_str().into())).collect();
    let (status, word) = if *admin.shutdown.borrow() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if feeds.is_empty() {
        (StatusCode::SERVICE_UNAVAILABLE, "no feed event yet")
    } else if live {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no live feed")
    };
    (status, Json(json!({ "status": word, "feeds": states })))
}
