//! The parameters of the doors: the fields of a subscribe, as a query has them.

use model::Channel;
use serde_json::{Map, Value, json};

use super::one;
use crate::doors::given::NANOS_MIN;
use crate::doors::history::FIELDS;
use crate::doors::recordings::{BOOK, LINES};
use crate::limits::{PAGE_RECORDS, PAGE_RECORDS_MAX, POLL_WAIT, POLL_WAIT_MAX};

/// A subscription as the query of a URL, in the order of their names.
pub(super) fn subscription(schemas: &Map<String, Value>) -> Vec<Value> {
    let request = &schemas["SubscribeRequest"];
    let required = |name: &str| request["required"].as_array().is_some_and(|all| all.contains(&name.into()));
    let fields = request["properties"].as_object().expect("it has fields");
    let fields = fields.iter().filter(|(name, _)| !["op", "id", "rewind_ms"].contains(&name.as_str()));
    fields.map(|(name, schema)| parameter(name, schema, required(name))).collect()
}

/// The same for a state, which is of one channel and of now.
pub(super) fn state(schemas: &Map<String, Value>) -> Vec<Value> {
    let mut all = subscription(schemas);
    all.retain(|parameter| !["channels", "cursor", "snapshot"].iter().any(|none| parameter["name"] == *none));
    all.insert(0, parameter("channel", &one("Channel"), true));
    all
}

/// Which symbols to tell.
pub(super) fn symbols(schemas: &Map<String, Value>) -> Vec<Value> {
    vec![parameter("symbols", &schemas["SubscribeRequest"]["properties"]["symbols"], false)]
}

/// A page of the past, in the order of their names; of candles, where there is one channel only.
pub(super) fn history(is_candles: bool) -> Vec<Value> {
    let mut all: Vec<_> = FIELDS.into_iter().filter(|name| *name != "ticket").collect();
    let others = if is_candles { "channel" } else { "recording" };
    all.retain(|name| *name != others);
    all.sort_unstable();
    let required = |name: &str| ["channel", "symbol"].contains(&name);
    all.into_iter().map(|name| parameter(name, &past(name), required(name))).collect()
}

/// What is wanted of a recording.
pub(super) fn recording(schemas: &Map<String, Value>) -> Vec<Value> {
    let request = &schemas["SubscribeRequest"]["properties"];
    let format = json!({ "type": "string", "enum": ["ndjson"], "description": "Its records, one a line; the others are of them." });
    let mut all = vec![in_path()];
    all.extend(LINES.iter().filter(|name| **name != "ticket").map(|name| match *name {
        "format" => parameter(name, &format, false),
        "from" => parameter(name, &received("Where the latest `ts_recv` so far is not before this."), false),
        "to" => parameter(name, &received("Where the latest `ts_recv` so far is before this."), false),
        other => parameter(other, &request[other], false),
    }));
    all
}

/// Which book, and of when.
pub(super) fn recorded_book() -> Vec<Value> {
    let mut all = vec![in_path()];
    all.extend(BOOK.iter().filter(|name| **name != "ticket").map(|name| match *name {
        "symbol" => parameter(name, &past(name), true),
        "at" => {
            parameter(name, &received("After all that was received then or before; absent = the end."), false)
        }
        other => {
            let depth =
                json!({ "allOf": [one("Depth")], "default": 20, "description": "Levels a side; 0 = all." });
            parameter(other, &depth, false)
        }
    }));
    all
}

/// The recording that a path names.
fn in_path() -> Value {
    json!({
        "name": "recording", "in": "path", "required": true, "schema": one("RecordingName"),
        "description": "Which recording.",
    })
}

fn received(about: &str) -> Value {
    let nanos = json!({ "type": "integer", "minimum": NANOS_MIN });
    let about = format!("{about} RFC 3339, or nanoseconds.");
    json!({ "oneOf": [{ "type": "string", "format": "date-time" }, nanos], "description": about })
}

/// What a field of that name says.
fn past(name: &str) -> Value {
    let told = |mut schema: Value, about: &str| {
        schema["description"] = about.into();
        schema
    };
    let time = || {
        let nanos = json!({ "type": "integer", "minimum": NANOS_MIN });
        json!({ "oneOf": [{ "type": "string", "format": "date-time" }, nanos] })
    };
    match name {
        "channel" => {
            let names: Vec<_> =
                Channel::ALL.iter().filter(|one| **one != Channel::Book).map(|one| one.as_str()).collect();
            told(json!({ "type": "string", "enum": names }), "Of what. A book has a state, and no history.")
        }
        "symbol" => told(one("Symbol"), "Of which symbol."),
        "interval" => {
            told(json!({ "allOf": [one("Interval")], "default": "1m" }), "Candles: the length of a bar.")
        }
        "cursor" => told(one("Cursor"), "Only what came after this cursor, of whatever message."),
        "from_sequence" => told(one("Sequence"), "Not before this place in the stream."),
        "to_sequence" => told(one("Sequence"), "Not after this place in the stream."),
        "from" => {
            told(time(), "Not before this `ts_event` (of a candle: `start`), as RFC 3339 or nanoseconds.")
        }
        "to" => told(time(), "Before this `ts_event` (of a candle: `start`), as RFC 3339 or nanoseconds."),
        "recording" => told(
            one("RecordingName"),
            "Of this recording instead of what the logs keep: by `from` and `to`, without places. The token needs \
             the scope `replay`.",
        ),
        "order" => {
            let order = json!({ "type": "string", "enum": ["asc", "desc"], "default": "asc" });
            told(order, "The oldest first, or the newest.")
        }
        _ => told(
            json!({ "type": "integer", "minimum": 1, "maximum": PAGE_RECORDS_MAX, "default": PAGE_RECORDS }),
            "Records in a page at most.",
        ),
    }
}

/// How long a poll waits.
pub(super) fn wait() -> Value {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let schema = json!({
        "type": "integer", "minimum": 0, "maximum": millis(POLL_WAIT_MAX), "default": millis(POLL_WAIT),
        "description": "How many milliseconds to wait for news where there are none.",
    });
    parameter("wait_ms", &schema, false)
}

/// How an event source says how far it came.
pub(super) fn last_event_id() -> Value {
    json!({
        "name": "Last-Event-ID", "in": "header", "required": false, "schema": one("Cursor"),
        "description": "The `id` of the last event: goes before `cursor`.",
    })
}

fn parameter(name: &str, schema: &Value, required: bool) -> Value {
    let mut schema = schema.clone();
    let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    // A subscribe says where to go on from; a query, what the client has.
    let name = if name == "resume" { "cursor" } else { name };
    let mut parameter = json!({ "name": name, "in": "query", "required": required });
    if let Some(about) = about {
        parameter["description"] = about;
    }
    if name == "filter" {
        parameter["content"] = json!({ "application/json": { "schema": schema } });
        return parameter;
    }
    if schema["type"] == "array" {
        // With commas.
        parameter["style"] = "form".into();
        parameter["explode"] = false.into();
    }
    parameter["schema"] = schema;
    parameter
}
