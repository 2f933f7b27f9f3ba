//! Messages as JSON Schemas: those of control from their types, those of data around the records.

use model::Channel;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::records;
use super::words::{one, text};
use crate::{CloseCode, Control, ErrorCode};

/// A message of the server.
pub(super) struct Message {
    /// Its schema's name: `SubscribeAck`.
    pub(super) name: String,
    /// Its `type`.
    pub(super) kind: String,
    /// Of an ack: the request's `op`.
    pub(super) op: Option<String>,
}

/// All messages, and the schemas of them and of what they are made of.
pub(super) fn messages() -> (Vec<Message>, Map<String, Value>) {
    let (mut messages, mut schemas) = control();
    for kind in ["snapshot", "update"] {
        for channel in Channel::ALL {
            let name = format!("{}{}", pascal(channel.as_str()), pascal(kind));
            schemas.insert(name.clone(), data(kind, channel));
            messages.push(Message { name, kind: kind.to_owned(), op: None });
        }
    }
    schemas.extend(records::schemas());
    (messages, schemas)
}

/// `token_expiring` as `TokenExpiring`.
pub(crate) fn pascal(name: &str) -> String {
    let mut out = String::new();
    for word in name.split('_') {
        let (first, rest) = word.split_at(1);
        out.push_str(&first.to_uppercase());
        out.push_str(rest);
    }
    out
}

fn data(kind: &str, channel: Channel) -> Value {
    let mut schema = json!({
        "type": "object",
        "description": if kind == "snapshot" { "Current state: replaces what the client has of its streams." } else { "Changes." },
        "properties": {
            "type": { "type": "string", "const": kind },
            "channel": { "type": "string", "const": channel.as_str() },
            "replay": described(one("ReplayName"), "The replay that it is of; absent = what happens now."),
            "cursor": described(one("Cursor"), "Where the session stands, or the replay."),
            "ts_sent": described(one("Time"), "When this was sent, with `stamp`."),
            "data": { "type": "array", "items": records::of_channel(channel), "description": "The records." },
        },
        "required": ["type", "channel", "cursor", "data"],
    });
    if kind == "snapshot" {
        let lists = [
            ("as_of", one("Cursor"), "The moment that this is the state of, where several are of the same."),
            ("symbols", array(&one("Symbol")), "Symbols of which there is nothing."),
            (
                "sequences",
                array(&one("Sequence")),
                "The places of these in their streams; absent where all are 0.",
            ),
        ];
        for (name, list, about) in lists {
            schema["properties"][name] = described(list, about);
        }
    }
    schema
}

fn array(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn described(mut schema: Value, about: &str) -> Value {
    schema["description"] = about.into();
    schema
}

/// Every variant of [`Control`] as an object of its own: how the types are nested is nobody's business.
fn control() -> (Vec<Message>, Map<String, Value>) {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut generator = settings.with(|s| s.definitions_path = "/components/schemas".into()).into_generator();
    let root = generator.root_schema_for::<Control>().to_value();
    let mut parts = root["components"]["schemas"].as_object().expect("it is made of parts").clone();
    let (mut messages, mut schemas) = (Vec::new(), Map::new());
    for variant in root["oneOf"].as_array().expect("it is an enum") {
        for schema in flat(variant, &parts) {
            let said = |name: &str| schema["properties"][name]["const"].as_str().map(str::to_owned);
            let (kind, op) = (said("type").expect("a message has a type"), said("op"));
            let name = format!("{}{}", op.as_deref().map(pascal).unwrap_or_default(), pascal(&kind));
            schemas.insert(name.clone(), schema);
            messages.push(Message { name, kind, op });
        }
    }
    // What was made flat stands for itself.
    parts.retain(|name, _| {
        !FLAT.contains(&name.as_str()) && !schemas.contains_key(name) && name != "RequestId"
    });
    schemas.extend(parts);
    for (name, schema) in &mut schemas {
        refine(name, schema);
    }
    schemas["ErrorCode"]["x-codes"] = ErrorCode::ALL
        .map(|code| {
            let close = code.close().map(CloseCode::number);
            json!({ "code": code.as_str(), "retryable": code.retryable(), "close": close })
        })
        .to_vec()
        .into();
    (messages, schemas)
}

/// Parts that are no schemas of their own, as they are only one with what they stand in.
const FLAT: [&str; 2] = ["Ack", "ErrorMessage"];

/// The objects that a schema allows, with the fields of all that it refers to.
fn flat(schema: &Value, parts: &Map<String, Value>) -> Vec<Value> {
    let mut whole = vec![json!({ "type": "object", "properties": {}, "required": [] })];
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        whole = flat(&parts[name], parts);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        whole = choices.iter().flat_map(|choice| flat(choice, parts)).collect();
    }
    for one in &mut whole {
        let own = schema["properties"].as_object().cloned().unwrap_or_default();
        one["properties"].as_object_mut().expect("made above").extend(own);
        let own = schema["required"].as_array().cloned().unwrap_or_default();
        one["required"].as_array_mut().expect("made above").extend(own);
        if one.get("description").is_none()
            && let Some(about) = schema.get("description")
        {
            one["description"] = about.clone();
        }
    }
    whole
}

/// Says what the types do not: what texts look like, and that what may be absent is never `null`.
fn refine(owner: &str, schema: &mut Value) {
    if let Some(words) =
        schema["oneOf"].as_array().filter(|all| all.iter().all(|one| one["const"].is_string()))
    {
        *schema = closed(schema, words);
        return;
    }
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        let about = property["description"].take();
        if let Some(choices) = property["anyOf"].as_array() {
            *property = choices[0].clone();
        }
        if let Some(kind) = property["type"].as_array() {
            property["type"] = kind[0].clone();
        }
        if property["type"] == "string" && property["const"].is_null() {
            *property = text(owner, name);
        }
        if property["items"]["type"] == "string" {
            property["items"] = text(owner, name);
        }
        match (owner, name.as_str()) {
            ("SubscriptionEntry", "depth") => *property = one("Depth"),
            (_, "sequence" | "from_sequence" | "to_sequence" | "last_sequence") => {
                *property = one("Sequence");
            }
            (_, "id") => *property = one("RequestId"),
            (_, "speed") => *property = one("PlaySpeed"),
            ("Notice", "code") => {
                *property = json!({ "type": "string", "const": ErrorCode::SlowConsumer.as_str() });
            }
            _ => {}
        }
        let Some(property) = property.as_object_mut() else { continue };
        for noise in ["format", "default"] {
            property.remove(noise);
        }
        property.retain(|_, value| !value.is_null());
        if about.is_string() {
            property.insert("description".to_owned(), about);
        }
    }
}

/// A choice of words, each with its meaning, as one list.
fn closed(schema: &Value, words: &[Value]) -> Value {
    use std::fmt::Write;
    let mut about = schema["description"].as_str().unwrap_or_default().to_owned();
    for word in words {
        let meaning = word["description"].as_str().unwrap_or_default();
        write!(about, "\n- `{}`: {meaning}", word["const"].as_str().unwrap_or_default()).expect("memory");
    }
    let names: Vec<_> = words.iter().map(|word| &word["const"]).collect();
    json!({ "type": "string", "enum": names, "description": about })
}
