//! Long polling: the news since a cursor.

use axum::response::Response;

use super::answer::{Room, Wanted, answer};
use crate::problem::Problem;
use crate::socket::Client;

/// The news since the client's cursor, or the states; waits for some where there are none.
///
/// `{"cursor":…,"messages":[…]}`, each message as it would come anywhere.
///
/// # Errors
/// The session refuses, or cannot say all of it in time.
pub(super) async fn poll(mut client: Client, wanted: Wanted, room: &Room) -> Result<Response, Problem> {
    let answer = answer(&mut client, wanted).await?;
    let bytes: usize = answer.messages.iter().map(|message| message.payload().len() + 1).sum();
    let mut body = Vec::with_capacity(bytes + answer.cursor.len() + 32);
    body.extend_from_slice(b"{\"cursor\":\"");
    body.extend_from_slice(answer.cursor.as_bytes());
    body.extend_from_slice(b"\",\"messages\":[");
    for (n, message) in answer.messages.iter().enumerate() {
        if n > 0 {
            body.push(b',');
        }
        body.extend_from_slice(message.payload());
    }
    body.extend_from_slice(b"]}");
    room.respond(body)
}
