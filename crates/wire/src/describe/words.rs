//! The kinds of values that the protocol has: what a text with a name of the protocol looks like.
//!
//! The types of the messages say `String` where a text is a time or a cursor. Here is what it is, by the
//! field's name: one word means one thing everywhere. A name that nobody has put here makes the test fail.

use model::limits::{PATTERN_BYTES_MAX, SYMBOL_BYTES_MAX};
use model::{Channel, GapReason, Interval, Side, State};
use serde_json::{Map, Value, json};

use crate::view::fields_of;

/// The schema of that name.
pub(crate) fn one(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schemas that others are made of.
pub(super) fn schemas() -> Map<String, Value> {
    let text =
        |about: &str, pattern: &str| json!({ "type": "string", "description": about, "pattern": pattern });
    let list =
        |about: &str, names: Vec<&str>| json!({ "type": "string", "description": about, "enum": names });
    let mut fields: Vec<_> = Channel::ALL.into_iter().flat_map(fields_of).collect();
    fields.sort_unstable();
    fields.dedup();
    let time = "RFC 3339, UTC, nine digits. As MessagePack, the timestamp extension (type -1).";
    let about_field = "A field of a record. Only those of the channels that are asked for are possible.";
    let symbol = format!("^[A-Z0-9][A-Z0-9._:/-]{{0,{}}}$", SYMBOL_BYTES_MAX - 1);
    let mut time = text(time, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z$");
    time["format"] = "date-time".into();
    let pattern = json!({
        "type": "string", "minLength": 1, "maxLength": PATTERN_BYTES_MAX,
        "description": "A symbol, or a pattern in which * stands for any text: BTC-*, *-USD, *.",
    });
    let speed = json!({
        "description": "How many times as fast as it was; or as fast as it is taken.",
        "oneOf": [{ "type": "number", "minimum": 0.001, "maximum": 1_000 }, { "type": "string", "const": "max" }],
    });
    let sequence = json!({
        "type": "integer", "minimum": 0,
        "description": "A place in a stream: events are counted from 1, without holes; 0 is before the first.",
    });
    let all = [
        ("Time", time),
        (
            "Decimal",
            text(
                "An exact decimal number, its digits as the venue wrote them.",
                r"^-?(0|[1-9][0-9]*)(\.[0-9]{1,28})?$",
            ),
        ),
        ("Size", text("An exact decimal number, zero or more.", r"^(0|[1-9][0-9]*)(\.[0-9]{1,28})?$")),
        ("AskedDecimal", text("A decimal number.", r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$")),
        ("AskedSize", text("A decimal number, zero or more.", r"^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$")),
        ("Cursor", text("A place in the server's order of events. Opaque.", "^[0-9a-z]{1,16}:[0-9]{1,20}$")),
        ("ReplayName", text("A replay of this session.", "^r[0-9]{1,9}$")),
        ("RecordingName", text("A recording.", "^[a-z0-9][a-z0-9._-]{0,63}$")),
        ("AlertName", text("What a client calls an alert.", "^[A-Za-z0-9._:-]{1,64}$")),
        ("PlaySpeed", speed),
        ("Epoch", text("The life of the server's order of events.", "^[0-9a-z]{1,16}$")),
        ("Symbol", text("The name of an instrument.", &symbol)),
        ("Sequence", sequence),
        ("Pattern", pattern),
        ("Channel", list("A kind of stream.", Channel::ALL.map(Channel::as_str).to_vec())),
        ("Interval", list("The length of a candle.", Interval::ALL.map(Interval::as_str).to_vec())),
        ("State", list("The state of a symbol.", State::ALL.map(State::as_str).to_vec())),
        ("Side", list("Who took.", SIDES.map(Side::as_str).to_vec())),
        (
            "AskedSide",
            list("Who took; of a quote, which side.", SIDES[..2].iter().map(|side| side.as_str()).collect()),
        ),
        (
            "AskedTime",
            text(
                "RFC 3339, with up to nine digits of a second.",
                "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:?[0-9]{2})$",
            ),
        ),
        ("Field", list(about_field, fields)),
    ];
    all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

const SIDES: [Side; 3] = [Side::Buy, Side::Sell, Side::Unknown];

/// What a text is that a message has in a field of this name. `owner` is the schema that has it.
pub(super) fn text(owner: &str, name: &str) -> Value {
    let list = |names: &[&str]| json!({ "type": "string", "enum": names });
    match (owner, name) {
        ("Gap", "reason") => list(&["slow_consumer", "feed_gap", "cursor_expired"]),
        ("Gap", "cause") => list(&GapReason::ALL.map(GapReason::as_str)),
        ("Draining", "reason") => list(&["shutdown"]),
        ("Lag", "mode") => list(&["keeping_up", "coalescing"]),
        ("Welcome", "protocol") => list(&[crate::PROTOCOL]),
        ("Rejected", "symbol") => one("Pattern"),
        (_, "channel" | "channels") => one("Channel"),
        (_, "symbol" | "symbols") => one("Symbol"),
        (_, "interval") => one("Interval"),
        (_, "fields") => one("Field"),
        (_, "side") => one("AskedSide"),
        (_, "min_size") => one("Size"),
        (_, "min_price" | "max_price" | "above" | "below" | "value") => one("Decimal"),
        (_, "cursor") => one("Cursor"),
        (_, "alert") => one("AlertName"),
        (_, "replay") => one("ReplayName"),
        (_, "recording") => one("RecordingName"),
        (_, "epoch") => one("Epoch"),
        (
            _,
            "expires_at" | "ts_event" | "ts_recv" | "ts_sent" | "deadline" | "coalesced_since" | "from"
            | "to" | "position",
        ) => one("Time"),
        (_, "sha256") => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        // For people, or as the client wrote them.
        ("Pong", "ts")
        | ("Error", "op")
        | (_, "message" | "subject" | "scopes" | "server" | "session" | "share" | "damages") => {
            json!({ "type": "string" })
        }
        _ => panic!("{owner} has a text {name:?}: say in describe/words.rs what it looks like"),
    }
}
