//! Messages and requests held against the schemas of `asyncapi.json`.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};

/// Knows what each request and each message looks like.
pub(crate) struct Judge {
    requests: BTreeMap<String, Validator>,
    /// As clients have them: there may be more in a message than they know.
    open: BTreeMap<String, Validator>,
    /// As they are today: nothing more, and no field left out that only `fields` leaves out.
    closed: BTreeMap<String, Validator>,
}

/// Where a schema says which fields are there unless a subscription asked for some only.
const WHOLE: &str = "x-required-unless-fields";

impl Judge {
    pub(crate) fn new() -> Self {
        let document: Value = serde_json::from_str(wire::ASYNCAPI).unwrap();
        let mut closed = document["components"]["schemas"].clone();
        for schema in closed.as_object_mut().unwrap().values_mut() {
            close(schema);
        }
        let (mut requests, mut open, mut whole) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let word = |name: &str| schema["properties"][name]["const"].as_str();
            if let Some(kind) = word("type") {
                let key = key(kind, word("op").or(word("channel")));
                whole.insert(key.clone(), validator(name, &closed));
                open.insert(key, validator(name, &document["components"]["schemas"]));
            } else if let Some(op) = word("op") {
                requests.insert(op.to_owned(), validator(name, &document["components"]["schemas"]));
            }
        }
        Self { requests, open, closed: whole }
    }

    /// Whether a request is one that the server takes.
    pub(crate) fn request(&self, request: &Value) -> Result<(), String> {
        judge(&self.requests, request["op"].as_str().unwrap_or_default(), request)
    }

    /// Whether a client should understand a message.
    pub(crate) fn open(&self, message: &Value) -> Result<(), String> {
        judge(&self.open, &self.key(message), message)
    }

    /// Whether a message of the server, with all fields, is described to the last of them.
    pub(crate) fn message(&self, message: &Value) -> Result<(), String> {
        judge(&self.closed, &self.key(message), message)
    }

    /// All kinds of messages that there are.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.open.keys().map(String::as_str)
    }

    /// The kind of a message: its type, and its channel or its `op` where there is a schema for each.
    pub(crate) fn key(&self, message: &Value) -> String {
        let word = |name: &str| message[name].as_str();
        let kind = word("type").unwrap_or_default();
        if self.open.contains_key(kind) { kind.to_owned() } else { key(kind, word("op").or(word("channel"))) }
    }
}

fn key(kind: &str, of: Option<&str>) -> String {
    of.map_or_else(|| kind.to_owned(), |of| format!("{kind} {of}"))
}

fn judge(known: &BTreeMap<String, Validator>, key: &str, value: &Value) -> Result<(), String> {
    let validator = known.get(key).ok_or_else(|| format!("{key:?} is not described"))?;
    validator.validate(value).map_err(|error| format!("{error} at {}", error.instance_path()))
}

/// Of a schema among others.
pub(crate) fn validator(name: &str, schemas: &Value) -> Validator {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": { "schemas": schemas },
    });
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

/// Lets an object have nothing but what is described.
pub(crate) fn close(schema: &mut Value) {
    if schema.get("properties").is_none() {
        return;
    }
    schema["additionalProperties"] = false.into();
    let whole = schema[WHOLE].as_array().cloned().unwrap_or_default();
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.extend(whole);
    }
}
