//! What machines read of the protocol: the same for everybody, and no secret.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A document, with what stands for its version.
pub(super) struct Description {
    text: &'static str,
    tag: HeaderValue,
}

/// The document of the WebSocket.
pub(super) static ASYNCAPI: LazyLock<Description> = LazyLock::new(|| Description::of(wire::ASYNCAPI));
/// The document of the doors for plain HTTP.
pub(super) static OPENAPI: LazyLock<Description> = LazyLock::new(|| Description::of(wire::OPENAPI));

impl Description {
    fn of(text: &'static str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let tag = format!("\"{:016x}\"", hasher.finish());
        Self { text, tag: HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"0\"")) }
    }

    /// The document, or word that it is still the one that the client has.
    pub(super) fn respond(&self, headers: &HeaderMap) -> Response {
        let kept = [
            (header::ETAG, self.tag.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
        ];
        if self.is_known(headers) {
            return (StatusCode::NOT_MODIFIED, kept).into_response();
        }
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        (kept, kind, self.text).into_response()
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
        lines
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == self.tag.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(known: &'static str) -> StatusCode {
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(known))]);
        Description::of("a text").respond(&headers).status()
    }

    #[test]
    fn who_has_it_is_told_so() {
        let document = Description::of("a text");
        let response = document.respond(&HeaderMap::new());
        assert_eq!((response.status(), &response.headers()[header::ETAG]), (StatusCode::OK, &document.tag));
        let tag: &'static str = document.tag.to_str().unwrap().to_owned().leak();
        assert_eq!(status(tag), StatusCode::NOT_MODIFIED);
        assert_eq!(status(format!("\"x\", W/{tag}").leak()), StatusCode::NOT_MODIFIED);
        assert_eq!(status("*"), StatusCode::NOT_MODIFIED);
        assert_eq!(status("\"x\""), StatusCode::OK);
        assert_ne!(Description::of("another").tag, document.tag);
    }
}
