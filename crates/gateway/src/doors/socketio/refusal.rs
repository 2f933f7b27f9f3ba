//! Refusals in the words of Engine.IO, which its clients know.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::metrics::REFUSALS;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Transport,
    Sid,
    Method,
    BadRequest,
    Forbidden,
    Version,
    TooLarge,
    TooSlow,
}

impl Refusal {
    const fn says(self) -> (StatusCode, u8, &'static str, &'static str) {
        match self {
            Self::Transport => (StatusCode::BAD_REQUEST, 0, "Transport unknown", "transport_unknown"),
            Self::Sid => (StatusCode::BAD_REQUEST, 1, "Session ID unknown", "session_unknown"),
            Self::Method => (StatusCode::BAD_REQUEST, 2, "Bad handshake method", "method_not_allowed"),
            Self::BadRequest => (StatusCode::BAD_REQUEST, 3, "Bad request", "bad_handshake"),
            Self::Forbidden => (StatusCode::FORBIDDEN, 4, "Forbidden", "forbidden_origin"),
            Self::Version => {
                (StatusCode::BAD_REQUEST, 5, "Unsupported protocol version", "unsupported_version")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 3, "Payload too large", "message_too_big"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, 3, "Payload too slow", "timeout"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message, reason) = self.says();
        REFUSALS.count(reason);
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        (status, kind, json!({ "code": code, "message": message }).to_string()).into_response()
    }
}
