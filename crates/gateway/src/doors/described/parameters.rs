//! The parameters of the doors: the fields of a subscribe, as a query has them.

use serde_json::{Map, Value, json};

use crate::limits::{POLL_WAIT, POLL_WAIT_MAX};

/// A subscription as the query of a URL, in the order of their names.
pub(super) fn subscription(schemas: &Map<String, Value>) -> Vec<Value> {
    let request = &schemas["SubscribeRequest"];
    let required = |name: &str| request["required"].as_array().is_some_and(|all| all.contains(&name.into()));
    let fields = request["properties"].as_object().expect("it has fields");
    let fields = fields.iter().filter(|(name, _)| !["op", "id"].contains(&name.as_str()));
    fields.map(|(name, schema)| parameter(name, schema, required(name))).collect()
}

/// The same for a state, which is of one channel and of now.
pub(super) fn state(schemas: &Map<String, Value>) -> Vec<Value> {
    let mut all = subscription(schemas);
    all.retain(|parameter| !["channels", "cursor", "snapshot"].iter().any(|none| parameter["name"] == *none));
    all.insert(0, parameter("channel", &super::one("Channel"), true));
    all
}

/// Which symbols to tell.
pub(super) fn symbols(schemas: &Map<String, Value>) -> Vec<Value> {
    vec![parameter("symbols", &schemas["SubscribeRequest"]["properties"]["symbols"], false)]
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
        "name": "Last-Event-ID", "in": "header", "required": false, "schema": super::one("Cursor"),
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
