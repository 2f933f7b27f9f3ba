//! What an operator can move that is not the gateway's own.

use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::ErrorCode;

use super::{Admin, Operator, answer};
use crate::problem::{HttpCode, Problem};

/// What an operator can move that is not the gateway's own. Each may block.
#[derive(Clone)]
pub struct Levers {
    /// Puts another filter in force for the log, where there is one; tells which is in force then.
    pub log: Arc<LogLever>,
    /// The configuration as it is in force, with where each value is from, and without secrets.
    pub config: Arc<dyn Fn() -> Value + Send + Sync>,
}

/// See [`Levers::log`].
pub type LogLever = dyn Fn(Option<&str>) -> Result<String, String> + Send + Sync;

impl fmt::Debug for Levers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Levers")
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    filter: String,
}

pub(super) async fn log(State(admin): State<Arc<Admin>>, _: Operator) -> Result<Response, Problem> {
    let filter = (admin.levers()?.log)(None).unwrap_or_default();
    Ok(answer(&json!({ "filter": filter })))
}

pub(super) async fn set_log(
    State(admin): State<Arc<Admin>>,
    operator: Operator,
    body: Bytes,
) -> Result<Response, Problem> {
    let bad = |detail: String| Problem::of(ErrorCode::InvalidRequest, detail);
    let Log { filter } =
        serde_json::from_slice(&body).map_err(|error| bad(format!("The body is no filter: {error}.")))?;
    let now = (admin.levers()?.log)(Some(&filter)).map_err(|error| bad(format!("{filter:?}: {error}.")))?;
    let request_id = operator.request_id();
    tracing::warn!(operator = operator.name, request_id, filter = now, "log filter changed");
    Ok(answer(&json!({ "filter": now })))
}

pub(super) async fn config(State(admin): State<Arc<Admin>>, _: Operator) -> Result<Response, Problem> {
    let config = Arc::clone(&admin.levers()?.config);
    let value = tokio::task::spawn_blocking(move || config()).await.unwrap_or_default();
    Ok(answer(&value))
}

impl Admin {
    fn levers(&self) -> Result<&Levers, Problem> {
        self.levers
            .as_ref()
            .ok_or_else(|| Problem::http(HttpCode::NotFound, "This server has been given no such lever."))
    }
}
