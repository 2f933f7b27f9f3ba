//! What rubbish does to a plant: every kind of it gets the answer that the protocol promises, and a
//! client beside it notices nothing.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use client::{ClientError, Connection, Endpoint, Streams};
use serde_json::{Value, json};
use wire::ServerMessage;

use common::recorded::until;
use common::{PATIENCE, Plant, SECRET, get, text, tickwire};

const SIM: &str =
    "[limits]\nauth_timeout = \"1s\"\n[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 5\nrate = 500\n";

/// A token with this header and these claims, signed with the plant's own secret.
fn forge(header: &Value, claims: &Value) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn claims(change: &Value) -> Value {
    let mut claims = json!({"sub": "eve", "iss": "tickwire", "aud": "tickwire", "exp": now() + 600, "scopes": ["stream:*"]});
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Tokens that are none, and the code each gets.
fn bad_tokens() -> Vec<(&'static str, String, &'static str)> {
    let hs256 = json!({"alg": "HS256", "typ": "JWT", "kid": "main"});
    let good = forge(&hs256, &claims(&json!({})));
    let (head, rest) = good.split_once('.').unwrap();
    let unsigned = json!({"alg": "none", "typ": "JWT"});
    vec![
        ("rubbish", "rubbish".into(), "token_invalid"),
        ("another's signature", format!("{head}.{}AAAA", &rest[..rest.len() - 4]), "token_invalid"),
        ("no algorithm", forge(&unsigned, &claims(&json!({}))), "token_invalid"),
        (
            "no algorithm, no signature",
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(unsigned.to_string()), rest.split_once('.').unwrap().0),
            "token_invalid",
        ),
        (
            "another algorithm",
            forge(&json!({"alg": "RS256", "kid": "main"}), &claims(&json!({}))),
            "token_invalid",
        ),
        ("expired", forge(&hs256, &claims(&json!({"exp": now() - 60}))), "token_expired"),
        ("not valid yet", forge(&hs256, &claims(&json!({"nbf": now() + 300}))), "token_invalid"),
        ("for others", forge(&hs256, &claims(&json!({"aud": "others"}))), "token_invalid"),
        ("by others", forge(&hs256, &claims(&json!({"iss": "others"}))), "token_invalid"),
    ]
}

struct Rubbish<'a> {
    plant: &'a Plant,
}

impl Rubbish<'_> {
    fn endpoint(&self, token: Option<String>) -> Endpoint {
        Endpoint { url: self.plant.url(), token, ca: Some(self.plant.ca()) }
    }

    async fn connect(&self, token: Option<String>) -> Connection {
        let mut connection = Connection::open(&self.endpoint(token)).await.unwrap();
        assert!(next(&mut connection).await.unwrap().contains("\"welcome\""));
        connection
    }

    /// The answer to a request, past all data.
    async fn ask(&self, connection: &mut Connection, request: &Value) -> Value {
        connection.send(request).await.unwrap();
        answer(connection).await
    }
}

async fn next(connection: &mut Connection) -> Result<String, ClientError> {
    tokio::time::timeout(PATIENCE, connection.next())
        .await
        .expect("a message in time")
        .map(|incoming| incoming.text)
}

async fn answer(connection: &mut Connection) -> Value {
    loop {
        let message: Value = serde_json::from_str(&next(connection).await.unwrap()).unwrap();
        if matches!(message["type"].as_str(), Some("ack" | "error" | "pong" | "echo")) {
            return message;
        }
    }
}

/// How the server ends a session: its last error's code and the close code.
async fn ending(connection: &mut Connection) -> (String, u16) {
    let mut last = String::new();
    loop {
        match next(connection).await {
            Ok(text) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] == "error" {
                    message["code"].as_str().unwrap().clone_into(&mut last);
                }
            }
            Err(ClientError::Closed { code, .. }) => return (last, code),
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rubbish_is_answered_and_hurts_nobody() {
    let plant = Plant::start(SIM);
    plant.wait_for("/readyz", 200);
    let token = plant.token(&["stream:*"], "10m");
    let rubbish = Rubbish { plant: &plant };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let bystander = tokio::spawn(bystander(rubbish.endpoint(Some(token.clone())), stopped));

    tokens(&rubbish).await;
    requests(&rubbish, &token).await;
    messages(&rubbish, &token).await;
    let (address, ca) = (plant.address.clone(), plant.ca());
    tokio::task::spawn_blocking(move || bytes(&address, &ca)).await.unwrap();

    stop.send(()).unwrap();
    let records = bystander.await.unwrap();
    assert!(records > 100, "{records} records");
    let (status, metrics) = get(&plant.admin, "/metrics");
    assert_eq!(status, 200);
    assert!(!metrics.contains(&token), "a token is in the metrics");
}

/// Reads everything, and holds the server to every sequence.
async fn bystander(endpoint: Endpoint, mut stopped: tokio::sync::oneshot::Receiver<()>) -> u64 {
    let mut connection = Connection::open(&endpoint).await.unwrap();
    let all = json!({"op": "subscribe", "channels": ["trades", "quotes", "book"], "symbols": ["*"]});
    connection.send(&all).await.unwrap();
    let (mut streams, mut records) = (Streams::default(), 0);
    loop {
        let incoming = tokio::select! {
            incoming = connection.next() => incoming.expect("nobody's rubbish ends this session"),
            _ = &mut stopped => return records,
        };
        match &incoming.message {
            ServerMessage::Snapshot(data) => streams.snapshot(data),
            ServerMessage::Update(data) => {
                streams.update(data).unwrap();
                records += data.records.len() as u64;
            }
            ServerMessage::Control(_) | ServerMessage::Unknown(_) => {}
        }
    }
}

async fn tokens(rubbish: &Rubbish<'_>) {
    for (what, token, code) in bad_tokens() {
        // In the handshake: refused before the upgrade.
        let refused = Connection::open(&rubbish.endpoint(Some(token.clone()))).await.err().expect(what);
        assert!(refused.is_auth(), "{what}: {refused}");
        // In band: an error; the session may try again.
        let mut connection = rubbish.connect(None).await;
        let error = rubbish.ask(&mut connection, &json!({"op": "auth", "id": 1, "token": token})).await;
        assert_eq!(
            (&error["code"], &error["id"], &error["op"]),
            (&json!(code), &json!(1), &json!("auth")),
            "{what}"
        );
        let pong = rubbish.ask(&mut connection, &json!({"op": "ping", "id": 2})).await;
        assert_eq!((&pong["type"], &pong["id"]), (&json!("pong"), &json!(2)), "{what}");
    }

    // No token: nothing but auth, ping and echo, and not for long.
    let mut connection = rubbish.connect(None).await;
    let error = rubbish
        .ask(&mut connection, &json!({"op": "subscribe", "channels": ["trades"], "symbols": ["*"]}))
        .await;
    assert_eq!(error["code"], "unauthenticated");
    assert_eq!(ending(&mut connection).await, ("auth_timeout".into(), 4504));

    let mut connection = rubbish.connect(None).await;
    for _ in 0..3 {
        connection.send(&json!({"op": "auth", "token": "rubbish"})).await.unwrap();
    }
    assert_eq!(ending(&mut connection).await, ("token_invalid".into(), 4501));
}

async fn requests(rubbish: &Rubbish<'_>, token: &str) {
    let mut connection = rubbish.connect(Some(token.into())).await;
    for (request, code, says) in [
        (json!({"op": "subscrbe"}), "unknown_op", "Did you mean \"subscribe\"?"),
        (
            json!({"op": "subscribe", "channels": ["trade"], "symbols": ["*"]}),
            "unknown_channel",
            "Did you mean \"trades\"?",
        ),
        (
            json!({"op": "subscribe", "channel": ["trades"], "symbols": ["*"]}),
            "invalid_request",
            "Did you mean \"channels\"?",
        ),
        (
            json!({"op": "subscribe", "channels": ["book"], "symbols": ["*"], "depth": 7}),
            "invalid_request",
            "\"depth\" must be 1, 5, 10, 20, 50",
        ),
        (
            json!({"op": "subscribe", "channels": ["book"], "symbols": ["*"], "conflate_ms": -1}),
            "invalid_request",
            "\"conflate_ms\"",
        ),
        (json!(["not", "an", "object"]), "invalid_request", "one JSON object"),
    ] {
        let error = rubbish.ask(&mut connection, &request).await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{request}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
    let unknown =
        json!({"op": "subscribe", "id": "u", "channels": ["trades"], "symbols": ["BTC-USDD", "NO-SUCH"]});
    let ack = rubbish.ask(&mut connection, &unknown).await;
    assert_eq!((&ack["type"], &ack["symbols"]), (&json!("ack"), &json!([])));
    assert_eq!(ack["rejected"][0]["message"], "Unknown symbol BTC-USDD. Did you mean BTC-USD?");
    assert_eq!(ack["rejected"][1]["code"], "unknown_symbol");

    // What the token does not cover.
    let narrow = rubbish.plant.token(&["stream:ETH-*/trades"], "10m");
    let mut connection = rubbish.connect(Some(narrow)).await;
    let ask = json!({"op": "subscribe", "channels": ["trades"], "symbols": ["ETH-USD", "BTC-USD"]});
    let ack = rubbish.ask(&mut connection, &ask).await;
    assert_eq!((&ack["symbols"], &ack["rejected"][0]["code"]), (&json!(["ETH-USD"]), &json!("forbidden")));
}

async fn messages(rubbish: &Rubbish<'_>, token: &str) {
    let mut connection = rubbish.connect(Some(token.into())).await;
    // The server may cut the line before all of it is written.
    let _ = connection.send(&json!({"op": "echo", "payload": "x".repeat(1 << 20)})).await;
    assert_eq!(ending(&mut connection).await.1, 1009);

    // Ten slips in a row are no accident.
    let mut connection = rubbish.connect(Some(token.into())).await;
    for _ in 0..10 {
        connection.send(&json!("rubbish")).await.unwrap();
    }
    assert_eq!(ending(&mut connection).await, ("invalid_request".into(), 4502));
}

/// Rubbish below the level of messages: each kind on a connection of its own.
fn bytes(address: &str, ca: &std::path::Path) {
    // Not TLS, not HTTP, nothing at all, half a handshake.
    for rubbish in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 4096], b"", &[0x16, 0x03, 0x01, 0x02, 0x00]] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may have hung up already.
        let _ = stream.write_all(rubbish);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }

    // WebSocket frames that are none, from a client that is not ours.
    let script = common::top().join("crates/tickwire/tests/python/frames.py");
    let output =
        std::process::Command::new(common::python()).arg(script).arg(address).arg(ca).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// The plant goes on with what a truncated capture still says.
#[test]
fn a_truncated_capture_plays_up_to_the_cut() {
    use flate2::{Compression, write::GzEncoder};
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(common::top().join("feeds/recordings/sim.jsonl")).unwrap();
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(&whole).unwrap();
    let gz = gz.finish().unwrap();
    let cut = folder.path().join("cut.gz");
    std::fs::write(&cut, &gz[..gz.len() / 2]).unwrap();

    let output = tickwire().args(["normalize", "--feed", "sim"]).arg(&cut).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = std::fs::read(common::top().join("feeds/recordings/sim.expected.ndjson")).unwrap();
    assert!(
        output.stdout.len() > 10_000 && expected.starts_with(&output.stdout),
        "what is before the cut is right"
    );
    let lines = text(&output.stderr);
    assert!(lines.contains("nothing can be read from here on"), "{lines}");

    let plant = Plant::start(&format!(
        "[[feed]]\nname = \"cut\"\nkind = \"replay\"\nfeed = \"sim\"\nfiles = [{cut:?}]\nspeed = \"max\"\n\
         [[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 1\nrate = 100\nsymbol_suffix = \"-LIVE\"\n"
    ));
    // The end of the replay is told, and the other feed is well, whichever of the two comes first.
    until("one has ended, the other is open", || {
        let (_, body) = get(&plant.admin, "/readyz");
        body.contains("\"cut\":\"source_down\"") && body.contains("\"sim\":\"open\"")
    });
    let (_, metrics) = get(&plant.admin, "/metrics");
    let counted = metrics.lines().find(|line| line.starts_with("tickwire_feed_errors_total{feed=\"cut\""));
    assert!(counted.is_some_and(|line| !line.ends_with(" 0")), "{counted:?}");
}
