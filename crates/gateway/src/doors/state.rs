//! The state of some streams, as one message.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use wire::{Ack, Control, ErrorCode, Rejected};

use super::answer::{Room, Wanted, answer};
use super::text::type_of;
use crate::problem::Problem;
use crate::socket::Client;

/// A `snapshot` message, and symbols that were asked for and are not in it.
#[derive(Deserialize, Serialize)]
struct State {
    r#type: String,
    channel: String,
    /// Where the first of it stands: who goes on from here may get something twice, and misses nothing.
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
        // What is not of one moment says so by saying nothing.
        self.as_of = self.as_of.take().filter(|as_of| Some(as_of) == more.as_of.as_ref());
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
///
/// # Errors
/// There is none of these symbols, or the session cannot say all of it in time.
pub(super) async fn snapshot(mut client: Client, wanted: Wanted, room: &Room) -> Result<Response, Problem> {
    let answer = answer(&mut client, wanted).await?;
    let (mut state, mut refused) = (None::<State>, Vec::new());
    for message in &answer.messages {
        let text = message.payload();
        match type_of(text) {
            b"snapshot" => {
                let more: State = serde_json::from_slice(text).map_err(|_| internal())?;
                match &mut state {
                    None => state = Some(more),
                    Some(state) => state.join(more),
                }
            }
            b"ack" => {
                if let Ok(Control::Ack { ack: Ack::Subscribe { rejected, .. }, .. }) =
                    serde_json::from_slice(text)
                {
                    refused = rejected;
                }
            }
            _ => {}
        }
    }
    match (state, refused) {
        (Some(mut state), refused) => {
            state.rejected = refused;
            room.respond(serde_json::to_vec(&state).map_err(|_| internal())?)
        }
        (None, refused) => Err(refused
            .into_iter()
            .next()
            .map_or_else(internal, |Rejected { code, message, .. }| Problem::of(code, message))),
    }
}

fn internal() -> Problem {
    Problem::of(ErrorCode::Internal, "A bug of ours: a message cannot be read.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_in_several_messages_are_one() {
        let state = |rest: &str| {
            let text = format!(r#"{{"type":"snapshot","channel":"quotes",{rest}}}"#);
            serde_json::from_str::<State>(&text).unwrap()
        };
        let mut whole = state(r#""cursor":"e:1","as_of":"e:4","data":[{"n":1}],"symbols":["A"]"#);
        whole.join(state(r#""cursor":"e:1","as_of":"e:4","data":[],"symbols":["B","C"],"sequences":[0,5]"#));
        assert_eq!(whole.as_of.as_deref(), Some("e:4"));
        whole.join(state(r#""cursor":"e:6","data":[{"n":2}],"symbols":["D"]"#));
        assert_eq!(
            serde_json::to_string(&whole).unwrap(),
            r#"{"type":"snapshot","channel":"quotes","cursor":"e:1","data":[{"n":1},{"n":2}],"symbols":["A","B","C","D"],"sequences":[0,0,5,0]}"#
        );
    }
}
