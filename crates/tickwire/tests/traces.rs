//! What a collector is told: decoded by OpenTelemetry's own classes for Python.

#![cfg(feature = "otlp")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use common::{Guard, PATIENCE, Plant, python, tickwire, top};

/// A collector, its port, and what it is told.
fn collector() -> (Guard, String, Receiver<Value>) {
    let mut command = Command::new(python());
    command.arg(top().join("crates/tickwire/tests/python/collector.py"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.next().expect("a port");
    let (told, spans) = mpsc::channel();
    thread::spawn(move || lines.try_for_each(|line| told.send(serde_json::from_str(&line).unwrap())));
    (Guard(child), port, spans)
}

fn traces(port: &str, more: &str) -> String {
    format!("[traces]\nendpoint = \"http://127.0.0.1:{port}\"\nservice = \"plant-7\"\n{more}")
}

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 2\nrate = 50\n";

/// Reads some records, as a client that says which trace it is of.
fn read(plant: &Plant, records: &str) {
    let mut sub = tickwire();
    sub.args(["sub", "-c", "trades,quotes", "-s", "*", "--count", records, "--url", &plant.url()]);
    sub.args(["--token", &plant.token(&["stream:*"], "1h")]);
    assert!(sub.stdout(Stdio::null()).status().unwrap().success());
}

#[test]
fn an_update_is_followed_from_its_receipt_into_sockets() {
    let (_collector, port, spans) = collector();
    let plant =
        Plant::start_plain("drain = \"0s\"\n", &format!("{}{SIM}", traces(&port, "sample = \"1\"\n")));
    plant.wait_for("/readyz", 200);
    read(&plant, "60");
    let mut roots = BTreeMap::new();
    let send = loop {
        let span = spans.recv_timeout(PATIENCE).expect("a span of each kind");
        assert_eq!(
            (&span["resource"]["service.name"], &span["scope"]),
            (&"plant-7".into(), &"tickwire".into())
        );
        assert!(span["from"].as_u64().unwrap() > 0 && span["from"].as_u64() <= span["to"].as_u64(), "{span}");
        match span["name"].as_str().unwrap() {
            "update" => {
                assert_eq!(span["parent"], "");
                assert!(span["facts"]["tickwire.sequence"].as_u64().unwrap() > 0, "{span}");
                roots.insert(span["trace"].as_str().unwrap().to_owned(), span);
            }
            "send" if span["facts"]["tickwire.fate"] == "delivered" => break span,
            "send" => {}
            other => panic!("{other}"),
        }
    };
    let root = &roots[send["trace"].as_str().unwrap()];
    assert_eq!((&send["parent"], &send["facts"]["tickwire.door"]), (&root["span"], &"websocket".into()));
    assert!(root["to"].as_u64() <= send["to"].as_u64(), "it is sequenced before it is sent");
    let session = send["facts"]["tickwire.session"].as_str().unwrap();
    plant.wait_for_log("session closed");
    assert!(plant.log().contains(&format!("\"session\":\"{session}\"")), "the log knows it by the same name");
    let text = common::get(&plant.admin, "/metrics").1;
    assert!(text.contains("tickwire_trace_spans_lost_total 0"), "{text}");
}

/// Nobody asked for updates: what is told is what a request's own trace wants to know, until the very end.
#[test]
fn a_request_is_told_of_where_its_trace_says_so() {
    let (_collector, port, spans) = collector();
    let config = format!("{}{SIM}", traces(&port, "sample = \"0\"\n"));
    let mut plant = Plant::start_plain("drain = \"0s\"\n", &config);
    plant.wait_for("/readyz", 200);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    for flags in ["00", "01"] {
        let asked =
            format!("traceparent: 00-{trace}-b7ad6b7169203331-{flags}\r\nX-Request-Id: with-{flags}\r\n");
        assert_eq!(common::get_saying(&plant.address, "/v1/symbols?ticket=secret", &asked).0, 401);
    }
    // What waits is told before the end.
    Command::new("kill").args(["-TERM", &plant.id().to_string()]).status().unwrap();
    assert!(plant.wait(PATIENCE).success());
    let span = spans.recv_timeout(PATIENCE).unwrap();
    assert_eq!((&span["trace"], &span["parent"]), (&trace.into(), &"b7ad6b7169203331".into()));
    assert_eq!((&span["name"], &span["kind"]), (&"GET".into(), &2.into()), "a server's");
    let facts = &span["facts"];
    assert_eq!(
        (&facts["url.path"], &facts["tickwire.request_id"]),
        (&"/v1/symbols".into(), &"with-01".into())
    );
    assert_eq!(facts["http.response.status_code"], 401);
    assert!(spans.recv_timeout(Duration::from_millis(500)).is_err(), "and nothing else");
}

/// A collector that is not there costs spans, one line of the log, and nothing else.
#[test]
fn a_collector_that_is_not_there_is_no_fault_of_the_plant() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!("{}{SIM}", traces(&free.to_string(), "sample = \"1\"\n"));
    let plant = Plant::start_plain("", &config);
    plant.wait_for("/readyz", 200);
    read(&plant, "30");
    plant.wait_for_log("the collector takes no spans");
    plant.wait_for_log("Connection refused");
    let lost = || {
        let text = common::get(&plant.admin, "/metrics").1;
        let line = text.lines().find(|line| line.starts_with("tickwire_trace_spans_lost_total ")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let until = std::time::Instant::now() + PATIENCE;
    while lost() < 100 {
        assert!(std::time::Instant::now() < until, "{} are lost", lost());
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(plant.log().matches("the collector takes no spans").count(), 1);
}
