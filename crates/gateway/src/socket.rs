//! The seam to the socket layer: messages in, messages out, nothing that blocks.
//!
//! Behind it stands [`WsSocket`]: the codec of `ws` on a stream of ours.

mod outbox;
mod pipe;
mod stream;
#[cfg(test)]
mod tests;
mod upgrade;

use std::task::{Context, Poll};

use wire::CloseCode;

pub(crate) use outbox::Outbox;
pub(crate) use pipe::{Client, Said, pipe};
pub(crate) use stream::WsSocket;
pub(crate) use upgrade::{Upgrade, switching};

/// A socket that carries messages.
pub(crate) trait Socket: Send {
    /// The next thing that came in, read by way of `scratch`, whose contents mean nothing before and
    /// after. Not called again after [`Inbound::Gone`].
    fn poll_recv(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> Poll<Inbound>;
    /// Takes from `outbox` what the socket can take. Ready when all of it is with the kernel.
    fn poll_send(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<Result<(), Gone>>;
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
    /// A ping or a pong: the client is alive.
    Alive,
    /// The client closes; the answer is under way.
    Closing,
    /// The client broke a rule of the transport; a close frame that says so is under way.
    Fault(CloseCode),
    /// There is nobody any more.
    Gone,
}

/// There is nobody any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;
