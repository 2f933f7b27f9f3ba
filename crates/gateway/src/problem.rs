//! Refusals over HTTP, as RFC 9457 problem details.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use wire::ErrorCode;

/// What is refused for reasons of HTTP, for which the protocol has no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpCode {
    /// Not a handshake of RFC 6455.
    BadHandshake,
    /// None of the subprotocols that the client offers is known.
    UnknownSubprotocol,
    /// Pages of this origin may not connect.
    ForbiddenOrigin,
    /// There is nothing at this path.
    NotFound,
    /// Another method is needed.
    MethodNotAllowed,
    /// The answer would be too large.
    TooMuch,
    /// A WebSocket endpoint was asked for something else.
    UpgradeRequired,
    /// A version of the WebSocket protocol that is not 13.
    UnsupportedVersion,
}

impl HttpCode {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 8] = [
        Self::BadHandshake,
        Self::UnknownSubprotocol,
        Self::ForbiddenOrigin,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooMuch,
        Self::UpgradeRequired,
        Self::UnsupportedVersion,
    ];

    /// The status and the word for it.
    const fn told(self) -> (StatusCode, &'static str) {
        match self {
            Self::BadHandshake => (StatusCode::BAD_REQUEST, "bad_handshake"),
            Self::UnknownSubprotocol => (StatusCode::BAD_REQUEST, "unknown_subprotocol"),
            Self::ForbiddenOrigin => (StatusCode::FORBIDDEN, "forbidden_origin"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::TooMuch => (StatusCode::PAYLOAD_TOO_LARGE, "too_much"),
            Self::UpgradeRequired => (StatusCode::UPGRADE_REQUIRED, "upgrade_required"),
            Self::UnsupportedVersion => (StatusCode::UPGRADE_REQUIRED, "unsupported_version"),
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// For a program: a code of the protocol, or a word of HTTP.
    pub(crate) code: &'static str,
    /// For a person: what is wrong and what to do.
    pub(crate) detail: String,
    /// For an operator alone.
    pub(crate) cause: Option<Cause>,
    /// Headers that belong to the status.
    pub(crate) headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    /// The refusal of a request that HTTP itself has a word for.
    pub(crate) fn http(code: HttpCode, detail: impl Into<String>) -> Self {
        let (status, code) = code.told();
        Self::new(status, code, detail)
    }

    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), cause: None, headers: Vec::new() }
    }

    /// The refusal that an error of the protocol is.
    pub(crate) fn of(code: ErrorCode, detail: impl Into<String>) -> Self {
        let status = match code {
            ErrorCode::Unauthenticated
            | ErrorCode::TokenInvalid
            | ErrorCode::TokenExpired
            | ErrorCode::TokenRevoked => {
                return Self::new(StatusCode::UNAUTHORIZED, code.as_str(), detail)
                    .header(header::WWW_AUTHENTICATE, "Bearer realm=\"tickwire\", error=\"invalid_token\"");
            }
            ErrorCode::Forbidden => StatusCode::FORBIDDEN,
            ErrorCode::UnknownSymbol | ErrorCode::UnknownRecording => StatusCode::NOT_FOUND,
            ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::Unavailable
            | ErrorCode::SlowConsumer
            | ErrorCode::ReplayLimit
            | ErrorCode::ConnectionLimit => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, code.as_str(), detail)
    }

    /// The refusal of a client that has, or does, too much itself.
    pub(crate) fn too_many(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code.as_str(), detail)
    }

    /// With the time after which the same may succeed.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        self.headers
            .push((header::RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX))));
        self
    }

    /// With what only an operator is to know.
    pub(crate) fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub(crate) fn header(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }
}

impl Problem {
    fn body(&self) -> String {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Refused"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        body.to_string()
    }

    /// As a whole HTTP/1.1 response, for a connection that is not served.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let body = self.body();
        let title = self.status.canonical_reason().unwrap_or("Refused");
        let mut bytes =
            format!("HTTP/1.1 {} {title}\r\nConnection: close\r\n", self.status.as_u16()).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        let length = body.len();
        bytes.extend_from_slice(
            format!("Content-Type: {KIND}\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes(),
        );
        bytes
    }
}

/// Why a request came to nothing, for the log: who asks is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause(pub(crate) Arc<str>);

impl From<String> for Cause {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// RFC 9457, 3.
const KIND: &str = "application/problem+json";

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(KIND))];
        let mut response = (self.status, kind, self.body()).into_response();
        response.headers_mut().extend(self.headers);
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}
