//! What each door refuses, with the status and the codes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use wire::ErrorCode;

use super::one;
use crate::problem::{HttpCode, Problem};

/// What any door may say that asks who is there.
pub(super) const DOOR: [Code; 9] = [
    Code::Http(HttpCode::ForbiddenOrigin),
    Code::Ours(ErrorCode::Unauthenticated),
    Code::Ours(ErrorCode::TokenInvalid),
    Code::Ours(ErrorCode::TokenExpired),
    Code::Ours(ErrorCode::TokenRevoked),
    Code::Ours(ErrorCode::InvalidRequest),
    Code::Ours(ErrorCode::RateLimited),
    Code::Ours(ErrorCode::ConnectionLimit),
    Code::Own(ErrorCode::ConnectionLimit),
];

/// One that asks nobody who is there.
pub(super) const GUEST: [Code; 7] = [
    Code::Http(HttpCode::ForbiddenOrigin),
    Code::Http(HttpCode::NotFound),
    Code::Ours(ErrorCode::TokenInvalid),
    Code::Ours(ErrorCode::InvalidRequest),
    Code::Ours(ErrorCode::RateLimited),
    Code::Own(ErrorCode::ConnectionLimit),
    Code::Ours(ErrorCode::Unavailable),
];

/// One that subscribes.
pub(super) const SUBSCRIPTION: [Code; 1] = [Code::Ours(ErrorCode::UnknownChannel)];

/// One that needs what there may be too much of.
pub(super) const BUSY: [Code; 1] = [Code::Ours(ErrorCode::Unavailable)];

/// One that answers with what a session said.
pub(super) const ANSWER: [Code; 2] = [Code::Http(HttpCode::TooMuch), Code::Ours(ErrorCode::SlowConsumer)];

/// One that answers with a state.
pub(super) const STATE: [Code; 5] = [
    Code::Ours(ErrorCode::Forbidden),
    Code::Ours(ErrorCode::UnknownSymbol),
    Code::Ours(ErrorCode::SymbolLimit),
    Code::Ours(ErrorCode::SubscriptionLimit),
    Code::Ours(ErrorCode::Internal),
];

/// One that answers with the past of one stream.
pub(super) const PAST: [Code; 2] = [Code::Ours(ErrorCode::Forbidden), Code::Ours(ErrorCode::UnknownSymbol)];

/// One that reads recordings.
pub(super) const READING: [Code; 2] = [Code::Ours(ErrorCode::Forbidden), Code::Ours(ErrorCode::Internal)];

/// One that reads a recording that is named.
pub(super) const RECORDED: [Code; 2] =
    [Code::Ours(ErrorCode::UnknownRecording), Code::Ours(ErrorCode::ReplayLimit)];

/// The handshake of a WebSocket.
pub(super) const HANDSHAKE: [Code; 13] = [
    Code::Http(HttpCode::BadHandshake),
    Code::Http(HttpCode::UnknownSubprotocol),
    Code::Http(HttpCode::ForbiddenOrigin),
    Code::Http(HttpCode::UpgradeRequired),
    Code::Http(HttpCode::UnsupportedVersion),
    Code::Ours(ErrorCode::InvalidRequest),
    Code::Ours(ErrorCode::TokenInvalid),
    Code::Ours(ErrorCode::TokenExpired),
    Code::Ours(ErrorCode::TokenRevoked),
    Code::Ours(ErrorCode::ConnectionLimit),
    Code::Own(ErrorCode::ConnectionLimit),
    Code::Own(ErrorCode::RateLimited),
    Code::Ours(ErrorCode::Unavailable),
];

/// Why something is refused.
#[derive(Clone, Copy)]
pub(super) enum Code {
    Ours(ErrorCode),
    /// It has, or does, too much itself.
    Own(ErrorCode),
    Http(HttpCode),
}

impl Code {
    fn problem(self) -> Problem {
        match self {
            Self::Ours(code) => Problem::of(code, ""),
            Self::Own(code) => Problem::too_many(code, ""),
            Self::Http(code) => Problem::http(code, ""),
        }
    }
}

/// Every code that a problem can have.
pub(super) fn codes() -> Vec<&'static str> {
    let http = HttpCode::ALL.map(|code| Problem::http(code, "").code);
    ErrorCode::ALL.map(ErrorCode::as_str).into_iter().chain(http).collect()
}

/// Problem details, of RFC 9457.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "properties": {
            "type": { "type": "string", "const": "about:blank" },
            "title": { "type": "string", "description": "The status in words." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The status." },
            "code": { "type": "string", "enum": codes(), "description": "For a program." },
            "detail": { "type": "string", "description": "What is wrong and what to do, for a person." },
        },
        "required": ["type", "title", "status", "code", "detail"],
    })
}

/// The responses that these codes come with, by status.
pub(super) fn responses(codes: impl IntoIterator<Item = Code>) -> Map<String, Value> {
    let mut by_status = BTreeMap::<_, Vec<_>>::new();
    for problem in codes.into_iter().map(Code::problem) {
        by_status.entry(problem.status.as_u16()).or_default().push(problem.code);
    }
    let response = |(status, codes): (u16, Vec<_>)| {
        let words =
            axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let mut response = json!({
            "description": words.unwrap_or("Refused"),
            "content": { "application/problem+json": { "schema": { "allOf": [
                one("Problem"),
                { "properties": {
                    "status": { "const": status }, "code": { "enum": codes },
                } },
            ] } } },
        });
        if let Some(headers) = headers(status) {
            response["headers"] = headers;
        }
        (status.to_string(), response)
    };
    by_status.into_iter().map(response).collect()
}

/// What comes with a status beside its body.
fn headers(status: u16) -> Option<Value> {
    let text = |about: &str, required: bool| json!({ "description": about, "required": required, "schema": { "type": "string" } });
    let seconds = |required: bool| {
        json!({
            "description": "Seconds after which the same may succeed.", "required": required,
            "schema": { "type": "integer", "minimum": 1 },
        })
    };
    Some(match status {
        401 => json!({ "WWW-Authenticate": text("That a bearer token is wanted.", true) }),
        426 => json!({
            "Upgrade": text("websocket", true),
            "Sec-WebSocket-Version": text("13", true),
        }),
        429 => json!({ "Retry-After": seconds(true) }),
        503 => json!({ "Retry-After": seconds(false) }),
        _ => return None,
    })
}
