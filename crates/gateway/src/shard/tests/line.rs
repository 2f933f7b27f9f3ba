//! A socket of which the test has the other end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use serde_json::Value;

use crate::socket::{Encoding, Form, Inbound, Outbox, Socket};

pub(super) use crate::socket::{Gone, Inbound as Saying};

/// Both ends of a socket.
#[derive(Clone, Default)]
pub(super) struct Line(Arc<Mutex<Ends>>);

#[derive(Default)]
struct Ends {
    inbound: VecDeque<Inbound>,
    /// Whom to wake when something comes in, and when there is room again.
    reader: Option<Waker>,
    writer: Option<Waker>,
    full: bool,
    said: Vec<u8>,
    closed: Option<u16>,
}

impl Line {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap()
    }

    /// The client says something.
    pub(super) fn comes_in(&self, saying: Saying) {
        let mut ends = self.ends();
        ends.inbound.push_back(saying);
        if let Some(waker) = ends.reader.take() {
            waker.wake();
        }
    }

    /// The socket takes nothing more, or something again.
    pub(super) fn set_full(&self, full: bool) {
        let mut ends = self.ends();
        ends.full = full;
        if let Some(waker) = ends.writer.take_if(|_| !full) {
            waker.wake();
        }
    }

    /// What was sent since the last call.
    pub(super) fn said(&self) -> Vec<Value> {
        let bytes = std::mem::take(&mut self.ends().said);
        let (mut rest, mut said) = (&bytes[..], Vec::new());
        while let [first, length, ..] = *rest {
            let (header, length) = match length {
                126 => (4, usize::from(u16::from_be_bytes([rest[2], rest[3]]))),
                127 => (10, usize::try_from(u64::from_be_bytes(rest[2..10].try_into().unwrap())).unwrap()),
                short => (2, usize::from(short)),
            };
            if first == 0x81 {
                said.push(serde_json::from_slice(&rest[header..header + length]).unwrap());
            }
            rest = &rest[header + length..];
        }
        said
    }

    /// What was said and nobody has read.
    pub(super) fn unread(&self) -> usize {
        self.ends().inbound.len()
    }

    /// The code of the close frame that was sent.
    pub(super) fn closed(&self) -> Option<u16> {
        self.ends().closed
    }
}

impl Socket for Line {
    fn poll_recv(&mut self, cx: &mut Context<'_>, _: &mut [u8]) -> Poll<Inbound> {
        let mut ends = self.ends();
        if let Some(inbound) = ends.inbound.pop_front() {
            return Poll::Ready(inbound);
        }
        ends.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<Result<(), Gone>> {
        let mut ends = self.ends();
        if ends.full && !outbox.is_empty() {
            ends.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let frames: Vec<u8> = outbox.frames(Form::default()).flatten().copied().collect();
        outbox.advance(frames.len(), Form::default());
        ends.said.extend(frames);
        if let Some((code, _)) = outbox.pop_close() {
            ends.closed = Some(code.number());
        }
        Poll::Ready(Ok(()))
    }

    fn door(&self) -> &'static str {
        "line"
    }

    fn encoding(&self) -> Encoding {
        Encoding::Json
    }

    fn warm(&self) {}
}
