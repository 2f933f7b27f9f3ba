//! What the log says of a request and of a session, and how one is found from the other.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use common::{PATIENCE, Plant};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 2\nrate = 20\n";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Sends a request; the answer as far as it comes before the connection ends, or its head where it does not.
fn ask(address: &str, method: &str, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "no answer");
        answer.extend_from_slice(&piece[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The ids that an answer has.
fn ids(answer: &str) -> Vec<&str> {
    answer.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect()
}

/// The lines of a log with this message, once there is one.
fn lines(plant: &Plant, message: &str) -> Vec<Value> {
    plant.wait_for_log(&format!("\"message\":\"{message}\""));
    let log = plant.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_default());
    lines.filter(|line| line["message"] == message).collect()
}

#[test]
fn an_answer_says_what_its_request_is_called() {
    let plant = Plant::start_plain("", SIM);
    plant.wait_for("/readyz", 200);
    for address in [&plant.address, &plant.admin] {
        for path in ["/livez", "/v1/symbols", "/nothing"] {
            let answer = ask(address, "GET", path, "X-Request-Id: from-a-proxy/7\r\n", "");
            assert_eq!(ids(&answer), ["from-a-proxy/7"], "{answer}");
        }
        let made = ask(address, "GET", "/livez", "", "");
        assert_eq!(ids(&made)[0].len(), 32, "{made}");
        let other = ask(address, "GET", "/livez", "X-Request-Id: no good one\r\n", "");
        assert_ne!(ids(&other), ids(&made));
        assert_eq!(ids(&other)[0].len(), 32, "{other}");
    }
}

#[test]
fn the_log_of_a_session_names_its_request() {
    let plant = Plant::start_plain("", SIM);
    plant.wait_for("/readyz", 200);
    let admin = plant.token(&["admin"], "1h");
    let operator = format!("Authorization: Bearer {admin}\r\nX-Request-Id: operator-1\r\n");
    let set = ask(&plant.admin, "PUT", "/v1/log", &operator, "{\"filter\":\"debug\"}");
    assert!(set.starts_with("HTTP/1.1 200"), "{set}");
    assert_eq!(lines(&plant, "log filter changed")[0]["request_id"], "operator-1");

    let token = plant.token(&["stream:*"], "1h");
    let trace = format!("traceparent: 00-{TRACE}-b7ad6b7169203331-01\r\n");
    let shake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: tickwire.v1.json\r\n";
    let headers = format!("{shake}X-Request-Id: session-1\r\n{trace}Authorization: Bearer {token}\r\n");
    let mut stream = TcpStream::connect(&plant.address).unwrap();
    write!(stream, "GET /v1/stream HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", plant.address).unwrap();
    let opened = lines(&plant, "session opened");
    let session = opened[0]["session"].as_str().unwrap();
    assert_eq!(opened[0]["request_id"], "session-1");
    // A client that breaks a rule, and an operator who looks at it before.
    let path = format!("/v1/sessions/{session}");
    ask(&plant.admin, "PATCH", &path, &operator.replace("operator-1", "operator-2"), "{\"trace\":true}");
    let changed = &lines(&plant, "session changed")[0];
    assert_eq!((changed["session"].as_str(), &changed["request_id"]), (Some(session), &"operator-2".into()));
    stream.write_all(b"\x8f\x80\0\0\0\0").unwrap();
    let broke = &lines(&plant, "a client broke a rule")[0];
    assert_eq!((broke["session"].as_str(), &broke["rule"]), (Some(session), &"opcode 15 is reserved".into()));
    drop(stream);
    let closed = &lines(&plant, "session closed")[0];
    assert_eq!((closed["session"].as_str(), &closed["request_id"]), (Some(session), &"session-1".into()));
    assert_eq!((&closed["trace_id"], &closed["reason"]), (&TRACE.into(), &"protocol_error".into()));

    let poll = "/v1/snapshot?channel=quotes&symbol=BTC-USD&ticket=secret-ticket";
    ask(&plant.address, "GET", poll, "X-Request-Id: poll-1\r\n", "");
    plant.wait_for_log("poll-1");
    let told = lines(&plant, "answered");
    let told = told.iter().find(|line| line["request_id"] == "poll-1").unwrap();
    assert_eq!((&told["path"], &told["method"]), (&"/v1/snapshot".into(), &"GET".into()));
    assert!(told["status"].as_u64().unwrap() >= 400, "{told}");
    let log = plant.log();
    for secret in ["secret-ticket", &token, &admin] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}
