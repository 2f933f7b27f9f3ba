//! How much and how often a session is sent data: byte rates, credit, and the interval that adapts.

use serde_json::json;

use super::{Visit, short};

#[test]
fn answers_name_what_holds() {
    let mut visit = Visit::new();
    let ack = visit.ask(&json!({"op": "pace", "id": 1, "bytes_per_second": 9_000, "adaptive": true}));
    let holds = |rate: u64, adaptive, credit| json!({"type": "ack", "id": 1, "op": "pace", "bytes_per_second": rate, "adaptive": adaptive, "credit": credit});
    assert_eq!(ack, holds(9_000, true, false));
    let ack = visit.ask(&json!({"op": "pace", "id": 1, "adaptive": false, "credit": true}));
    assert_eq!(ack, holds(9_000, false, true), "what is left out stays");
    assert_eq!(visit.ask(&json!({"op": "pace", "id": 1, "bytes_per_second": 0})), holds(0, false, true));
}

#[test]
fn a_flush_costs_credit_and_says_so() {
    let mut visit = Visit::new();
    visit.reads(&["trades"], "A", &json!({}));
    visit.send(&json!({"op": "pace", "credit": true}));
    visit.happens("tA*3");
    assert_eq!(short(&visit.turn()), "");
    // Answers need none.
    let said = visit.send(&json!({"op": "credit", "id": 2, "flushes": 2}));
    assert_eq!(short(&said), "ack t2+t3+t4 flushed");
    assert_eq!(said[0], json!({"type": "ack", "id": 2, "op": "credit", "flushes": 2}));
    assert_eq!(said[2], json!({"type": "flushed", "credit": 1, "cursor": "7:9"}));
    assert_eq!(short(&visit.turn()), "", "nothing waits, nothing is spent");
    visit.happens("tA");
    assert_eq!(short(&visit.turn()), "t5 flushed");
    visit.happens("tA*2");
    assert_eq!(short(&visit.turn()), "", "it is spent");
    assert_eq!(short(&visit.send(&json!({"op": "pace", "credit": false}))), "ack t6+t7");
}

#[test]
fn credit_where_there_is_no_need_of_it() {
    let mut visit = Visit::new();
    let said = visit.ask(&json!({"op": "credit", "id": 3}));
    assert_eq!((&said["code"], &said["id"]), (&json!("invalid_request"), &json!(3)));
    assert_eq!(said["message"], "This session needs no credit. Send pace with \"credit\": true first.");
}

/// 5,000 bytes a second are 500 at a time: some two trades each tenth of a second, the rest merged.
#[test]
fn a_rate_merges_what_does_not_fit() {
    let mut visit = Visit::new();
    visit.reads(&["trades"], "A", &json!({}));
    visit.send(&json!({"op": "pace", "bytes_per_second": 5_000}));
    let (mut bytes, mut records, mut last) = (0, 0, 1);
    for _ in 0..1_000 {
        visit.happens("tA*5");
        for message in visit.after(10) {
            bytes += message.to_string().len();
            for record in message["data"].as_array().into_iter().flatten() {
                let sequence = record["sequence"].as_u64().unwrap();
                assert_eq!(record["prev_sequence"].as_u64().unwrap_or(sequence - 1), last, "they tile");
                (records, last) = (records + 1, sequence);
            }
        }
    }
    // In ten seconds, with the notice that it began and what one flush may overdraw.
    assert!((48_000..=52_000).contains(&bytes), "{bytes}");
    assert!(records < 250 && last > 4_500, "{records} records up to {last} of 5,001");
    let said = visit.send(&json!({"op": "pace", "bytes_per_second": 0}));
    assert!(short(&said).ends_with("t5001"), "all that waits goes at once: {}", short(&said));
    visit.happens("tA");
    assert_eq!(short(&visit.turn()), "t5002");
}

/// A full socket makes the interval longer, flushes that go out whole make it shorter again.
#[test]
fn the_interval_adapts_to_the_socket() {
    let mut visit = Visit::new();
    visit.reads(&["quotes"], "A", &json!({}));
    visit.send(&json!({"op": "pace", "adaptive": true}));
    visit.happens("qA");
    assert_eq!(short(&visit.turn()), "q2", "a socket that takes everything is not kept waiting");
    visit.line.set_full(true);
    visit.happens("qA");
    assert_eq!(short(&visit.turn()), "");
    visit.line.set_full(false);
    assert_eq!(short(&visit.turn()), "q3");
    visit.happens("qA");
    assert_eq!(short(&visit.after(19)), "", "20 milliseconds from the flush that did not fit");
    assert_eq!(short(&visit.after(1)), "q4");
    let mut flushes = 0;
    while {
        visit.happens("qA");
        visit.turn().is_empty()
    } {
        while visit.after(1).is_empty() {}
        flushes += 1;
        assert!(flushes < 100, "it becomes shorter");
    }
}
