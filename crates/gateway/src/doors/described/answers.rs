//! What the doors answer, around the messages of the protocol.

use serde_json::{Map, Value, json};

use super::one;
use crate::limits::{DAMAGES_TOLD, PAGE_RECORDS_MAX, TICKET_LIFE};

/// Messages that a poll may have beside those of data.
const POLLED: [&str; 5] = ["Gap", "SubscribeAck", "Notice", "TokenExpiring", "Draining"];
/// Those that events have as well.
const EVENTS: [&str; 2] = ["Welcome", "Error"];

/// Records that are in nobody's past: a summary is made for who is slow.
const UNKEPT: [&str; 2] = ["TradeSummary", "Book"];

/// The schemas of the answers. `schemas` are those of the protocol.
pub(super) fn schemas(schemas: &Map<String, Value>) -> Map<String, Value> {
    let named = |kind: &'static str| schemas.keys().filter(move |name| name.ends_with(kind));
    let of_data = |kind| named(kind).map(|name| one(name));
    let snapshots: Vec<_> = of_data("Snapshot").collect();
    let polled: Vec<_> = of_data("Snapshot").chain(of_data("Update")).chain(POLLED.map(one)).collect();
    let events: Vec<_> = polled.iter().cloned().chain(EVENTS.map(one)).collect();
    let all = [
        ("EventMessage", json!({ "description": "The data of an event.", "oneOf": events })),
        ("PollMessage", json!({ "description": "A message in the answer to a poll.", "oneOf": polled })),
        ("PollAnswer", poll()),
        ("StateAnswer", state(&snapshots)),
        ("HistoryAnswer", history(&named("Update").collect::<Vec<_>>(), schemas)),
        ("CandlesAnswer", json!({ "oneOf": [one("HistoryAnswer"), one("RecordedCandles")] })),
        ("RecordedCandles", recorded()),
        ("Missing", missing()),
        ("SymbolsAnswer", symbols()),
        ("Instrument", instrument()),
        ("RecordingsAnswer", recordings()),
        ("RecordingEntry", recording(&[])),
        ("RecordingAnswer", recording(&["lost", "streams"])),
        ("TicketAnswer", ticket()),
        ("GuestAnswer", guest()),
        ("Problem", super::refusals::schema()),
    ];
    all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn poll() -> Value {
    json!({
        "type": "object",
        "properties": {
            "cursor": { "$ref": "#/components/schemas/Cursor", "description": "What to go on from." },
            "messages": { "type": "array", "items": one("PollMessage") },
        },
        "required": ["cursor", "messages"],
    })
}

fn state(snapshots: &[Value]) -> Value {
    json!({
        "description": "One snapshot of all symbols, however many.",
        "oneOf": snapshots,
        "properties": {
            "rejected": {
                "type": "array", "items": one("Rejected"),
                "description": "Symbols that were asked for and are not in it, each with the reason.",
            },
        },
    })
}

/// `updates` are the messages whose records it has.
fn history(updates: &[&String], schemas: &Map<String, Value>) -> Value {
    let records = updates.iter().map(|name| &schemas[*name]["properties"]["data"]["items"]);
    let records =
        records.flat_map(|items| items["oneOf"].as_array().cloned().unwrap_or_else(|| vec![items.clone()]));
    let records: Vec<_> = records.filter(|record| !UNKEPT.iter().any(|none| *record == one(none))).collect();
    let told = |mut schema: Value, about: &str| {
        schema["description"] = about.into();
        schema
    };
    json!({
        "type": "object",
        "description": "A page of a stream's past.",
        "properties": {
            "channel": one("Channel"),
            "symbol": one("Symbol"),
            "interval": told(one("Interval"), "Candles: the length of a bar."),
            "cursor": told(one("Cursor"), "Who has this page and those before it goes on from here, at any door."),
            "oldest_sequence": told(one("Sequence"), "From here on nothing is missing."),
            "newest_sequence": told(json!({ "type": "integer", "minimum": 0 }), "The newest event; 0 = none yet."),
            "gap": told(one("Missing"), "Where the range begins before what is kept."),
            "next": { "type": "string", "description": "The URL of the next page, where there may be more by now." },
            "data": { "type": "array", "items": { "oneOf": records }, "maxItems": PAGE_RECORDS_MAX },
        },
        "required": ["channel", "symbol", "cursor", "oldest_sequence", "newest_sequence", "data"],
    })
}

fn recorded() -> Value {
    let damages = "Parts that do not read: bars may be missing, or stand as they stood before.";
    json!({
        "type": "object",
        "description": "A page of a recording's bars.",
        "properties": {
            "channel": { "const": "candles" },
            "symbol": one("Symbol"),
            "interval": one("Interval"),
            "recording": one("RecordingName"),
            "next": { "type": "string", "description": "The URL of the next page, where there may be more." },
            "damages": { "type": "array", "items": { "type": "string" }, "maxItems": DAMAGES_TOLD, "description": damages },
            "data": { "type": "array", "items": one("Candle"), "maxItems": PAGE_RECORDS_MAX },
        },
        "required": ["channel", "symbol", "interval", "recording", "data"],
    })
}

fn missing() -> Value {
    json!({
        "type": "object",
        "description": "What was asked for and is not kept. Without a range, the cursor was of another life of the server.",
        "properties": {
            "from_sequence": one("Sequence"),
            "to_sequence": one("Sequence"),
            "count": { "type": "integer", "minimum": 1 },
            "reason": { "type": "string", "enum": ["not_kept", "another_epoch"] },
        },
        "required": ["reason"],
    })
}

fn symbols() -> Value {
    json!({
        "type": "object",
        "properties": { "symbols": { "type": "array", "items": one("Instrument") } },
        "required": ["symbols"],
    })
}

fn instrument() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let with = |mut schema: Value, about: &str| {
        schema["description"] = about.into();
        schema
    };
    json!({
        "type": "object",
        "description": "What is listed.",
        "properties": {
            "symbol": one("Symbol"),
            "venue": text("Where it trades."),
            "venue_symbol": text("Its name there."),
            "tick_size": with(one("Size"), "Smallest step of a price, where known."),
            "lot_size": with(one("Size"), "Smallest step of a size, where known."),
            "price_scale": {
                "type": "integer", "minimum": 0,
                "description": "Decimals of a price, as the venue says or as its prices have had them.",
            },
            "aliases": {
                "type": "array", "items": one("Symbol"),
                "description": "Other names that a subscribe takes for it.",
            },
            "kind": {
                "type": "string", "enum": model::InstrumentKind::ALL.map(model::InstrumentKind::as_str),
                "description": "What sort of thing it is, where known.",
            },
            "base": { "type": "string", "description": "What is bought and sold, where known." },
            "quote": { "type": "string", "description": "What it is paid with, where known." },
            "expiry": with(one("Time"), "When it ends, if it does and that is known."),
            "state": one("State"),
            "channels": {
                "type": "array", "items": one("Channel"), "minItems": 1, "description": "Those that the token covers.",
            },
        },
        "required": ["symbol", "venue", "venue_symbol", "state", "channels"],
    })
}

fn recordings() -> Value {
    json!({
        "type": "object",
        "properties": { "recordings": { "type": "array", "items": one("RecordingEntry") } },
        "required": ["recordings"],
    })
}

/// What is said of a recording, `more` of one that is asked for by its name.
fn recording(more: &[&str]) -> Value {
    let flag = |about: &str| json!({ "type": "boolean", "description": about });
    let count = |about: &str| json!({ "type": "integer", "minimum": 0, "description": about });
    let with = |mut schema: Value, about: &str| {
        schema["description"] = about.into();
        schema
    };
    let mut schema = json!({
        "type": "object",
        "description": "What a recording is.",
        "properties": {
            "recording": one("RecordingName"),
            "running": flag("It is being made."),
            "complete": flag("It was ended in order."),
            "from": with(one("Time"), "When its first record was received; absent = it has none."),
            "to": with(one("Time"), "The latest time of receipt."),
            "records": count("Its records."),
            "bytes": count("Of its files."),
        },
        "required": ["recording", "running", "complete", "records", "bytes"],
    });
    for name in more {
        let about = match *name {
            "lost" => "What was not recorded, and why.",
            _ => "What is recorded of each stream that the token may see: counts, sequences, gaps.",
        };
        schema["properties"][name] =
            json!({ "type": "array", "items": { "type": "object" }, "description": about });
        schema["required"].as_array_mut().expect("made above").push((*name).into());
    }
    if !more.is_empty() {
        schema["properties"]["digest"] = json!({
            "type": "object",
            "description": "What all of its records come to; absent while it is made, of one that was killed until the next server has counted it, and where not all of them are there.",
            "properties": {
                "sha256": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                "page": count("Records of a page."),
            },
            "required": ["sha256", "page"],
        });
    }
    schema
}

fn guest() -> Value {
    json!({
        "type": "object",
        "properties": {
            "token": { "type": "string", "description": "To be shown like any other." },
            "subject": { "type": "string", "pattern": "^guest:[0-9a-f]{16}$", "description": "Whom it makes of you." },
            "expires_at": { "$ref": "#/components/schemas/Time", "description": "When it ends." },
        },
        "required": ["token", "subject", "expires_at"],
        "additionalProperties": false,
    })
}

fn ticket() -> Value {
    let life = u64::try_from(TICKET_LIFE.as_millis()).unwrap_or(u64::MAX);
    json!({
        "type": "object",
        "properties": {
            "ticket": { "type": "string", "description": "Stands for the token, once, as `?ticket=`." },
            "expires_in_ms": { "type": "integer", "const": life },
        },
        "required": ["ticket", "expires_in_ms"],
    })
}
