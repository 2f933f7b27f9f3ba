//! `PROTOCOL.md` is true: every line of JSON in it is read, and written back byte for byte.

#![expect(clippy::unwrap_used, reason = "a test")]

use wire::{Control, Cursor, Data, ErrorCode, ErrorMessage, Request, ServerMessage};

const PAGE: &str = include_str!("../PROTOCOL.md");

/// The lines of all blocks of JSON.
fn examples() -> Vec<&'static str> {
    let blocks = PAGE.split("```json\n").skip(1);
    let blocks = blocks.map(|rest| rest.split_once("```").expect("a block that ends").0);
    blocks.flat_map(str::lines).collect()
}

fn is_request(line: &str) -> bool {
    line.starts_with("{\"op\":")
}

#[test]
fn every_message_is_written_as_it_stands_here() {
    let (mut control, mut data) = (0, 0);
    for line in examples().into_iter().filter(|line| !is_request(line)) {
        let written = match ServerMessage::parse(line).unwrap_or_else(|error| panic!("{error}: {line}")) {
            ServerMessage::Control(message) => {
                control += 1;
                message.to_json()
            }
            ServerMessage::Snapshot(message) => {
                data += 1;
                rewrite("snapshot", &message)
            }
            ServerMessage::Update(message) => {
                data += 1;
                rewrite("update", &message)
            }
            ServerMessage::Unknown(kind) => panic!("{kind} is not of the protocol: {line}"),
        };
        assert_eq!(written, line);
    }
    assert!(control >= 15 && data >= 9, "{control} control and {data} data messages: are they still found?");
}

/// The other encoding says the same, digit for digit, and is shorter.
#[test]
fn every_line_comes_back_from_messagepack() {
    let (mut json, mut packed) = (0, 0);
    for line in examples() {
        let bytes = wire::pack(line.as_bytes()).unwrap();
        assert_eq!(wire::unpack(&bytes).unwrap(), line);
        (json, packed) = (json + line.len(), packed + bytes.len());
    }
    assert!(packed * 10 < json * 9, "{packed} of {json} bytes");
}

fn rewrite(kind: &str, data: &Data) -> String {
    let cursor: Cursor = data.cursor.parse().unwrap();
    let as_of = data.as_of.as_ref().map(|as_of| as_of.parse::<Cursor>().unwrap().position);
    let mut out = Vec::new();
    let (channel, replay, ts_sent) = (data.channel, data.replay.as_deref(), data.ts_sent);
    wire::open_data(&mut out, &wire::Envelope { kind, channel, replay, cursor: &cursor, as_of, ts_sent });
    for (n, record) in data.records.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        record.write(&mut out);
    }
    let places = data.sequences.iter().copied().chain(std::iter::repeat(model::Seq::START));
    let empty: Vec<_> = data.empty.iter().map(String::as_str).zip(places).collect();
    wire::close_data(&mut out, &empty);
    String::from_utf8(out).unwrap()
}

/// A request is accepted, or the line below it is the error that it gets.
#[test]
fn every_request_is_answered_as_it_stands_here() {
    let lines = examples();
    let (mut accepted, mut refused) = (0, 0);
    for (n, line) in lines.iter().enumerate().filter(|(_, line)| is_request(line)) {
        match Request::parse(line) {
            Ok(_) => accepted += 1,
            Err(error) => {
                let answer = Control::Error(Box::new(ErrorMessage {
                    id: error.id,
                    op: error.op,
                    code: error.code,
                    message: error.message,
                    retryable: error.code.retryable(),
                    details: error.details,
                }));
                assert_eq!(answer.to_json(), lines[n + 1]);
                refused += 1;
            }
        }
    }
    assert!(accepted >= 7 && refused >= 3, "{accepted} accepted, {refused} refused: are they still found?");
}

/// The table of codes is the code's own.
#[test]
fn the_table_of_codes() {
    for code in ErrorCode::ALL {
        let retryable = if code.retryable() { "yes" } else { "no" };
        let close = code.close().map_or_else(|| "none".to_owned(), |close| close.number().to_string());
        let row = format!("| `{}` | {retryable} | {close} |", code.as_str());
        assert!(PAGE.contains(&row), "not in PROTOCOL.md: {row}");
    }
}
