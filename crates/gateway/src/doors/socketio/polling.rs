//! HTTP long-polling: what is said lies in the answer to a GET, what is heard in the body of a POST.
//!
//! Nothing is gathered between two polls: it stays in the session's pipe, and once that is full, the
//! session is slow.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_stream::Stream;

use super::engine::End;
use super::line::Line;
use super::packet::{CLOSE, NOOP, SEPARATOR};
use super::refusal::Refusal;
use crate::limits::{
    ANSWER_PACKETS_MAX, CLOSE_TIMEOUT, HEADER_BYTES_MAX, PAYLOAD_PACKETS_MAX, PIPE_BYTES_MAX,
};
use crate::socket::Gone;

/// A request's way to its answer. Dropped without one, the session is over.
pub(super) type Reply = oneshot::Sender<Response>;

/// The polls of a client, one at a time.
#[derive(Default)]
pub(super) struct Polling {
    get: Get,
    /// The client is about to leave for another transport: no poll is kept waiting.
    pub(super) hurried: bool,
}

#[derive(Default)]
enum Get {
    #[default]
    None,
    Waiting(Reply),
    /// Its answer is on its way; said when all of it was taken.
    Answering(oneshot::Receiver<()>),
}

impl Polling {
    /// Input: a poll.
    ///
    /// # Errors
    /// There is one already.
    pub(super) fn handle_poll(&mut self, reply: Reply) -> Result<(), End> {
        if !matches!(self.get, Get::None) {
            let _ = reply.send(Refusal::BadRequest.into_response());
            return Err(End::Breach);
        }
        self.get = Get::Waiting(reply);
        Ok(())
    }

    /// Answers the poll, once there is something to say. Ready when there is nobody to poll any more.
    pub(super) fn poll(&mut self, line: &mut Line, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            match &mut self.get {
                Get::None => return Poll::Pending,
                Get::Answering(taken) => match ready!(Pin::new(taken).poll(cx)) {
                    Ok(()) => self.get = Get::None,
                    // What was lost with the connection can only be had again with a cursor.
                    Err(_) => return Poll::Ready(End::Lost(Gone::Left)),
                },
                Get::Waiting(reply) => {
                    if reply.poll_closed(cx).is_ready() {
                        return Poll::Ready(End::Lost(Gone::Left));
                    }
                    let (payload, over) = self.gather(line, cx);
                    if payload.is_empty() {
                        return Poll::Pending;
                    }
                    self.answer(payload);
                    if over {
                        return Poll::Ready(End::Said);
                    }
                }
            }
        }
    }

    /// Waits until the last answer is on its way.
    pub(super) async fn taken(self) {
        if let Get::Answering(taken) = self.get {
            let _ = timeout(CLOSE_TIMEOUT, taken).await;
        }
    }

    fn gather(&self, line: &mut Line, cx: &mut Context<'_>) -> (String, bool) {
        let (mut payload, mut over) = (String::new(), false);
        for _ in 0..ANSWER_PACKETS_MAX {
            if over || payload.len() >= PIPE_BYTES_MAX {
                break;
            }
            match line.poll_packet(cx) {
                Poll::Ready(Some(packet)) => push(&mut payload, &packet),
                // Clients leave at once when they read it, whatever came before it in the same answer.
                Poll::Ready(None) if !payload.is_empty() => break,
                Poll::Ready(None) => {
                    push(&mut payload, CLOSE);
                    over = true;
                }
                Poll::Pending => break,
            }
        }
        if payload.is_empty() && self.hurried {
            push(&mut payload, NOOP);
        }
        (payload, over)
    }

    /// Answers the poll that waits, if there is one.
    pub(super) fn answer(&mut self, payload: String) {
        if let Get::Waiting(reply) = std::mem::take(&mut self.get) {
            let (said, taken) = oneshot::channel();
            let bytes = payload.len();
            let body = Body::from_stream(Pieces { rest: payload.into(), taken: Some(said) });
            let length = [(header::CONTENT_LENGTH, HeaderValue::from(bytes))];
            // Who is not there any more drops it, and so lets it be known.
            let _ = reply.send((text_headers(), length, body).into_response());
            self.get = Get::Answering(taken);
        }
    }
}

/// Adds a packet to a payload.
pub(super) fn push(payload: &mut String, packet: &str) {
    if !payload.is_empty() {
        payload.push(SEPARATOR);
    }
    payload.push_str(packet);
}

/// A payload of the client, of which not all packets were heard yet.
pub(super) struct Posted {
    body: String,
    at: usize,
    reply: Reply,
}

impl Posted {
    /// `None` where it has more packets than are taken; the client is told so.
    pub(super) fn new(body: String, reply: Reply) -> Option<Self> {
        if body.matches(SEPARATOR).count() < PAYLOAD_PACKETS_MAX {
            return Some(Self { body, at: 0, reply });
        }
        let _ = reply.send(Refusal::BadRequest.into_response());
        None
    }

    /// The client has been heard, or not.
    pub(super) fn reply(self, heard: bool) {
        let answer = if heard { accepted() } else { Refusal::BadRequest.into_response() };
        let _ = self.reply.send(answer);
    }
}

impl Iterator for Posted {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let rest = self.body.get(self.at..)?;
        let packet = rest.split(SEPARATOR).next()?.to_owned();
        self.at += packet.len() + SEPARATOR.len_utf8();
        Some(packet)
    }
}

fn accepted() -> Response {
    (text_headers(), "ok").into_response()
}

/// The headers of an answer.
pub(super) fn text_headers() -> [(header::HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}

/// A body in pieces, so that it is known when the last of them is under way.
struct Pieces {
    rest: Bytes,
    taken: Option<oneshot::Sender<()>>,
}

impl Stream for Pieces {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let most = self.rest.len().min(HEADER_BYTES_MAX);
        let piece = self.rest.split_to(most);
        if self.rest.is_empty()
            && let Some(taken) = self.taken.take()
        {
            let _ = taken.send(());
        }
        Poll::Ready((most > 0).then_some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_payload_is_its_packets() {
        for (body, packets) in [
            ("3", vec!["3"]),
            ("4a\x1e4€\x1e1", vec!["4a", "4€", "1"]),
            ("", vec![""]),
            ("4a\x1e", vec!["4a", ""]),
        ] {
            let posted = Posted::new(body.to_owned(), oneshot::channel().0).unwrap();
            assert_eq!(posted.collect::<Vec<_>>(), packets, "{body:?}");
        }
        let many = |count| vec!["3"; count].join("\x1e");
        assert!(Posted::new(many(PAYLOAD_PACKETS_MAX), oneshot::channel().0).is_some());
        let (reply, mut refused) = oneshot::channel();
        assert!(Posted::new(many(PAYLOAD_PACKETS_MAX + 1), reply).is_none());
        assert_eq!(refused.try_recv().unwrap().status(), 400);
    }

    #[test]
    fn an_answer_is_taken_with_its_last_piece() {
        let mut cx = Context::from_waker(Waker::noop());
        let (said, mut taken) = oneshot::channel();
        let mut body = Pieces { rest: vec![b'x'; HEADER_BYTES_MAX + 1].into(), taken: Some(said) };
        assert!(matches!(Pin::new(&mut body).poll_next(&mut cx), Poll::Ready(Some(_))));
        assert_eq!(taken.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        assert!(matches!(Pin::new(&mut body).poll_next(&mut cx), Poll::Ready(Some(_))));
        assert_eq!(taken.try_recv(), Ok(()));
    }
}
