//! What a client says, and what it hears when it is subscribed.

use std::fmt;
use std::sync::Arc;

use crate::door::{Door, Request};

/// How a server is spoken to.
#[derive(Clone)]
pub struct Dialect {
    path: String,
    /// Proof of who the client is, where the server asks for one.
    token: Option<String>,
    /// Whether a message may have more than one record.
    pub(crate) batches: bool,
    turns: Arc<Turns>,
    /// Which door, where it is no WebSocket.
    pub(crate) door: Option<Door>,
}

/// What is said behind the upgrade to get the updates of these symbols, turn by turn.
type Turns = dyn Fn(usize, &[&str]) -> Option<Turn>;

/// Something to say and what the answer to it has in it. Nothing is said before the answer to what went
/// before.
#[derive(Debug)]
pub struct Turn {
    /// A text message.
    pub say: Option<String>,
    /// In the answer.
    pub hear: &'static [u8],
}

impl Dialect {
    /// A dialect of one's own. `batches`: a message may have more than one record.
    pub fn new(
        path: impl Into<String>,
        batches: bool,
        turns: impl Fn(usize, &[&str]) -> Option<Turn> + 'static,
    ) -> Self {
        Self { path: path.into(), token: None, batches, turns: Arc::new(turns), door: None }
    }

    /// Tickwire's: subscribes to `channels`, with `options` as they stand in a request.
    #[must_use]
    pub fn tickwire(path: &str, token: Option<String>, channels: &[String], options: &str) -> Self {
        let channels = channels.join("\",\"");
        let options = options.to_owned();
        let turns = move |number: usize, symbols: &[&str]| {
            let symbols = symbols.join("\",\"");
            (number == 0).then(|| Turn {
                say: Some(format!(
                    "{{\"op\":\"subscribe\",\"channels\":[\"{channels}\"],\"symbols\":[\"{symbols}\"]{options}}}"
                )),
                hear: b"\"op\":\"subscribe\",\"channels\"",
            })
        };
        Self { token, ..Self::new(path, true, turns) }
    }

    /// Tickwire's over plain HTTP: takes one channel of one symbol, whose name stands in a URL as it is.
    #[must_use]
    pub fn door(door: Door, token: Option<String>, channel: &str) -> Self {
        let path = match door {
            Door::Events => format!("/v1/events?channels={channel}"),
            Door::Poll => format!("/v1/poll?channels={channel}"),
            Door::Snapshot(_) => format!("/v1/snapshot?channel={channel}"),
        };
        Self { token, door: Some(door), ..Self::new(path, true, |_, _| None) }
    }

    /// What is asked for at a door: of its fields only those that it needs.
    pub(crate) fn request(&self, host: &str, symbols: &[&str]) -> Request {
        Request {
            target: format!("GET {}&symbols={}", self.path, symbols.join(",")),
            rest: format!(" HTTP/1.1\r\nHost: {host}\r\n{}\r\n", self.authorization()),
        }
    }

    /// The request for the WebSocket.
    pub(crate) fn upgrade(&self, host: &str) -> String {
        format!(
            "GET {} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
            self.path,
            self.authorization()
        )
    }

    /// The line of the token, where there is one.
    fn authorization(&self) -> String {
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n"));
        token.unwrap_or_default()
    }

    pub(crate) fn turn(&self, number: usize, symbols: &[&str]) -> Option<Turn> {
        (self.turns)(number, symbols)
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialect").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A text as a client's frame. A mask of zeros is a mask.
pub(crate) fn frame(opcode: u8, text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u16::try_from(text.len()) {
        Ok(short) if short < 126 => frame.push(0x80 | short.to_be_bytes()[1]),
        Ok(long) => {
            frame.push(0xFE);
            frame.extend(long.to_be_bytes());
        }
        Err(_) => {
            frame.push(0xFF);
            frame.extend((text.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text);
    frame
}
