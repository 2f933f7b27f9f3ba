//! What holds for every stream of bytes: cuts do not matter, tungstenite agrees, memory is bounded.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::io::Cursor;

use common::{LIMITS, deflated, events, frame, words};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
use tokio_tungstenite::tungstenite::{self, Message as Theirs};
use ws::{Connection, Decoder, Event, Input, Limits, Message, WindowBits, negotiate};

const WIDE: Limits = Limits { message_bytes: 1 << 20, inflated_bytes: 1 << 20, frames: 100 };

fn connection(limits: Limits, deflate: bool) -> Connection {
    Connection::new(limits, negotiate(["permessage-deflate"]).unwrap().filter(|_| deflate))
}

/// A message of a client: what it says, whether compressed, where it is cut into frames.
#[derive(Clone, Debug)]
struct Sent {
    text: Option<String>,
    bytes: Vec<u8>,
    compressed: bool,
    cuts: Vec<usize>,
    pings: bool,
}

impl Sent {
    fn any() -> impl Strategy<Value = Self> {
        let text = prop_oneof!["\\PC{0,40}".prop_map(Some), "[a-c]{0,300}".prop_map(Some), Just(None)];
        let parts = (text, vec(any::<u8>(), 0..300), any::<bool>(), vec(0..400_usize, 0..4), any::<bool>());
        parts.prop_map(|(text, bytes, compressed, cuts, pings)| Self { text, bytes, compressed, cuts, pings })
    }

    fn payload(&self) -> &[u8] {
        self.text.as_ref().map_or(&self.bytes, |text| text.as_bytes())
    }

    fn frames(&self, deflate: bool) -> Vec<u8> {
        let compressed = deflate && self.compressed;
        let payload = if compressed { deflated(self.payload()) } else { self.payload().to_vec() };
        let mut cuts: Vec<_> = self.cuts.iter().map(|cut| *cut.min(&payload.len())).collect();
        cuts.sort_unstable();
        cuts.push(payload.len());
        let (mut frames, mut from) = (Vec::new(), 0);
        for (n, to) in cuts.iter().enumerate() {
            let mut first = if n > 0 { 0 } else { 1 + u8::from(self.text.is_none()) };
            first |= if n == 0 && compressed { 0x40 } else { 0 };
            first |= if n + 1 == cuts.len() { 0x80 } else { 0 };
            frames.extend(frame(first, &payload[from..*to]));
            if self.pings && n + 1 < cuts.len() {
                frames.extend(frame(0x89, b"?"));
            }
            from = *to;
        }
        frames
    }

    fn events(&self) -> Vec<Event> {
        let mut events = vec![Event::Ping; if self.pings { self.cuts.len() } else { 0 }];
        events.push(match &self.text {
            Some(text) => Event::Text(text.clone()),
            None => Event::Binary(self.bytes.clone()),
        });
        events
    }
}

/// Everything tungstenite's client makes of what we send.
fn read_by_theirs(bytes: Vec<u8>) -> Vec<Theirs> {
    let mut client = WebSocket::from_raw_socket(Cursor::new(bytes), Role::Client, None);
    let mut read = Vec::new();
    loop {
        match client.read() {
            Ok(message) => read.push(message),
            Err(tungstenite::Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => return read,
            Err(other) => panic!("{other}"),
        }
    }
}

proptest! {
    #[test]
    fn any_cut_is_as_good_as_none(sent in vec(Sent::any(), 1..6), deflate: bool, cuts in vec(1..200_usize, 1..50)) {
        let bytes: Vec<u8> = sent.iter().flat_map(|sent| sent.frames(deflate)).collect();
        let expected: Vec<Event> = sent.iter().flat_map(Sent::events).collect();
        prop_assert_eq!(&events(&mut connection(WIDE, deflate), &bytes, usize::MAX), &expected);
        prop_assert_eq!(&events(&mut connection(WIDE, deflate), &bytes, 1), &expected);
        let (mut cut, mut rest, mut heard) = (connection(WIDE, deflate), &bytes[..], Vec::new());
        for step in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*step).min(rest.len()));
            heard.extend(events(&mut cut, now, usize::MAX));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&heard, &expected);
    }

    #[test]
    fn theirs_reads_ours(sent in vec(Sent::any(), 1..6)) {
        let ours = |sent: &Sent| match &sent.text {
            Some(text) => Message::text(text),
            None => Message::binary(&sent.bytes),
        };
        let bytes: Vec<u8> = sent.iter().flat_map(|sent| ours(sent).frame(None).to_vec()).collect();
        let expected: Vec<_> = sent.iter().map(|sent| match &sent.text {
            Some(text) => Theirs::text(text.clone()),
            None => Theirs::binary(sent.bytes.clone()),
        }).collect();
        prop_assert_eq!(read_by_theirs(bytes), expected);
    }

    #[test]
    fn ours_reads_theirs(sent in vec(Sent::any(), 1..6), step in 1..100_usize) {
        let mut client = WebSocket::from_raw_socket(Cursor::new(Vec::new()), Role::Client, None);
        let mut expected = Vec::new();
        for sent in &sent {
            client.send(Theirs::Ping(vec![1, 2].into())).unwrap();
            client.send(match &sent.text {
                Some(text) => Theirs::text(text.clone()),
                None => Theirs::binary(sent.bytes.clone()),
            }).unwrap();
            expected.push(Event::Ping);
            expected.extend(sent.events().pop());
        }
        client.close(None).unwrap();
        expected.push(Event::Close(None));
        let bytes = client.get_ref().get_ref().clone();
        prop_assert_eq!(events(&mut connection(WIDE, false), &bytes, step), expected);
    }

    /// What we compress, at any window, our own inflating reads; so do the peers of the server's tests.
    #[test]
    fn ours_reads_ours_compressed(sent in Sent::any(), bits in 9..=15_u8, repeat in 1..200_usize) {
        let payload = sent.payload().repeat(repeat);
        let message = Message::binary(&payload);
        let bytes = message.frame(WindowBits::new(bits));
        let header = match bytes[1] { 126 => 4, 127 => 10, _ => 2 };
        let heard = events(&mut connection(WIDE, true), &frame(bytes[0], &bytes[header..]), usize::MAX);
        prop_assert_eq!(heard, [Event::Binary(payload)]);
    }

    /// Neither noise nor frames full of noise make it panic, hold more than its limits, or go on after a fault.
    #[test]
    fn noise(
        noise in vec(any::<u8>(), 0..2_000),
        frames in vec((any::<u8>(), vec(any::<u8>(), 0..300)), 0..20),
        step in 1..100_usize,
        deflate: bool,
    ) {
        let framed: Vec<u8> = frames.iter().flat_map(|(first, payload)| frame(first & 0xcf, payload)).collect();
        for bytes in [noise, framed] {
            let mut decoder = Decoder::new(LIMITS, deflate);
            let mut good = true;
            for slice in bytes.clone().chunks_mut(step) {
                let mut input = Input::new(slice);
                while good && !input.is_empty() {
                    good = decoder.decode(&mut input).is_ok();
                    prop_assert!(decoder.held() <= 2 * LIMITS.message_bytes + 256, "{}", decoder.held());
                }
            }
            let heard = events(&mut connection(LIMITS, deflate), &bytes, step);
            let ends = heard.iter().position(|event| matches!(event, Event::Fault(_) | Event::Close(_)));
            prop_assert!(ends.is_none_or(|at| at + 1 == heard.len()), "{}", words(&heard));
        }
    }
}

/// A length costs nothing: memory comes with the bytes.
#[test]
fn memory_grows_with_what_came() {
    let limits = Limits { message_bytes: 1 << 30, inflated_bytes: 1 << 30, frames: 5 };
    for (first, payload) in
        [(0x82, &b"0123456789"[..]), (0x81, b"0123456789"), (0xc2, b"\xf2H\xcd\xc9\xc9\x07\x00")]
    {
        let mut decoder = Decoder::new(limits, true);
        let header = [first, 0xff, 0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        let mut bytes = [&header[..], payload].concat();
        assert_eq!(decoder.decode(&mut Input::new(&mut bytes)), Ok(None));
        assert!(decoder.held() <= 64, "{}", decoder.held());
    }
    // Between messages, nothing is held at all.
    let mut decoder = Decoder::new(limits, true);
    for mut bytes in [frame(0x82, &[1; 500]), frame(0xc2, &deflated(&[1; 500])), frame(0x89, b"?")] {
        assert!(decoder.decode(&mut Input::new(&mut bytes)).unwrap().is_some());
        assert_eq!(decoder.held(), 0);
    }
}
