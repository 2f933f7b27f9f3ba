//! The document itself: AsyncAPI 3.0, seen from the server.

use serde_json::{Map, Value, json};

use super::messages::{Message, messages};
use super::{requests, schemas};
use crate::{PROTOCOL, SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK};

/// The document.
pub(super) fn asyncapi() -> Value {
    let (messages, _) = messages();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tickwire",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!(
                "The protocol {PROTOCOL} over a WebSocket: live market data, every update delivered or accounted for. \
                 Operations are the server's: it receives requests, which have `op`, and sends messages, which have \
                 `type`. Within v1, changes only add: ignore messages and fields that you do not know. A field of a \
                 request that is not known here is an error, `null` is as good as absent. Payloads are JSON Schema \
                 2020-12. PROTOCOL.md tells what all of this means."
            ),
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "plain": server("ws"),
            "tls": server("wss"),
        },
        "channels": { "stream": channel(&messages) },
        "operations": operations(&messages),
        "components": {
            "schemas": schemas(),
            "messages": all_messages(&messages),
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "A page, which cannot set the header, offers the subprotocol `bearer.TOKEN` \
                                    beside that of the protocol, or sends `auth` first.",
                },
                "ticket": {
                    "type": "httpApiKey", "in": "query", "name": "ticket",
                    "description": "A ticket of `POST /v1/tickets`, good once and a short while.",
                },
            },
        },
    })
}

fn server(protocol: &str) -> Value {
    json!({
        "host": "{host}",
        "protocol": protocol,
        "variables": { "host": { "default": "127.0.0.1:8080", "description": "Where the server listens." } },
        "security": [
            { "$ref": "#/components/securitySchemes/bearer" },
            { "$ref": "#/components/securitySchemes/ticket" },
        ],
    })
}

fn channel(messages: &[Message]) -> Value {
    let here = |name: &String| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") }));
    let requests = requests::requests();
    let all =
        requests.iter().map(|(_, name, _)| here(name)).chain(messages.iter().map(|one| here(&one.name)));
    json!({
        "address": "/v1/stream",
        "title": "The stream",
        "description": "A session. The first subprotocol that the client offers and the server knows is spoken; \
                        without any, that of JSON. Without a token in the handshake, only `auth`, `echo` and `ping` \
                        are answered.",
        "messages": all.collect::<Map<_, _>>(),
        "bindings": { "ws": {
            "bindingVersion": "0.1.0",
            "method": "GET",
            "query": {
                "type": "object",
                "properties": { "ticket": { "type": "string", "description": "Instead of a token." } },
            },
            "headers": {
                "type": "object",
                "properties": {
                    "Authorization": { "type": "string", "pattern": "^[Bb][Ee][Aa][Rr][Ee][Rr] +[^ ]" },
                    "Sec-WebSocket-Protocol": {
                        "type": "string",
                        "description": format!(
                            "A list of `{SUBPROTOCOL_JSON}` or `{SUBPROTOCOL_MSGPACK}`, and `bearer.TOKEN` where no \
                             header can be set."
                        ),
                    },
                },
            },
        } },
        "x-subprotocols": {
            SUBPROTOCOL_JSON: { "contentType": "application/json", "frames": "text" },
            SUBPROTOCOL_MSGPACK: {
                "contentType": "application/vnd.msgpack", "frames": "binary",
                "description": "The same maps with the same keys, one to one; a Time is the timestamp extension.",
            },
        },
    })
}

/// One for each request, and one for each `type` of message.
fn operations(messages: &[Message]) -> Map<String, Value> {
    let here = |name: &str| json!({ "$ref": format!("#/channels/stream/messages/{name}") });
    let stream = json!({ "$ref": "#/channels/stream" });
    let mut all = Map::new();
    for (op, name, schema) in requests::requests() {
        let answers = messages
            .iter()
            .filter(|one| one.op.as_deref() == Some(op) || one.kind == "error" || one.kind == answer(op));
        let operation = json!({
            "action": "receive",
            "channel": stream,
            "summary": schema["description"],
            "messages": [here(&name)],
            "reply": {
                "channel": stream,
                "messages": answers.map(|one| here(&one.name)).collect::<Vec<_>>(),
            },
        });
        all.insert(format!("receive_{op}"), operation);
    }
    for message in messages {
        let new =
            json!({ "action": "send", "channel": stream, "summary": about(&message.kind), "messages": [] });
        let operation = all.entry(format!("send_{}", message.kind)).or_insert(new);
        operation["messages"].as_array_mut().expect("made above").push(here(&message.name));
    }
    all
}

/// The type of the answer where that is no ack.
fn answer(op: &str) -> &str {
    match op {
        "ping" => "pong",
        "echo" => "echo",
        _ => "",
    }
}

fn about(kind: &str) -> &'static str {
    match kind {
        "welcome" => "The first message.",
        "ack" => "The answer to a request; without `id`, news of a subscription.",
        "error" => "The answer to a request that is refused, or news of a fault.",
        "pong" => "The answer to a ping.",
        "echo" => "The answer to an echo.",
        "heartbeat" => "Proof of life.",
        "gap" => "Events that this session does not get.",
        "flushed" => "In credit mode: a flush is complete.",
        "notice" => "News of the session's state.",
        "token_expiring" => "The token runs out soon.",
        "draining" => "The server goes away soon.",
        "replay" => "How a replay stands.",
        "alert" => "An alert has happened.",
        "snapshot" => "Current state.",
        "update" => "Changes.",
        _ => panic!("say in describe/document.rs what {kind:?} is for"),
    }
}

fn all_messages(messages: &[Message]) -> Map<String, Value> {
    let schemas = schemas();
    let message = |name: &str, wire: &str| {
        let properties = &schemas[name]["properties"];
        let mut message = json!({
            "name": wire,
            "title": name,
            "payload": { "$ref": format!("#/components/schemas/{name}") },
        });
        if properties.get("id").is_some() {
            message["correlationId"] = json!({ "location": "$message.payload#/id" });
        }
        if let Some(example) = example(properties) {
            message["examples"] = json!([{ "payload": example }]);
        }
        (name.to_owned(), message)
    };
    let requests = requests::requests();
    let requests = requests.iter().map(|(op, name, _)| message(name, op));
    requests.chain(messages.iter().map(|one| message(&one.name, &one.kind))).collect()
}

/// What `PROTOCOL.md` has as the first example of a message with these fields.
fn example(properties: &Value) -> Option<Value> {
    let blocks = include_str!("../../PROTOCOL.md").split("```json\n").skip(1);
    let lines = blocks.filter_map(|rest| rest.split("```").next()).flat_map(str::lines);
    let mut examples = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // What may only be one word is that word; a message has a type, and a request has none.
    let fits = |name: &str, example: &Value| {
        let word = &properties[name]["const"];
        example[name] == *word || word.is_null() && properties.get(name).is_some()
    };
    examples.find(|example| ["type", "op", "channel"].iter().all(|name| fits(name, example)))
}
