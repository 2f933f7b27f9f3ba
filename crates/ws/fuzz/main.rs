//! Fuzz targets of the codec, built and run by `cargo xtask fuzz`. `FUZZ_TARGET` names one of them:
//! `frames`, `deflate` or `offers`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ws::{Connection, Decoder, Event, Input, Limits, negotiate};

static TARGET: LazyLock<String> = LazyLock::new(|| std::env::var("FUZZ_TARGET").unwrap_or_default());

const LIMITS: Limits = Limits { message_bytes: 4_096, inflated_bytes: 4_096, frames: 8 };

fuzz_target!(|data: &[u8]| match TARGET.as_str() {
    "offers" => offers(data),
    "deflate" => frames(data, true),
    "frames" => frames(data, false),
    other => panic!("FUZZ_TARGET={other} is not one of frames, deflate, offers"),
});

/// The first byte says how the rest is cut: the events must not depend on it, nor memory on what is claimed.
fn frames(data: &[u8], deflate: bool) {
    let Some((step, bytes)) = data.split_first() else { return };
    let whole = events(bytes, bytes.len().max(1), deflate);
    assert_eq!(whole, events(bytes, usize::from(*step).max(1), deflate));
    let mut decoder = Decoder::new(LIMITS, deflate);
    for slice in bytes.to_vec().chunks_mut(64) {
        let mut input = Input::new(slice);
        while !input.is_empty() {
            if decoder.decode(&mut input).is_err() {
                return;
            }
            assert!(decoder.held() <= 2 * LIMITS.message_bytes + 256);
        }
    }
}

fn events(bytes: &[u8], step: usize, deflate: bool) -> Vec<Event> {
    let agreed = negotiate(["permessage-deflate"]).unwrap_or_default().filter(|_| deflate);
    let (mut connection, mut events) = (Connection::new(LIMITS, agreed), Vec::new());
    for slice in bytes.to_vec().chunks_mut(step) {
        let mut input = Input::new(slice);
        while !input.is_empty() {
            events.extend(connection.handle(&mut input));
            while let Some(frame) = connection.poll_control() {
                assert!(frame.len() <= 127);
            }
        }
    }
    events
}

/// An answer is one that we would offer ourselves, and asks for no more than was offered.
fn offers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(Some(agreed)) = negotiate(text.split('\n')) {
        assert!(text.to_ascii_lowercase().contains("permessage-deflate"));
        assert_eq!(negotiate([agreed.to_string().as_str()]), Ok(Some(agreed)));
    }
}
