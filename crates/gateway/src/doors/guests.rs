//! Tokens for guests, where they are welcome.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use wire::ErrorCode;

use super::{origin_and_token, told};
use crate::auth::GuestToken;
use crate::clock;
use crate::problem::{HttpCode, Problem};
use crate::routes::App;
use crate::socket::Peer;

pub(super) async fn welcome(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    told(issue(&app, &parts))
}

fn issue(app: &App, parts: &Parts) -> Result<Response, Problem> {
    let held = origin_and_token(app, parts)?;
    if parts.uri.query().is_some() {
        return Err(Problem::of(ErrorCode::InvalidRequest, "A guest's token is asked for without a query."));
    }
    // Who asks often is one who connects often.
    let _visit = app.visit(parts)?;
    let from = Peer::of(parts).map(|from| from.ip());
    let given = app.settings.keys.current().guest_token(held.as_deref(), from, clock::wall());
    let given = given.ok_or_else(|| {
        let detail = "Guests are not welcome here: a token is needed. The operator can set guests in [auth].";
        Problem::http(HttpCode::NotFound, detail)
    })?;
    let GuestToken { token, subject, expires_at } = given
        .map_err(|_| Problem::of(ErrorCode::Unavailable, "The system has no random numbers to give."))?;
    let body = json!({ "token": token, "subject": subject, "expires_at": expires_at.to_string() });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::CREATED, headers, body.to_string()).into_response())
}
