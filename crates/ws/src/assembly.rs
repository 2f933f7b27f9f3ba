//! A message on its way in: what has come of it.

use crate::decoder::{Incoming, Limits};
use crate::fault::Fault;
use crate::inflate::Inflater;
use crate::message::Kind;
use crate::utf8::Utf8;

/// A message under way. Grows with what was received, never by what a header declares.
pub(crate) struct Assembly {
    body: Body,
    inflater: Option<Inflater>,
    /// Frames so far.
    pub(crate) frames: u32,
    /// Bytes of payload so far, as they were on the wire.
    pub(crate) received: u64,
}

enum Body {
    Text(String, Utf8),
    Binary(Vec<u8>),
}

impl Assembly {
    pub(crate) fn new(kind: Kind, compressed: bool) -> Self {
        let body = match kind {
            Kind::Text => Body::Text(String::new(), Utf8::default()),
            Kind::Binary => Body::Binary(Vec::new()),
        };
        Self { body, inflater: compressed.then(Inflater::new), frames: 0, received: 0 }
    }

    /// The next bytes of payload, unmasked.
    pub(crate) fn push(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), Fault> {
        self.received += bytes.len() as u64;
        let Self { body, inflater, .. } = self;
        match inflater {
            None => body.push(bytes, limits.message_bytes),
            Some(inflater) => inflater.push(bytes, |bytes| body.push(bytes, limits.inflated_bytes)),
        }
    }

    /// The message, after its last byte.
    pub(crate) fn finish(mut self, limits: &Limits) -> Result<Incoming, Fault> {
        let Self { body, inflater, .. } = &mut self;
        if let Some(inflater) = inflater {
            inflater.finish(|bytes| body.push(bytes, limits.inflated_bytes))?;
        }
        match self.body {
            Body::Text(text, utf8) => {
                utf8.finish().map_err(|_| Fault::NotUtf8)?;
                Ok(Incoming::Text(text))
            }
            Body::Binary(bytes) => Ok(Incoming::Binary(bytes)),
        }
    }

    /// Bytes of memory that the body takes.
    pub(crate) const fn capacity(&self) -> usize {
        match &self.body {
            Body::Text(text, _) => text.capacity(),
            Body::Binary(bytes) => bytes.capacity(),
        }
    }
}

impl Body {
    /// Appends what `most` bytes leave room for. What is beyond it is a fault only if nothing before it is,
    /// so that the verdict does not depend on where the message was cut.
    fn push(&mut self, bytes: &[u8], most: usize) -> Result<(), Fault> {
        let len = match self {
            Self::Text(text, utf8) => text.len() + utf8.pending(),
            Self::Binary(bytes) => bytes.len(),
        };
        let room = most.saturating_sub(len).min(bytes.len());
        match self {
            Self::Text(text, utf8) => utf8.push(&bytes[..room], text).map_err(|_| Fault::NotUtf8)?,
            Self::Binary(body) => body.extend_from_slice(&bytes[..room]),
        }
        if room < bytes.len() { Err(Fault::MessageTooLong) } else { Ok(()) }
    }
}
