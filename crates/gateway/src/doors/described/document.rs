//! The document itself: `OpenAPI` 3.1.

use serde_json::{Map, Value, json};

use super::refusals::{
    ANSWER, BUSY, Code, DOOR, GUEST, HANDSHAKE, PAST, READING, RECORDED, STATE, SUBSCRIPTION, responses,
};
use super::{answers, one, parameters};

/// The document.
pub(super) fn openapi() -> Value {
    let protocol: Value = serde_json::from_str(wire::ASYNCAPI).expect("it is ours");
    let mut schemas = protocol["components"]["schemas"].as_object().expect("it has some").clone();
    let paths = paths(&schemas);
    schemas.extend(answers::schemas(&schemas));
    let used = reachable(&paths, &schemas);
    schemas.retain(|name, _| used.contains(name));
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Tickwire over plain HTTP",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The same sessions and messages as over the WebSocket, which /v1/asyncapi.json describes. \
                            A cursor of one door is good at all others. A parameter that is not known, or stands \
                            twice, is refused. Another method than those that stand here is answered with 405. \
                            Every answer has X-Request-Id, the request's own where it brings one. \
                            PROTOCOL.md tells what all of this means.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }, { "ticket": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "ticket": {
                    "type": "apiKey", "in": "query", "name": "ticket",
                    "description": "A ticket of `POST /v1/tickets`, good once and a short while.",
                },
            },
        },
    })
}

fn paths(schemas: &Map<String, Value>) -> Value {
    let with = |mut parameters: Vec<Value>, more: Value| {
        parameters.push(more);
        parameters
    };
    json!({
        "/v1/events": { "get": operation(
            "events", "Server-sent events that do not end.",
            &with(parameters::subscription(schemas), parameters::last_event_id()),
            events(), DOOR.into_iter().chain(SUBSCRIPTION).chain(BUSY),
        ) },
        "/v1/poll": { "get": operation(
            "poll", "All that happened since the cursor, or the states where there is none.",
            &with(parameters::subscription(schemas), parameters::wait()),
            answer("200", "PollAnswer"),
            DOOR.into_iter().chain(SUBSCRIPTION).chain(BUSY).chain(ANSWER),
        ) },
        "/v1/snapshot": { "get": operation(
            "snapshot", "The state of one channel now.", &parameters::state(schemas), answer("200", "StateAnswer"),
            DOOR.into_iter().chain(SUBSCRIPTION).chain(BUSY).chain(ANSWER).chain(STATE),
        ) },
        "/v1/history": { "get": operation(
            "history", "What is kept of a stream's past, page by page.", &parameters::history(false),
            answer("200", "HistoryAnswer"), DOOR.into_iter().chain(SUBSCRIPTION).chain(BUSY).chain(PAST),
        ) },
        "/v1/candles": { "get": operation(
            "candles", "The history of candles, or those of a recording.", &parameters::history(true),
            answer("200", "CandlesAnswer"), DOOR.into_iter().chain(BUSY).chain(READING).chain(RECORDED).chain(PAST),
        ) },
        "/v1/symbols": { "get": operation(
            "symbols", "The instruments that the token may see.", &parameters::symbols(schemas),
            answer("200", "SymbolsAnswer"), DOOR.into_iter().chain(BUSY),
        ) },
        "/v1/recordings": { "get": operation(
            "recordings", "The recordings that there are. The token needs the scope `replay`.", &[],
            answer("200", "RecordingsAnswer"), DOOR.into_iter().chain(BUSY).chain(READING),
        ) },
        "/v1/recordings/{recording}": { "get": operation(
            "recording", "What a recording holds; with `format=ndjson`, its records, as PROTOCOL.md tells them.",
            &parameters::recording(schemas), recording(),
            DOOR.into_iter().chain(BUSY).chain(READING).chain(RECORDED).chain(SUBSCRIPTION),
        ) },
        "/v1/recordings/{recording}/book": { "get": operation(
            "recorded_book", "What a book was at a time.", &parameters::recorded_book(),
            answer("200", "BookSnapshot"),
            DOOR.into_iter().chain(BUSY).chain(READING).chain(RECORDED).chain(PAST),
        ) },
        "/v1/tickets": { "post": tickets() },
        "/v1/guests": { "post": guests() },
        "/v1/stream": { "get": stream() },
        "/v1/asyncapi.json": { "get": description("asyncapi", "The stream, as an AsyncAPI 3.0 document.") },
        "/v1/openapi.json": { "get": description("openapi", "This document.") },
    })
}

fn operation(
    id: &str,
    about: &str,
    parameters: &[Value],
    (status, good): (&str, Value),
    codes: impl IntoIterator<Item = Code>,
) -> Value {
    let mut responses = responses(codes);
    responses.insert(status.to_owned(), good);
    let mut operation = json!({ "operationId": id, "summary": about, "responses": responses });
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    operation
}

fn header(about: &str) -> Value {
    json!({ "description": about, "required": true, "schema": { "type": "string" } })
}

fn fixed(value: &str) -> Value {
    json!({ "required": true, "schema": { "type": "string", "const": value } })
}

fn answer(status: &'static str, name: &str) -> (&'static str, Value) {
    let answer = json!({
        "description": "The answer.",
        "headers": { "Cache-Control": fixed("no-store") },
        "content": { "application/json": { "schema": one(name) } },
    });
    (status, answer)
}

fn events() -> (&'static str, Value) {
    let events = json!({
        "description": "Events: `event` is the message's type, `id` its cursor, `data` the message, of the schema \
                        EventMessage. No event has an `id` before the client has all that the first answer brings. A \
                        heartbeat is a comment; `draining` has a `retry` of its own.",
        "headers": { "Cache-Control": fixed("no-store"), "X-Accel-Buffering": fixed("no") },
        "content": { "text/event-stream": {
            "schema": { "type": "string" },
            "x-event-data": one("EventMessage"),
        } },
    });
    ("200", events)
}

/// What a recording holds, or its lines.
fn recording() -> (&'static str, Value) {
    let (status, mut answer) = answer("200", "RecordingAnswer");
    answer["content"]["application/x-ndjson"] = json!({ "schema": { "type": "string" } });
    (status, answer)
}

/// A ticket makes no tickets, and nothing is asked beside it.
fn tickets() -> Value {
    let about = "A ticket for a token, for whoever can set no header.";
    let mut operation =
        operation("tickets", about, &[], answer("201", "TicketAnswer"), DOOR.into_iter().chain(BUSY));
    operation["security"] = json!([{ "bearer": [] }]);
    operation
}

/// Who has a guest's token gets another one for the same guest.
fn guests() -> Value {
    let about = "A token for whoever has none, where guests are welcome; in the place of one that it has.";
    let mut operation = operation("guests", about, &[], answer("201", "GuestAnswer"), GUEST);
    operation["security"] = json!([{}, { "bearer": [] }]);
    operation
}

fn stream() -> Value {
    let parameter = |name: &str, schema: Value, required: bool, about: &str| json!({ "name": name, "in": "header", "required": required, "schema": schema, "description": about });
    let text = || json!({ "type": "string" });
    let parameters = [
        parameter("Connection", text(), true, "Has `Upgrade`."),
        parameter("Upgrade", text(), true, "Has `websocket`."),
        parameter("Sec-WebSocket-Version", json!({ "type": "string", "const": "13" }), true, "RFC 6455."),
        parameter(
            "Sec-WebSocket-Key",
            json!({ "type": "string", "pattern": "^[A-Za-z0-9+/]{21}[AQgw]==$" }),
            true,
            "RFC 6455.",
        ),
        parameter(
            "Sec-WebSocket-Protocol",
            text(),
            false,
            "Subprotocols, of which the first that is known is spoken; `bearer.TOKEN` is a token.",
        ),
        parameter(
            "Sec-WebSocket-Extensions",
            text(),
            false,
            "permessage-deflate is agreed on where that is set.",
        ),
    ];
    let good = json!({
        "description": "A WebSocket of the protocol.",
        "headers": {
            "Connection": fixed("Upgrade"),
            "Upgrade": fixed("websocket"),
            "Sec-WebSocket-Accept": header("RFC 6455."),
            "Sec-WebSocket-Protocol": {
                "description": "The subprotocol, where one was offered.",
                "schema": { "type": "string", "enum": [wire::SUBPROTOCOL_JSON, wire::SUBPROTOCOL_MSGPACK] },
            },
            "Sec-WebSocket-Extensions": {
                "description": "What was agreed on.", "schema": { "type": "string" },
            },
        },
    });
    let about = "The stream: an upgrade to a WebSocket.";
    let mut operation = operation("stream", about, &parameters, ("101", good), HANDSHAKE);
    // The token may come as the first message.
    operation["security"] = json!([{ "bearer": [] }, { "ticket": [] }, {}]);
    operation
}

/// Of what anybody may have, and keep for a while.
fn description(id: &str, about: &str) -> Value {
    let kept =
        json!({ "ETag": header("Stands for this version."), "Cache-Control": fixed("public, max-age=300") });
    let known = json!({
        "name": "If-None-Match", "in": "header", "required": false, "schema": { "type": "string" },
        "description": "The `ETag` of the document that the client has.",
    });
    let good = json!({
        "description": "The document.",
        "headers": kept,
        "content": { "application/json": { "schema": { "type": "object" } } },
    });
    let refused = [Code::Ours(wire::ErrorCode::ConnectionLimit)];
    let mut operation = operation(id, about, &[known], ("200", good), refused);
    operation["responses"]["304"] = json!({ "description": "The client has it.", "headers": kept });
    operation["security"] = json!([]);
    operation
}

/// The names of all schemas that a part of the document needs.
fn reachable(from: &Value, schemas: &Map<String, Value>) -> Vec<String> {
    let (mut found, mut rest) = (Vec::<String>::new(), vec![from]);
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(list) => rest.extend(list),
            Value::Object(fields) => {
                let name =
                    fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
                if let Some(name) = name.filter(|name| !found.iter().any(|known| known == name)) {
                    found.push(name.to_owned());
                    rest.extend(schemas.get(name));
                }
                rest.extend(fields.values());
            }
            _ => {}
        }
    }
    found
}
