//! What a session has to say until it has said all, as the answer to one request.
//!
//! Nothing is told in part: a client that went on from the cursor of half an answer would lack the other
//! half, and nobody would tell it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_stream::{Stream, StreamExt};
use wire::{Ack, Control, ErrorCode, ErrorMessage, Flushed};
use ws::Message;

use super::text::{cursor_of, type_of};
use crate::limits::{ANSWER_BYTES_MAX, ANSWERS_BYTES_MAX, PIPE_BYTES_MAX, STATE_TIMEOUT};
use crate::problem::{HttpCode, Problem};
use crate::socket::{Client, Said};

/// The requests of a session that tells where each flush ends, and has as many as it takes.
pub(super) fn requests(subscribe: String) -> [String; 3] {
    let [pace, credit] = [json!({"op": "pace", "credit": true}), json!({"op": "credit", "flushes": FLUSHES})];
    [pace.to_string(), subscribe, credit.to_string()]
}

/// More than an answer has.
const FLUSHES: u32 = 1_000;

/// What is waited for.
pub(super) struct Wanted {
    /// The states of all streams come first. Otherwise there may be nothing to tell.
    pub(super) states: bool,
    /// How long to wait for something.
    pub(super) wait: Duration,
    /// Where the client stands.
    pub(super) cursor: String,
}

/// What a session had to say.
pub(super) struct Answer {
    pub(super) messages: Vec<Message>,
    /// Where the client stands once it has them.
    pub(super) cursor: String,
}

/// Reads until a flush leaves nothing.
///
/// # Errors
/// The session refuses, it takes too long, or the answer is too large.
pub(super) async fn answer(client: &mut Client, wanted: Wanted) -> Result<Answer, Problem> {
    let mut answer = Answer { messages: Vec::new(), cursor: wanted.cursor };
    let (mut until, mut idle, mut bytes) = (Instant::now() + STATE_TIMEOUT, false, 0);
    loop {
        let message = match timeout_at(until, client.next()).await {
            Ok(Some(Said::Message(message))) => message,
            Ok(Some(Said::Ping)) => continue,
            Err(_) if idle => return Ok(answer),
            Ok(Some(Said::Close(_)) | None) | Err(_) => return Err(late()),
        };
        let text = message.payload();
        if let Some(cursor) = cursor_of(text) {
            answer.cursor = String::from_utf8_lossy(cursor).into_owned();
        }
        let mut last = false;
        match type_of(text) {
            b"welcome" | b"heartbeat" => continue,
            b"ack" => {
                let Ok(Control::Ack { ack: Ack::Subscribe { symbols, rejected, .. }, .. }) =
                    serde_json::from_slice(text)
                else {
                    continue;
                };
                if !wanted.states {
                    (idle, until) = (true, Instant::now() + wanted.wait.max(WAIT_MIN));
                }
                if rejected.is_empty() {
                    continue;
                }
                last = symbols.is_empty();
            }
            b"error" => return Err(refused(text)),
            b"flushed" => match serde_json::from_slice(text) {
                Ok(Flushed { more: true, .. }) => continue,
                _ => return Ok(answer),
            },
            b"snapshot" | b"update" | b"gap" => (idle, until) = (false, Instant::now() + STATE_TIMEOUT),
            b"draining" => last = idle,
            _ => {}
        }
        bytes += text.len();
        if bytes > ANSWER_BYTES_MAX {
            let detail = "The answer would be larger than 8 MiB. Ask for fewer symbols at a time.";
            return Err(Problem::http(HttpCode::TooMuch, detail));
        }
        answer.messages.push(message);
        if last {
            return Ok(answer);
        }
    }
}

/// What is there already comes right behind the answer to the subscription.
const WAIT_MIN: Duration = Duration::from_millis(10);

pub(super) fn late() -> Problem {
    let detail = "The server could not say all of it in time. Try again.";
    Problem::of(ErrorCode::Unavailable, detail).header(header::RETRY_AFTER, "1")
}

/// The refusal that a session's error message is.
fn refused(text: &[u8]) -> Problem {
    match serde_json::from_slice::<ErrorMessage>(text) {
        Ok(error) => Problem::of(error.code, error.message),
        Err(_) => late(),
    }
}

/// Room for the answers of all clients: who reads slowly has its own in memory until then.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ANSWERS_BYTES_MAX)))
    }
}

impl Room {
    /// The response with a body of JSON.
    pub(super) fn respond(&self, body: Vec<u8>) -> Result<Response, Problem> {
        let bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.0).try_acquire_many_owned(bytes).map_err(|_| {
            let detail = "Too many answers are under way to clients that read slowly. Try again soon.";
            Problem::of(ErrorCode::Unavailable, detail).header(header::RETRY_AFTER, "5")
        })?;
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::CONTENT_LENGTH, HeaderValue::from(bytes)),
        ];
        let body = Body::from_stream(Pieces { rest: body.into(), _room: room });
        Ok((headers, body).into_response())
    }
}

/// A body in pieces, so that its room is taken until the last of them is under way.
struct Pieces {
    rest: Bytes,
    _room: OwnedSemaphorePermit,
}

impl Stream for Pieces {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let most = self.rest.len().min(PIPE_BYTES_MAX);
        Poll::Ready((most > 0).then(|| Ok(self.rest.split_to(most))))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use axum::http::StatusCode;

    use super::*;
    use crate::socket::{Outbox, Socket, pipe};

    const FLUSHED: &str = r#"{"type":"flushed","credit":0,"cursor":"e:9"}"#;
    const ACK: &str = r#"{"type":"ack","op":"subscribe","channels":["trades"],"symbols":["A"],"rejected":[],"resumed":true,"cursor":"e:3"}"#;

    /// The answer where a session says this, and then goes on or is over.
    async fn answered(messages: Vec<String>, states: bool, over: bool) -> Result<Answer, Problem> {
        let (mut socket, mut client) = pipe("test", []);
        let mut outbox = Outbox::default();
        for message in messages {
            outbox.text(message);
        }
        let session = tokio::spawn(async move {
            let _ = poll_fn(|cx| socket.poll_send(cx, &mut outbox)).await;
            if !over {
                std::future::pending::<()>().await;
            }
        });
        let wanted = Wanted { states, wait: Duration::ZERO, cursor: "e:1".to_owned() };
        let answer = answer(&mut client, wanted).await;
        session.abort();
        answer
    }

    #[tokio::test]
    async fn an_answer_has_its_bound() {
        let update = |bytes| format!("{{\"type\":\"update\",\"data\":[\"{}\"]}}", "x".repeat(bytes));
        let most = ANSWER_BYTES_MAX / 8;
        let frame = update(0).len();
        let mut messages = vec![update(most - frame); 8];
        messages.push(FLUSHED.to_owned());
        let good = answered(messages.clone(), true, false).await.unwrap();
        assert_eq!((good.messages.len(), good.cursor.as_str()), (8, "e:9"));
        messages.insert(0, update(0));
        let large = answered(messages, true, false).await;
        assert_eq!(large.err().unwrap().status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn half_an_answer_is_none() {
        let update = r#"{"type":"update","cursor":"e:5","data":[]}"#.to_owned();
        let more = r#"{"type":"flushed","credit":0,"more":true,"cursor":"e:5"}"#.to_owned();
        for said in [vec![], vec![ACK.to_owned(), update.clone()], vec![update, more]] {
            assert_eq!(answered(said, true, true).await.err().unwrap().code, "unavailable");
        }
        // Nothing new is an answer, and the client stands where the server says.
        let nothing = answered(vec![ACK.to_owned()], false, false).await.unwrap();
        assert_eq!((nothing.messages.len(), nothing.cursor.as_str()), (0, "e:3"));
        let error = r#"{"type":"error","code":"token_expired","message":"It expired.","retryable":false}"#;
        let refused = answered(vec![ACK.to_owned(), error.to_owned()], false, false).await.err().unwrap();
        assert_eq!((refused.status, refused.code), (StatusCode::UNAUTHORIZED, "token_expired"));
    }

    #[tokio::test]
    async fn answers_under_way_have_a_bound() {
        let room = Room::default();
        let large = || room.respond(vec![0; ANSWERS_BYTES_MAX / 2]);
        let (one, two) = (large().unwrap(), large().unwrap());
        assert_eq!(large().unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
        drop(one);
        assert_eq!(large().unwrap().headers()[header::CONTENT_LENGTH], (ANSWERS_BYTES_MAX / 2).to_string());
        let mut body = two.into_body().into_data_stream();
        let mut bytes = 0;
        while let Some(piece) = body.next().await {
            bytes += piece.unwrap().len();
        }
        assert_eq!(bytes, ANSWERS_BYTES_MAX / 2);
    }
}
