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
use memchr::memmem;
use tokio_stream::Stream;
use wire::{Draining, Flushed};

use super::text::{cursor_of, type_of};
use crate::limits::PIPE_BYTES_MAX;
use crate::socket::{Client, Said};

/// A response that carries a session, which tells where its first flush ends.
pub(super) fn respond(client: Client) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies that gather responses are asked not to.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let events = Events { client, begun: false, whole: false, over: false };
    (headers, Body::from_stream(events)).into_response()
}

struct Events {
    client: Client,
    begun: bool,
    /// The client has all that it began with. Until then no event has an `id`: one that came back with it
    /// would lack the rest, and nobody would tell it.
    whole: bool,
    over: bool,
}

/// How long a client waits before it comes back, unless it is told otherwise.
const RETRY: &[u8] = b"retry: 2000\n\n";
/// From the first flush on nobody needs to know where one ends.
const FREELY: &str = r#"{"op":"pace","credit":false}"#;

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
                Poll::Ready(Some(Said::Message(message))) => {
                    let whole = self.whole;
                    self.whole |= write(&mut out, message.payload(), whole);
                    if self.whole && !whole {
                        self.client.ask(FREELY.to_owned());
                    }
                }
                Poll::Ready(Some(Said::Ping)) => out.extend_from_slice(b": ping\n\n"),
                Poll::Ready(Some(Said::Close(_)) | None) => self.over = true,
            }
        }
        Poll::Ready((!out.is_empty()).then(|| Ok(out.into())))
    }
}

/// Writes a message as an event; returns whether a flush has ended with it and nothing waits.
fn write(out: &mut Vec<u8>, message: &[u8], whole: bool) -> bool {
    match type_of(message) {
        // Says nothing but that there is somebody, which is what a comment is for.
        b"heartbeat" => {
            out.extend_from_slice(b": heartbeat\n\n");
            return false;
        }
        b"flushed" => {
            let ended = serde_json::from_slice(message).is_ok_and(|flushed: Flushed| !flushed.more);
            if ended && !whole {
                // An event of an `id` alone is none, but it is remembered.
                write_id(out, message);
                out.push(b'\n');
            }
            return ended;
        }
        // Answers to what the door itself asks for.
        b"ack" if is_ours(message) => return false,
        b"draining" => {
            if let Ok(draining) = serde_json::from_slice::<Draining>(message) {
                out.extend_from_slice(format!("retry: {}\n", draining.reconnect_after_ms).as_bytes());
            }
        }
        _ => {}
    }
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(type_of(message));
    out.push(b'\n');
    if whole {
        write_id(out, message);
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(message);
    out.extend_from_slice(b"\n\n");
    false
}

fn write_id(out: &mut Vec<u8>, message: &[u8]) {
    if let Some(cursor) = cursor_of(message) {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(cursor);
        out.push(b'\n');
    }
}

fn is_ours(ack: &[u8]) -> bool {
    [&b"\"op\":\"pace\""[..], b"\"op\":\"credit\""].iter().any(|op| memmem::find(ack, op).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The event of a message, and whether it ends the first flush.
    fn event(message: &str, whole: bool) -> (String, bool) {
        let mut out = Vec::new();
        let ended = write(&mut out, message.as_bytes(), whole);
        (String::from_utf8(out).unwrap(), ended)
    }

    #[test]
    fn messages_are_events() {
        let text = |message| event(message, true).0;
        let update = r#"{"type":"update","channel":"trades","cursor":"k3f9:7","data":[]}"#;
        assert_eq!(text(update), format!("event: update\nid: k3f9:7\ndata: {update}\n\n"));
        let notice = r#"{"type":"notice","code":"slow_consumer"}"#;
        assert_eq!(text(notice), format!("event: notice\ndata: {notice}\n\n"));
        // A text that looks like a cursor is none.
        let error = r#"{"type":"error","message":"no \"cursor\":\"x\""}"#;
        assert_eq!(text(error), format!("event: error\ndata: {error}\n\n"));
        assert_eq!(text(r#"{"type":"heartbeat","cursor":"k3f9:7"}"#), ": heartbeat\n\n");
        let draining = r#"{"type":"draining","reason":"shutdown","reconnect_after_ms":1730,"deadline":"2026-11-20T14:31:00.000000000Z","cursor":"k3f9:9","ledger":[]}"#;
        assert!(text(draining).starts_with("retry: 1730\nevent: draining\nid: k3f9:9\ndata: {"));
        assert_eq!(text(r#"{"type":"ack","op":"credit","flushes":9}"#), "");
    }

    /// Who comes back before it has the states has no cursor to come back with.
    #[test]
    fn an_id_is_of_one_who_has_all() {
        let snapshot = r#"{"type":"snapshot","channel":"book","cursor":"k3f9:7","data":[]}"#;
        assert_eq!(event(snapshot, false), (format!("event: snapshot\ndata: {snapshot}\n\n"), false));
        let more = r#"{"type":"flushed","credit":8,"more":true,"cursor":"k3f9:7"}"#;
        assert_eq!(event(more, false), (String::new(), false));
        let flushed = r#"{"type":"flushed","credit":7,"cursor":"k3f9:8"}"#;
        assert_eq!(event(flushed, false), ("id: k3f9:8\n\n".to_owned(), true));
        assert_eq!(event(flushed, true), (String::new(), true));
    }
}
