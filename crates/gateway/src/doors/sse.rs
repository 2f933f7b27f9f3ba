//! Server-sent events: the messages of a session as the events of a response that does not end.
//!
//! [HTML, 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html). `event` is the message's
//! type, `id` its cursor, `data` the message. A client that lost its connection sends the last `id` by
//! itself, and goes on from there.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio_stream::Stream;

use super::text::{cursor_of, type_of};
use crate::limits::PIPE_BYTES_MAX;
use crate::socket::{Client, Said};

/// A response that carries a session.
pub(crate) fn respond(client: Client) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies that gather responses are asked not to.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let events = Events { client, begun: false, over: false };
    (headers, Body::from_stream(events)).into_response()
}

struct Events {
    client: Client,
    begun: bool,
    over: bool,
}

/// How long a client waits before it comes back, unless it is told otherwise.
const RETRY: &[u8] = b"retry: 2000\n\n";

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    /// All that waits as one piece.
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(RETRY);
        }
        while !self.over && out.len() < PIPE_BYTES_MAX {
            match Pin::new(&mut self.client).poll_next(cx) {
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(Some(Said::Message(message))) => write(&mut out, message.payload()),
                Poll::Ready(Some(Said::Ping)) => out.extend_from_slice(b": ping\n\n"),
                Poll::Ready(Some(Said::Close) | None) => self.over = true,
            }
        }
        Poll::Ready((!out.is_empty()).then(|| Ok(out.into())))
    }
}

fn write(out: &mut Vec<u8>, message: &[u8]) {
    match type_of(message) {
        // Says nothing but that there is somebody, which is what a comment is for.
        b"heartbeat" => return out.extend_from_slice(b": heartbeat\n\n"),
        b"draining" => {
            if let Ok(draining) = serde_json::from_slice::<wire::Draining>(message) {
                out.extend_from_slice(format!("retry: {}\n", draining.reconnect_after_ms).as_bytes());
            }
        }
        _ => {}
    }
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(type_of(message));
    if let Some(cursor) = cursor_of(message) {
        out.extend_from_slice(b"\nid: ");
        out.extend_from_slice(cursor);
    }
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(message);
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_events() {
        let event = |message: &str| {
            let mut out = Vec::new();
            write(&mut out, message.as_bytes());
            String::from_utf8(out).unwrap()
        };
        let update = r#"{"type":"update","channel":"trades","cursor":"k3f9:7","data":[]}"#;
        assert_eq!(event(update), format!("event: update\nid: k3f9:7\ndata: {update}\n\n"));
        let notice = r#"{"type":"notice","code":"slow_consumer"}"#;
        assert_eq!(event(notice), format!("event: notice\ndata: {notice}\n\n"));
        // A text that looks like a cursor is none.
        let error = r#"{"type":"error","message":"no \"cursor\":\"x\""}"#;
        assert_eq!(event(error), format!("event: error\ndata: {error}\n\n"));
        assert_eq!(event(r#"{"type":"heartbeat","cursor":"k3f9:7"}"#), ": heartbeat\n\n");
        let draining = r#"{"type":"draining","reason":"shutdown","reconnect_after_ms":1730,"deadline":"2026-11-20T14:31:00.000000000Z","cursor":"k3f9:9","ledger":[]}"#;
        assert!(event(draining).starts_with("retry: 1730\nevent: draining\nid: k3f9:9\ndata: {"));
    }
}
