//! Records and packets on the command line: what they come to, and how a broken one is told.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::path::Path;

use common::{run, text};
use serde_json::Value;
use tempfile::TempDir;

/// 2024-01-02T14:30:00Z, half past nine in New York.
const OPENING: u64 = 1_704_205_800_000_000_000;

/// An MBO record of DBN: what happens to an order of instrument 7 (`A` comes, `C` goes, `T` a trade).
fn order(id: u64, action: u8, side: u8, price: i64, size: u32) -> Vec<u8> {
    let mut record = vec![14, 0xa0, 1, 0, 7, 0, 0, 0];
    record.extend((OPENING + id).to_le_bytes());
    record.extend(id.to_le_bytes());
    record.extend((price * 250_000_000).to_le_bytes());
    record.extend(size.to_le_bytes());
    record.extend([128, 0, action, side]);
    record.extend((OPENING + id + 500).to_le_bytes());
    record.extend([0; 4]);
    record.extend(6_000_u32.to_le_bytes());
    record
}

/// A message of ITCH in a file of messages: an order of ten shares to buy.
fn itch_order() -> Vec<u8> {
    let time = &34_200_000_000_001_u64.to_be_bytes()[2..];
    let mut file = vec![0, 36, b'A', 0, 9, 0, 0];
    file.extend(time);
    file.extend(77_u64.to_be_bytes());
    file.push(b'B');
    file.extend(10_u32.to_be_bytes());
    file.extend(b"BRK.B   ");
    file.extend(3_655_000_u32.to_be_bytes());
    file
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What `normalize` prints, line by line, its exit code, and what it says.
fn normalize(feed: &str, file: &str) -> (Vec<Value>, Option<i32>, String) {
    let output = run(&["normalize", "--feed", feed, file]);
    let lines = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, output.status.code(), text(&output.stderr))
}

#[test]
fn orders_become_books_trades_and_quotes() {
    let folder = TempDir::new().unwrap();
    let events = [
        order(1, b'A', b'B', 40, 5),
        order(2, b'A', b'A', 41, 3),
        order(0, b'T', b'B', 41, 3),
        order(2, b'C', b'A', 41, 3),
    ];
    let (lines, code, said) = normalize("dbn", &write(&folder, "orders.dbn", &events.concat()));
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let shown: Vec<_> = lines
        .iter()
        .map(|line| {
            let of = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            assert_eq!(
                (of("venue"), of("venue_symbol"), of("symbol")),
                ("glbx-mdp3".into(), "7".into(), "7".into())
            );
            (of("channel"), line["sequence"].as_u64().unwrap(), of("ts_event"))
        })
        .collect();
    let at = |nanos: u64| format!("2024-01-02T14:30:00.{nanos:09}Z");
    let wanted = [
        ("book", 1, 1),
        ("quotes", 1, 1),
        ("book", 2, 2),
        ("quotes", 2, 2),
        ("trades", 1, 0),
        ("book", 3, 2),
        ("quotes", 3, 2),
    ];
    assert_eq!(shown, wanted.map(|(channel, number, nanos)| (channel.to_owned(), number, at(nanos))));
    assert_eq!(lines[0]["snapshot"], true);
    assert_eq!(lines[0]["bids"], serde_json::json!([["10.000000000", "5"]]));
    assert_eq!(lines[2]["asks"], serde_json::json!([["10.250000000", "3"]]));
    assert_eq!(lines[3]["derived"], true);
    let trade = &lines[4];
    assert_eq!(
        (&trade["side"], &trade["trade_id"], &trade["ts_recv"]),
        (&"buy".into(), &"6000".into(), &at(500).into())
    );
    assert_eq!(lines[5]["asks"], serde_json::json!([["10.250000000", "0"]]));
}

#[test]
fn a_broken_record_is_named_and_passed_over() {
    let folder = TempDir::new().unwrap();
    let short = [vec![4, 0xa0, 1, 0], vec![0; 12]].concat();
    let file = write(
        &folder,
        "broken.dbn",
        &[order(1, b'A', b'B', 40, 5), short, order(2, b'A', b'B', 39, 5), vec![14]].concat(),
    );
    let (lines, code, said) = normalize("dbn", &file);
    assert_eq!((lines.len(), code), (3, Some(1)));
    let wanted = [
        format!("{file}: record 2: an order of 16 bytes, at least 56 are needed"),
        format!("{file}: byte 128: the file ends in the middle of a record"),
        "2 broken record(s) were passed over".to_owned(),
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), wanted);
    let (lines, code, said) = normalize("iex", &file);
    assert_eq!((lines.len(), code), (0, Some(1)));
    assert!(said.starts_with(&format!("{file}: byte 0: not a capture (pcap or pcapng)")), "{said}");
}

#[test]
fn a_name_tells_the_day() {
    let folder = TempDir::new().unwrap();
    let (lines, code, said) = normalize("itch", &write(&folder, "01022024.NASDAQ_ITCH50", &itch_order()));
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(lines[0]["ts_event"], "2024-01-02T14:30:00.000000001Z");
    assert_eq!((&lines[0]["venue"], &lines[0]["symbol"]), (&"nasdaq".into(), &"BRK.B".into()));
    assert_eq!(lines[0]["bids"], serde_json::json!([["365.5000", "10"]]));
    assert!(lines[0].get("ts_recv").is_none());
    let (lines, code, said) = normalize("itch", &write(&folder, "messages", &itch_order()));
    assert_eq!((lines.len(), code), (0, Some(1)));
    assert!(
        said.contains(
            "byte 0: its times are times of day, and nothing says of which one: --date, or the key date"
        ),
        "{said}"
    );
}

#[test]
fn kinds_without_a_record_are_no_wrong_feed() {
    let folder = TempDir::new().unwrap();
    let statistic = [vec![16, 0x18, 1, 0], vec![0; 60]].concat();
    let (lines, code, said) = normalize("dbn", &write(&folder, "statistics.dbn", &statistic));
    assert_eq!((lines.len(), code), (0, Some(0)));
    assert_eq!(said, "1 record(s) of the kind \"statistic\" were read: none is made of these\n");
}

#[test]
fn files_with_nothing_to_say_are_no_fault() {
    let folder = TempDir::new().unwrap();
    for feed in ["dbn", "itch", "iex"] {
        let (lines, code, said) = normalize(feed, &write(&folder, "empty", b""));
        assert_eq!((lines.len(), code, said.as_str()), (0, Some(0), ""), "{feed}");
    }
}

/// What is replayed is recorded, and what was recorded is whole.
#[test]
fn records_become_a_recording() {
    let folder = TempDir::new().unwrap();
    let events: Vec<u8> = (1..=500).flat_map(|id| order(id, b'A', b'B', 40, 1)).collect();
    let (file, made) = (write(&folder, "orders.dbn", &events), folder.path().join("made"));
    let made = made.to_str().unwrap();
    let recorded = run(&["record", "--feed", "dbn", "-o", made, &file]);
    assert_eq!(recorded.status.code(), Some(0), "{}", text(&recorded.stderr));
    assert!(Path::new(made).is_dir());
    assert_eq!(run(&["verify", made]).status.code(), Some(0));
    let played = run(&["replay", made]);
    let books = text(&played.stdout).lines().filter(|line| line.contains(r#""channel":"book""#)).count();
    assert_eq!(books, 500);
}
