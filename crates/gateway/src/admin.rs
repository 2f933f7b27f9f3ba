//! The admin port: metrics and health.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use model::State as FeedState;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::hub::Feeds;

pub(crate) struct Admin {
    pub(crate) metrics: PrometheusHandle,
    pub(crate) feeds: Feeds,
    pub(crate) shutdown: watch::Receiver<bool>,
}

pub(crate) fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(|| async { Json(json!({ "status": "alive" })) }))
        .route("/readyz", get(ready))
        .route("/healthz", get(ready))
        .with_state(admin)
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    // Rendering walks every series: not on a thread that serves sessions.
    let text = tokio::task::spawn_blocking(move || admin.metrics.render()).await.unwrap_or_default();
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
