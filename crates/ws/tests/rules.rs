//! The rules of RFC 6455 and RFC 7692 for what a client sends, one line each.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{LIMITS, deflated, events, frame, words};
use ws::{Connection, Event, Fault, Limits, negotiate};

/// What comes of these frames, in whole and byte by byte.
fn check_with(deflate: bool, frames: &[Vec<u8>], expected: &str) {
    let bytes = frames.concat();
    for step in [usize::MAX, 1, 3] {
        let deflate = negotiate(["permessage-deflate"]).unwrap().filter(|_| deflate);
        let mut connection = Connection::new(LIMITS, deflate);
        let events = events(&mut connection, &bytes, step);
        assert_eq!(words(&events), expected, "step {step}: {bytes:x?}");
    }
}

fn check(frames: &[Vec<u8>], expected: &str) {
    check_with(false, frames, expected);
}

fn check_deflate(frames: &[Vec<u8>], expected: &str) {
    check_with(true, frames, expected);
}

#[test]
fn messages() {
    check(&[frame(0x81, b"Hello")], "t:Hello");
    check(&[frame(0x81, b"")], "t:");
    check(&[frame(0x82, b"")], "b0");
    check(&[frame(0x82, &[7; 125]), frame(0x82, &[7; 126])], "b125 b126");
    check(&[frame(0x01, b"Hel"), frame(0x80, b"lo"), frame(0x81, b"x")], "t:Hello t:x");
    check(&[frame(0x01, b""), frame(0x00, b"a"), frame(0x00, b""), frame(0x80, b"")], "t:a");
    check(
        &[frame(0x01, b"Hel"), frame(0x89, b"?"), frame(0x8a, b""), frame(0x80, b"lo")],
        "ping pong t:Hello",
    );
    check(&[frame(0x89, &[1; 125]), frame(0x88, b"\x03\xe8bye"), frame(0x81, b"x")], "ping close:1000");
}

#[test]
fn flags_opcodes_and_masks() {
    for first in [0xc1, 0xa1, 0x91, 0xc2, 0xf1, 0xc9, 0x98] {
        check(&[frame(first, b"x")], "fault:1002");
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        check(&[frame(0x80 | opcode, b"")], "fault:1002");
    }
    check(&[vec![0x81, 0x00]], "fault:1002");
    check(&[vec![0x81, 0x01, b'x']], "fault:1002");
    check(&[vec![0x89, 0x00]], "fault:1002");
}

#[test]
fn lengths() {
    check(&[vec![0x82, 0xfe, 0x00, 0x7d]], "fault:1002");
    check(&[vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]], "fault:1002");
    check(&[vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 5]], "fault:1002");
    check(&[vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]], "fault:1002");
    // From the header alone.
    check(&[vec![0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]], "fault:1009");
    check(&[vec![0x82, 0xfe, 0x03, 0xe9]], "fault:1009");
    check(&[frame(0x82, &[0; 1_000])], "b1000");
    check(&[frame(0x02, &[0; 600]), frame(0x80, &[0; 400])], "b1000");
    check(&[frame(0x02, &[0; 600]), vec![0x80, 0xfe, 0x01, 0x91]], "fault:1009");
}

#[test]
fn fragments() {
    check(&[frame(0x80, b"x")], "fault:1002");
    check(&[frame(0x00, b"x")], "fault:1002");
    check(&[frame(0x01, b"x"), frame(0x81, b"y")], "fault:1002");
    check(&[frame(0x01, b"x"), frame(0x02, b"y")], "fault:1002");
    check(&[frame(0x81, b"x"), frame(0x80, b"y")], "t:x fault:1002");
    let four = vec![frame(0x00, b""); 4];
    check(&[&[frame(0x01, b"")][..], &four[..3], &[frame(0x80, b"x")]].concat(), "t:x");
    check(&[&[frame(0x01, b"")][..], &four, &[frame(0x80, b"x")]].concat(), "fault:1009");
}

#[test]
fn control_frames() {
    check(&[vec![0x89, 0xfe]], "fault:1002");
    check(&[vec![0x88, 0xff]], "fault:1002");
    check(&[frame(0x09, b"")], "fault:1002");
    check(&[frame(0x0a, b"")], "fault:1002");
    check(&[frame(0x08, b"")], "fault:1002");
    check(&[frame(0x88, b"")], "close");
    check(&[frame(0x88, b"\x03")], "fault:1002");
    check(&[frame(0x88, b"\x03\xe8\xff")], "fault:1007");
    check(&[frame(0x88, &1014_u16.to_be_bytes())], "close:1014");
    check(&[frame(0x88, &4999_u16.to_be_bytes())], "close:4999");
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535_u16] {
        check(&[frame(0x88, &code.to_be_bytes())], "fault:1002");
    }
}

#[test]
fn utf8() {
    check(&[frame(0x81, "κόσμε".as_bytes())], "t:κόσμε");
    check(&[frame(0x01, b"\xe2"), frame(0x89, b""), frame(0x00, b"\x82"), frame(0x80, b"\xac")], "ping t:€");
    check(&[frame(0x01, b"\xe2\x82"), frame(0x80, b"")], "fault:1007");
    check(&[frame(0x81, b"\xe2\x82")], "fault:1007");
    check(&[frame(0x81, b"\xed\xa0\x80")], "fault:1007");
    check(&[frame(0x82, b"\xff")], "b1");
    // The bad byte is enough: the rest of the frame, and of the message, need not come.
    let part = |payload: &[u8]| frame(0x01, &[payload, &[b'x'; 100]].concat())[..6 + payload.len()].to_vec();
    check(&[part(b"\xf4\x90")], "fault:1007");
    check(&[frame(0x01, b"\xf4"), part(b"\x90")], "fault:1002");
    check(&[frame(0x01, b"\xf4"), frame(0x00, b"\x90")], "fault:1007");
}

#[test]
fn compressed() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    check_deflate(&[frame(0xc1, &hello), frame(0x81, b"plain")], "t:Hello t:plain");
    check_deflate(&[frame(0x41, &hello[..3]), frame(0x89, b""), frame(0x80, &hello[3..])], "ping t:Hello");
    check_deflate(&[frame(0xc1, &[0])], "t:");
    check_deflate(&[frame(0x41, &hello[..3]), frame(0xc0, &hello[3..])], "fault:1002");
    check_deflate(&[frame(0xc9, b"")], "fault:1002");
    check_deflate(&[frame(0xa1, &hello)], "fault:1002");
    check(&[frame(0xc1, &hello)], "fault:1002");
    check_deflate(&[frame(0xc1, b"\xff\xff\xff\xff")], "fault:1007");
    check_deflate(&[frame(0xc1, &hello[..4])], "fault:1007");
    check_deflate(&[frame(0xc1, &deflated(b"\xe2\x82"))], "fault:1007");
    check_deflate(&[frame(0x41, &deflated(b"ab\xff0123456789"))], "fault:1007");
}

#[test]
fn inflating_stops_at_the_limit() {
    check_deflate(&[frame(0xc2, &deflated(&[0; 1_000]))], "b1000");
    check_deflate(&[frame(0xc2, &deflated(&[0; 1_001]))], "fault:1009");
    check_deflate(&[frame(0xc1, &deflated("€".repeat(334).as_bytes()))], "fault:1009");
    // Of two faults the first counts.
    check_deflate(&[frame(0xc1, &deflated(&[&[b'x'; 999][..], &[0xff; 500]].concat()))], "fault:1007");
    check_deflate(&[frame(0xc1, &deflated(&[&[b'x'; 1_000][..], &[0xff; 500]].concat()))], "fault:1009");
    let limits = Limits { message_bytes: 1 << 20, inflated_bytes: 64 << 10, frames: 5 };
    let bomb = frame(0xc2, &deflated(&vec![0; 60 << 20]));
    assert!(bomb.len() < 64 << 10);
    let mut connection = Connection::new(limits, negotiate(["permessage-deflate"]).unwrap());
    assert_eq!(events(&mut connection, &bomb, 1_000), [Event::Fault(Fault::MessageTooLong)]);
}

/// What is answered: control frames as they would go out, then the close frame.
fn answers(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut connection = Connection::new(LIMITS, None);
    events(&mut connection, &frames.concat(), usize::MAX);
    let mut answers: Vec<_> = std::iter::from_fn(|| connection.poll_control()).collect();
    answers.extend(connection.poll_close());
    assert_eq!(connection.poll_close(), None, "once");
    answers.iter().map(|answer| answer.to_vec()).collect()
}

#[test]
fn what_is_answered() {
    for (frames, expected) in [
        (vec![frame(0x81, b"x")], vec![]),
        (vec![frame(0x89, b"one")], vec![b"\x8a\x03one".to_vec()]),
        (vec![frame(0x89, b"one"), frame(0x89, b"two")], vec![b"\x8a\x03two".to_vec()]),
        (vec![frame(0x8a, b"one")], vec![]),
        (vec![frame(0x88, b"")], vec![b"\x88\x00".to_vec()]),
        (vec![frame(0x88, b"\x0f\xa0bye")], vec![b"\x88\x02\x0f\xa0".to_vec()]),
        (vec![frame(0x88, b""), frame(0x89, b"late"), frame(0x88, b"")], vec![b"\x88\x00".to_vec()]),
        (vec![frame(0x89, b"a"), frame(0x88, b"")], vec![b"\x8a\x01a".to_vec(), b"\x88\x00".to_vec()]),
        (vec![frame(0x83, b""), frame(0x89, b"late")], vec![b"\x88\x02\x03\xea".to_vec()]),
        (vec![frame(0x81, b"\xff")], vec![b"\x88\x02\x03\xef".to_vec()]),
        (vec![frame(0x82, &[0; 1_001])], vec![b"\x88\x02\x03\xf1".to_vec()]),
    ] {
        assert_eq!(answers(&frames), expected, "{frames:x?}");
    }
}

#[test]
fn closing_ourselves() {
    let mut connection = Connection::new(LIMITS, None);
    connection.close(1012, "restart");
    assert_eq!(connection.poll_control(), None, "behind the messages that wait");
    assert!(!connection.is_closed());
    assert_eq!(connection.poll_close().as_deref(), Some(&b"\x88\x09\x03\xf4restart"[..]));
    connection.close(1000, "");
    assert_eq!(connection.poll_close(), None);
    // Nothing is sent after it, not even a pong.
    let heard = events(&mut connection, &[frame(0x89, b"?"), frame(0x81, b"x")].concat(), usize::MAX);
    assert_eq!(words(&heard), "ping t:x");
    assert!(!connection.has_control() && connection.poll_control().is_none());
    assert!(connection.is_closed() && !connection.is_over());
    events(&mut connection, &frame(0x88, b"\x03\xf4"), usize::MAX);
    assert!(connection.is_over() && connection.poll_close().is_none());
}

#[test]
fn a_better_word_for_a_fault() {
    let mut connection = Connection::new(LIMITS, None);
    events(&mut connection, &frame(0x82, &[0; 1_001]), usize::MAX);
    connection.close(1009, "too_big");
    assert_eq!(connection.poll_close().as_deref(), Some(&b"\x88\x09\x03\xf1too_big"[..]));
    assert!(connection.is_deaf() && !connection.is_over());
}
