//! A client's frames, good and bad, and what comes of them in words.

#![allow(dead_code, reason = "each test takes what it needs")]

use ws::{Connection, Event, Input, Limits};

pub(crate) const LIMITS: Limits = Limits { message_bytes: 1_000, inflated_bytes: 1_000, frames: 5 };

/// A frame with this first byte, masked.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u64;
    let mut frame = vec![first];
    match length {
        0..126 => frame.push(0x80 | length.to_be_bytes()[7]),
        126..=0xffff => {
            frame.push(0xfe);
            frame.extend(&length.to_be_bytes()[6..]);
        }
        _ => {
            frame.push(0xff);
            frame.extend(length.to_be_bytes());
        }
    }
    let mask = [0x5a, 0x0f, 0xc3, 0x81];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// `payload` as a client compresses it.
pub(crate) fn deflated(payload: &[u8]) -> Vec<u8> {
    use flate2::{Compress, Compression, FlushCompress};
    let mut state = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(payload.len() + 1_000);
    state.compress_vec(payload, &mut out, FlushCompress::Sync).unwrap();
    assert!(state.total_in() == payload.len() as u64 && out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

/// All events of these bytes, fed in slices of `step`.
pub(crate) fn events(connection: &mut Connection, bytes: &[u8], step: usize) -> Vec<Event> {
    let (mut bytes, mut events) = (bytes.to_vec(), Vec::new());
    for slice in bytes.chunks_mut(step) {
        let mut input = Input::new(slice);
        while !input.is_empty() {
            let before = input.rest().len();
            let event = connection.handle(&mut input);
            assert!(input.rest().len() < before, "it goes on");
            assert!(event.is_some() || input.is_empty(), "it takes everything");
            events.extend(event);
        }
    }
    events
}

/// Events in short: `t:Hello b:2 ping pong close:1000 fault:1002`.
pub(crate) fn words(events: &[Event]) -> String {
    let word = |event: &Event| match event {
        Event::Text(text) if text.len() <= 20 => format!("t:{text}"),
        Event::Text(text) => format!("t{}", text.len()),
        Event::Binary(bytes) => format!("b{}", bytes.len()),
        Event::Ping => "ping".to_owned(),
        Event::Pong => "pong".to_owned(),
        Event::Close(None) => "close".to_owned(),
        Event::Close(Some(code)) => format!("close:{code}"),
        Event::Fault(fault) => format!("fault:{}", fault.close_code()),
    };
    events.iter().map(word).collect::<Vec<_>>().join(" ")
}
