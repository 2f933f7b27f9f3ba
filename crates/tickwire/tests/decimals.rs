//! Decimals of any scale and size, from a venue's text through book, recording, JSON and MessagePack: Python's
//! `decimal` says what each must be, and which do not fit. `TICKWIRE_DECIMALS=10000000` for more than a few.

#![expect(clippy::unwrap_used, reason = "a test")]
#![expect(clippy::print_stdout, reason = "what it came to")]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use common::text;
use fanout::Sequencer;
use ingest::capture::Input;
use ingest::{Options, Step};
use model::{Body, Book, BookChange, BookSide, Tick, UnixNanos};
use store::{Journal, Recording, Settings};

/// How many, unless told otherwise.
const DECIMALS: u64 = 40_000;
/// Levels of one capture; each has two decimals.
const LEVELS: u64 = 20_000;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn digits(&mut self, count: u64, out: &mut String) {
        // Zeros at either end must not get lost.
        let zeros = self.below(8) == 0;
        for _ in 0..count {
            let digit = if zeros { self.below(2) * 5 } else { self.below(10) };
            out.push(char::from(b'0' + u8::try_from(digit).unwrap()));
        }
    }

    /// As venues write them; as long as they may be; and longer.
    fn decimal(&mut self, negative: u64, out: &mut String) {
        let (whole, fraction) = match self.below(20) {
            0..12 => (1 + self.below(6), self.below(11)),
            12..17 => (1 + self.below(14), self.below(15)),
            17 => (1 + self.below(29), 0),
            18 => (1, self.below(29)),
            _ => (1 + self.below(32), self.below(32)),
        };
        if self.below(100) < negative {
            out.push('-');
        }
        self.digits(whole, out);
        if fraction > 0 {
            out.push('.');
            self.digits(fraction, out);
        }
        if self.below(10) == 0 {
            let sign = ["", "+", "-"][usize::try_from(self.below(3)).unwrap()];
            let letter = if self.below(2) == 0 { 'e' } else { 'E' };
            let power = if self.below(4) == 0 { self.below(60) } else { self.below(12) };
            write!(out, "{letter}{sign}{power}").unwrap();
        }
    }
}

/// What a capture comes to.
struct Seen {
    /// The changes of the book, as lines.
    lines: Vec<u8>,
    /// Levels that were refused.
    refused: u64,
    book: Book,
}

/// Normalises a capture, and records what comes of it.
fn normalise(capture: Vec<u8>, folder: &Path) -> Seen {
    let mut reader = ingest::reader("gemini", &Options::default()).unwrap();
    reader.open(Input::new(Box::new(Cursor::new(capture)), None).unwrap());
    let (mut sequencer, mut ticks) = (Sequencer::default(), Vec::<Tick>::new());
    let mut journal = Journal::create(folder, Settings::new(wire::line)).unwrap();
    let mut seen = Seen { lines: Vec::new(), refused: 0, book: Book::default() };
    loop {
        match reader.step(&mut ticks) {
            Step::Ticks => {}
            Step::Broken { error, .. } => {
                assert_eq!(error.reason(), "number", "{error}");
                seen.refused += 1;
            }
            Step::End => break,
        }
        for tick in ticks.drain(..) {
            let event = sequencer.push(tick, UnixNanos(1)).unwrap().unwrap();
            if let Body::Book(BookChange::Delta(levels)) = &event.record.body {
                seen.book.apply(levels);
                wire::line(&event.record, &mut seen.lines);
                seen.lines.push(b'\n');
            }
            journal.push(&event.record);
        }
    }
    journal.finish().unwrap();
    seen
}

/// The changes of the book in a recording, as lines, and packed.
fn replay(folder: &Path) -> (Vec<u8>, Vec<u8>) {
    let (mut lines, mut packed) = (Vec::new(), Vec::new());
    for records in Recording::open(folder).unwrap().read().unwrap() {
        for record in records.unwrap() {
            if matches!(record.body, Body::Book(BookChange::Delta(_))) {
                let start = lines.len();
                wire::line(&record, &mut lines);
                packed.extend(wire::pack(&lines[start..]).unwrap());
                lines.push(b'\n');
            }
        }
    }
    (lines, packed)
}

#[test]
fn decimals_are_what_python_makes_of_them() {
    let wanted = std::env::var("TICKWIRE_DECIMALS").map_or(DECIMALS, |count| count.parse().unwrap());
    let script = common::top().join("crates/tickwire/tests/python/decimals.py");
    let mut random = Random(88_172_645_463_325_252);
    let (mut done, mut fitted, mut refused) = (0, 0, 0);
    while done < wanted {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut capture = r#"{"type":"l2_updates","symbol":"BTCUSD","changes":[],"trades":[]}"#.to_owned();
        let mut texts = String::new();
        for _ in 0..LEVELS {
            let start = texts.len();
            random.decimal(20, &mut texts);
            texts.push(' ');
            random.decimal(1, &mut texts);
            let (price, size) = texts[start..].split_once(' ').unwrap();
            let change = format!(r#"[["buy","{price}","{size}"]]"#);
            write!(capture, "\n{{\"type\":\"l2_updates\",\"symbol\":\"BTCUSD\",\"changes\":{change}}}")
                .unwrap();
            texts.push('\n');
        }
        let seen = normalise(capture.into_bytes(), &at("recording"));
        let (lines, packed) = replay(&at("recording"));
        assert!(lines == seen.lines, "the recording says something else");
        let levels = seen.book.iter(BookSide::Bid).map(|level| format!("{} {}\n", level.price, level.size));
        fs::write(at("texts"), texts).unwrap();
        fs::write(at("lines"), lines).unwrap();
        fs::write(at("packed"), packed).unwrap();
        fs::write(at("book"), levels.collect::<String>()).unwrap();
        let mut python = Command::new(common::python());
        let output = python.arg(&script).arg(folder.path()).output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "after {done}: {told}");
        let mut counts = told.split_whitespace().map(|count| count.parse::<u64>().unwrap());
        fitted += counts.next().unwrap();
        let others = counts.next().unwrap();
        assert_eq!(seen.refused, others, "messages that were refused");
        refused += others;
        done += LEVELS * 2;
    }
    assert!(fitted > refused && refused > 0, "{fitted} {refused}");
    println!("{done} decimals: {fitted} levels as Python has them, {refused} refused");
}
