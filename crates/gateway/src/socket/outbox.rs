//! Messages on their way into a socket.

use std::collections::VecDeque;

use bytes::Bytes;
use wire::CloseCode;
use ws::Message;

use super::Form;

/// Messages on their way into a socket.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Outgoing>,
    /// Of all messages that wait.
    bytes: usize,
}

#[derive(Debug)]
pub(super) enum Outgoing {
    Message(Message),
    Ping,
    Close(CloseCode, &'static str),
}

impl Outbox {
    pub(crate) fn text(&mut self, text: String) {
        self.message(text.into());
    }

    /// A message that others may be sent as well.
    pub(crate) fn message(&mut self, message: Message) {
        self.bytes += message.payload().len();
        self.queue.push_back(Outgoing::Message(message));
    }

    pub(crate) fn ping(&mut self) {
        self.queue.push_back(Outgoing::Ping);
    }

    pub(crate) fn close(&mut self, code: CloseCode, reason: &'static str) {
        self.queue.push_back(Outgoing::Close(code, reason));
    }

    /// How many bytes of messages wait; control frames are none.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The next thing to go.
    pub(super) fn pop(&mut self) -> Option<Outgoing> {
        let outgoing = self.queue.pop_front()?;
        if let Outgoing::Message(message) = &outgoing {
            self.bytes -= message.payload().len();
        }
        Some(outgoing)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The goodbye, if its turn has come.
    pub(crate) fn pop_close(&mut self) -> Option<(CloseCode, &'static str)> {
        let close = self.queue.pop_front_if(|next| matches!(next, Outgoing::Close(..)))?;
        if let Outgoing::Close(code, reason) = close { Some((code, reason)) } else { None }
    }

    /// The frames that go before the goodbye, in order.
    pub(crate) fn frames(&self, form: Form) -> impl Iterator<Item = &[u8]> {
        self.queue.iter().map_while(move |outgoing| match outgoing {
            Outgoing::Message(message) => Some(&form.frame(message)[..]),
            Outgoing::Ping => Some(&ws::PING[..]),
            Outgoing::Close(..) => None,
        })
    }

    /// The frame that goes before the goodbye, where it is one; most of the time it is.
    pub(crate) fn sole(&self, form: Form) -> Option<&[u8]> {
        match self.queue.front() {
            Some(Outgoing::Message(message)) if self.queue.len() == 1 => Some(form.frame(message)),
            _ => None,
        }
    }

    /// `written` bytes of the frames have gone; the rest of the one that was cut is returned.
    pub(crate) fn advance(&mut self, mut written: usize, form: Form) -> Bytes {
        let ping = Bytes::from_static(&ws::PING);
        while written > 0 {
            let outgoing = self.queue.pop_front();
            let frame = match &outgoing {
                Some(Outgoing::Message(message)) => {
                    self.bytes -= message.payload().len();
                    form.frame(message)
                }
                Some(Outgoing::Ping) => &ping,
                Some(Outgoing::Close(..)) | None => break,
            };
            if written < frame.len() {
                return frame.slice(written..);
            }
            written -= frame.len();
        }
        Bytes::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ping must not stand for a heartbeat, so it is no bytes of messages; it must be sent all the same.
    #[test]
    fn control_frames_are_no_messages() {
        let mut outbox = Outbox::default();
        outbox.ping();
        outbox.close(CloseCode::Normal, "");
        assert_eq!((outbox.bytes(), outbox.is_empty()), (0, false));
        outbox.text("four".into());
        assert_eq!((outbox.bytes(), outbox.sole(Form::default())), (4, None));
    }

    #[test]
    fn one_message_goes_alone() {
        let mut outbox = Outbox::default();
        outbox.ping();
        assert_eq!(outbox.sole(Form::default()), None);
        outbox.clear();
        outbox.text("one".into());
        assert_eq!(outbox.sole(Form::default()), Some(&b"\x81\x03one"[..]));
        outbox.close(CloseCode::Normal, "");
        assert_eq!(outbox.sole(Form::default()), None, "the goodbye is behind it");
    }

    #[test]
    fn what_was_cut_goes_on_where_it_was() {
        let whole: Vec<u8> = [&b"\x81\x03one"[..], &ws::PING, b"\x81\x03two"].concat();
        for written in 1..=whole.len() {
            let mut outbox = Outbox::default();
            outbox.text("one".into());
            outbox.ping();
            outbox.message(Message::text("two"));
            outbox.close(CloseCode::Normal, "");
            assert_eq!(outbox.pop_close(), None, "not before the messages");
            assert_eq!(outbox.frames(Form::default()).collect::<Vec<_>>().concat(), whole);
            let mut left = outbox.advance(written, Form::default()).to_vec();
            left.extend(outbox.frames(Form::default()).flatten());
            assert_eq!(left, whole[written..], "{written}");
            let messages = [5, whole.len()].iter().filter(|end| written > **end - 5).count();
            assert_eq!(outbox.bytes(), 6 - 3 * messages, "{written}");
        }
    }
}
