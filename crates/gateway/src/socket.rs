//! The seam to the socket layer: messages in, messages out, nothing that blocks.
//!
//! Behind it stands [`WsSocket`]: the codec of `ws` on a stream of ours.

mod outbox;
mod pipe;
mod stream;
#[cfg(test)]
mod tests;
mod upgrade;

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use wire::{CloseCode, RequestError};
use ws::{Message, WindowBits};

pub(crate) use outbox::Outbox;
pub(crate) use pipe::{Client, Said, pipe};
pub(crate) use stream::{Io, WsSocket};
pub(crate) use upgrade::{Peer, Slot, Succession, Terms, switching};

/// How a connection has its messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) encoding: Encoding,
    pub(crate) window: Option<WindowBits>,
}

/// What the messages of a connection are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Text messages of JSON.
    #[default]
    Json,
    /// Binary messages of MessagePack.
    MessagePack,
}

impl Form {
    /// The frame of a message; what all connections of a form share is made for the first of them.
    pub(crate) fn frame(self, message: &Message) -> &Bytes {
        match self.encoding {
            Encoding::Json => message.frame(self.window),
            Encoding::MessagePack => message.other(packed).frame(self.window),
        }
    }
}

impl Encoding {
    /// The JSON of what came in, or why there is none.
    pub(crate) fn read(self, message: Result<String, Vec<u8>>) -> Result<String, String> {
        match (self, message) {
            (Self::Json, Ok(text)) => Ok(text),
            (Self::MessagePack, Err(bytes)) => {
                wire::unpack(&bytes).map_err(|error| format!("The message is not MessagePack: {error}."))
            }
            (Self::Json, Err(_)) => {
                Err("Binary messages are not JSON. This connection takes text messages.".to_owned())
            }
            (Self::MessagePack, Ok(_)) => {
                Err("Text messages are not MessagePack. This connection takes binary messages.".to_owned())
            }
        }
    }
}

fn packed(text: &[u8]) -> Message {
    Message::binary(&wire::pack(text).unwrap_or_else(|error| {
        // Ours are all JSON, and nothing that may be asked is too deep.
        tracing::error!("a message cannot be packed: {error}");
        Vec::new()
    }))
}

/// A socket that carries messages.
pub(crate) trait Socket: Send {
    /// The next thing that came in, read by way of `scratch`, whose contents mean nothing before and
    /// after. Not called again after [`Inbound::Gone`].
    fn poll_recv(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> Poll<Inbound>;
    /// Takes from `outbox` what the socket can take. Ready when all of it is with the kernel.
    fn poll_send(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<Result<(), Gone>>;
    /// By which door its client came.
    fn door(&self) -> &'static str;
    /// What its messages are.
    fn encoding(&self) -> Encoding;
    /// Reads what `poll_send` will need, to have it near by then.
    fn warm(&self);
}

/// Something that came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inbound {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// What a door could not make a request of, and why.
    Refused(Box<RequestError>),
    /// A ping or a pong: the client is alive.
    Alive,
    /// The client closes; the answer is under way.
    Closing,
    /// The client broke a rule of the transport, which says more than the code does; a close frame is under way.
    Fault(CloseCode, Option<ws::Fault>),
    /// There is nobody any more.
    Gone(Gone),
}

/// There is nobody any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Nobody says why.
    Left,
    /// The kernel has waited for long enough: nothing is taken, or nobody is there.
    TimedOut,
}

impl Gone {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            // What it has last heard on the way stands for a timeout where it has heard anything.
            io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown => Self::TimedOut,
            _ => Self::Left,
        }
    }

    /// What ends a session that has nobody any more.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Left => "gone",
            Self::TimedOut => "ping_timeout",
        }
    }
}
