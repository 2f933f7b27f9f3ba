//! Long polling and states: what a session has to say until it has said all, as the answer to one request.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};
use tokio_stream::StreamExt;
use wire::{Ack, Control, ErrorCode, Flushed, Rejected};
use ws::Message;

use super::text::{cursor_of, type_of};
use crate::limits::{ANSWER_BYTES_MAX, STATE_TIMEOUT};
use crate::problem::Problem;
use crate::socket::{Client, Said};

/// The requests of a session that tells where each flush ends, and has as many as it takes.
pub(crate) fn requests(subscribe: String) -> [String; 3] {
    let [pace, credit] = [json!({"op": "pace", "credit": true}), json!({"op": "credit", "flushes": FLUSHES})];
    [pace.to_string(), subscribe, credit.to_string()]
}

/// More than an answer has.
const FLUSHES: u32 = 1_000;

/// What a session had to say.
#[derive(Default)]
struct Answer {
    messages: Vec<Message>,
    bytes: usize,
    /// Where the client stands.
    cursor: String,
}

/// Reads until a flush leaves nothing, the session ends, or that time has come.
async fn answer(client: &mut Client, until: Instant) -> Result<Answer, Problem> {
    let mut answer = Answer::default();
    while let Ok(said) = timeout_at(until, client.next()).await {
        let message = match said {
            Some(Said::Message(message)) => message,
            Some(Said::Ping) => continue,
            Some(Said::Close) | None => break,
        };
        let text = message.payload();
        if let Some(cursor) = cursor_of(text) {
            answer.cursor = String::from_utf8_lossy(cursor).into_owned();
        }
        let mut last = false;
        match type_of(text) {
            b"welcome" | b"heartbeat" => continue,
            b"ack" => match turn(text) {
                Turn::Silent => continue,
                Turn::News => {}
                Turn::Last => last = true,
            },
            b"error" => last = true,
            b"flushed" => {
                if !serde_json::from_slice(text).is_ok_and(|flushed: Flushed| flushed.more) {
                    break;
                }
                continue;
            }
            _ => {}
        }
        answer.bytes += text.len();
        if answer.bytes > ANSWER_BYTES_MAX {
            let detail = "The answer would be larger than 8 MiB. Ask for fewer symbols at a time.";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_much", detail));
        }
        answer.messages.push(message);
        if last {
            break;
        }
    }
    Ok(answer)
}

/// What the answer to our own requests means for the wait.
enum Turn {
    /// It says nothing that the client must know.
    Silent,
    /// The client must know it.
    News,
    /// And there is nothing to wait for.
    Last,
}

fn turn(ack: &[u8]) -> Turn {
    match serde_json::from_slice(ack) {
        Ok(Control::Ack { ack: Ack::Subscribe { symbols, rejected, .. }, .. }) => match rejected.is_empty() {
            _ if symbols.is_empty() => Turn::Last,
            true => Turn::Silent,
            false => Turn::News,
        },
        _ => Turn::Silent,
    }
}

/// `{"cursor":…,"messages":[…]}`.
#[derive(Serialize)]
struct Polled<'a> {
    cursor: &'a str,
    messages: Vec<&'a RawValue>,
}

/// The news since the cursor of the request, or the states; waits for some where there are none.
pub(crate) async fn poll(mut client: Client, wait: Duration) -> Result<Response, Problem> {
    let answer = answer(&mut client, Instant::now() + wait).await?;
    let messages: Result<Vec<&RawValue>, _> =
        answer.messages.iter().map(|message| serde_json::from_slice(message.payload())).collect();
    let messages = messages.map_err(|_| internal())?;
    Ok(answered(&Polled { cursor: &answer.cursor, messages }))
}

/// A `snapshot` message, and symbols that were asked for and are not in it.
#[derive(Deserialize, Serialize)]
struct State {
    r#type: String,
    channel: String,
    cursor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ts_sent: Option<String>,
    data: Vec<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    symbols: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sequences: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<Rejected>,
}

impl State {
    /// A state of many symbols comes in several messages.
    fn join(&mut self, more: Self) {
        self.data.extend(more.data);
        if !(self.sequences.is_empty() && more.sequences.is_empty()) {
            // Where they are absent, all are 0.
            self.sequences.resize(self.symbols.len(), 0);
            self.sequences.extend(more.sequences);
            self.sequences.resize(self.symbols.len() + more.symbols.len(), 0);
        }
        self.symbols.extend(more.symbols);
    }
}

/// The state of some streams of one channel, as one `snapshot` message.
pub(crate) async fn snapshot(mut client: Client) -> Result<Response, Problem> {
    let answer = answer(&mut client, Instant::now() + STATE_TIMEOUT).await?;
    let (mut state, mut refused) = (None::<State>, Vec::new());
    for message in &answer.messages {
        let text = message.payload();
        if type_of(text) == b"snapshot" {
            let more: State = serde_json::from_slice(text).map_err(|_| internal())?;
            match &mut state {
                None => state = Some(more),
                Some(state) => state.join(more),
            }
            continue;
        }
        match serde_json::from_slice(text) {
            Ok(Control::Ack { ack: Ack::Subscribe { rejected, .. }, .. }) => refused = rejected,
            Ok(Control::Error(error)) => {
                return Err(Problem::new(StatusCode::BAD_REQUEST, error.code.as_str(), error.message));
            }
            _ => {}
        }
    }
    let Some(mut state) = state else { return Err(nothing(refused)) };
    (state.cursor, state.rejected) = (answer.cursor, refused);
    Ok(answered(&state))
}

/// Why there is no state.
fn nothing(refused: Vec<Rejected>) -> Problem {
    if let Some(Rejected { code, message, .. }) = refused.into_iter().next() {
        let hidden = code == ErrorCode::Forbidden;
        let status = if hidden { StatusCode::FORBIDDEN } else { StatusCode::NOT_FOUND };
        return Problem::new(status, code.as_str(), message);
    }
    let detail = "The server could not give the state in time. Try again.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).header(header::RETRY_AFTER, "1")
}

fn answered(body: &impl Serialize) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    match serde_json::to_vec(body) {
        Ok(body) => (headers, body).into_response(),
        Err(_) => internal().into_response(),
    }
}

fn internal() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "A bug of ours: a message cannot be read.")
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::socket::{Outbox, Socket, pipe};

    /// What a session says, all at once.
    fn said(messages: impl IntoIterator<Item = String>) -> Outbox {
        let mut outbox = Outbox::default();
        messages.into_iter().for_each(|message| outbox.text(message));
        outbox
    }

    async fn answered(messages: Vec<String>) -> (Result<Answer, Problem>, bool) {
        let (mut socket, mut client) = pipe([]);
        let mut outbox = said(messages);
        let sent = tokio::spawn(async move { poll_fn(|cx| socket.poll_send(cx, &mut outbox)).await });
        let answer = answer(&mut client, Instant::now() + Duration::from_secs(30)).await;
        drop(client);
        (answer, sent.await.unwrap().is_ok())
    }

    #[tokio::test]
    async fn an_answer_has_its_bound() {
        let update = |bytes| format!("{{\"type\":\"update\",\"data\":[\"{}\"]}}", "x".repeat(bytes));
        let flushed = r#"{"type":"flushed","credit":0,"cursor":"e:9"}"#.to_owned();
        let most = ANSWER_BYTES_MAX / 8;
        let frame = update(0).len();
        let mut messages = vec![update(most - frame); 8];
        messages.push(flushed.clone());
        let (good, taken) = answered(messages).await;
        let good = good.unwrap();
        assert_eq!((good.messages.len(), good.cursor.as_str(), taken), (8, "e:9", true));
        let mut messages = vec![update(most - frame); 8];
        messages.extend([update(0), flushed]);
        let (refused, _) = answered(messages).await;
        assert_eq!(refused.err().unwrap().status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn states_in_several_messages_are_one() {
        let state = |text: &str| serde_json::from_str::<State>(text).unwrap();
        let mut whole = state(
            r#"{"type":"snapshot","channel":"quotes","cursor":"e:1","data":[{"n":1}],"symbols":["A"]}"#,
        );
        whole.join(state(r#"{"type":"snapshot","channel":"quotes","cursor":"e:1","data":[],"symbols":["B","C"],"sequences":[0,5]}"#));
        whole.join(state(
            r#"{"type":"snapshot","channel":"quotes","cursor":"e:1","data":[{"n":2}],"symbols":["D"]}"#,
        ));
        assert_eq!(
            serde_json::to_string(&whole).unwrap(),
            r#"{"type":"snapshot","channel":"quotes","cursor":"e:1","data":[{"n":1},{"n":2}],"symbols":["A","B","C","D"],"sequences":[0,0,5,0]}"#
        );
    }
}
