//! RFC 6455 (WebSocket) and RFC 7692 (compression), the server's side: bytes in, messages out.
//!
//! A pure state machine: it opens no socket, spawns no task and reads no clock. A shell feeds a
//! [`Connection`] with what it read, and writes the frames of its control lane ahead of its own
//! [`Message`]s. A message is encoded once, and compressed at most once per window size, however many
//! connections it goes to. Not here: HTTP, and what the messages say.

mod assembly;
mod close;
mod connection;
mod decoder;
mod deflate;
mod extensions;
mod fault;
mod frame;
mod handshake;
mod inflate;
mod input;
mod mask;
mod message;
mod utf8;

pub use connection::{Connection, Event};
pub use decoder::{Decoder, Incoming, Limits};
pub use deflate::{DEFLATE_BYTES_MAX, DEFLATE_BYTES_MIN, WindowBits};
pub use extensions::{Deflate, Malformed, negotiate};
pub use fault::Fault;
pub use frame::PING;
pub use handshake::{accept_key, is_key};
pub use input::Input;
pub use message::{Message, TextDraft};
