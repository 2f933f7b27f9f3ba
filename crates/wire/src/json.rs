//! JSON text, written straight into a buffer: what is sent most is not built as a tree first.

use model::{Channel, Level, Seq, UnixNanos, decimal};
use rust_decimal::Decimal;

use crate::cursor::{Cursor, Epoch};
use crate::view::View;

/// What a data message says around its records.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// `snapshot` or `update`.
    pub kind: &'a str,
    /// The channel of all records.
    pub channel: Channel,
    /// The replay that it is of.
    pub replay: Option<&'a str>,
    /// Where the session, or the replay, stands.
    pub cursor: &'a Cursor,
    /// The position of which states are, where several are of the same.
    pub as_of: Option<u64>,
    /// When it is sent.
    pub ts_sent: Option<UnixNanos>,
}

/// Appends the beginning of a data message, up to its list of records.
pub fn open_data(out: &mut Vec<u8>, envelope: &Envelope<'_>) {
    let Envelope { kind, channel, replay, cursor, as_of, ts_sent } = *envelope;
    let mut object = Object::begin(out, View::ALL);
    object.plain("type", kind);
    object.plain("channel", channel.as_str());
    if let Some(replay) = replay {
        object.plain("replay", replay);
    }
    object.cursor("cursor", &cursor.epoch, cursor.position);
    if let Some(position) = as_of {
        object.cursor("as_of", &cursor.epoch, position);
    }
    if let Some(at) = ts_sent {
        object.time("ts_sent", at);
    }
    object.key("data");
    object.out.push(b'[');
}

/// Appends the end of a data message; `empty` names symbols whose snapshot has no record, with the place
/// of each in its stream.
pub fn close_data(out: &mut Vec<u8>, empty: &[(&str, Seq)]) {
    out.push(b']');
    for (at, (symbol, _)) in empty.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b",\"symbols\":[\"" } else { b"\",\"" });
        out.extend_from_slice(symbol.as_bytes());
    }
    if !empty.is_empty() {
        out.extend_from_slice(b"\"]");
    }
    if empty.iter().any(|(_, place)| *place > Seq::START) {
        for (at, (_, place)) in empty.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b",\"sequences\":[" } else { b"," });
            out.extend_from_slice(itoa::Buffer::new().format(place.0).as_bytes());
        }
        out.push(b']');
    }
    out.push(b'}');
}

/// A JSON object in the making.
pub(crate) struct Object<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    first: bool,
    view: View,
}

impl<'a> Object<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>, view: View) -> Self {
        out.push(b'{');
        Self { out, first: true, view }
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }

    /// Begins a field; false where the view does not have it.
    pub(crate) fn key(&mut self, key: &str) -> bool {
        if self.view != View::ALL && !self.view.wants(key) {
            return false;
        }
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        true
    }

    /// A place in the total order.
    fn cursor(&mut self, key: &str, epoch: &Epoch, position: u64) {
        if self.key(key) {
            self.out.push(b'"');
            self.out.extend_from_slice(epoch.as_str().as_bytes());
            self.out.push(b':');
            self.digits(position);
            self.out.push(b'"');
        }
    }

    /// A text of ours, in which nothing needs escaping.
    pub(crate) fn plain(&mut self, key: &str, value: &str) {
        if !self.key(key) {
            return;
        }
        self.out.push(b'"');
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }

    /// A text of somebody else's.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        let needs_escape = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        if value.bytes().any(needs_escape) {
            if !self.key(key) {
                return;
            }
            serde_json::to_writer(&mut *self.out, value).expect("writing to memory does not fail");
        } else {
            self.plain(key, value);
        }
    }

    pub(crate) fn number(&mut self, key: &str, value: u64) {
        if !self.key(key) {
            return;
        }
        self.digits(value);
    }

    /// A time that stands only where the view names it.
    pub(crate) fn time_asked_for(&mut self, key: &str, at: UnixNanos) {
        if self.view.names_it(key) {
            self.time(key, at);
        }
    }

    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        if !self.key(key) {
            return;
        }
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(crate) fn null(&mut self, key: &str) {
        if !self.key(key) {
            return;
        }
        self.out.extend_from_slice(b"null");
    }

    pub(crate) fn decimal(&mut self, key: &str, value: Decimal) {
        if !self.key(key) {
            return;
        }
        self.out.push(b'"');
        decimal::push(self.out, value);
        self.out.push(b'"');
    }

    pub(crate) fn time(&mut self, key: &str, value: UnixNanos) {
        if !self.key(key) {
            return;
        }
        self.out.push(b'"');
        self.out.extend_from_slice(&value.to_rfc3339());
        self.out.push(b'"');
    }

    /// Levels as pairs of price and size; a removal is exactly `"0"`.
    pub(crate) fn levels(&mut self, key: &str, levels: &[Level]) {
        if !self.key(key) {
            return;
        }
        self.out.push(b'[');
        for (at, level) in levels.iter().enumerate() {
            self.out.extend_from_slice(if at == 0 { b"[\"" } else { b",[\"" });
            decimal::push(self.out, level.price.value());
            self.out.extend_from_slice(b"\",\"");
            if level.size.is_zero() {
                self.out.push(b'0');
            } else {
                decimal::push(self.out, level.size.value());
            }
            self.out.extend_from_slice(b"\"]");
        }
        self.out.push(b']');
    }

    fn digits(&mut self, value: u64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_as_serde_writes_them(text: String) {
            let mut out = Vec::new();
            let mut object = Object::begin(&mut out, View::ALL);
            object.text("k", &text);
            object.end();
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::json!({"k": text}).to_string());
        }
    }

    #[test]
    fn an_empty_snapshot_names_its_symbols() {
        let mut out = Vec::new();
        let cursor = Cursor { epoch: Epoch::from_seed(1), position: 7 };
        let (kind, channel) = ("snapshot", Channel::Book);
        open_data(
            &mut out,
            &Envelope { kind, channel, replay: None, cursor: &cursor, as_of: None, ts_sent: None },
        );
        close_data(&mut out, &[("BTC-USD", Seq(0)), ("ETH-USD", Seq(0))]);
        let text = r#"{"type":"snapshot","channel":"book","cursor":"1:7","data":[],"symbols":["BTC-USD","ETH-USD"]}"#;
        assert_eq!(String::from_utf8(out).unwrap(), text);
        let mut out = Vec::new();
        close_data(&mut out, &[("BTC-USD", Seq(0)), ("ETH-USD", Seq(12))]);
        let text = r#"],"symbols":["BTC-USD","ETH-USD"],"sequences":[0,12]}"#;
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}
