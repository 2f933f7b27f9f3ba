//! Packets as text: Engine.IO v4, and within its messages Socket.IO v5. Pure.
//!
//! [Engine.IO](https://github.com/socketio/engine.io-protocol) says who is there and by which transport,
//! [Socket.IO](https://github.com/socketio/socket.io-protocol) what is said. Both are read as strictly as
//! their own servers do.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::json;
use serde_json::value::RawValue;

use crate::limits::ATTACHMENTS_MAX;

/// Between the packets of a payload.
pub(super) const SEPARATOR: char = '\x1e';
/// Nothing more comes.
pub(super) const CLOSE: &str = "1";
/// Is the client there?
pub(super) const PING: &str = "2";
/// What a client asks by a new transport, and is answered.
pub(super) const PROBE: &str = "2probe";
/// See [`PROBE`].
pub(super) const PROBED: &str = "3probe";
/// The client has changed to the new transport.
pub(super) const UPGRADE: &str = "5";
/// Nothing, where something must be answered.
pub(super) const NOOP: &str = "6";
/// The server ends the namespace.
pub(super) const DISCONNECT: &str = "41";
/// The one namespace.
pub(super) const ROOT: &str = "/";

/// An Engine.IO packet that a client may send once its session is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    Close,
    Pong,
    /// A Socket.IO packet.
    Message(&'a str),
    /// Bytes, in a payload as base64.
    Binary,
}

impl<'a> Packet<'a> {
    /// `None` where the text is no packet, or none that a client sends.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        match text.as_bytes().first()? {
            b'1' if text.len() == 1 => Some(Self::Close),
            b'3' => Some(Self::Pong),
            b'4' => Some(Self::Message(&text[1..])),
            b'b' => Some(Self::Binary),
            _ => None,
        }
    }
}

/// A Socket.IO packet of a client.
#[derive(Debug)]
pub(super) enum Call<'a> {
    Connect {
        namespace: &'a str,
        /// An object.
        auth: Option<&'a RawValue>,
    },
    Disconnect {
        namespace: &'a str,
    },
    Event {
        namespace: &'a str,
        /// The number of the callback that wants the answer.
        callback: Option<u64>,
        /// The event's name, a text or a number, and behind it what the client gave.
        arguments: Vec<&'a RawValue>,
        /// Binary packets that belong to it and follow.
        attachments: u32,
    },
    /// An answer to an event of ours: none asks for any.
    Ack {
        namespace: &'a str,
        attachments: u32,
    },
}

/// Names that clients and servers keep for themselves.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

impl<'a> Call<'a> {
    /// `None` where the text is no packet, or none that a client sends.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (&kind, _) = text.as_bytes().split_first()?;
        let mut rest = &text[text.ceil_char_boundary(1)..];
        let mut attachments = 0;
        if matches!(kind, b'5' | b'6') {
            let (count, behind) = rest.split_once('-')?;
            attachments = number(count)?.try_into().ok().filter(|count| *count <= ATTACHMENTS_MAX)?;
            rest = behind;
        }
        let mut namespace = ROOT;
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, data) = rest.split_at(digits);
        let callback = if id.is_empty() { None } else { Some(number(id)?) };
        match (kind, data.as_bytes().first()) {
            (b'0', None) => Some(Self::Connect { namespace, auth: None }),
            (b'0', Some(b'{')) => {
                Some(Self::Connect { namespace, auth: Some(serde_json::from_str(data).ok()?) })
            }
            (b'1', None) => Some(Self::Disconnect { namespace }),
            (b'2' | b'5', Some(b'[')) => {
                let arguments: Vec<&RawValue> = serde_json::from_str(data).ok()?;
                names_an_event(arguments.first()?.get()).then_some(Self::Event {
                    namespace,
                    callback,
                    arguments,
                    attachments,
                })
            }
            (b'3' | b'6', Some(b'[')) if callback.is_some() => {
                serde_json::from_str::<&RawValue>(data).ok()?;
                Some(Self::Ack { namespace, attachments })
            }
            _ => None,
        }
    }
}

fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn names_an_event(name: &str) -> bool {
    match name.as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str::<Cow<'_, str>>(name).is_ok_and(|name| !RESERVED.contains(&&*name))
        }
        Some(first) => first.is_ascii_digit() || *first == b'-',
        None => false,
    }
}

/// The packet that opens an Engine.IO session.
pub(super) fn open(sid: &str, upgrades: &[&str], heart: (Duration, Duration), payload_max: usize) -> String {
    let open = json!({
        "sid": sid,
        "upgrades": upgrades,
        "pingInterval": millis(heart.0),
        "pingTimeout": millis(heart.1),
        "maxPayload": payload_max,
    });
    format!("0{open}")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The client is connected.
pub(super) fn connected(sid: &str) -> String {
    format!("40{}", json!({ "sid": sid }))
}

/// The client is not connected, and why.
pub(super) fn not_connected(namespace: &str, error: &serde_json::Value) -> String {
    if namespace == ROOT { format!("44{error}") } else { format!("44{namespace},{error}") }
}

/// An event; its name must need no escapes.
pub(super) fn event(name: &str, argument: &str) -> String {
    ["42[\"", name, "\",", argument, "]"].concat()
}

/// What a callback is called with.
pub(super) fn ack(callback: u64, argument: &str) -> String {
    format!("43{callback}[{argument}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet in short; `-` where it is none.
    fn read(text: &str) -> String {
        let raw = |value: &RawValue| value.get().to_owned();
        match Call::parse(text) {
            None => "-".to_owned(),
            Some(Call::Connect { namespace, auth }) => format!("connect {namespace} {:?}", auth.map(raw)),
            Some(Call::Disconnect { namespace }) => format!("disconnect {namespace}"),
            Some(Call::Event { namespace, callback, arguments, attachments }) => {
                let arguments: Vec<_> = arguments.into_iter().map(raw).collect();
                format!("event {namespace} {callback:?} {attachments} {}", arguments.join(" "))
            }
            Some(Call::Ack { namespace, attachments }) => format!("ack {namespace} {attachments}"),
        }
    }

    #[test]
    fn engine_packets() {
        for (text, packet) in [
            ("1", Some(Packet::Close)),
            ("3", Some(Packet::Pong)),
            ("4", Some(Packet::Message(""))),
            ("4€uro", Some(Packet::Message("€uro"))),
            ("bAQIDBA==", Some(Packet::Binary)),
        ] {
            assert_eq!(Packet::parse(text), packet, "{text}");
        }
        // The server's own, those of a change of transport, and what is no packet at all.
        for text in ["", "0", "0{}", "1x", "2", "2probe", "5", "6", "7", "abc", "€"] {
            assert_eq!(Packet::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_examples_of_the_protocol() {
        for (text, packet) in [
            ("0", "connect / None"),
            ("0{\"token\":\"123\"}", "connect / Some(\"{\\\"token\\\":\\\"123\\\"}\")"),
            ("0/admin,", "connect /admin None"),
            ("0/admin", "connect /admin None"),
            ("0/admin,{\"a\":1}", "connect /admin Some(\"{\\\"a\\\":1}\")"),
            ("1", "disconnect /"),
            ("1/admin,", "disconnect /admin"),
            ("2[\"foo\"]", "event / None 0 \"foo\""),
            ("2[\"foo\", {\"a\":[1]}, 2]", "event / None 0 \"foo\" {\"a\":[1]} 2"),
            ("2/admin,[\"bar\"]", "event /admin None 0 \"bar\""),
            ("212[\"foo\"]", "event / Some(12) 0 \"foo\""),
            ("2/admin,13[\"bar\"]", "event /admin Some(13) 0 \"bar\""),
            ("2[7,{}]", "event / None 0 7 {}"),
            ("3/admin,13[\"bar\"]", "ack /admin 0"),
            (
                "51-[\"baz\",{\"_placeholder\":true,\"num\":0}]",
                "event / None 1 \"baz\" {\"_placeholder\":true,\"num\":0}",
            ),
            ("52-/admin,7[\"baz\"]", "event /admin Some(7) 2 \"baz\""),
            ("61-/admin,456[{}]", "ack /admin 1"),
        ] {
            assert_eq!(read(text), packet, "{text}");
        }
    }

    #[test]
    fn what_is_no_packet() {
        for text in [
            "",
            "abc",
            "7",
            "€",
            "0[]",
            "0\"x\"",
            "0{",
            "1{}",
            "1[]",
            "2",
            "2{}",
            "2[]",
            "2[{}]",
            "2[null]",
            "2[\"foo\"",
            "2[\"foo\"]x",
            "2abc[\"foo\"]",
            "2-1[\"foo\"]",
            "299999999999999999999[\"foo\"]",
            "2[\"connect\"]",
            "2[\"disconnect\",1]",
            "2[\"conn\\u0065ct\"]",
            "3[]",
            "31{}",
            "4{}",
            "44{}",
            "5[\"foo\"]",
            "5-[\"foo\"]x",
            "5x-[\"foo\"]",
            "599-[\"foo\"]",
            "6[]",
        ] {
            assert_eq!(read(text), "-", "{text}");
        }
    }

    #[test]
    fn what_the_server_says() {
        let heart = (Duration::from_secs(20), Duration::from_secs(90));
        assert_eq!(
            open("x", &["websocket"], heart, 65_536),
            r#"0{"maxPayload":65536,"pingInterval":20000,"pingTimeout":90000,"sid":"x","upgrades":["websocket"]}"#
        );
        assert_eq!(connected("y"), r#"40{"sid":"y"}"#);
        let error = json!({ "message": "Invalid namespace" });
        assert_eq!(not_connected("/admin", &error), r#"44/admin,{"message":"Invalid namespace"}"#);
        assert_eq!(not_connected(ROOT, &error), r#"44{"message":"Invalid namespace"}"#);
        assert_eq!(event("update", "{}"), r#"42["update",{}]"#);
        assert_eq!(ack(13, "{\"a\":1}"), r#"4313[{"a":1}]"#);
    }
}
