//! One line of a recording, in any of the three formats.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{TimeError, UnixNanos};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// How the lines of a recording are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON objects that say what each line is.
    Envelope,
    /// Receive time in nanoseconds, a space, the message.
    Stamped,
    /// The message alone.
    Raw,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// About the recording itself.
    Header {
        /// The exchange it is of, in the recorder's words; empty where it does not say.
        exchange: Cow<'a, str>,
    },
    /// A connection was opened.
    Connected {
        /// The connection's name within the recording.
        conn: Cow<'a, str>,
        /// The address connected to.
        addr: Cow<'a, str>,
        /// When.
        at: Option<UnixNanos>,
    },
    /// Something the recorder sent.
    Sent,
    /// A message arrived.
    Frame {
        /// The connection's name within the recording; empty where it has none.
        conn: Cow<'a, str>,
        /// The message.
        text: Cow<'a, str>,
        /// When.
        at: Option<UnixNanos>,
    },
    /// A binary message arrived.
    Binary {
        /// The connection's name within the recording; empty where it has none.
        conn: Cow<'a, str>,
        /// The message.
        bytes: Vec<u8>,
        /// When.
        at: Option<UnixNanos>,
    },
    /// An HTTP answer arrived.
    Answer {
        /// What was asked for.
        url: Cow<'a, str>,
        /// The answer's body.
        body: Cow<'a, str>,
        /// When.
        at: Option<UnixNanos>,
    },
}

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Not UTF-8.
    #[error("not UTF-8 (at byte {at})")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// Not JSON, or not of the envelope's shape.
    #[error("not a line of a capture: {0}")]
    Json(#[from] serde_json::Error),
    /// The receive time cannot be read.
    #[error("bad receive time: {0}")]
    Time(#[from] TimeError),
    /// A line of the stamped format without its time.
    #[error("the line must begin with the receive time in nanoseconds")]
    NoStamp,
    /// A line of the envelope lacks something.
    #[error("a {kind:?} line needs {field:?}")]
    Missing {
        /// The line's `t`.
        kind: String,
        /// The missing field.
        field: &'static str,
    },
    /// A line of the envelope of an unknown kind.
    #[error("unknown kind of line {kind:?}; header, http, connect, send and recv are known")]
    Kind {
        /// The line's `t`.
        kind: String,
    },
    /// A binary frame that is not written in base 64.
    #[error("a binary frame that cannot be read: {0}")]
    Base64(#[from] base64::DecodeError),
}

/// A line, with its message as it stands there: a text, or JSON.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a, D: Deserialize<'de>"))]
struct Envelope<'a, D> {
    #[serde(borrow)]
    t: Cow<'a, str>,
    #[serde(borrow)]
    exchange: Option<Cow<'a, str>>,
    #[serde(borrow)]
    conn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
    #[serde(borrow)]
    addr: Option<Cow<'a, str>>,
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
    data: Option<D>,
    #[serde(borrow)]
    b64: Option<Cow<'a, str>>,
}

/// A text, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Format {
    /// The format of a recording, by one of its lines; `None` where the line is broken, and tells nothing.
    #[must_use]
    pub fn of(line: &[u8]) -> Option<Self> {
        let is_kind = |envelope: Envelope<'_, IgnoredAny>| {
            matches!(envelope.t.as_ref(), "header" | "http" | "connect" | "send" | "recv")
        };
        if std::str::from_utf8(line).is_ok_and(|line| stamped(line).is_ok()) {
            Some(Self::Stamped)
        } else if serde_json::from_slice(line).is_ok_and(is_kind) {
            Some(Self::Envelope)
        } else {
            serde_json::from_slice::<IgnoredAny>(line).is_ok().then_some(Self::Raw)
        }
    }

    /// The format of a recording whose next line this is. Until a line tells it, each is a message alone.
    pub fn settle(known: &mut Option<Self>, line: &[u8]) -> Self {
        if known.is_none() {
            *known = Self::of(line);
        }
        known.unwrap_or(Self::Raw)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Says why the line is not of this format.
    pub fn read(self, line: &[u8]) -> Result<Line<'_>, LineError> {
        let text =
            std::str::from_utf8(line).map_err(|error| LineError::NotUtf8 { at: error.valid_up_to() })?;
        match self {
            Self::Envelope => match serde_json::from_str(text) {
                Ok(line) => envelope(line, |Text(text)| text),
                Err(error) => match serde_json::from_str(text) {
                    Ok(line) => envelope(line, |json: &RawValue| Cow::Borrowed(json.get())),
                    Err(_) => Err(error.into()),
                },
            },
            Self::Stamped => stamped(text).map(|(at, message)| frame(message, Some(at))),
            Self::Raw => Ok(frame(text, None)),
        }
    }
}

fn frame(text: &str, at: Option<UnixNanos>) -> Line<'_> {
    Line::Frame { conn: Cow::Borrowed(""), text: Cow::Borrowed(text), at }
}

/// A receive time and the message behind it. Its unit is told by how large it is: seconds, milliseconds and microseconds
/// of this century are no nanoseconds of it.
fn stamped(text: &str) -> Result<(UnixNanos, &str), LineError> {
    let (stamp, message) = text.split_once(' ').ok_or(LineError::NoStamp)?;
    if stamp.contains('.') {
        return Ok((UnixNanos::from_decimal_seconds(stamp).map_err(|_| LineError::NoStamp)?, message));
    }
    let units: u64 = stamp.parse().map_err(|_| LineError::NoStamp)?;
    let nanos = match stamp.len() {
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1_000,
        _ => 1,
    };
    let at = units.checked_mul(nanos).ok_or(LineError::NoStamp)?;
    Ok((UnixNanos(at), message))
}

fn envelope<'a, D>(
    line: Envelope<'a, D>,
    into_text: impl Fn(D) -> Cow<'a, str>,
) -> Result<Line<'a>, LineError> {
    let at = line.ts.map(|ts| UnixNanos::from_decimal_seconds(ts.get().trim_matches('"'))).transpose()?;
    let missing = |field| LineError::Missing { kind: line.t.clone().into_owned(), field };
    match line.t.as_ref() {
        "header" => Ok(Line::Header { exchange: line.exchange.unwrap_or_default() }),
        "send" | "close" | "disconnect" => Ok(Line::Sent),
        "connect" => Ok(Line::Connected {
            conn: line.conn.ok_or_else(|| missing("conn"))?,
            addr: line.addr.unwrap_or_default(),
            at,
        }),
        "http" => Ok(Line::Answer {
            url: line.url.ok_or_else(|| missing("url"))?,
            body: line.data.map(into_text).ok_or_else(|| missing("data"))?,
            at,
        }),
        "recv" => {
            let conn = line.conn.clone().unwrap_or_default();
            match (line.data.map(into_text), line.b64) {
                (Some(text), _) => Ok(Line::Frame { conn, text, at }),
                (None, Some(b64)) => Ok(Line::Binary { conn, bytes: BASE64.decode(b64.as_bytes())?, at }),
                (None, None) => Err(missing("data")),
            }
        }
        kind => Err(LineError::Kind { kind: kind.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_line() {
        for (line, told) in [
            (&br#"{"format":2,"t":"header"}"#[..], Some(Format::Envelope)),
            (br#"1723161253937085768 {"stream":"x"}"#, Some(Format::Stamped)),
            (br#"{"channel":"book"}"#, Some(Format::Raw)),
            (br#"{"e":"trade","t":3735683259}"#, Some(Format::Raw)),
            (br#"ta":"{\"stream"}"#, None),
            (b"12.5\",\"q\": 1}", None),
        ] {
            assert_eq!(Format::of(line), told);
        }
        let mut known = None;
        assert_eq!(Format::settle(&mut known, b"pong"), Format::Raw);
        assert_eq!(Format::settle(&mut known, b"12 {}"), Format::Stamped);
        assert_eq!(Format::settle(&mut known, b"pong"), Format::Stamped);
    }

    #[test]
    fn receive_times_are_exact() {
        let line = br#"{"t":"recv","conn":"K.1","ts":1618678132.9348202,"data":"{\"a\":\"\u0041\"}"}"#;
        let wanted = Line::Frame {
            conn: "K.1".into(),
            text: r#"{"a":"A"}"#.into(),
            at: Some(UnixNanos(1_618_678_132_934_820_200)),
        };
        assert_eq!(Format::Envelope.read(line).unwrap(), wanted);
        let Line::Frame { at, text, .. } = Format::Stamped.read(b"12 {}").unwrap() else { panic!() };
        assert_eq!((at, text.as_ref()), (Some(UnixNanos(12)), "{}"));
        for (stamp, nanos) in [
            ("1723161253", 1_723_161_253_000_000_000),
            ("1723161253937", 1_723_161_253_937_000_000),
            ("1723161253.937085768", 1_723_161_253_937_085_768),
            ("1723161253937085", 1_723_161_253_937_085_000),
            ("1723161253937085768", 1_723_161_253_937_085_768),
        ] {
            let line = format!("{stamp} {{}}");
            let Line::Frame { at, .. } = Format::Stamped.read(line.as_bytes()).unwrap() else { panic!() };
            assert_eq!(at, Some(UnixNanos(nanos)), "{stamp}");
        }
    }

    #[test]
    fn messages_that_are_no_texts_and_times_that_are() {
        let line = br#"{"t":"recv","conn":"1","ts":"1.5","data":{"a":[1.50]}}"#;
        let wanted = Line::Frame {
            conn: "1".into(),
            text: r#"{"a":[1.50]}"#.into(),
            at: Some(UnixNanos(1_500_000_000)),
        };
        assert_eq!(Format::Envelope.read(line).unwrap(), wanted);
        assert_eq!(Format::Envelope.read(br#"{"t":"close","conn":"1"}"#).unwrap(), Line::Sent);
    }

    #[test]
    fn headers_and_binary_frames() {
        let line = br#"{"t":"header","format":2,"exchange":"HUOBI","config":{"trades":["A-B"]}}"#;
        assert_eq!(Format::Envelope.read(line).unwrap(), Line::Header { exchange: "HUOBI".into() });
        let line = br#"{"t":"recv","conn":"H","ts":1,"b64":"AQID"}"#;
        let wanted =
            Line::Binary { conn: "H".into(), bytes: vec![1, 2, 3], at: Some(UnixNanos(1_000_000_000)) };
        assert_eq!(Format::Envelope.read(line).unwrap(), wanted);
    }

    #[test]
    fn broken_lines_say_why() {
        let say = |format: Format, line: &[u8]| format.read(line).unwrap_err().to_string();
        assert_eq!(say(Format::Raw, b"a\xff"), "not UTF-8 (at byte 1)");
        assert_eq!(
            say(Format::Envelope, br#"{"t":"recv","ts":1"#),
            "not a line of a capture: EOF while parsing an object at line 1 column 18"
        );
        assert_eq!(say(Format::Envelope, br#"{"t":"recv"}"#), r#"a "recv" line needs "data""#);
        assert_eq!(
            say(Format::Envelope, br#"{"t":"recv","b64":"A"}"#),
            "a binary frame that cannot be read: Invalid input length: 1"
        );
        assert_eq!(
            say(Format::Envelope, br#"{"t":"what"}"#),
            r#"unknown kind of line "what"; header, http, connect, send and recv are known"#
        );
        assert_eq!(
            say(Format::Envelope, br#"{"t":"recv","ts":"x","data":""}"#),
            "bad receive time: not an instant"
        );
        assert_eq!(say(Format::Stamped, b"{}"), "the line must begin with the receive time in nanoseconds");
    }
}
